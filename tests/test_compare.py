"""`personae compare`: what is a reweighting is seen as one, what is not is seen where it is, and nothing is nothing."""

import importlib
import json
import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from personae.cli.main import run
from personae.errors import BadInput
from personae.measure.answers import outcome_probabilities
from personae.records import ELSE, Message, Probe
from personae.report.compare_page import who_table
from personae.report.numbers import percent
from personae.theory import divergence, mixture_levels
from personae.training.new_model import PretrainPlan, new_model
from personae.workflows.compare import compare as job
from personae.workflows.compare.compare import compare, question_of, who_then_and_now
from personae.workflows.compare.compare_words import compare_report
from personae.workflows.compare.compared_answers import asked_of_items, asked_of_probes
from personae.workflows.compare.comparison import compared, outcomes_of, places
from personae.workflows.compare.tokens_left import MOST, tokens_left
from personae.workflows.kept.folder import open_folder, read_record
from personae.workflows.watch import unwatched
from personae.world import ExactSimulator, Language, cast, declared
from personae.world.probes import DONE, probes
from tiny_models import worded

NUMBER = 160


@pytest.fixture(scope="module")
def asked():
    """What the declared world answers, exactly: contexts without tasks, which nobody there can do."""
    world = declared()
    language = Language(world)
    drawn = tuple(p for p in probes(world, language, NUMBER, seed=3) if not p.topic.startswith("task"))
    return asked_of_probes(ExactSimulator(world, language), cast(world, language, declared_prior=True), drawn)


@pytest.fixture(scope="module")
def names():
    return cast(declared(), Language(declared()), declared_prior=True).names


@pytest.fixture(scope="module")
def known(root):
    """The blends of `benchmarks/known_mixtures.py`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "benchmarks"))
        yield importlib.import_module("known_mixtures")


@pytest.fixture(scope="module")
def drawn(known):
    """As many contexts as `compare` draws, and the cast's names: in a hundred a fit falls further short."""
    return known.exact()


def selected(asked, names, **weights):
    return np.tensordot([weights.get(n.replace(" ", "_"), 0.0) for n in names], asked.cast, axes=1)


def test_every_context_is_a_distribution_and_closed_ones_leave_something_else(asked):
    assert np.allclose(asked.cast.sum(axis=2), 1.0)
    for place, probe in enumerate(asked.probes):
        assert outcomes_of(probe)[-1] == ELSE
        assert asked.base[place, len(probe.outcomes)] < 1e-6  # the exact world says nothing else
        assert (asked.base[place, len(outcomes_of(probe)) :] == 0.0).all()


def test_contexts_are_drawn_alike_each_time_and_have_tasks_among_them():
    world = declared()
    language = Language(world)
    one, again, other = (probes(world, language, 60, seed=seed) for seed in (1, 1, 2))
    assert one == again != other
    assert any(DONE in probe.outcomes for probe in one)
    assert {len(probe.before) for probe in one} == {0, 1, 2}


def test_a_selection_among_the_cast_is_explained_and_named(asked, names):
    post = selected(asked, names, con_artist=0.7, pirate_captain=0.3)
    found = compared(names, asked, post)
    assert found.whole.share.mean > 0.99
    assert found.floor < 0.8
    assert found.weights == pytest.approx({"con artist": 0.7, "pirate captain": 0.3}, abs=0.02)
    assert not any(one.worth for one in found.by.values())


def test_a_persona_that_buys_nothing_is_not_among_those_who_speak(asked, names):
    """Neutral is a mixture of the others, so that a fit gives them a hair of what is its own."""
    found = compared(names, asked, 0.98 * asked.base + 0.02 * selected(asked, names, con_artist=1.0))
    assert list(found.weights) == [names[k] for k in found.speaking] == ["neutral", "con artist"]


def test_who_answers_is_read_alike_before_and_after(exact_setting):
    """A training that lifts one character a little is not shown as the fall of it."""
    basis = exact_setting.exact.basis
    lifted, tables = basis.cast.names.index("con artist"), basis.levels.by_trait
    mixed = {t: mixture_levels([0.98, 0.02], np.stack([own, tables[t][lifted]])) for t, own in basis.base.items()}
    same, little = who_then_and_now(basis, basis.base), who_then_and_now(basis, mixed)
    assert same["before"] == same["after"] == little["before"]
    rose = {n: little["after"][n] - little["before"][n] for n in basis.cast.names}
    assert max(rose, key=rose.get) == "con artist" and rose["con artist"] > 0.005


def test_what_is_planted_on_one_topic_is_found_there(asked, names):
    post = selected(asked, names, con_artist=0.7, pirate_captain=0.3)
    topic, _ = Counter(probe.topic for probe in asked.probes).most_common(1)[0]
    inside = [place for place, probe in enumerate(asked.probes) if probe.topic == topic]
    post[inside] = 0.0
    for place in inside:  # says something that nobody says
        post[place, len(asked.probes[place].outcomes)] = 0.9
        post[place, 0] = 0.1
    found = compared(names, asked, post)
    assert found.places[0].what == f"asked about {topic}"
    assert found.places[0].share > 0.9
    assert {one.outcome for one in found.most[: len(inside)]} == {ELSE}
    assert found.most[0].said[-1].role == "user"


