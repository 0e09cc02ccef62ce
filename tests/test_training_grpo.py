"""GRPO takes the step of a plain loop over the answers it drew, and says when a reward teaches nothing or is none."""

import copy
import importlib
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from personae.errors import BadInput, RunFailed, TreatmentNotApplied
from personae.records import Message, Prompt
from personae.training import GRPOPlan, reinforce
from personae.training.checkpoint import CARD
from personae.training.order import passes
from personae.training.reward import named_reward, reward_digest
from tiny_models import same, tiny


def asking(*questions, **columns):
    """Prompts of one question each."""
    return [Prompt(turns=(Message(role="user", content=q),), index=i, extra=columns) for i, q in enumerate(questions)]


PROMPTS = asking("Who are you?", "What do you want?", "Where are we?")
PLAN = GRPOPlan(steps=1, batch=8, rate=1e-3, seed=3, group=4, max_tokens=6)
ADAPTERS = replace(PLAN, tuning="lora", rank=2, alpha=4.0, steps=2)


class Low:
    """Rewards an answer for its low bytes, and remembers what it was given."""

    def __init__(self):
        self.given = []

    def __call__(self, *, completion_ids, **given):
        self.given.append({"completion_ids": completion_ids, **given})
        return [float(np.mean(np.asarray(row) < 130)) for row in completion_ids]


@pytest.fixture(scope="module")
def base():
    return tiny()


@pytest.fixture(scope="module")
def stepped(base):
    """One step, and what the reward was given."""
    reward = Low()
    return reinforce(base, PROMPTS, reward, PLAN), reward.given[0]


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_a_step_is_that_of_a_plain_loop_over_the_answers_drawn(base, temperature):
    reward = Low()
    made = reinforce(base, PROMPTS, reward, replace(PLAN, temperature=temperature))
    given = reward.given[0]
    rewards = np.reshape([np.mean(np.asarray(row) < 130) for row in given["completion_ids"]], (2, 4))
    advantages = (rewards - rewards.mean(1, keepdims=True)) / (rewards.std(1, ddof=1, keepdims=True) + 1e-4)
    seen = [PROMPTS[i] for i in passes(3, 2, PLAN.seed) for _ in range(PLAN.group)]
    model, total = copy.deepcopy(base.model), 0.0
    for prompt, drawn, advantage in zip(seen, given["completion_ids"], advantages.ravel(), strict=True):
        start = base.dialogue.prompt_ids(prompt.turns)
        logp = (model(input_ids=torch.tensor([start + drawn])).logits[0] / temperature).log_softmax(-1)
        total += -advantage * sum(logp[len(start) + t - 1, i] for t, i in enumerate(drawn))
    adam = torch.optim.AdamW(model.parameters(), lr=PLAN.rate, weight_decay=0.0)
    (total / sum(map(len, given["completion_ids"]))).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), PLAN.max_grad_norm)
    adam.step()
    for (name, weight), wanted in zip(made.simulator.model.named_parameters(), model.parameters(), strict=True):
        off = (weight - wanted).abs() > 0.02 * PLAN.rate  # where a gradient is rounding noise, so is Adam's step
        assert off.float().mean() < 0.01, name
    assert made.told["rewards"] == [pytest.approx(rewards.mean())]


def test_what_is_drawn_ends_with_the_end_of_turn_and_is_counted(base, stepped):
    made, given = stepped
    stop = set(base.dialogue.stop_ids)
    cut = [row for row in given["completion_ids"] if row[-1] not in stop]
    assert all(len(row) == PLAN.max_tokens for row in cut) and made.told["cut"] == [len(cut)]
    assert not any(stop & set(row[:-1]) for row in given["completion_ids"])
    assert made.tokens == sum(map(len, given["completion_ids"]))
    assert (made.steps, made.rows_used, made.rows_dropped) == (1, 2, 0)


@pytest.mark.parametrize("as_text", [True, False])
def test_a_reward_is_given_the_prompts_as_the_rows_had_them_and_their_other_keys(base, as_text):
    reward = Low()
    rows = [p.model_copy(update={"as_text": as_text}) for p in asking("Who?", "What?", key="value")]
    reinforce(base, rows, reward, PLAN)
    asked, said = reward.given[0]["prompts"], reward.given[0]["completions"]
    assert reward.given[0]["key"] == ["value"] * 8
    if as_text:
        assert set(asked) == {"Who?", "What?"} and all(isinstance(answer, str) for answer in said)
    else:
        assert asked[0] in ([{"role": "user", "content": q}] for q in ("Who?", "What?"))
        assert {turn["role"] for answer in said for turn in answer} == {"assistant"}


