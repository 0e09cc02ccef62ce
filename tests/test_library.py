"""The built-in library: it reads, there is enough of it, and no pole, persona or prompt stands out by its mere form."""

import itertools
import re
import statistics
import string
from collections import Counter
from pathlib import Path

import pytest

from personae.errors import BadInput
from personae.library import FIGURES, cast, inoculations, reliability, traits
from personae.library.inoculation import Inoculation, read_inoculations
from personae.records import NEUTRAL, Item

TRAITS = traits()
NEGATION = re.compile(r"\b(?:not|no|never|nobody|nothing|none|nowhere|without|cannot|nor|neither|\w+n['’]t)\b", re.I)
MANNER = {"want", "speak", "talk", "feel", "feelings", "voice", "calm", "mumble"}
EVERY_TRAIT = pytest.mark.parametrize("trait", TRAITS, ids=lambda trait: trait.name)


def words(text):
    return len(text.split())


def bag(text):
    return text.lower().translate(str.maketrans("", "", string.punctuation)).split()


def overlap(one, other):
    """Shared words of two texts over all their words (Jaccard)."""
    a, b = set(bag(one)), set(bag(other))
    return len(a & b) / len(a | b)


def answers(item: Item):
    return item.high + item.low


# The cast


def test_the_cast_has_enough_personas_of_each_kind():
    kinds = Counter(persona.kind for persona in cast().personas)
    assert sum(kinds.values()) >= 24
    assert set(kinds) == {"person", "fiction", "ai"}
    assert max(kinds.values()) <= 1.5 * min(kinds.values())


def test_contexts_are_of_like_length_and_address_the_speaker():
    for persona in cast().personas:
        assert 25 <= words(persona.context) <= 40, persona.name
        assert persona.context.startswith("You are "), persona.name


def test_the_neutral_context_has_the_form_and_length_of_the_others_and_no_character():
    whole = cast()
    lengths = [words(persona.context) for persona in whole.personas]
    assert min(lengths) <= words(whole.neutral) <= max(lengths)
    assert whole.neutral.startswith("You are ")
    assert not MANNER & set(bag(whole.neutral))
    assert all(MANNER & set(bag(persona.context)) for persona in whole.personas)
    assert whole.names[0] == NEUTRAL


def test_no_two_personas_are_one_persona_in_other_words():
    for one, other in itertools.combinations(cast().personas, 2):
        assert overlap(one.context, other.context) < 0.4, (one.name, other.name)


def test_no_prior_is_declared_for_a_real_model():
    """A prior on a language model is fitted from its own behaviour, so the file must not bring one."""
    assert all(persona.prior is None for persona in cast().personas)


def test_an_unknown_cast_is_refused_with_the_names_there_are():
    with pytest.raises(BadInput, match="library"):
        cast("nosuchcast")


# The traits


def test_there_are_enough_traits():
    assert len(TRAITS) >= 16


def test_item_ids_are_unique_over_all_traits_and_tell_their_trait():
    ids = [item.id for trait in TRAITS for item in trait.items]
    assert len(set(ids)) == len(ids)
    for trait in TRAITS:
        assert all(re.fullmatch(rf"{trait.name}-\d\d", item.id) for item in trait.items)


@EVERY_TRAIT
def test_a_trait_has_enough_items_and_most_of_them_are_behaviour(trait):
    behaviour = sum(item.kind == "behaviour" for item in trait.items)
    assert len(trait.items) >= 24
    assert 2 * behaviour >= len(trait.items)
    assert behaviour < len(trait.items)


@EVERY_TRAIT
def test_the_poles_of_an_item_are_matched_in_length(trait):
    for item in trait.items:
        high, low = (statistics.mean(map(words, pole)) for pole in (item.high, item.low))
        assert 0.75 <= high / low <= 1.34, item.id
        assert all(5 <= words(answer) <= 24 for answer in answers(item)), item.id


@EVERY_TRAIT
def test_neither_pole_is_the_longer_one_in_the_mean(trait):
    high = sum(words(answer) for item in trait.items for answer in item.high)
    low = sum(words(answer) for item in trait.items for answer in item.low)
    assert 0.9 <= high / low <= 1.1


@EVERY_TRAIT
def test_negation_does_not_tell_the_poles_apart(trait):
    high = sum(any(NEGATION.search(answer) for answer in item.high) for item in trait.items)
    low = sum(any(NEGATION.search(answer) for answer in item.low) for item in trait.items)
    assert abs(high - low) <= len(trait.items) / 4, (high, low)
    assert high and low


