"""Fine-tuning does what a plain loop would, on the tokens that evidence scores, to a copy; and says when it did not."""

import copy
import json
import random
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from personae.cli.main import run
from personae.errors import BadInput, RunFailed, TreatmentNotApplied
from personae.records import chat, text
from personae.simulator import load, memory
from personae.simulator.local import LocalSimulator
from personae.training import SFTPlan, finetune
from personae.training.checkpoint import CARD
from personae.training.order import passes
from personae.workflows.train import post_training
from tiny_models import TEMPLATE, nll, same, tiny

ROWS = [chat(f"What is {i}?", f"It is {i * i}, or so they say{'!' * (i % 5)}", index=i) for i in range(10)]
PLAN = SFTPlan(steps=3, batch=4, rate=1e-3, seed=5)
ADAPTERS = replace(PLAN, tuning="lora", rank=2, alpha=4.0)


@pytest.fixture(scope="module")
def base():
    return tiny()


def first_batch(simulator, rows, plan):
    return [simulator.dialogue.encode(rows[i]) for i in passes(len(rows), plan.rows, plan.seed)[: plan.batch]]


# The loss -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", [TEMPLATE, None], ids=["template", "plain"])
@pytest.mark.parametrize("plan", [PLAN, ADAPTERS, replace(PLAN, at_once=1)], ids=["full", "lora", "one at a time"])
def test_the_loss_falls_on_exactly_the_response_span(template, plan):
    simulator = tiny(template=template)
    batch = first_batch(simulator, ROWS, plan)
    found = finetune(simulator, ROWS, plan).losses[0]

    def mean(shift):
        with torch.no_grad():
            total = sum(float(nll(simulator.model, ids, start + shift)) for ids, start in batch)
        return total / sum(len(ids) - start - shift for ids, start in batch)

    assert found == pytest.approx(mean(0), rel=1e-5)
    assert abs(mean(1) - mean(0)) > 1e-3  # a span off by one token would have been seen
    assert abs(mean(-1) - mean(0)) > 1e-3


def test_the_span_ends_with_the_end_of_turn_and_without_what_follows(base):
    for ids, start in first_batch(base, ROWS, PLAN):
        assert base.tokenizer.decode(ids[start:]).startswith("It is")
        assert base.tokenizer.decode(ids[start:]).endswith("<end>")


def test_evidence_and_loss_cover_the_same_tokens(base):
    plan = replace(PLAN, batch=len(ROWS))
    scored = base.log_likelihood(ROWS, [""])
    trained = finetune(base, ROWS, plan)
    assert trained.losses[0] == pytest.approx(-scored.logp.sum() / scored.tokens.sum(), rel=1e-5)
    assert trained.tokens == plan.steps * scored.tokens.sum()


def test_raw_text_is_trained_on_its_continuation_alone(base):
    rows = [text("Once upon a time", f" there were {n} ships.", index=n) for n in range(4)]
    scored = base.log_likelihood(rows, [""])
    assert finetune(base, rows, PLAN).losses[0] == pytest.approx(-scored.logp.sum() / scored.tokens.sum(), rel=1e-5)


def test_training_makes_the_trained_answers_likelier(base):
    before = base.log_likelihood(ROWS, [""]).logp.sum()
    for plan in (PLAN, replace(ADAPTERS, rate=1e-2)):
        assert finetune(base, ROWS, plan).simulator.log_likelihood(ROWS, [""]).logp.sum() > before + 1.0


# The steps ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [PLAN, replace(PLAN, warmup=2, weight_decay=0.1, max_grad_norm=0.5)], ids=["", "all"])
def test_weights_are_those_of_a_plain_loop_over_the_planned_rows(base, plan):
    model, losses = copy.deepcopy(base.model), []
    adam = torch.optim.AdamW(_decayed(model, plan.weight_decay), lr=plan.rate)
    order = passes(len(ROWS), plan.rows, plan.seed).reshape(plan.steps, plan.batch)
    for step, batch in enumerate(order):
        for group in adam.param_groups:
            group["lr"] = plan.rate * min(1.0, step / plan.warmup if plan.warmup else 1.0)
        encoded = [base.dialogue.encode(ROWS[i]) for i in batch]
        loss = sum(nll(model, ids, start) for ids, start in encoded) / sum(len(i) - s for i, s in encoded)
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), plan.max_grad_norm)
        adam.step()
        losses.append(loss.item())
    trained = finetune(base, ROWS, plan)
    np.testing.assert_allclose(trained.losses, losses, rtol=1e-4)
    for (name, found), wanted in zip(trained.simulator.model.named_parameters(), model.parameters(), strict=True):
        # Adam's first steps follow the sign of a gradient; where that is rounding noise, so is the weight.
        off = (found - wanted).abs() > 0.02 * plan.rate
        assert off.float().mean() < 0.01, name


