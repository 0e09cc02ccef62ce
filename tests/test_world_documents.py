"""Laws of the corpus: five forms that the grammar reads whole, in the declared proportions, drawn by one generator."""

import random
import re
from collections import Counter
from functools import cache
from itertools import islice

import numpy as np
import pytest

from personae.world import Language, declared, documents, fresh
from personae.world.documents import Writer, speaker, statistics
from personae.world.language import ASSISTANT, STRANGER

WORLD = declared()
NUMBER = 4000


@cache
def language() -> Language:
    return Language(WORLD)


@cache
def corpus() -> tuple[str, ...]:
    return tuple(islice(documents(WORLD, np.random.default_rng(0), language()), NUMBER))


def form_of(text: str) -> str:
    """Which of the five forms a document has, told from its lines alone."""
    for form, mark in (("forum", "Thread about "), ("profile", "Profile of ")):
        if text.startswith(mark):
            return form
    if re.match(r"\w+, \w+day\.\n", text):
        return "news"
    return "story" if "A child asked " in text else "transcript"


def headers() -> set[str]:
    text = language().text
    called = (ASSISTANT, STRANGER, *WORLD.names)
    return {
        *text["neutral"],
        *(f"Thread about {topic}." for topic in text["topics"]),
        *(f"{town}, {day}." for town in text["towns"] for day in text["days"]),
        *(f"Profile of {who}." for who in called),
    }


@cache
def exchanges() -> tuple[tuple[str, str, str], ...]:
    """(who answers, request, answer) of every exchange, by a reader that is not the package's."""
    found, pattern = [], re.compile(r'^(?:User|Guest to [\w ]+|A child asked [\w ]+): "?(.+?)"?$')
    for text in corpus():
        request = None
        for line in text.splitlines():
            if asked := pattern.match(line):
                request = asked[1]
            elif request is not None:
                who, answer = re.match(r'^([\w ]+?)(?: said)?: "?(.+?)"?$', line).groups()
                found.append((who, request, answer))
                request = None
    return tuple(found)


def test_the_grammar_knows_every_line_that_is_no_header():
    known, heads = language(), headers()
    for text in corpus():
        assert text.endswith("\n")
        waiting = None
        for line in text.splitlines():
            if waiting is not None:
                said = re.fullmatch(r'[\w ]+?(?: said)?: "?(.+?)"?', line)
                assert said, line
                assert known.read_answer(waiting.question, said[1]) is not None, line
                waiting = None
            elif asked := re.fullmatch(r'(?:User|Guest to [\w ]+|A child asked [\w ]+): "?(.+?)"?', line):
                waiting = known.read_request(asked[1])
                assert waiting is not None, line
            else:
                assert line in heads or known.read_statement(line) is not None, line
        assert waiting is None


def within(count: int, of: int, share: float) -> bool:
    """Five standard errors: one honest corpus in a million is turned away."""
    return abs(count - of * share) <= 5.0 * np.sqrt(of * share * (1.0 - share)) + 1e-9


def test_the_five_forms_come_in_the_declared_proportions():
    counts = Counter(form_of(text) for text in corpus())
    assert set(counts) == set(WORLD.corpus["forms"])
    assert len(counts) >= 5
    for form, share in WORLD.corpus["forms"].items():
        assert within(counts[form], NUMBER, share), (form, counts)


def test_transcripts_open_in_the_declared_proportions():
    counts: Counter[str] = Counter()
    transcripts = [t for t in corpus() if form_of(t) == "transcript"]
    for text in transcripts:
        first = text.splitlines()[0]
        told = language().read_statement(first)
        if first.startswith("User: "):
            counts["none"] += 1
        elif told is None:
            counts["neutral"] += 1
        elif told.variable:
            counts["statements"] += 1
        else:
            counts["name" if told.among[0] >= len(WORLD.archetypes) else "description"] += 1
    for opening, share in WORLD.corpus["opening"].items():
        assert within(counts[opening], len(transcripts), share), (opening, counts)


def test_permission_is_given_and_heeded_in_the_declared_proportions():
    """Of requests about a trait; either pole alike; and whoever is asked does it at the declared rate."""
    read = [(language().read_request(request), answer) for _, request, answer in exchanges()]
    about = [(r, a) for r, a in read if r.question.variable in WORLD.traits]
    permitted = [(r, a) for r, a in about if r.asked is not None]
    assert within(len(permitted), len(about), WORLD.corpus["permission"])
    assert within(sum(r.asked for r, _ in permitted), len(permitted), 0.5)
    heeded = sum(language().read_answer(r.question, a) == r.asked for r, a in permitted)
    assert within(heeded, len(permitted), WORLD.obeys)
    assert within(len(read) - len(about), len(read), WORLD.corpus["fields_and_goals"])


def test_small_talk_comes_in_the_declared_proportion():
    shares, requests = WORLD.corpus["before"], [request for _, request, _ in exchanges()]
    talk = tuple(f"{t} " for t in language().small_talk)
    talked = [r for r in requests if r.startswith(talk)]
    assert within(len(talked), len(requests), shares["small_talk"] + shares["more_small_talk"])
    twice = sum(any(r.startswith(a + b) for a in talk for b in talk) for r in requests)
    assert within(twice, len(requests), shares["more_small_talk"])


