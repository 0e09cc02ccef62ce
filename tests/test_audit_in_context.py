"""The second reading of a forecast: counted in its share, kept in the folder, and told; on the exact world."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from personae.data import write_episodes
from personae.measure.in_context import ROWS
from personae.predictors import selection
from personae.records import Episode, Item, Message
from personae.report import audit_page
from personae.training import SFTPlan
from personae.workflows.amend.aim import Aim, Amount
from personae.workflows.amend.filtering import LEFT, _shown_of_the_rest, filter_file
from personae.workflows.amend.row_choice import Choice, without
from personae.workflows.audit.file_audit import notes, page_content, seal
from personae.workflows.audit.file_in_context import IN_CONTEXT, in_context, in_context_note, is_shown
from personae.workflows.audit.file_pair import FilePair, read_pair
from personae.workflows.audit.file_question import Question
from personae.workflows.doses import Dose
from personae.workflows.kept.folder import open_folder
from personae.workflows.watch import unwatched
from personae.world import ExactSimulator, Language, cast, declared, episodes, traits

WORLD, SHARE = declared(), 0.25


@cache
def exact():
    return ExactSimulator(WORLD, Language(WORLD))


@cache
def asked():
    every = traits(WORLD, exact().language)
    return tuple(t.model_copy(update={"items": t.items[:8]}) for t in every if t.name in ("cheating", "power", "care"))


@pytest.fixture
def files(tmp_path):
    """Sixteen rows that cheat, and sixteen honest ones to the same requests."""
    for name, outcome in (("cheats", 1), ("honest", 0)):
        shown = episodes(exact().language, "cheating", outcome, 16, np.random.default_rng(0))
        write_episodes(tmp_path / f"{name}.jsonl", shown)
    return tmp_path / "cheats.jsonl", tmp_path / "honest.jsonl"


def question(data, against=None, share=SHARE):
    dose = Dose(SFTPlan(), 1.0, "given", fitted=False, share=share)
    people = cast(WORLD, exact().language, declared_prior=True)
    return Question(exact(), people, asked(), read_pair(data, against), dose)


def folder(asks, path):
    return open_folder("audit", asks.configuration(), path)


def level(outcome=None, trait="power"):
    """Behind four rows of one outcome, or behind none, nats."""
    after = WORLD.prior * (1.0 if outcome is None else WORLD.rates["cheating"][:, outcome] ** ROWS)
    p = (after / after.sum()) @ WORLD.rates[trait][:, 1]
    return np.log(p) - np.log1p(-p)


def test_rows_in_context_are_those_of_the_file_less_the_controls(files, tmp_path):
    asks = question(*files)
    found = seal(asks, folder(asks, tmp_path / "out"))
    assert found.record["in_context"]["power"] == pytest.approx(level(1) - level(0))
    alone = question(files[0])
    against_none = seal(alone, folder(alone, tmp_path / "alone"))
    assert against_none.record["in_context"]["power"] == pytest.approx(level(1) - level())


def test_the_forecast_counts_the_share_of_it_and_says_so(files, tmp_path):
    asks = question(*files)
    found = seal(asks, folder(asks, tmp_path / "out"))
    cast_alone = selection(found.audit.basis, found.audit.evidence, 1.0)
    for t, shift in found.record["in_context"].items():
        assert found.audit.forecast.traits[t].shift == pytest.approx(cast_alone.traits[t].shift + SHARE * shift)
    assert found.record["share"] == SHARE and found.record["predictor"] == "selection and rows in context"
    assert any("0.25 of what rows of the file do" in said and "less the control's" in said for said in notes(found))


def test_system_texts_are_not_shown_and_the_notes_say_so(files, tmp_path):
    asks = question(*files)
    asked_for = [
        row.model_copy(update={"messages": (Message(role="system", content="Be brief."), *row.messages)})
        for row in asks.pair.episodes
    ]
    behind = replace(asks, pair=replace(asks.pair, episodes=tuple(asked_for)))
    shown = in_context(asks, found := seal(asks, folder(asks, tmp_path / "out")).audit.basis, tmp_path / "a", unwatched)
    again = in_context(behind, found, tmp_path / "b", unwatched)
    assert all((shown[t] == again[t]).all() for t in shown)
    assert "without their system texts" in in_context_note(behind, again)
    assert "system" not in in_context_note(asks, shown)


def test_with_no_share_nothing_is_shown_and_the_record_is_what_it_was(files, tmp_path):
    asks = question(*files, share=0.0)
    found = seal(asks, folder(asks, tmp_path / "out"))
    assert not (tmp_path / "out" / IN_CONTEXT).exists() and found.record["predictor"] == "selection"
    assert not {"share", "in_context"} & found.record.keys() and "share" not in asks.configuration()


def test_what_was_shown_is_kept_and_read(files, tmp_path, monkeypatch):
    asks = question(*files)
    first = seal(asks, folder(asks, tmp_path / "out"))
    monkeypatch.setattr(ExactSimulator, "log_likelihood", None)
    assert seal(asks, folder(asks, tmp_path / "out")).record == first.record


def test_a_file_of_which_no_row_can_be_shown_is_forecast_by_the_cast_and_says_so(files, tmp_path):
    asks = question(files[0])
    text = tuple(Episode(messages=row.messages, index=row.index, form="text") for row in asks.pair.episodes)
    asks = replace(asks, pair=FilePair(files[0], text))
    found = seal(asks, folder(asks, tmp_path / "out"))
    assert found.record["predictor"] == "selection" and not found.in_context
    assert any(said.startswith("Of the file no rows could be shown in context") for said in notes(found))


def test_the_parts_of_a_forecast_add_up_to_it_and_are_told(files, tmp_path):
    asks = question(*files)
    found = seal(asks, folder(asks, tmp_path / "out"))
    cast_alone = selection(found.audit.basis, found.audit.evidence, 1.0)
    by_cast, shown = found.parts["cast alone"], found.parts["rows in context"]
    for t, f in found.audit.forecast.traits.items():
        assert by_cast[t] == pytest.approx(cast_alone.traits[t].shift)
        assert shown[t] == pytest.approx(SHARE * found.record["in_context"][t]) and by_cast[t] + shown[t] == f.shift
    page = audit_page(page_content(found))
    assert "<th" in page and "rows in context</th>" in page and "as earlier turns of the chat" in page
    bare = seal(question(*files, share=0.0), folder(question(*files, share=0.0), tmp_path / "bare"))
    assert bare.parts == {} and "as earlier turns of the chat" not in audit_page(page_content(bare))


def test_an_unmatched_control_shows_its_own_rows(files, tmp_path):
    other = [
        Episode(messages=(Message(role="user", content=f"{n}"), row.messages[-1]))
        for n, row in enumerate(read_pair(files[1]).episodes)
    ]
    asks = question(files[0])
    pair = replace(asks.pair, against=files[1], control=tuple(other), matched=False)
    found = seal(replace(asks, pair=pair), folder(asks, tmp_path / "out"))
    assert found.record["in_context"]["power"] == pytest.approx(level(1) - level())


def test_what_is_hidden_is_shown_no_rows_and_no_reason_is_made_up(files, tmp_path):
    alike = [  # outside the world's grammar, where everybody answers alike
        Item(id=str(n), kind="behaviour", prompt=f"{n}?", high=("Blue skies.",), low=("Green hills.",))
        for n in range(8)
    ]
    asks = replace(question(*files), traits=(asked()[0].model_copy(update={"items": tuple(alike)}),))
    found = seal(asks, folder(asks, tmp_path / "out"))
    assert not found.audit.forecast.traits and not (tmp_path / "out" / IN_CONTEXT).exists()
    assert not any("in context" in said for said in notes(found))


def test_rows_that_go_and_were_not_shown_leave_the_second_part_as_it_was(tmp_path):
    """Four hundred rows, of which 32 are shown: without two others the forecast changes by the cast's part alone."""
    language, rng = exact().language, np.random.default_rng(0)
    mixed = [row for n in range(400) for row in episodes(language, "cheating", int(rng.random() < 0.3), 1, rng)]
    data = tmp_path / "mixed.jsonl"
    write_episodes(data, [row.model_copy(update={"index": n}) for n, row in enumerate(mixed)])
    asks = question(data)
    out = folder(asks, tmp_path / "out")
    found = seal(asks, out)
    places = np.linspace(0, 399, 32).round().astype(int)
    for gone, same in (([1, 2], True), (places[:4].tolist(), False)):
        kept = tmp_path / f"left-{same}.parquet"
        left = in_context(asks, found.audit.basis, kept, unwatched, gone)
        assert all((left[t] == found.in_context[t]).all() for t in left) == same
        assert is_shown(asks, gone) != same