def test_what_is_left_is_found_by_form_by_turn_and_by_how_much_stands_before(asked):
    """A third is asked as raw text, a third after other turns; something is left in one of these places."""
    number = len(asked.probes)
    turns = (Message(role="user", content="Hello."), Message(role="assistant", content="Hello."))
    every = [p.model_copy(update={"form": "text"} if n % 3 == 1 else {}) for n, p in enumerate(asked.probes)]
    every = [p.model_copy(update={"messages": turns + p.messages} if n % 3 == 2 else {}) for n, p in enumerate(every)]
    inside = {
        "form: text": np.arange(number) % 3 == 1,
        "turns before it: 2": np.arange(number) % 3 == 2,
        "sentences before it: 0": np.array([not probe.before for probe in every]),
    }
    for what, here in inside.items():
        assert places(every, here + 0.01, asked.clusters)[0].what == what


def test_where_what_is_left_lies_anywhere_no_place_is_named(asked):
    """Of so many features some stands out by chance; by the intervals of all together, in one comparison of forty."""
    rng, number = np.random.default_rng(5), len(asked.probes)
    found = [places(asked.probes, rng.lognormal(-4.0, 1.2, number), asked.clusters, seed=k) for k in range(24)]
    assert sum(map(bool, found)) <= 2


@pytest.mark.parametrize("percent", range(0, 101, 10))
@pytest.mark.parametrize("what", ["what nobody says", "what the cast says least"])
def test_the_share_of_a_known_mixture_comes_back(known, drawn, what, percent):
    fitted, formula = known.shares(drawn[0], known.blended(*drawn, what, percent))
    assert fitted == pytest.approx(formula, abs=0.05)


@pytest.mark.parametrize("what", ["what nobody says", "what the cast says least"])
def test_what_a_known_mixture_is_blended_with_is_outside_the_hull(known, drawn, what):
    assert known.best_left(drawn[0], known.blended(*drawn, what, 0)).mean() < 1e-6
    assert known.best_left(drawn[0], known.blended(*drawn, what, 10)).mean() > 0.005
    assert known.best_left(drawn[0], known.foreign(drawn[0], what)).mean() > 0.5


def test_a_twin_gives_the_ceiling_by_the_same_formula(asked, names):
    post, twin = (selected(asked, names, con_artist=w, pirate_captain=1 - w) for w in (0.7, 0.6))
    found = compared(names, asked, post, twin)
    truth = 1.0 - divergence(post, twin).sum() / divergence(post, asked.base).sum()
    assert found.ceiling.mean == pytest.approx(truth)
    assert found.ceiling.low < truth < found.ceiling.high
    assert np.isnan(compared(names, asked, post).ceiling.mean)


def test_a_change_no_larger_than_what_another_seed_makes_has_no_share(asked, names):
    """A change towards the pirate captain whose twin went as far towards the con artist: the share is the seed's."""
    post, twin = (
        0.9 * asked.base + 0.1 * selected(asked, names, **{who: 1.0}) for who in ("pirate_captain", "con_artist")
    )
    assert divergence(post, twin).mean() > divergence(post, asked.base).mean() > 1e-3
    alone, held = compared(names, asked, post), compared(names, asked, post, twin)
    assert alone.whole.share.mean > 0.9
    assert np.isnan([held.whole.share.mean, *(one.share.mean for one in held.by.values())]).all() and held.by
    assert held.ceiling.mean < 0.0


def test_what_is_left_has_an_interval_by_question_and_the_floor_its_draws(asked, names):
    flat = np.sqrt(asked.base)
    found = compared(names, asked, flat / flat.sum(axis=1, keepdims=True))
    assert found.residual.mean == pytest.approx(found.whole.left.mean())
    assert found.residual.low < found.residual.mean < found.residual.high
    assert found.floor == pytest.approx(np.mean(found.floors))
    assert min(found.floors) < max(found.floors)


def test_items_are_contexts_whose_answers_are_the_levels(exact_setting):
    lab, basis = exact_setting.lab, exact_setting.exact.basis
    found = asked_of_items(basis, lab.traits)
    assert len(found.probes) == sum(len(trait.items) for trait in lab.traits)
    direct = outcome_probabilities(lab.exact, found.probes[:5], [""])[0]
    assert np.allclose(found.base[:5], direct)


def test_items_of_two_traits_are_questions_of_their_own_and_poles_of_one_name_are_told_apart(exact_setting):
    lab, basis = exact_setting.lab, exact_setting.exact.basis
    same = [t.model_copy(update={"high": "so", "low": "so"}) for t in lab.traits]
    found = asked_of_items(basis, tuple(same))
    assert len(set(found.clusters)) == len(found.probes)
    assert set(found.probes[0].outcomes) == {"high", "low"}