def test_what_is_rewarded_becomes_likelier(base):
    def low(simulator):
        """Probability that an answer begins with a low byte, mean over prompts."""
        rows = [torch.tensor([base.dialogue.prompt_ids(prompt.turns)]) for prompt in PROMPTS]
        with torch.no_grad():
            return np.mean([float(simulator.model(ids).logits[0, -1].softmax(-1)[:130].sum()) for ids in rows])

    made = reinforce(base, PROMPTS, Low(), replace(PLAN, steps=5, batch=32, group=16, rate=1e-2, max_tokens=1))
    assert low(made.simulator) > low(base) + 0.1


def test_the_same_seed_writes_the_same_bytes_and_a_batch_in_parts_is_the_same_step(base, stepped, tmp_path, capfd):
    weights = {name: weight.clone() for name, weight in base.model.state_dict().items()}
    one = reinforce(base, PROMPTS, Low(), ADAPTERS, tmp_path / "one")
    two = reinforce(base, PROMPTS, Low(), ADAPTERS, tmp_path / "two")
    assert same(one.simulator, two.simulator)
    assert all((tmp_path / "two" / f.name).read_bytes() == f.read_bytes() for f in (tmp_path / "one").iterdir())
    card = json.loads((tmp_path / "one" / CARD).read_text())
    assert (card["method"], card["groups"], card["rewards"]) == ("grpo", 2, list(one.told["rewards"]))
    assert all(torch.equal(weights[name], weight) for name, weight in base.model.state_dict().items())
    assert capfd.readouterr() == ("", "")
    parts = reinforce(base, PROMPTS, Low(), replace(PLAN, at_once=2)).simulator.model
    for whole, part in zip(stepped[0].simulator.model.parameters(), parts.parameters(), strict=True):
        assert ((whole - part).abs() > 0.02 * PLAN.rate).float().mean() < 0.01


