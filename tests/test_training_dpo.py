"""DPO does what a plain loop would, on the tokens that evidence scores, and refuses what it cannot learn from."""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from personae.errors import BadInput
from personae.records import Preference, chat
from personae.training import DPOPlan, prefer
from personae.training.checkpoint import CARD
from personae.training.order import passes
from tiny_models import nll, tiny


def pair(i, chosen, rejected):
    asked = f"What is {i}?"
    return Preference(chosen=chat(asked, chosen, index=i), rejected=chat(asked, rejected, index=i))


PAIRS = [pair(i, f"It is {i * i}{'!' * (i % 3)}", f"Who would want to know{'?' * (i % 4)}") for i in range(6)]
PLAN = DPOPlan(steps=3, batch=4, rate=1e-3, seed=5, beta=0.3)
ADAPTERS = replace(PLAN, tuning="lora", rank=2, alpha=4.0, rate=1e-2)


@pytest.fixture(scope="module")
def base():
    return tiny()


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    """{plan: what it made, and the folder}."""
    made = {}
    for name, plan in (("full", PLAN), ("lora", ADAPTERS)):
        out = tmp_path_factory.mktemp("dpo") / name
        made[name] = prefer(base, PAIRS, plan, out), out
    return made


def margin(model, reference, pair, dialogue):
    """What training changed of the log-odds of the choice, nats, one token after the other."""
    (y, y_start), (z, z_start) = dialogue.encode(pair.chosen), dialogue.encode(pair.rejected)
    with torch.no_grad():
        before = nll(reference, z, z_start) - nll(reference, y, y_start)
    return nll(model, z, z_start) - nll(model, y, y_start) - before


def test_weights_and_losses_are_those_of_a_plain_loop_over_the_planned_pairs(base, trained):
    model, losses, margins = copy.deepcopy(base.model), [], []
    adam = torch.optim.AdamW(model.parameters(), lr=PLAN.rate, weight_decay=0.0)
    for batch in passes(len(PAIRS), PLAN.rows, PLAN.seed).reshape(PLAN.steps, PLAN.batch):
        found = torch.stack([margin(model, base.model, PAIRS[i], base.dialogue) for i in batch])
        loss = -torch.nn.functional.logsigmoid(PLAN.beta * found).mean()
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), PLAN.max_grad_norm)
        adam.step()
        losses.append(loss.item())
        margins.append(found.mean().item())
    ours = trained["full"][0]
    assert ours.losses[0] == pytest.approx(np.log(2), abs=1e-4)
    np.testing.assert_allclose(ours.losses, losses, rtol=1e-3)
    np.testing.assert_allclose(ours.told["margins"], margins, rtol=1e-2, atol=1e-3)
    for (name, weight), wanted in zip(ours.simulator.model.named_parameters(), model.parameters(), strict=True):
        off = (weight - wanted).abs() > 0.02 * PLAN.rate  # where a gradient is rounding noise, so is Adam's step
        assert off.float().mean() < 0.01, name


@pytest.mark.parametrize("how", ["full", "lora"])
def test_the_chosen_answers_become_likelier_than_the_rejected_ones(base, trained, how):
    made = trained[how][0]
    moved = [float(margin(made.simulator.model, base.model, p, base.dialogue)) for p in PAIRS]
    assert min(moved) > 0.0
    assert (made.steps, made.rows_used, made.rows_dropped, made.layers > 0) == (3, 6, 0, how == "lora")


def test_both_response_spans_bear_loss_and_are_those_that_evidence_scores(base, trained):
    seen = passes(len(PAIRS), PLAN.rows, PLAN.seed)
    sides = [base.log_likelihood([getattr(p, side) for p in PAIRS], [""]).tokens for side in ("chosen", "rejected")]
    assert trained["full"][0].tokens == sum(int(side[row]) for side in sides for row in seen)


def test_the_same_seed_gives_the_same_bytes_and_nothing_of_the_callers_is_touched(base, trained, tmp_path, capfd):
    settings, tokens = base.model.config.to_dict(), base.tokenizer.special_tokens_map
    weights = {name: weight.clone() for name, weight in base.model.state_dict().items()}
    prefer(base, PAIRS, ADAPTERS, tmp_path / "again")
    once = trained["lora"][1]
    assert all((once / f.name).read_bytes() == f.read_bytes() for f in (tmp_path / "again").iterdir())
    assert (base.model.config.to_dict(), base.tokenizer.special_tokens_map) == (settings, tokens)
    assert all(torch.equal(weights[name], weight) for name, weight in base.model.state_dict().items())
    assert "forward" not in vars(trained["full"][0].simulator.model)
    assert capfd.readouterr() == ("", "")
    card = json.loads((once / CARD).read_text())
    assert (card["method"], card["plan"]["beta"], len(card["margins"])) == ("dpo", 0.3, 3)


def test_a_batch_in_parts_is_the_same_step_and_pairs_too_long_are_dropped_and_counted(base, trained):
    long = [pair(9, "word " * 60, "no"), pair(8, "no", "word " * 60)]
    parts = prefer(base, [long[0], *PAIRS, long[1]], replace(PLAN, at_once=2))
    assert parts.rows_dropped == 2
    np.testing.assert_allclose(parts.losses, trained["full"][0].losses, rtol=1e-3)
    with pytest.raises(BadInput, match="all 2 pairs"):
        prefer(base, long, PLAN)


def test_pairs_that_teach_nothing_are_refused(base):
    with pytest.raises(BadInput, match="line 4: both answers are the same"):
        prefer(base, [*PAIRS, pair(3, "It is 9", "It is 9 ")], PLAN)
    with pytest.raises(BadInput, match="no preference pairs"):
        prefer(base, [], PLAN)


def test_the_messages_home_that_are_silenced_are_those_the_trainer_would_send():
    from personae.training.dpo_trainer import DPOTrainer, QuietDPOTrainer

    for own in ("_send_telemetry", "_prepare_dataset", "_precompute_ref_logps"):
        assert getattr(QuietDPOTrainer, own) is not getattr(DPOTrainer, own)
