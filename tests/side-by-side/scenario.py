"""Who writes what and when, what goes wrong, and what came of it. All from a seed."""

import random
from collections import Counter

# What people ask of the starter collection, in GSM-7 and in UCS-2.
SHORT = [
    "How long must I boil water?",
    "my baby was born at home what do i need to get the birth paper",
    "I lost my ID card yesterday, how do I get another one?",
    "What are the danger signs in a child?",
    "which days is the land desk open",
    "my father passed away, which papers for the death certificate",
]
LONG = (
    "I live far from the clinic and the road is bad after the rain, so I write to ask you about "
    "the water from the river, which is brown now: how long must we boil it to make it safe?"
)
SHORT_UCS2 = ["Ŵana akatsekula m'mimba, tichite chiyani?", "Madzi a mumtsinje ndi abwino kumŵa?"]
LONG_UCS2 = (
    "Ŵana athu aŵiri akutsekula m'mimba kuyambira dzulo, ndipo chipatala chili kutali kwambiri. "
    "Tiŵapatse chiyani kuti asafooke?"
)

# What a bad modem does by chance, per command: `heavy` of the simulator's README,
# without the hangs and restarts, which come at seeded moments instead, so that a
# host that says more to its modem has no more of them.
BAD_MODEM = {"urc": 0.2, "urc_every_ms": 1000, "error": 0.05, "false_error": 0.01,
             "drop_reply": 0.02, "partial": 0.01, "garble": 0.01, "echo": 0.02, "split": 0.5}
HANG_S = 8
SPELL_S = 6


class Message:
    """One message of one person; nobody writes twice."""

    def __init__(self, serial, chance, commands):
        self.serial = f"{serial:04}"
        self.sender = f"+2659930{self.serial}"
        kind = chance.choices(["short", "long", "ucs2", "long ucs2"], [60, 15, 15, 10])[0]
        if kind == "short":
            words = chance.choice(SHORT)
        elif kind == "ucs2":
            words = chance.choice(SHORT_UCS2)
        else:
            words = LONG if kind == "long" else LONG_UCS2
        self.parts = 2 if kind.startswith("long") else 1
        text = f"{words} #{self.serial}"
        # Spaces make a command as long as a question.
        self.text = "HELP".ljust(len(text)) if commands else text
        self.alphabet = "ucs2" if kind.endswith("ucs2") else "gsm7"
        self.order = chance.sample(range(1, self.parts + 1), self.parts)
        self.repeated = chance.random() < 0.05

    def deliver(self, simulator, repeats=False):
        """Hands it to the network; with `repeats` some come twice, as after a lost
        acknowledgement."""
        repeat = list(range(1, self.parts + 1)) if repeats and self.repeated else []
        simulator.deliver(self.sender, self.text, alphabet=self.alphabet, order=self.order,
                          repeat=repeat)


def messages(count, seed, commands=False):
    """`commands`: HELP instead of questions, of the same lengths and alphabets."""
    chance = random.Random(f"messages {seed}")
    return [Message(serial, chance, commands) for serial in range(count)]


def spells(seconds, seed):
    """Trouble at seeded moments of so many seconds: `(when, until, what)`."""
    chance = random.Random(f"spells {seed}")
    found = []
    now = 2.0
    while now < seconds - HANG_S:
        # Every kind comes equally often.
        if len(found) % 6 == 0:
            kinds = chance.sample(["hang", "restart", 38, 500, 512, "full"], 6)
        what = kinds[len(found) % 6]
        found.append((now, now + (HANG_S if what == "hang" else SPELL_S), what))
        now = found[-1][1] + chance.uniform(1, 5)
    return found


def begin(simulator, what):
    """A spell of trouble begins."""
    if what == "hang":
        simulator.ask("fault", kind="hang", ms=HANG_S * 1000)
    elif what == "restart":
        simulator.ask("reset")
    elif what == "full":
        # No more room than for what is there, and one.
        used = {memory["memory"]: memory["used"] for memory in simulator.ask("storage")["memories"]}
        simulator.ask("set", sm_capacity=used["SM"] + 1, me_capacity=used["ME"] + 1)
    else:
        simulator.ask("set", refuse_with=what)


def end(simulator, what):
    """A spell of trouble ends."""
    if what == "full":
        simulator.ask("set", sm_capacity=30, me_capacity=50)
    elif isinstance(what, int):
        simulator.ask("set", refuse_with=0)


def judge(simulator, asked, by_serial):
    """What the network saw of the answers to `asked`.

    `by_serial`: each answer carries the serial number of what it answers.
    """
    sent = simulator.ask("sent")["messages"]
    answers = Counter(message["to"] for message in sent)
    mixed_up = sum(1 for message in sent for question in asked
                   if by_serial and message["to"] == question.sender
                   and f"#{question.serial}" not in message["text"])
    twice = [question for question in asked if answers[question.sender] > 1]
    known = {question.sender for question in asked}
    return {
        "due": len(asked),
        "once": sum(answers[question.sender] == 1 for question in asked),
        "lost": sum(answers[question.sender] == 0 for question in asked),
        "twice": len(twice),
        "twice_delivered": sum(question.repeated for question in twice),
        "most": max(answers.values(), default=0),
        "mixed_up": mixed_up,
        "strangers": sum(count for number, count in answers.items() if number not in known),
    }
