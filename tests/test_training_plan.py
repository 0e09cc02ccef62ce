"""A plan is refused where it cannot be carried out, and its size is what the dose law multiplies."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.errors import BadInput
from personae.training import DPOPlan, GRPOPlan, SFTPlan
from personae.training.order import passes


@pytest.mark.parametrize(
    "field",
    [
        {"steps": 0},
        {"steps": 2.0},
        {"batch": 0},
        {"batch": True},
        {"rate": 0.0},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"tuning": "dpo"},
        {"tuning": "lora", "rank": 0},
        {"alpha": -1.0},
        {"seed": -1},
        {"seed": 2**32},
        {"warmup": -1},
        {"steps": 3, "warmup": 3},
        {"schedule": "cosine"},
        {"max_grad_norm": -0.1},
        {"weight_decay": -0.1},
        {"batch": 16, "at_once": 5},
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused_by_the_name_of_its_field(field):
    with pytest.raises(BadInput, match=list(field)[-1]) as refusal:
        SFTPlan(**field)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (DPOPlan, {"beta": 0.0}),
        (DPOPlan, {"beta": float("nan")}),
        (DPOPlan, {"steps": 0}),
        (GRPOPlan, {"group": 1}),
        (GRPOPlan, {"batch": 12, "group": 8}),
        (GRPOPlan, {"max_tokens": 0}),
        (GRPOPlan, {"temperature": 0.0}),
    ],
)
def test_so_is_what_a_method_adds(plan, field):
    with pytest.raises(BadInput, match=list(field)[-1]):
        plan(**field)


def test_plans_of_as_many_steps_and_rows_are_of_one_size_and_have_digests_of_their_own():
    plans = SFTPlan(steps=4), DPOPlan(steps=4), GRPOPlan(steps=4)
    assert len({plan.rows for plan in plans}) == 1
    assert len({plan.digest for plan in plans}) == 3


def test_every_field_of_a_plan_counts_for_its_digest():
    plan = SFTPlan(steps=4, warmup=0)
    other = {
        "steps": 5, "batch": 32, "rate": 1e-4, "tuning": "lora", "rank": 2, "alpha": 1.0, "seed": 1, "warmup": 1,
        "max_grad_norm": 0.0, "weight_decay": 0.1, "at_once": 8,
    }  # fmt: skip
    assert set(other) == {f.name for f in dataclasses.fields(plan)} - {"schedule"}
    digests = {dataclasses.replace(plan, **{name: value}).digest for name, value in other.items()}
    assert len(digests | {plan.digest}) == len(other) + 1
    assert SFTPlan(steps=4).digest == plan.digest


@given(rows=st.integers(1, 40), length=st.integers(0, 200), seed=st.integers(0, 2**32 - 1))
def test_each_pass_shows_every_row_once_before_any_comes_again(rows, length, seed):
    order = passes(rows, length, seed)
    assert order.shape == (length,)
    for start in range(0, length, rows):
        one = order[start : start + rows].tolist()
        assert len(set(one)) == len(one)
        assert set(one) <= set(range(rows))
    assert passes(rows, length + 7, seed)[:length].tolist() == order.tolist()


def test_another_seed_gives_another_order():
    assert passes(50, 50, seed=1).tolist() != passes(50, 50, seed=2).tolist()
