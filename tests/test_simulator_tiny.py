"""Numbers too small for full precision are zero while it is asked for, and are themselves again afterwards."""

import pytest
import torch

from personae.simulator.tiny import TINY, tiny_is_zero


def product() -> float:
    return float(torch.tensor(TINY) * 1.0)


def test_they_are_zero_inside_and_themselves_outside():
    assert product() > 0.0
    with tiny_is_zero():
        assert product() == 0.0
        with tiny_is_zero():
            assert product() == 0.0
        assert product() == 0.0
    assert product() > 0.0


def test_a_failure_leaves_them_as_they_were():
    with pytest.raises(KeyError), tiny_is_zero():
        raise KeyError
    assert product() > 0.0