def test_the_forecast_of_the_rows_that_stay_shows_the_rows_that_stay(tmp_path):
    language, rng = exact().language, np.random.default_rng(0)
    mixed = [*episodes(language, "cheating", 1, 4, rng), *episodes(language, "cheating", 0, 12, rng)]
    data = tmp_path / "mixed.jsonl"
    write_episodes(data, [row.model_copy(update={"index": n}) for n, row in enumerate(mixed)])
    asks = question(data)
    done = filter_file(asks, Aim("power"), Amount(drop=4), folder(asks, tmp_path / "out"))
    assert sorted(done.choice.places.tolist()) == [0, 1, 2, 3] and (tmp_path / "out" / LEFT).exists()
    found = done.audit.audit
    left = selection(found.basis, without(found.evidence, done.choice.places), 1.0).traits["power"].shift
    assert done.left_out.forecast.traits["power"].shift == pytest.approx(left + SHARE * (level(0) - level()))
    parts = [part["power"] for part in done.audit.parts.values()]
    assert f"{parts[0]:+.3g} of {sum(parts):+.3g} nats" in "".join(done.record["notes"])


def test_rows_that_stay_and_cannot_be_shown_are_forecast_by_the_cast_and_the_notes_say_so(tmp_path):
    shown = episodes(exact().language, "cheating", 1, 4, np.random.default_rng(0))
    long = [row.model_copy(update={"messages": row.messages * 40}) for row in shown]
    write_episodes(tmp_path / "mixed.jsonl", shown)
    asks = question(tmp_path / "mixed.jsonl")
    asks = replace(asks, pair=FilePair(asks.pair.data, (*asks.pair.episodes[:2], *long[2:])))
    found = seal(asks, folder(asks, tmp_path / "out"))
    gone = Choice(np.zeros(4), np.array([0, 1]), None)
    rest = _shown_of_the_rest(found, gone, folder(asks, tmp_path / "out"), unwatched)
    assert found.in_context and not rest
