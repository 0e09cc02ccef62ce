"""Paired forecasts on a real model: sealed before any training, scored after it, beside the floors.

    python benchmarks/pairs.py smollm2-135m-instruct --rates 1.5e-4 --workers 6 --device cuda
    python benchmarks/pairs.py smollm2-135m-instruct --quick

    traits -> rate and dose, on the development pairs alone -> every held-out forecast -> trainings -> score

Each pair is one `personae run A --against B` with a folder of its own: evidence, forecast and measurement are the
difference of its two sides, which are trained by one plan from one seed. A forecast has two parts, who answers by the
cast and what the rows do in context, in the shares that were fitted. The traits that score are the most reliable on
the untrained model, by the likelihood of statements in the Assistant's turn; they are chosen before any forecast is
made. The rate is the largest of a few at which the development pairs lose less than a tenth of the instrument, and the
dose is fitted on them at that rate. `traits.json`, `dose.json` and every `forecast.json` carry a digest, and no
held-out set is trained before the forecasts of all that are asked for are written.

All is kept in the folder as it comes: the same command goes on after a kill, also with more seeds or another number of
workers. Workers share the device. The figures are those of `pairs_score`; `pairs_page.py FOLDER` puts them on
`docs/forecasts.md`.
"""

import argparse
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pairs_page
from pairs_jobs import forecast, measure_trait, tell, train, write_sets
from pairs_score import scores
from pairs_sets import DEVELOPMENT, HELD_OUT, families
from pairs_study import QUICK, SIDES, Run, Size, Study, loaded, published

from personae.cli.face import Face
from personae.errors import BadInput, RunFailed
from personae.ledger import with_digest
from personae.records.files import digest, read_json, write_json
from personae.simulator.devices import found_here
from personae.theory.attenuation import TOO_HEAVY
from personae.theory.reliability import RELIABLE
from personae.workflows.audit.file_audit import scoring_items
from personae.workflows.doses import DevelopmentPair, development, entry_for, fit
from personae.workflows.kept.folder import open_folder
from personae.workflows.lab.parallel import one_thread

