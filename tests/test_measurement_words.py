"""What `personae measure` says of the figures that ship beside its own, and of the number type that levels are in."""

import json

from personae import library
from personae.cli.main import run
from personae.library import Reliability
from personae.records import Profile, TraitLevel
from personae.simulator.address import SERVERS_OWN
from personae.workflows import nouns_for
from personae.workflows.measure.measurement_words import profile_words, rounding_words


def test_a_shipped_reliability_says_of_how_many_items_and_personas_it_is():
    """Beside one of all items it is another figure, and a line says so; without it there is neither."""
    found = Profile("m", {t: TraitLevel(0.5, 0.1, 0.9, 27, 0.9) for t in ("care", "humour")})
    said = profile_words(found, {"care": Reliability(0.8, 16, 8)})
    (care,) = [line for line in said.splitlines() if line.startswith(" care")]
    assert care.split()[-4:] == ["0.90", "0.80", "of", "16"]
    assert "over 8 personas" in said and "need not agree" in said
    assert "shipped" not in profile_words(found, {}).lower()


def test_for_a_program_the_shipped_figures_are_there_with_what_they_are_of(
    tiny_lab, small_cast, small_traits, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(library, "reliability", lambda *_: {"power": Reliability(0.8, 4, 13)})
    few = nouns_for.nouns(str(tiny_lab), small_cast, small_traits)  # stand for all of the model's own
    monkeypatch.setattr(nouns_for, "nouns", lambda *_: few)
    assert run(["measure", str(tiny_lab), "--out", str(tmp_path / "m"), "--json", "--quiet"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["shipped_reliability"] == {"power": 0.8}
    assert printed["shipped"] == {"power": {"value": 0.8, "items": 4, "personas": 13}}


def test_a_judge_that_scores_all_alike_is_blamed_and_not_the_model():
    level = TraitLevel(-1.1, -1.1, -1.1, 4, 0.0)
    same = Profile("m", {"warmth": level, "care": level}, instrument="sampled")
    said = profile_words(same, {})
    assert "one and the same score" in said and "cannot show" not in said
    told = Profile("m", {"warmth": level, "care": TraitLevel(-1.1, -1.4, -0.8, 4, 0.0)}, instrument="sampled")
    assert "This model cannot show" in profile_words(told, {}) and "the same score" not in profile_words(told, {})


def test_levels_in_sixteen_bits_are_said_to_have_an_error_that_was_not_measured():
    assert "Levels are in bfloat16" in rounding_words("bfloat16")
    assert "not measured" in rounding_words("bfloat16")


def test_float32_and_a_servers_own_type_say_nothing_here():
    assert rounding_words("float32") == rounding_words(SERVERS_OWN) == ""
