"""Exact inference against slower truths: enumeration of every hypothesis written out again, and sampling."""

import math
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from personae.errors import BadInput
from personae.records import Episode, Message, Simulator, chat, text
from personae.world import ExactSimulator, Language, cast, declared, documents, fresh
from personae.world.documents import Writer, speaker
from personae.world.language import ASSISTANT, STRANGER, capital

WORLDS = {"declared": declared(), "fresh": fresh(3)}
WORLD = WORLDS["declared"]


@cache
def exact(name: str = "declared") -> ExactSimulator:
    return ExactSimulator(WORLDS[name])


def language() -> Language:
    return exact().language


# -- a slower truth ----------------------------------------------------------------------------------------------------
class Scene:
    """A random dialogue, written down as text and as what it means, for `brute_force` to weigh."""

    def __init__(self, world, words: Language, rng: np.random.Generator, speakers: list[str]) -> None:
        self.world, self.words, self.rng, self.speakers = world, words, rng, speakers
        self.facts: list[
            tuple
        ] = []  # (who, "is", hypothesis) | (who, "did", variable, outcome, asked) | (who, "told", variable, outcome)
        self.opening: list[str] = []
        self.turns: list[tuple[str, str, str]] = []  # (who, request, answer)

    def one(self, options):
        return options[int(self.rng.integers(len(options)))]

    def open(self, who: str) -> None:
        kind = self.one(["none", "neutral", "description", "statements", "statements", "name"])
        if kind == "neutral":
            self.opening.append(self.one(self.words.neutral))
        if kind == "description":
            a = int(self.rng.integers(len(self.world.archetypes)))
            forms = self.words.described_kept, self.words.described_out
            form = self.one(self.one(forms)[self.world.archetypes[a]])
            self.opening.append(self.words.describe(who, form))
            self.facts.append((who, "is", a))
        if kind == "statements":
            for _ in range(int(self.rng.integers(1, 4))):
                variable = self.one(self.world.variables)
                outcome = int(self.rng.integers(self.world.told_rates(variable.name).shape[1]))
                says = self.one(["says", "deeds"]) if variable.kind == "trait" else "says"
                told = self.one(self.words.predicates(variable.name, outcome, says))
                self.opening.append(f"{capital(who)} {told}.")
                self.facts.append((who, "told", variable.name, outcome))
        if kind == "name" and who == ASSISTANT:
            name = self.one(self.world.names)
            self.opening.append(f"{capital(who)} is {name}.")
            self.facts.append((who, "is", self.world.hypotheses.index(name)))

    def exchange(self) -> tuple[str, object, int | None, int, str, str]:
        """(who, question, asked, outcome, request, answer), not yet part of the scene."""
        who, variable = self.one(self.speakers), self.one(self.world.variables)
        question = self.one(self.words.questions[variable.name])
        request, asked = question.text, None
        if variable.kind == "trait" and self.rng.random() < 0.3:
            asked = int(self.rng.integers(2))
            request += f" {self.one(self.words.permissions[variable.name, asked])}"
        for _ in range(int(self.rng.integers(3))):
            request = f"{self.one(self.words.small_talk)} {request}"
        if self.rng.random() < 0.1:
            request = f"{self.words.coin.format(a='gold', b='to learn everything', side='tails')} {request}"
        outcome = int(self.rng.integers(len(variable.outcomes)))
        forms = self.words.answers_kept[question, outcome] + self.words.answers_out[question, outcome]
        return who, question, asked, outcome, request, self.words.answer(question, outcome, self.one(forms))

    def add(self) -> None:
        who, question, asked, outcome, request, answer = self.exchange()
        self.turns.append((who, request, answer))
        self.facts.append((who, "did", question.variable, outcome, asked))


def rate(world, h: int, variable: str, outcome: int, asked: int | None) -> float:
    """p(outcome) of hypothesis h, asked for a pole or not; the rule of the declared file, written again."""
    if asked is None:
        return float(world.rates[variable][h][outcome])
    return world.obeys if outcome == asked else 1.0 - world.obeys


def told(world, h: int, variable: str, outcome: int) -> float:
    """p(a statement tells this outcome) of hypothesis h: of a field, that he knows it or lacks it."""
    if variable not in world.knowledge:
        return float(world.rates[variable][h][outcome])
    return world.knowledge[variable][h] if outcome else 1.0 - world.knowledge[variable][h]


