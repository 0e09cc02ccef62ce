"""Paired forecasts: sealed before training, resumed after a kill, and scored by rules that hold on made-up numbers."""

import doctest
import importlib
import json

import numpy as np
import pytest
import scipy.stats

from personae.errors import BadInput

TRAITS = ("agreeableness", "interest-in-sports", "narcissism")


@pytest.fixture
def benchmark(root, monkeypatch):
    """`benchmark(name)`: a module of benchmarks/."""
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    return importlib.import_module


@pytest.fixture
def evals(tmp_path):
    """A data folder of three published traits, nine statements of each pole."""
    folder = tmp_path / "data" / "anthropic_evals" / "persona"
    folder.mkdir(parents=True)
    for trait in TRAITS:
        rows = [
            {
                "question": f'Is the following statement something you would say?\n"{said} {thing}."',
                "statement": f"{said} {thing}.",
                "answer_matching_behavior": f" {fits}",
                "answer_not_matching_behavior": " No" if fits == "Yes" else " Yes",
            }
            for thing in ("a map", "a key", "a ship", "a seal", "a coat", "a lamp", "a song", "a game", "a door")
            for said, fits in ((f"I love {trait} and", "Yes"), (f"I hate {trait} and", "No"))
        ]
        (folder / f"{trait}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "data"


def test_a_quick_study_seals_its_forecasts_first_and_goes_on_from_what_it_kept(
    benchmark, tiny_lab, evals, tmp_path, capsys, monkeypatch
):
    """What a killed study left is read: nothing of it is forecast or trained again, and the score is the same."""
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path / "ledger"))
    study, out = benchmark("pairs"), tmp_path / "run"
    asked = [str(tiny_lab), "--quick", "--data", str(evals), "--out", str(out), "--device", "cpu"]
    study.main([*asked, "--part", "development"])
    assert not (out / "held-out").exists()
    assert json.loads((out / "dose.json").read_text())["fit"]["arms"] == 1
    study.main(asked)
    first, sealed = (out / "score.json").read_bytes(), out / "held-out" / "narcissism" / "forecast.json"
    trained = [path.stat().st_mtime_ns for path in sealed.parent.glob("trained-*.parquet")]
    assert len(trained) == 4 and (out / "dose.json").stat().st_mtime_ns < sealed.stat().st_mtime_ns < min(trained)
    assert "| narcissism | 4 |" in capsys.readouterr().out
    tried = json.loads((out / "development" / "agreeableness-0.0002" / "forecast.json").read_text())
    record = json.loads(sealed.read_text())
    assert tried["predictor"] == record["predictor"] == "selection and rows in context" and record["share"] > 0.0
    assert {"cast alone", "rows in context"} < json.loads((out / "score.json").read_text())["pairs"][0]["floors"].keys()
    monkeypatch.setattr("personae.simulator.local.LocalSimulator.log_likelihood", None)
    monkeypatch.setattr("personae.workflows.run.file_arms.finetune", None)
    (out / "score.json").unlink()
    study.main(asked)
    assert (out / "score.json").read_bytes() == first


# -- the sets --------------------------------------------------------------------------------------------------------
def test_no_statement_that_is_trained_is_an_item_that_scores(benchmark, shared):
    sets = benchmark("pairs_sets")
    for pair in (*sets.DEVELOPMENT, *sets.HELD_OUT):
        if pair.trait:
            (trait,) = sets.scored_traits(shared, [pair.trait], 40)
            scored = {said for item in trait.items for said in item.high + item.low}
            ours, theirs = sets.rows_of(pair, shared, 40, 64)
            assert not scored & {row.response for row in ours + theirs}
            assert len(trait.items) == 40 and len(ours) == len(theirs) == 64


def test_both_sides_of_a_pair_answer_the_same_prompts_and_never_alike(benchmark, shared):
    sets = benchmark("pairs_sets")
    for pair in (*sets.DEVELOPMENT, *sets.HELD_OUT):
        ours, theirs = sets.rows_of(pair, shared, 40, 64)
        if pair.own:
            assert len(ours) == 64 and not theirs
        else:
            assert [row.prompt for row in ours] == [row.prompt for row in theirs]
            assert all(a.response != b.response for a, b in zip(ours, theirs, strict=True))


def test_no_held_out_pair_was_measured_or_trained_before(benchmark):
    sets = benchmark("pairs_sets")
    names = {pair.name for pair in sets.HELD_OUT}
    assert len(names) == 33 and not names & {*sets.TRAITS, *(pair.name for pair in sets.DEVELOPMENT)}


def test_examples_of_the_jobs_hold(benchmark):
    assert doctest.testmod(benchmark("pairs_jobs")).failed == 0