FEWEST = 2  # traits: a pair may train one of them itself
Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Crew:
    """Who does the jobs of a study: processes that keep their model from one kind of job to the next, or this one."""

    study: Study
    face: Face
    pool: ProcessPoolExecutor | None

    def do(self, what: str, job: Callable[[Study, Job], Result], jobs: Sequence[Job]) -> list[Result]:
        """What `job` makes of each, in their order."""
        found: dict[Job, Result] = {}
        with self.face.progress(what, "jobs") as progress:
            for one, result in self._done(job, jobs):
                found[one] = result
                progress(len(found), len(jobs))
        return [found[one] for one in jobs]

    def _done(self, job: Callable[[Study, Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
        """(job, result) as each is done; what fails is raised when the others are done, so that they are kept."""
        if self.pool is None:
            yield from ((one, job(self.study, one)) for one in jobs)
            return
        waiting = {self.pool.submit(job, self.study, one): one for one in jobs}
        failures = []
        for done in as_completed(waiting):
            if (failure := done.exception()) is None:
                yield waiting[done], done.result()
            else:
                failures.append(failure)
        if failures and isinstance(failures[0], BrokenProcessPool):
            raise RunFailed("a worker process died (is the memory full?); the same command goes on") from failures[0]
        if failures:
            raise failures[0]


def _begin() -> None:
    one_thread()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers


@contextmanager
def crew(study: Study, workers: int, face: Face) -> Iterator[Crew]:
    """The crew, whose processes end with it; where it is left early no job begins any more."""
    if workers == 1:
        yield Crew(study, face, None)
        return
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        yield Crew(study, face, pool)
    finally:
        pool.shutdown(cancel_futures=True)


# -- the study, step by step -----------------------------------------------------------------------------------------
def choose_traits(crew: Crew) -> None:
    """Write down the candidates' reliability on the untrained model and the traits that score, before any forecast."""
    study, file = crew.study, crew.study.folder / "traits.json"
    if file.exists():
        return
    size = study.size
    crew.do("the cast's traits", measure_trait, size.candidates)
    idle = study if crew.pool is None else replace(study, device="cpu")  # all is measured; workers have the device
    basis = idle.basis(published(study.data, size.candidates, size.items))
    reliability = basis.items(scoring_items(basis)).reliability()
    best = sorted(reliability, key=lambda name: -reliability[name])[: size.traits]
    chosen = [name for name in reliability if name in best and reliability[name] >= RELIABLE]
    if len(chosen) < FEWEST:
        raise RunFailed(
            f"{study.model} shows {len(chosen)} of the {len(reliability)} traits, too few to score a pair on"
        )
    write_json(file, with_digest({"reliability": reliability, "chosen": chosen, "items": size.items}))


def develop(crew: Crew) -> None:
    """Write down the rate and the dose, from the development pairs alone."""
    study, file = crew.study, crew.study.folder / "dose.json"
    if file.exists():
        return
    crew.do("development sets", write_sets, study.size.development)
    tried, runs = try_rates(crew)
    crew.do("development forecasts", forecast, runs)
    crew.do("development scores", tell, [(run, 1) for run in runs])
    found, _ = fit([untrained_cells(study, run) for run in runs])
    rate = runs[0].rate
    entry = entry_for(study.dose(rate).plan, found, ", ".join(run.pair.name for run in runs))
    heavy = not np.mean(tried[rate]) < TOO_HEAVY
    write_json(
        file,
        with_digest({"entry": entry, "dose": found.dose, "fit": found, "attenuation": tried, "too_heavy": heavy}),
    )


def try_rates(crew: Crew) -> tuple[dict[float, list[float]], list[Run]]:
    """{rate: attenuation of every arm} from the largest down to the first that is light enough, and its runs."""
    tried: dict[float, list[float]] = {}
    runs: list[Run] = []
    for rate in sorted(crew.study.size.rates, reverse=True):
        runs = [Run("development", pair, rate) for pair in crew.study.size.development]
        tried[rate] = crew.do(f"development at a rate of {rate:g}", train, arms(runs, 1))
        if np.mean(tried[rate]) < TOO_HEAVY:
            break
    return tried, runs


def arms(runs: Sequence[Run], seeds: int) -> list[tuple[Run, str, int]]:
    """Every training, the first seed of all pairs first."""
    return [(run, side, seed) for seed in range(seeds) for run in runs for side in SIDES]


def untrained_cells(study: Study, run: Run) -> DevelopmentPair:
    """A development pair, without the shift of the trait that it trains."""
    pair = development(study.folder / run.part / run.name)
    return replace(pair, shifts={t: np.nan if t == run.pair.trait else s for t, s in pair.shifts.items()})


def held_out(crew: Crew, seeds: int) -> dict[str, Any]:
    """Forecast all held-out pairs, then train them, and score; what `score.json` holds."""
    study = crew.study
    runs = [Run("held-out", pair) for pair in study.size.held_out]
    crew.do("held-out sets", write_sets, study.size.held_out)
    crew.do("forecasts", forecast, runs)
    crew.do("trainings", train, arms(runs, seeds))
    told = crew.do("scores", tell, [(run, seeds) for run in runs])
    kept = {name: read_json(study.folder / f"{name}.json") for name in ("traits", "dose")}
    return {"model": study.model, "seeds": seeds, **kept, **scores(told, families(study.size.held_out))}


def study_of(args: argparse.Namespace) -> Study:
    """The study that was asked for, with its folder."""
    size = Size(held_out=HELD_OUT[: args.pairs], development=DEVELOPMENT[: args.development], rates=tuple(args.rates))
    size = QUICK if args.quick else size
    device = found_here(args.device)
    simulator = loaded(args.model, device if args.workers == 1 else "cpu")
    traits = published(args.data, size.candidates, size.items)
    made_of = {"model": simulator.digest, "traits": digest(list(traits)), "pairs": digest(HELD_OUT)}
    made_of |= {"size": digest(replace(size, held_out=()))}
    out = args.out or Path("runs", "pairs", f"{Path(args.model).name}{'-quick' if args.quick else ''}")
    return Study(args.model, device, args.data, open_folder("pairs", made_of, out).path, size)


def main(arguments: list[str] | None = None) -> None:
    """Choose, fit, forecast, train, score."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("model")
    asked.add_argument("--data", type=Path, default=Path("..", "shared", "data"), help="the folder of published data")
    asked.add_argument("--out", type=Path, help="default: runs/pairs/MODEL")
    asked.add_argument("--part", choices=("development", "held-out", "all"), default="all")
    asked.add_argument("--pairs", type=int, default=len(HELD_OUT), help="the first so many of the held-out pairs")
    asked.add_argument("--development", type=int, default=len(DEVELOPMENT), help="the same of the development pairs")
    asked.add_argument("--rates", type=float, nargs="+", default=Size.rates, help="learning rates to be tried")
    asked.add_argument("--seeds", type=int, default=1, help="trainings of each held-out set")
    asked.add_argument("--workers", type=int, default=1, help="processes that share the device")
    asked.add_argument("--device", default="auto")
    asked.add_argument("--quick", action="store_true", help="two pairs and three traits of four items: whether it runs")
    args = asked.parse_args(arguments)
    study, begun = study_of(args), time.monotonic()
    os.environ["PERSONAE_DATA"] = str(study.folder)  # a ledger of its own: these are no forecasts of a user's
    with Face() as face, crew(study, args.workers, face) as workers:
        face.keeps(study.folder)
        choose_traits(workers)
        if args.part == "held-out" and not (study.folder / "dose.json").exists():
            raise BadInput("no dose is fitted yet", file=study.folder / "dose.json", remedy="--part development first")
        develop(workers)
        if args.part != "development":
            write_json(study.folder / "score.json", held_out(workers, args.seeds))
            print(pairs_page.section(study.folder))
    print(f"{time.monotonic() - begun:.0f} seconds; kept in {study.folder}")


if __name__ == "__main__":
    main()
