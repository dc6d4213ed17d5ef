"""gammu identifies the simulated modem, reads what it received, and sends.

The simulator's account of what went on the air is the judge.
"""

import os
import re
import subprocess
import sys

from simulator import Simulator, equal, ok

LONG = ("To register a birth, take the clinic card and the parents' IDs to the registrar "
        "within six weeks. It is free in the first six weeks; after that the fee stands on "
        "the notice board of the office.")
CHICHEWA = "Ŵana: mwana akatentha thupi, mupite naye kuchipatala tsiku lomwelo."


def gammu(simulator, *arguments, text=None):
    config = os.path.join(simulator.folder.name, "gammurc")
    with open(config, "w") as file:
        file.write(f"[gammu]\ndevice = {simulator.port}\nconnection = at115200\n"
                   "gammucoding = utf8\n")
    done = subprocess.run(["gammu", "-c", config, *arguments], input=text, text=True,
                          capture_output=True, timeout=60,
                          env={**os.environ, "LC_ALL": "C.UTF-8"})
    if done.returncode != 0:
        raise AssertionError(f"gammu {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


# What identify must say, and the folder that gammu gives the received messages:
# 1 on the SIM, 3 in the module.
PROFILES = {
    "generic": ("Generic GSM Modem", "490154203237518", "1"),
    "sim800l": ("SIMCOM_SIM800L", "865691030123458", "1"),
    "sim7600": ("SIMCOM_SIM7600E-H", "868822041234561", "3"),
    "ec25": ("EC25", "866758042345670", "3"),
}


def examine(profile):
    model, imei, folder = PROFILES[profile]
    with Simulator(profile) as simulator:
        identity = gammu(simulator, "identify")
        for expected in (model, imei):
            assert expected in identity, identity
        ok(f"{profile}: identify says {model}")

        state = gammu(simulator, "networkinfo")
        assert "home network" in state, state
        ok(f"{profile}: networkinfo says home network")

        simulator.deliver("+265991234567", "How do I register a birth?")
        simulator.deliver("+265999000111", LONG, order=[2, 1], bits=16)
        simulator.deliver("Airtel", CHICHEWA)
        simulator.wait_stored(4)
        read = gammu(simulator, "geteachsms")
        text = re.sub(r"\s+", " ", read)
        for expected in ("How do I register a birth?", LONG, CHICHEWA, '"+265991234567"'):
            assert expected in text, f"{expected!r} is not in {read}"
        ok(f"{profile}: geteachsms shows a short, a long and a UCS-2 message")

        gammu(simulator, "deleteallsms", folder)
        equal(simulator.stored(), [], "stored messages")
        ok(f"{profile}: deleteallsms leaves none")

        gammu(simulator, "sendsms", "TEXT", "+265991234567", "-text", "The clinic opens at 7.")
        gammu(simulator, "sendsms", "TEXT", "+265991234567", "-len", "400", "-text", LONG)
        gammu(simulator, "sendsms", "TEXT", "0991234567", "-unicode", "-text", CHICHEWA)
        sent = simulator.ask("wait_sent", count=3)["messages"]
        equal([(m["to"], m["text"], m["complete"]) for m in sent],
              [("+265991234567", "The clinic opens at 7.", True),
               ("+265991234567", LONG, True),
               ("0991234567", CHICHEWA, True)], "sent messages")
        equal([len(m["parts"]) for m in sent], [1, 2, 1], "parts")
        ok(f"{profile}: sendsms sends a short, a long and a UCS-2 message")

        ussd = gammu(simulator, "getussd", "*100#")
        assert "1,234.50" in ussd, ussd
        ok(f"{profile}: getussd shows the balance")


examine(sys.argv[1])
