#!/usr/bin/env python3
"""smstools, gammu-smsd and jibud, one after the other, at the same simulated modem
with the same people, the same faults and the same cuts; prints a table.

    python3 tests/side-by-side/run.py --messages 200 --seeds 3

Each daemon answers each message. What the simulator's network saw is the judge.
README.md of `tests/` says what the rows mean.
"""

import argparse
import contextlib
import math
import multiprocessing
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import hosts
import report
import scenario

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../third-party"))
from simulator import Simulator  # noqa: E402  (it lies in the folder next door)

# A run is over when nothing has gone out for so long. Longer than most waits of the
# daemons' own, and shorter than some: gammu-smsd's for a reply (200 s), jibud's for a
# network that refused twice (10 min).
PATIENCE_S = 150
# What would come twice has come by then.
AFTERWARDS_S = 15
# The time of a hang that ends by itself, and the longest that is waited afterwards.
HANG_S = 20
HANG_PATIENCE_S = 300
IDLE_S = 10
# The network's and the modem's times, as parts of those of a real modem.
QUICK = 0.1
# One message in so many seconds on average: slow enough for every daemon.
APART_S = 1.5


class Play:
    """A daemon at work on a fresh modem; its end is that of the `with` block."""

    def __init__(self, name, label, seed, pace, options, power_key=False):
        self.simulator = Simulator("generic", seed=seed, time_scale=pace)
        self.host = hosts.HOSTS[name](self.simulator, power_key, bool(options.keep))
        self.keep = options.keep and os.path.join(options.keep, f"{label}-{name}-{seed}")
        self.restarts = 0

    def __enter__(self):
        self.simulator.__enter__()
        self.host.start()
        return self

    def __exit__(self, *what):
        self.host.processes.kill()
        if self.keep:
            ignored = shutil.ignore_patterns("site", "modem", "control")
            shutil.copytree(self.host.folder, self.keep, ignore=ignored, dirs_exist_ok=True)
            with open(os.path.join(self.keep, "air"), "w") as file:
                for entry in self.simulator.ask("log")["entries"]:
                    print("{at_ms:>8} {side} {text}".format(**entry), file=file)
        # A failure's dialogue is in the folder that was kept.
        self.simulator.__exit__(None, None, None)

    def cut(self):
        """SIGKILL to all of it, and a new start at once."""
        self.host.processes.kill()
        self.host.start()

    def sleep(self, seconds):
        """Sleeps, and starts the daemon again where it has ended by itself, as a
        service manager does."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.25))
            if self.host.processes.ended():
                self.restarts += 1
                self.cut()

    def answered(self):
        """When the first answer to each number went out, and how many parts did."""
        sent = self.simulator.ask("sent")
        first = {}
        for message in sent["messages"]:
            first.setdefault(message["to"], message["parts"][0]["at_ms"])
        return first, len(sent["raw"])

    def settle(self, asked, patience=PATIENCE_S):
        """Waits until everybody is answered, or nothing has gone out for `patience`."""
        senders = {message.sender for message in asked}
        before, since = -1, time.monotonic()
        while time.monotonic() - since < patience:
            self.sleep(0.25)
            first, parts = self.answered()
            if senders <= first.keys():
                return first
            if parts != before:
                before, since = parts, time.monotonic()
        return self.answered()[0]

    def warm_up(self):
        """Waits for the answer to a first message."""
        hello = scenario.Message(9999, random.Random(0), False)
        hello.deliver(self.simulator)
        if not self.settle([hello], 60):
            raise RuntimeError(f"{self.host.name} answered nothing within a minute")

    def judge(self, asked):
        return scenario.judge(self.simulator, asked, self.host.by_serial)

    def wait_note(self, text, mark, seconds=60):
        """When the simulator noted something after `mark`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for entry in self.simulator.ask("log", since=mark)["entries"]:
                if entry["side"] == "#" and entry["text"] == text:
                    return entry["at_ms"]
            self.sleep(0.1)
        return None

    def mark(self):
        return self.simulator.ask("log", since=1 << 40)["next"]