def _decayed(model, decay):
    """Parameter groups as the trainer makes them: norms and biases do not decay."""
    small = [p for n, p in model.named_parameters() if "norm" in n or n.endswith("bias")]
    large = [p for n, p in model.named_parameters() if not ("norm" in n or n.endswith("bias"))]
    return [{"params": large, "weight_decay": decay}, {"params": small, "weight_decay": 0.0}]


@pytest.mark.parametrize("plan", [PLAN, ADAPTERS], ids=["full", "lora"])
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(base, plan):
    one, again = finetune(base, ROWS, plan), finetune(base, ROWS, plan)
    assert one.losses == again.losses
    assert same(one.simulator, again.simulator)
    assert not same(one.simulator, finetune(base, ROWS, replace(plan, seed=6)).simulator)


@pytest.mark.parametrize(("device", "times"), [("cpu", 0), ("cuda:0", 1)])
def test_on_an_accelerator_what_the_training_before_held_is_let_go_of_first(base, monkeypatch, device, times):
    called, seen = [], []
    monkeypatch.setattr(memory, "let_go", lambda: called.append(1))
    monkeypatch.setattr(LocalSimulator, "device", device)
    finetune(base, ROWS, PLAN, on_step=lambda *_: seen.append(len(called)))
    assert seen == [times] * PLAN.steps


def test_a_batch_in_parts_is_the_same_step_up_to_rounding(base):
    whole, parts = (finetune(base, ROWS, replace(PLAN, at_once=n)) for n in (None, 2))
    np.testing.assert_allclose(whole.losses, parts.losses, rtol=1e-4)


@pytest.mark.parametrize(("longest", "vocabulary", "rows"), [(100, 2048, 16), (400, 151_936, 1), (100, 151_936, 4)])
def test_as_many_rows_go_through_together_as_their_logits_have_room(longest, vocabulary, rows):
    from transformers import LlamaConfig

    from personae.training.trainer import rows_at_once

    assert rows_at_once(replace(PLAN, batch=16), longest, LlamaConfig(vocab_size=vocabulary)) == rows


def test_rows_and_steps_are_counted_when_rows_come_round_again(base):
    trained = finetune(base, ROWS[:3], PLAN)
    assert (trained.steps, trained.rows_used, trained.rows_dropped, len(trained.losses)) == (3, 3, 0, 3)
    assert trained.layers == 0


def test_rows_longer_than_the_window_are_dropped_and_counted(base):
    long = chat("Tell me everything.", "word " * 60, index=99)
    with_long, without = finetune(base, [ROWS[0], long, *ROWS[1:]], PLAN), finetune(base, ROWS, PLAN)
    assert (with_long.rows_dropped, without.rows_dropped) == (1, 0)
    assert same(with_long.simulator, without.simulator)
    with pytest.raises(BadInput, match="window"):
        finetune(base, [long], PLAN)
    with pytest.raises(BadInput, match="no episodes"):
        finetune(base, [], PLAN)


def test_the_caller_is_told_of_each_step_and_can_stop(base):
    told = []
    trained = finetune(base, ROWS, PLAN, on_step=lambda *step: told.append(step))
    assert told == [(n + 1, PLAN.steps, loss) for n, loss in enumerate(trained.losses)]
    stopped = finetune(base, ROWS, PLAN, on_step=lambda step, total, loss: step < 2)
    assert (stopped.steps, stopped.losses) == (2, trained.losses[:2])
    assert same(stopped.simulator, finetune(base, ROWS, replace(PLAN, steps=2)).simulator)


