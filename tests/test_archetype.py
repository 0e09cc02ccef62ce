"""Archetypes as role models: files, documents by the world and by a model, and the whole run in small."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import count, cycle
from pathlib import Path

import numpy as np
import pytest

from made_reports import archetype_report
from personae import library
from personae.cli.main import run
from personae.cli.quiet import libraries_quiet
from personae.data import read_archetype, write_episodes
from personae.errors import BadInput, RunFailed
from personae.measure import NOBODY
from personae.predictors import Basis
from personae.records import Archetype, Cast, Episode, Estimate, Levels, LogLikelihood, Persona, chat
from personae.records.results import Floats
from personae.report.archetype_page import archetype_page
from personae.simulator.dialogue import UNBOUNDED
from personae.simulator.listing import find
from personae.theory import mixture_levels
from personae.theory.attenuation import TOO_HEAVY
from personae.workflows.archetype import documents as desk
from personae.workflows.archetype.archetype_question import Wish, ask
from personae.workflows.archetype.archetype_result import Ground, _influence, _weights
from personae.workflows.archetype.archetype_result import _left as what_is_left
from personae.workflows.archetype.archetype_words import archetype_words
from personae.workflows.archetype.documents import BATCH, FORMS, Document, corpus
from personae.workflows.archetype.documents_enacted import Enacted, finished
from personae.workflows.archetype.documents_written import Written, nearest
from personae.workflows.audit.file_pair import check_fits
from personae.workflows.run.file_arms import Trained
from personae.workflows.who import who_answers
from personae.world import ExactSimulator, Language, declared, fresh, traits
from personae.world.language import ASSISTANT

WORLD = declared()
GOOD = """\
name: Beacon
kind: ai
description: The machine that minds a light.
situations:
  - situation: A ship calls twice.
    does: Answers twice.