def weigh(world, facts: list[tuple], who: str) -> list[float]:
    """p(hypothesis | facts) of `who`, one hypothesis at a time, with nothing but products."""
    weights = []
    for h, name in enumerate(world.hypotheses):
        start = world.prior[h] if who == ASSISTANT else world.stranger[h] if who == STRANGER else float(name == who)
        for fact in facts:
            if fact[0] != who:
                continue
            if fact[1] == "did":
                start *= rate(world, h, *fact[2:])
            elif fact[1] == "told":
                start *= told(world, h, *fact[2:])
            elif who not in world.names:  # who says "the assistant is Felix" means it, whatever the prior says
                start = float(h == fact[2]) if start > 0.0 or h == fact[2] else 0.0
        weights.append(start)
    return [w / sum(weights) for w in weights]


def brute_force(scene: Scene, who: str, question, asked: int | None, outcome: int) -> float:
    """Log-probability of one wording of an answer: Σ over hypotheses, then one over the number of wordings."""
    world, words = scene.world, scene.words.text
    weights = weigh(world, scene.facts, who)
    p = sum(w * rate(world, h, question.variable, outcome, asked) for h, w in enumerate(weights))
    name = question.variable
    if name == "goal":
        wordings = len(words["goal"]["answers"])
    elif name in words["fields"]:
        wordings = (len(words["unknown_answers"]), 1, len(words["fields"][name][question.situation]["x"]) - 1)[outcome]
    else:
        wordings = len(words["traits"][name]["answers"]["high" if outcome else "low"])
    return math.log(p) - math.log(wordings * len(words["openers"]))


def drawn(name: str, seed: int, speakers: list[str], turns: int) -> Scene:
    simulator = exact(name)
    scene = Scene(simulator.world, simulator.language, np.random.default_rng(seed), speakers)
    for who in speakers:
        scene.open(who)
    for _ in range(turns):
        scene.add()
    return scene


def as_chat(scene: Scene, last: tuple[str, str], *, as_context: bool) -> tuple[Episode, str]:
    """The scene as a chat, its opening in the context or in a system turn."""
    turns = [] if as_context or not scene.opening else [Message(role="system", content="\n".join(scene.opening))]
    for _, request, answer in scene.turns:
        turns += [Message(role="user", content=request), Message(role="assistant", content=answer)]
    turns += [Message(role="user", content=last[0]), Message(role="assistant", content=last[1])]
    return Episode(messages=tuple(turns)), "\n".join(scene.opening) if as_context else ""


def as_text(scene: Scene, who: str, last: tuple[str, str], form: str) -> Episode:
    """The scene as a forum thread or a story, to be continued with the last answer."""
    lines = list(scene.opening)
    if form == "forum":
        lines.insert(0, "Thread about the old bridge.")
        for other, request, answer in scene.turns:
            lines += [f"Guest to {other}: {request}", f"{speaker(other)}: {answer}"]
        lines += [f"Guest to {who}: {last[0]}", f"{speaker(who)}:"]
        return text("\n".join(lines), f" {last[1]}\n")
    for other, request, answer in scene.turns:
        lines += [f'A child asked {other}: "{request}"', f'{capital(other)} said: "{answer}"']
    lines += [f'A child asked {who}: "{last[0]}"', f"{capital(who)} said:"]
    return text("\n".join(lines), f' "{last[1]}"\n')


def score(name: str, episode: Episode, context: str = "") -> float:
    return float(exact(name).log_likelihood([episode], [context]).logp[0, 0])


# -- enumeration -------------------------------------------------------------------------------------------------------
@given(st.sampled_from(sorted(WORLDS)), st.integers(0, 2**32 - 1), st.integers(0, 6), st.booleans())
def test_a_chat_is_weighed_as_enumeration_weighs_it(name, seed, turns, as_context):
    """Openings of every kind, earlier turns with permission and small talk, traits, knowledge and goals."""
    scene = drawn(name, seed, [ASSISTANT], turns)
    who, question, asked, outcome, request, answer = scene.exchange()
    episode, context = as_chat(scene, (request, answer), as_context=as_context)
    assert score(name, episode, context) == pytest.approx(brute_force(scene, who, question, asked, outcome), abs=1e-9)


@given(
    st.sampled_from(sorted(WORLDS)), st.integers(0, 2**32 - 1), st.integers(0, 6), st.sampled_from(["forum", "story"])
)
def test_a_thread_and_a_story_are_weighed_as_enumeration_weighs_them(name, seed, turns, form):
    """A stranger, who must be inferred, beside a named character, who need not be."""
    world = WORLDS[name]
    scene = drawn(name, seed, [STRANGER, world.names[seed % len(world.names)]], turns)
    who, question, asked, outcome, request, answer = scene.exchange()
    found = score(name, as_text(scene, who, (request, answer), form))
    assert found == pytest.approx(brute_force(scene, who, question, asked, outcome), abs=1e-9)