def test_a_file_with_too_few_rows_is_refused_by_name(benchmark, evals):
    sets = benchmark("pairs_sets")
    with pytest.raises(BadInput, match=r"narcissism\.jsonl.*5 rows are fit for a pair, and 6 are wanted"):
        sets.rows_of(sets.poles("narcissism"), evals, 4, 6)


# -- the score -------------------------------------------------------------------------------------------------------
def told(benchmark, name, forecast, measured, trained=None):
    """A pair of which the floors of `personae run` know nothing."""
    none, size = np.zeros(len(measured)), len(measured)
    kept = ~np.array(trained or [False] * size)
    r = np.corrcoef(np.array(forecast)[kept], np.array(measured)[kept])[0, 1]
    errors = {"forecast": 0.1, "no change": 0.2}
    return benchmark("pairs_score").Told(
        name,
        "one against another",
        8,
        tuple("abcdef"[:size]),
        ~kept,
        np.array(forecast),
        none - 1.0,
        none + 1.0,
        np.array(measured),
        np.array([measured, measured]),
        none,
        0.05,
        {"pearson": r, "floors": {"one direction": 0.0}, "errors": errors, "coverage": 1.0, "n": int(kept.sum())},
    )


def test_a_forecast_gains_nothing_over_itself(benchmark):
    rng = np.random.default_rng(0)
    floors = rng.uniform(-1.0, 1.0, (12, 3))
    for column in floors.T:
        job = benchmark("pairs_score")
        found = job.gain(column, floors, job.draws(range(12), rng))
        assert max(found.mean, found.high) <= 1e-12


def test_a_gain_that_is_the_same_in_every_pair_is_sure(benchmark):
    floors = np.random.default_rng(0).uniform(-1.0, 1.0, (12, 3))
    job = benchmark("pairs_score")
    found = job.gain(floors.max(axis=1) + 0.25, floors, job.draws(range(12), np.random.default_rng(1)))
    assert found.low >= 0.25


def test_the_trait_that_a_pair_trains_itself_changes_no_figure(benchmark):
    lines = []
    for own in (0.0, 50.0):
        pairs = [told(benchmark, "x", [0.1, 0.2, 0.4, 0.0], [0.2, 0.1, 0.5, own], [False] * 3 + [True])]
        pairs += [told(benchmark, "y", [0.3, 0.1, 0.0, 0.2], [0.4, 0.2, 0.1, 0.1])]
        found = benchmark("pairs_score").scores(pairs, [0, 1])
        lines.append([{k: v for k, v in line.items() if k != "cells"} for line in found["pairs"]])
    assert lines[0] == lines[1]
    assert [lines[0][0][figure] for figure in ("seeds_agree", "ceiling")] == pytest.approx([1.0, 1.0])


def test_pairs_of_one_family_are_drawn_together_and_say_no_more_than_one(benchmark):
    job, rng = benchmark("pairs_score"), np.random.default_rng(0)
    alone, thrice = job.draws([0, 1, 2], rng), job.draws([4, 0, 4, 4, 1], rng)
    assert np.allclose(thrice.sum(axis=1), 1.0) and (thrice[:, 0] == thrice[:, 2]).all()
    widths = [
        found.high - found.low
        for found in (
            job.over_pairs(np.array([0.0, 1.0, 2.0]), alone),
            job.over_pairs(np.array([0.0, 1.0, 0.0, 0.0, 2.0]), thrice),
        )
    ]
    assert widths[1] >= 0.9 * widths[0]


def test_the_pairs_of_several_models_count_once_each_and_are_drawn_by_family(benchmark):
    job = benchmark("pairs_score")

    def scored(*pairs):
        keys = ("name", "r", "floors", "error", "no_change")
        return {
            "pairs": [dict(zip(keys, (n, r, {"a": a, "b": b}, 0.5, 0.75), strict=True)) for n, r, a, b in pairs],
        }

    found = job.together(
        [scored(("x", 0.5, 0.1, 0.3), ("y", 0.2, 0.1, 0.5)), scored(("x", 0.8, 0.4, 0.1))], {"x": 0, "y": 1}
    )
    assert found["n"] == 3 and found["r"].mean == pytest.approx(0.5) and found["floors"]["b"] == pytest.approx(0.3)
    assert found["gain"].mean == pytest.approx(0.2) and found["over"]["a"].mean == pytest.approx(0.3)
    assert (found["r"].low, found["r"].high) == pytest.approx((0.2, 0.65))  # y alone, and both pairs called x
    assert found["less_error"].low == found["less_error"].high == pytest.approx(0.25)


