"""Rows in context: in the exact world they are Bayes' rule, and which rows are shown is told by the file alone."""

from functools import cache

import numpy as np
import pytest

from personae.measure.in_context import LONGEST, ROWS, TURNS, beginnings, levels_behind
from personae.records import Episode, Item, Message, Trait, chat
from personae.world import ExactSimulator, Language, declared, episodes, traits

WORLD = declared()


@cache
def exact():
    return ExactSimulator(WORLD, Language(WORLD))


def asked(items=2):
    every = traits(WORLD, exact().language)
    return tuple(t.model_copy(update={"items": t.items[:items]}) for t in every)


def rows(count, said="Yes."):
    return [chat(f"Question {n}?", f"{said} {n}", index=n) for n in range(count)]


def questions(begin):
    return [turn.content for turn in begin if turn.role == "user"]


@pytest.mark.parametrize(("trait", "outcome"), [("cheating", 1), ("feelings", 0)])
def test_in_the_exact_world_four_rows_in_context_are_four_episodes_of_evidence(trait, outcome):
    shown = episodes(exact().language, trait, outcome, ROWS, np.random.default_rng(0))
    (begin,) = beginnings(exact(), shown)
    assert len(begin) == 1
    found = levels_behind(exact(), asked(), begin)
    after = WORLD.prior * WORLD.rates[trait][:, outcome] ** ROWS
    after /= after.sum()
    for t in set(WORLD.traits) - {trait}:
        p = after @ WORLD.rates[t][:, 1]
        assert found[t] == pytest.approx(np.log(p) - np.log1p(-p), abs=1e-9)


def test_items_stand_behind_the_beginnings_by_turns():
    honest, cheats = (episodes(exact().language, "cheating", o, ROWS, np.random.default_rng(0)) for o in (0, 1))
    one, other = (beginnings(exact(), side)[0][0] for side in (honest, cheats))
    alone = [levels_behind(exact(), asked(4), [begin])["power"] for begin in (one, other)]
    found = levels_behind(exact(), asked(4), [one, other])["power"]
    assert found.tolist() == [alone[0][0], alone[1][1], alone[0][2], alone[1][3]]
    assert (alone[1] > alone[0]).all()


def test_two_sides_show_the_same_places_spread_over_the_whole_file():
    ours, theirs = rows(200, "Yes."), rows(200, "No.")
    begin = beginnings(exact(), ours, theirs)
    assert [len(side) for side in begin] == [TURNS, TURNS]
    assert [questions(b) for b in begin[0]] == [questions(b) for b in begin[1]]
    places = sorted(int(q.split()[1][:-1]) for b in begin[0] for q in questions(b))
    assert len(set(places)) == ROWS * TURNS and places[0] == 0 and places[-1] == 199
    assert max(np.diff(places)) <= 8
    assert {turn.content.split()[0] for b in begin[1] for turn in b if turn.role == "assistant"} == {"No."}


@pytest.mark.parametrize(("count", "turns", "each"), [(1, 1, 1), (3, 1, 3), (4, 1, 4), (11, 2, 4), (32, 8, 4)])
def test_a_short_file_fills_as_many_beginnings_as_it_can(count, turns, each):
    (begin,) = beginnings(exact(), rows(count))
    assert len(begin) == turns and {len(questions(b)) for b in begin} == {each}
    assert len({q for b in begin for q in questions(b)}) == turns * each


def test_a_row_that_is_not_to_be_shown_gives_its_place_to_the_nearest_other_and_all_others_stay():
    shown, again = (beginnings(exact(), rows(200), without=gone)[0] for gone in ((), (0, 199, 3)))
    before, after = ([q for begin in side for q in questions(begin)] for side in (shown, again))
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert changed == [("Question 0?", "Question 1?"), ("Question 199?", "Question 198?")]
    assert beginnings(exact(), rows(2), without=(0, 1)) == [[]]


def test_what_a_beginning_holds_is_read_once(tiny_lab):
    """A model is asked once for each beginning, so that its items share it."""
    from personae.simulator.registry import load

    model, calls = load(str(tiny_lab)), []
    ask = model.log_likelihood

    class Counting:
        def log_likelihood(self, answers, contexts, progress=None):
            calls.append({tuple(a.messages[:-2]) for a in answers})
            return ask(answers, contexts, progress)

    (begin,) = beginnings(model, rows(12))
    found = levels_behind(Counting(), asked(4), begin)
    assert [len(same) for same in calls] == [1, 1, 1]
    alone = [levels_behind(model, asked(4), [turns]) for turns in begin]
    for trait, items in found.items():
        assert items == pytest.approx([alone[n % 3][trait][n] for n in range(4)], abs=1e-4)


def test_a_row_that_is_no_short_dialogue_is_not_shown():
    long = chat("Question long?", "y" * LONGEST)
    text = Episode(messages=chat("Question text?", "Yes.").messages, form="text")
    tool = Episode(messages=(Message(role="tool", content="Question tool?"), Message(role="assistant", content="Yes.")))
    (begin,) = beginnings(exact(), [long, text, tool, *rows(2)])
    assert [questions(b) for b in begin] == [["Question 0?", "Question 1?"]]
    assert beginnings(exact(), [long, text, tool]) == [[]]
    assert beginnings(exact(), rows(2), [long, long]) == [[], []]


def test_a_system_text_is_not_shown_since_it_would_go_on_acting():
    system = Message(role="system", content="Be brief.")
    (begin,) = beginnings(exact(), [Episode(messages=(system, *row.messages)) for row in rows(2)])
    assert [turn.role for turn in begin[0]] == ["user", "assistant"] * 2
    assert questions(begin[0]) == ["Question 0?", "Question 1?"]


def test_an_item_with_no_room_behind_the_rows_has_its_level_without_them(tiny_lab):
    from personae.simulator.registry import load

    model = load(str(tiny_lab))
    trait = asked(2)[0]
    first, second = trait.items
    room = model.window - 20
    long = first.model_copy(update={"prompt": " ".join([first.prompt] * (room // len(first.prompt.split())))})
    while len(model.dialogue.encode(long.episodes()[0], window=10**6).ids) > room:
        long = long.model_copy(update={"prompt": long.prompt[:-20]})
    begin = beginnings(model, rows(4))[0]
    both = levels_behind(model, [trait.model_copy(update={"items": (long, second)})], begin)[trait.name]
    alone, behind = (
        levels_behind(model, [trait.model_copy(update={"items": (one,)})], b)[trait.name]
        for one, b in ((long, [()]), (second, begin))
    )
    assert both == pytest.approx([alone[0], behind[0]], abs=1e-4)


def test_rows_that_would_fill_the_window_are_not_shown(tiny_lab):
    from personae.simulator.registry import load

    model = load(str(tiny_lab))
    words = model.window // (2 * ROWS)
    long = chat("Are you well?", " ".join(["honest"] * words))
    assert len(long.response) <= LONGEST
    (begin,) = beginnings(model, [long, chat("Are you well?", "I am.")])
    assert [turn.content for turn in begin[0]] == ["Are you well?", "I am."]


def test_an_item_that_is_no_chat_has_no_earlier_turns():
    item = Item(id="0", kind="behaviour", prompt="He said", high=(" yes",), low=(" no",), form="text")
    trait = Trait(name="t", description="", low="", high="", items=(item,))
    begin = beginnings(exact(), rows(4))[0]
    assert levels_behind(exact(), [trait], begin)["t"] == levels_behind(exact(), [trait], [()])["t"]
