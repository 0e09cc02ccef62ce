"""A comparison in words: what the page is drawn from, and the same for a terminal."""

import math
from itertools import zip_longest
from textwrap import fill

from personae.records import Estimate
from personae.report.compare_content import CompareReport, LeftContext, LeftPlace, Looks, NextModelRow
from personae.report.compare_page import (
    NOWHERE,
    left_words,
    named_words,
    next_table,
    places_table,
    share_words,
    untold,
    who_table,
)
from personae.report.content import TraitRow
from personae.report.tables import shift_table, to_terminal
from personae.workflows.compare.compare import Compared
from personae.workflows.compare.comparison import Left
from personae.workflows.compare.naming import Named
from personae.workflows.compare.tokens_left import Tokens
from personae.workflows.measure.coherence_words import broken_words, incoherent_words
from personae.workflows.measure.leakage_words import WIDTH, outside_lines, outside_report

PLACES = 6


def compare_report(found: Compared) -> CompareReport:
    """The content of the page."""
    comparison, record = found.comparison, found.record
    meaning, base = {trait.name: trait.high for trait in found.question.traits}, found.basis.base_levels()
    return CompareReport(
        base=found.question.base.name,
        post=found.question.post.name,
        contexts=len(comparison.asked.probes),
        changed=comparison.whole.changed,
        share=comparison.whole.share,
        floor=comparison.floor,
        floors=comparison.floors,
        ceiling=comparison.ceiling,
        left=comparison.residual,
        before=record["who"]["before"],
        after=record["who"]["after"],
        levels=tuple(_row(t, shift, meaning[t], base[t]) for t, shift in found.shift.items()),
        shifts=tuple(_row(t, shift, meaning[t]) for t, shift in found.shift.items()),
        next_models=tuple(
            NextModelRow(what, one.share, one.gain, one.price, one.worth) for what, one in comparison.by.items()
        ),
        places=tuple(LeftPlace(p.what, p.many, p.left, p.above, p.share) for p in comparison.places[:PLACES]),
        most=tuple(_left(one, tokens) for one, tokens in zip_longest(comparison.most, record["residual"]["tokens"])),
        looks=None if found.named is None else _looks(found.named),
        untried=record["untried"],
        leaked=outside_report(record["leakage"]),
        broken=broken_words({found.question.post.name: record["coherence"]["post"]}, record["coherence"]["base"]),
    )


def _row(trait: str, shift: Estimate, meaning: str, base: float = 0.0) -> TraitRow:
    measured = Estimate(base + shift.mean, base + shift.low, base + shift.high)
    return TraitRow(trait, base, measured=measured, meaning=meaning)


def _left(one: Left, tokens: Tokens | None) -> LeftContext:
    said = tuple((turn.role, turn.content) for turn in one.said)
    return LeftContext(said, one.left, one.outcome, one.before, one.after, one.reweighted, tuple(tokens or ()))


def _looks(named: Named) -> Looks:
    return Looks(named.residue.name, named.draws, named.spans["loud"], named.residue.where)


def compare_words(report: CompareReport) -> str:
    """Share, who answers, traits, where the rest is and what leaked, for a terminal."""
    parts = [fill(incoherent_words(report.broken), WIDTH)] if report.broken else []
    parts += [fill(share_words(report), WIDTH), ""]
    why = untold(report)
    parts += [fill(f"The share cannot be told: it is {why}.", WIDTH) + "\n"] if why else []
    parts.append(to_terminal(shift_table(list(report.shifts), shifts=True)))
    if not math.isnan(report.share.mean):
        parts.append(fill(left_words(report), WIDTH) + "\n")
        parts.append(to_terminal(who_table(report)))
        parts += [to_terminal(next_table(report))] if report.next_models else []
        parts += [fill(words, WIDTH) + "\n" for words in named_words(report)]
        parts.append(to_terminal(places_table(report)) if report.places else NOWHERE)
    return "\n".join([*parts, "", outside_lines(report.leaked)])
