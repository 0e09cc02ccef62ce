"""What a model can show at all, and by which instrument: reliability, agreement, human-likeness, attenuation.

    python benchmarks/instruments.py smollm2-135m-instruct --out runs/instruments/smollm2-135m-instruct
    python benchmarks/instruments.py lab --quick

For every trait and instrument: reliability from variance components, split halves, retest (the same asked in a second
wording), and agreement of the instrument with behaviour, all over the personas of the model's own cast. Then how human
the Assistant is, beside plain tools and people. Then a light LoRA on a neutral file, at two doses, and how much of each
instrument is left for characters that were not trained.

Each trait's levels are kept as parquet in the folder as they come, so the same command goes on after a kill. The
figures replace those of the same model in `library/figures/reliability.parquet` with `--ship`, and the page
`docs/instruments.md` is written from all that ship. Instruments that cannot ask about a model's traits are named.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import instruments_page
import numpy as np
from scipy.special import expit

from personae import library
from personae.cli.face import Face
from personae.data import read_episodes
from personae.errors import BadInput
from personae.measure import Instrument, estimate, instrument
from personae.measure.human_likeness import human_share
from personae.measure.instrument import FRAMES
from personae.measure.profile import estimate_share
from personae.predictors import Basis
from personae.records import Cast, Levels, Persona, Progress, Trait
from personae.records.files import digest, digest_file, read_arrays, write_arrays
from personae.simulator import load
from personae.simulator.local import LocalSimulator
from personae.theory import agreement, pearson_interval, percentile_interval, pooled_attenuation, split_half
from personae.theory.attenuation import FEWEST
from personae.theory.reliability import RELIABLE
from personae.training import SFTPlan, finetune
from personae.workflows.audit.file_question import fewer
from personae.workflows.kept.basis_cache import cached_basis, own_part
from personae.workflows.kept.folder import open_folder
from personae.workflows.kept.levels_file import joined, read_levels, write_levels
from personae.workflows.nouns_for import nouns, world_of
from personae.workflows.run.file_arms import others

NAMES = ("answers", "behaviour", "statements", "yes-no", "options")
HUMAN = ("feelings", "body")  # traits of human-likeness; their statements are human self-description
TOOLS = ("plain-tool", "plain tool")  # what the plain tool is called in a cast
PLAN = SFTPlan(steps=8, batch=8, rate=2e-4, tuning="lora", rank=8)  # the light dose
HEAVIER = 5.0  # times its rate: the heavy one
PLAIN = Path(__file__).parent / "plain.jsonl"
COLUMNS = ("model", "instrument", "trait", "figure", "value", "low", "high", "n")
Row = tuple[str, str, str, str, float, float, float, int]
NAN = float("nan")
Named = TypeVar("Named", Persona, Trait)


@dataclass(frozen=True)
class Subject:
    """A model with its cast and traits, and the folder in which its levels are kept."""

    name: str
    simulator: LocalSimulator
    cast: Cast
    traits: tuple[Trait, ...]
    folder: Path

    def basis(self, by: Instrument, face: Face) -> Basis:
        """The cast by one instrument, measured or read."""
        with face.progress(f"{by.name}, {by.kept_as}", "answers") as progress:
            return cached_basis(self.simulator, self.cast, self.traits, progress, self.folder / "basis", by).basis


def askable(subject: Subject, face: Face) -> list[str]:
    """The instruments that can ask about all traits of the subject."""
    found = []
    for name in NAMES:
        try:
            for trait in subject.traits:
                instrument(name).check(trait)
            found.append(name)
        except BadInput as problem:
            face.say(f"left out: {name}: {problem}")
    return found


# -- how reliable, and whether they agree ----------------------------------------------------------------------------
def consistency(subject: Subject, bases: dict[str, tuple[Basis, Basis]], seed: int) -> Iterator[Row]:
    """Reliability, split half, retest and agreement with behaviour of every trait and instrument."""
    people = len(subject.cast.personas)
    for name, (one, other) in bases.items():
        reliability = one.reliability()
        for trait in reliability:
            table, again = (b.levels.by_trait[trait][1:] for b in (one, other))
            items = table.shape[1]
            yield (subject.name, name, trait, "reliability", reliability[trait], NAN, NAN, items)
            yield (subject.name, name, trait, "split half", split_half(table, seed=seed), NAN, NAN, items)
            both = {"retest": agreement(table, again)}
            if name != "behaviour" and "behaviour" in bases:
                both["agreement"] = agreement(table, bases["behaviour"][0].levels.by_trait[trait][1:])
            for figure, r in both.items():
                found = pearson_interval(r, people)
                yield (subject.name, name, trait, figure, found.mean, found.low, found.high, people)


def human_likeness(subject: Subject, bases: dict[str, tuple[Basis, Basis]], seed: int) -> Iterator[Row]:
    """How often it gives the human answer, beside plain tools and people, and where it stands between these (0, 1)."""
    names = subject.cast.names
    tools = [n for n in names if n in TOOLS]
    people = [p.name for p in subject.cast.personas if p.kind == "person"]
    for name in ("behaviour", "statements"):
        if name not in bases or not tools:
            continue
        basis = bases[name][0]
        for trait in (t for t in HUMAN if t in basis.base):
            table = basis.levels.by_trait[trait]
            human, tool = (table[[names.index(n) for n in group]] for group in (people, tools))
            own, items = basis.base[trait], table.shape[1]
            rate, tools_rate, peoples_rate = (expit(rows).mean(axis=0)[None] for rows in (own[None], tool, human))
            told = {
                "human share": human_share(own, human, tool, seed=seed),
                "human rate": estimate_share(rate, seed=seed),
                "human rate, less tools": estimate(rate - tools_rate, seed=seed),
                "human rate, less people": estimate(rate - peoples_rate, seed=seed),
            }
            for figure, found in told.items():
                yield (subject.name, name, trait, figure, found.mean, found.low, found.high, items)


# -- what training leaves of an instrument ---------------------------------------------------------------------------
def attenuation(
    subject: Subject, bases: dict[str, tuple[Basis, Basis]], data: Path, seed: int, face: Face
) -> Iterator[Row]:
    """Attenuation of every instrument after a light and a heavier LoRA, pooled over the traits that it shows."""
    who = others(subject.cast)
    contexts = {p.name: p.context for p in who}
    for dose, rate in (("light", PLAN.rate), ("heavy", PLAN.rate * HEAVIER)):
        plan = replace(PLAN, rate=rate, seed=seed)
        trained = None
        for name, (basis, _) in bases.items():
            by = instrument(name)
            kept = subject.folder / "trained" / f"{dose}-{by.kept_as}-{plan.digest[:8]}.parquet"
            if not kept.exists():
                trained = trained or train(subject, data, plan, face)
                with face.progress(f"{name} after the {dose} dose", "traits") as progress:
                    write_levels(kept, after(trained, subject.traits, by, contexts, progress))
            read = read_levels(kept)
            own = joined([own_part(read, trait, by) for trait in subject.traits])
            yield lost(subject.name, name, basis, own, dose)


def train(subject: Subject, data: Path, plan: SFTPlan, face: Face) -> LocalSimulator:
    """The subject after the plan on the rows of `data`."""
    rows = tuple(read_episodes(data))
    with face.progress(f"training at rate {plan.rate:g}", "steps") as progress:
        done = finetune(subject.simulator, rows, plan, on_step=lambda step, total, _: progress(step, total))
    return done.simulator


def after(
    trained: LocalSimulator, traits: tuple[Trait, ...], by: Instrument, contexts: dict[str, str], progress: Progress
) -> Levels:
    """Levels of the other characters on all items: nothing else is scored here, so no quarter is set aside."""
    found = []
    for done, trait in enumerate(traits, start=1):
        found.append(by.read(trained, trait, contexts).levels)
        progress(done, len(traits))
    return joined(found)


def lost(model: str, name: str, basis: Basis, trained: Levels, dose: str) -> Row:
    """The attenuation of one instrument, over the traits of which its reliability is a half or more."""
    shown = [t for t, r in basis.reliability().items() if r >= RELIABLE]
    if not shown:
        return (model, name, "all", f"attenuation, {dose}", NAN, NAN, NAN, 0)
    places = [basis.levels.contexts.index(n) for n in trained.contexts]
    before = np.stack([basis.levels.by_trait[t][places].mean(axis=1) for t in shown], axis=1)
    then = np.stack([trained.by_trait[t].mean(axis=1) for t in shown], axis=1)
    chosen = np.random.default_rng(0).integers(len(shown), size=(1000, len(shown)))  # draws of traits
    low, high = percentile_interval(np.array([pooled_attenuation(before[:, c], then[:, c]) for c in chosen]))
    return (model, name, "all", f"attenuation, {dose}", pooled_attenuation(before, then), low, high, len(shown))


# -- what is kept and shipped ----------------------------------------------------------------------------------------
def ship(rows: list[Row], file: Path) -> None:
    """Put the rows in the place of those of the same model."""
    kept: list[Row] = []
    if file.exists():
        columns = read_arrays(file)
        kept = [tuple(row) for row in zip(*(columns[c].tolist() for c in COLUMNS), strict=True)]
    every = sorted([row for row in kept if row[0] != rows[0][0]] + rows, key=lambda row: row[:4])
    write_arrays(file, dict(zip(COLUMNS, map(list, zip(*every, strict=True)), strict=True)))


def subject_of(args: argparse.Namespace) -> Subject:
    """The model that was named, with the folder of this run."""
    cast, traits = nouns(args.model)
    cast = cast.model_copy(update={"personas": spread(cast.personas, args.personas, TOOLS)})
    traits = spread(traits, args.traits, HUMAN)
    traits = fewer(traits[:2] if args.quick else traits, 4 if args.quick else args.items)
    simulator = load(args.model, device=args.device)
    what = {"model": simulator.digest, "cast": digest(cast), "traits": digest(list(traits)), "seed": args.seed}
    folder = open_folder("instruments", {**what, "data": digest_file(args.data)}, args.out)
    return Subject(args.model, simulator, cast, traits, folder.path)


def spread(every: tuple[Named, ...], count: int | None, first: tuple[str, ...]) -> tuple[Named, ...]:
    """`count` of them in their order: those called one of `first`, and others evenly taken; all where it is None."""
    if count is None or count >= len(every):
        return every
    wanted = [one for one in every if one.name in first][:count]
    rest = [one for one in every if one not in wanted]
    wanted += [rest[int(place)] for place in np.linspace(0, len(rest) - 1, count - len(wanted))]
    return tuple(one for one in every if one in wanted)


def main(arguments: list[str] | None = None) -> None:
    """Measure, train, write."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("model")
    asked.add_argument("--items", type=int, default=16, help="of each trait at most so many, evenly taken; 0: all")
    asked.add_argument("--personas", type=int, help="so many of the cast, the plain tool among them")
    asked.add_argument("--traits", type=int, help="so many of them, those of human-likeness among them")
    asked.add_argument("--data", type=Path, help="the neutral file; default: plain.jsonl, or example:honest in the lab")
    asked.add_argument("--out", type=Path)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--device", default="auto")
    asked.add_argument(
        "--quick", action="store_true", help="two traits of four items: whether it runs, not what it finds"
    )
    asked.add_argument("--ship", action="store_true", help="write the library's figures and docs/instruments.md")
    args = asked.parse_args(arguments)
    if args.quick and args.ship:
        asked.error("figures of --quick mean nothing, and do not ship")
    if args.personas is not None and args.personas < FEWEST:
        asked.error(f"--personas {args.personas}: attenuation is over {FEWEST} or more")
    args.data = args.data or (library.example("honest") if world_of(args.model) else PLAIN)
    subject, begun = subject_of(args), time.monotonic()
    with Face() as face:
        face.keeps(subject.folder)
        bases = {
            name: tuple(subject.basis(instrument(name, frame=frame), face) for frame in FRAMES)
            for name in askable(subject, face)
        }
        rows = [*consistency(subject, bases, args.seed), *human_likeness(subject, bases, args.seed)]
        rows += attenuation(subject, bases, args.data, args.seed, face)
    ship(rows, subject.folder / "reliability.parquet")
    if args.ship:
        ship(rows, library.FIGURES)
        instruments_page.write(library.FIGURES, Path(__file__).parent.parent / "docs" / "instruments.md")
    print(instruments_page.tables(subject.folder / "reliability.parquet"))
    print(f"{time.monotonic() - begun:.0f} seconds; kept in {subject.folder}")


if __name__ == "__main__":
    main()
