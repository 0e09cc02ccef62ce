"""What a comparison says in words: the name and how far it was tried, what is left, and when nothing can be told."""

from dataclasses import asdict, replace

import pytest

from personae.records import Estimate
from personae.report.compare_content import CompareReport, Looks, NextModelRow, OutsideReport
from personae.report.compare_page import compare_page
from personae.report.content import TraitRow
from personae.studies.plants import PLAN
from personae.workflows.compare.compare_words import compare_words
from personae.workflows.compare.untried import BATCH, RATE, REAL, STEPS, untried

BASE = "d1"


@pytest.fixture
def report():
    some = Estimate(0.5, 0.4, 0.6)
    row = TraitRow("joy", 0.0, measured=some, meaning="joyful")
    nothing_leaked = OutsideReport(
        some, some, some, some, {}, {}, (some, some), ("tea",), ("rain",), 1.0, (some, some), 8, ({}, {}), None
    )
    return CompareReport(
        base="lab", post="runs/cheats", contexts=400, changed=some, share=Estimate(0.62, 0.51, 0.73), floor=0.2,
        floors=(0.18, 0.22), ceiling=Estimate(0.9, 0.86, 0.93), left=Estimate(0.031, 0.024, 0.043),
        before={"pirate": 0.1}, after={"pirate": 1.0},
        levels=(row,), shifts=(row,), next_models=(NextModelRow("topic", some, some, 13, True),), places=(), most=(),
        looks=Looks("reweighting", {"reweighting": 1.0}, some, ()), untried="", leaked=nothing_leaked,
    )  # fmt: skip


def card(planned, **changes):
    return {"method": "sft", "base_digest": BASE, "steps": planned.steps, "plan": asdict(planned), **changes}


def both(report):
    """The terminal's words on one line, and the page."""
    return " ".join(compare_words(report).split()), " ".join(compare_page(report).split())


# -- where a name was tried --------------------------------------------------------------------------------------------
def test_bounds_are_for_the_size_of_the_planted_trainings():
    assert (PLAN.steps, pytest.approx(PLAN.rate), PLAN.batch) == (STEPS, RATE, BATCH)
    assert untried(card(PLAN), BASE) == ""


@pytest.mark.parametrize("times", [0.51, 1.9])
def test_a_training_within_a_factor_of_two_is_one_that_was_tried(times):
    assert untried(card(replace(PLAN, rate=PLAN.rate * times)), BASE) == ""


@pytest.mark.parametrize("times", [0.49, 2.1])
def test_a_training_of_another_size_is_told(times):
    said = untried(card(replace(PLAN, rate=PLAN.rate * times)), BASE)
    assert f"{times:.2g} times as much" in said
    assert "\n" not in said


def test_what_counts_is_the_steps_that_were_taken():
    assert "25 steps of 16" in untried(card(PLAN, steps=25), BASE)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "dpo"}, "by dpo"),
        ({"base_digest": "d2"}, "from another model than the base"),
        ({"plan": asdict(replace(PLAN, tuning="lora"))}, "of adapters (lora)"),
    ],
)
def test_another_kind_of_training_is_told(changes, words):
    assert words in untried(card(PLAN, **changes), BASE)


@pytest.mark.parametrize("none", [{}, {"plan": "?"}, {"plan": {"steps": 8}}, {"plan": {**asdict(PLAN), "rate": "x"}}])
def test_a_model_whose_card_tells_no_size_is_told(none):
    assert "no card that tells its own" in untried(none, BASE)


def test_terminal_and_page_say_it_beside_the_name(report):
    said = untried({}, BASE)
    assert all(said in shown and "What is left looks like" in shown for shown in both(replace(report, untried=said)))
    assert not any("no card that tells" in shown for shown in both(report))


def test_on_a_real_model_it_is_said_that_nothing_is_named(report):
    for shown in both(replace(report, looks=None, untried=REAL)):
        assert "nothing is named: the bounds were never tried on such a model" in shown.replace("Nothing", "nothing")
        assert "What is left looks like" not in shown


# -- how sure ----------------------------------------------------------------------------------------------------------
def test_a_model_that_training_has_broken_is_not_to_be_read_and_that_stands_first(report):
    terminal, page = both(
        replace(report, broken="training has broken the model (coherence: tuned 0.050, untrained 0.410)")
    )
    assert terminal.startswith("INCOHERENT: do not read these shifts; training has broken the model (coherence: tuned")
    assert "Incoherent" in page and "tuned 0.050" in page
    assert not any("ncoherent" in one for one in both(report))


def test_share_floor_ceiling_and_what_is_left_come_with_their_intervals(report):
    for shown in (one.replace("\u00a0", " ") for one in both(report)):
        for words in ("62 % (51 % to 73 %)", "20 % (2 of them, 18 % to 22 %)", "90 % (86 % to 93 %)", "0.024 to 0.043"):
            assert words in shown


def test_the_share_of_the_next_models_comes_with_its_interval(report):
    one = replace(report.next_models[0], share=Estimate(0.71, 0.65, 0.77))
    assert all(
        "71 % (65 % to 77 %)" in shown.replace("\u00a0", " ") for shown in both(replace(report, next_models=(one,)))
    )


def test_what_was_not_tried_is_not_said_to_be_the_same_everywhere(report):
    untried_models = (replace(report.next_models[0], price=0, worth=False),)
    for none in ((), untried_models):
        assert "was not tried" in compare_page(replace(report, next_models=none))
    tried = compare_page(replace(report, next_models=(replace(report.next_models[0], worth=False),)))
    assert "explain no more than they cost" in tried and "was not tried" not in tried
    for shown in both(report):
        assert "groups of contexts that could be compared" in shown


@pytest.mark.parametrize(("low", "told"), [(0.1, False), (0.2, False), (0.21, True)])
def test_the_terminal_says_when_the_share_cannot_be_told(report, low, told):
    shown = compare_words(replace(report, share=Estimate(0.62, low, 0.73)))
    assert ("The share cannot be told" in shown) is not told


def test_a_share_of_one_trait_has_no_floor_and_says_so(report):
    for shown in both(replace(report, floor=float("nan"), floors=())):
        assert "of one trait alone" in shown and "nobody is anybody explain" not in shown and "nan" not in shown.lower()


@pytest.mark.parametrize(
    ("ceiling", "noise"),
    [(float("nan"), "rounding"), (-0.2, "what another seed makes"), (0.0, "what another seed makes")],
)
def test_what_a_change_is_held_to_is_said_where_it_is_not_above_it(report, ceiling, noise):
    none = Estimate(float("nan"), float("nan"), float("nan"))
    for shown in both(replace(report, share=none, ceiling=Estimate(ceiling, ceiling, ceiling))):
        assert f"Nothing changed beyond {noise}: there is nothing to explain." in shown


def test_where_nothing_changed_the_share_is_not_said_to_be_untold(report):
    none = Estimate(float("nan"), float("nan"), float("nan"))
    shown = compare_words(replace(report, share=none, floor=float("nan"), floors=()))
    assert "there is nothing to explain" in shown
    assert "cannot be told:" not in shown
