"""smstools' smsd receives from the simulated modem, sends, and gets reports.

The simulator's account of what went on the air is the judge.
"""

import os
import subprocess
import sys

from simulator import Simulator, equal, ok, wait_for

LONG = ("Cholera: give oral rehydration solution at once and go to the nearest clinic. "
        "Boil drinking water, wash hands with soap, and tell the health worker, so that "
        "the others in your village are looked after too.")
CHICHEWA = "Ŵana: mwana akatentha thupi, mupite naye kuchipatala."
# smsd counts from the first index that the modem uses.
FIRST_INDEX = {"generic": 1, "sim800l": 1, "sim7600": 0, "ec25": 0}


def configure(simulator, profile):
    folders = {}
    for name in ("outgoing", "checked", "incoming", "report", "sent", "failed"):
        folders[name] = os.path.join(simulator.folder.name, name)
        os.mkdir(folders[name])
    path = os.path.join(simulator.folder.name, "smsd.conf")
    with open(path, "w") as file:
        file.write("devices = GSM1\ndelaytime = 1\nerrorsleeptime = 1\nstats_interval = 0\n"
                   "autosplit = 3\ninternal_combine = yes\nincoming_utf8 = yes\nloglevel = 7\n")
        for name, folder in folders.items():
            file.write(f"{name} = {folder}\n")
        for name in ("logfile", "pidfile", "infofile"):
            file.write(f"{name} = {os.path.join(simulator.folder.name, name)}\n")
        file.write(f"[GSM1]\ndevice = {simulator.port}\nincoming = yes\nreport = yes\n"
                   f"memory_start = {FIRST_INDEX[profile]}\nbaudrate = 115200\n"
                   "init = AT+CNMI=2,1,0,1,0\nusing_routed_status_report = yes\n")
    return path, folders


def received(folder):
    """Sender and text of each message that smsd wrote into a folder."""
    found = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            head, _, body = file.read().partition(b"\n\n")
        values = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        text = body.decode("utf-16-be" if values.get("Alphabet") == "UCS2" else "utf-8").strip()
        # smsd creates the file first and fills it then.
        if "From" in values and text:
            found.append((values["From"], text.strip()))
    return sorted(found)


def write(folder, name, head, body):
    """A message for smsd, moved in whole so that it never reads half of one."""
    beside = os.path.join(os.path.dirname(folder), name)
    with open(beside, "wb") as file:
        file.write(head.encode() + b"\n\n" + body)
    os.rename(beside, os.path.join(folder, name))


def examine(profile):
    with Simulator(profile) as simulator:
        simulator.deliver("+265888123456", "A message from before the start")
        simulator.wait_stored(1)
        config, folders = configure(simulator, profile)
        smsd = subprocess.Popen(["smsd", "-t", "-c", config], stdout=subprocess.DEVNULL,
                                stderr=subprocess.STDOUT)
        try:
            wait_for("the backlog", lambda: received(folders["incoming"]))
            ok(f"{profile}: smsd starts and reads the backlog")

            simulator.deliver("+265991234567", "Where is the clinic?")
            simulator.deliver("+265999000111", LONG, order=[2, 1])
            simulator.deliver("+265999000222", CHICHEWA)
            wait_for("four messages", lambda: len(received(folders["incoming"])) == 4, 40)
            wait_for("an empty storage", lambda: not simulator.stored())
            equal(received(folders["incoming"]), sorted([
                ("265888123456", "A message from before the start"),
                ("265991234567", "Where is the clinic?"),
                ("265999000111", LONG),
                ("265999000222", CHICHEWA)]), "received messages")
            ok(f"{profile}: smsd receives a short, a long and a UCS-2 message and clears them")

            write(folders["outgoing"], "short", "To: 265991234567\nAlphabet: UTF-8\nReport: yes",
                  "The clinic opens at 7.".encode())
            write(folders["outgoing"], "long", "To: 265991234567\nAlphabet: UTF-8", LONG.encode())
            write(folders["outgoing"], "ucs", "To: 265991234567\nAlphabet: UCS",
                  CHICHEWA.encode("utf-16-be"))
            sent = simulator.ask("wait_sent", count=3, timeout_ms=60000)["messages"]
            equal(sorted((m["to"], m["text"], m["complete"]) for m in sent),
                  sorted(("+265991234567", text, True)
                         for text in ("The clinic opens at 7.", LONG, CHICHEWA)), "sent messages")
            wait_for("three files in sent", lambda: len(os.listdir(folders["sent"])) == 3)
            equal(os.listdir(folders["failed"]), [], "failed messages")
            ok(f"{profile}: smsd sends a short, a long and a UCS-2 message")

            wait_for("a status report", lambda: os.listdir(folders["report"]), 40)
            ok(f"{profile}: smsd receives the status report")
        except BaseException:
            with open(os.path.join(simulator.folder.name, "logfile")) as file:
                sys.stderr.writelines(file.readlines()[-40:])
            raise
        finally:
            smsd.terminate()
            smsd.wait(30)


examine(sys.argv[1])
