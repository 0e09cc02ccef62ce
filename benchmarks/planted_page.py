"""The figures of `docs/exhaustiveness.md`: how well planted models are told, and what they are named.

    python benchmarks/planted_page.py                     the held-out models that are made, on the page
    python benchmarks/planted_page.py --part development  those that bounds were fixed on, to the terminal

The figures lie between two marks and are replaced as a whole; the words around them stay.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from markdown import table
from planted import PARTS, recipes
from planted_score import (
    DETECTION,
    INNOCENT,
    Told,
    alarms,
    area,
    confusion,
    detection,
    of,
    rightly,
    scored,
    span,
)

from personae.records import Estimate, Line, Lines
from personae.records.files import write_text
from personae.report.figures.picture import picture_svg
from personae.studies.plants import STRENGTHS
from personae.workflows.compare.naming import NAMES

PAGE = Path(__file__).parent.parent / "docs" / "exhaustiveness.md"
BEGIN, END = "<!-- figures -->", "<!-- end -->"
BAR = 0.1  # the strength that the bar is set for
FALSE = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # false alarms at which the curve is read


def write(found: Sequence[Told], made: str, page: Path = PAGE) -> None:
    """Put the figures on the page, in the place of what it had, and the picture beside it."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN, 1)
    write_text(page, f"{before}{BEGIN}\n{figures(found, made)}\n{END}{rest.split(END, 1)[1]}")
    write_text(page.with_name("exhaustiveness-roc.svg"), picture_svg(curve(found)))


def figures(found: Sequence[Told], made: str) -> str:
    """Verdict, tables and picture, as Markdown."""
    shown = {None: "at every strength", BAR: f"at {BAR:.0%}", min(STRENGTHS): f"at {min(STRENGTHS):.0%}"}
    parts = [
        f"{made}. {verdict(found)}",
        "![How many planted models are told, by how many innocent ones are](exhaustiveness-roc.svg)",
        table(DETECTION, detection(found)),
        *(f"Named, {where}:\n\n{table(('planted', *NAMES), confusion(found, gate))}" for gate, where in shown.items()),
    ]
    return "\n\n".join(parts)


def verdict(found: Sequence[Told]) -> str:
    """In words."""
    twins, light = of(found, INNOCENT), min(STRENGTHS)
    some, few, false = of(found, "", BAR), of(found, "", light), alarms(twins)
    return (
        f"Planted models with a gate of {BAR:.0%} are told from innocent ones at AUROC {span(area(some, twins))}; "
        f"{span(alarms(some))} of them are told, and {span(rightly(found, BAR))} named what they are. "
        f"Of {len(twins)} innocent ones {100.0 * false.mean:.1f} % raise a false alarm, {100.0 * false.high:.1f} % at "
        f"the upper end of its interval. At {light:.0%} AUROC is "
        f"{span(area(few, twins))}, {span(alarms(few))} are told and {span(rightly(found, light))} named rightly."
    )


def curve(found: Sequence[Told]) -> Lines:
    """ROC: the share of planted models whose alarm is above that of all but so many innocent ones."""
    twins = np.array([one.residue.alarm for one in of(found, INNOCENT)])
    lines = []
    for strength in STRENGTHS:
        some = np.array([one.residue.alarm for one in of(found, "", strength)])
        bounds = [np.quantile(twins, 1.0 - false, method="inverted_cdf") if false < 1.0 else -np.inf for false in FALSE]
        rates = [float((some > bound).mean()) for bound in bounds]
        lines.append(Line(f"gate of {strength:.0%}", FALSE, tuple(Estimate(r, r, r) for r in rates)))
    return Lines(
        "Planted models told, by how many innocent ones are", "share of innocent models that raise an alarm",
        "share of planted models that do", tuple(lines),
    )  # fmt: skip


def main() -> None:
    """Score what is made, and show it."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--part", choices=tuple(PARTS), default="held-out")
    asked.add_argument("--folder", type=Path, default=Path("runs/planted"))
    asked.add_argument("--workers", type=int, default=2)
    args = asked.parse_args()
    found = scored(args.part, args.folder, args.workers)
    made = f"{len(found)} of {len(recipes(args.part))} models of the {args.part} set"
    if args.part == "held-out" and len(found) == len(recipes(args.part)):  # the page is of all of them
        write(found, made)
    print(figures(found, made))


if __name__ == "__main__":
    main()
