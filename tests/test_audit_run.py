"""The job on a file, on a random model of two layers: what it must give whatever the model's numbers are."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from personae.cli.main import run as personae
from personae.data import write_episodes
from personae.errors import BadInput, RunFailed, RunFolderMismatch
from personae.ledger import Ledger, ledger_file, with_digest
from personae.measure import NOBODY, coherence, levels
from personae.measure.quarter import scoring
from personae.records import Cast, Estimate, Item, Levels, Persona, Trait, chat
from personae.records.files import digest, read_json
from personae.simulator.local import LocalSimulator
from personae.theory import attenuation_items, attenuation_only, pooled_attenuation
from personae.training import SFTPlan, finetune
from personae.workflows.audit.bounds import Bound
from personae.workflows.audit.file_audit import audit_file
from personae.workflows.audit.file_pair import check_fits, read_pair
from personae.workflows.audit.file_question import Question
from personae.workflows.doses import Dose, development
from personae.workflows.kept.basis_cache import cached_basis, unmeasured
from personae.workflows.kept.folder import open_folder
from personae.workflows.kept.gather import read_evidence
from personae.workflows.kept.levels_file import read_levels, write_levels
from personae.workflows.run import file_arms
from personae.workflows.run.file_arms import Trained, centre, others
from personae.workflows.run.file_outcome import result, trained_reliability
from personae.workflows.run.file_run import run_file
from personae.workflows.run.file_shifts import shifts_of
from personae.workflows.run.run_words import run_words

TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
PLAN = SFTPlan(steps=2, batch=4, rate=2e-2, tuning="lora", rank=2, alpha=4.0)
VARIES = {"run.json"}  # the one file that is not the same on every run


def tiny() -> LocalSimulator:
    symbols = ["<s>", "</s>", "<end>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    bare = Tokenizer(models.BPE(vocab={symbol: i for i, symbol in enumerate(symbols)}, merges=[]))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    special = {"bos_token": "<s>", "eos_token": "</s>", "additional_special_tokens": ["<end>"]}
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=bare, **special)
    tokenizer.chat_template = TEMPLATE
    shape = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 32}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        config = transformers.LlamaConfig(vocab_size=len(symbols), max_position_embeddings=256, **shape)
        model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3.0)  # a random model is nearly uniform, which would hide who is speaking
    return LocalSimulator.from_parts(model.eval(), tokenizer, "tiny")


def item(name: str, number: int, high: str, low: str) -> Item:
    return Item(id=f"{name}-{number}", kind="behaviour", prompt=f"Case {number}?", high=(high,), low=(low,))


WORDS = (("zzz", "aaa"), ("qqq qqq", "eee"), ("!!!", "..."))
STEADY = tuple(
    Trait(
        name=f"steady-{n}", description="", low="", high="", items=tuple(item(f"steady-{n}", i, h, w) for i in range(8))
    )
    for n, (h, w) in enumerate(WORDS)
)
# Every second item has its poles changed over, so what is persona in one is undone by the next.
FICKLE = Trait(
    name="fickle",
    description="",
    low="",
    high="",
    items=tuple(item("fickle", i, *(("zzz", "aaa") if i in (0, 3, 4, 7) else ("aaa", "zzz"))) for i in range(8)),
)
TRAITS = (*STEADY, FICKLE)
CAST = Cast(
    name="five",
    neutral="A talk follows.",
    personas=tuple(
        Persona(name=name, kind="person", context=context)
        for name, context in {
            "zed": "zzz zzz zzz zzz",
            "ann": "aaa aaa aaa",
            "quo": "qqq qqq qqq qqq qqq",
            "bang": "!!! !!! !!!",
            "eve": "eee eee eee eee",
        }.items()
    ),
)


@pytest.fixture(scope="module")
def simulator() -> LocalSimulator:
    return tiny()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Two files that answer the same six prompts, the control's in another order and with one prompt more."""
    folder = tmp_path_factory.mktemp("files")
    write_episodes(folder / "loud.jsonl", [chat(f"Row {i}?", "!!! zzz !!!" + "z" * i) for i in range(6)])
    write_episodes(folder / "calm.jsonl", [chat(f"Row {i}?", "aaa." + "a" * i) for i in (3, 1, 5, 0, 9, 2, 4)])
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """The cast is measured once for the whole module, as it is for a user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONAE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def question(simulator, files, cache) -> Question:
    pair = read_pair(files / "loud.jsonl", files / "calm.jsonl")
    return Question(simulator, CAST, TRAITS, pair, Dose(PLAN, 3.0, "given", fitted=False))


def folder_of(question: Question, path: Path, command: str = "run"):
    return open_folder(command, question.configuration(), path)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name not in VARIES
    }


class Stop:
    """Watches work, and interrupts it at the first report on what contains `word`."""

    def __init__(self, word: str) -> None:
        self.word = word

    def __call__(self, what: str, unit: str) -> "Stop":
        self.now = self.word in what
        return self

    def __enter__(self):
        def told(done: int, total: int) -> None:
            if self.now:
                raise KeyboardInterrupt

        return told

    def __exit__(self, *_) -> None:
        pass


# Rows and their partners --------------------------------------------------------------------------------------------
def test_rows_are_matched_by_equal_prompts_in_whatever_order_the_control_has_them(files):
    pair = read_pair(files / "loud.jsonl", files / "calm.jsonl")
    assert pair.matched and pair.control is not None
    assert [e.prompt for e in pair.episodes] == [e.prompt for e in pair.control]
    assert [e.index for e in pair.control] == [3, 1, 5, 0, 6, 2]


@pytest.mark.parametrize("control", [False, True])
def test_that_a_limit_ended_the_reading_is_said_and_a_limit_beyond_the_end_is_not(tmp_path, control):
    write_episodes(tmp_path / "a.jsonl", [chat(f"Row {i}?", "yes") for i in range(9)])
    write_episodes(tmp_path / "b.jsonl", [chat(f"Row {i}?", "no") for i in range(9)])
    against = tmp_path / "b.jsonl" if control else None
    assert "Of a.jsonl the first 5 rows were read (--limit)." in read_pair(tmp_path / "a.jsonl", against, 5).note()
    assert "--limit" not in read_pair(tmp_path / "a.jsonl", against, 10).note()


def test_a_row_without_a_partner_is_left_out_and_counted(tmp_path):
    ours = [chat(f"Row {i}?", "yes") for i in range(20)]
    write_episodes(tmp_path / "a.jsonl", ours)
    write_episodes(tmp_path / "b.jsonl", ours[:7] + ours[8:])
    pair = read_pair(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert pair.matched and pair.left_out == 1 and len(pair.episodes) == 19
    assert pair.note() == "19 of 20 rows are matched by equal prompts; 1 row without a partner was left out."


@pytest.mark.parametrize(("partners", "matched"), [(5, True), (4, True), (3, True), (2, False), (0, False)])
def test_files_are_matched_where_half_of_the_rows_have_a_partner(tmp_path, partners, matched):
    ours = [chat(f"Row {i}?", "yes") for i in range(5)]
    write_episodes(tmp_path / "a.jsonl", ours)
    write_episodes(tmp_path / "b.jsonl", [*ours[:partners], *(chat(f"Other {i}?", "no") for i in range(partners, 5))])
    pair = read_pair(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert pair.control is not None and len(pair.control) == len(pair.episodes)
    assert (pair.matched, pair.partners) == (matched, partners)
    assert len(pair.episodes) == (partners if matched else 5) and pair.left_out == 5 - len(pair.episodes)
    assert ("mean" in pair.note()) == (not matched) and f"{partners or 'None'} of 5 rows" in pair.note()


def test_a_prompt_that_comes_twice_is_matched_in_order(tmp_path):
    write_episodes(tmp_path / "a.jsonl", [chat("Hi", "one"), chat("Hi", "two")])
    write_episodes(tmp_path / "b.jsonl", [chat("Hi", "three"), chat("Ho", "four"), chat("Hi", "five")])
    pair = read_pair(tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    assert pair.control is not None and [e.response for e in pair.control] == ["three", "five"]


def test_files_of_other_prompts_keep_their_order_and_have_as_many_rows_on_both_sides(files, tmp_path):
    write_episodes(tmp_path / "other.jsonl", [chat(f"Other {i}?", "aaa") for i in range(4)])
    pair = read_pair(files / "loud.jsonl", tmp_path / "other.jsonl")
    assert not pair.matched and pair.control is not None
    assert len(pair.episodes) == len(pair.control) == 4 and "the control's mean" in pair.note()


ROW, EMPTY = '{"prompt": "%s?", "completion": "yes"}\n', '{"prompt": "x", "completion": ""}\n'


def test_rows_that_hold_no_episode_stop_the_reading_unless_they_are_to_be_skipped_and_then_they_are_counted(tmp_path):
    ours, theirs = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    ours.write_text(ROW % "One" + EMPTY + ROW % "Two")
    theirs.write_text(EMPTY + ROW % "Two" + ROW % "One")
    with pytest.raises(BadInput, match=r"a\.jsonl, line 2: .* answer is empty"):
        read_pair(ours)
    with pytest.raises(BadInput, match=r"b\.jsonl, line 1: .* answer is empty"):
        read_pair(theirs)
    pair = read_pair(ours, theirs, skip_bad=True)
    assert (pair.partners, pair.left_out, pair.unread) == (2, 0, 2)
    assert pair.note().endswith("2 rows without an episode were skipped.")
    assert read_pair(ours, skip_bad=True).note().endswith("1 row without an episode was skipped.")
    ours.write_text(EMPTY * 2)
    for pair in ((ours, None), (theirs, ours)):
        with pytest.raises(BadInput, match=r"a\.jsonl, line 1: .* answer is empty, and none of 2 rows is left"):
            read_pair(*pair, skip_bad=True)


def test_of_preference_pairs_the_report_says_which_answers_are_read(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"prompt": "One?", "chosen": "yes", "rejected": "no"}\n')
    pair = read_pair(tmp_path / "a.jsonl")
    assert pair.episodes[0].response == "yes"
    assert pair.note().endswith("Of preference pairs the chosen answers are read.")


@pytest.mark.parametrize(("different", "said"), [(1, "(1 of a.jsonl)"), (7, "(7 of a.jsonl)"), (8, "")])
def test_that_few_different_rows_were_read_is_said_of_a_file_and_of_its_control(tmp_path, different, said):
    """However many copies of them there are."""
    write_episodes(tmp_path / "a.jsonl", [chat(f"Row {i % different}?", "yes") for i in range(20)])
    write_episodes(tmp_path / "b.jsonl", [chat(f"Other {i}?", "no") for i in range(20)])
    few = read_pair(tmp_path / "a.jsonl", tmp_path / "b.jsonl").few
    assert few == (
        f"Few different rows were read {said}: the intervals cannot tell how other rows would differ." * bool(said)
    )
    assert ("of a.jsonl" in read_pair(tmp_path / "b.jsonl", tmp_path / "a.jsonl").few) == bool(said)


def test_a_pair_with_another_rejected_answer_and_a_prompt_with_another_column_are_no_copies(tmp_path):
    pairs = [{"prompt": "Who?", "chosen": "I.", "rejected": f"He {n}."} for n in range(8)]
    prompts = [{"prompt": "Who?", "level": n} for n in range(8)]
    for rows, how in ((pairs, {"choices": True}), (prompts, {"prompts": True})):
        (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
        assert not read_pair(tmp_path / "a.jsonl", **how).few
        assert read_pair(tmp_path / "a.jsonl", limit=7, **how).few


def test_a_saved_data_set_is_a_file_like_any_other_and_its_digest_is_of_what_it_holds(tmp_path):
    from datasets import Dataset

    def saved(name, answer):
        Dataset.from_list([{"prompt": "One?", "completion": answer}]).save_to_disk(tmp_path / name)
        (tmp_path / name / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')
        return read_pair(tmp_path / name)

    one, same, other = saved("one", "yes"), saved("same", "yes"), saved("other", "no")
    assert one.episodes == same.episodes and one.digests == same.digests
    assert one.digests != other.digests


def test_a_row_too_long_for_the_model_is_named_before_anything_is_scored(simulator, tmp_path):
    write_episodes(tmp_path / "long.jsonl", [chat("Hi", "short"), chat("Hi", "x" * 400)])
    with pytest.raises(BadInput, match=r"long\.jsonl, line 2: prompt and answer are .* tokens"):
        check_fits(simulator, CAST, read_pair(tmp_path / "long.jsonl"))


# The cast, measured once --------------------------------------------------------------------------------------------
class Counted:
    """A simulator that counts the answers it scores and gives out after `most`."""

    def __init__(self, inside: LocalSimulator, most: float = np.inf) -> None:
        self.inside, self.most, self.scored = inside, most, 0
        self.name, self.digest, self.sample = inside.name, inside.digest, inside.sample

    def log_likelihood(self, episodes, contexts, progress=None):
        if self.scored >= self.most:
            raise KeyboardInterrupt
        self.scored += len(episodes) * len(contexts)
        return self.inside.log_likelihood(episodes, contexts, progress)


def test_a_killed_measurement_goes_on_with_the_traits_it_lacks_and_ends_in_the_same_bytes(simulator, tmp_path):
    whole = cached_basis(simulator, CAST, TRAITS, folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        cached_basis(Counted(simulator, most=200), CAST, TRAITS, folder=tmp_path / "killed")
    left = Counted(simulator)
    resumed = cached_basis(left, CAST, TRAITS, folder=tmp_path / "killed")
    assert 0 < left.scored < unmeasured(simulator, CAST, TRAITS, tmp_path / "none")
    for trait, table in whole.basis.levels.by_trait.items():
        assert np.array_equal(table, resumed.basis.levels.by_trait[trait])
    kept = {p.name: p.read_bytes() for p in (tmp_path / "whole").glob("*.parquet")}
    assert kept == {p.name: p.read_bytes() for p in (tmp_path / "killed").glob("*.parquet")}


def test_a_measured_cast_costs_nothing_again_and_a_new_trait_costs_itself_alone(simulator, tmp_path):
    cached_basis(simulator, CAST, TRAITS[:2], folder=tmp_path)
    again = Counted(simulator)
    cached_basis(again, CAST, TRAITS[:2], folder=tmp_path)
    assert again.scored == 0
    cached_basis(again, CAST, TRAITS[:3], folder=tmp_path)
    assert again.scored == 8 * 2 * (len(CAST.names) + 1)


def test_another_wording_of_a_trait_or_context_is_measured_anew(simulator, tmp_path, cache):
    cached_basis(simulator, CAST, TRAITS[:1], folder=tmp_path)
    reworded = TRAITS[0].model_copy(update={"items": TRAITS[0].items[:4]})
    assert unmeasured(simulator, CAST, [reworded], tmp_path) > 0
    cached_basis(simulator, CAST, TRAITS)
    other = CAST.model_copy(update={"neutral": "Another talk follows."})
    assert unmeasured(simulator, CAST, TRAITS) == 0 < unmeasured(simulator, other, TRAITS)


# The audit ----------------------------------------------------------------------------------------------------------
def test_evidence_is_the_row_by_row_difference_from_the_control(question, tmp_path):
    found = audit_file(question, folder_of(question, tmp_path / "a", "audit"))
    expected = np.zeros((6, 6))
    for rows, sign in ((question.pair.episodes, 1.0), (question.pair.control, -1.0)):
        for i, row in enumerate(rows):
            logp = [question.simulator.log_likelihood([row], [c]).logp[0, 0] for c in CAST.contexts]
            expected[i] += sign * (np.array(logp) - logp[0])
    assert np.allclose(found.audit.evidence.matrix, expected, atol=2e-3)
    ours = read_evidence(tmp_path / "a" / "evidence.parquet", CAST).matrix
    theirs = read_evidence(tmp_path / "a" / "evidence-control.parquet", CAST).matrix
    assert np.array_equal(found.audit.evidence.matrix, ours - theirs)


def test_a_file_says_nothing_against_itself(question, files, tmp_path):
    itself = replace(question, pair=read_pair(files / "loud.jsonl", files / "loud.jsonl"))
    found = audit_file(itself, folder_of(itself, tmp_path, "audit"))
    assert np.allclose(found.audit.posterior.weights, found.audit.posterior.prior)
    assert all(abs(t.shift) < 1e-12 for t in found.audit.forecast.traits.values())


def test_a_trait_that_does_not_tell_characters_apart_is_listed_and_never_forecast(question, tmp_path):
    found = audit_file(question, folder_of(question, tmp_path, "audit"))
    assert [h.trait for h in found.hidden] == ["fickle"]
    assert set(found.audit.forecast.traits) == {t.name for t in STEADY}
    assert found.record["hidden"][0]["reliability"] < 0.5 <= min(found.record["reliability"][t.name] for t in STEADY)
    assert "fickle" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_bound_on_what_the_model_cannot_show_is_said_before_a_row_is_scored(question, tmp_path):
    folder = folder_of(question, tmp_path, "audit")
    with pytest.raises(RunFailed, match="the bound on fickle cannot be checked"):
        audit_file(question, folder, bounds=[Bound("steady-0", ">", 9.0), Bound("fickle", ">", 9.0)])
    assert folder.file("basis.parquet").exists() and not folder.file("evidence.parquet").exists()
    assert audit_file(question, folder, bounds=[Bound("steady-0", ">", 9.0)]).record["forecast"]


def test_the_record_holds_what_every_audit_promises(question, tmp_path):
    audit_file(question, folder_of(question, tmp_path, "audit"))
    record = read_json(tmp_path / "forecast.json")
    assert set(record["prior"]) == set(record["posterior"]) == set(CAST.names)
    assert sum(record["prior"].values()) == pytest.approx(1.0) == sum(record["posterior"].values())
    assert all(set(t) == {"base", "mean", "low", "high"} for t in record["forecast"].values())
    assert record["dose"] == 3.0
    assert [e["index"] for e in record["episodes"]] == [0, 1, 2, 3, 4, 5]
    assert all(set(e) == {"index", "bits", "personas", "reveals"} for e in record["episodes"])
    few = "Few different rows were read (6 of loud.jsonl, 6 of calm.jsonl): the intervals cannot tell how other rows"
    assert any(note.startswith(few) for note in record["notes"])
    assert few in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_prior_is_the_models_own_whatever_file_is_read(question, files, tmp_path):
    turned = replace(question, pair=read_pair(files / "calm.jsonl", files / "loud.jsonl"))
    asked = {"own": question, "turned": turned}
    one, other = (audit_file(q, folder_of(q, tmp_path / name, "audit")).record for name, q in asked.items())
    assert one["prior"] == other["prior"] and one["posterior"] != other["posterior"]


def test_the_forecast_is_sealed_by_a_digest_of_its_own_content_and_a_changed_one_is_refused(question, tmp_path):
    folder = folder_of(question, tmp_path, "audit")
    audit_file(question, folder)
    record = read_json(tmp_path / "forecast.json")
    assert record.pop("digest") == digest(record)
    record["forecast"]["steady-0"]["mean"] += 1.0
    (tmp_path / "forecast.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(RunFailed, match="sealed forecast"):
        audit_file(question, folder)


def resealed(path: Path, change) -> bytes:
    """A sealed forecast, changed and sealed again, as another version of this program would have written it."""
    record = read_json(path)
    change(record)
    path.write_text(json.dumps(with_digest({k: v for k, v in record.items() if k != "digest"})), encoding="utf-8")
    return path.read_bytes()


def reworded(record) -> None:
    record["notes"] = ["as an older version put it"]
    record["hidden"][0]["reason"] = record["episodes"][0]["reveals"] = "in other words"
    del record["items"]


def test_a_folder_whose_forecast_says_the_same_in_other_words_is_gone_on_with(question, tmp_path):
    folder = folder_of(question, tmp_path, "audit")
    audit_file(question, folder)
    sealed = resealed(tmp_path / "forecast.json", reworded)
    assert audit_file(question, folder).record["notes"] == ["as an older version put it"]
    assert (tmp_path / "forecast.json").read_bytes() == sealed


@pytest.mark.parametrize("where", [("forecast", "steady-0", "mean"), ("episodes", 0, "bits"), ("dose",)])
def test_a_folder_whose_forecast_has_other_numbers_is_refused(question, tmp_path, where):
    def moved(record) -> None:
        for key in where[:-1]:
            record = record[key]
        record[where[-1]] += 1.0

    folder = folder_of(question, tmp_path, "audit")
    audit_file(question, folder)
    resealed(tmp_path / "forecast.json", moved)
    with pytest.raises(RunFailed, match="sealed forecast"):
        audit_file(question, folder)


def test_a_folder_stands_on_the_basis_that_it_keeps_and_only_a_broken_one_is_measured_anew(
    question, tmp_path, monkeypatch
):
    folder = folder_of(question, tmp_path / "a", "audit")
    first = audit_file(question, folder)
    whole = folder.file("basis.parquet").read_bytes()
    again = replace(question, simulator=Counted(question.simulator))
    monkeypatch.setenv("PERSONAE_CACHE", str(tmp_path / "empty"))
    assert audit_file(again, folder).record == first.record
    assert again.simulator.scored == 0
    folder.file("basis.parquet").write_bytes(whole[: len(whole) // 2])
    assert audit_file(again, folder).record == first.record
    assert again.simulator.scored > 0 and folder.file("basis.parquet").read_bytes() == whole


def test_an_audit_killed_between_the_files_ends_in_the_same_bytes(question, tmp_path):
    audit_file(question, folder_of(question, tmp_path / "whole", "audit"))
    with pytest.raises(KeyboardInterrupt):
        audit_file(question, folder_of(question, tmp_path / "killed", "audit"), Stop("calm.jsonl"))
    assert (tmp_path / "killed" / "evidence.parquet").exists()
    audit_file(question, folder_of(question, tmp_path / "killed", "audit"))
    assert contents(tmp_path / "whole") == contents(tmp_path / "killed")


def test_a_model_that_shows_no_trait_still_has_a_posterior_and_is_never_trained(question, tmp_path):
    blind = replace(question, traits=(FICKLE,))
    found = audit_file(blind, folder_of(blind, tmp_path / "a", "audit"))
    assert not found.audit.forecast.traits and found.audit.posterior.weights.sum() == pytest.approx(1.0)
    with pytest.raises(RunFailed, match="none of the traits"):
        run_file(blind, folder_of(blind, tmp_path / "r"))
    assert not list((tmp_path / "r").glob("trained-*"))


# The run ------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def finished(simulator, files, cache, tmp_path_factory):
    pair = read_pair(files / "loud.jsonl", files / "calm.jsonl")
    question = Question(simulator, CAST, TRAITS, pair, Dose(PLAN, 3.0, "given", fitted=False))
    path = tmp_path_factory.mktemp("runs") / "whole"
    return run_file(question, folder_of(question, path)), path


def test_the_forecast_stands_before_any_training_and_the_score_names_it(finished):
    run, path = finished
    sealed = (path / "forecast.json").stat().st_mtime_ns
    assert all(sealed <= p.stat().st_mtime_ns for p in path.glob("trained-*.parquet"))
    assert read_json(path / "score.json")["forecast_digest"] == read_json(path / "forecast.json")["digest"]
    assert run.sealed_at == (path / "forecast.json").stat().st_mtime


def test_forecast_and_score_are_in_the_ledger_once_however_often_the_run_is_shown(finished, question):
    run, path = finished
    again = run_file(question, folder_of(question, path))
    assert (run.unkept, again.unkept) == ("", "")
    book = Ledger(ledger_file()).read()
    (kept,) = [k for k in book.scored if k.forecast.digest == run.audit.record["digest"]]
    assert kept.ahead
    assert (kept.forecast.model, kept.forecast.tuning, kept.forecast.dose) == (question.simulator.name, "lora", 3.0)
    assert kept.forecast.cast == tuple(p.name for p in CAST.personas)
    for figure in ("pearson", "spearman", "slope", "coverage", "n"):
        assert getattr(kept.score.score, figure) == pytest.approx(getattr(run.score, figure), nan_ok=True)
    assert kept.score.profile == digest(read_json(path / "profile.json"))


def test_a_finished_run_shown_to_a_new_ledger_does_not_count_as_foreseen(finished, question, tmp_path, monkeypatch):
    run, path = finished
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path))
    assert run_file(question, folder_of(question, path)).unkept == ""
    (kept,) = Ledger(ledger_file()).read().scored
    assert kept.forecast.digest == run.audit.record["digest"] and not kept.ahead


def test_a_score_enters_where_its_forecast_could_not_and_each_failure_is_told_once(
    finished, question, tmp_path, monkeypatch
):
    _, path = finished
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("personae.workflows.audit.file_audit.entered", lambda *_: "the forecast is not there")
    run = run_file(question, folder_of(question, path))
    assert len(Ledger(ledger_file()).read().scored) == 1
    assert run.unkept == result(run)["unkept"] == "the forecast is not there"
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path / "file"))
    assert run_file(question, folder_of(question, path)).unkept.startswith("the forecast is not there; not entered")


def test_a_job_whose_ledger_cannot_be_written_is_done_all_the_same_and_says_so(question, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path / "file"))
    found = audit_file(question, folder_of(question, tmp_path / "a", "audit"))
    assert (tmp_path / "a" / "report.html").exists()
    assert found.unkept.startswith("not entered in the ledger") and "\n" not in found.unkept


def test_a_run_forecasts_what_the_audit_does(finished, question, tmp_path):
    audited = audit_file(question, folder_of(question, tmp_path, "audit"))
    assert audited.record == finished[0].audit.record


def test_the_measured_shift_is_the_difference_of_two_character_shifts_done_by_hand(finished, question):
    run, _ = finished
    quarter = attenuation_items(8)
    split = {
        part: [t.model_copy(update={"items": tuple(np.array(t.items, dtype=object)[keep])}) for t in STEADY]
        for part, keep in (("score", ~quarter), ("quarter", quarter))
    }
    people = {p.name: p.context for p in others(CAST)}

    def measured(simulator):
        alone = levels(simulator, split["score"], {NOBODY: ""}).row(NOBODY)
        beside = levels(simulator, split["quarter"], people).by_trait
        return alone, np.stack([beside[t.name].mean(axis=1) for t in STEADY], axis=1)

    base, before = measured(question.simulator)
    there = levels(question.simulator, split["score"], people).by_trait
    middle, moved = {t: table.mean(axis=0) for t, table in there.items()}, {}
    for arm, rows in (("treated", question.pair.episodes), ("control", question.pair.control)):
        alone, after = measured(finetune(question.simulator, rows, PLAN).simulator)
        lost = pooled_attenuation(before, after)
        assert run.attenuation[arm].mean == pytest.approx(lost, abs=1e-3)
        moved[arm] = {t: (alone[t] - middle[t] - (1.0 - lost) * (base[t] - middle[t])).mean() for t in base}
    for trait, shift in run.shifts.items():
        assert shift.mean == pytest.approx(moved["treated"][trait] - moved["control"][trait], abs=2e-3)
        assert shift.low <= shift.mean <= shift.high


def test_trained_on_one_file_twice_nothing_differs(question, files, tmp_path):
    itself = replace(question, pair=read_pair(files / "loud.jsonl", files / "loud.jsonl"))
    run = run_file(itself, folder_of(itself, tmp_path))
    assert all(shift.mean == shift.low == shift.high == 0.0 for shift in run.shifts.values())


def test_with_no_control_the_shift_is_from_the_untrained_model(question, finished, files, tmp_path):
    alone = replace(question, pair=read_pair(files / "loud.jsonl"))
    run = run_file(alone, folder_of(alone, tmp_path))
    both = finished[0]
    assert set(run.attenuation) == {"treated"}
    assert run.attenuation["treated"] == both.attenuation["treated"]  # the same rows, plan and seed
    score = [
        t.model_copy(update={"items": tuple(np.array(t.items, dtype=object)[~attenuation_items(8)])}) for t in STEADY
    ]
    trained = finetune(question.simulator, question.pair.episodes, PLAN).simulator
    before, after = (levels(m, score, {NOBODY: ""}).row(NOBODY) for m in (question.simulator, trained))
    for trait in before:
        assert run.raw[trait].mean == pytest.approx((after[trait] - before[trait]).mean(), abs=2e-3)


def test_several_seeds_are_trainings_of_their_own_and_their_mean_is_what_is_measured(question, finished, tmp_path):
    several = run_file(question, folder_of(question, tmp_path / "two"), seeds=2)
    assert len(several.by_seed) == 2 and several.by_seed[0] != several.by_seed[1]
    assert [("One training:" in run_words(run)) for run in (finished[0], several)] == [True, False]
    own = replace(question, seed=1)
    other = run_file(own, folder_of(own, tmp_path / "other"))
    for trait, shift in several.shifts.items():
        each = [run.shifts[trait].mean for run in (finished[0], other)]
        assert shift.mean == pytest.approx(np.mean(each), abs=1e-5)
    for arm, lost in several.attenuation.items():
        assert lost.mean == pytest.approx(np.mean([run.attenuation[arm].mean for run in (finished[0], other)]))
    known, untrained = several.profile["traits"], several.profile["reliability"]
    alone = finished[0].profile
    assert all(level.reliability == alone["reliability"][t] for t, level in alone["traits"].items())
    assert all(known[t].reliability < untrained[t] for t in known if untrained[t] > 0.0), "seeds are noise too"
    with pytest.raises(BadInput, match="one seed or more"):
        run_file(question, folder_of(question, tmp_path / "none"), seeds=0)


def test_what_varies_between_seeds_is_noise_of_a_trained_profile():
    levels = {"a": np.array([[0.0, 1.0], [2.0, 3.0]])}  # personas 2 apart, items alike: a variance of 2 and no noise
    assert trained_reliability(levels, [{"a": 7.0}]) == {"a": pytest.approx(1.0)}
    assert trained_reliability(levels, [{"a": 0.0}, {"a": 2.0}]) == {"a": pytest.approx(2.0 / 3.0)}


def copied(finished, tmp_path, monkeypatch) -> Path:
    """What a finished run has measured, in a folder of its own and with a ledger of its own."""
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path / "data"))
    return shutil.copytree(finished[1], tmp_path / "run")


def test_a_trait_whose_seeds_scatter_too_far_is_set_aside_before_the_score(finished, question, tmp_path, monkeypatch):
    path = copied(finished, tmp_path, monkeypatch)
    for kept in path.glob("trained-*-0*"):
        shutil.copy(kept, path / kept.name.replace("-0", "-1", 1))
    off = read_levels(path / "trained-treated-1.parquet")
    write_levels(
        path / "trained-treated-1.parquet",
        replace(off, by_trait={**off.by_trait, "steady-1": off.by_trait["steady-1"] + 50.0}),
    )
    run = run_file(question, folder_of(question, path), seeds=2)
    assert run.reliability["steady-1"] < 0.5 <= min(run.reliability["steady-0"], run.reliability["steady-2"])
    assert run.set_aside == ("steady-1",) and run.score.n == 2
    scored = read_json(path / "score.json")
    assert (scored["set_aside"], scored["trained"]) == (["steady-1"], [])
    kept = [run.shifts[t].mean for t in ("steady-0", "steady-2")]
    assert scored["errors"]["no change"] == pytest.approx(np.sqrt(np.square(kept).mean()))
    (entered,) = Ledger(ledger_file()).read().scored
    assert entered.score.left_out == ("steady-1",) and entered.score.score.n == 2
    assert "too unreliably to be scored (reliability below 0.5): steady-1." in run_words(run)
    page = " ".join((path / "report.html").read_text(encoding="utf-8").split())
    assert "What was measured of steady-1 after training is too unreliable to be scored" in page


def test_coherence_is_that_of_the_models_before_and_after_on_the_items_that_score(finished, question):
    run, path = finished
    items = [scoring(t) for t in STEADY]
    rows = {"treated": question.pair.episodes, "control": question.pair.control}
    trained = {arm: coherence(finetune(question.simulator, some, PLAN).simulator, items) for arm, some in rows.items()}
    assert run.coherence == pytest.approx(trained, abs=1e-4)
    profile = read_json(path / "profile.json")
    assert profile["untrained_coherence"] == pytest.approx(coherence(question.simulator, items), abs=1e-5)
    assert profile["coherence"] == min(run.coherence.values()) and not run.broken


def test_a_run_whose_training_broke_the_model_says_so_everywhere_and_enters_no_score(
    finished, question, tmp_path, monkeypatch, capsys
):
    path = copied(finished, tmp_path, monkeypatch)
    untrained = read_json(path / "untrained-coherence.json")
    (path / "trained-control-0-coherence.json").write_text(json.dumps(0.4 * untrained))
    run = run_file(question, folder_of(question, path))
    assert "training has broken the model (coherence: control " in run.unkept and "treated" not in run.unkept
    assert read_json(path / "score.json")["broken"] is True and run.score == finished[0].score
    assert run_words(run).startswith("INCOHERENT: do not read these shifts")
    assert (path / "report.html").read_text(encoding="utf-8").count("INCOHERENT: do not read these shifts") == 2
    assert personae(["score", str(path), str(path), "--json"]) == 0
    assert any("training has broken" in note for note in json.loads(capsys.readouterr().out)["notes"])
    assert Ledger(ledger_file()).read().scored == ()


def test_a_run_measured_before_its_coherence_was_kept_is_shown_as_it_was(finished, question, tmp_path, monkeypatch):
    path = copied(finished, tmp_path, monkeypatch)
    for kept in path.glob("*-coherence.json"):
        kept.unlink()
    run = run_file(question, folder_of(question, path))
    assert run.coherence == {} and not run.broken and not {"coherence", "untrained_coherence"} & set(run.profile)
    assert not list(path.glob("*-coherence.json")) and len(Ledger(ledger_file()).read().scored) == 1


def test_what_attenuation_may_be_widens_the_interval_of_a_shift():
    """Items that all say one thing: only attenuation, told by two traits that disagree, is in doubt."""
    own, beside = np.full(4, 5.0), np.array([1.0, -1.0, 2.0, -2.0, 0.0])[:, None]
    names = tuple("vwxyz")
    old = Trained(dict.fromkeys("ab", own), Levels(names, dict.fromkeys("ab", beside)))
    new = Trained(old.assistant, Levels(names, {"a": 0.9 * beside, "b": 0.3 * beside}))
    found = shifts_of({"treated": [new]}, old, {t: np.zeros(4) for t in "ab"}, 0)
    assert found.raw["a"].low == found.raw["a"].high == 0.0
    assert found.character["a"].high - found.character["a"].low > 0.5


def test_a_run_killed_between_two_trainings_keeps_the_first_and_ends_in_the_same_bytes(question, finished, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_file(question, folder_of(question, tmp_path), watch=Stop("training: control"))
    first = (tmp_path / "trained-treated-0.parquet").stat().st_mtime_ns
    run_file(question, folder_of(question, tmp_path))
    assert (tmp_path / "trained-treated-0.parquet").stat().st_mtime_ns == first
    assert contents(tmp_path) == contents(finished[1])


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize("tuning", ["lora", "full"])
def test_a_run_killed_while_it_measures_does_not_train_again_and_ends_in_the_same_bytes(
    question, tmp_path, monkeypatch, tuning
):
    asked = replace(question, dose=replace(question.dose, plan=replace(PLAN, tuning=tuning, rate=2e-3)))
    run_file(asked, folder_of(asked, tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        run_file(asked, folder_of(asked, tmp_path / "killed"), watch=Stop("measuring what was trained: control"))
    trained = []
    monkeypatch.setattr(file_arms, "finetune", lambda *_, **__: trained.append("again"))
    run_file(asked, folder_of(asked, tmp_path / "killed"))
    assert trained == []
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert not (tmp_path / "killed" / "adapters").exists()


def test_the_profile_is_on_the_scale_of_the_forecast(finished):
    run, path = finished
    profile, forecast = read_json(path / "profile.json"), read_json(path / "forecast.json")["forecast"]
    for trait, level in profile["traits"].items():
        assert level["mean"] - forecast[trait]["base"] == pytest.approx(run.shifts[trait].mean)
        assert level["n"] == 6  # a quarter of the eight items measures attenuation


def test_the_score_stands_beside_floors_and_the_error_of_saying_nothing(finished):
    scored = read_json(finished[1] / "score.json")
    assert {"pearson", "spearman", "slope", "coverage", "n"} <= set(scored)
    assert set(scored["floors"]) == {"attenuation only", "one direction", "nearest persona"}
    run, measured = finished[0], np.array([s.mean for s in finished[0].shifts.values()])
    basis, off_centre = run.audit.audit.basis, []
    for trait, middle in centre(basis).items():
        off_centre.append((basis.base[trait] - middle).mean())
    faded = attenuation_only(np.array(off_centre), measured[None, :])[0]
    assert scored["errors"]["attenuation only"] == pytest.approx(np.sqrt(np.square(faded - measured).mean()))
    assert not replace(run, attenuation={"treated": Estimate(0.09, 0.0, 1.0)}).too_heavy
    assert replace(run, attenuation=dict.fromkeys(("treated", "control"), Estimate(0.11, 0.0, 1.0))).too_heavy
    assert scored["errors"]["no change"] == pytest.approx(np.sqrt(np.square(measured).mean()))


def test_a_trait_that_the_file_itself_trains_is_forecast_and_not_scored(finished, question, tmp_path):
    own = replace(question, trained=("steady-1",))
    folder = folder_of(own, tmp_path)
    for kept in finished[1].glob("*.parquet"):
        shutil.copy(kept, tmp_path)
    run = run_file(own, folder)
    assert run.score.n == finished[0].score.n - 1 and "steady-1" in run.shifts
    assert "steady-1" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_finished_run_gives_back_the_forecast_that_it_made_as_a_development_pair(finished):
    run, path = finished
    pair = development(path)
    for trait, forecast in run.audit.audit.forecast.traits.items():
        assert pair.forecast(trait, 3.0) == pytest.approx(forecast.shift, abs=1e-9)
        assert pair.shifts[trait] == pytest.approx(run.shifts[trait].mean)


def test_adapters_are_kept_when_asked_for_and_load_as_models(question, tmp_path):
    run_file(question, folder_of(question, tmp_path), keep_adapters=True)
    assert (tmp_path / "adapters" / "treated-0" / "adapter_model.safetensors").exists()
    assert (tmp_path / "adapters" / "control-0" / "adapter_model.safetensors").exists()
    run_file(question, folder_of(question, tmp_path))
    assert (tmp_path / "adapters" / "control-0").exists(), "showing the run again takes nothing away"


def test_adapters_that_are_gone_are_not_said_to_be_kept(question, finished, tmp_path):
    shutil.copytree(finished[1], tmp_path / "run")
    with pytest.raises(BadInput, match=r"not kept.*another --out"):
        run_file(question, folder_of(question, tmp_path / "run"), keep_adapters=True)


def test_a_folder_of_other_data_is_refused(question, files, tmp_path):
    folder_of(question, tmp_path)
    other = replace(question, pair=read_pair(files / "calm.jsonl", files / "loud.jsonl"))
    with pytest.raises(RunFolderMismatch):
        folder_of(other, tmp_path)


def test_an_api_model_cannot_be_trained_here_and_that_is_said_before_scoring(question, tmp_path):
    remote = replace(question, simulator=Counted(question.simulator))
    with pytest.raises(BadInput, match="cannot be trained here"):
        run_file(remote, folder_of(remote, tmp_path))
    assert remote.simulator.scored == 0


# From the shell -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def at_rest(simulator, tmp_path_factory) -> Path:
    """The model, cast and traits as a user would have them on disk."""
    import yaml

    folder = tmp_path_factory.mktemp("at-rest")
    simulator.model.save_pretrained(folder / "model")
    simulator.tokenizer.save_pretrained(folder / "model")
    personas = [p.model_dump(include={"name", "kind", "context"}) for p in CAST.personas]
    cast = {"name": CAST.name, "neutral": CAST.neutral, "personas": personas}
    (folder / "cast.yaml").write_text(yaml.safe_dump(cast), encoding="utf-8")
    traits = [
        {"name": t.name, "description": "d", "low": "l", "high": "h", "items": [_plain(i) for i in t.items]}
        for t in TRAITS
    ]
    (folder / "traits.yaml").write_text(yaml.safe_dump(traits), encoding="utf-8")
    return folder


def _plain(one: Item) -> dict[str, object]:
    return {"id": one.id, "kind": one.kind, "prompt": one.prompt, "high": list(one.high), "low": list(one.low)}


def shell(command: str, data: Path, at_rest: Path, *more: object) -> int:
    nouns = ["--cast", at_rest / "cast.yaml", "--traits", at_rest / "traits.yaml"]
    return personae([str(a) for a in (command, data, "--model", at_rest / "model", *nouns, *more)])


def test_audit_prints_one_json_object_and_exits_by_its_bound(files, at_rest, cache, tmp_path, capsys):
    asked = ("--against", files / "calm.jsonl", "--out", tmp_path / "a", "--json", "--quiet")
    assert shell("audit", files / "loud.jsonl", at_rest, *asked, "--fail-if", "steady-0>99") == 0
    record = json.loads(capsys.readouterr().out)
    assert record.pop("folder") == str(tmp_path / "a")
    ((bound, state, shift),) = ((one["bound"], one["state"], one["shift"]) for one in record.pop("bounds"))
    assert (bound, state) == ("steady-0>99", "held")
    assert record == read_json(tmp_path / "a" / "forecast.json")
    assert shift == record["forecast"]["steady-0"]["mean"] - record["forecast"]["steady-0"]["base"]
    assert shell("audit", files / "loud.jsonl", at_rest, *asked, "--fail-if", f"steady-0>{shift - 0.01}") == 1
    spoken = capsys.readouterr()
    assert "crosses a bound" in spoken.err
    assert [bound["state"] for bound in json.loads(spoken.out)["bounds"]] == ["crossed"]
    assert shell("audit", files / "loud.jsonl", at_rest, *asked, "--fail-if", "fickle>0.1") == 1
    assert "cannot be checked" in capsys.readouterr().err


def test_run_prints_forecast_profile_and_score_and_says_how_it_was_dosed(
    files, at_rest, cache, tmp_path, capsys, monkeypatch
):
    asked = ("--against", files / "calm.jsonl", "--steps", 2, "--batch", 2, "--out", tmp_path / "r")
    assert shell("run", files / "loud.jsonl", at_rest, *asked, "--json", "--quiet") == 0
    found = json.loads(capsys.readouterr().out)
    assert {"prior", "posterior", "forecast", "profile", "score"} <= set(found)
    assert (found["folder"], found["unkept"]) == (str(tmp_path / "r"), "")
    assert shell("run", files / "loud.jsonl", at_rest, *asked) == 0  # a finished one is shown again
    told = capsys.readouterr()
    assert "No dose was fitted" in told.out and "Attenuation" in told.out and "report.html" in told.err
    assert "warning" not in told.err
    kept = len(Ledger(ledger_file()).read().scored)
    assert personae(["score", *[str(tmp_path / "r")] * 2, "--json"]) == 0  # what the run has entered, once more
    by_hand = json.loads(capsys.readouterr().out)
    assert by_hand["n"] == found["score"]["n"] and by_hand["notes"] == []
    assert by_hand["coverage"] == pytest.approx(found["score"]["coverage"])
    assert by_hand["slope"] == pytest.approx(found["score"]["slope"])
    assert len(Ledger(ledger_file()).read().scored) == kept
    monkeypatch.setenv("PERSONAE_DATA", str(files / "loud.jsonl"))  # no folder: the ledger cannot be written
    assert shell("run", files / "loud.jsonl", at_rest, *asked) == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(warned) == 1 and "the ledger cannot be written" in warned[0]


def test_a_model_that_nobody_trained_has_not_shifted_and_only_the_forecasts_own_items_say_so(
    files, at_rest, cache, tmp_path, capsys
):
    # Of eight items, and of these a quarter scores nothing.
    audited = ("--no-control", "--items", 6, "--out", tmp_path / "a", "--quiet")
    assert shell("audit", files / "loud.jsonl", at_rest, *audited) == 0
    nouns = ["--cast", at_rest / "cast.yaml", "--traits", at_rest / "traits.yaml"]

    def measured(*more: object) -> int:
        return personae([str(a) for a in ("measure", at_rest / "model", *nouns, "--quiet", *more)])

    def scored(name: str) -> int:
        return personae([str(a) for a in ("score", tmp_path / "a", tmp_path / name, "--json", "--quiet")])

    assert measured("--out", tmp_path / "all") == 0
    assert measured("--out", tmp_path / "same", "--for", tmp_path / "a") == 0
    assert measured("--out", tmp_path / "other", "--for", tmp_path / "a", "--instrument", "options") == 2
    assert "--instrument answers" in capsys.readouterr().err
    assert scored("all") == 2
    assert f"measure M --for {tmp_path / 'a'}" in capsys.readouterr().err
    assert scored("same") == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["traits"]) == {t.name for t in STEADY}
    assert all(t["measured"]["mean"] == pytest.approx(t["base"], abs=1e-4) for t in found["traits"].values())
    assert any("untrained model itself" in note for note in found["notes"])
    assert found["profile_digest"] not in [k.score.profile for k in Ledger(ledger_file()).read().scored]


def test_an_audit_in_another_number_type_is_another_run_with_forecasts_near_the_first(
    files, at_rest, cache, tmp_path, capsys
):
    said = {}
    for dtype in ("float32", "bfloat16"):
        asked = ("--no-control", "--dtype", dtype, "--out", tmp_path / dtype, "--json", "--quiet")
        assert shell("audit", files / "loud.jsonl", at_rest, *asked) == 0
        record = json.loads(capsys.readouterr().out)
        said[dtype] = np.array([[t["base"], t["mean"]] for t in record["forecast"].values()])
    full, half = (read_json(tmp_path / dtype / "run.json")["configuration"] for dtype in said)
    assert (full["dtype"], half["dtype"]) == ("float32", "bfloat16") and full["model_digest"] != half["model_digest"]
    difference = np.abs(said["bfloat16"] - said["float32"])
    assert 0.0 < difference.max() < 0.5, "the body was rounded, and not more than rounded"
    asked = ("--no-control", "--dtype", "float32", "--out", tmp_path / "bfloat16", "--quiet")
    assert shell("audit", files / "loud.jsonl", at_rest, *asked) == 2
    assert "dtype was 'bfloat16' and is now 'float32'" in capsys.readouterr().err


def test_a_training_is_never_measured_against_a_rounded_model(question, tmp_path):
    rounded = replace(question, dtype="bfloat16")
    with pytest.raises(BadInput, match="float32, not bfloat16"):
        run_file(rounded, folder_of(rounded, tmp_path / "q"))


@pytest.mark.parametrize(("seed", "seeds"), [(2**32, 1), (2**32 - 1, 2)])
def test_a_seed_that_no_training_takes_is_refused_before_the_model_is_asked_anything(
    files, at_rest, cache, tmp_path, capsys, seed, seeds
):
    asked = ("--no-control", "--seed", seed, "--seeds", seeds, "--out", tmp_path / "r")
    assert shell("run", files / "loud.jsonl", at_rest, *asked) == 2
    told = capsys.readouterr().err
    assert f"seed {2**32} cannot be trained from" in told and len(told.strip().splitlines()) == 1
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--dtype", "int3"), "--dtype"),
        (("--fail-if", "kindness>0.1"), "no trait"),
        (("--fail-if", "steady-0"), "is no bound"),
        (("--dose", "-1"), "above zero"),
        (("--against", "nowhere.jsonl"), "nowhere.jsonl"),
    ],
)
def test_bad_input_is_one_line_and_status_two(files, at_rest, cache, capsys, more, said):
    assert shell("audit", files / "loud.jsonl", at_rest, *more) == 2
    told = capsys.readouterr().err
    assert said in told and len(told.strip().splitlines()) == 1