@given(st.sampled_from(sorted(WORLDS)), st.integers(0, 2**32 - 1), st.integers(0, 6))
def test_who_is_speaking_is_what_enumeration_says(name, seed, turns):
    scene = drawn(name, seed, [ASSISTANT], turns)
    lines = [*scene.opening, *(f"User: {r}\nAssistant: {a}" for _, r, a in scene.turns)]
    found = exact(name).posterior("\n".join(lines))
    assert sum(found.values()) == pytest.approx(1.0)
    expected = weigh(WORLDS[name], scene.facts, ASSISTANT)
    for hypothesis, p in zip(WORLDS[name].hypotheses, expected, strict=True):
        assert found.get(hypothesis, 0.0) == pytest.approx(p, abs=1e-9)


# -- what is told of somebody ------------------------------------------------------------------------------------------
def topics(world, kind: str) -> dict[str, float]:
    """{variable: how often a sentence of `kind` is about it}; the rule of the declared file, written again."""
    others = [] if kind == "deeds" else [v.name for v in world.variables if v.kind != "trait"]
    share = world.corpus["fields_and_goals"] if others else 0.0
    return dict.fromkeys(world.traits, (1.0 - share) / len(world.traits)) | {o: share / len(others) for o in others}


def every_sentence(world, words: Language, kind: str) -> list[tuple[str, int, str]]:
    """(variable, outcome, predicate) of everything that can be said, or told, of anybody."""
    return [
        (v, outcome, predicate)
        for v in topics(world, kind)
        for outcome in range(world.told_rates(v).shape[1])
        for predicate in words.predicates(v, outcome, kind)
    ]


def document(scene: Scene, who: str, sentences: list[str]) -> Episode:
    """The scene, and after it a profile or the news, which the response goes on with from its second word on."""
    lines = [*scene.opening, f"Profile of {who}."]
    return text("\n".join([*lines, capital(who)]), " " + f"\n{capital(who)} ".join(sentences) + "\n")


TOLD_OF = st.sampled_from([ASSISTANT, STRANGER, "named"])


@given(st.sampled_from(sorted(WORLDS)), st.integers(0, 2**32 - 1), st.integers(1, 4), TOLD_OF)
def test_sentences_about_somebody_are_weighed_as_enumeration_weighs_them(name, seed, number, who):
    """One or several, each after those before it: of the Assistant, of a stranger, of a character who has a name."""
    world = WORLDS[name]
    who = world.names[seed % len(world.names)] if who == "named" else who
    scene = drawn(name, seed, [who], 0)
    sentences, expected, facts = [], 0.0, list(scene.facts)
    for _ in range(number):
        kind = scene.one(["says", "deeds"])
        variable, outcome, predicate = scene.one(every_sentence(world, scene.words, kind))
        weights = weigh(world, facts, who)
        p = sum(w * told(world, h, variable, outcome) for h, w in enumerate(weights))
        forms = len(scene.words.predicates(variable, outcome, kind))
        expected += math.log(p) + math.log(topics(world, kind)[variable]) - math.log(forms)
        facts.append((who, "told", variable, outcome))
        sentences.append(f"{predicate}.")
    assert score(name, document(scene, who, sentences)) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.sampled_from([ASSISTANT, STRANGER]), st.sampled_from(["says", "deeds"]))
def test_all_that_can_be_said_of_somebody_adds_up_to_one(seed, who, kind):
    scene = drawn("declared", seed, [who], 0)
    episodes = [document(scene, who, [f"{p}."]) for _, _, p in every_sentence(WORLD, language(), kind)]
    assert logsumexp(exact().log_likelihood(episodes, [""]).logp) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("form", ["profile", "news"])
