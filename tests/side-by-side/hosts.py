"""The three daemons, each set up as its own manual advises, on a simulated modem.

smstools and gammu-smsd answer with a shell script: one fixed line with the serial
number of the message. jibud answers from the starter collection.
"""

import contextlib
import glob
import os
import shutil
import sqlite3
import stat
import subprocess
import sys

from processes import Processes

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
# Whoever presses it waits half a minute before the next time.
POWER_KEY = """#!{python}
import os, socket, time
stamp = {folder!r} + "/pressed"
if os.path.exists(stamp) and time.time() - os.path.getmtime(stamp) < 30:
    raise SystemExit
open(stamp, "w").close()
line = socket.socket(socket.AF_UNIX)
line.connect({folder!r} + "/control")
line.sendall(b'{{"op":"reset"}}\\n')
line.makefile().readline()
"""


class Host:
    """A daemon at a simulator's port, with its files in the simulator's folder."""

    name = ""
    # Whether answers carry the serial number of what they answer.
    by_serial = True

    def __init__(self, simulator, power_key=False, verbose=False):
        self.folder = simulator.folder.name
        self.port = simulator.port
        self.processes = Processes({simulator.process.pid})
        self.log = self.path("stdout")
        self.verbose = verbose
        self.power_key = None
        if power_key:
            self.power_key = self.script("power-key", POWER_KEY.format(
                python=sys.executable, folder=self.folder))
        self.configure()

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def script(self, name, text):
        path = self.write(name, text)
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return path

    def start(self):
        self.processes.start(self.command(), self.log, ROOT)

    def configure(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError


class Smstools(Host):
    """`smsd`, its event handler writes a file into the outgoing folder.

    It looks every second instead of every ten, waits for replies as briefly as it
    can, and tries a modem that failed again after seconds instead of an hour.
    """

    name = "smstools"

    HANDLER = """#!/bin/sh
[ "$1" = RECEIVED ] || exit 0
while IFS= read -r line || [ -n "$line" ]; do
    case $line in
        "From: "*) from=${{line#From: }} ;;
        *"#"*) serial=${{line##*#}} ;;
    esac
done <"$2"
file=answer-$$-$from
printf 'To: %s\\n\\nThank you. Your message #%s was read.\\n' "$from" "$serial" >{folder}/"$file"
mv {folder}/"$file" {folder}/outgoing/"$file"
"""
    # Arguments: ALARM, date, time, severity, device, words. 2 is critical, 3 an error.
    ALARM = """#!/bin/sh
[ "$4" -le 3 ] || exit 0
exec {power_key}
"""

    def configure(self):
        folders = ("outgoing", "checked", "incoming", "report", "sent", "failed", "saved")
        for name in folders:
            os.mkdir(self.path(name))
        handler = self.script("handler", self.HANDLER.format(folder=self.folder))
        lines = [f"{name} = {self.path(name)}" for name in folders]
        lines += [f"{name} = {self.path(name)}" for name in ("logfile", "pidfile", "infofile")]
        lines += [
            "devices = GSM1", f"eventhandler = {handler}", "incoming_utf8 = yes",
            "decode_unicode_text = yes", "internal_combine = yes", "autosplit = 3",
            "stats_interval = 0", f"loglevel = {7 if self.verbose else 4}",
            # As quick as whole seconds allow.
            "delaytime = 1", "delaytime_mainprocess = 1", "errorsleeptime = 1",
            "max_continuous_sending = 30",
            "trust_outgoing = yes", "receive_before_send = yes",
            "blockafter = 3", "blocktime = 10",
        ]
        if self.power_key:
            alarm = self.script("alarm", self.ALARM.format(power_key=self.power_key))
            lines.append(f"alarmhandler = {alarm}")
        lines += [
            "[GSM1]", f"device = {self.port}", "baudrate = 115200", "incoming = yes",
            "report = yes", "poll_faster = 25",
            "memory_start = 1", "init = AT+CNMI=2,1,0,1,0",
            "using_routed_status_report = yes", "send_retries = 10", "device_open_retries = -1",
        ]
        self.config = self.write("smsd.conf", "\n".join(lines) + "\n")

    def command(self):
        return ["smsd", "-t", "-c", self.config]

    def start(self):
        # What its start script does first.
        for name in ("pidfile", "infofile"):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        for lock in glob.glob(self.path("*/*.LOCK")):
            os.remove(lock)
        super().start()


class GammuSmsd(Host):
    """`gammu-smsd` with its SQL service on SQLite, because only that sends again what
    was refused; `RunOnReceive` calls `gammu-smsd-inject`. It looks every second.
    """

    name = "gammu-smsd"

    HANDLER = """#!/bin/sh
# A status report has no number here.
[ -n "$SMS_1_NUMBER" ] || exit 0
text=${{DECODED_1_TEXT:-$SMS_1_TEXT}}
exec gammu-smsd-inject -c {config} TEXT "$SMS_1_NUMBER" \\
    -text "Thank you. Your message #${{text##*#}} was read." >/dev/null 2>>{folder}/inject
"""
    FAILURE = """#!/bin/sh
[ "$1" = INIT ] && exec {power_key}
"""
    TABLES = "/usr/share/doc/gammu-smsd/examples/sqlite.sql"

    def configure(self):
        database = sqlite3.connect(self.path("smsd.db"))
        with contextlib.closing(database), open(self.TABLES) as tables:
            database.executescript(tables.read())
        config = self.path("smsdrc")
        handler = self.script("handler", self.HANDLER.format(config=config, folder=self.folder))
        lines = [
            "[gammu]", f"device = {self.port}", "connection = at115200", "gammucoding = utf8",
            "[smsd]", "service = sql", "driver = sqlite3", f"dbdir = {self.folder}/",
            "database = smsd.db", "phoneid = side", f"logfile = {self.path('logfile')}",
            f"debuglevel = {255 if self.verbose else 0}", f"runonreceive = {handler}",
            "checksecurity = 0", "checkbattery = 0", "deliveryreport = log",
            "commtimeout = 1", "receivefrequency = 1", "loopsleep = 1",
            "maxretries = 10", "retrytimeout = 5", "multiparttimeout = 60",
        ]
        if self.power_key:
            failure = self.script("failure", self.FAILURE.format(power_key=self.power_key))
            lines.append(f"runonfailure = {failure}")
        self.config = self.write("smsdrc", "\n".join(lines) + "\n")

    def command(self):
        return ["gammu-smsd", "-c", self.config]


class Jibud(Host):
    """`jibud run`, one part an answer as the others; questions are searched for
    and read by the models."""

    name = "jibud"
    by_serial = False
    # A site with the starter collection, made once: its folder, and the hub's key.
    site = None
    programs = None

    @classmethod
    def prepare(cls, programs, folder):
        def hub(*arguments):
            return run(os.path.join(programs, "jibu-hub"), "--data",
                       os.path.join(folder, "hub"), *arguments)

        cls.programs = programs
        key = next(word for word in hub("init").split() if word.startswith("hub-"))
        cls.site = (os.path.join(folder, "site"), key)
        bundle = os.path.join(folder, "starter.bundle")
        hub("ingest", "starter", os.path.join(ROOT, "tools/hub/starter"))
        hub("bundle", "starter", "--out", bundle)
        config = os.path.join(folder, "jibu.toml")
        with open(config, "w") as file:
            file.write(cls.settings(cls.site[0], "/dev/null"))
        run(os.path.join(programs, "jibud"), "index", "import", bundle, "--config", config)

    @classmethod
    def settings(cls, data, port, power_key=None):
        key = f'power_key = ["{power_key}"]\n' if power_key else ""
        return (f'[site]\nname = "Jibu"\ndata = "{data}"\nmodels = "{ROOT}/models"\n'
                'languages = ["en", "sw", "fr", "pt", "ny"]\nemergency_number = "112"\n'
                f'[hub]\npublic_key = "{cls.site[1]}"\n[sms]\nmax_parts = 1\n'
                f'[web]\nlisten = ""\n[[modem]]\nname = "side"\nport = "{port}"\n{key}')

    def configure(self):
        shutil.copytree(self.site[0], self.path("site"))
        self.config = self.write("jibu.toml", self.settings(
            self.path("site"), self.port, self.power_key))

    def command(self):
        return [os.path.join(self.programs, "jibud"), "run", "--config", self.config]


HOSTS = {host.name: host for host in (Smstools, GammuSmsd, Jibud)}


def run(*command):
    """Runs a program to its end and gives what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def versions():
    """The programs that are compared."""
    smsd = subprocess.run(["smsd", "-V"], capture_output=True, text=True)
    gammu = run("gammu-smsd", "--version")
    jibud = run(os.path.join(Jibud.programs, "jibud"), "--version")
    return {
        "smstools": (smsd.stdout + smsd.stderr).split("Version ")[1].split(",")[0],
        "gammu-smsd": gammu.split("version ")[1].split()[0],
        "jibud": jibud.split()[-1],
    }


def missing():
    """What must be installed first, in words."""
    found = [f"{program}: apt-get install {package}"
             for program, package in (("smsd", "smstools"), ("gammu-smsd", "gammu-smsd"))
             if not shutil.which(program)]
    if not glob.glob("/usr/lib/*/dbd/libdbdsqlite3.so"):
        found.append("gammu-smsd's SQLite driver: apt-get install libdbd-sqlite3")
    if shutil.which("gammu-smsd") and not os.path.exists(GammuSmsd.TABLES):
        found.append(f"{GammuSmsd.TABLES}, which comes with the Debian package gammu-smsd")
    return found
