"""What leaked outside the Assistant's turn, as the page and the terminal show it, read off its record."""

from collections.abc import Mapping
from math import nan
from textwrap import fill
from typing import Any

from personae.records import Estimate
from personae.report.compare_content import OutsideReport
from personae.report.outside_parts import coin_words, outside_tables, outside_words
from personae.report.tables import to_terminal

WIDTH = 100  # columns of a terminal
UNKNOWN = Estimate(nan, nan, nan)


def outside_report(record: Mapping[str, Any]) -> OutsideReport:
    """The content, of the record that `leakage` keeps."""
    likeness, others, coin = record["likeness"] or {}, record["others"] or {}, record["coin"]
    broken = [record["breaks"][when] for when in ("before", "after") if record["breaks"][when]]
    return OutsideReport(
        outside=_estimate(likeness.get("outside")),
        inside=_estimate(likeness.get("inside")),
        share=_estimate(likeness.get("share")),
        taken_on=_estimate(others.get("share")),
        by={name: _estimate(one) for name, one in others.get("by", {}).items()},
        traits={t: (_estimate(own), _estimate(theirs)) for t, (own, theirs) in others.get("traits", {}).items()},
        coin=tuple(_estimate(coin[when]) for when in ("before", "after") if coin[when]),
        wanted=tuple(coin["wanted"]),
        unwanted=tuple(coin["unwanted"]),
        more=coin["more"],
        broken=tuple(_estimate(one["share"]) for one in broken),
        answers=broken[-1]["n"],
        kinds=tuple(one["kinds"] for one in broken),
        shown=None if broken[-1]["shown"] is None else (broken[-1]["shown"][0], broken[-1]["shown"][1]),
    )


def outside_lines(report: OutsideReport) -> str:
    """The same for a terminal; what the coin was flipped for stands below the flips, before the other speakers."""
    finding, coin = (fill(said, WIDTH) for said in (outside_words(report), coin_words(report)))
    tables = [to_terminal(table) for table in outside_tables(report)]
    return "\n".join([finding, "", *tables[:2], f"{coin}\n", *tables[2:]])


def _estimate(kept: Mapping[str, float | None] | None) -> Estimate:
    """What was not measured, or JSON has no number for, is not known."""
    if kept is None:
        return UNKNOWN
    return Estimate(**{end: nan if value is None else value for end, value in kept.items()})