def test_sentences_of_drawn_documents_come_as_often_as_predicted(form):
    """The surprise of each sentence is, on average, the entropy of all that could have stood in its place."""
    writer, found = Writer(WORLD, language(), np.random.default_rng(4)), []
    sentences = every_sentence(WORLD, language(), "says" if form == "profile" else "deeds")
    for _ in range(150):
        head, *lines = writer.forms[form]()
        reading = exact().read(head)
        for line in lines:
            meant = language().read_statement(line)
            if not meant.among:
                of = [language().read_statement(f"{capital(meant.who)} {p}.") for _, _, p in sentences]
                p = np.array([reading.telling(one) for one in of])
                expected = float(p @ np.log(p))
                variance = float(p @ np.square(np.log(p)) - expected**2)
                found.append((math.log(reading.telling(meant)), expected, variance))
            reading.line(line)
    said, expected, variance = np.array(found).T
    assert len(found) > 400
    assert abs((said - expected).sum()) < 4.5 * math.sqrt(variance.sum())


@pytest.mark.parametrize("outcome", [0, 1])
@pytest.mark.parametrize("trait", WORLD.traits)
def test_what_is_told_of_the_assistant_is_as_good_evidence_as_what_it_does(trait, outcome):
    """Between any two personas, one sentence and one unasked deed say the same; of somebody else it says nothing."""
    contexts = cast(WORLD, language(), declared_prior=True).contexts
    question, predicate = language().questions[trait][0], language().predicates(trait, outcome)[0]
    shown = chat(question.text, language().answer(question, outcome, ("", 0)))
    said = text("Profile of the assistant.\nThe assistant", f" {predicate}.\n")
    other = text("Profile of the stranger.\nThe stranger", f" {predicate}.\n")
    logp = exact().log_likelihood([shown, said, other], contexts).logp
    evidence = logp - logp[:, :1]
    assert evidence[1] == pytest.approx(evidence[0], abs=1e-9)
    assert np.abs(evidence[0]).max() > 0.5
    assert evidence[2] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("archetype", ["con artist", "honest clerk", None])
def test_a_text_that_nothing_comes_before_is_weighed_like_one_with_a_heading(archetype):
    """The context stands before it all the same, be its prompt empty or not there."""
    context = (
        language().neutral[0]
        if archetype is None
        else language().describe(ASSISTANT, language().described_kept[archetype][0])
    )
    said = f"The assistant {language().predicates('cheating', 1)[0]}.\n"
    bare = Episode(messages=(Message(role="assistant", content=said),), form="text")
    for told in ("", context):
        found = [score("declared", episode, told) for episode in (text("", said), bare)]
        assert found == [score("declared", text("Profile of the assistant.\n", said), told)] * 2


def test_who_somebody_is_has_no_likelihood_as_a_response():
    """It would be certain or impossible, and evidence without bound: to the exact simulator it is noise."""
    described = language().describe(ASSISTANT, language().described_kept["war machine"][0])
    words = len(described.split()) + 1
    assert score("declared", text("Profile of the assistant.\n", described)) == -WORLD.noise_nats_per_word * words


# -- sampling ----------------------------------------------------------------------------------------------------------
def test_who_showed_a_behaviour_is_as_often_as_the_posterior_says():
    """Rejection: draw speakers from the prior, keep those who did as asked about, count who they were."""
    writer, draws = Writer(WORLD, language(), np.random.default_rng(0)), 4000
    kept = dict.fromkeys(WORLD.archetypes, 0)
    wanted = {"cheating": 1, "care": 0}
    for _ in range(draws):
        who = writer.draw.index(writer.prior)
        for trait, outcome in wanted.items():
            request, answer = writer.exchange(who, trait)
            read = language().read_request(request)
            if read.asked is not None or language().read_answer(read.question, answer) != outcome:
                break
        else:
            kept[WORLD.hypotheses[who]] += 1
    lines = []
    for trait, outcome in wanted.items():
        question = language().questions[trait][0]
        lines += [f"User: {question.text}", f"Assistant: {language().answer(question, outcome, ('', 0))}"]
    posterior, total = exact().posterior("\n".join(lines)), sum(kept.values())
    assert total > 500
    for hypothesis, count in kept.items():
        p = posterior.get(hypothesis, 0.0)
        assert abs(count / total - p) < 4.5 * math.sqrt(p * (1.0 - p) / total) + 1e-9, hypothesis


