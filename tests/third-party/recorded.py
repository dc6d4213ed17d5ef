"""Modems that others recorded, behind a pseudo-terminal, for our own host.

python-gsmmodem-new's source package has the replies of six modems to its commands
(test/fakemodems.py). Here they answer to `shell/modem`: each initialises, sends one
message and announces one, which is read and erased. What the recordings leave out is
added as plainly as TS 27.005 and 27.007 have it: the signal, one place for a message,
the prompt of +CMGS; other questions that nobody recorded are refused. The Nokia N79 is
left out, because it lets nobody read its messages.
"""

import importlib.util
import os
import pty
import re
import subprocess
import sys
import threading
import tty

from simulator import equal, ok

# As recorded (test/test_modem.py); the second is a ZTE modem's own, with a wrong
# length of the service centre's address and no status before it.
ORDINARY = ("+CMGR: 0,,35", "+CMGL: 1,0,,35",
            "07917248014000F3240B917247587706F400003110824115248012C8329BFD06C9C373B8B82C97E741F034")
BROKEN = ("+CMGR: ,,27", "+CMGL: 1,,,27",
          "0297F1061C0F910B487228297020F5317062419272803170624192138000")

PLAIN = {
    "AT+CMEE?": "+CMEE: 1",
    "AT+CSQ": "+CSQ: 18,99",
    "AT+CREG?": "+CREG: 1,1",
    "AT+CSMS?": "+CSMS: 0,1,1,1",
}


class Recorded(threading.Thread):
    """One recorded modem on a pseudo-terminal."""

    def __init__(self, modem, message):
        super().__init__(daemon=True)
        self.modem = modem
        # It comes when ours is sent, into the storage that the host chose for it.
        self.coming = message
        self.message = None
        self.home = self.selected = "SM"
        self.commands = []
        self.sent = []
        self.echo = True
        self.line, host = pty.openpty()
        tty.setraw(host)
        self.port = os.ttyname(host)

    def run(self):
        pending = b""
        prompt = False
        while True:
            try:
                pending += os.read(self.line, 4096)
            except OSError:
                return
            while match := re.search(rb"[\r\x1a\x1b]", pending):
                word, end, pending = pending[:match.start()], match[0], pending[match.end():]
                if prompt:
                    prompt = False
                    if end == b"\x1a":
                        self.sent.append(word.strip().decode())
                        self.say("\r\n+CMGS: 183\r\n", "\r\nOK\r\n")
                        self.message, self.coming = self.coming, None
                        if self.message:
                            self.say(f'\r\n+CMTI: "{self.home}",1\r\n')
                elif end == b"\r":
                    prompt = self.command(word.strip(b"\n").decode())

    def say(self, *pieces):
        for piece in pieces:
            os.write(self.line, piece.encode())

    def command(self, line):
        """Replies; true where it waits for a message then."""
        if self.echo:
            self.say(line + "\r")
        if not line:
            return False
        self.commands.append(line)
        if re.fullmatch("ATE[01]", line):
            self.echo = line.endswith("1")
        if line.startswith('AT+CPMS="'):
            storages = re.findall(r"\w+", line.partition("=")[2])
            self.selected = storages[0]
            self.home = storages[2] if len(storages) == 3 else self.home
        here = self.message if self.selected == self.home else None
        heading, listed, pdu = here or ("", "", "")
        if re.match(r"AT\+CMGS=\d", line):
            self.say("\r\n> ")
            return True
        if line.startswith("AT+CMGL=") and here:
            self.say(f"\r\n{listed}\r\n{pdu}\r\n", "\r\nOK\r\n")
        elif line.startswith("AT+CMGR=") and here:
            self.say(f"\r\n{heading}\r\n{pdu}\r\n", "\r\nOK\r\n")
        elif line == "AT+CMGD=1" and here:
            self.message = None
            self.say("\r\nOK\r\n")
        else:
            self.say(*("\r\n" + piece for piece in self.reply(line)))
        return False

    def reply(self, line):
        """The recorded one, or a plain one where nobody asked when it was recorded."""
        recorded = self.modem.getResponse(line + "\r")
        if line + "\r" in self.modem.responses or recorded != self.modem.defaultResponse:
            return recorded
        used = "1,20" if self.message and self.selected == self.home else "0,20"
        if line.startswith("AT+CPMS=") and not line.endswith("?"):
            return [f"+CPMS: {used},{used},{used}\r\n", "OK\r\n"]
        if line in PLAIN:
            return [PLAIN[line] + "\r\n", "OK\r\n"]
        return ["ERROR\r\n"] if line.endswith("?") else recorded


def examine(name, recordings, converse):
    spec = importlib.util.spec_from_file_location(
        "fakemodems", os.path.join(recordings, "test", "fakemodems.py"))
    fakemodems = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fakemodems)
    recorded = Recorded(getattr(fakemodems, name)(), BROKEN if name == "ZteK3565Z" else ORDINARY)
    recorded.start()
    done = subprocess.run([converse, recorded.port, "+265991234567", "The clinic opens at 7."],
                          capture_output=True, text=True, timeout=90)
    try:
        equal(done.returncode, 0, "exit status")
        equal([line for line in recorded.commands if line.startswith("AT+CMGD=")],
              ["AT+CMGD=1"], "what was erased")
        # No service centre, SMS-SUBMIT without options, the number of twelve digits.
        equal([pdu[:22] for pdu in recorded.sent], ["0001000C91629519325476"], "what was sent")
    except AssertionError:
        print(done.stdout, done.stderr, *recorded.commands, sep="\n", file=sys.stderr)
        raise
    ok(f"{recorded.modem}: initialises, sends, announces a message that is read and erased")


examine(*sys.argv[1:])