def fair(name, label, seed, options, pace, count, commands=False):
    """All write at once, and nothing goes wrong."""
    with Play(name, label, seed, pace, options) as play:
        play.warm_up()
        idle = play.host.processes.cpu()
        play.sleep(IDLE_S)
        before = play.host.processes.cpu()
        idle = before - idle
        asked = scenario.messages(count, seed, commands)
        begin = play.simulator.ask("state")["at_ms"]
        for message in asked:
            message.deliver(play.simulator)
        first = play.settle(asked)
        spent = play.host.processes.cpu() - before
        first = {number: at for number, at in first.items() if number != "+26599309999"}
        play.sleep(5)
        found = play.judge(asked)
        found["strangers"] -= 1  # the first message's answer
        found["a_second"] = len(first) / (max(first.values()) - begin) * 1000
        found["cpu_ms"] = spent / len(first) * 1000
        found["idle_s"] = idle / IDLE_S * 3600
        return found


def faults(name, label, seed, options):
    """A bad modem all the time, and spells of worse."""
    with Play(name, label, seed, QUICK, options) as play:
        asked = scenario.messages(options.messages, seed)
        chance = random.Random(f"arrivals {seed}")
        seconds = APART_S * len(asked)
        events = [(chance.uniform(0, seconds), number, "asks", message)
                  for number, message in enumerate(asked)]
        for number, (begin, end, what) in enumerate(scenario.spells(seconds, seed)):
            events += [(begin, number, "begins", what), (end, number, "ends", what)]
        play.simulator.ask("noise", **scenario.BAD_MODEM)
        started = time.monotonic()
        for at, _, event, what in sorted(events, key=lambda event: event[:3]):
            play.sleep(started + at - time.monotonic())
            if event == "asks":
                what.deliver(play.simulator, repeats=True)
            elif event == "begins":
                scenario.begin(play.simulator, what)
            else:
                scenario.end(play.simulator, what)
        play.simulator.ask("noise", level="off")
        play.settle(asked)
        play.sleep(AFTERWARDS_S)
        return {**play.judge(asked), "restarts": play.restarts}


def cuts(name, label, seed, options):
    """SIGKILL at seeded moments, while people write."""
    with Play(name, label, seed, QUICK, options) as play:
        asked = scenario.messages(options.messages, seed)
        chance = random.Random(f"cuts {seed}")
        waiting = list(asked)
        for cut in range(options.cuts):
            # Spread over the rounds; the last takes what is left.
            for _ in range(math.ceil(len(waiting) / (options.cuts - cut))):
                waiting.pop().deliver(play.simulator)
            play.sleep(chance.uniform(1, 8))
            play.cut()
        play.settle(asked)
        play.sleep(AFTERWARDS_S)
        return {**play.judge(asked), "restarts": play.restarts}


def hangs(name, label, seed, options):
    """Seconds from the end of a hang to the first answer."""
    found = []
    with Play(name, label, seed, QUICK, options) as play:
        play.warm_up()
        for message in scenario.messages(2, seed):
            play.sleep(5)
            found.append(hang(play, message, HANG_S * 1000, "modem works again"))
    return {"recovery_s": statistics.median(found)}


def power(name, label, seed, options):
    """Seconds from the beginning of a hang that only the power key ends."""
    with Play(name, label, seed, QUICK, options, power_key=True) as play:
        play.warm_up()
        play.sleep(5)
        message = scenario.messages(1, seed)[0]
        return {"power_s": hang(play, message, 0, "modem hangs")}


def hang(play, message, ms, since):
    mark = play.mark()
    play.simulator.ask("fault", kind="hang", ms=ms)
    message.deliver(play.simulator)
    begin = play.wait_note(since, mark, 120)
    end = time.monotonic() + HANG_PATIENCE_S
    while begin is not None and time.monotonic() < end:
        play.sleep(0.25)
        first, _ = play.answered()
        if message.sender in first:
            return (first[message.sender] - begin) / 1000
    return math.inf


