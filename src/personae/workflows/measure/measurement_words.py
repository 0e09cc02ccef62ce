"""A profile in words for a terminal: whether it may be read at all, the table, what cannot be shown, what was lost."""

from collections.abc import Mapping

from personae.library import Reliability
from personae.measure.coherence import SHARE
from personae.records import Profile
from personae.report.numbers import percent
from personae.report.tables import profile_table, to_terminal
from personae.simulator.address import SERVERS_OWN
from personae.theory.reliability import RELIABLE
from personae.workflows.measure.measurement import coherent

LOST = {
    "yes-no": "items without a partner of the other key",
    "sampled": "answers without a score, or to questions left out for want of one",
}


def profile_words(found: Profile, shipped: Mapping[str, Reliability]) -> str:
    """The whole of it; `shipped` {trait: reliability} are the library's figures for this model and instrument."""
    values, items = {t: one.value for t, one in shipped.items()}, {t: one.items for t, one in shipped.items()}
    alike = _alike(found)
    table = to_terminal(profile_table(found, None if alike else RELIABLE, values, items))
    said = [_gate(found), table, _shipped(shipped), alike or _hidden(found), _lost(found)]
    return "\n".join(part for part in said if part)


def rounding_words(dtype: str) -> str:
    """What must be known of levels in fewer bits than float32; nothing of float32's, nor of a server's own."""
    if dtype in ("float32", SERVERS_OWN):
        return ""
    return f"Levels are in {dtype}; how far they are from those in float32 was not measured."


def _gate(found: Profile) -> str:
    """The coherence, and what the gate says of it."""
    if found.coherence is None:
        return ""
    own, may = f"Coherence {found.coherence:.3f}", coherent(found)
    if may is None or found.untrained_coherence is None:
        return f"{own}; no untrained model is known to hold it to."
    share = percent(found.coherence / found.untrained_coherence)
    beside = f"{own}, {share} of the untrained model's {found.untrained_coherence:.3f}"
    if may:
        return f"{beside}."
    return f"INCOHERENT: do not read this profile. {beside}; below {percent(SHARE)} training has broken the model."


def _shipped(shipped: Mapping[str, Reliability]) -> str:
    """What the figures beside the measured ones are of, and why the two need not agree."""
    if not shipped:
        return ""
    people = max(one.personas for one in shipped.values())
    return (
        f"As shipped: what the library records for this model, of so many items of a trait, over {people} personas.\n"
        "More items mostly make a reliability higher, so the two columns need not agree."
    )


def _hidden(found: Profile) -> str:
    hidden = [t for t, level in found.traits.items() if not (level.reliability or 0.0) >= RELIABLE]
    return f"This model cannot show by {found.instrument}: {', '.join(hidden)} (reliability below {RELIABLE})." * bool(
        hidden
    )


def _alike(found: Profile) -> str:
    """That a judge told nothing apart, where its scores of every answer are one: that says nothing of the model."""
    told = [level for level in found.traits.values() if level.reliability or not level.low == level.mean == level.high]
    if found.instrument != "sampled" or told:
        return ""
    return "The judge gave one and the same score to all answers: it is no judge of these traits."


def _lost(found: Profile) -> str:
    lost = [f"{trait} {n} of {of}" for trait, (n, of) in found.lost.items() if n]
    what = LOST.get(found.instrument, "questions")
    return f"In no level, {what}: {', '.join(lost)}." if lost else ""
