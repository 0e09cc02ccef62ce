"""The arms of a study that stand among those which the laboratory's dose was fitted on, and how much that can matter.

The dose is fitted on the unasked files of the transfer study about traits that the headline does not train. A training
of another study that is one of these, episode by episode and step by step, was foreseen at a dose that knows it.
"""

from collections.abc import Sequence

from personae.library import transfer_figures
from personae.records.files import digest
from personae.studies.arms import both_poles
from personae.studies.headline import LISTED, TRAINED
from personae.studies.request import SEEDS
from personae.studies.study import Setting
from personae.workflows.lab.trainings import Training

WHOSE = {LISTED["model"]: "the model's", LISTED["exact"]: "the exact"}


def dose_notes(setting: Setting, arms: Sequence[Training]) -> tuple[str, ...]:
    """How many of the arms the dose was fitted on too, and how far it moves without a trait's own; nothing if none."""
    home, shipped = setting.request.model, LISTED["model"]
    ours = [arm for arm in arms if home == shipped and arm.model in (None, home)]
    known = fitted_on(setting) if ours else frozenset()
    also = sum(digest(arm.lessons) in known for arm in ours)
    if not also:
        return ()
    said = f"{also} of the {len(arms)} arms are also among those of the transfer study that the dose was fitted on."
    return (said, *left_out_note())


def fitted_on(setting: Setting) -> frozenset[str]:
    """Digests of the lessons of every training that the dose was fitted on."""
    arms = [arm for arm in both_poles(setting.lab) if arm.trait not in TRAINED]
    return frozenset(digest((arm.lesson(setting.lab, seed),)) for arm in arms for seed in range(SEEDS["default"]))


def left_out_note() -> tuple[str, ...]:
    """How far the shipped doses move where a trait's own files are left out; nothing where the figures lack it."""
    found = transfer_figures().get("left out")
    if not found:
        return ()
    moves = {side: max(abs(one[end] / one["dose"] - 1.0) for end in ("low", "high")) for side, one in found.items()}
    each = ", ".join(f"{WHOSE[side]} by at most {move:.1%}" for side, move in moves.items())
    return (f"Leaving out the files of any one trait moves the dose: {each}.",)
