"""smppy is the SMSC of a real jibud: messages in parts and in UCS-2, receipts,
refusals, connections and a daemon that are cut where it hurts.

What smppy was told to send on is the judge: everybody is answered exactly once.
smppy's server takes one PDU a TCP segment and gives no message ids; both are
added here, binds, codecs and the cutting of long texts are its own.
"""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import tempfile

from smpp.pdu.operations import DeliverSM, SubmitSM, SubmitSMResp
from smpp.pdu.pdu_encoding import PDUEncoder
from smpp.pdu.pdu_types import (
    AddrNpi, AddrTon, CommandId, CommandStatus, DataCoding, DataCodingDefault, EsmClass,
    EsmClassMode, EsmClassType, PriorityFlag, RegisteredDelivery, RegisteredDeliveryReceipt,
    ReplaceIfPresentFlag)
from smppy.server import Application, SmppProtocol

from simulator import equal, ok

PASSWORD = "k3epquie"
OURS = "50131"
LONG = ("Hello, I live far from the clinic and my neighbour told me to write here. My youngest "
        "child has had watery diarrhoea since yesterday and I want to know how to make the drink "
        "with sugar and salt at home, please tell me.")
CHICHEWA = "Ŵana: mwana akatentha thupi"
# The spool waits this long for a receipt of a part whose fate it does not know,
# and before a throttled one is tried again.
TWO_MINUTES = 120


def text(value):
    """The library's strings are bytes here and text there."""
    return value.decode() if isinstance(value, bytes) else value


class Protocol(SmppProtocol):
    """smppy's, with PDUs cut from the stream."""

    def __init__(self, app):
        super().__init__(app)
        self.stream = b""

    def data_received(self, data):
        self.stream += data
        while len(self.stream) >= 4:
            length = int.from_bytes(self.stream[:4], "big")
            if len(self.stream) < length:
                return
            pdu, self.stream = self.stream[:length], self.stream[length:]
            # In order: each is handled before the next one is cut.
            self.app.inbox.put_nowait((self, pdu))

    async def handle(self, octets):
        if self._transport is None or self._transport.is_closing():
            return
        pdu = PDUEncoder().decode(io.BytesIO(octets))
        if pdu.command_id == CommandId.submit_sm:
            await self.app.submitted(
                self, SubmitSM(sequence_number=pdu.sequence_number, **pdu.params))
        elif pdu.command_id == CommandId.deliver_sm_resp:
            await self.app.delivered(self, pdu.sequence_number)
        elif pdu.command_id == CommandId.enquire_link_resp:
            pass
        else:
            await self.handle_data_received(octets)


