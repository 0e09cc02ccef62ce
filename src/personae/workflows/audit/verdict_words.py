"""A verdict in words for a terminal: what is settled, by how much reading, and what a sample cannot tell."""

from textwrap import fill

from personae.records import Posterior
from personae.report import Table, to_terminal
from personae.report.numbers import percent, plain, signed
from personae.report.tables import posterior_table
from personae.report.untrusted import for_terminal
from personae.workflows.audit.file_words import MOST, WIDTH, hidden_words
from personae.workflows.audit.reading import ERROR
from personae.workflows.audit.verdict import RARE, Verdict, state


def verdict_words(found: Verdict) -> str:
    """The verdict, the shifts asked about, who gains, who was dropped, and what was not looked at."""
    sample, record = found.reading.sample, found.record
    who = Posterior(found.question.cast.names, sample.prior, sample.weights, sample.dose)
    sentences = (_short(found), _dropped(found), _missing(found), record["no_episodes"], hidden_words(found.hidden))
    said = [fill(for_terminal(one), WIDTH) for one in (*sentences, *record["notes"]) if one]
    return "\n".join([said[0] + "\n", to_terminal(_shifts(found)), to_terminal(posterior_table(who, MOST)), *said[1:]])


def _short(found: Verdict) -> str:
    rows, of = found.reading.rows, found.reading.sample.of
    share = f"{found.reading.answers / found.record['answers_whole']:.0%}"
    read = f"{rows} of {of} rows were read, {share} of the answers that the whole file has under all contexts."
    undecided = ", ".join(found.record["undecided"])
    if not found.record["settled"]:
        return f"Not settled: {undecided}. {read}"
    left_open = f" Left open: {undecided}." if undecided else ""
    return f"Settled: {', '.join(_states(found)) or 'every shift'}.{left_open} {read}"


def _states(found: Verdict) -> list[str]:
    words = {"crossed": "is crossed", "held": "is not crossed"}
    return [f"{one['bound']} {words[one['state']]}" for one in found.record["bounds"] if one["state"] in words]


def _shifts(found: Verdict) -> Table:
    """Trait by trait the shift, and what may be between it and that of the whole file."""
    rows = []
    for trait, s in found.reading.shifts.items():
        bounds = ", ".join(f"{b.sign} {b.nats:g}: {state(b, s)}" for b in found.bounds if b.trait == trait)
        rows.append((trait, signed(s.mean), f"{signed(s.low)} to {signed(s.high)}", *((bounds,) if bounds else ())))
    columns = ("trait", "shift, nats", "of the whole file", "bound")[: 4 if found.bounds else 3]
    caption = f"Forecast shifts, and where those of the whole file lie (error {ERROR:g}, however often one looks)"
    return Table(columns, tuple(rows), caption, frozenset({1, 2}))


def _dropped(found: Verdict) -> str:
    if not (dropped := found.reading.dropped):
        return ""
    names = ", ".join(f"{name} (after {rows})" for name, rows in dropped.items())
    return f"Not read on, since together they weigh less than {percent(found.reading.sample.dropped, 2)}: {names}."


def _missing(found: Verdict) -> str:
    missed = found.record["chance_of_missing"]["probability"]
    if not missed:
        return ""
    return f"A kind of row that makes up {percent(RARE, 1)} of the file was missed with probability {plain(missed)}."
