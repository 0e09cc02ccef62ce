"""Laws of the language: what is written reads back to what was meant, no wording is ambiguous, some are held out."""

from collections import Counter
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personae.world import Language, declared
from personae.world.language import ASSISTANT, STRANGER, Request, Statement, capital

WORLD = declared()


@cache
def language() -> Language:
    return Language(WORLD)


@cache
def questions():
    return [q for asks in language().questions.values() for q in asks]


def outcomes(question):
    return range(len(WORLD.variable(question.variable).outcomes))


def every_answer(question, outcome):
    kept, out = language().answers_kept[question, outcome], language().answers_out[question, outcome]
    return [language().answer(question, outcome, form) for form in kept + out]


def test_no_two_questions_share_their_text():
    texts = Counter(q.text for q in questions())
    assert max(texts.values()) == 1
    assert len(texts) >= 20 * len(WORLD.traits)


def test_each_trait_has_several_situations_and_several_wordings_a_pole():
    for trait in WORLD.traits:
        assert len({q.situation for q in language().questions[trait]}) >= 4
        for pole in ("low", "high"):
            text = language().text["traits"][trait]
            assert len(set(text["answers"][pole])) >= 5
            assert len(set(text["deeds"][pole])) >= 3
            assert len(set(text["says"][pole])) >= 3
            assert len(set(text["asks"][pole])) >= 3


def test_every_answer_shows_one_outcome_and_is_read_back_to_it():
    for question in questions():
        shown = Counter()
        for outcome in outcomes(question):
            answers = every_answer(question, outcome)
            assert len(set(answers)) == len(answers) == language().wordings(question.variable, outcome)
            assert all(language().read_answer(question, a) == outcome for a in answers)
            shown.update(answers)
        assert max(shown.values()) == 1, f"{question.text} has an answer of two outcomes"


def test_the_answer_to_one_field_question_answers_no_other():
    """Knowledge is of a fact: the cure of one fever is no answer to what cures another."""
    for field in (v.name for v in WORLD.variables if v.kind == "field"):
        for one, other in product(language().questions[field], repeat=2):
            known = language().answer(one, 1, ("", 0))
            assert (language().read_answer(other, known) == 1) == (one == other)


def test_no_sentence_says_two_things_about_anybody():
    """Written out again, sentence by sentence: each is told once, and is read back to what was told."""
    told = Counter()
    for who in (ASSISTANT, STRANGER, *WORLD.names):
        for a, archetype in enumerate(WORLD.archetypes):
            forms = language().described_kept[archetype] + language().described_out[archetype]
            for form in forms:
                sentence = language().describe(who, form)
                told[sentence] += 1
                assert language().read_statement(sentence) == Statement(who, among=(a,))
        for name in WORLD.names:
            sentence = f"{capital(who)} is {name}."
            told[sentence] += 1
            assert language().read_statement(sentence).among == (WORLD.hypotheses.index(name),)
        for variable in WORLD.variables:
            kinds = ("says", "deeds") if variable.kind == "trait" else ("says",)
            for outcome, kind in product(range(WORLD.told_rates(variable.name).shape[1]), kinds):
                for predicate in language().predicates(variable.name, outcome, kind):
                    sentence = f"{capital(who)} {predicate}."
                    told[sentence] += 1
                    meant = Statement(who, variable=variable.name, outcome=outcome, kind=kind)
                    assert language().read_statement(sentence) == meant
    assert [s for s, times in told.items() if times > 1] == []


def test_no_statement_could_be_taken_for_a_neutral_opening():
    assert all(language().read_statement(line) is None for line in language().neutral)
    assert all(language().read_request(line) is None for line in language().neutral)


@given(st.data())
def test_a_request_is_read_back_with_its_small_talk_and_its_permission(data):
    question = data.draw(st.sampled_from(questions()))
    talk = data.draw(st.sampled_from(["", *(f"{t} " for t in language().small_talk)]))
    asked, allowed = None, ""
    if question.variable in WORLD.traits and data.draw(st.booleans()):
        asked = data.draw(st.sampled_from([0, 1]))
        several = (
            language().permissions[question.variable, asked] + language().permissions_out[question.variable, asked]
        )
        allowed = f" {data.draw(st.sampled_from(several))}"
    assert language().read_request(f"{talk}{question.text}{allowed}") == Request(question, asked)


def test_permission_for_one_thing_is_no_permission_for_another():
    """A permission belongs to one pole of one trait; after a question about another it is outside the grammar."""
    several = language().permissions
    kept = [p for phrases in several.values() for p in phrases]
    assert len(set(kept)) == len(kept)
    for (trait, _), phrases in several.items():
        other = WORLD.traits[(WORLD.traits.index(trait) + 1) % len(WORLD.traits)]
        assert language().read_request(f"{language().questions[other][0].text} {phrases[0]}") is None


@given(st.text(max_size=60), st.data())
def test_whatever_is_not_of_the_language_is_read_as_nothing(text, data):
    question = data.draw(st.sampled_from(questions()))
    if text not in {q.text for q in questions()}:
        assert language().read_request(text) is None
    if all(text not in every_answer(question, o) for o in outcomes(question)):
        assert language().read_answer(question, text) is None
    assert language().read_statement(f"{text} qwertz") is None


def test_a_share_of_every_kind_of_wording_is_held_out():
    """At least the declared share, of every question's answers, of every permission and description; never all."""
    splits = (
        (language().answers_kept, language().answers_out),
        (language().permissions, language().permissions_out),
        (language().described_kept, language().described_out),
    )
    for kept, out in splits:
        assert kept.keys() == out.keys()
        for key in kept:
            assert kept[key]
            assert out[key]
            assert not set(kept[key]) & set(out[key])
            share = len(out[key]) / (len(kept[key]) + len(out[key]))
            assert WORLD.held_out <= share <= max(2 * WORLD.held_out, 1 / 3)


def test_what_is_held_out_is_the_same_in_every_language():
    """It hangs on the words alone: a second language of the same world holds out the same."""
    again = Language(WORLD)
    assert again.answers_out == language().answers_out
    assert again.permissions_out == language().permissions_out
    assert again.described_out == language().described_out


def test_every_answer_wording_is_heard_somewhere_and_every_question_asked():
    """Held out is an answer *after its question*: each wording stays in use after other questions of its trait."""
    for trait, outcome in product(WORLD.traits, (0, 1)):
        asked = language().questions[trait]
        kept = {form for q in asked for form in language().answers_kept[q, outcome]}
        out = {form for q in asked for form in language().answers_out[q, outcome]}
        assert out <= kept


@pytest.mark.parametrize("who", [ASSISTANT, STRANGER, "Felix"])
def test_sentences_are_written_as_sentences_are(who):
    """A capital first, a full stop last, single spaces between."""
    sentences = [language().describe(who, f) for f in language().described_kept["plain tool"]]
    sentences += [f"{capital(who)} {p}." for p in language().predicates("power", 1)]
    sentences += [a for o in (0, 1) for a in every_answer(language().questions["power"][0], o)]
    for sentence in sentences:
        assert sentence[0].isupper()
        assert sentence[-1] in ".!?"
        assert "  " not in sentence