class Smsc(Application):
    def __init__(self):
        super().__init__("smppy")
        self.inbox = asyncio.Queue()
        self.client = None
        self.bound = asyncio.Event()
        self.sent = []          # (to, text or octets), once accepted
        self.undelivered = {}   # sequence -> what must be delivered again
        self.on_submit = {}     # number -> what to do with the next submit_sm to it
        self.on_response = None
        self.refusals = []
        self.ids = 0

    async def handle_bound_client(self, client):
        if (text(client.system_id), text(client.password)) != ("jibu", PASSWORD):
            return None
        self.client = client
        self.bound.set()
        return client

    async def handle_unbound_client(self, client):
        self.bound.clear()

    async def handle_sms_received(self, client, source_number, dest_number, text):
        raise AssertionError("submit_sm is handled elsewhere")

    async def run(self):
        while True:
            protocol, octets = await self.inbox.get()
            await protocol.handle(octets)

    @property
    def protocol(self):
        return self.client._protocol

    async def deliver(self, number, text):
        """Delivers as smppy does, and again after a cut until there is a response."""
        await self.protocol.send_deliver_sm(
            source_addr=number, destination_addr=OURS, text=text,
            source_addr_ton=AddrTon.INTERNATIONAL, source_addr_npi=AddrNpi.ISDN,
            dest_addr_ton=AddrTon.UNKNOWN, dest_addr_npi=AddrNpi.UNKNOWN)
        self.undelivered[self.protocol._sequence_number] = (number, text)

    def receipt(self, message_id, number, state="DELIVRD"):
        words = (f"id:{message_id} sub:001 dlvrd:001 submit date:2611231200 done date:2611231201 "
                 f"stat:{state} err:000 text:")
        self.protocol._send_PDU(DeliverSM(
            sequence_number=self.protocol.next_sequence_number(), service_type=None,
            source_addr_ton=AddrTon.INTERNATIONAL, source_addr_npi=AddrNpi.ISDN,
            source_addr=number, dest_addr_ton=AddrTon.UNKNOWN, dest_addr_npi=AddrNpi.UNKNOWN,
            destination_addr=OURS, protocol_id=None, priority_flag=PriorityFlag.LEVEL_0,
            esm_class=EsmClass(EsmClassMode.DEFAULT, EsmClassType.SMSC_DELIVERY_RECEIPT),
            registered_delivery=RegisteredDelivery(
                RegisteredDeliveryReceipt.NO_SMSC_DELIVERY_RECEIPT_REQUESTED),
            replace_if_present_flag=ReplaceIfPresentFlag.DO_NOT_REPLACE,
            data_coding=DataCoding(scheme_data=DataCodingDefault.SMSC_DEFAULT_ALPHABET),
            short_message=words.encode()))

    async def submitted(self, protocol, submit):
        number = text(submit.params["destination_addr"])
        message = submit.params["short_message"]
        todo = self.on_submit.pop(number, None)
        if todo == "cut before":
            protocol._transport.abort()
            return
        if todo == "throttle":
            self.refusals.append(number)
            protocol._send_PDU(SubmitSMResp(
                sequence_number=submit.sequence_number, status=CommandStatus.ESME_RTHROTTLED))
            return
        self.ids += 1
        # In hexadecimal here, in decimal in the receipt, as SMSCs do.
        message_id = 0xabc000 + self.ids
        udhi = "UDHI" in str(submit.params["esm_class"])
        wide = "UCS2" in str(submit.params["data_coding"])
        octets = message[message[0] + 1:] if udhi else message
        self.sent.append((number, octets.decode("utf-16-be" if wide else "ascii")))
        if todo == "cut after":
            protocol._transport.abort()
            # The bind that is waited for comes by the queue that we came by.
            self.later = asyncio.create_task(self.receipt_later(message_id, number))
            return
        protocol._send_PDU(SubmitSMResp(
            sequence_number=submit.sequence_number, message_id=f"{message_id:X}"))
        self.receipt(message_id, number)

    async def receipt_later(self, message_id, number):
        await self.until_bound()
        self.receipt(message_id, number)

    async def delivered(self, protocol, sequence):
        if self.on_response is not None and sequence in self.undelivered:
            lose, self.on_response = self.on_response, None
            lose(protocol)
            return
        self.undelivered.pop(sequence, None)

    async def until_bound(self):
        self.bound.clear()
        await asyncio.wait_for(self.bound.wait(), 60)

    async def deliver_again(self):
        again, self.undelivered = list(self.undelivered.values()), {}
        for number, text in again:
            await self.deliver(number, text)

    def to(self, number):
        return [text for to, text in self.sent if to == number]

    async def answers(self, number, count, seconds=60):
        """Waits for so many messages to a number, and a while for one too many."""
        for _ in range(seconds * 10):
            if len(self.to(number)) >= count:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(1.5)
        equal(len(self.to(number)), count, f"messages to …{number[-2:]}")
        return self.to(number)


