"""Starts jibu-modem-sim and talks to its control socket."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time


class Simulator:
    """A simulated modem in a folder of its own; ends with the `with` block."""

    def __init__(self, profile, *options, seed=1, time_scale=0.1):
        self.folder = tempfile.TemporaryDirectory(prefix="jibu-sim-")
        self.port = os.path.join(self.folder.name, "modem")
        control = os.path.join(self.folder.name, "control")
        self.process = subprocess.Popen(
            [os.environ["JIBU_MODEM_SIM"], "--pty", self.port, "--control", control,
             "--profile", profile, "--seed", str(seed), "--time-scale", str(time_scale),
             *options],
            stdout=subprocess.PIPE, text=True)
        # It says where it is once both ends are there.
        self.banner = self.process.stdout.readline().strip()
        if not self.banner:
            raise RuntimeError("the simulator did not start")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(control)
        self.stream = self.socket.makefile("rw")

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            print(self.banner, file=sys.stderr)
            for entry in self.ask("log")["entries"][-60:]:
                print("  {at_ms:>7}ms {side} {text}".format(**entry), file=sys.stderr)
        self.process.terminate()
        self.process.wait(10)
        assert not os.path.lexists(self.port), "the link was left behind"
        self.folder.cleanup()

    def ask(self, op, **values):
        self.stream.write(json.dumps({"op": op, **values}) + "\n")
        self.stream.flush()
        answer = json.loads(self.stream.readline())
        if "error" in answer:
            raise RuntimeError(f"{op}: {answer['error']}")
        return answer

    def deliver(self, sender, text, **values):
        return self.ask("deliver", **{"from": sender, "text": text, **values})

    def stored(self):
        """All stored messages."""
        return [message for memory in self.ask("storage")["memories"]
                for message in memory["messages"]]

    def wait_stored(self, count, seconds=10):
        """Waits until so many messages are stored."""
        wait_for(f"{count} stored messages", lambda: len(self.stored()) == count, seconds)


def wait_for(what, happened, seconds=20):
    """Waits until `happened()` is true, and gives what it returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = happened()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


def ok(step):
    """One line per step that worked."""
    print(f"ok {os.path.basename(sys.argv[0]).removesuffix('.py')}: {step}", flush=True)


def equal(found, expected, what):
    """Fails with both sides when they differ."""
    if found != expected:
        raise AssertionError(f"{what}:\n  found    {found!r}\n  expected {expected!r}")
