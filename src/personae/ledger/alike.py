"""Whether a forecast and a profile are about the same thing: instrument, items, and whether a control is taken off.

Levels of other items, or by another instrument, are in the same unit (nats) and not on the same scale: their difference
is no shift of character. So forecast and profile both carry the instrument's name and a mark of every item, the start
of the sha256 of what is put to the model and offered as answers. What was written before that carries none, and the
score says so. A forecast that was made against a control is of the difference between two trainings, and takes two
profiles:

    level = base + treated - control, its interval's arms those of the two added as squares
"""

from collections.abc import Sequence
from dataclasses import replace
from math import hypot
from pathlib import Path

from personae.errors import BadInput
from personae.ledger.entries import Marks, Measured, Sealed
from personae.records import Estimate, Item, Trait
from personae.records.files import digest

LENGTH = 12  # hexadecimal digits of a mark
UNKNOWN = (
    "Whether forecast and profile are of the same items, by the same instrument, is unknown: one of them was written "
    "before that was kept."
)


def marks(traits: Sequence[Trait]) -> Marks:
    """{trait: the mark of each of its items}, in the items' order; the same items have the same marks in any file."""
    return {t.name: tuple(_mark(item) for item in t.items) for t in traits}


def asked_of(forecast: Sealed, traits: Sequence[Trait], instrument: str, *, file: Path) -> tuple[Trait, ...]:
    """Of `traits` what the forecast in `file` is about, with exactly its items. Raises `BadInput` where some lack.

    It does so too where the forecast is of no trait, as one is that was made of a model that could show none.
    """
    if forecast.items is None or forecast.instrument is None:
        raise BadInput("the forecast was sealed before its items were kept in it", file=file, remedy="leave --for out")
    if not forecast.items:
        remedy = "name another, or leave --for out"
        raise BadInput("the forecast is of no trait, since the model could show none", file=file, remedy=remedy)
    if forecast.instrument != instrument:
        raise BadInput(
            f"the forecast is of levels by {forecast.instrument}, not {instrument}",
            file=file,
            remedy=f"measure with --instrument {forecast.instrument}",
        )
    known = {t.name: t for t in traits}
    for name, wanted in forecast.items.items():
        lacking = len(set(wanted) - set(marks([known[name]])[name])) if name in known else len(wanted)
        if lacking:
            raise BadInput(
                f"{lacking} of the {len(wanted)} items that the forecast has of {name!r} are not among these traits",
                file=file,
                remedy="name the traits of the audit with --traits",
            )
    return tuple(_some(known[name], set(wanted)) for name, wanted in forecast.items.items())


def check_alike(forecast: Sealed, profile: Measured, *, command: str, file: Path) -> None:
    """Raise `BadInput` where the profile in `file` is known to be of other items, or by another instrument.

    `command` is the one that measures what the forecast needs.
    """
    if None not in (forecast.instrument, profile.instrument) and forecast.instrument != profile.instrument:
        raise BadInput(
            f"the profile is of levels by {profile.instrument}, and the forecast by {forecast.instrument}",
            file=file,
            remedy=f"measure with `{command}`",
        )
    for trait in [t for t in forecast.traits if t in profile.traits]:
        ours, theirs = ((one.items or {}).get(trait) for one in (forecast, profile))
        if ours is not None and theirs is not None and set(ours) != set(theirs):
            raise BadInput(
                f"the profile is of other items: {len(theirs)} of {trait!r}, where the forecast has {len(ours)}, "
                f"{len(set(ours) & set(theirs))} of them the same",
                file=file,
                remedy=f"measure with `{command}`",
            )


def check_control(forecast: Sealed, profile: Measured, *, command: str, file: Path) -> None:
    """Raise `BadInput` where only one of the two, the forecast and the profile in `file`, has a control taken off."""
    if forecast.against is not None and not profile.difference:
        raise BadInput(
            f"the forecast is of the difference from a training on {forecast.against}, and this is one profile",
            file=file,
            remedy=f"measure a model trained on {forecast.against} too (`{command}`), and name its profile with --less",
        )
    if forecast.against is None and profile.difference:
        raise BadInput(
            "the profile has a control's training taken off, and the forecast was made against no control",
            file=file,
            remedy="leave --less out, or audit with --against",
        )


def less(forecast: Sealed, treated: Measured, control: Measured) -> Measured:
    """The measured difference on the forecast's scale: of each trait that all three have, base + treated - control."""
    levels = {
        t: _less(forecast.traits[t].base, treated.traits[t], control.traits[t])
        for t in forecast.traits
        if t in treated.traits and t in control.traits
    }
    return replace(
        treated,
        digest=digest([treated.digest, control.digest]),
        subject=f"{treated.subject} less {control.subject}",
        traits=levels,
        trained=tuple(dict.fromkeys((*treated.trained, *control.trained))),
        set_aside=tuple(dict.fromkeys((*treated.set_aside, *control.set_aside))),
        difference=True,
    )


def known_alike(forecast: Sealed, profile: Measured) -> bool:
    """Whether both say by which instrument and on which items they are."""
    return None not in (forecast.instrument, forecast.items, profile.instrument, profile.items)


def _less(base: float, treated: Estimate, control: Estimate) -> Estimate:
    """The two are taken as independent; measured on the same items they hardly are, so the interval is too wide."""
    mean = base + treated.mean - control.mean
    below = hypot(treated.mean - treated.low, control.high - control.mean)
    above = hypot(treated.high - treated.mean, control.mean - control.low)
    return Estimate(mean, mean - below, mean + above)


def _some(trait: Trait, wanted: set[str]) -> Trait:
    return trait.at(place for place, item in enumerate(trait.items) if _mark(item) in wanted)


def _mark(item: Item) -> str:
    return digest([item.form, item.prompt, item.high, item.low])[:LENGTH]