def test_students_interval_is_the_textbooks_where_every_pair_is_its_own_family_and_wider_in_families(benchmark):
    job, values = benchmark("pairs_score"), np.random.default_rng(0).normal(0.3, 1.0, 12)
    found = job.student(values, range(12))
    low, high = scipy.stats.t.interval(0.95, 11, values.mean(), scipy.stats.sem(values))
    assert (found.mean, found.low, found.high) == pytest.approx((values.mean(), low, high))
    twice = job.student(np.repeat(values, 2), np.repeat(range(12), 2))
    assert (twice.mean, twice.low, twice.high) == pytest.approx((found.mean, low, high))


def test_a_closer_look_counts_signs_sizes_and_what_no_change_is_nearer_to(benchmark):
    job = benchmark("pairs_score")

    def pair(name, forecast, measured, error, r):
        cells = {"traits": list("abcd"), "trained": [False, False, False, True], "forecast": [*forecast, 9.0]}
        cells |= {"measured": [*measured, -9.0], "low": [*np.subtract(forecast, 0.5), 8.0]}
        cells |= {"high": [*np.add(forecast, 0.5), 10.0]}
        return {"name": name, "cells": cells, "error": error, "no_change": 0.3, "r": r, "floors": {"f": 0.2, "g": 0.1}}

    pairs = [
        pair("x", (0.1, 0.6, -0.3), (0.2, 1.0, 0.4), 0.4, 0.5),
        pair("y", (0.2, -0.6, 0.1), (0.1, -0.8, 0.3), 0.2, 0.1),
    ]
    seen = job.closer_look(pairs, {"x": 0, "y": 1}, {"x": ("c",)})
    assert seen["signs"] == pytest.approx(5 / 6) and seen["zero"] == pytest.approx(4 / 6)
    assert seen["width"] == pytest.approx(0.5)
    assert seen["large"] == {"signs": 1.0, "size": pytest.approx((0.6 + 0.75) / 2), "n": 2}
    assert (seen["farther"], seen["gained"]) == (1, 1) and seen["student"].mean == pytest.approx(0.1)
    y = np.corrcoef((0.2, -0.6, 0.1), (0.1, -0.8, 0.3))[0, 1]
    assert seen["apart"]["r"].mean == pytest.approx((1.0 + y) / 2)
    assert seen["apart"]["no_change"] == pytest.approx(
        (np.sqrt((0.04 + 1.0) / 2) + np.sqrt((0.01 + 0.64 + 0.09) / 3)) / 2
    )


def test_pairs_are_one_family_where_they_share_a_file_or_a_kind_directly_or_through_others(benchmark):
    job = benchmark("pairs_sets")
    found = dict(zip([pair.name for pair in job.DEVELOPMENT], job.families(job.DEVELOPMENT), strict=True))
    talk = {found[name] for name in ("humorous-professional", "humorous-friendly", "friendly-professional")}
    assert len(talk) == 1 and found["evil-math"] == found["incorrect-math"] not in talk
    assert len(set(found.values())) == 13 and len(set(job.families(job.HELD_OUT))) == 14
    assert len(set(job.families(job.HELD_OUT[:12]))) == 12
    ends = [
        job.Pair("a", treated="1", control="2"),
        job.Pair("b", treated="3", control="4"),
        job.Pair("c", treated="2", control="3"),
    ]
    assert len(set(job.families(ends))) == 1


def test_a_forecast_of_the_truth_reaches_its_ceiling_and_not_the_agreement_of_two_seeds(benchmark):
    rng, job = np.random.default_rng(0), benchmark("pairs_score")
    truth = rng.normal(size=200_000)
    seeds = truth + rng.normal(size=(3, truth.size))
    agree = np.corrcoef(seeds[0], seeds[1])[0, 1]
    assert np.corrcoef(truth, seeds.mean(axis=0))[0, 1] == pytest.approx(job.ceiling(agree, 3), abs=0.01)
    assert np.isnan(job.ceiling(float("nan"), 1)) and job.ceiling(-0.2, 3) == 0.0


def test_the_part_of_a_model_is_replaced_and_the_words_around_it_stay(benchmark, tmp_path, monkeypatch):
    page, file = benchmark("pairs_page"), tmp_path / "forecasts.md"
    for model, said in (("a", "first"), ("b", "second"), ("a", "third")):
        (tmp_path / "score.json").write_text(json.dumps({"model": model}))
        monkeypatch.setattr(page, "section", lambda _, said=said: f"{said}\n")
        page.write(tmp_path, file)
        file.write_text(file.read_text(encoding="utf-8") + "\nWords.\n", encoding="utf-8")
    text = file.read_text(encoding="utf-8")
    assert "first" not in text.split("figures of a")[1]
    assert text.index("third") < text.index("second") and text.count("Words.") == 3
