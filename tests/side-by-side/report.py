"""The table that the README shows."""

import math
import statistics

COLUMNS = ["smstools", "gammu-smsd", "jibud", "jibud, HELP"]


def counted(found, key):
    """A median, and what it is the median of."""
    values = sorted(run[key] for run in found)
    median = str(statistics.median_low(values))
    return median if len(set(values)) == 1 else f"{median} ({', '.join(map(str, values))})"


def measured(found, key, digits, most=None):
    """A median, where what took longer than `most` has no end."""
    median = statistics.median(run[key] for run in found)
    return f"> {most}" if math.isinf(median) else f"{median:.{digits}f}"


def table(results, versions, hang_s, patience_s):
    """Markdown; `results[phase][column]` is a list with one finding a seed."""
    columns = [column for column in COLUMNS
               if any(column in found for found in results.values())]
    lines = []

    def line(*cells):
        lines.append(f"| {' | '.join(cells)} |")

    def row(words, phase, show):
        if phase in results:
            line(words, *(show(results[phase][column]) if column in results[phase] else ""
                          for column in columns))

    def heading(words, *phases):
        if any(phase in results for phase in phases):
            line(f"**{words}**", *("" for _ in columns))

    def counts(phase, *more):
        rows = [("due one answer", "due"), ("answered exactly once", "once"),
                ("**lost**, or unanswered at the end", "lost"), ("**answered twice or more**", "twice")]
        for words, key in [*rows, *more]:
            row(words, phase, lambda found: counted(found, key))

    programs = [column.split(",")[0] for column in columns]
    line("", *(column.replace(program, f"{program} {versions[program]}")
               for program, column in zip(programs, columns)))
    lines.append("|---|" + "---:|" * len(columns))
    for phase, words in [("fair", "Fair weather, sending takes no time"),
                         ("pace", "Fair weather, sending takes 1 to 4 s")]:
        heading(words, phase)
        counts(phase)
        row("messages a second", phase, lambda found: measured(found, "a_second", 2))
        row("CPU, ms a message", phase, lambda found: measured(found, "cpu_ms", 1))
        row("CPU with nothing to do, s an hour", phase,
            lambda found: measured(found, "idle_s", 0))
    heading("Faults", "faults")
    counts("faults", ("— of those, delivered twice by the network", "twice_delivered"),
           ("answers that lack the message's number", "mixed_up"), ("answers to nobody", "strangers"),
           ("daemon ended by itself", "restarts"))
    heading("SIGKILL", "cuts")
    counts("cuts", ("most answers to one message", "most"),
           ("answers that lack the message's number", "mixed_up"),
           ("daemon ended by itself", "restarts"))
    heading("Hangs", "hangs", "power")
    row(f"hang of {hang_s} s: from its end to the answer, s", "hangs",
        lambda found: measured(found, "recovery_s", 1, patience_s))
    row("hang until the power key: from its beginning, s", "power",
        lambda found: measured(found, "power_s", 1, patience_s))
    return "\n".join(lines)
