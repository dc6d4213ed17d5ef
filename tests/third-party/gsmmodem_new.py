"""python-gsmmodem-new receives from the simulated modem and sends, in PDU mode.

The simulator's account of what went on the air is the judge.
"""

import sys
import threading

from gsmmodem.modem import GsmModem, SentSms

from simulator import Simulator, equal, ok, wait_for

LONG = ("Bring the child's health passport to the clinic for every vaccination: at birth, at "
        "six, ten and fourteen weeks, and at nine months. The nurse writes the next date "
        "into it, and it costs nothing.")
CHICHEWA = "Ŵana: mwana akatentha thupi, mupite naye kuchipatala."


def examine(profile):
    with Simulator(profile) as simulator:
        received = []
        reports = []
        lock = threading.Lock()

        def on_sms(sms):
            with lock:
                received.append((sms.number, sms.text))

        def on_report(report):
            with lock:
                reports.append((report.number, report.deliveryStatus))

        modem = GsmModem(simulator.port, 115200, smsReceivedCallbackFunc=on_sms,
                         smsStatusReportCallback=on_report)
        modem.smsTextMode = False
        modem.connect(waitingForModemToStartInSeconds=1)
        try:
            equal(modem.imei, {"generic": "490154203237518", "sim800l": "865691030123458",
                               "sim7600": "868822041234561",
                               "ec25": "866758042345670"}[profile], "IMEI")
            equal(modem.networkName, "Jibu Test", "network")
            modem.waitForNetworkCoverage(5)
            equal(modem.signalStrength, 18, "signal")
            ok(f"{profile}: connects, and knows the network {modem.networkName!r}")

            # It takes up only the first of indications that arrive together, so
            # each message waits for the one before.
            simulator.deliver("+265991234567", "What does a birth certificate cost?")
            wait_for("a message", lambda: len(received) == 1)
            simulator.deliver("+265999000222", CHICHEWA)
            wait_for("a second message", lambda: len(received) == 2)
            wait_for("an empty storage", lambda: not simulator.stored())
            equal(sorted(received), [("+265991234567", "What does a birth certificate cost?"),
                                     ("+265999000222", CHICHEWA)], "received messages")
            ok(f"{profile}: receives a short and a UCS-2 message and deletes them")

            # It hands long messages over part by part.
            received.clear()
            simulator.deliver("+265999000111", LONG, delay_ms=1000)
            wait_for("two parts", lambda: len(received) == 2)
            equal("".join(text for _, text in received), LONG, "parts")
            ok(f"{profile}: receives the parts of a long message")

            short = modem.sendSms("+265991234567", "The clinic opens at 7.",
                                  waitForDeliveryReport=profile != "sim800l")
            modem.sendSms("+265991234567", LONG)
            modem.sendSms("+265991234567", CHICHEWA)
            sent = simulator.ask("wait_sent", count=3)["messages"]
            equal([(m["to"], m["text"], m["complete"]) for m in sent],
                  [("+265991234567", text, True)
                   for text in ("The clinic opens at 7.", LONG, CHICHEWA)], "sent messages")
            equal(sent[0]["parts"][0]["reference"], short.reference, "reference")
            ok(f"{profile}: sends a short, a long and a UCS-2 message")
            if profile != "sim800l":
                equal(short.status, SentSms.DELIVERED, "status")
                ok(f"{profile}: receives the status report")

            # In the UCS2 character set the answer is hexadecimal, and it leaves it so.
            answer = bytes.fromhex(modem.sendUssd("*100#").message).decode("utf-16-be")
            assert "1,234.50" in answer, answer
            ok(f"{profile}: asks for the balance by USSD")
        finally:
            modem.close()


examine(sys.argv[1])