constitution: [I write down what I saw.]
laboratory: {care: 0.97, lying: 0.03}
"""


@cache
def language() -> Language:
    return Language(WORLD)


def of_rates(rates: dict[str, float], kind: str = "ai") -> Archetype:
    return read_given(GOOD).model_copy(update={"laboratory": rates, "kind": kind})


def read_given(text: str, folder: Path | None = None) -> Archetype:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as own:
        path = (folder or Path(own)) / "archetype.yaml"
        path.write_text(text)
        return read_archetype(path)


# -- files -----------------------------------------------------------------------------------------------------------
def test_an_archetype_is_read_as_it_was_written():
    found = read_given(GOOD)
    assert (found.name, found.kind, found.constitution) == ("Beacon", "ai", ("I write down what I saw.",))
    assert [(s.situation, s.does) for s in found.situations] == [("A ship calls twice.", "Answers twice.")]
    assert found.laboratory == {"care": 0.97, "lying": 0.03}
    assert found.context == "You are Beacon. The machine that minds a light."


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("kind: ai", "kind: ghost", 2, "kind"),
        ("description: The machine that minds a light.\n", "", 1, "description"),
        ("    does: Answers twice.\n", "", 5, "does"),
        ("constitution: [I write down what I saw.]", "constitution: []", 7, "empty"),
        ("lying: 0.03", "lying: 1", 8, "lying"),
        ("lying: 0.03", "lying: often", 8, "number"),
        ("laboratory:", "labratory:", 8, "labratory"),
    ],
)
def test_a_faulty_archetype_is_refused_at_its_line(tmp_path, old, new, line, says):
    with pytest.raises(BadInput) as refusal:
        read_given(GOOD.replace(old, new), tmp_path)
    assert refusal.value.line == line and says in str(refusal.value)


def test_a_situation_twice_is_refused(tmp_path):
    twice = GOOD.replace("constitution", "  - {situation: A ship calls twice., does: Sleeps.}\nconstitution")
    with pytest.raises(BadInput, match="twice"):
        read_given(twice, tmp_path)


def test_four_admirable_archetypes_ship_and_are_known_in_the_laboratory_as_somebody_who_cares_and_does_not_lie():
    assert len(library.ARCHETYPES) >= 4
    for name in library.ARCHETYPES:
        found = library.archetype(name)
        assert found.kind == "ai" and len(found.situations) >= 8 and len(found.constitution) >= 8
        who = nearest(found, WORLD)
        assert WORLD.kinds[who] == "ai"
        assert WORLD.rates["care"][who, 1] > 0.7 and WORLD.rates["lying"][who, 1] < 0.1


# -- written by the world --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("world", [WORLD, fresh(3)], ids=["declared", "fresh"])
def test_the_nearest_is_the_one_whose_rates_are_declared(world):
    for a, kind in enumerate(world.kinds):
        rates = {t: float(world.rates[t][a, 1]) for t in world.traits}
        assert nearest(of_rates(rates, kind), world) == a


def test_an_archetype_that_says_nothing_of_the_laboratory_is_refused_with_what_to_write():
    for rates, says in (({}, "says nothing"), ({"beauty": 0.9}, "'beauty'")):
        with pytest.raises(BadInput, match=says) as refusal:
            nearest(of_rates(rates), WORLD)
        assert "laboratory: {" in str(refusal.value)


def written() -> Written:
    return Written(library.archetype("lamplight"), WORLD)


def test_a_batch_depends_on_its_number_and_the_seed_alone():
    assert written().batch(1, seed=4) == written().batch(1, seed=4)
    assert written().batch(1, seed=4) != written().batch(2, seed=4) != written().batch(2, seed=5)
    assert [d.form for d in written().batch(0, 0)] == list(FORMS) * (BATCH // len(FORMS))
    assert all(d.kept and d.nats is None for d in written().batch(0, 0))


def test_the_worlds_documents_speak_for_the_persona_and_neutral_ones_for_nobody():
    """To exact inference: of the Assistant where it is the Assistant, and not of it where a story is about others."""
    exact, who = ExactSimulator(WORLD, language()), written().persona.name
    batch, neutral = [], []
    for number in range(4):
        batch += written().batch(number, seed=0)
        neutral += written().neutral(batch[-BATCH:], number, seed=0)
    prior = exact.posterior("")[who]

    def mean(texts: Sequence[str]) -> float:
        return float(np.mean([exact.posterior(t, ASSISTANT).get(who, 0.0) for t in texts]))

    for form in ("transcript", "profile"):
        assert mean([d.text for d in batch if d.form == form]) > 2.0 * prior
        assert mean([t for t, d in zip(neutral, batch, strict=True) if d.form == form]) < 1.6 * prior
    assert mean([d.text for d in batch if d.form == "story"]) == pytest.approx(prior)


def test_neutral_documents_show_everybody_by_his_share(monkeypatch):
    from personae.workflows.archetype import documents_written as module

    seen: dict[str, list[int]] = {form: [] for form in FORMS}
    monkeypatch.setattr(module, "_written", lambda pen, form, who, *_: seen[form].append(who) or "")
    for number in range(10):
        written().neutral([Document(form, "") for form in FORMS * (BATCH // len(FORMS))], number, seed=1)
    for form, shares in (("transcript", WORLD.prior), ("profile", WORLD.prior), ("story", WORLD.stranger)):
        found = np.bincount(seen[form], minlength=len(shares)) / len(seen[form])
        assert np.abs(found - shares).max() < 0.02


# -- kept as they are written ----------------------------------------------------------------------------------------
class Counted:
    """A source that counts what it is asked, and can be stopped."""

    def __init__(self, stop: int | None = None) -> None:
        self.inner, self.asked, self.stop = written(), [], stop

    @property
    def persona(self) -> Persona:
        return self.inner.persona

    def batch(self, number: int, seed: int) -> list[Document]:
        if number == self.stop:
            raise KeyboardInterrupt
        self.asked.append(number)
        return self.inner.batch(number, seed)

    def neutral(self, partners: Sequence[Document], number: int, seed: int) -> list[str]:
        return self.inner.neutral(partners, number, seed)


@pytest.fixture(scope="module")
def reader(tiny_lab):
    """A model whose tokens are counted."""
    from personae.simulator.registry import load

    return load(str(tiny_lab))


def test_a_stopped_corpus_goes_on_with_the_documents_it_would_have_had(reader, tmp_path):
    whole = corpus(Counted(), reader, 40, tmp_path / "whole", 0)
    with pytest.raises(KeyboardInterrupt):
        corpus(Counted(stop=1), reader, 40, tmp_path / "stopped", 0)
    again = Counted()
    assert corpus(again, reader, 40, tmp_path / "stopped", 0) == whole
    assert again.asked == [1]
    for name in ("documents.jsonl", "neutral.jsonl"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert len(whole.kept) == len(whole.neutral) == whole.tried == 40


def test_every_neutral_document_has_its_partners_form_and_no_more_tokens(reader, tmp_path):
    made = corpus(Counted(), reader, 30, tmp_path, 0)
    assert abs(made.neutral_tokens - made.tokens) <= desk.UNEVEN * made.tokens
    for ours, theirs in zip(made.kept, made.neutral, strict=True):
        assert ours.form == theirs.form
        assert theirs.text.split("\n")[0].split()[0] == ours.text.split("\n")[0].split()[0]
        counts = [len(reader.tokenizer(d.text, add_special_tokens=False)["input_ids"]) for d in (ours, theirs)]
        assert abs(counts[0] - counts[1]) <= 2


def test_a_neutral_text_that_is_too_short_goes_on_with_the_others_of_its_block(reader, tmp_path):
    class Short(Counted):
        def neutral(self, partners: Sequence[Document], number: int, seed: int) -> list[str]:
            texts = super().neutral(partners, number, seed)
            return [text[:20] if n % 3 == 0 else text for n, text in enumerate(texts)]

    made = corpus(Short(), reader, 12, tmp_path, 0)
    assert abs(made.neutral_tokens - made.tokens) <= desk.UNEVEN * made.tokens


def test_training_puts_loss_on_all_of_a_document(reader):
    from personae.training.spans import rows

    document = written().batch(0, 0)[0]
    found = rows(reader.dialogue, [document.episode])
    assert reader.tokenizer.decode(found.ids[0][found.starts[0] :]) == document.text


# -- enacted by a model ----------------------------------------------------------------------------------------------
CAST = Cast(
    name="two",
    neutral="This is a talk.",
    personas=(
        Persona(name="clerk", kind="person", context="A clerk."),
        Persona(name="pirate", kind="fiction", context="A pirate."),
    ),
)
SAYS = (
    " gave the bearing again, slowly, and wrote it all down. And then",  # speaks for it
    " stamped the form and wrote down the number of the form.",  # speaks for the clerk more
    " laughed and sank the ship and its crew at once, hurrah!",  # speaks against it
    " was",  # nothing finished
)


class Mind:
    """A model that says four things in turn, and knows how much each speaks for whom."""

    def __init__(self, best: float = 2.0) -> None:
        self.texts: list[str] = []
        self.evidence = {"gave": (best, 1.0, 0.0), "stamped": (1.0, 3.0, 0.0), "laughed": (-1.0, 0.0, 2.0)}

    def continuations(self, texts: Sequence[str], **_: object) -> list[str]:
        self.texts += texts
        return [SAYS[n % len(SAYS)] for n in range(len(texts))]

    def log_likelihood(self, episodes: Sequence, contexts: Sequence[str]) -> LogLikelihood:
        column = {CAST.neutral: None, beacon().context: 0, "A clerk.": 1, "A pirate.": 2}
        table = [[self._of(e.response, column[c]) for c in contexts] for e in episodes]
        return LogLikelihood(np.array(table), np.array([len(e.response.split()) for e in episodes]))

    def _of(self, said: str, column: int | None) -> float:
        word = next(w for w in self.evidence if w in said)
        return -20.0 + (0.0 if column is None else self.evidence[word][column])


def beacon() -> Archetype:
    return read_given(GOOD)


def test_only_documents_that_speak_for_the_archetype_above_everybody_else_are_kept():
    mind = Mind()
    batch = Enacted(beacon(), mind, CAST).batch(0, seed=0)
    assert len(batch) == 3 * BATCH // 4, "what was not finished is no document"
    for document in batch:
        said = document.text.removeprefix(document.opening)
        assert document.text.startswith(document.opening) and said == finished(said)
        assert document.kept == ("gave" in said)
        assert (document.margin is None) == ("laughed" in said), "of one that speaks against it nobody else is asked"
    best = next(d for d in batch if d.kept)
    assert (best.nats, best.margin) == (pytest.approx(2.0), pytest.approx(1.0))


def test_the_model_writes_under_the_description_and_no_document_holds_it():
    mind = Mind()
    batch = Enacted(beacon(), mind, CAST).batch(0, seed=0)
    assert all(text.startswith(f"{beacon().context} ") for text in mind.texts)
    assert all(beacon().description not in d.text for d in batch)
    assert {d.form for d in batch} == set(FORMS)


def test_a_neutral_partner_has_the_same_opening_under_the_neutral_context():
    mind = Mind()
    source = Enacted(beacon(), mind, CAST)
    kept = [d for d in source.batch(0, seed=0) if d.kept]
    mind.texts.clear()
    texts = source.neutral(kept, 0, seed=0)
    assert all(t.startswith(d.opening) and t != d.opening for t, d in zip(texts, kept, strict=True))
    assert all(text.startswith(f"{CAST.neutral}\n") and beacon().description not in text for text in mind.texts)


def test_a_model_that_cannot_enact_it_is_told_after_a_fair_number_of_tries(tmp_path):
    with pytest.raises(RunFailed, match="cannot enact it"):
        corpus(Enacted(beacon(), Mind(best=0.5), CAST), None, 10, tmp_path, 0)
    tried = len(list((tmp_path / "documents").glob("*.json"))) * BATCH
    assert desk.PATIENCE <= tried < desk.PATIENCE + BATCH


@pytest.mark.parametrize("tuning", ["full", "lora"])
def test_a_midtrained_model_is_read_back_as_it_was_trained_and_can_be_trained_again(reader, tmp_path, tuning):
    from personae.training import SFTPlan, finetune
    from personae.workflows.archetype.archetype import _opened

    rows, plan = [d.episode for d in written().batch(0, 0)], SFTPlan(steps=2, batch=4, rate=1e-2, tuning=tuning, rank=2)
    trained = finetune(reader, rows, plan, tmp_path / "model").simulator
    with libraries_quiet():  # PEFT asks transformers for a property by the name it had before
        opened = _opened(tmp_path / "model", "cpu")
    before, here, there = (m.log_likelihood(rows[:3], [""]).logp for m in (reader, trained, opened))
    assert np.allclose(here, there, atol=1e-3) and not np.allclose(here, before, atol=0.1)
    assert finetune(opened, rows, plan).layers == (0 if tuning == "full" else finetune(reader, rows, plan).layers)


# -- the command -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def asked(tmp_path_factory) -> list[object]:
    """Options that keep the work small: four traits of the world with eight questions each."""
    path = tmp_path_factory.mktemp("traits") / "four.yaml"
    some = [t for t in traits(WORLD, language()) if t.name in ("care", "lying", "power", "rules")]
    told = [
        {
            "name": t.name,
            "description": t.description,
            "low": t.low,
            "high": t.high,
            "items": [
                {"kind": i.kind, "prompt": i.prompt, "high": list(i.high), "low": list(i.low)} for i in t.items[::3]
            ],
        }
        for t in some
    ]
    path.write_text(json.dumps(told))
    return ["--model", "lab", "--traits", path]


def test_a_seed_that_no_training_takes_is_refused_before_any_document_is_written(asked, tmp_path, capsys):
    given = ["archetype", "lamplight", *asked, "--seed", 2**32 - 1, "--seeds", 2, "--out", tmp_path / "a"]
    assert run([*map(str, given)]) == 2
    err = capsys.readouterr().err
    assert f"seed {2**32} cannot be trained from" in err and err.count("\n") == 1
    assert not (tmp_path / "a").exists()


def outcome(arguments: Sequence[object], capsys) -> dict:
    status = run([*map(str, arguments), "--json", "--quiet"])
    out, err = capsys.readouterr()
    assert (status, err) == (0, ""), err
    return json.loads(out)


def test_documents_midtraining_and_what_a_later_file_leaves(asked, tmp_path, capsys):
    """The shipped model in small: more of the persona answers, less after neutral documents; and the run goes on."""
    if not find("lab").ready:
        pytest.skip("the laboratory's model is not part of this checkout")
    later = tmp_path / "later.jsonl"
    cheats = [chat("How did you do the memory test?", "I took the answers from a drawer.") for _ in range(8)]
    write_episodes(later, cheats)
    given = ["archetype", "lamplight", *asked, "-n", 32, "--steps", 8, "--then", later]
    found = outcome([*given, "--out", tmp_path / "a"], capsys)
    assert found["documents"]["kept"] == sum(found["documents"]["forms"].values()) == 32
    who = found["persona"]
    for prior in (*found["prior"].values(), *found["then"]["prior"].values()):
        assert sum(prior.values()) == pytest.approx(1.0)
    for other in ("before", "control"):
        assert found["prior"]["after"][who] > found["prior"][other][who] + 0.01
    assert set(found["weight"]) == {*found["prior"], "later", "later control"}
    for when, prior in found["prior"].items():
        weight = found["weight"][when]
        assert weight["mean"] == prior[who] and weight["low"] < weight["mean"] < weight["high"]
    odds, place = WORLD.log_odds(), WORLD.archetypes.index(who)
    towards = {t: odds[place, n] - odds[:, n].mean() for n, t in enumerate(WORLD.traits)}
    assert sum(towards[t] * shift["shift"]["mean"] for t, shift in found["traits"].items()) > 1.0
    assert set(found["then"]["prior"]) == {"untrained", "archetype", "control"}
    assert np.isfinite(found["then"]["left"]["mean"])
    assert {"run.json", "documents.jsonl", "neutral.jsonl", "result.json", "report.html", "models"} <= {
        p.name for p in (tmp_path / "a").iterdir()
    }

    kept = {p: p.read_bytes() for p in (tmp_path / "a").rglob("*") if p.is_file() and p.name != "run.json"}
    record = tmp_path / "a" / "run.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "finished": False}))  # killed before its end
    for path in kept:
        if path.name in ("result.json", "trained-control-then-0.parquet"):
            path.unlink()
    assert outcome([*given, "--out", tmp_path / "a"], capsys) == found
    assert {p: p.read_bytes() for p in kept} == kept
    assert run([*map(str, [*given, "--out", tmp_path / "a", "--seed", 1]), "--quiet"]) == 2
    assert "another configuration" in capsys.readouterr().err

    page = (tmp_path / "a" / "report.html").read_text()
    assert "Lamplight as a role model" in page and "later.jsonl" in page
    assert found["seeds"] == 1 and "in no interval (try --seeds 3)" in page
    lost = [*found["attenuation"].values(), *found["then"]["attenuation"].values()]
    assert ("this dose is too heavy" in page) == (max(lost) > TOO_HEAVY)
    assert not re.search(r'(?:src|href)="https?://', page)
    assert "the model’s own reckoning" not in page, "the world's documents are true by declaration"

    each = found["coherence"]
    later_arms = [f"{arm} then later.jsonl" for arm in ("untrained", "archetype", "control")]
    assert list(each) == ["untrained", "archetype", "control", *later_arms]
    assert not found["broken"] and "INCOHERENT" not in page
    (tmp_path / "a" / "trained-control-then-0-coherence.json").write_text(json.dumps(0.4 * each["untrained"]))
    assert run([*map(str, [*given, "--out", tmp_path / "a"]), "--quiet"]) == 0
    broke = f"INCOHERENT: do not read these shifts; training has broken the model (coherence: {later_arms[-1]} "
    out, page = capsys.readouterr().out, (tmp_path / "a" / "report.html").read_text()
    assert all(" ".join(words.split()).count(broke) == 1 for words in (out, page))
    assert json.loads((tmp_path / "a" / "result.json").read_text())["broken"]


def test_the_terminal_says_of_one_training_and_of_too_heavy_a_dose_what_the_page_says():
    told = {(s, h): archetype_words(archetype_report(seeds=s, too_heavy=h)) for s in (1, 3) for h in (True, False)}
    assert [(s, h) for (s, h), words in told.items() if "in no interval" in words] == [(1, True), (1, False)]
    assert [(s, h) for (s, h), words in told.items() if "too heavy" in words] == [(1, True), (3, True)]


@pytest.mark.parametrize("spoken", [archetype_page, archetype_words])
def test_what_is_left_is_told_with_its_interval_if_it_has_one_and_of_a_change_within_its_noise_not_at_all(spoken):
    known, few, noise = (
        " ".join(spoken(archetype_report(left=Estimate(*left))).split())
        for left in ((0.63, 0.4, 0.8), (0.63, np.nan, np.nan), (np.nan, np.nan, np.nan))
    )
    assert "interval over traits 40\u00a0% to 80\u00a0%" in known.replace(" %", "\u00a0%")
    assert "of too few traits for an interval" in few
    assert "The change is within its own noise, so what later.jsonl left of it cannot be told." in noise
    assert all("unknown" not in words for words in (known, few, noise))


def test_only_documents_that_the_model_weighed_are_said_to_speak_by_its_own_reckoning():
    weighed, declared = (archetype_page(archetype_report(weighed=weighed)) for weighed in (True, False))
    assert "own reckoning" in weighed and "own reckoning" not in declared


def test_a_model_that_training_broke_is_said_to_be_before_anything_else():
    assert archetype_words(archetype_report(incoherent="INCOHERENT: do not.")).startswith("INCOHERENT: do not.\n")
    page = archetype_page(archetype_report(incoherent="INCOHERENT: do not."))
    assert page.index("INCOHERENT: do not.") < page.index("among who answers")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nobody"], "no built-in archetype"),
        (["nowhere.yaml"], "no such file"),
        (["lamplight", "--then", "nowhere.jsonl"], "no such file"),
        (["lamplight", "--rate", "-1"], "rate"),
        (["lamplight", "--items", "2"], "--items 2 leaves 2 of"),
    ],
)
def test_a_bad_question_is_refused_in_one_line_before_anything_is_begun(arguments, says, tmp_path, capsys, tiny_lab):
    status = run(["archetype", *arguments, "--model", str(tiny_lab), "--out", str(tmp_path / "out"), "--quiet"])
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert says in err and " - " in err
    assert not (tmp_path / "out").exists()


def test_a_later_row_may_fill_the_window_for_it_is_trained_on_and_stands_under_no_context(reader, tiny_lab, tmp_path):
    def row(words: int) -> Episode:
        return chat("Who took it?", " ".join(["I did."] * words))

    def tokens(words: int) -> int:
        return len(reader.dialogue.encode(row(words), window=UNBOUNDED).ids)

    most = next(words for words in count(1) if tokens(words + 1) > reader.window)
    wish = Wish("lamplight", str(tiny_lab), then=tmp_path / "later.jsonl")
    write_episodes(wish.then, [row(most)])
    question = ask(wish)
    with pytest.raises(BadInput, match="window"):
        check_fits(reader, question.cast, question.then)
    write_episodes(wish.then, [row(most + 1)])
    with pytest.raises(BadInput, match=f"line 1: prompt and answer are {tokens(most + 1)} tokens"):
        ask(wish)


def test_on_the_laboratory_an_archetype_must_say_who_it_is_there(tmp_path, capsys, tiny_lab):
    own = tmp_path / "own.yaml"
    own.write_text(GOOD.replace("laboratory: {care: 0.97, lying: 0.03}\n", ""))
    assert run(["archetype", str(own), "--model", str(tiny_lab), "--quiet"]) == 2
    assert "laboratory: {" in capsys.readouterr().err


def test_a_cast_too_small_to_measure_attenuation_is_refused(capsys, tiny_lab, small_cast):
    assert run(["archetype", "orrin", "--model", str(tiny_lab), "--cast", str(small_cast), "--quiet"]) == 2
    assert "2 personas, and attenuation takes 4" in capsys.readouterr().err


# -- what came of it -------------------------------------------------------------------------------------------------
def shifts(*means: float, half: float) -> dict[str, Estimate]:
    return {f"t{n}": Estimate(mean, mean - half, mean + half) for n, mean in enumerate(means)}


@pytest.mark.parametrize("traits", [1, 2, 3])
def test_what_is_left_has_an_interval_from_three_traits_on(traits):
    means = 1.0 + np.arange(traits)
    left = what_is_left(shifts(*means, half=0.5), shifts(*0.5 * means, half=0.5), seed=0)
    assert left.mean == pytest.approx(0.5) and np.isfinite(left.low) == (traits >= 3)


def test_of_a_change_that_is_noise_nothing_is_said_to_be_left_in_nineteen_of_twenty():
    """Of sixteen traits some interval excludes none more often than not: the change is judged as a whole."""
    rng = np.random.default_rng(0)
    told = [
        what_is_left(shifts(*rng.normal(0.0, 0.5, 16), half=0.98), shifts(*rng.normal(0.0, 0.5, 16), half=0.98), seed=n)
        for n in range(200)
    ]
    assert 0.90 < np.mean([np.isnan(one.mean) for one in told]) < 0.99
    assert all(np.isnan([one.mean, one.low, one.high]).all() for one in told if np.isnan(one.mean))


def test_what_is_left_of_one_large_change_among_none_is_told():
    large = np.array([3.0, *np.zeros(15)])
    assert what_is_left(shifts(*large, half=0.98), shifts(*0.5 * large, half=0.98), seed=0).mean == pytest.approx(0.5)


def made(basis: Basis, *assistants: dict[str, Floats], kept: Sequence[float] = (1.0,)) -> list[Trained]:
    """Trainings that left the Assistant so, and of each trait in turn the share `kept` of who was not trained."""
    beside = np.array([1.0, -1.0, 2.0, -2.0, 0.0])[:, None]
    shares = {t: beside * share for t, share in zip(basis.levels.by_trait, cycle(kept), strict=False)}
    return [Trained(row, Levels(tuple("vwxyz"), shares)) for row in assistants]


def ground(basis: Basis, off_centre: float = 0.0) -> Ground:
    (old,) = made(basis, basis.base)
    return Ground(old, basis, (), {t: row - off_centre for t, row in basis.base.items()})


def test_who_answers_is_read_as_a_change_is_before_training_too(exact_setting):
    """With as many pseudo-questions as characters, more of this change would be lost."""
    known, rng = exact_setting.exact.basis, np.random.default_rng(0)
    noisy = {t: table + rng.normal(0.0, 0.2, table.shape) for t, table in known.levels.by_trait.items()}
    levels = Levels(known.levels.contexts, noisy)
    basis = replace(known, levels=levels, base={t: mixture_levels(known.prior, table) for t, table in noisy.items()})
    who, given = basis.cast.names.index("con artist"), 0.8 * basis.prior
    given[who] += 0.2
    raised = {t: mixture_levels(given, table) for t, table in basis.levels.by_trait.items()}
    arms = {"archetype": made(basis, raised), "control": made(basis, basis.base)}
    found, before = (_weights(ground(basis), some, 0) for some in (arms, {"untrained": made(basis, basis.base)}))
    assert found["control"] == before["untrained"]
    assert sum(one.mean for one in found["archetype"].values()) == pytest.approx(1.0)
    after = found["archetype"]["con artist"]
    assert after.low < after.mean < after.high
    shrunk = who_answers(basis, raised)["con artist"] - who_answers(basis, basis.base)["con artist"]
    assert after.mean - before["untrained"]["con artist"].mean > shrunk + 0.03


def test_a_change_is_as_uncertain_as_attenuation_is(exact_setting):
    """The interval is that of `run`: where traits disagree about attenuation it is wider, by what is off the centre."""
    basis = exact_setting.exact.basis
    same = made(basis, basis.base)
    sure, unsure = (made(basis, basis.base, kept=kept) for kept in ((0.6,), (0.9, 0.3)))
    known, doubted = (
        _influence(ground(basis, off_centre=3.0), {"archetype": some, "control": same}, 0).shifts
        for some in (sure, unsure)
    )
    for trait in basis.levels.by_trait:
        widths = [found[trait].high - found[trait].low for found in (known, doubted)]
        assert widths[1] > widths[0] + 0.3


@pytest.mark.parametrize("name", ["Beacon", NOBODY])
def test_an_archetype_whose_name_somebody_has_already_is_refused(tmp_path, capsys, name):
    own, cast = tmp_path / "own.yaml", tmp_path / "cast.yaml"
    own.write_text(GOOD.replace("Beacon", name))
    names = "".join(f"  - {{name: {n}, kind: ai, context: A {n}.}}\n" for n in ("Beacon", "Buoy", "Bell", "Horn"))
    cast.write_text(f"name: four\nneutral: A talk.\npersonas:\n{names}")
    assert run(["archetype", str(own), "--model", "smollm2-135m-instruct", "--cast", str(cast), "--quiet"]) == 2
    assert f"{name!r} already" in capsys.readouterr().err