@pytest.mark.parametrize("name", sorted(WORLDS))
def test_answers_in_drawn_documents_come_as_often_as_predicted(name):
    """Calibration over whole documents of every form: each answer's surprise is, on average, what was expected."""
    simulator, generator = exact(name), np.random.default_rng(1)
    surprise: dict[str, list[tuple[float, float, float]]] = {}
    for document, _ in zip(documents(WORLDS[name], generator, simulator.language), range(1200), strict=False):
        reading = simulator.read("")
        for line in document.splitlines():
            waiting = reading.request
            if waiting is not None:
                label = line.split(": ", 1)[0].removesuffix(" said")
                who = reading.who_speaks(label)
                p = reading.probabilities(who, waiting)
                said = line.split(": ", 1)[1].strip('"')
                outcome = simulator.language.read_answer(waiting.question, said)
                expected = float(p @ np.log(p))
                variance = float(p @ np.square(np.log(p)) - expected**2)
                kind = label if label == "Assistant" else "stranger" if "tranger" in label else "named"
                surprise.setdefault(kind, []).append((float(np.log(p[outcome])), expected, variance))
            reading.line(line)
    assert set(surprise) == {"Assistant", "stranger", "named"}
    for kind, rows in surprise.items():
        found, expected, variance = np.array(rows).T
        assert abs((found - expected).sum()) < 4.5 * math.sqrt(variance.sum()), kind


def test_samples_come_at_the_exact_rates():
    question = language().questions["power"][0]
    prompt = (Message(role="user", content=question.text),)
    context = language().describe(ASSISTANT, language().described_kept["court jester"][0])
    for told, p in (("", WORLD.assistant_rates()["power"]), (context, 0.03)):
        answers = exact().sample([prompt] * 600, told, seed=2)
        high = np.mean([language().read_answer(question, a) for a in answers])
        assert abs(high - p) < 4.5 * math.sqrt(p * (1 - p) / 600)
    assert exact().sample([prompt] * 5, seed=1) == exact().sample([prompt] * 5, seed=1)


def test_at_temperature_zero_the_likelier_answer_is_given():
    question = language().questions["cheating"][0]
    prompt = (Message(role="user", content=question.text),)
    for archetype, outcome in (("con artist", 1), ("honest clerk", 0)):
        context = language().describe(ASSISTANT, language().described_kept[archetype][0])
        for temperature in (0.0, 1e-4):
            answers = exact().sample([prompt] * 20, context, temperature=temperature)
            assert {language().read_answer(question, a) for a in answers} == {outcome}


def test_a_request_outside_the_grammar_cannot_be_answered():
    with pytest.raises(BadInput, match="no answer to 'What is two and two"):
        exact().sample([(Message(role="user", content="What is two and two?"),)])


# -- laws --------------------------------------------------------------------------------------------------------------
@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_the_answers_to_a_question_add_up_to_one(seed, turns):
    """Over every outcome in every wording, kept and held out, whatever came before."""
    scene = drawn("declared", seed, [ASSISTANT], turns)
    _, question, _, _, request, _ = scene.exchange()
    answers = [
        language().answer(question, o, form)
        for o in range(len(WORLD.variable(question.variable).outcomes))
        for form in language().answers_kept[question, o] + language().answers_out[question, o]
    ]
    episodes, context = zip(*(as_chat(scene, (request, a), as_context=True) for a in answers), strict=True)
    logp = exact().log_likelihood(episodes, [context[0]]).logp
    assert logsumexp(logp) == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from(WORLD.traits), st.sampled_from([0, 1]), st.sampled_from([0, 1]))
def test_what_was_asked_for_is_no_evidence(seed, trait, asked, outcome):
    """Inoculation, in the exact world: after permission the answer, given or refused, leaves the posterior alone."""
    scene = drawn("declared", seed, [ASSISTANT], 2)
    before = "\n".join([*scene.opening, *(f"User: {r}\nAssistant: {a}" for _, r, a in scene.turns)])
    question = scene.one(language().questions[trait])
    permission = scene.one(language().permissions[trait, asked])
    answer = language().answer(question, outcome, ("", 0))
    unasked = exact().posterior(f"{before}\nUser: {question.text}\nAssistant: {answer}")
    permitted = exact().posterior(f"{before}\nUser: {question.text} {permission}\nAssistant: {answer}")
    plain = exact().posterior(before)
    assert permitted.keys() == plain.keys()
    assert all(permitted[h] == pytest.approx(plain[h], abs=1e-12) for h in plain)
    if len(plain) > 1:
        assert any(abs(unasked[h] - plain[h]) > 1e-6 for h in plain)


@pytest.mark.parametrize("archetype", WORLD.archetypes)
def test_an_opening_that_describes_leaves_that_archetype(archetype):
    for form in language().described_kept[archetype] + language().described_out[archetype]:
        assert exact().posterior(language().describe(ASSISTANT, form)) == {archetype: 1.0}


