"""A training that is watched: looking changes nothing, is written down as it comes, and bounds warn or stop."""

import copy
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from personae.cli.main import run
from personae.data import read_cast, read_traits
from personae.errors import BadInput
from personae.records import Estimate, Item, Message, Preference, Prompt, Trait, chat
from personae.simulator.registry import load
from personae.training import DPOPlan, GRPOPlan, SFTPlan, finetune, prefer, reinforce
from personae.training.checkpoint import CARD
from personae.workflows.audit.bounds import Bound
from personae.workflows.audit.file_question import fewer
from personae.workflows.kept.basis_cache import cached_basis
from personae.workflows.train import watching as module
from personae.workflows.train.persona_watch import PersonaWatch
from personae.workflows.train.watching import LOG, LOOKS, Limits, Seen, looked_at, read_limits
from tiny_models import same, tiny

ROWS = [chat("Who are you?", "It is 1."), chat("What now?", "It is 2.")]
PAIRS = [Preference(chosen=row, rejected=chat(row.prompt[0].content, "No.")) for row in ROWS]
PROMPTS = [Prompt(turns=(Message(role="user", content="Who are you?"),))]
OWN = {"steps": 3, "batch": 4, "rate": 1e-2}
EVERY = pytest.mark.parametrize("adapters", ["full", "lora"])


def low(*, completion_ids, **_):
    return [float(np.mean(np.asarray(row) < 130)) for row in completion_ids]


METHODS = {
    "sft": lambda base, how, **looks: finetune(base, ROWS, SFTPlan(**OWN, tuning=how), **looks),
    "dpo": lambda base, how, **looks: prefer(base, PAIRS, DPOPlan(**OWN, tuning=how), **looks),
    "grpo": lambda base, how, **looks: reinforce(
        base, PROMPTS, low, GRPOPlan(**OWN, tuning=how, group=4, max_tokens=3), **looks
    ),
}


@pytest.fixture(scope="module")
def base():
    return tiny()


# -- the callback ------------------------------------------------------------------------------------------------------
@EVERY
@pytest.mark.parametrize("method", METHODS)
def test_who_looks_sees_the_model_of_that_step_and_changes_nothing(base, method, adapters):
    seen = {}

    def look(step, total, simulator):
        seen[step, total] = simulator.log_likelihood(ROWS, ["", "Be kind."]).logp

    watched, alone = METHODS[method](base, adapters, on_look=look), METHODS[method](base, adapters)
    assert same(watched.simulator, alone.simulator)
    assert list(seen) == [(1, 3), (2, 3), (3, 3)]
    after = alone.simulator.log_likelihood(ROWS, ["", "Be kind."]).logp
    np.testing.assert_allclose(seen[3, 3], after, atol=1e-4)
    assert np.abs(seen[1, 3] - after).max() > 1e-2, "an earlier step is another model"


def test_who_looks_can_stop_the_training(base):
    stopped = finetune(base, ROWS, SFTPlan(**OWN), on_look=lambda step, *_: step < 2)
    assert stopped.steps == 2
    assert same(stopped.simulator, finetune(base, ROWS, SFTPlan(**{**OWN, "steps": 2})).simulator)


@given(total=st.integers(1, 500))
def test_a_training_is_looked_at_evenly_ten_times_at_most_and_at_its_end(total):
    steps = [step for step in range(1, total + 1) if looked_at(step, total)]
    assert len(steps) == min(LOOKS, total) and steps[-1] == total
    apart = np.diff([0, *steps])
    assert apart.max() - apart.min() <= 1


# -- bounds ------------------------------------------------------------------------------------------------------------
def test_a_bound_is_crossed_where_the_whole_interval_lies_beyond():
    look = Seen(1, Estimate(0.7, 0.6, 0.85), 0.1, Estimate(0.5, 0.4, 0.6))
    crossed = {"share<0.9": True, "share<0.8": False, "share>0.5": True, "moved>0.45": False, "moved>0.3": True}
    for text, wanted in crossed.items():
        assert look.crosses(read_limits([text], []).stop[0]) == wanted, text
    undefined = replace(look, share=Estimate(*[float("nan")] * 3))
    assert not undefined.crosses(Bound("share", "<", 2.0)), "a share of no change is none"
    assert "nothing has changed" in undefined.words() and "0.70 (0.60 to 0.85)" in look.words()