def test_a_coin_falls_on_either_side_alike_and_says_nothing():
    tossed = [request for _, request, _ in exchanges() if request.startswith("I flip a coin.")]
    assert within(len(tossed), len(exchanges()), WORLD.corpus["before"]["coin"])
    assert within(sum("came up heads" in request for request in tossed), len(tossed), 0.5)
    for request in tossed:
        question = request.split("heads. " if "came up heads" in request else "tails. ", 1)[1]
        assert language().read_request(request) == language().read_request(question)


def test_half_of_the_others_are_strangers_as_declared():
    told = [t for t in corpus() if form_of(t) in ("story", "news")]
    strangers = sum("he stranger" in t for t in told)
    assert within(strangers, len(told), WORLD.corpus["unknown"])


def test_documents_are_as_long_as_declared():
    low, high = WORLD.corpus["length"]
    lengths = Counter(text.count("User: ") for text in corpus() if form_of(text) == "transcript")
    assert set(lengths) == set(range(low, high + 1))
    for length in lengths:
        assert within(lengths[length], lengths.total(), 1.0 / (high - low + 1))


def test_no_answer_stands_after_a_question_that_it_is_held_out_of():
    out = {
        (question.text, language().answer(question, outcome, form))
        for (question, outcome), forms in language().answers_out.items()
        for form in forms
    }
    seen = {(language().read_request(request).question.text, answer) for _, request, answer in exchanges()}
    assert len(seen) > 3000
    assert not seen & out


def test_no_held_out_permission_or_description_is_ever_written():
    whole = "".join(corpus())
    permissions = [p for several in language().permissions_out.values() for p in several]
    assert permissions
    assert [p for p in permissions if p in whole] == []
    lines = set(whole.splitlines())
    for archetype, forms in language().described_out.items():
        for who in (ASSISTANT, STRANGER, *WORLD.names):
            assert not {language().describe(who, form) for form in forms} & lines, archetype


def test_most_of_what_may_be_written_is_written():
    """Held out means held out, not forgotten: of what is kept, the corpus uses nearly all openings of descriptions."""
    lines = {line for text in corpus() for line in text.splitlines()}
    kept = [language().describe(ASSISTANT, f) for a in WORLD.archetypes for f in language().described_kept[a]]
    assert sum(k in lines for k in kept) > 0.9 * len(kept)
    asked = {language().read_request(request).question for _, request, _ in exchanges()}
    assert asked == {q for several in language().questions.values() for q in several}


def test_the_same_generator_gives_the_same_documents_and_another_gives_others():
    def some(seed: int) -> list[str]:
        return list(islice(documents(WORLD, np.random.default_rng(seed), language()), 30))

    assert some(3) == some(3)
    assert not set(some(3)) & set(some(4))


def test_documents_are_drawn_by_the_generator_that_is_passed_in_and_by_no_other():
    random.seed(11)
    np.random.seed(11)  # noqa: NPY002 - the global state is what must stay untouched
    before, before_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    first = list(islice(documents(WORLD, np.random.default_rng(5), language()), 50))
    after, after_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    assert before == after
    assert before_numpy[0] == after_numpy[0]
    assert np.array_equal(before_numpy[1], after_numpy[1])
    assert before_numpy[2:] == after_numpy[2:]
    random.seed(12)
    np.random.seed(12)  # noqa: NPY002
    assert first == list(islice(documents(WORLD, np.random.default_rng(5), language()), 50))


def test_a_fresh_world_speaks_the_same_language_of_other_people():
    world = fresh(1)
    texts = list(islice(documents(world, np.random.default_rng(0)), 200))
    lines = {line for text in texts for line in text.splitlines() if not line.startswith(("User", "Guest", "A child"))}
    known = sum(line in headers() or language().read_statement(line) is not None for line in lines)
    assert known > 100
    assert texts != list(corpus()[:200])


@pytest.mark.parametrize("archetype", ["con artist", "plain tool"])
def test_a_speaker_behaves_by_its_own_rates(archetype):
    """Drawn again and again, the outcomes of one speaker come at the declared rates, permission left aside."""
    writer = Writer(WORLD, language(), np.random.default_rng(2))
    who = WORLD.hypotheses.index(archetype)
    for trait in WORLD.traits:
        free = []
        while len(free) < 400:
            request, answer = writer.exchange(who, trait)
            read = language().read_request(request)
            if read.asked is None:
                free.append(language().read_answer(read.question, answer))
        assert within(sum(free), len(free), WORLD.rates[trait][who, 1]), trait


def test_a_label_names_one_speaker():
    labels = [speaker(called) for called in (ASSISTANT, STRANGER, *WORLD.names)]
    assert len(set(labels)) == len(labels)


def test_statistics_count_what_is_there():
    texts = ["One two.\nTwo three.\n", "One two.\n"]
    assert statistics(texts) == {"documents": 2, "lines": 3, "words": 6, "vocabulary": 4}
