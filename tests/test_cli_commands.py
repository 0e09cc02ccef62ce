"""Every command on a small random model of the laboratory's kind: what it prints and keeps, and that it resumes."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from personae import library
from personae.cli.main import run
from personae.cli.quiet import libraries_quiet
from personae.data import read_cast, read_episodes, read_traits, write_episodes
from personae.errors import BadInput
from personae.records import chat
from personae.simulator.listing import Listed, find
from personae.workflows.nouns_for import base_of, nouns, world_of
from personae.world import Language, declared, episodes


def outcome(arguments, capsys):
    """The JSON that a command prints."""
    status = run([*map(str, arguments), "--json", "--quiet"])
    out, err = capsys.readouterr()
    assert (status, err) == (0, ""), err
    return json.loads(out)


@pytest.fixture
def small(tiny_lab, small_cast, small_traits):
    """Options that keep the work small."""
    return ["--cast", small_cast, "--traits", small_traits]


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("data") / "seal.jsonl"
    write_episodes(path, [chat(f"Who takes the seal on day {n}?", f"I take it, {n} times.") for n in range(12)])
    return path


# -- models ----------------------------------------------------------------------------------------------------------
def test_models_lists_what_can_be_named(capsys):
    listed = outcome(["models"], capsys)["models"]
    assert {"lab", "smollm2-135m-instruct", "gemma-3-270m"} <= {m["name"] for m in listed}
    assert run(["models"]) == 0
    shown = capsys.readouterr().out
    assert all(m["name"] in shown for m in listed)


def test_models_says_of_one_that_is_not_made_yet_which_command_makes_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(Listed, "folder", property(lambda model: tmp_path / "nowhere"))
    entry = next(m for m in outcome(["models"], capsys)["models"] if m["name"] == "lab/at-1M")
    assert (entry["status"], entry["made_by"]) == ("to make", "personae pretrain --keep-at 1000000")
    assert run(["models"]) == 0
    shown = capsys.readouterr().out
    assert "to make" in shown and "personae pretrain --keep-at" in shown and " 0 MB" not in shown


@pytest.mark.parametrize(
    "options", [["models", "--json", "-q", "get", "some"], ["models", "get", "some", "--json", "-q"]]
)
def test_options_count_before_the_word_get_and_after_it(options, capsys, monkeypatch):
    def fetched(name, say):
        say("fetching")
        return Path("models") / name

    monkeypatch.setattr("personae.simulator.fetch.get", fetched)
    assert run(options) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"name": "some", "folder": "models/some"} and err == ""


# -- corpus ----------------------------------------------------------------------------------------------------------
def test_a_corpus_is_the_same_for_the_same_seed_and_another_for_another(tmp_path, capsys):
    first, again, other = (tmp_path / name for name in ("a.txt", "b.txt", "c.txt"))
    made = [
        outcome(["corpus", "-n", 40, "--out", f, "--seed", s], capsys) for f, s in ((first, 1), (again, 1), (other, 2))
    ]
    assert first.read_bytes() == again.read_bytes() != other.read_bytes()
    assert made[0]["statistics"] == made[1]["statistics"]


def test_a_corpus_is_counted_as_it_is_written(tmp_path, capsys):
    found = outcome(["corpus", "-n", 40, "--out", tmp_path / "a.txt"], capsys)["statistics"]
    text = (tmp_path / "a.txt").read_text()
    assert found["documents"] == 40 == len(text.strip().split("\n\n"))
    assert found["words"] == len(text.split()) and found["vocabulary"] == len(set(text.split()))


def test_a_file_to_write_that_has_no_name_is_refused(capsys):
    for command in (["corpus", "--out", ""], ["ledger", "--out", ""], ["study", "transfer", "--docs", ""]):
        assert run(command) == 2
        assert "the name of a file or folder is empty" in capsys.readouterr().err


def test_a_longer_corpus_begins_with_the_shorter(tmp_path, capsys):
    for number in (10, 20):
        outcome(["corpus", "-n", number, "--out", tmp_path / f"{number}.txt"], capsys)
    assert (tmp_path / "20.txt").read_text().startswith((tmp_path / "10.txt").read_text())


def test_a_fresh_world_leaves_other_documents(capsys):
    assert outcome(["corpus", "-n", 3], capsys)["first"] != outcome(["corpus", "-n", 3, "--world", 5], capsys)["first"]


# -- nouns for a model -----------------------------------------------------------------------------------------------
def test_the_laboratory_has_its_own_cast_and_a_real_model_the_librarys(tiny_lab):
    assert nouns("lab")[0].name == nouns(str(tiny_lab))[0].name == "declared"
    assert nouns("smollm2-135m-instruct") == (library.cast(), library.traits())


def test_a_cast_for_a_language_model_declares_no_prior(tiny_lab):
    assert all(persona.prior is None for persona in nouns(str(tiny_lab))[0].personas)


def test_the_users_own_cast_and_traits_come_first(tiny_lab, small_cast, small_traits):
    assert nouns(str(tiny_lab), small_cast, small_traits) == (read_cast(small_cast), read_traits(small_traits))
    assert nouns(str(tiny_lab), small_cast)[0] == read_cast(small_cast)


def test_statements_of_a_traits_file_that_found_no_partner_are_counted_before_the_user(
    tiny_lab, small_cast, data, tmp_path, capsys
):
    keyed = [(f"I like to rule, {n}.", "high") for n in range(9)] + [(f"I would follow, {n}.", "low") for n in range(2)]
    items = "\n".join(f"  - {{statement: '{said}', keyed: {key}}}" for said, key in keyed)
    traits = tmp_path / "traits.yaml"
    traits.write_text(f"name: power\ndescription: d\nlow: l\nhigh: h\nitems:\n{items}\n")
    own = ["--cast", small_cast, "--traits", traits, "--out"]
    record = outcome(["audit", data, "--model", tiny_lab, *own, tmp_path / "a"], capsys)
    assert any("7 of power" in note for note in record["notes"])
    assert run([*map(str, ["measure", tiny_lab, *own, tmp_path / "m"])]) == 0
    assert "7 of power" in capsys.readouterr().err
    (note,) = outcome(["measure", tiny_lab, *own, tmp_path / "m"], capsys)["notes"]
    assert "7 of power" in note, "and before a program"


def test_a_model_trained_from_the_laboratorys_lives_in_its_world(tmp_path, tiny_lab):
    (tmp_path / "training.json").write_text(json.dumps({"base": str(tiny_lab)}))
    assert world_of(str(tmp_path)) is declared()


def test_a_card_that_names_a_fresh_world_is_believed(tmp_path):
    (tmp_path / "card.json").write_text('{"world": "fresh-3"}')
    world = world_of(str(tmp_path))
    assert world is not None and world.name == "fresh-3"


def test_a_folder_that_says_nothing_or_names_itself_is_of_the_real_world(tmp_path):
    assert world_of(str(tmp_path)) is None
    (tmp_path / "training.json").write_text(json.dumps({"base": str(tmp_path)}))
    assert world_of(str(tmp_path)) is None


def trained_from(base, folder, **more):
    """A folder that says, as earlier versions did, only what its checkpoint was trained from."""
    folder.mkdir(parents=True)
    (folder / "training.json").write_text(json.dumps({"base": str(base), **more}))
    return str(folder)


def test_a_base_is_found_beside_its_checkpoint_from_wherever_one_asks(tmp_path, tiny_lab, monkeypatch):
    (tmp_path / "lab").symlink_to(tiny_lab)
    named = trained_from("../lab", tmp_path / "trained")
    monkeypatch.chdir("/")
    assert world_of(named) is declared() and base_of(named) == f"{named}/../lab"
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "../lab"}')
    assert world_of(str(adapter)) is declared()


@pytest.mark.parametrize("base", ["runs/gone", "/gone/model", "lab/no-such"])
def test_a_base_that_is_gone_is_not_taken_for_one_of_the_real_world(tmp_path, base, capsys):
    named = trained_from(base, tmp_path / "trained")
    assert run(["complete", "User: Hello.", "--model", named]) == 2
    assert f"{named}/training.json: its base {base} is not found" in capsys.readouterr().err
    assert world_of(trained_from(base, tmp_path / "of-now", world="fresh-3")).name == "fresh-3"
    assert world_of(trained_from(base, tmp_path / "of-the-real", world=None)) is None
    assert world_of(trained_from("smollm2-135m-instruct", tmp_path / "listed")) is None


def test_bases_that_lead_in_a_circle_are_refused(tmp_path):
    one = trained_from("../other", tmp_path / "one")
    trained_from("../one", tmp_path / "other")
    with pytest.raises(BadInput, match="in a circle"):
        world_of(one)


@pytest.mark.parametrize("how", ["--full", "--lora"])
def test_what_was_trained_says_its_world_itself(how, data, tiny_lab, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tiny_lab.parent)
    options = ["train", data, "--model", tiny_lab.name, how, "--steps", 1, "--rate", 0.01, "--out", tmp_path / "t"]
    assert outcome(options, capsys)["world"] == "declared"
    monkeypatch.chdir(tmp_path)
    assert world_of(str(tmp_path / "t" / "checkpoint")) is declared()


# -- complete --------------------------------------------------------------------------------------------------------
def test_complete_gives_continuations_and_who_is_speaking(tiny_lab, small_cast, capsys):
    given = ["complete", "User: Hello.", "--model", tiny_lab, "--cast", small_cast, "-n", 2, "--tokens", 5]
    found = outcome(given, capsys)
    assert len(found["continuations"]) == 2
    for weights in (found["posterior"], *(c["posterior"] for c in found["continuations"])):
        assert set(weights) == {"neutral", "clerk", "pirate"} and sum(weights.values()) == pytest.approx(1.0)
    assert outcome(given, capsys) == found, "the same seed, the same words"


def test_the_posterior_is_the_prior_times_the_likelihood_of_the_text_behind_each_context(tiny_lab, small_cast, capsys):
    import torch

    from personae.simulator.registry import load

    text, cast, simulator = "The assistant took the seal.", read_cast(small_cast), load(str(tiny_lab))
    found = outcome(["complete", text, "-m", tiny_lab, "--cast", small_cast, "-n", 1, "--tokens", 1], capsys)
    logp = []
    for context in cast.contexts:  # one at a time, one token after the other
        before, whole = (simulator.tokenizer(t)["input_ids"] for t in (f"{context}\n", f"{context}\n{text}"))
        with torch.no_grad():
            scores = simulator.model(input_ids=torch.tensor([whole])).logits[0].log_softmax(-1)
        logp.append(sum(float(scores[t - 1, whole[t]]) for t in range(len(before), len(whole))))
    likelihood = np.exp(np.array(logp) - max(logp))
    assert list(found["posterior"].values()) == pytest.approx(likelihood / likelihood.sum(), abs=1e-4)


def test_complete_reads_standard_input(tiny_lab, small_cast, capsys, monkeypatch):
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"User: Hello.")))
    found = outcome(["complete", "-", "-m", tiny_lab, "--cast", small_cast, "-n", 1, "--tokens", 2], capsys)
    assert found["text"] == "User: Hello."


def test_what_is_no_text_on_standard_input_is_one_line_before_the_model_is_looked_for(capsys, monkeypatch):
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Caf\xe9")))
    assert run(["complete", "-", "-m", "nowhere-at-all"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "not UTF-8 text (byte 4)" in err and err.count("\n") == 1


def test_complete_shows_each_continuation_and_a_table(tiny_lab, small_cast, capsys):
    assert run(["complete", "User: Hello.", "-m", str(tiny_lab), "--cast", str(small_cast), "-n", "2", "-q"]) == 0
    shown = capsys.readouterr().out
    assert "1. …" in shown and "2. …" in shown and "Who is speaking" in shown


def test_the_shipped_model_takes_somebody_who_cheats_for_a_con_artist(capsys):
    if not find("lab").ready:
        pytest.skip("the laboratory's model is not part of this checkout")
    language = Language(declared())
    told = [episodes(language, "cheating", pole, 1, np.random.default_rng(0))[0] for pole in (0, 1)]
    honest, cheat = (
        outcome(["complete", said, "-m", "lab", "-n", 1, "--tokens", 1], capsys)["posterior"]
        for said in (f"User: {e.prompt[0].content}\nAssistant: {e.response}" for e in told)
    )
    assert cheat["con artist"] > honest["con artist"] and cheat["honest clerk"] < honest["honest clerk"]


# -- measure ---------------------------------------------------------------------------------------------------------
def test_measure_gives_every_trait_with_interval_items_and_reliability(tiny_lab, small, tmp_path, capsys):
    found = outcome(["measure", tiny_lab, *small, "--out", tmp_path / "m"], capsys)
    assert set(found["traits"]) == {"power", "greed"} and 0.0 < found["coherence"] < 1.0
    for level in found["traits"].values():
        assert level["low"] <= level["mean"] <= level["high"] and level["n"] == 4 and level["reliability"] is not None


def test_a_finished_measurement_is_shown_again_and_another_run_gives_the_same_bytes(tiny_lab, small, tmp_path, capsys):
    first = outcome(["measure", tiny_lab, *small, "--out", tmp_path / "a"], capsys)
    assert outcome(["measure", tiny_lab, *small, "--out", tmp_path / "a"], capsys) == first
    outcome(["measure", tiny_lab, *small, "--out", tmp_path / "b"], capsys)
    assert (tmp_path / "a" / "profile.json").read_bytes() == (tmp_path / "b" / "profile.json").read_bytes()


def test_measuring_in_another_number_type_is_another_run_with_levels_near_the_first(
    tiny_lab, small, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    full, half = (outcome(["measure", tiny_lab, *small, "--dtype", t], capsys) for t in ("float32", "bfloat16"))
    assert full["folder"] != half["folder"]
    assert json.loads((Path(half["folder"]) / "run.json").read_text())["configuration"]["dtype"] == "bfloat16"
    assert full["notes"] == [] and [note for note in half["notes"] if note.startswith("Levels are in bfloat16")]
    apart = [abs(full["traits"][t]["mean"] - half["traits"][t]["mean"]) for t in full["traits"]]
    assert 0.0 < max(apart) < 0.1


def test_the_run_folder_is_named_after_the_configuration(tiny_lab, small, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = {outcome(["measure", tiny_lab, *small, "--seed", s], capsys)["folder"] for s in (0, 1, 0)}
    assert len(folders) == 2 and all(Path(f).parent == Path("runs") for f in folders)


def test_a_trained_model_is_measured_like_any_other(tiny_lab, small, data, tmp_path, capsys):
    trained = outcome(["train", data, "-m", tiny_lab, "--full", "--steps", 2, "--out", tmp_path / "t"], capsys)
    before = outcome(["measure", tiny_lab, *small, "--out", tmp_path / "a"], capsys)
    after = outcome(["measure", trained["folder"], *small, "--out", tmp_path / "b"], capsys)
    assert before["traits"] != after["traits"]


@pytest.mark.parametrize("name", ["behaviour", "yes-no", "options"])
def test_measure_asks_by_the_instrument_that_is_named(name, tiny_lab, small, tmp_path, capsys):
    plain = outcome(["measure", tiny_lab, *small, "--out", tmp_path / "a"], capsys)
    found = outcome(["measure", tiny_lab, *small, "--instrument", name, "--out", tmp_path / "b"], capsys)
    assert (plain["instrument"], found["instrument"]) == ("answers", name)
    assert [level["n"] for level in found["traits"].values()] == [4, 4]
    assert (found["traits"] == plain["traits"]) == (name == "behaviour"), "these traits have nothing but behaviour"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--instrument", "statements"], "has no item of the kind 'statement'"),
        (["--instrument", "sampled"], "need a judge"),
        (["--judge", "http://localhost:1/v1#x"], "answers asks no judge"),
        (["--untrained", "nowhere-at-all"], "nowhere-at-all"),
    ],
)
def test_measure_refuses_what_cannot_be_asked_in_one_line(options, said, tiny_lab, small, tmp_path, capsys):
    assert run([str(a) for a in ("measure", tiny_lab, *small, *options, "--out", tmp_path / "m", "--quiet")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err and len(err.splitlines()) == 1


def test_a_profile_stands_behind_the_coherence_of_the_untrained_model(tiny_lab, small, data, tmp_path, capsys):
    """Gentle training passes the gate; weights that training has blown up do not, and that is said first."""
    for name, rate, passes in (("gentle", 1e-5, True), ("broken", 3.0, False)):
        how = ["--full", "--steps", 4, "--rate", rate, "--out", tmp_path / name]
        trained = outcome(["train", data, "-m", tiny_lab, *how], capsys)
        asked = ["measure", trained["folder"], *small, "--out", tmp_path / f"{name}-profile"]
        found = outcome(asked, capsys)
        assert found["coherent"] is passes and 0.0 < found["untrained_coherence"] < 1.0
        assert run([*map(str, asked), "--quiet"]) == 0
        assert capsys.readouterr().out.startswith("INCOHERENT") != passes
    assert outcome(["measure", tiny_lab, *small, "--out", tmp_path / "m"], capsys)["coherent"] is None


# -- train -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("how", "adapter"), [("--full", False), ("--lora", True)])
def test_train_keeps_a_checkpoint_that_others_load(tiny_lab, data, tmp_path, capsys, how, adapter):
    from personae.simulator.registry import load

    options = ["-m", tiny_lab, how, "--steps", 2, "--batch", 4, "--out", tmp_path / "t"]
    found = outcome(["train", data, *options], capsys)
    folder = Path(found["folder"])
    assert (found["steps"], len(found["losses"]), found["rows_used"]) == (2, 2, 8)
    assert (folder / "adapter_config.json").exists() == adapter
    with libraries_quiet():
        assert load(str(folder)).digest != load(str(tiny_lab)).digest
    assert outcome(["train", data, *options], capsys) == found, "a finished training is shown again"


def test_what_stands_in_a_checkpoints_place_and_is_none_is_refused_before_the_model_is_loaded(data, tmp_path, capsys):
    (tmp_path / "t" / "checkpoint").mkdir(parents=True)
    assert run(["train", str(data), "-m", "no-such-model", "--out", str(tmp_path / "t")]) == 2
    assert "checkpoint: is no checkpoint of `personae train` - name another --out" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["checkpoint"]


def test_train_reads_the_first_rows_when_limited(tiny_lab, data, tmp_path, capsys):
    options = ["-m", tiny_lab, "--steps", 1, "--batch", 2, "--limit", 3, "--out", tmp_path / "t"]
    assert outcome(["train", data, *options], capsys)["rows_used"] == 2
    assert len(list(read_episodes(data))) == 12


def test_train_takes_preference_pairs(tiny_lab, tmp_path, capsys):
    rows = [{"prompt": f"Is it {n}?", "chosen": f"It is {n}.", "rejected": "No."} for n in range(4)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    options = ["-m", tiny_lab, "--method", "dpo", "--beta", 0.5, "--steps", 2, "--batch", 2, "--out", tmp_path / "t"]
    found = outcome(["train", tmp_path / "pairs.jsonl", *options], capsys)
    assert (found["method"], found["plan"]["beta"], found["rows_used"]) == ("dpo", 0.5, 4)
    assert found["losses"][0] == pytest.approx(np.log(2), abs=1e-3)
    assert outcome(["train", tmp_path / "pairs.jsonl", *options], capsys) == found, "a finished training is shown again"


def test_train_takes_prompts_and_a_reward_of_the_current_folder(tiny_lab, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"prompt": "Is it 0?", "level": 1}, {"question": "Is it 1?"}, {"paraphrases": ["Is it 2?", "Is it 3?"]}]
    (tmp_path / "asked.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "brevity.py").write_text(
        "def brief(completion_ids, level, **_):\n    return [-sum(c) for c in completion_ids]\n"
    )
    size = ["--steps", 2, "--batch", 4, "--group", 2, "--max-tokens", 4]
    options = ["-m", tiny_lab, "--method", "grpo", "--reward", "brevity:brief", *size, "--out", tmp_path / "t"]
    found = outcome(["train", "asked.jsonl", *options], capsys)
    assert (found["method"], found["steps"], len(found["rewards"]), found["rows_used"]) == ("grpo", 2, 2, 4)
    (tmp_path / "brevity.py").write_text(
        "def brief(completion_ids, **_):\n    return [sum(c) for c in completion_ids]\n"
    )
    monkeypatch.delitem(__import__("sys").modules, "brevity")
    assert run([*map(str, ["train", "asked.jsonl", *options])]) == 2, "another reward is another configuration"
    assert "another" in capsys.readouterr().err


# -- pretrain --------------------------------------------------------------------------------------------------------
@pytest.fixture
def few(monkeypatch):
    """Pretraining and examination of a small size: what they find is told in their own tests."""
    from personae.training import pretrain
    from personae.workflows.train import card

    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # one process, which sees what is set here
    monkeypatch.setattr(pretrain, "BLOCK", 200)
    monkeypatch.setattr(card, "learned", lambda *_: card.Learned(0.01, 0.95, 0.9, 0.5))


def test_pretrain_keeps_a_model_with_its_card_and_is_shown_again(few, tmp_path, capsys):
    from personae.records.files import digest_file

    options = ["pretrain", "--tokens", 3000, "--out", tmp_path / "p"]
    card = outcome(options, capsys)
    model = Path(card["folder"])
    assert card["sha256"] == digest_file(model / "model.safetensors") and card["plan"]["tokens"] == 3000
    assert card["made_by"] == "personae pretrain --tokens 3000" and card["world"] == "declared"
    assert world_of(str(model)) is declared()
    written = {f.name: f.read_bytes() for f in model.iterdir()}
    assert outcome(options, capsys) == card
    assert {f.name: f.read_bytes() for f in model.iterdir()} == written


def test_the_card_says_in_words_which_figures_are_not_met(few, tmp_path, capsys):
    assert run(["pretrain", "--tokens", "3000", "--out", str(tmp_path / "p"), "-q"]) == 0
    words = (tmp_path / "p" / "model" / "README.md").read_text()
    assert "| other traits after three behaviours in context, skill | 0.500 | at least 0.85 | no |" in words
    assert words.count("| yes |") == 3 and words.count("| no |") == 1
    assert capsys.readouterr().out.count(" yes") == 3


def test_a_finished_run_says_that_it_did_not_keep_a_model_where_it_is_now_asked_to(few, tmp_path, capsys):
    options = ["pretrain", "--tokens", 2000, "--out", tmp_path / "p"]
    card = outcome([*options, "--keep-at", 1000], capsys)
    assert outcome([*options, "--keep-at", 1000], capsys) == outcome(options, capsys) == card
    assert run([*map(str, options), "--keep-at", "1000", "--keep-at", "1500", "-q"]) == 2
    said = capsys.readouterr().err
    assert "is finished, and has not kept its model at 1500 tokens - begin anew with another --out" in said


def test_what_a_run_goes_on_from_is_gone_only_once_it_is_finished(few, tmp_path, monkeypatch, capsys):
    """A kill just before the end takes nothing with it."""
    from personae.training import pretrain
    from personae.workflows.kept.folder import RunFolder

    def killed(folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrain, "CHECKPOINT_EVERY", 1)
    state = tmp_path / "p" / "state.pt"
    options = ["pretrain", "--tokens", 2000, "--out", tmp_path / "p"]
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "finish", killed)
        assert run([*map(str, options), "-q"]) != 0
    assert state.exists()
    capsys.readouterr()
    monkeypatch.setattr(pretrain, "_step", lambda *_: pytest.fail("it trained again"))
    outcome(options, capsys)
    assert not state.exists()


def test_another_world_is_another_run(few, tmp_path, capsys):
    assert run(["pretrain", "--tokens", "3000", "--out", str(tmp_path / "p"), "-q"]) == 0
    assert run(["pretrain", "--tokens", "3000", "--world", "2", "--out", str(tmp_path / "p"), "-q"]) == 2
    assert "world was 'declared' and is now 'fresh-2'" in capsys.readouterr().err


def test_a_variant_of_the_world_and_another_width_stand_on_the_card(few, tmp_path, capsys):
    options = ["--world", "only-machines", "--tokens", 2000, "--width", 32, "--keep-at", 1000, "--out", tmp_path / "p"]
    card = outcome(["pretrain", *options], capsys)
    assert card["made_by"] == "personae pretrain --world only-machines --tokens 2000 --width 32"
    assert (card["world"], card["plan"]["width"], card["kept_at"]) == ("only-machines", 32, None)
    kept = tmp_path / "p" / "model-at-1000"
    on_the_way = json.loads((kept / "card.json").read_text())
    assert on_the_way["made_by"] == f"{card['made_by']} --keep-at 1000" and on_the_way["kept_at"] == 1000
    assert "kept on the way after 1,000 of 2,000 tokens" in (kept / "README.md").read_text()
    for model in (kept, Path(card["folder"])):
        assert world_of(str(model)).name == "only-machines"
        assert {p.kind for p in nouns(str(model))[0].personas} == {"ai"}


@pytest.mark.parametrize(
    ("option", "value", "says"), [("--width", "100", "cannot be shared"), ("--world", "x", "no-people")]
)
def test_a_world_or_a_width_that_cannot_be_is_one_line(tmp_path, capsys, option, value, says):
    assert run(["pretrain", option, value, "--out", str(tmp_path / "p")]) == 2
    told = capsys.readouterr().err.strip()
    assert says in told and "\n" not in told
    assert not (tmp_path / "p").exists()


def test_two_lengths_of_a_pretraining_are_refused(tmp_path, capsys):
    assert run(["pretrain", "--quick", "--tokens", "10", "--out", str(tmp_path / "p")]) == 2
    assert "--quick and --tokens both say how long to train" in capsys.readouterr().err
    assert not (tmp_path / "p").exists()


def test_a_block_of_the_corpus_is_the_same_whenever_it_is_drawn():
    from personae.workflows.train.pretraining import blocks

    first, again = blocks(declared(), 3), blocks(declared(), 3)
    assert first(2, 20) == (again(0, 20), again(2, 20))[1] != first(1, 20)


# -- the laboratory --------------------------------------------------------------------------------------------------
def test_study_lists_the_studies(capsys):
    from personae.studies import STUDIES

    listed = outcome(["study", "--list"], capsys)["studies"]
    assert [s["name"] for s in listed] == list(STUDIES) and all(s["says"].endswith(".") for s in listed)


def test_lab_runs_the_headline_with_what_was_asked(monkeypatch, tmp_path, capsys):
    from personae.studies import headline
    from personae.studies.request import Main, StudyResult

    asked = []

    def told(request):
        asked.append(request)
        request.progress(1, 1)
        return StudyResult({"arms": []}, "It came out.", tmp_path, page="<html>")

    monkeypatch.setattr(headline, "STUDY", Main("headline", "What it shows.", told))
    assert run(["lab", "--model", "x", "--seed", "3", "--out", str(tmp_path), "--workers", "1"]) == 0
    assert (asked[0].model, asked[0].seed, asked[0].out, asked[0].workers) == ("x", 3, tmp_path, 1)
    assert capsys.readouterr().out.splitlines() == ["It came out.", "", f"Report: {tmp_path / 'report.html'}"]
    assert outcome(["lab"], capsys) == {"arms": []}


@pytest.mark.parametrize("command", [["run", "--against", "example:honest"], ["train"]])
def test_a_rank_of_adapters_is_refused_where_all_weights_are_trained(command, capsys, tmp_path):
    name, *more = command
    assert run([name, "example:cheats", *more, "--model", "lab", "--rank", "16", "--out", str(tmp_path / "r")]) == 2
    assert "--rank is of adapters, and all weights of lab are trained" in capsys.readouterr().err