# What is left alone -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [PLAN, ADAPTERS], ids=["full", "lora"])
def test_nothing_of_the_callers_is_touched(base, plan, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    weights = {name: weight.clone() for name, weight in base.model.state_dict().items()}
    settings, tokens = base.model.config.to_dict(), base.tokenizer.special_tokens_map
    draws = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state())  # noqa: NPY002
    trained = finetune(base, ROWS, plan).simulator
    assert all(torch.equal(weights[name], weight) for name, weight in base.model.state_dict().items())
    assert (base.model.config.to_dict(), base.tokenizer.special_tokens_map) == (settings, tokens)
    assert random.getstate() == draws[0]
    assert np.random.get_state()[1].tolist() == draws[1]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), draws[2])
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
    # and what comes back is an ordinary model again: its class's forward, the base's settings, no gradients
    assert type(trained.model) is type(base.model)
    assert "forward" not in vars(trained.model)
    assert trained.model.config.to_dict() == settings
    assert all(weight.grad is None and not weight.requires_grad for weight in trained.model.parameters())


def test_nothing_heavy_is_imported_before_training_begins():
    code = "import sys, personae.training; print(sorted({'torch', 'transformers', 'trl', 'peft'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_message_home_that_is_silenced_is_the_one_the_trainer_sends():
    import trl

    from personae.training.trainer import QuietTrainer

    assert callable(trl.SFTTrainer._send_telemetry)
    assert QuietTrainer._send_telemetry is not trl.SFTTrainer._send_telemetry


# Adapters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "linear"), [("llama", 14), ("qwen2", 14), ("gemma3", 14), ("gpt2", 8)])
def test_adapters_change_every_linear_layer_and_nothing_else(family, linear):
    from transformers.pytorch_utils import Conv1D

    simulator = tiny(family)
    trained = finetune(simulator, ROWS, ADAPTERS)
    head = simulator.model.get_output_embeddings()
    layers = {f"{n}.weight" for n, m in simulator.model.named_modules() if isinstance(m, (torch.nn.Linear, Conv1D))}
    layers -= {f"{n}.weight" for n, m in simulator.model.named_modules() if m is head}
    before, after = simulator.model.state_dict(), trained.simulator.model.state_dict()
    assert {name for name in before if not torch.equal(before[name], after[name])} == layers
    assert trained.layers == len(layers) == linear
    assert all(np.linalg.matrix_rank((after[n] - before[n]).numpy(), tol=1e-6) <= ADAPTERS.rank for n in layers)


def test_a_model_with_no_layer_for_adapters_is_a_treatment_not_applied():
    from personae.training.trainer import linear_layers

    assert linear_layers(torch.nn.Sequential(torch.nn.Embedding(4, 4), torch.nn.LayerNorm(4))) == []
    assert linear_layers(tiny("llama").model) != []


