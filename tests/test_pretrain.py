"""Pretraining in small: the loss falls, a killed run ends as if it had not been, the folder is an ordinary model."""

import json
import multiprocessing
import os
import time
from dataclasses import replace
from functools import cache, partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from personae.cli.main import run
from personae.errors import BadInput, RunFailed, RunFolderMismatch
from personae.records import Episode, Message
from personae.simulator.dialogue import Dialogue
from personae.simulator.registry import load
from personae.training import pretrain as module
from personae.training import pretrain_folder
from personae.training.new_model import PretrainPlan
from personae.training.pretrain import batches, pretrain, rate_factor
from personae.training.pretrain_folder import State
from personae.workflows.kept.folder import read_record
from personae.workflows.train import pretraining
from personae.world import Language, declared, documents
from personae.world.exact import dialogue
from tiny_models import worded

PLAN = PretrainPlan(tokens=30_000, batch_tokens=512, width=32, layers=1, heads=2, vocabulary=600)


@cache
def corpus() -> dict[int, list[str]]:
    world = declared()
    drawn = documents(world, np.random.default_rng(0), Language(world))
    return {block: list(islice(drawn, 300)) for block in range(3)}


def texts():
    """(block, size) -> documents, in a form that another process can be given."""
    return partial(dict.get, corpus())


class Stopped(Exception):
    """What a kill looks like from inside."""


def weights(model: Path) -> dict[str, torch.Tensor]:
    return load_file(model / "model.safetensors")


def same(one: Path, other: Path) -> bool:
    mine, theirs = weights(one), weights(other)
    return mine.keys() == theirs.keys() and all(torch.equal(mine[k], theirs[k]) for k in mine)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, int, float]]]:
    """An uninterrupted run and what it told on the way."""
    told: list[tuple[int, int, float]] = []
    folder = tmp_path_factory.mktemp("whole")
    saved = pretrain(texts(), PLAN, folder, lambda *step: told.append(step), processes=1)
    return saved, told


def test_the_loss_falls(whole):
    _, told = whole
    losses = [loss for _, _, loss in told]
    assert losses[0] == pytest.approx(np.log(600), abs=0.5), "at first every token is as likely as any other"
    assert np.mean(losses[-5:]) < losses[0] - 0.9


def test_progress_counts_tokens_up_to_the_plan(whole):
    _, told = whole
    done = [d for d, _, _ in told]
    assert done == sorted(set(done))
    assert {total for _, total, _ in told} == {PLAN.tokens}
    assert PLAN.tokens <= done[-1] < PLAN.tokens + PLAN.shards * PLAN.batch_tokens


