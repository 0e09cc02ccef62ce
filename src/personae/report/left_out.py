"""The section of the page of `personae filter`, and the tables and the sentence that the terminal shows too.

A share is how far a row moves a trait towards the pole that is not wanted, nats; the shares of all rows of a file add
up to the cast's part of its forecast shift. Nothing is computed here.
"""

from collections.abc import Sequence

from personae.records import Forecast
from personae.report.blocks import Block, Prose, Section
from personae.report.content import LeftOut, LeftOutRow
from personae.report.numbers import plain, signed
from personae.report.tables import Table

_CHANCE = (
    "By chance a usual row passes it in one file of twenty if their shares are normal, and in more where most rows say "
    "next to nothing."
)
DIGITS = 4  # of a row's share: a long file has small ones


def left_out_section(before: Forecast, left_out: LeftOut) -> Section:
    """Which rows went, and what the file would do without them."""
    if not left_out.rows:
        return Section("What was left out", (left_out_sentence(left_out),))
    flatters = (
        "The forecast without them is made from the same scores, at the same dose. The rows were chosen by these "
        "scores, so it flatters; and what moves one trait less may move another more."
    )
    blocks: list[Block] = [still_table(before, left_out), left_out_table(left_out, left_out.rows)]
    if more := left_out.dropped - len(left_out.rows):
        blocks.append(Prose((f"{more} more are in dropped.jsonl.",)))
    return Section("What was left out", (left_out_sentence(left_out), flatters), tuple(blocks))


def left_out_sentence(left_out: LeftOut) -> str:
    """How many rows went, and why these."""
    every, aim = left_out.dropped + left_out.kept, f"{left_out.trait} to its {left_out.pole} pole"
    if left_out.bound is None:
        if not left_out.dropped:
            return f"No row of {every} moves {aim}. All were copied as they are."
        return f"{left_out.dropped} of {every} rows went: those that move {aim} most."
    bound = f"the bound of {signed(left_out.bound, DIGITS)} nats"
    if not left_out.dropped:
        return f"No row of {every} stands out: none moves {aim} beyond {bound}. All were copied as they are."
    chance = f" {_CHANCE}" if left_out.bound > 0.0 else ""
    return f"{left_out.dropped} of {every} rows went: each moves {aim} beyond {bound}.{chance}"


def left_out_table(left_out: LeftOut, rows: Sequence[LeftOutRow]) -> Table:
    """The rows that went, the largest share first."""
    in_list = any(row.line != row.index + 1 for row in rows)  # a row is told by its place, which may not be its line
    where = [f"{row.line}, item {row.index + 1}" if in_list else str(row.line) for row in rows]
    cells = tuple((at, signed(row.nats, DIGITS), row.words) for at, row in zip(where, rows, strict=True))
    return Table(("line", f"{left_out.trait}, nats", "answer"), cells, "Rows that went", frozenset({0, 1}))


def still_table(before: Forecast, left_out: LeftOut) -> Table:
    """Every trait's forecast shift with the rows and without them: the one that was aimed at, then the largest."""
    after = left_out.forecast.traits
    order = sorted(before.traits.items(), key=lambda pair: (pair[0] != left_out.trait, -abs(pair[1].shift)))
    rows = tuple(
        (
            trait,
            signed(t.shift),
            signed(after[trait].shift),
            f"{signed(after[trait].low - after[trait].base)} to {signed(after[trait].high - after[trait].base)}",
            signed(after[trait].shift - t.shift),
        )
        for trait, t in order
    )
    columns = ("trait", "shift, nats", "without them", "95 % interval", "change")
    caption = f"Forecast with all rows, and with the {plain(left_out.kept, 0)} that stay"
    return Table(columns, rows, caption, frozenset({1, 2, 3, 4}), stacks=True)