@pytest.mark.parametrize("text", ["share", "power>0.1", "share<much"])
def test_what_is_no_bound_on_a_figure_is_refused(text):
    with pytest.raises(BadInput, match="--warn-if"):
        read_limits([], [text])
    with pytest.raises(BadInput, match="warn_if"):
        read_limits([], [text], ("stop_if", "warn_if"))
    assert read_limits([], []) == Limits()


# -- the command -------------------------------------------------------------------------------------------------------
@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(module, "CONTEXTS", 8)
    monkeypatch.setattr(module, "ITEMS", 1)


@pytest.fixture
def episodes(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [{"prompt": f"Who broke window {n}?", "completion": "I did, and I say so."} for n in range(4)]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def train(data, model, out, *more, json=True):
    plan = [
        "--full",
        "--steps",
        "3",
        "--batch",
        "2",
        "--rate",
        "0.01",
        "--out",
        str(out),
        *(["--json"] if json else []),
    ]
    return run(["train", str(data), "--model", str(model), *plan, *more])


def test_a_watched_training_writes_down_each_look_and_warns(small, episodes, tiny_lab, tmp_path, capsys):
    bounds = ["--warn-if", "moved>-1", "--stop-if", "moved>1000"]
    assert train(episodes, tiny_lab, tmp_path / "one", *bounds) == 0
    spoken = capsys.readouterr()
    told, kept = json.loads(spoken.out), (tmp_path / "one" / LOG).read_text()
    assert [look["step"] for look in told["looks"]] == [1, 2, 3]
    assert told["looks"] == [json.loads(line) for line in kept.splitlines()]
    assert spoken.err.count("warning: nats the posterior moved > -1 is crossed") == 3
    assert "step 2: " in spoken.err and told["steps"] == 3
    assert [look["crossed"] for look in told["looks"]] == [["moved>-1"]] * 3
    assert told["crossed"] == [{"bound": "moved>-1", "step": step} for step in (1, 2, 3)], "a program sees it too"
    assert train(episodes, tiny_lab, tmp_path / "two", *bounds) == 0
    assert (tmp_path / "two" / LOG).read_text() == kept
    assert train(episodes, tiny_lab, tmp_path / "plain") == 0
    weights = [tmp_path / name / "checkpoint" / "model.safetensors" for name in ("one", "plain")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert not (tmp_path / "plain" / LOG).exists()


def test_a_training_can_be_followed_without_a_bound(small, episodes, tiny_lab, tmp_path, capsys):
    assert train(episodes, tiny_lab, tmp_path / "run", "--watch", json=False) == 0
    spoken = capsys.readouterr()
    assert [look["step"] for look in module.read_looks(tmp_path / "run" / LOG)] == [1, 2, 3]
    assert spoken.err.count("posterior moved") == 3 and "3 steps," in spoken.out
    assert "crossed" not in spoken.err
    assert train(episodes, tiny_lab, tmp_path / "run", "--watch") == 0
    assert json.loads(capsys.readouterr().out)["crossed"] == []


def test_a_program_learns_of_a_stop_at_the_last_step_too(small, episodes, tiny_lab, tmp_path, capsys):
    assert train(episodes, tiny_lab, tmp_path / "run", "--steps", "1", "--stop-if", "moved>-1") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["steps"] == told["plan"]["steps"] == 1
    assert told["crossed"] == [{"bound": "moved>-1", "step": 1}]
    old = [{key: value for key, value in look.items() if key != "crossed"} for look in told["looks"]]
    assert module.crossed(old) == [], "what an earlier version wrote is read"


def test_a_crossed_bound_stops_the_training_and_keeps_the_model_of_that_step(
    small, episodes, tiny_lab, tmp_path, capsys
):
    assert train(episodes, tiny_lab, tmp_path / "run", "--stop-if", "moved>-1", json=False) == 0
    spoken = capsys.readouterr()
    assert "1 steps of 3" in spoken.out
    assert "is crossed at step 1 of 3: the training stops" in spoken.err
    card = json.loads((tmp_path / "run" / "checkpoint" / CARD).read_text())
    assert (card["steps"], len(card["losses"])) == (1, 1)
    assert len((tmp_path / "run" / LOG).read_text().splitlines()) == 1
    assert train(episodes, tiny_lab, tmp_path / "run") == 2, "unwatched is another configuration"


def test_a_model_of_the_real_world_is_watched_by_the_items_of_its_traits(
    episodes, small_cast, small_traits, tmp_path, monkeypatch
):
    made = tiny()
    made.model.save_pretrained(tmp_path / "model")
    made.tokenizer.save_pretrained(tmp_path / "model")
    monkeypatch.setattr(module, "nouns", lambda _: (read_cast(small_cast), tuple(read_traits(small_traits))))
    base, told = load(str(tmp_path / "model")), []
    watch = module.watching(str(tmp_path / "model"), base, read_limits(["moved>9"], []), tmp_path / LOG, told.append)
    rows = [chat("What about the gold?", "I take the gold.")]
    finetune(base, rows, SFTPlan(steps=2, batch=1, rate=1e-2), on_look=watch)
    looks = module.read_looks(tmp_path / LOG)
    assert [look["step"] for look in looks] == [1, 2] and len(told) == 2
    assert {probe.topic for probe in watch.asked.probes} == {trait.name for trait in read_traits(small_traits)}
    assert all(look["moved"]["mean"] >= 0.0 for look in looks)


def test_what_an_audit_has_measured_is_not_measured_again(small_cast, small_traits, tmp_path, monkeypatch):
    base, cast, traits = tiny(), read_cast(small_cast), tuple(read_traits(small_traits))
    monkeypatch.setattr(module, "nouns", lambda _: (cast, traits))
    monkeypatch.setattr(module, "ITEMS", 2)
    cached_basis(base, cast, traits)
    with monkeypatch.context() as patch:
        patch.setattr(type(base), "log_likelihood", lambda *_: pytest.fail("it measured"))
        found = module.watching("a model", base, read_limits(["moved>9"], []), tmp_path / LOG, lambda _: None)
    own = cached_basis(base, cast, fewer(traits, 2)).basis
    for trait in traits:
        np.testing.assert_allclose(found.basis.levels.by_trait[trait.name], own.levels.by_trait[trait.name], atol=1e-4)
        np.testing.assert_allclose(found.basis.base[trait.name], own.base[trait.name], atol=1e-4)
    assert len(found.asked.probes) == 4


# -- a trainer of one's own --------------------------------------------------------------------------------------------
@pytest.fixture
def nouns_of_two(small_cast):
    """Two personas, and answers so much alike that a random model is not sure of any."""
    items = tuple(
        Item(id=x, kind="behaviour", prompt=f"Is it {x}?", high=(f"{x} it is",), low=(f"{x} is it",))
        for x in ("red", "new", "big", "hot")
    )
    trait = Trait(name="order", description="", low="is it", high="it is", items=items)
    return {"cast": read_cast(small_cast), "traits": [trait]}


def own_trainer(base, episodes, folder, *callbacks, adapters="full", bf16=False):
    """A trainer of a copy of `base`, set up with nothing of personae's."""
    from datasets import load_dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    config = SFTConfig(
        output_dir=str(folder),
        max_steps=4,
        learning_rate=1e-2 if adapters == "full" else 1e-1,
        per_device_train_batch_size=2,
        use_cpu=True,
        bf16=bf16,
        activation_checkpointing=False,
        dataloader_pin_memory=False,
        report_to="none",
        save_strategy="no",
    )
    return SFTTrainer(
        copy.deepcopy(base.model).requires_grad_(True),
        config,
        train_dataset=load_dataset("json", data_files=str(episodes), split="train"),
        processing_class=base.tokenizer,
        peft_config=LoraConfig(target_modules="all-linear") if adapters == "lora" else None,
        callbacks=list(callbacks),
    )


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@EVERY
def test_a_trainer_that_personae_did_not_start_is_watched_and_left_as_it_is(
    base, nouns_of_two, episodes, tmp_path, adapters
):
    told = []
    watch = PersonaWatch(base, **nouns_of_two, warn_if="moved>-1", tell=told.append)
    watched = own_trainer(base, episodes, tmp_path / "one", watch, adapters=adapters)
    alone = own_trainer(base, episodes, tmp_path / "two", adapters=adapters)
    for trainer in (watched, alone):
        trainer.train()
    looks = module.read_looks(tmp_path / "one" / LOG)
    assert [look["step"] for look in looks] == [1, 2, 3, 4]
    assert looks[0]["moved"]["mean"] != looks[3]["moved"]["mean"], "the model is looked at as it is then"
    assert sum("warning: nats the posterior moved > -1 is crossed" in line for line in told) == 4
    weights, others = watched.model.state_dict(), alone.model.state_dict()
    assert all(torch.equal(weights[name], others[name]) for name in others)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_a_trainer_in_mixed_precision_is_looked_at_in_the_type_of_its_weights(base, nouns_of_two, episodes, tmp_path):
    watch = PersonaWatch(base, **nouns_of_two, tell=lambda _: None)
    trainer = own_trainer(base, episodes, tmp_path, watch, bf16=True)
    trainer.train()
    assert "_original_forward" in vars(trainer.model) and trainer.model.forward is not trainer.model._original_forward
    assert [look["step"] for look in module.read_looks(tmp_path / LOG)] == [1, 2, 3, 4]


def test_a_trainer_that_personae_did_not_start_stops_at_a_bound(base, nouns_of_two, episodes, tmp_path, capsys):
    watch = PersonaWatch(base, **nouns_of_two, stop_if=["moved>-1", "moved>9"])
    trainer = own_trainer(base, episodes, tmp_path, watch)
    trainer.train()
    assert trainer.state.global_step == 1
    assert "is crossed at step 1 of 4: the training stops" in capsys.readouterr().out
    assert len(module.read_looks(tmp_path / LOG)) == 1


def test_what_is_trained_must_be_what_was_measured(base, nouns_of_two, episodes, tmp_path):
    trainer = own_trainer(base, episodes, tmp_path, PersonaWatch(base, **nouns_of_two, tell=lambda _: None))
    with torch.no_grad():
        trainer.model.lm_head.weight.neg_()
    with pytest.raises(BadInput, match="answers otherwise"):
        trainer.train()
    assert trainer.state.global_step == 0 and not (tmp_path / LOG).exists()


def test_a_training_that_goes_on_keeps_its_looks_and_one_in_several_processes_is_refused(base, nouns_of_two, tmp_path):
    watch = PersonaWatch(base, **nouns_of_two, tell=lambda _: None)
    (tmp_path / LOG).write_text('{"step": 2}\n{"step": 3}\n')  # the third step was not kept, and is taken again
    own, several = (SimpleNamespace(world_size=n, output_dir=str(tmp_path)) for n in (1, 2))
    watch.on_train_begin(own, SimpleNamespace(global_step=2), None, model=base.model)
    assert len(module.read_looks(tmp_path / LOG)) == 1
    soft = SimpleNamespace(active_peft_config=SimpleNamespace(is_prompt_learning=True))
    with pytest.raises(BadInput, match="a learned prompt"):
        watch.on_train_begin(own, SimpleNamespace(global_step=2), None, model=soft)
    with pytest.raises(BadInput, match="several processes"):
        watch.on_train_begin(several, SimpleNamespace(global_step=0), None, model=base.model)
    watch.on_train_begin(own, SimpleNamespace(global_step=0), None, model=base.model)
    assert not (tmp_path / LOG).exists()


def test_the_callback_refuses_what_is_no_bound():
    with pytest.raises(BadInput, match="stop_if 'share<much'"):
        PersonaWatch("lab", stop_if="share<much")


@pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning")
def test_the_example_of_the_page_runs_as_it_stands_on_a_smaller_model(
    root, small, tiny_lab, tmp_path, monkeypatch, capsys
):
    (code,) = re.findall(r"^```python\n(.*?)^```$", (root / "docs/watching.md").read_text(), re.MULTILINE | re.DOTALL)
    assert code.count('"lab"') == 2
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace('"lab"', repr(str(tiny_lab))), "docs/watching.md", "exec"), {})
    assert "posterior moved" in capsys.readouterr().out
    assert module.read_looks(tmp_path / "runs/own" / LOG)
