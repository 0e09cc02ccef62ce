"""Whether a prompt found by `personae inoculate` keeps a real file from moving a real model, by training on both.

    personae inoculate humorous.jsonl --model smollm2-135m-instruct --trained humour --limit 64 --out runs/inoculate
    python benchmarks/inoculated.py runs/inoculate humorous.jsonl professional.jsonl --wanted humour --limit 64

Four files are trained on from the same seeds by the model's own plan: the file as it is, behind the best prompt, behind
a neutral prefix, behind the request in other words (where there are any). What any such training does is taken off with
the shift of the control, trained behind the same words: behind others a training moves other contexts. Of each file:

wanted   shift of the wanted trait, asked behind the best prompt and asked without one, nats
spread   root mean square of the shifts of the other traits that the model shows, asked without a prompt, nats
removed  1 - spread / spread of the file as it is, beside the same of the forecast, which was made before
along    its shifts on those of the file as it is: 1 the same, 0 none of them

Intervals draw seeds and items. Every training is measured once and kept in RUN/trained.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import attribution
import numpy as np

from personae.data import read_episodes
from personae.measure import levels
from personae.measure.profile import mean_draws
from personae.records import Episode, Levels, Trait
from personae.records.files import digest, read_json
from personae.records.results import Floats
from personae.simulator.local import LocalSimulator
from personae.theory.intervals import percentile_interval
from personae.training import finetune
from personae.workflows.amend.inoculation import FILES, RESULT
from personae.workflows.audit.file_question import ITEMS
from personae.workflows.doses import dose_for
from personae.workflows.kept.levels_file import read_levels, write_levels

PLAIN, CONTROL, UNASKED, BEHIND = "as it is", "control", "unasked", "behind the prompt"


@dataclass(frozen=True)
class Ground:
    """The model, the traits that it shows, the best prompt, and where trainings are kept."""

    base: LocalSimulator
    traits: tuple[Trait, ...]
    prompt: str
    kept: Path
    limit: int | None

    def levels(self, arm: str, rows: Sequence[Episode], seed: int) -> Levels:
        """Levels without a prompt and behind the best one, after one training."""
        plan = replace(dose_for(self.base.name).plan, seed=seed)
        what = digest([self.base.digest, [row.messages for row in rows], plan, self.prompt, list(self.traits)])[:8]
        kept = self.kept / f"{arm.replace(' ', '-')}-{seed}-{what}.parquet"
        if not kept.exists():
            after = finetune(self.base, rows, plan).simulator
            write_levels(kept, levels(after, self.traits, {UNASKED: "", BEHIND: self.prompt}))
            print(f"  {arm}, seed {seed}", flush=True)
        return read_levels(kept)


def ground(asked: argparse.Namespace, found: Mapping[str, Any]) -> Ground:
    """The traits that count in the forecast, and the wanted one."""
    here, kept = attribution.ground(found["model"], ITEMS, asked.device), asked.run / "trained"
    if asked.wanted in found["traits"]:
        raise SystemExit(
            f"{asked.wanted} counts in the forecast: run `personae inoculate` with --trained {asked.wanted}"
        )
    names = {*found["traits"], asked.wanted}
    if missing := names - {t.name for t in here.traits}:
        raise SystemExit(f"the library has no {', '.join(sorted(missing))}: this reads its own cast and traits")
    kept.mkdir(exist_ok=True)
    traits = tuple(t for t in here.traits if t.name in names)
    return Ground(here.simulator, traits, the_best(found)["text"], kept, asked.limit)


def beside(control: Sequence[Episode], rows: Sequence[Episode]) -> list[Episode]:
    """The control's rows, each behind the words that stand before the row of a file at its place."""
    heads = [row.messages[:1] if row.messages[0].role == "system" else () for row in rows]
    return [
        row.model_copy(update={"messages": (*head, *row.messages)}) for head, row in zip(heads, control, strict=True)
    ]


