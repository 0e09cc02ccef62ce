"""The figures of paired forecasts on `docs/forecasts.md`: one part a model, from what `pairs.py` kept in its folder.

    python benchmarks/pairs_page.py runs/pairs/smollm2-135m-instruct runs/pairs/gemma-3-270m

A part lies between two marks and is replaced as a whole; the words around it stay. Several folders have a part of
all their pairs together, too.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markdown import put, table
from pairs_score import closer_look, together
from pairs_sets import HELD_OUT, NEAR, families

from personae.records.files import plain, read_json

PAGE = Path(__file__).parent.parent / "docs" / "forecasts.md"


def write(folder: Path, page: Path = PAGE) -> None:
    """Put the part of the model in `folder` on the page, in the place of what it had."""
    put(page, Path(read_json(folder / "score.json")["model"]).name, section(folder))


def section(folder: Path) -> str:
    """The part of one model, as Markdown."""
    found = read_json(folder / "score.json")
    return "\n".join(
        [
            f"## {Path(found['model']).name}\n",
            _setting(found),
            _verdict(found),
            _closer(found),
            _board(found),
            _pairs(found),
        ]
    )


def all_models(folders: Sequence[Path]) -> str:
    """All pairs of all models, the forecast beside each floor."""
    scored = [read_json(folder / "score.json") for folder in folders]
    found: dict[str, Any] = plain(together(scored, _families()))
    rows = [[floor, _number(r), _interval(found["over"][floor])] for floor, r in found["floors"].items()]
    return (
        f"## All models\n\n{found['n']} pairs of {_many(len(folders), 'model')}: mean r {_interval(found['r'])}. "
        f"Gain over the best floor {_interval(found['gain'], 3)}. "
        f"Error less than that of no change by {_interval(found['less_error'])} nats.\n\n"
        f"{table(('floor', 'its mean r', 'forecast less floor'), rows)}\n"
    )


def _families() -> dict[str, int]:
    """{pair: the number of its family}, of those held out."""
    return dict(zip((pair.name for pair in HELD_OUT), families(HELD_OUT), strict=True))


def _setting(found: Mapping[str, Any]) -> str:
    """What was fixed before."""
    reliability, chosen, dose = found["traits"]["reliability"], found["traits"]["chosen"], found["dose"]
    out = ", ".join(f"{t} {_number(r)}" for t, r in reliability.items() if t not in chosen)
    lost = "; ".join(f"{rate}: {', '.join(map(_number, several))}" for rate, several in dose["attenuation"].items())
    entry = dose["entry"]
    said = [
        f"{_many(len(found['pairs']), 'pair')} ({found['families']} of no common file or kind),",
        f"{_many(found['seeds'], 'seed')}.",
        f"The {len(chosen)} most reliable of {_many(len(reliability), 'trait')},",
        f"{found['traits']['items']} items each; the others: {out or 'none'}.",
        f"{_many(entry['steps'], 'step')} of {entry['batch']} at a rate of {entry['rate']:g}; attenuation of the",
        f"development pairs by rate: {lost}.",
        "That is too heavy, at the lightest rate tried." if dose["too_heavy"] else "",
        f"Dose {dose['dose']:.3g} effective episodes and {entry['share']:.2g} of the shift in context, spread",
        f"{entry['spread']}, residual {entry['residual']} nats,",
        f"fitted on {entry['fitted_on']}.",
        "It is an end of the range that was searched." if dose["fit"]["at_edge"] else "",
    ]
    return " ".join(filter(None, said)) + "\n"


def _verdict(found: Mapping[str, Any]) -> str:
    mean, gain, less = found["mean"], found["gain"], found["less_error"]
    met = gain["low"] is not None and gain["low"] > 0.0
    return (
        f"Mean r {_interval(found['r'])}; the best floor is {found['best']}, {_number(mean['floors'][found['best']])}. "
        f"Gain over the best floor {_interval(gain, 3)}: the bar (an interval above zero) is "
        f"{'met' if met else '**not met**'}. Error less than that of no change by {_interval(less)} nats. "
        f"{_share(mean['coverage'])} of measurements lie in their 95 % interval ({found['n']} cells).\n"
    )


def _closer(found: Mapping[str, Any]) -> str:
    """What was looked at after all were scored."""
    family = _families()
    if any(pair["name"] not in family for pair in found["pairs"]):
        return ""
    near = {pair.name: NEAR.get(pair.kin, ()) for pair in HELD_OUT}
    seen: dict[str, Any] = plain(closer_look(found["pairs"], family, near))
    large, apart, count = seen["large"], seen["apart"], len(found["pairs"])
    said = [
        f"Looked at afterwards: the sign agrees in {_share(seen['signs'])} of cells, and in",
        f"{_share(large['signs'])} of the {large['n']} that moved by more than half a nat, whose size is foreseen to",
        f"{_share(large['size'])} in the median. An interval reaches {_number(seen['width'])} nats to either side, and",
        f"{_share(seen['zero'])} include zero. {seen['farther']} of {count} pairs are nearer to no change;",
        f"{seen['gained']} are above the best floor, by {_interval(seen['student'], 3)} in the mean with Student's t",
        f"over kinds. Without the traits that are nearly what a pair trains r is {_interval(apart['r'])}, and the",
        f"forecast off by {_number(apart['error'])} nats where no change is off by {_number(apart['no_change'])}.",
    ]
    return " ".join(said) + "\n"


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


def _number(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100.0 * value:.0f} %"


def _interval(found: Mapping[str, float | None], digits: int = 2) -> str:
    mean, low, high = (_number(found[part], digits) for part in ("mean", "low", "high"))
    return f"{mean} [{low}, {high}]"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def main(arguments: list[str] | None = None) -> None:
    """Write the parts of the folders named, and of all together."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folders", type=Path, nargs="+")
    folders = asked.parse_args(arguments).folders
    for folder in folders:
        write(folder)
    if len(folders) > 1:
        put(PAGE, "all models", all_models(folders))


if __name__ == "__main__":
    main()