class Site:
    """jibud in a folder of its own."""

    def __init__(self, port):
        self.folder = tempfile.TemporaryDirectory(prefix="jibu-smpp-")
        self.file = os.path.join(self.folder.name, "jibu.toml")
        self.log = os.path.join(self.folder.name, "log")
        root = os.path.abspath("../..")
        with open(os.path.join(self.folder.name, "password"), "w") as file:
            file.write(PASSWORD + "\n")
        with open(self.file, "w") as file:
            file.write(f"""
[site]
data = "data"
models = "{root}/models"
languages = ["en", "ny"]
emergency_number = "112"
[web]
listen = ""
[log]
filter = "debug,tract_onnx=error,tract_linalg=warn"
[[smpp]]
name = "smppy"
host = "127.0.0.1"
port = {port}
system_id = "jibu"
password_file = "password"
source = "{OURS}"
source_ton = 3
source_npi = 0
""")
        self.process = None

    def start(self):
        log = open(self.log, "a")
        self.process = subprocess.Popen(
            [os.environ["JIBUD"], "run", "--config", self.file], stderr=log, stdout=log)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    async def says(self, *arguments):
        process = await asyncio.create_subprocess_exec(
            os.environ["JIBUD"], *arguments, "--config", self.file,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, _ = await process.communicate()
        return out.decode()


async def examine(smsc, site):
    waiting = asyncio.create_task(smsc.until_bound())
    check = await site.says("check", "--json")
    found = [line for line in json.loads(check) if line["what"] == "SMSC smppy"]
    equal([(line["ok"], line["says"]) for line in found], [(True, "\"smppy\" lets us in")], "check")
    await waiting
    ok("jibud check binds and unbinds")

    waiting = asyncio.create_task(smsc.until_bound())
    site.start()
    await waiting
    started = asyncio.get_running_loop().time()

    # What takes two minutes begins first.
    smsc.on_submit = {"265990000001": "throttle"}
    await smsc.deliver("265990000001", "HELP")
    for _ in range(600):
        if smsc.refusals:
            break
        await asyncio.sleep(0.1)

    await smsc.deliver("265991000001", "HELP")
    [text] = await smsc.answers("265991000001", 1)
    assert "112" in text, text
    await smsc.deliver("265991000001", "HELP")
    await smsc.deliver("265991000001", "HELP")
    await smsc.answers("265991000001", 3)
    ok("answers, and equal texts that are sent on purpose as often as they are sent")

    await smsc.deliver("265991000002", LONG)
    await smsc.answers("265991000002", 1)
    await smsc.deliver("265991000003", CHICHEWA)
    assert smsc.protocol.is_bound
    await smsc.answers("265991000003", 1)
    ok("receives parts and UCS-2")

    for _ in range(100):
        states = await site.says("messages", "--json")
        if states.count('"delivered"') >= 5:
            break
        await asyncio.sleep(0.2)
    assert states.count('"delivered"') >= 5, states
    ok("receipts find their messages, hexadecimal here and decimal there")

    # The connection goes when our response is under way.
    smsc.on_response = lambda protocol: protocol._transport.abort()
    await smsc.deliver("265991000004", "HELP")
    await smsc.until_bound()
    await smsc.deliver_again()
    await smsc.answers("265991000004", 1)
    ok("a message that comes again after a cut is answered once")

    # And the daemon with it: what it had committed it knows after the restart.
    def power_cut(_):
        site.kill()
    smsc.on_response = power_cut
    await smsc.deliver("265991000005", "HELP")
    for _ in range(600):
        if site.process.poll() is not None:
            break
        await asyncio.sleep(0.1)
    smsc.undelivered = {0: ("265991000005", "HELP")}
    waiting = asyncio.create_task(smsc.until_bound())
    site.start()
    await waiting
    await smsc.deliver_again()
    await smsc.answers("265991000005", 1)
    await smsc.deliver("265991000005", "HELP")
    await smsc.answers("265991000005", 2)
    ok("also when jibud is killed between its commit and our reading of the response")

    # The SMSC took an answer, or did not, and says neither.
    for number, cut in [("265991000006", "cut after"), ("265991000007", "cut before")]:
        smsc.on_submit[number] = cut
        waiting = asyncio.create_task(smsc.until_bound())
        await smsc.deliver(number, "HELP")
        await waiting
        await asyncio.sleep(1)
    cut = asyncio.get_running_loop().time()
    await asyncio.sleep(max(0, cut + TWO_MINUTES + 10 - asyncio.get_running_loop().time()))
    await smsc.answers("265991000006", 1)
    await smsc.answers("265991000007", 1)
    ok("a part of unknown fate is settled by its receipt, or sent again")
    await smsc.answers("265990000001", 1, TWO_MINUTES)
    took = asyncio.get_running_loop().time() - started
    equal(smsc.refusals, ["265990000001"], "refusals")
    assert took > 60, took
    ok("a throttled part waits before it is sent again")

    with open(site.log) as file:
        log = file.read()
    for secret in [PASSWORD, "9910000", "HELP", "diarrhoea", "akatentha"]:
        assert secret not in log, f"{secret} stands in the log"
    ok("no password, number or text stands in its log")


async def main():
    smsc = Smsc()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Protocol(smsc), "127.0.0.1", 0)
    running = asyncio.create_task(smsc.run())
    site = Site(server.sockets[0].getsockname()[1])
    try:
        done, _ = await asyncio.wait(
            [running, asyncio.create_task(examine(smsc, site))],
            return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except BaseException:
        if os.path.exists(site.log):
            with open(site.log) as file:
                print(file.read()[-4000:], file=sys.stderr)
        raise
    finally:
        if site.process and site.process.poll() is None:
            site.kill()
        server.close()


asyncio.run(main())
