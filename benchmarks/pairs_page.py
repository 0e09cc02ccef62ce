"""The figures of paired forecasts on `docs/forecasts.md`: one part a model, from what `pairs.py` kept in its folder.

    python benchmarks/pairs_page.py runs/pairs/smollm2-135m-instruct

A part lies between two marks and is replaced as a whole; the words around it stay.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markdown import with_part

from personae.records.files import read_json, write_text

PAGE = Path(__file__).parent.parent / "docs" / "forecasts.md"
HEAD = """# Paired forecasts on real models

```
python benchmarks/pairs.py MODEL --seeds 3
python benchmarks/pairs_page.py runs/pairs/MODEL
```

A pair is two sets that differ in one thing. Forecast and measured shift are differences between its sides, in nats of
the log-likelihood of statements in the Assistant's turn. Traits, rate and dose were fixed and all forecasts sealed
before the first of these sets was trained.

*r* is the correlation within a pair over the traits that it does not itself train. Brackets hold 95 % intervals over
draws of pairs, those that share a published file together; the best floor is the best anew in each draw. *Attenuation
only* and *mean of the others* know measurements, and no forecast could. *Shots in context* are four rows of each side
as earlier turns, with no training. *Seeds* is the correlation of two trainings of the same sets, and *ceiling* what a
forecast of the true shifts would have with the mean of all. *Error* is the root mean square of forecast less measured,
beside that of saying that nothing changes. *Most moved* is measured, and (forecast). *Failings* follow from the figures
by rules that were fixed before.
"""


def write(folder: Path, page: Path = PAGE) -> None:
    """Put the part of the model in `folder` on the page, in the place of what it had."""
    text = page.read_text(encoding="utf-8") if page.exists() else HEAD
    name = Path(read_json(folder / "score.json")["model"]).name
    write_text(page, with_part(text, name, section(folder)))


def section(folder: Path) -> str:
    """The part of one model, as Markdown."""
    found = read_json(folder / "score.json")
    return "\n".join(
        [f"## {Path(found['model']).name}\n", _setting(found), _verdict(found), _board(found), _pairs(found)]
    )


def _setting(found: Mapping[str, Any]) -> str:
    """What was fixed before."""
    reliability, chosen, dose = found["traits"]["reliability"], found["traits"]["chosen"], found["dose"]
    out = ", ".join(f"{t} {_number(r)}" for t, r in reliability.items() if t not in chosen)
    lost = "; ".join(f"{rate}: {', '.join(map(_number, several))}" for rate, several in dose["attenuation"].items())
    entry = dose["entry"]
    said = [
        f"{_many(len(found['pairs']), 'pair')} ({found['families']} that share no file),",
        f"{_many(found['seeds'], 'seed')}.",
        f"{_many(len(chosen), 'trait')} of {found['traits']['items']} items, left out: {out or 'none'}.",
        f"{_many(entry['steps'], 'step')} of {entry['batch']} at a rate of {entry['rate']:g}; attenuation of the",
        f"development pairs by rate: {lost}.",
        "That is too heavy, at the lightest rate tried." if dose["too_heavy"] else "",
        f"Dose {dose['dose']:.3g} effective episodes, spread {entry['spread']}, residual {entry['residual']} nats,",
        f"fitted on {entry['fitted_on']}.",
        "It is an end of the range that was searched." if dose["fit"]["at_edge"] else "",
    ]
    return " ".join(filter(None, said)) + "\n"


def _verdict(found: Mapping[str, Any]) -> str:
    mean, gain, less = found["mean"], found["gain"], found["less_error"]
    met = gain["low"] is not None and gain["low"] > 0.0
    return (
        f"Mean r {_interval(found['r'])}; the best floor is {found['best']}, {_number(mean['floors'][found['best']])}. "
        f"Gain over the best floor {_interval(gain)}: the bar (no gain excluded) is "
        f"{'met' if met else '**not met**'}. Error less than that of no change by {_interval(less)} nats. "
        f"{_share(mean['coverage'])} of measurements lie in their 95 % interval ({found['n']} cells).\n"
    )


def _board(found: Mapping[str, Any]) -> str:
    """Every floor beside the forecast, by pair."""
    floors = list(found["mean"]["floors"])
    lines = [f"| r | forecast | {' | '.join(floors)} | seeds | ceiling |", "|---" * (len(floors) + 4) + "|"]
    for pair in found["pairs"]:
        cells = [pair["r"], *(pair["floors"][f] for f in floors), pair["seeds_agree"], pair["ceiling"]]
        lines.append(f"| {pair['name']} | {' | '.join(map(_number, cells))} |")
    cells = [found["mean"]["r"], *(found["mean"]["floors"][f] for f in floors)]
    return "\n".join([*lines, f"| **mean** | {' | '.join(map(_number, cells))} | | |"]) + "\n"


def _pairs(found: Mapping[str, Any]) -> str:
    """Sizes, and what failed."""
    lines = ["| pair | rows | error | no change | coverage | attenuation | most moved | failings |", "|---" * 8 + "|"]
    for pair in found["pairs"]:
        figures = [_number(pair["error"]), _number(pair["no_change"]), _share(pair["coverage"])]
        said = [_number(pair["attenuation"]), _most(pair["cells"]), "; ".join(pair["failings"])]
        lines.append(f"| {' | '.join([pair['name'], str(pair['rows']), *figures, *said])} |")
    return "\n".join(lines) + "\n"


def _most(cells: Mapping[str, Sequence[Any]], count: int = 3) -> str:
    """The untrained traits that moved most, measured and (forecast)."""
    names = ("traits", "trained", "measured", "forecast")
    rows = [row for row in zip(*(cells[n] for n in names), strict=True) if not row[1]]
    most = sorted(rows, key=lambda row: -abs(row[2]))[:count]
    return ", ".join(f"{trait} {measured:+.2f} ({forecast:+.2f})" for trait, _, measured, forecast in most)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100.0 * value:.0f} %"


def _interval(found: Mapping[str, float | None]) -> str:
    return f"{_number(found['mean'])} [{_number(found['low'])}, {_number(found['high'])}]"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def main(arguments: list[str] | None = None) -> None:
    """Write the parts of the folders named."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folders", type=Path, nargs="+")
    for folder in asked.parse_args(arguments).folders:
        write(folder)


if __name__ == "__main__":
    main()
