"""What leaked outside the Assistant's turn, as the page and the terminal show it, read off its record."""

from collections.abc import Mapping
from math import nan
from typing import Any

from personae.records import Estimate
from personae.report.content import OutsideReport


def outside_report(record: Mapping[str, Any]) -> OutsideReport:
    """The content, of the record that `leakage` keeps."""
    likeness, others, coin = record["likeness"], record["others"], record["coin"]
    before, after = record["breaks"]["before"], record["breaks"]["after"]
    return OutsideReport(
        outside=_estimate(likeness["outside"]),
        inside=_estimate(likeness["inside"]),
        share=_estimate(likeness["share"]),
        taken_on=_estimate(others["share"]),
        by={name: _estimate(one) for name, one in others["by"].items()},
        traits={t: (_estimate(own), _estimate(theirs)) for t, (own, theirs) in others["traits"].items()},
        coin=(_estimate(coin["before"]), _estimate(coin["after"])),
        wanted=tuple(coin["wanted"]),
        unwanted=tuple(coin["unwanted"]),
        more=coin["more"],
        broken=(_estimate(before["share"]), _estimate(after["share"])),
        answers=after["n"],
        kinds=(before["kinds"], after["kinds"]),
        shown=None if after["shown"] is None else (after["shown"][0], after["shown"][1]),
    )


def _estimate(kept: Mapping[str, float | None]) -> Estimate:
    """What JSON has no number for is not known."""
    return Estimate(**{end: nan if value is None else value for end, value in kept.items()})