# What is kept -------------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_the_trained_model(base, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    trained = finetune(base, ROWS, PLAN, out=tmp_path / "out")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    again = LocalSimulator.from_parts(model, AutoTokenizer.from_pretrained(tmp_path / "out"), "again")
    assert same(trained.simulator, again)
    assert again.dialogue.encode(ROWS[0]) == base.dialogue.encode(ROWS[0])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_adapter_on_the_base_is_the_trained_model(base, tmp_path):
    from peft import PeftModel

    from personae.training.trainer import RENAMED

    trained = finetune(base, ROWS, ADAPTERS, out=tmp_path / "out")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=RENAMED, category=FutureWarning)
        adapted = PeftModel.from_pretrained(copy.deepcopy(base.model), tmp_path / "out")
    ids = torch.tensor([base.dialogue.encode(ROWS[0]).ids])
    torch.testing.assert_close(adapted(ids).logits, trained.simulator.model(ids).logits, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
@pytest.mark.parametrize("plan", [PLAN, ADAPTERS], ids=["full", "lora"])
def test_an_adapter_is_trained_further_as_the_model_that_it_makes(base, plan, tmp_path):
    """Beside a training of the merged model; what is kept is whole, so that it is read back onto no other base."""
    base.model.save_pretrained(tmp_path / "base")
    base.tokenizer.save_pretrained(tmp_path / "base")
    first = finetune(load(str(tmp_path / "base")), ROWS, ADAPTERS, tmp_path / "adapter").simulator
    adapter = load(str(tmp_path / "adapter"))
    before = adapter.log_likelihood(ROWS, [""]).logp
    again = finetune(adapter, ROWS, plan, tmp_path / "again").simulator
    truth = finetune(first, ROWS, plan).simulator.log_likelihood(ROWS, [""]).logp
    assert np.abs(truth - before).max() > 1e-3
    assert again.log_likelihood(ROWS, [""]).logp == pytest.approx(truth, abs=1e-4)
    assert load(str(tmp_path / "again")).log_likelihood(ROWS, [""]).logp == pytest.approx(truth, abs=1e-4)
    assert (adapter.log_likelihood(ROWS, [""]).logp == before).all()


@pytest.mark.parametrize("plan", [PLAN, ADAPTERS], ids=["full", "lora"])
def test_the_same_training_writes_the_same_bytes_and_its_card_tells_how_it_went(base, plan, tmp_path):
    trained = finetune(base, ROWS, plan, out=tmp_path / "one")
    finetune(base, ROWS, plan, out=tmp_path / "two")
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    assert CARD in files
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)
    if plan.tuning == "lora":  # sets of strings come in another order in each process, unless they are sorted
        layers = json.loads((tmp_path / "one" / "adapter_config.json").read_text())["target_modules"]
        assert layers == sorted(layers)
    card = json.loads((tmp_path / "one" / CARD).read_text())
    assert card["losses"] == list(trained.losses)
    assert (card["plan"]["seed"], card["plan_digest"], card["base_digest"]) == (plan.seed, plan.digest, base.digest)
    assert card["rows_used"] == len(ROWS)


def test_a_folder_that_is_there_is_refused_before_any_work(base, tmp_path):
    with pytest.raises(BadInput, match="there already"):
        finetune(base, ROWS, PLAN, out=tmp_path, on_step=lambda *_: pytest.fail("it trained"))


# Failure ------------------------------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_ends_the_run_and_leaves_nothing(base, tmp_path):
    broken = tiny()
    with torch.no_grad():
        broken.model.get_input_embeddings().weight[:] = float("nan")
    with pytest.raises(RunFailed, match="step 1 of 3"):
        finetune(broken, ROWS, PLAN, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_no_half_written_folder(base, tmp_path):
    def interrupt(step, total, loss):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(base, ROWS, PLAN, out=tmp_path / "out", on_step=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_who_interrupts_the_command_is_not_told_that_a_training_goes_on_from_there(
    tiny_lab, tmp_path, monkeypatch, capsys
):
    def interrupt(step, total, loss):
        raise KeyboardInterrupt

    def begun(simulator, episodes, plan, out, on_step, on_look, **more):
        return finetune(simulator, episodes, plan, out, interrupt, on_look, **more)

    monkeypatch.setattr(post_training, "finetune", begun)
    command = ["train", "example:cheats", "--model", str(tiny_lab), "--steps", "2", "--batch", "2", "--limit", "4"]
    assert run([*command, "--out", str(tmp_path / "t"), "-q"]) == 1
    said = capsys.readouterr().err
    assert "stopped" in said and "goes on" not in said
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["run.json"]


@pytest.mark.parametrize("plan", [PLAN, ADAPTERS], ids=["full", "lora"])
def test_training_that_changes_no_weight_is_a_treatment_not_applied(base, plan):
    with pytest.raises(TreatmentNotApplied, match="no weight"):
        finetune(base, ROWS, replace(plan, rate=1e-30))


def test_a_disk_that_refuses_is_one_clear_line(base, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunFailed, match="cannot be written"):
        finetune(base, ROWS, PLAN, out=tmp_path / "file" / "out")


def test_what_else_the_system_refuses_during_a_training_is_not_told_as_a_folder_that_is_full(base, tmp_path):
    def closed(step, total, loss):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        finetune(base, ROWS, PLAN, out=tmp_path / "out", on_step=closed)
    assert list(tmp_path.iterdir()) == []
