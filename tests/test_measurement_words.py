"""What `personae measure` says of the number type that levels are in."""

from personae.simulator.address import SERVERS_OWN
from personae.workflows.measure.measurement_words import rounding_words


def test_levels_in_sixteen_bits_are_said_to_have_an_error_that_was_not_measured():
    assert "Levels are in bfloat16" in rounding_words("bfloat16")
    assert "not measured" in rounding_words("bfloat16")


def test_float32_and_a_servers_own_type_say_nothing_here():
    assert rounding_words("float32") == rounding_words(SERVERS_OWN) == ""