@pytest.mark.parametrize("killed_at", [3, 9])
def test_a_killed_run_ends_with_the_weights_of_one_that_was_not(whole, tmp_path, monkeypatch, killed_at):
    """Before its first checkpoint, and some steps past one."""
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", 4)
    steps = 0

    def stop(done: int, total: int, loss: float) -> None:
        nonlocal steps
        steps += 1
        if steps == killed_at:
            raise Stopped

    with pytest.raises(Stopped):
        pretrain(texts(), PLAN, tmp_path, stop, processes=1)
    assert not (tmp_path / "model").exists()
    resumed: list[int] = []
    saved = pretrain(texts(), PLAN, tmp_path, lambda done, total, loss: resumed.append(done), processes=1)
    assert same(saved, whole[0])
    told = [done for done, _, _ in whole[1]]
    assert resumed == told[killed_at // 4 * 4 :], "nothing before the last checkpoint is trained again"


def test_a_finished_run_is_not_trained_again_past_its_last_checkpoint(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", 1)
    first = pretrain(texts(), PLAN, tmp_path, processes=1)
    steps: list[int] = []
    again = pretrain(texts(), PLAN, tmp_path, lambda *step: steps.append(step[0]), processes=1)
    assert steps == []
    assert same(first, again)
    assert same(first, whole[0])


def test_two_processes_train_the_same_model_and_can_be_stopped_and_resumed(whole, tmp_path, monkeypatch):
    """Each takes one shard of a step; their gradients are added, so only rounding could differ."""
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", 4)
    short = replace(PLAN, tokens=8_000)

    def stop(done: int, total: int, loss: float) -> None:
        if done > 6_000:
            raise Stopped

    with pytest.raises(Stopped):
        pretrain(texts(), short, tmp_path / "two", stop, processes=2)
    two = weights(pretrain(texts(), short, tmp_path / "two", processes=2))
    one = weights(pretrain(texts(), short, tmp_path / "one", processes=1))
    for name, mine in one.items():
        assert torch.allclose(mine, two[name], atol=2e-3), name


def test_a_state_that_was_damaged_or_finds_no_room_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", 1)
    short = replace(PLAN, tokens=2_000)
    pretrain(texts(), short, tmp_path, processes=1)
    state = tmp_path / "state.pt"
    state.write_bytes(state.read_bytes()[:-100])
    with pytest.raises(BadInput, match="is damaged"):
        pretrain(texts(), short, tmp_path, processes=1)
    state.unlink()
    state.mkdir()
    (state / "no file").touch()
    monkeypatch.setattr(module, "resume", lambda *_: State())
    with pytest.raises(RunFailed, match="cannot be written"):
        pretrain(texts(), short, tmp_path, processes=1)


def test_a_run_whose_other_process_is_killed_says_so_and_goes_on_from_what_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", 2)
    short, done = replace(PLAN, tokens=4_000), []

    def kill(so_far: int, total: int, loss: float) -> None:
        done.append(so_far)
        if len(done) == 3:
            multiprocessing.active_children()[0].kill()

    with pytest.raises(RunFailed, match="another process of the run ended"):
        pretrain(texts(), short, tmp_path, kill, processes=2)
    again: list[int] = []
    pretrain(texts(), short, tmp_path, lambda *step: again.append(step[0]), processes=1)
    assert done[1] < again[0] <= done[2] + 1 and again[-1] >= short.tokens


def test_another_plan_in_the_same_folder_is_refused(whole):
    folder = whole[0].parent
    before = (folder / "plan.json").read_bytes()
    for other in (replace(PLAN, seed=1), replace(PLAN, tokens=40_000), replace(PLAN, width=64)):
        with pytest.raises(RunFolderMismatch, match="another plan") as refused:
            pretrain(texts(), other, folder, processes=1)
        assert refused.value.exit_status == 2
    assert (folder / "plan.json").read_bytes() == before


@pytest.mark.parametrize("text", ["", '{"tokens": 30', "[]", '{"lanes": 2}'])
def test_a_damaged_plan_is_told_in_a_line_and_one_that_cannot_be_written_leaves_none(tmp_path, text, monkeypatch):
    file = tmp_path / "plan.json"
    file.write_text(text)
    with pytest.raises(BadInput, match="is no plan of a pretraining run - delete the file") as no:
        pretrain(texts(), PLAN, tmp_path, processes=1)
    assert str(no.value).startswith(f"{file}: ")
    file.unlink()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunFailed, match=r"plan.json: cannot be written"):
        pretrain(texts(), PLAN, tmp_path, processes=1)
    assert not file.exists()


def full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_model_that_cannot_be_written_is_not_there(whole, tmp_path, monkeypatch):
    """Neither half of one nor, in place of another, the other."""
    simulator = load(str(whole[0]))
    with monkeypatch.context() as patch:
        patch.setattr(type(simulator.tokenizer), "save_pretrained", lambda *_: full(0))
        with pytest.raises(RunFailed, match=f"{tmp_path}: cannot be written"):
            pretrain_folder.save(tmp_path / "model", simulator.model, simulator.tokenizer)
    assert not list(tmp_path.iterdir())
    for _ in range(2):
        pretrain_folder.save(tmp_path / "model", simulator.model, simulator.tokenizer)
    assert [path.name for path in tmp_path.iterdir()] == ["model"] and same(tmp_path / "model", whole[0])


def test_another_seed_gives_another_model(whole, tmp_path):
    saved = pretrain(texts(), replace(PLAN, seed=1, tokens=3_000), tmp_path, processes=1)
    assert not same(saved, whole[0])


@pytest.mark.parametrize("processes", [1, 2])
def test_a_model_kept_on_the_way_is_the_run_as_it_then_was(whole, tmp_path, monkeypatch, processes):
    """The end of the run is what it would have been, and what was kept stands between the beginning and that."""
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", 4)
    final = pretrain(texts(), PLAN, tmp_path, processes=processes, keep_at=(20_000, 10_000))
    assert processes > 1 or same(final, whole[0])
    kept = [weights(tmp_path / f"model-at-{tokens}") for tokens in (10_000, 20_000)]
    fresh = module.new_model(PLAN, load(str(final)).tokenizer)
    start = {name: p.detach() for name, p in fresh.named_parameters()}
    steps = [start, *kept, weights(final)]
    distance = [sum(float((p[n] - start[n]).square().sum()) for n in start if n in p) for p in steps]
    assert 0.0 == distance[0] < distance[1] < distance[2] < distance[3]
    assert load(str(tmp_path / "model-at-10000")).window == PLAN.window


def test_what_cannot_be_kept_is_refused_before_any_training(tmp_path, monkeypatch):
    with pytest.raises(BadInput, match="31000 of 30000"):
        pretrain(texts(), PLAN, tmp_path / "beyond", processes=1, keep_at=(31_000,))
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", 2)
    short = replace(PLAN, tokens=6_000)
    pretrain(texts(), short, tmp_path / "passed", processes=1)
    with pytest.raises(BadInput, match="passed 2000 tokens"):
        pretrain(texts(), short, tmp_path / "passed", processes=1, keep_at=(2_000,))


def test_a_vocabulary_may_come_from_other_documents(tmp_path):
    """A corpus that lacks a word is read with the tokens of one that has it."""
    plan = replace(PLAN, tokens=2_000)
    words = partial(dict.get, {0: [f"{text}qwertz qwertz\n" for text in corpus()[0]]})
    own = pretrain(texts(), plan, tmp_path / "own", processes=1)
    shared = pretrain(texts(), plan, tmp_path / "shared", processes=1, words=words)
    assert "qwertz" in load(str(shared)).tokenizer.get_vocab()
    assert "qwertz" not in load(str(own)).tokenizer.get_vocab()
    assert load(str(own)).tokenizer.get_vocab() == worded(corpus()[0], plan).get_vocab()


def test_the_saved_folder_is_a_model_that_the_registry_loads(whole):
    simulator = load(str(whole[0]))
    config = simulator.model.config
    assert type(simulator.model).__name__ == "LlamaForCausalLM"
    assert (config.hidden_size, config.num_hidden_layers, config.vocab_size) == (32, 1, len(simulator.tokenizer))
    assert not any(p.suffix in (".bin", ".pt", ".pkl") for p in whole[0].iterdir())
    question = Language(declared()).questions["power"][0]
    turn = (Message(role="user", content=question.text),)
    answer = simulator.sample([turn], max_tokens=12, seed=1)
    assert len(answer) == 1
    assert "\n" not in answer[0].rstrip("\n")


def test_a_chat_is_laid_out_as_exact_inference_reads_it_and_the_span_is_the_answer_and_its_line_end(whole):
    """Evidence and loss stand on the answer and the newline that ends it; the context is the line before."""
    simulator, language = load(str(whole[0])), Language(declared())
    asked = language.questions["power"][0]
    before = language.questions["care"][0]
    turns = (
        Message(role="user", content=before.text),
        Message(role="assistant", content=language.answer(before, 1, ("", 0))),
        Message(role="user", content=asked.text),
        Message(role="assistant", content=language.answer(asked, 0, ("Well.", 1))),
    )
    for context in ("", "The assistant is a plain tool that answers."):
        encoded = Dialogue(simulator.tokenizer).encode(Episode(messages=turns), context)
        assert encoded.ids[0] == simulator.tokenizer.bos_token_id
        whole_text = simulator.tokenizer.decode(encoded.ids[1:])
        assert whole_text == f"{dialogue(turns, context)}\n"
        assert simulator.tokenizer.decode(encoded.ids[encoded.start :]) == f" {turns[-1].content}\n"


def test_training_shows_in_what_is_likely(whole, tmp_path):
    """After training, sentences of the world are likelier than the same words in another order."""
    simulator, language = load(str(whole[0])), Language(declared())
    episodes, shuffled = [], []
    for trait in ("power", "care", "joy"):
        question = language.questions[trait][0]
        answer = language.answer(question, 1, ("", 0))
        for kept, words in ((episodes, answer), (shuffled, " ".join(reversed(answer.split())))):
            turns = (Message(role="user", content=question.text), Message(role="assistant", content=words))
            kept.append(Episode(messages=turns))
    straight, turned = (simulator.log_likelihood(e, [""]).logp.sum() for e in (episodes, shuffled))
    assert straight > turned


def test_a_log_tells_the_loss_as_it_went(tmp_path):
    long = replace(PLAN, tokens=60_000)
    pretrain(texts(), long, tmp_path, processes=1)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [50 * (n + 1) for n in range(len(lines))]
    assert lines
    assert all(line["loss"] > 0.0 and line["tokens"] > 0 for line in lines)


def logged(folder: Path) -> list[dict[str, float]]:
    """The lines of a log, without the time of day."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.mark.parametrize("killed_at", [3, 7])
def test_a_killed_run_leaves_the_log_of_one_that_was_not(tmp_path, monkeypatch, killed_at):
    """Before its first checkpoint, and some steps past one; a line that the kill cut short is written anew."""
    monkeypatch.setattr(module, "CHECKPOINT_EVERY", 4)
    monkeypatch.setattr(pretrain_folder, "LOG_EVERY", 2)
    plan, steps = replace(PLAN, tokens=12_000), 0
    pretrain(texts(), plan, tmp_path / "whole", processes=1)

    def stop(done: int, total: int, loss: float) -> None:
        nonlocal steps
        steps += 1
        if steps == killed_at:
            raise Stopped

    with pytest.raises(Stopped):
        pretrain(texts(), plan, tmp_path / "killed", stop, processes=1)
    log = tmp_path / "killed" / "log.jsonl"
    assert [line["step"] for line in logged(tmp_path / "killed")][-1] == killed_at - 1
    log.write_text(log.read_text() + '{"step": ')
    pretrain(texts(), plan, tmp_path / "killed", processes=1)
    found = logged(tmp_path / "killed")
    assert found == logged(tmp_path / "whole")
    assert [line["step"] for line in found] == [2 * (n + 1) for n in range(len(found))]


def test_the_seconds_of_a_log_go_on_where_a_run_goes_on(tmp_path):
    path, step = tmp_path / "log.jsonl", pretrain_folder.LOG_EVERY
    path.write_text("".join(json.dumps({"step": n * step, "seconds": n * 1000}) + "\n" for n in (1, 2)))
    pretrain_folder.Log(path, step).note(pretrain_folder.State(step=2 * step), 1.0)
    assert [json.loads(line)["seconds"] // 1000 for line in path.read_text().splitlines()] == [1, 1]


def test_what_an_interrupted_pretraining_spent_counts_when_it_goes_on(tmp_path, monkeypatch):
    def interrupted(*_):
        time.sleep(0.2)
        raise KeyboardInterrupt

    monkeypatch.setattr(pretraining, "pretrained", interrupted)
    options = ["pretrain", "--tokens", "2000", "--out", str(tmp_path / "p"), "-q"]
    assert [run(options), run(options)] == [1, 1]
    assert read_record(tmp_path / "p")["stages"]["pretraining"] >= 0.4


def test_a_loss_that_is_no_number_is_told_with_its_step_counted_from_one(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_step", lambda *_: float("nan"))
    with pytest.raises(RunFailed, match="the loss is nan at step 1;"):
        pretrain(texts(), PLAN, tmp_path, processes=1)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("short", [0, 1])
def test_a_block_too_short_for_a_step_is_refused_and_does_not_go_on_for_ever(tmp_path, processes, short, capfd):
    """The first block, or a corpus that has come to its end."""
    few = {**corpus(), short: corpus()[short][: 1 - short]}
    plan = replace(PLAN, tokens=200_000, batch_tokens=2048)
    with pytest.raises(
        BadInput, match=rf"block {short} of the corpus makes {1 - short} batches .* a step takes 2"
    ) as no:
        pretrain(partial(dict.get, few), plan, tmp_path, processes=processes)
    assert "\n" not in str(no.value)
    assert capfd.readouterr().err == "", "one process says it, the others nothing"
    assert not (tmp_path / "model").exists()


# -- parts -------------------------------------------------------------------------------------------------------------
def test_batches_hold_every_document_once_and_no_loss_on_padding():
    tokenizer = worded(corpus()[0], PLAN)
    rows = []
    for ids, labels in batches(corpus()[0], tokenizer, PLAN, 0):
        assert ids.shape == labels.shape
        assert ids.shape[0] == 1 or ids.numel() <= PLAN.batch_tokens
        for row, wanted in zip(ids.tolist(), labels.tolist(), strict=True):
            length = sum(label >= 0 for label in wanted)
            assert wanted == row[:length] + [-100] * (len(row) - length)
            rows.append(tuple(row[:length]))
    end = tokenizer.eos_token_id
    expected = [(*tokenizer(t)["input_ids"], end)[: PLAN.window] for t in corpus()[0]]
    assert sorted(rows) == sorted(expected)
    assert all(row[0] == end for row in rows)


def test_batches_of_another_block_come_in_another_order():
    tokenizer = worded(corpus()[0], PLAN)

    def lengths(block: int) -> list[int]:
        return [ids.shape[1] for ids, _ in batches(corpus()[0], tokenizer, PLAN, block)]

    assert lengths(0) == lengths(0)
    assert lengths(0) != lengths(1)
    assert sorted(lengths(0)) == sorted(lengths(1))
    assert lengths(0) != sorted(lengths(0)), "not from short to long"


def test_the_rate_warms_up_stays_and_falls():
    factors = [rate_factor(done, PLAN) for done in np.linspace(0.0, 1.0, 201)]
    assert factors[0] < 0.05
    assert max(factors) == 1.0
    assert factors[-1] < 0.05
    peak = factors.index(1.0)
    assert factors[:peak] == sorted(factors[:peak])
    last = len(factors) - 1 - factors[::-1].index(1.0)
    assert set(factors[peak : last + 1]) == {1.0}
    assert factors[last:] == sorted(factors[last:], reverse=True)
    assert factors[100] == 1.0
