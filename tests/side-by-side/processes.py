"""A daemon with all that it starts: its CPU time, and its end as by a power cut."""

import contextlib
import ctypes
import os
import signal
import subprocess

PR_SET_CHILD_SUBREAPER = 36
TICKS = os.sysconf("SC_CLK_TCK")


class Processes:
    """One daemon at a time, and its descendants.

    Whoever makes this becomes the parent of orphans, so that none escapes;
    `spared` are the pids of other children.
    """

    def __init__(self, spared):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.spared = set(spared)
        self.main = None
        self.spent = 0.0

    def start(self, command, log, cwd=None):
        with open(log, "ab") as file:
            self.main = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file,
                                         stderr=file, cwd=cwd, start_new_session=True).pid

    def ended(self):
        """Whether the daemon has ended by itself. What it left behind goes on."""
        return self.main is None or not self._reap(self.main, os.WNOHANG)

    def kill(self):
        """SIGKILL to all of them at once."""
        if self.main is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.main, signal.SIGKILL)
        # Whoever was in another group is our child as soon as its parent is dead.
        while members := self._members():
            for pid in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for pid in members:
                # A grandchild is not ours to wait for until its parent has been.
                with contextlib.suppress(ChildProcessError):
                    self._reap(pid, 0)
        self.main = None

    def cpu(self):
        """Seconds of CPU time of all of them so far, user and system."""
        return self.spent + sum(self._members().values()) / TICKS

    def _reap(self, pid, options):
        """Takes note of the end of a child; whether it still lives."""
        found, _, usage = os.wait4(pid, options)
        if not found:
            return True
        self.spent += usage.ru_utime + usage.ru_stime
        if pid == self.main:
            self.main = None
        return False

    def _members(self):
        """All of our descendants that are not spared, with their ticks of CPU time."""
        every = {int(entry): _stat(f"/proc/{entry}/stat")
                 for entry in os.listdir("/proc") if entry.isdigit()}
        members = {}
        parents = {os.getpid()}
        while parents:
            parents = {pid for pid, stat in every.items()
                       if stat and stat[0] in parents and pid not in self.spared}
            members.update({pid: sum(every[pid][1:]) for pid in parents})
        return members


def _stat(path):
    """Parent, and four times in ticks: own user and system, and those of children
    that ended (proc(5))."""
    try:
        with open(path) as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), *(int(field) for field in fields[11:15])