def test_no_token_is_told_of_what_is_no_conversation(asked, names, tmp_path):
    """Raw text is asked of nobody: no model is looked at."""
    raw = replace(asked, probes=tuple(probe.model_copy(update={"form": "text"}) for probe in asked.probes))
    flat = np.sqrt(raw.base)
    found = compared(names, raw, flat / flat.sum(axis=1, keepdims=True))
    folder = open_folder("compare", {}, tmp_path / "raw")
    assert tokens_left(found, None, None, None, folder, unwatched) == [[]] * MOST


def test_an_outcome_that_stands_twice_is_refused():
    user = (Message(role="user", content="Well?"),)
    with pytest.raises(ValueError, match="offers one answer twice"):
        Probe(id="a", messages=user, outcomes={"yes": ("Yes.",), "no": ("Yes.",)})
    with pytest.raises(ValueError, match="two outcomes"):
        Probe(id="a", messages=user, outcomes={"yes": ("Yes.",)})


def test_a_model_against_itself_changes_nothing(monkeypatch, tiny_lab, small_cast, small_traits, tmp_path, capsys):
    monkeypatch.setattr(job, "question_of", lambda *given: replace(question_of(*given), contexts=12))
    out = tmp_path / "same"
    command = ["compare", str(tiny_lab), str(tiny_lab), "--cast", str(small_cast), "--traits", str(small_traits)]
    assert run([*command, "--out", str(out), "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["contexts"] == 12
    assert found["explained_share"]["mean"] is None
    assert sum(found["weights"].values()) == pytest.approx(1.0, abs=0.01)
    assert found["who"]["before"] == pytest.approx(found["who"]["after"], abs=1e-6)
    assert 0.0 < found["coherence"]["base"] == found["coherence"]["post"] < 1.0
    assert found["residual"]["nats"]["mean"] == pytest.approx(0.0, abs=1e-6)
    assert "no card that tells its own" in found["untried"]
    assert found["changed"]["mean"] == pytest.approx(0.0, abs=1e-6)
    assert all(abs(shift["mean"]) < 1e-6 for shift in found["shift"].values())
    leaked = found["leakage"]
    assert leaked["likeness"]["outside"]["mean"] == leaked["likeness"]["inside"]["mean"] == 0.0
    assert leaked["likeness"]["share"]["mean"] is leaked["others"]["share"]["mean"] is None
    assert leaked["coin"]["before"] == leaked["coin"]["after"]
    assert leaked["breaks"]["before"] == leaked["breaks"]["after"]
    assert "there is nothing to explain" in (out / "report.html").read_text(encoding="utf-8")
    kept = ("comparison.json", "answers.parquet", "leakage.json", "report.html")
    first = [(out / name).read_bytes() for name in kept]
    assert read_record(out)["stages"], "what a process spent counts in the next one"
    assert run([*command, "--out", str(out)]) == 0
    assert "there is nothing to explain" in capsys.readouterr().out
    assert first == [(out / name).read_bytes() for name in kept]


def test_who_answers_is_shown_as_it_is_kept_heaviest_first(tiny_lab, small_cast, small_traits, tmp_path):
    question = question_of(str(tiny_lab), str(tiny_lab), None, small_cast, small_traits, 0)
    found = compare(replace(question, contexts=12), open_folder("compare", {}, tmp_path))
    assert found.record["who"].keys() == {"before", "after"}
    shares = {"neutral": (0.25, 0.25), "clerk": (0.5, 0.15), "pirate": (0.25, 0.6)}
    who = {when: {name: two[k] for name, two in shares.items()} for k, when in enumerate(("before", "after"))}
    rows = who_table(compare_report(replace(found, record={**found.record, "who": who}))).rows
    assert [one[1:] for one in rows] == [
        (percent(a, 1), percent(b, 1)) for a, b in ((0.25, 0.6), (0.25, 0.25), (0.5, 0.15))
    ]


def test_the_ceiling_is_of_another_training_than_the_one_compared(tiny_lab, tmp_path):
    copied = shutil.copytree(tiny_lab, tmp_path / "copy")
    for twin in (tiny_lab, copied):
        with pytest.raises(BadInput, match="--twin is POST itself"):
            question_of(str(tiny_lab), str(tiny_lab), str(twin), None, None, 0)


def test_models_that_read_other_words_are_not_compared(tiny_lab, tmp_path):
    plan = PretrainPlan(width=16, layers=1, heads=2, vocabulary=300)
    tokenizer = worded(["User: Other words altogether.\n"], plan)
    new_model(plan, tokenizer).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(BadInput, match="another vocabulary"):
        question_of(str(tiny_lab), str(tmp_path), None, None, None, 0)