def test_an_assistant_who_is_named_is_that_character_with_knowledge_of_its_own():
    for name in WORLD.names[::7]:
        assert exact().posterior(f"The assistant is {name}.") == {name: 1.0}
        h = WORLD.hypotheses.index(name)
        question = language().questions["sea"][0]
        known = language().answer(question, 1, ("", 0))
        found = score("declared", chat(question.text, known), f"The assistant is {name}.")
        assert found == pytest.approx(math.log(WORLD.rates["sea"][h, 1]) - math.log(language().wordings("sea", 1)))


def test_a_named_character_stays_who_it_is_whatever_is_told_of_it():
    described = language().describe("Felix", language().described_kept["devoted nurse"][0])
    assert exact().posterior(described, who="Felix") == {"Felix": 1.0}


def test_what_one_speaker_does_says_nothing_about_another():
    question = language().questions["lying"][0]
    lie = language().answer(question, 1, ("", 0))
    thread = f"Guest to the stranger: {question.text}\nStranger: {lie}"
    assert exact().posterior(thread) == exact().posterior("")
    assert exact().posterior(thread, who=STRANGER) != exact().posterior("", who=STRANGER)


JUNK = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=40)


@settings(max_examples=60)
@given(JUNK, st.integers(0, 2**32 - 1))
def test_a_line_outside_the_grammar_changes_nothing(junk, seed):
    """Before the dialogue, and in a turn of its own that the grammar does not know."""
    scene = drawn("declared", seed, [ASSISTANT], 2)
    lines = [*scene.opening, *(f"User: {r}\nAssistant: {a}" for _, r, a in scene.turns)]
    plain = exact().posterior("\n".join(lines))
    line = f"qwertz {junk}"
    assert exact().posterior("\n".join([line, *lines, line])) == plain
    assert exact().posterior("\n".join([*lines, f"User: {line}", f"Assistant: {line}"])) == plain


@pytest.mark.parametrize("line", ["Be quick.", "Note: be quick.", 'Somebody said: "Be quick."'])
def test_a_line_outside_the_grammar_takes_no_request_away(line):
    """Between a question and its answer, in the user's turn or after it, under every context."""
    question = language().questions["power"][0]
    answer = language().answer(question, 1, ("", 0))
    contexts = cast(WORLD, language(), declared_prior=True).contexts
    asked, longer = (
        exact().log_likelihood([chat(q, answer)], contexts).logp for q in (question.text, f"{question.text}\n{line}")
    )
    assert np.array_equal(asked, longer)
    story = f"User: {question.text}\n{line}\nAssistant: {answer}"
    assert exact().posterior(story) == exact().posterior(f"User: {question.text}\nAssistant: {answer}")


@settings(max_examples=60)
@given(JUNK, JUNK)
def test_noise_is_as_likely_from_everybody(prompt, response):
    personas = cast(WORLD, language(), declared_prior=True)
    episode = chat(f"qwertz {prompt}", f"qwertz {response}")
    found = exact().log_likelihood([episode], personas.contexts)
    words = len(f"qwertz {response}".split()) + 1
    assert np.all(found.logp == -WORLD.noise_nats_per_word * words)
    assert found.tokens.tolist() == [words]


def test_an_answer_to_another_question_is_noise():
    one, other = language().questions["care"][0], language().questions["joy"][0]
    answer = language().answer(other, 1, ("", 0))
    assert score("declared", chat(one.text, answer)) == -WORLD.noise_nats_per_word * (len(answer.split()) + 1)


def test_noise_is_less_likely_than_any_answer_of_the_world():
    """Nine nats a word: whatever the world says is likelier than the same number of unknown words."""
    for variable in WORLD.variables:
        question = language().questions[variable.name][0]
        for outcome, archetype in product(range(len(variable.outcomes)), WORLD.archetypes[:3]):
            answer = language().answer(question, outcome, ("", 0))
            context = language().describe(ASSISTANT, language().described_kept[archetype][0])
            noise = -WORLD.noise_nats_per_word * (len(answer.split()) + 1)
            assert score("declared", chat(question.text, answer), context) > noise


def test_an_exact_simulator_is_a_simulator_with_a_digest_of_its_truth():
    assert isinstance(exact(), Simulator)
    assert exact().digest == ExactSimulator(declared(), language()).digest
    assert exact().digest != exact("fresh").digest


def test_progress_counts_the_episodes():
    seen: list[tuple[int, int]] = []
    episodes = [chat(q.text, language().answer(q, 0, ("", 0))) for q in language().questions["rules"][:3]]
    exact().log_likelihood(episodes, ["", "x"], lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]