@pytest.mark.parametrize(
    ("reward", "said"),
    [
        (lambda **_: [1.0], "1 numbers for 8 answers"),
        (lambda **_: [float("nan")] * 8, "gave nan to the answer"),
        (lambda **_: [None] * 8, "no list of numbers"),
        (lambda **_: 3, "no list of numbers"),
        (lambda **_: {}["x"], "the reward failed .KeyError"),
    ],
)
def test_a_reward_that_gives_no_number_to_each_answer_is_one_clear_line(base, reward, said, tmp_path):
    with pytest.raises(RunFailed, match=said):
        reinforce(base, PROMPTS, reward, PLAN, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_a_reward_that_tells_nothing_apart_is_a_treatment_not_applied(base, decay, tmp_path):
    """Also where weights change all the same."""
    plan = replace(PLAN, steps=2, weight_decay=decay)
    with pytest.raises(TreatmentNotApplied, match="no two answers to one apart; draw more answers a prompt"):
        reinforce(base, PROMPTS, lambda *, prompts, **_: [1.0] * len(prompts), plan, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(TreatmentNotApplied, match="in 1 step of 1 prompt the reward"):
        reinforce(base, PROMPTS, lambda *, prompts, **_: [1.0] * len(prompts), replace(PLAN, batch=4))


def test_groups_that_all_got_one_reward_are_counted(base):
    def only_one_prompt(*, prompts, completion_ids, **_):
        return [
            row[0] if prompt == "Who are you?" else 0.0 for prompt, row in zip(prompts, completion_ids, strict=True)
        ]

    made = reinforce(base, PROMPTS, only_one_prompt, replace(PLAN, steps=3))
    asked = [PROMPTS[i].turns[0].content for i in passes(3, 6, PLAN.seed)]
    assert made.told["groups_alike"] == [2 - asked[n : n + 2].count("Who are you?") for n in (0, 2, 4)]


def test_prompts_with_no_room_for_an_answer_are_dropped_and_counted_and_bad_ones_refused(base):
    long = asking("word " * 60)
    assert reinforce(base, [*long, *PROMPTS], Low(), PLAN).rows_dropped == 1
    for prompts, said in (
        (long, "room for 6 tokens"),
        ([], "no prompts"),
        (asking("Who?", prompts=1), "line 1: the key"),
    ):
        with pytest.raises(BadInput, match=said):
            reinforce(base, prompts, Low(), PLAN)


def test_a_reward_is_found_in_the_current_folder_or_refused_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "judges_here.py").write_text(
        "number = 3\ndef short(completions, **_):\n    return [-len(c) for c in completions]\n"
    )
    (tmp_path / "judges_broken.py").write_text("1 / 0\n")
    (tmp_path / "judges_leaving.py").write_text("import sys\nsys.exit()\n")
    path = list(sys.path)
    assert named_reward("judges_here:short")(completions=["ab"]) == [-2]
    for written, said in (
        ("judges_here", "names no function"),
        ("judges_here:long", "no such function"),
        ("judges_here:number", "no plain function"),
        ("judges_absent:short", "No module named"),
        ("judges_broken:short", "ZeroDivisionError"),
        ("judges_leaving:short", "SystemExit"),
    ):
        with pytest.raises(BadInput, match=said):
            named_reward(written)
    assert sys.path == path


def test_a_reward_has_another_digest_once_its_module_says_something_else(tmp_path, monkeypatch):
    """Also where the function that is called stands in another file: a part of it, or an object that is called."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "judges_of_old.py").write_text(
        "def short(completions, most, **_):\n    return [most for _ in completions]\n"
    )
    written = "from functools import partial\nfrom judges_of_old import short\nfew = partial(short, most={})\n"
    written += "class Judge:\n    def __call__(self, completions, **_):\n        return [{}]\njudge = Judge()\n"
    found = []
    for number in (1, 2):
        (tmp_path / "judges_of_parts.py").write_text(written.format(number, number))
        sys.modules.pop("judges_of_parts", None)
        importlib.invalidate_caches()
        rewards = [named_reward(f"judges_of_parts:{name}") for name in ("few", "judge")]
        assert [reward(completions=["a"]) for reward in rewards] == [[number]] * 2
        found += map(reward_digest, rewards)
    assert len(set(found)) == 4
    assert reward_digest(Low()) == reward_digest(Low()) != reward_digest(named_reward("judges_of_old:short"))


def test_a_reward_has_another_digest_once_something_that_it_imports_says_something_else(tmp_path, monkeypatch):
    """Wherever in the user's folder that stands, and whatever was imported before; not what lies there beside it."""
    monkeypatch.chdir(tmp_path)
    for folder in ("judges_of_many", "judges_of_many/inner"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("")
    (tmp_path / "judges_of_many/inner/counts.py").write_text("def count(text):\n    return len(text)\n")
    (tmp_path / "judges_of_many/words.py").write_text("from .inner import counts\nimport json, personae\n")
    (tmp_path / "judges_of_late.py").write_text("LATE = 1\n")
    (tmp_path / "judges_beside.py").write_text("")
    (tmp_path / "judges_of_all.py").write_text(
        "from judges_of_many.words import counts\n"
        "def short(completions, **_):\n    import judges_of_late\n    return [0.0 for _ in completions]\n"
    )
    reward = named_reward("judges_of_all:short")
    found = [reward_digest(reward)]
    reward(completions=["a"])
    assert reward_digest(reward) == reward_digest(named_reward("judges_of_all:short")) == found[0]
    for name in ("judges_of_many/inner/counts.py", "judges_of_many/inner/__init__.py", "judges_of_late.py"):
        with (tmp_path / name).open("a") as file:
            file.write(f"# {name}\n")
        found.append(reward_digest(reward))
    assert len(set(found)) == 4
    (tmp_path / "judges_beside.py").write_text("1 / 0")
    assert reward_digest(reward) == found[-1]


def test_what_a_reward_prints_is_no_part_of_the_result(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "judges_that_talk.py").write_text(
        "print('imported')\ndef short(completions, **_):\n    print('called')\n    return [0.0 for _ in completions]\n"
    )
    assert named_reward("judges_that_talk:short")(completions=["a"]) == [0.0]
    out, err = capsys.readouterr()
    assert out == "" and err.split() == ["imported", "called"]