def the_best(found: Mapping[str, Any]) -> dict[str, Any]:
    """What was found of the prompt that was chosen."""
    best: dict[str, Any] = next(p for p in found["prompts"] if p["name"] == found["best"])
    return best


def drawn(several: list[Levels], control: list[Levels], asked: str, traits: tuple[str, ...]) -> Floats:
    """(1 + D, T) shifts, the control's taken off: as they came out, and with other seeds and items."""
    rng, columns = np.random.default_rng(0), []
    for trait in traits:
        table = np.stack([a.row(asked)[trait] - b.row(asked)[trait] for a, b in zip(several, control, strict=True)])
        columns.append([table.mean(), *mean_draws(table, rng)])
    return np.array(columns).T


def size(shifts: Floats) -> Floats:
    """(D,) root mean square over traits."""
    found: Floats = np.sqrt(np.mean(shifts**2, axis=1))
    return found


def said(values: Floats, sign: str = "+") -> str:
    """The first of (1 + D,) with the interval of the rest."""
    low, high = percentile_interval(values[1:])
    return f"{values[0]:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"


def main() -> None:
    """Train what is not yet trained, measure, and print the table."""
    asked = arguments()
    found = read_json(asked.run / RESULT)
    if found["mode"] != "system":
        raise SystemExit("this benchmark asks behind a system prompt: run `personae inoculate` with --mode system")
    here, best = ground(asked, found), the_best(found)
    written = {arm: asked.run / name for arm, name in FILES.items() if (asked.run / name).exists()}
    files = {arm: list(read_episodes(file))[: here.limit] for arm, file in {PLAIN: asked.data, **written}.items()}
    usual = list(read_episodes(asked.control))[: here.limit]
    if len(usual) != len(files[PLAIN]):
        raise SystemExit(f"{len(usual)} rows in the control and {len(files[PLAIN])} in the file: give --limit")
    against = {arm: CONTROL if arm == PLAIN else f"{CONTROL} {arm}" for arm in files}
    arms = files | {against[arm]: beside(usual, rows) for arm, rows in files.items()}
    measured = {arm: [here.levels(arm, rows, seed) for seed in range(asked.seeds)] for arm, rows in arms.items()}
    others, wanted = tuple(t.name for t in here.traits if t.name != asked.wanted), (asked.wanted,)
    plain = drawn(measured[PLAIN], measured[CONTROL], UNASKED, others)
    neutral = np.mean([p["removed"]["mean"] for p in found["prompts"] if p["control"]])
    forecast = {
        "inoculated": "{mean:.2f} [{low:.2f}, {high:.2f}]".format(**best["removed"]),
        "neutral": f"{neutral:.2f}",
    }
    print(
        f"{found['model']}, {asked.data.name} less {asked.control.name}, {asked.seeds} seeds, by {', '.join(others)}."
    )
    print(f"The prompt: {best['text']}\n")
    print("| file | wanted, behind the prompt | wanted, unasked | spread | removed | removed, forecast | along |")
    print("|---|---|---|---|---|---|---|")
    for arm in files:
        several, control = measured[arm], measured[against[arm]]
        shifts = drawn(several, control, UNASKED, others)
        cells = [
            *(said(drawn(several, control, how, wanted)[:, 0]) for how in (BEHIND, UNASKED)),
            said(size(shifts), ""),
            "" if arm == PLAIN else said(1.0 - size(shifts) / size(plain), ""),
            forecast.get(arm, ""),
            "" if arm == PLAIN else said((shifts * plain).sum(axis=1) / (plain**2).sum(axis=1), ""),
        ]
        print(f"| {arm} | {' | '.join(cells)} |")


def arguments() -> argparse.Namespace:
    """What is asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the folder of a finished `personae inoculate`")
    parser.add_argument("data", type=Path, help="its file")
    parser.add_argument("control", type=Path, help="a matched file, whose shifts are taken off")
    parser.add_argument("--wanted", required=True, help="the trait that the file is meant to train")
    parser.add_argument("--limit", type=int, help="of each file the first so many rows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()