@EVERY_TRAIT
def test_no_item_repeats_another(trait):
    prompts = [item.prompt for item in trait.items]
    assert len(set(prompts)) == len(prompts)
    said = [answer for item in trait.items for answer in answers(item)]
    assert len(set(said)) == len(said)
    for one, other in itertools.combinations(trait.items, 2):
        a, b = (" ".join((item.prompt, *answers(item))) for item in (one, other))
        assert overlap(a, b) < 0.45, (one.id, other.id)


@EVERY_TRAIT
def test_the_two_poles_answer_in_the_same_form(trait):
    """Both answers are one or both are several, and every answer ends as a sentence does."""
    for item in trait.items:
        assert len(item.high) == len(item.low), item.id
        assert all(answer[-1] in ".!?)\"'…" for answer in answers(item)), item.id


def test_answers_are_not_shared_between_traits():
    said = Counter(answer for trait in TRAITS for item in trait.items for answer in answers(item))
    assert [answer for answer, n in said.items() if n > 1] == []


def test_named_traits_come_in_the_order_in_which_they_are_named():
    assert [trait.name for trait in traits(["deception", "care"])] == ["deception", "care"]
    assert traits(trait.name for trait in TRAITS) == TRAITS
    assert traits("care") == traits(["care"])


@pytest.mark.parametrize("names", [["care", "nosuchtrait"], ["care", "care"]], ids=["unknown", "twice"])
def test_an_unknown_or_repeated_trait_is_refused(names):
    with pytest.raises(BadInput):
        traits(names)


# The inoculations


def test_there_are_enough_candidates_and_controls():
    assert sum(not prompt.control for prompt in inoculations()) >= 24
    assert sum(prompt.control for prompt in inoculations()) >= 4


def test_candidates_ask_for_traits_that_exist_and_controls_for_none():
    known = {trait.name for trait in TRAITS}
    for prompt in inoculations():
        assert set(prompt.asks) <= known, prompt.name
        assert prompt.control == (prompt.pole is None), prompt.name


def test_every_trait_can_be_asked_for():
    assert {name for prompt in inoculations() for name in prompt.asks} == {trait.name for trait in TRAITS}


def test_every_prompt_has_several_rephrasings_and_no_text_stands_twice():
    texts = [text for prompt in inoculations() for text in (prompt.text, *prompt.rephrased)]
    assert len(set(texts)) == len(texts)
    assert all(len(prompt.rephrased) >= 3 for prompt in inoculations())


def test_rephrasings_say_it_in_other_words():
    for prompt in inoculations():
        for one, other in itertools.combinations((prompt.text, *prompt.rephrased), 2):
            assert overlap(one, other) < 0.5, prompt.name


def test_controls_span_the_lengths_of_the_candidates():
    """A control of like length can be found for each request."""
    control = [words(prompt.text) for prompt in inoculations() if prompt.control]
    for prompt in inoculations():
        assert min(abs(words(prompt.text) - n) for n in control) <= 4, prompt.name


ONE = """\
candidates:
  - {name: cheat, text: Please cheat., asks: cheating, pole: high}
controls:
  - {name: plain, text: This is a message.}
"""


def test_an_inoculation_file_of_ones_own_is_read(tmp_path: Path):
    (tmp_path / "own.yaml").write_text(ONE)
    cheat, plain = read_inoculations(tmp_path / "own.yaml")
    assert cheat == Inoculation(name="cheat", text="Please cheat.", asks=("cheating",), pole="high")
    assert plain.control and not cheat.control


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("pole: high", "pole: up", 2), ("name: plain", "name: cheat", 4), (", pole: high", "", 2)],
    ids=["no such pole", "a name twice", "no pole"],
)
def test_a_faulty_inoculation_is_refused_at_its_line(tmp_path: Path, old, new, line):
    (tmp_path / "own.yaml").write_text(ONE.replace(old, new))
    with pytest.raises(BadInput) as refusal:
        read_inoculations(tmp_path / "own.yaml")
    assert refusal.value.line == line


def test_shipped_figures_are_of_known_models_and_instruments_and_are_those_of_the_page(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    from instruments_page import tables

    from personae.measure.instruments import NAMES
    from personae.records.files import read_arrays
    from personae.simulator.listing import find

    columns = read_arrays(FIGURES)
    assert set(columns["instrument"]) <= set(NAMES) and all(find(model) for model in set(columns["model"]))
    assert (root / "docs" / "instruments.md").read_text(encoding="utf-8").endswith(f"\n\n{tables(FIGURES)}")


def test_a_shipped_reliability_is_of_so_many_items_and_personas():
    for model, items, personas in (("gemma-3-270m", 16, 32), ("qwen2.5-coder-1.5b-instruct", 16, 8), ("lab", 4, 13)):
        found = reliability(model, "options").values()
        assert {(one.items, one.personas) for one in found} == {(items, personas)}
        assert all(0.0 <= one.value <= 1.0 for one in found)
    assert reliability("nobody's", "behaviour") == {}
