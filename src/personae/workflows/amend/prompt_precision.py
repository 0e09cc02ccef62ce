"""How exact a ranking of prompts is where scores are in fewer bits than float32: measured once for a run folder, told.

    error of a prompt   size(L16_q) - size(L32_q): what rounding adds to what the prompt leaves, chance and all   nats
    resolution          the most by which two of these errors differ, over the prompts that leave least

Prompts whose size differs from that of the best one by less are not told apart from it. Of a server's scores nothing
can be measured, and of float32's there is nothing to.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from personae.records import Episode, Progress, shifted
from personae.records.files import read_json, write_json
from personae.records.results import Floats
from personae.report.numbers import two_figures
from personae.simulator.address import SERVERS_OWN
from personae.simulator.numerics import evenly_by_length, float32_reader
from personae.workflows.kept.folder import RunFolder

if TYPE_CHECKING:
    from personae.workflows.audit.file_question import Question
    from personae.workflows.watch import Watch

NUMERICS = "numerics.json"
RESCORED = 3  # prompts, those that leave least
Size = Callable[[Floats], float]  # log-likelihoods (R, K + 1) of rows behind a prompt -> what it leaves, nats


def prompt_precision(
    question: "Question",
    arms: Mapping[str, Sequence[Episode]],
    scores: Mapping[str, Floats],
    left: Mapping[str, float],
    size: Size,
    folder: RunFolder,
    watch: "Watch",
) -> dict[str, Any] | None:
    """The error of the ranking: `dtype`, `n` rows, `errors` {prompt: nats}, `resolution` (nats), `ties` of the best.

    `left` {candidate: nats, chance and all} has the best first; the rows behind each, in `arms`, were given `scores`.
    None in float32. Raises `RunFailed` for a model that came from no files.
    """
    if question.dtype in ("float32", SERVERS_OWN):
        return None
    kept = folder.file(NUMERICS)
    if not kept.exists():
        best, *others = left
        first = [best, *sorted(others, key=lambda name: left[name])[: RESCORED - 1]]
        with watch(f"the error of {question.dtype}, against float32", "answers") as progress:
            errors, n, caution = _errors(question, {name: arms[name] for name in first}, scores, size, progress)
        resolution = max(errors.values()) - min(errors.values())
        ties = [name for name in others if abs(left[name] - left[best]) < resolution]
        said = {"dtype": question.dtype, "n": n, "errors": errors, "resolution": resolution, "ties": ties}
        write_json(kept, {**said, "caution": caution})
    found: dict[str, Any] = read_json(kept)
    return found


def _errors(
    question: "Question",
    arms: Mapping[str, Sequence[Episode]],
    scores: Mapping[str, Floats],
    size: Size,
    progress: Progress,
) -> tuple[dict[str, float], int, str]:
    """The error of what each prompt leaves (nats), on how many rows, and what must be known of the float32 model."""
    exact = float32_reader(question.simulator, question.dtype)()
    errors: dict[str, float] = {}
    for number, (name, rows) in enumerate(arms.items()):
        places = evenly_by_length(rows)
        total = len(arms) * len(places) * len(question.cast.contexts)
        here = shifted(progress, number * total // len(arms), total)
        high = exact.log_likelihood([rows[p] for p in places], question.cast.contexts, here).logp
        errors[name] = size(scores[name][places]) - size(high)
    return errors, len(places), str(getattr(exact, "caution", ""))


def prompt_precision_note(found: Mapping[str, Any] | None) -> str:
    """In words: how far what prompts leave is from float32, and which the best is not told apart from."""
    if found is None:
        return ""
    errors = found["errors"]
    error, several = two_figures(max(map(abs, errors.values()))), len(errors) > 1
    said = (
        f"Scores are in {found['dtype']}. Against float32, on {found['n']} rows behind "
        f"{f'each of the first {len(errors)} prompts' if several else 'the best prompt'}, what a prompt leaves errs by "
        f"{'up to ' if several else ''}{error} nats."
    )
    if found["ties"]:
        said += f" At this precision the best is not told apart from {', '.join(found['ties'])}."
    elif several:
        said += " At this precision no other of those that it was chosen from is as good as the best."
    return f"{said} {found['caution']}".rstrip()
