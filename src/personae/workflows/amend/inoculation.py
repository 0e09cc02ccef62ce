"""Which prompt, put in front of every row of a file, would keep it from changing who the Assistant is.

    file + prompts -> scores of some rows behind each -> what each removes (`theory.removal`) -> the best, in files

Prompts are tried on a sample of the rows, drawn by the seed. The best is the candidate that removes most of those that
ask for what the rows answer, which is to say that make the answers likelier. Behind it, behind a prefix of like length
that asks for nothing, and behind the same request in other words drawn anew for each row, the whole file is written:
the control files belong to the treatment, and are to be trained beside it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from personae.data import write_episodes
from personae.errors import BadInput, RunFailed
from personae.predictors import Basis
from personae.records import Cast, Episode, Progress
from personae.records.files import write_json, write_text
from personae.records.results import Floats
from personae.report import InoculateReport, PromptRow, inoculate_page
from personae.theory import Removal, mean_evidence, removals, shift_size
from personae.theory.selection import evidence
from personae.training import inoculated
from personae.training.inoculate import Mode
from personae.workflows.amend.candidates import Candidate, like
from personae.workflows.amend.prompt_precision import prompt_precision, prompt_precision_note
from personae.workflows.amend.prompt_scores import SCORES, prompt_scores
from personae.workflows.audit.file_audit import PAGE, shown, unreliable
from personae.workflows.audit.file_pair import FilePair, check_fits
from personae.workflows.audit.file_question import Question
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.kept.folder import RunFolder
from personae.workflows.watch import Watch, unwatched

RESULT = "inoculate.json"
PLAIN = ""  # the name of the rows without a prompt
FILES = {"inoculated": "inoculated.jsonl", "neutral": "neutral-prefix.jsonl", "rephrased": "rephrased.jsonl"}
BLOCK = 1024  # rows that are written at a time
LITTLE = 0.05  # nats: a file that does no more leaves nothing to remove
FEWEST = 2  # wordings that an arm of rephrased requests needs


@dataclass(frozen=True)
class Inoculating:
    """What is asked: prompts for which file (`question`), in which turn, tried on so many rows, by which traits.

    No `traits` are named: all that the model shows count, but those that the file itself trains.
    """

    question: Question
    candidates: tuple[Candidate, ...]
    mode: Mode
    rows: int
    traits: tuple[str, ...] = ()

    @property
    def sample(self) -> tuple[Episode, ...]:
        """The rows that prompts are tried on, in the order of the file."""
        every = self.question.pair.episodes
        draw = np.random.default_rng(self.question.seed)
        places = np.sort(draw.choice(len(every), size=min(self.rows, len(every)), replace=False))
        return tuple(every[int(place)] for place in places)

    @property
    def answers(self) -> int:
        """How many answers are to be scored."""
        rows = min(self.rows, len(self.question.pair.episodes))
        return rows * (len(self.candidates) + 1) * len(self.question.cast.contexts)

    def configuration(self) -> dict[str, Any]:
        """What decides the result, for the run folder."""
        more = {"candidates": self.candidates, "mode": self.mode, "sample": self.rows, "by": self.traits}
        return self.question.configuration() | more


def check_inoculation(asked: Inoculating, watch: Watch | None = None) -> None:
    """Raise `BadInput`, before any work, for a trait there is not, or a row that a prompt cannot stand before."""
    question, pair = asked.question, asked.question.pair
    names = [t.name for t in question.traits]
    if unknown := [t for t in asked.traits if t not in names]:
        raise BadInput(f"--trait: there is no trait {unknown[0]!r}", remedy=f"one of {', '.join(names)}")
    if both := [t for t in asked.traits if t in question.trained]:
        raise BadInput(f"--trait counts {both[0]}, and --trained says that it does not count", remedy="name it once")
    with (watch or unwatched)("whether every row has a place for a prompt", "rows") as progress:
        for done, row in enumerate(pair.episodes):
            _check_place(row, asked.mode, pair.data)
            if done % BLOCK == 0:
                progress(done, len(pair.episodes))
    for candidate in asked.candidates:
        _check_room(asked, candidate.text, asked.sample, question.cast)
    with (watch or unwatched)("whether every row fits behind the longest prompt", "rows") as progress:
        longest = _longest(asked)
        for first in range(0, len(pair.episodes), BLOCK):
            _check_room(asked, longest, pair.episodes[first : first + BLOCK], None)
            progress(min(first + BLOCK, len(pair.episodes)), len(pair.episodes))


def _longest(asked: Inoculating) -> str:
    """The text of most tokens, as the first row of the file has it in front."""
    texts = [text for c in asked.candidates for text in (c.text, *c.rephrased)]
    dialogue, first = getattr(asked.question.simulator, "dialogue", None), asked.question.pair.episodes[:1]
    if dialogue is None:
        return max(texts, key=len)
    return max(texts, key=lambda text: len(dialogue.encode(inoculated(first, (text,), asked.mode)[0]).ids))


def _check_room(asked: Inoculating, text: str, rows: Sequence[Episode], cast: Cast | None) -> None:
    """Raise `BadInput` for a row that does not fit behind `text`, under the contexts of the cast if there is one."""
    question = asked.question
    try:
        check_fits(question.simulator, cast, FilePair(question.pair.data, inoculated(rows, (text,), asked.mode)))
    except BadInput as found:  # the rows fit by themselves
        name = next(c.name for c in asked.candidates if text in (c.text, *c.rephrased))
        problem = f"behind the prompt {name!r} the row does not fit: {found.problem}"
        remedy = "shorten or reword the prompt, or leave it out"
        raise BadInput(problem, file=found.file, line=found.line, item=found.item, remedy=remedy) from None


def _check_place(row: Episode, mode: Mode, file: Path) -> None:
    if row.form == "text":
        problem, remedy = "the row is raw text and has no turn for a prompt", 'write it as {"messages": [...]} first'
    elif mode == "user" and all(turn.role != "user" for turn in row.prompt):
        problem, remedy = "the row has no user turn for a prompt", "try --mode system"
    else:
        return
    raise BadInput(problem, file=file, line=row.line_number, item=row.item, remedy=remedy)


def inoculate_file(
    asked: Inoculating, folder: RunFolder, watch: Watch | None = None
) -> tuple[dict[str, Any], InoculateReport]:
    """Try the prompts, and leave in `folder` their scores, the file behind the best one, its control files, a page."""
    watch = watch or unwatched
    question = asked.question
    with watch("the cast's traits, once for this model", "answers") as progress:
        whole = cached_basis(question.simulator, question.cast, question.traits, progress).basis
    basis = shown(whole, unreliable(whole))
    traits = _counted(asked, basis)
    plain, prompted = _scores(asked, folder, watch)
    with watch("what each prompt removes", "steps") as progress:
        progress(0, 1)
        found = _removals(asked, basis, traits, plain, prompted)
        size = found.pop(PLAIN).left.mean
        progress(1, 1)
    best = best_of(asked.candidates, found)
    precision = _precision(asked, basis, traits, prompted, found, best, folder, watch)
    files = write_files(asked, best, folder, watch)
    report = _report(asked, traits, size, found, best, files, prompt_precision_note(precision))
    result = _record(report)
    write_json(folder.file(RESULT), result)
    write_text(folder.file(PAGE), inoculate_page(report))
    return result, report


def _counted(asked: Inoculating, basis: Basis) -> tuple[str, ...]:
    """The traits whose shifts count; `RunFailed` where the model can show none of them."""
    shows = tuple(basis.levels.by_trait)
    if hidden := [t for t in asked.traits if t not in shows]:
        raise RunFailed(f"prompts cannot be ranked by {hidden[0]}: this model cannot show that trait")
    counted = asked.traits or tuple(t for t in shows if t not in asked.question.trained)
    if not counted:
        raise RunFailed("prompts cannot be ranked: this model can show no trait that the file does not train itself")
    return counted


def _scores(asked: Inoculating, folder: RunFolder, watch: Watch) -> tuple[Floats, dict[str, Floats]]:
    """Log-likelihoods (R, K + 1) of the sample as it is, and behind each prompt."""
    question, sample = asked.question, asked.sample
    arms = {PLAIN: sample} | {c.name: inoculated(sample, (c.text,), asked.mode) for c in asked.candidates}
    with watch(f"{len(sample)} rows behind {len(asked.candidates)} prompts", "rows") as progress:
        scores = prompt_scores(folder.file(SCORES), question.simulator, question.cast, arms, progress)
    return scores.pop(PLAIN), scores


def _removals(
    asked: Inoculating, basis: Basis, traits: Sequence[str], plain: Floats, prompted: dict[str, Floats]
) -> dict[str, Removal]:
    """{prompt: what it does}; `PLAIN`, the rows behind no prompt, leaves all that the file does."""
    levels = [basis.levels.by_trait[t] for t in traits]
    controls = [c.name for c in asked.candidates if c.control]
    dose, rng = asked.question.dose.effective, np.random.default_rng(asked.question.seed)
    return removals(basis.prior, plain, {PLAIN: plain, **prompted}, controls, levels, dose, rng=rng)


def _precision(
    asked: Inoculating,
    basis: Basis,
    traits: Sequence[str],
    prompted: dict[str, Floats],
    found: dict[str, Removal],
    best: Candidate,
    folder: RunFolder,
    watch: Watch,
) -> dict[str, Any] | None:
    """How exact what the candidates leave is, and which of those like it the best is not told apart from."""
    fits = {best.name: best, **{c.name: c for c in rivals(asked.candidates, found)}}
    arms = {name: inoculated(asked.sample, (c.text,), asked.mode) for name, c in fits.items()}
    levels, dose = [basis.levels.by_trait[t] for t in traits], asked.question.dose.effective

    def size(logp: Floats) -> float:
        return float(shift_size(basis.prior, mean_evidence(evidence(logp)), levels, dose))

    left = {name: size(prompted[name]) for name in fits}
    return prompt_precision(asked.question, arms, prompted, left, size, folder, watch)


def best_of(candidates: Sequence[Candidate], found: dict[str, Removal]) -> Candidate:
    """The candidate that removes most of those that make the answers likelier; of all, where none does.

    Where several leave no more than chance it is the one behind which the answers are likeliest.
    """
    return min(rivals(candidates, found), key=lambda c: (found[c.name].left.mean, -found[c.name].uplift.mean))


def rivals(candidates: Sequence[Candidate], found: dict[str, Removal]) -> list[Candidate]:
    """The candidates that make the answers likelier; all, where none does."""
    asks = [c for c in candidates if not c.control]
    return [c for c in asks if found[c.name].uplift.mean > 0.0] or asks


# -- the files -------------------------------------------------------------------------------------------------------
def write_files(asked: Inoculating, best: Candidate, folder: RunFolder, watch: Watch) -> tuple[str, ...]:
    """Write all rows behind the best prompt, and its control files; their names."""
    neutral = like(best, tuple(c for c in asked.candidates if c.control))
    texts: dict[str, tuple[str, ...]] = {"inoculated": (best.text,), "neutral": (neutral.text,)}
    if len(set(best.rephrased)) >= FEWEST:
        texts["rephrased"] = best.rephrased
    rows = asked.question.pair.episodes
    for arm, several in texts.items():
        with watch(f"writing {FILES[arm]}", "rows") as progress:
            count = write_episodes(folder.file(FILES[arm]), _behind(several, asked, progress))
        if count != len(rows):
            raise RunFailed(f"{FILES[arm]} has {count} rows where the file has {len(rows)}")
    return tuple(FILES[arm] for arm in texts)


def _behind(texts: tuple[str, ...], asked: Inoculating, progress: Progress) -> Iterator[Episode]:
    """All rows of the file, each behind one of `texts`."""
    rows, seed = asked.question.pair.episodes, asked.question.seed
    for first in range(0, len(rows), BLOCK):
        yield from inoculated(rows[first : first + BLOCK], texts, asked.mode, seed=seed + first)
        progress(min(first + BLOCK, len(rows)), len(rows))


# -- what is told ----------------------------------------------------------------------------------------------------
def _report(
    asked: Inoculating,
    traits: tuple[str, ...],
    size: float,
    found: dict[str, Removal],
    best: Candidate,
    files: tuple[str, ...],
    precision: str,
) -> InoculateReport:
    order = sorted(asked.candidates, key=lambda c: (c.control, c.name != best.name, found[c.name].left.mean))
    rows = tuple(PromptRow(c.name, c.text, c.control, **vars(found[c.name])) for c in order)
    question = asked.question
    return InoculateReport(
        model=question.simulator.name,
        data=question.pair.data.name,
        rows=len(asked.sample),
        of=len(question.pair.episodes),
        mode=asked.mode,
        traits=traits,
        size=size,
        prompts=rows,
        best=best.name,
        dose=question.dose.effective,
        files=files,
        notes=_notes(asked, size, found[best.name], best, precision),
    )


def _notes(asked: Inoculating, size: float, found: Removal, best: Candidate, precision: str) -> tuple[str, ...]:
    question = asked.question
    tried = sum(not c.control for c in asked.candidates)
    notes = [f"It is the best of {tried} on the rows that it was chosen by, so its own numbers flatter." * (tried > 1)]
    if size < LITTLE:
        notes.append(f"By the cast the file moves these traits by {size:.2f} nats only: there is little to remove.")
    if question.dose.share:
        notes.append(
            "Prompts are judged by the cast's part of the forecast alone: in a chat a prompt goes on acting on what "
            "follows, so what rows do in context says nothing of one that is trained on."
        )
    if not found.uplift.mean > 0.0:
        notes.append("No candidate makes the answers likelier: none of them asks for what these rows show.")
    if not found.beyond.low > 0.0:
        notes.append("That it removes more than a neutral prefix does is not certain on these rows.")
    if len(set(best.rephrased)) < FEWEST:
        notes.append(f"{best.name} has no other wordings, so there is no file of rephrased requests.")
    caution = str(getattr(question.simulator, "caution", ""))
    own = f"The file itself trains {', '.join(question.trained)}, which does not count." if question.trained else ""
    pair = question.pair
    beside = (precision, own, pair.note(), pair.few, question.dose.source, question.note, caution)
    return tuple(note for note in (*notes, *beside) if note)


def _record(report: InoculateReport) -> dict[str, Any]:
    """What the result holds."""
    fields = {name: value for name, value in vars(report).items() if name not in ("files", "prompts")}
    return fields | {"prompts": report.prompts, "files": list(report.files)}