def at_full_speed(name, label, seed, options):
    return fair(name, label, seed, options, 0, max(10, options.messages // 4))


def at_a_modems_pace(name, label, seed, options):
    return fair(name, label, seed, options, 1, max(10, options.messages // 10))


def commands(name, label, seed, options):
    return fair(name, label, seed, options, 0, max(10, options.messages // 4), True)


PHASES = {"fair": at_full_speed, "pace": at_a_modems_pace, "faults": faults, "cuts": cuts,
          "hangs": hangs, "power": power}
# Nothing else may run beside what is timed.
ALONE = ("fair",)


def plan(options):
    """What is to be played: `(phase, column, function, name, seed)`."""
    for seed in range(options.seed, options.seed + options.seeds):
        for phase in options.phases:
            for name in options.hosts:
                yield phase, name, PHASES[phase], name, seed
            if phase == "fair" and "jibud" in options.hosts:
                yield phase, "jibud, HELP", commands, "jibud", seed


def play(task, options):
    phase, column, function, name, seed = task
    began = time.monotonic()
    label = f"{phase}-help" if column.endswith("HELP") else phase
    found = function(name, label, seed, options)
    print(f"# {phase}, seed {seed}, {column}: {found} in {time.monotonic() - began:.0f} s",
          file=sys.stderr, flush=True)
    return found


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--messages", type=int, default=200,
                        help="people in the runs with trouble (200); a quarter and a tenth "
                             "of them in fair weather")
    parser.add_argument("--cuts", type=int, default=20, help="SIGKILLs in each run (20)")
    parser.add_argument("--seed", type=int, default=1, help="the first seed (1)")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds (3)")
    parser.add_argument("--hosts", nargs="+", choices=hosts.HOSTS, default=list(hosts.HOSTS))
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=list(PHASES))
    parser.add_argument("--jobs", type=int, default=3,
                        help="runs at a time, where none must be alone (3)")
    parser.add_argument("--programs", metavar="DIR",
                        help="where jibud, jibu-hub and jibu-modem-sim are built; "
                             "built with cargo when missing")
    parser.add_argument("--keep", metavar="DIR",
                        help="keeps logs there, with everything logged (costs CPU time)")
    return parser.parse_args()


def build():
    """Builds the programs as for all measurements, and gives their folder."""
    subprocess.run(["cargo", "build", "--quiet", "--workspace", "--all-targets"], check=True,
                   cwd=hosts.ROOT)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(hosts.ROOT, "target"))
    return os.path.join(target, "debug")


def main():
    options = arguments()
    if missing := hosts.missing():
        raise SystemExit("not installed:\n  " + "\n  ".join(missing))
    programs = os.path.abspath(options.programs or build())
    os.environ["JIBU_MODEM_SIM"] = os.path.join(programs, "jibu-modem-sim")
    if options.keep:
        options.keep = os.path.abspath(options.keep)
    with tempfile.TemporaryDirectory(prefix="jibu-side-") as folder:
        hosts.Jibud.programs = programs
        if "jibud" in options.hosts:
            hosts.Jibud.prepare(programs, folder)
        tasks = list(plan(options))
        # A process for each, because each becomes the parent of its daemon's orphans.
        context = multiprocessing.get_context("fork")
        results = {}
        for alone in (True, False):
            chosen = [task for task in tasks if (task[0] in ALONE) == alone]
            with context.Pool(1 if alone else options.jobs, maxtasksperchild=1) as pool:
                found = pool.starmap(play, [(task, options) for task in chosen], chunksize=1)
            for (phase, column, *_), one in zip(chosen, found):
                results.setdefault(phase, {}).setdefault(column, []).append(one)
        print(report.table(results, hosts.versions(), HANG_S, HANG_PATIENCE_S))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        main()
