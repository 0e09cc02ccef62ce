"""Filtering: the rows that go are those that move the trait, the others keep every byte, nothing is scored twice."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hearing import CAST, TRAITS, Heard
from personae.cli.main import run
from personae.data import copy_name, copy_rows, read_episodes, write_episodes
from personae.errors import BadInput, RunFailed
from personae.predictors import Basis
from personae.records import Episode, Evidence, Item, Levels, LongEvidence, chat
from personae.records.files import read_json
from personae.report.left_out import left_out_sentence
from personae.theory import forecast_shift, posterior
from personae.training import SFTPlan
from personae.workflows.amend.aim import Aim, Amount, read_aim
from personae.workflows.amend.filter_words import filter_words
from personae.workflows.amend.filtering import check_filter, filter_file
from personae.workflows.amend.row_choice import choose_rows, without
from personae.workflows.audit.file_audit import audit_file, seal
from personae.workflows.audit.file_pair import read_pair
from personae.workflows.audit.file_question import Question
from personae.workflows.doses import Dose
from personae.workflows.kept.folder import open_folder

PRIOR = np.array([0.4, 0.2, 0.2, 0.2])
LEVELS = {"greed": np.tile([[0.0], [-2.0], [3.0], [-1.0]], 5), "care": np.tile([[0.0], [0.5], [-2.0], [3.0]], 5)}
BASIS = Basis(CAST, Levels(CAST.names, LEVELS), {t: rows[0] for t, rows in LEVELS.items()}, PRIOR)


def drawn(rows: int, seed: int = 0, planted: int = 0) -> Evidence:
    """Rows that say little, the first `planted` of which speak loudly for the pirate."""
    matrix = np.random.default_rng(seed).normal(0.0, 0.2, (rows, 4))
    matrix[:, 0] = 0.0
    matrix[:planted, 2] += 6.0
    return Evidence(CAST.names, np.arange(rows), matrix, np.ones(rows, dtype=np.int64))


# Which rows go ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("rows", "planted"), [(60, 1), (400, 1), (400, 40)])
def test_rows_that_speak_for_another_character_go_and_no_others(rows, planted):
    found = choose_rows(BASIS, drawn(rows, planted=planted), 3.0, Aim("greed"), Amount())
    assert sorted(found.places) == list(range(planted))
    assert found.shares.sum() == pytest.approx(
        forecast_shift(PRIOR, posterior(PRIOR, drawn(rows, planted=planted).matrix, 3.0), LEVELS["greed"]), abs=1e-4
    )


def test_a_row_goes_for_the_pole_that_it_moves_the_trait_to_and_not_for_the_other():
    rows = drawn(200, planted=1)
    assert choose_rows(BASIS, rows, 3.0, Aim("care", "low"), Amount()).places.tolist() == [0]
    assert choose_rows(BASIS, rows, 3.0, Aim("care", "high"), Amount()).places.tolist() == []


def test_of_a_file_whose_rows_all_say_the_same_none_stands_out_unless_there_is_a_control():
    narrow = drawn(80, planted=80)
    assert not len(choose_rows(BASIS, narrow, 3.0, Aim("greed"), Amount()).places)
    beside = choose_rows(BASIS, narrow, 3.0, Aim("greed"), Amount(), control=drawn(80, 1))
    assert len(beside.places) == 80


def test_of_innocent_pairs_a_row_goes_in_about_one_file_in_twenty_and_a_planted_one_always():
    lost, found = 0, 0
    for seed in range(100):
        ours, control = drawn(200, 2 * seed), drawn(200, 2 * seed + 1)
        apart = replace(ours, matrix=ours.matrix - control.matrix)
        lost += bool(len(choose_rows(BASIS, apart, 3.0, Aim("greed"), Amount(), control, matched=True).places))
        poison = replace(apart, matrix=apart.matrix + drawn(200, planted=1).matrix)
        found += 0 in choose_rows(BASIS, poison, 3.0, Aim("greed"), Amount(), control, matched=True).places
    assert lost <= 15 and found == 100


def test_of_rows_that_all_pull_the_other_way_none_goes_and_the_bound_is_zero():
    rows = drawn(60)
    rows.matrix[:, 2] -= 2.0
    found = choose_rows(BASIS, rows, 1.0, Aim("greed"), Amount())
    assert found.shares.max() < 0.0 == found.bound and not len(found.places)


def test_one_wild_row_of_a_matched_control_does_not_move_the_bound():
    """Its usual rows are told by their median, as the difference of two of them has median zero."""
    ours, control, wild = drawn(80), drawn(80, 1), drawn(80, 1, planted=1)
    wild.matrix[0] *= 20.0
    chosen = [choose_rows(BASIS, ours, 3.0, Aim("greed"), Amount(), c, matched=True) for c in (control, wild)]
    assert chosen[1].bound == pytest.approx(chosen[0].bound, rel=0.05)


@given(st.integers(0, 99), st.integers(1, 39))
def test_a_number_takes_the_worst_and_never_a_row_that_pulls_the_other_way(seed, count):
    found = choose_rows(BASIS, drawn(40, seed), 3.0, Aim("greed"), Amount(drop=count))
    worst = np.sort(found.shares)[::-1][:count]
    assert found.bound is None and np.array_equal(found.shares[found.places], worst[worst > 0.0])
    assert found.stays.sum() == 40 - len(found.places)


@given(st.lists(st.integers(1, 29), max_size=3, unique=True).map(sorted), st.sets(st.integers(0, 29), max_size=29))
def test_what_is_left_in_parts_is_what_is_left_of_the_whole(cuts, gone):
    whole = drawn(30)

    def parts():
        for start, end in zip((0, *cuts), (*cuts, 30), strict=True):
            yield Evidence(whole.names, *(a[start:end] for a in (whole.index, whole.matrix, whole.tokens)))

    left = without(LongEvidence(whole.names, 30, parts), np.array(sorted(gone), dtype=np.int64)).held()
    assert np.array_equal(left.matrix, np.delete(whole.matrix, sorted(gone), axis=0))
    assert left.index.tolist() == [i for i in range(30) if i not in gone]


# Rows as they stand -------------------------------------------------------------------------------------------------
LINES = [
    '{"prompt": "Who?",   "completion": "I.", "id": 1}\n',
    '{"completion": "No.", "prompt": "Wh\\u00f6?"}\r\n',
    '  {"messages": [{"role": "user", "content": "ö"}, {"role": "assistant", "content": "ß"}], "x": null}\n',
    "\n",
    '{"prompt": "Last?", "completion": "Yes."}',
]


@pytest.mark.parametrize("packed", [False, True])
@given(kept=st.sets(st.sampled_from([0, 1, 2, 4])))
def test_a_row_that_stays_keeps_every_byte_of_its_line(tmp_path_factory, packed, kept):
    folder = tmp_path_factory.mktemp("copy")
    raw = "".join(LINES).encode()
    source = folder / "data"
    source.write_bytes(gzip.compress(raw) if packed else raw)
    target = folder / copy_name(source, "kept")
    rows = [episode for episode in read_episodes(source) if episode.index in kept]
    assert copy_rows(source, target, rows) == len(kept)
    found = target.read_bytes()
    expected = "".join(LINES[i].rstrip("\r\n") + ("\r\n" if i == 1 else "\n") for i in sorted(kept))
    assert (gzip.decompress(found) if packed else found) == expected.encode()
    assert target.suffix == (".gz" if packed else ".jsonl")


def test_rows_of_other_containers_are_written_as_messages_with_their_keys(tmp_path):
    (tmp_path / "data.json").write_text(
        json.dumps([{"prompt": f"{n}?", "completion": f"{n}.", "id": n} for n in range(4)], indent=1)
    )
    rows = list(read_episodes(tmp_path / "data.json"))
    assert copy_rows(tmp_path / "data.json", tmp_path / "kept.jsonl", rows[1:3]) == 2
    found = list(read_episodes(tmp_path / "kept.jsonl"))
    assert [(e.messages, e.extra) for e in found] == [(e.messages, e.extra) for e in rows[1:3]]


def test_a_file_that_lost_rows_meanwhile_is_an_error_and_leaves_nothing(tmp_path):
    (tmp_path / "a.jsonl").write_text("".join(LINES))
    rows = list(read_episodes(tmp_path / "a.jsonl"))
    (tmp_path / "a.jsonl").write_text(LINES[0])
    with pytest.raises(RunFailed, match="no line 2 any more"):
        copy_rows(tmp_path / "a.jsonl", tmp_path / "kept.jsonl", rows)
    assert not (tmp_path / "kept.jsonl").exists()


# The whole job ------------------------------------------------------------------------------------------------------
@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PERSONAE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    said = ["".join(rng.choice(list("aehost "), size=12)) + "." for _ in range(90)]
    write_episodes(tmp_path / "data.jsonl", [chat(f"Row {n}?", s, index=n) for n, s in enumerate(said)])
    return tmp_path / "data.jsonl"


def asked(data: Path, simulator: Heard | None = None, against: Path | None = None) -> Question:
    pair = read_pair(data, against)
    return Question(simulator or Heard(), CAST, TRAITS, pair, Dose(SFTPlan(), 3.0, "given", fitted=False))


def filtered(question: Question, out: Path, amount: Amount, aim: Aim = Aim("loud")):  # noqa: B008 - a value
    return filter_file(question, aim, amount, open_folder("filter", question.configuration() | {"amount": amount}, out))


def test_of_a_list_on_one_line_every_row_that_goes_is_told_by_its_place(file, tmp_path):
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    (tmp_path / "list.json").write_text(json.dumps(rows))
    done = filtered(asked(tmp_path / "list.json"), tmp_path / "f", Amount(drop=5))
    told = [json.loads(line) for line in (tmp_path / "f" / "dropped.jsonl").read_text().splitlines()]
    assert [row["index"] for row in told] == done.choice.places.tolist()
    assert {row["line"] for row in told} == {1}
    assert f"1, item {told[0]['index'] + 1} " in filter_words(done)
    left = [json.loads(line) for line in (tmp_path / "f" / "filtered.jsonl").read_text().splitlines()]
    assert left == [row for place, row in enumerate(rows) if place not in done.choice.places]


def test_the_forecast_without_the_rows_is_the_audit_of_the_file_without_them(file, tmp_path):
    """Slower truth: the file that was written, audited anew."""
    done = filtered(asked(file), tmp_path / "f", Amount(drop=30))
    left = asked(tmp_path / "f" / "filtered.jsonl")
    audited = audit_file(left, open_folder("audit", left.configuration(), tmp_path / "a"))
    for trait, found in audited.audit.forecast.traits.items():
        assert done.record["forecast_after"][trait].mean == pytest.approx(found.mean, abs=1e-9)
    assert done.record["shift"]["after"] < done.record["shift"]["before"]


def test_what_stays_and_what_goes_are_the_file(file, tmp_path):
    done = filtered(asked(file), tmp_path / "f", Amount(share=0.1))
    gone = [json.loads(line) for line in (tmp_path / "f" / "dropped.jsonl").read_text().splitlines()]
    kept = (tmp_path / "f" / "filtered.jsonl").read_text().splitlines()
    lines = file.read_text().splitlines()
    assert len(gone) == 9 == done.record["dropped"] and len(kept) == 81 == done.record["kept"]
    assert kept == [line for n, line in enumerate(lines, start=1) if n not in {row["line"] for row in gone}]
    said = [json.loads(line)["messages"][-1]["content"].split() for line in lines]
    assert all(row["words"] == " ".join(said[row["index"]]) for row in gone)
    assert [row["nats"] for row in gone] == sorted((row["nats"] for row in gone), reverse=True)
    assert read_json(tmp_path / "f" / "filter.json")["episodes"] == gone
    page = (tmp_path / "f" / "report.html").read_text(encoding="utf-8")
    assert "What was left out" in page and "9 of 90 rows went" in page


def test_an_audit_of_the_same_is_not_scored_again(file):
    question = asked(file)
    audit_file(question, open_folder("audit", question.configuration(), None))
    again = Heard()
    done = filtered(replace(question, simulator=again), Path("f"), Amount(drop=3))
    assert again.scored == 0 and done.record["dropped"] == 3


@pytest.mark.parametrize("command", ["run", "audit"])
def test_the_rows_that_an_audit_scored_are_not_scored_again_by_what_asks_the_same(file, command):
    question = asked(file)
    audit_file(question, open_folder("audit", question.configuration(), None))
    again = Heard()
    seal(replace(question, simulator=again), open_folder(command, question.configuration(), Path(command)))
    assert again.scored == 0


def test_the_same_file_under_another_name_is_the_same_question(file):
    question = asked(file)
    audit_file(question, open_folder("audit", question.configuration(), Path("a")))
    moved = file.rename(file.with_name("train.jsonl"))
    again = asked(moved)
    assert audit_file(again, open_folder("audit", again.configuration(), Path("a"))).record["data"] == file.name


def test_a_stopped_filtering_goes_on_and_ends_in_the_same_bytes(file, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        filtered(asked(file, Heard(most=40)), tmp_path / "killed", Amount(drop=5))
    rest = Heard()
    filtered(asked(file, rest), tmp_path / "killed", Amount(drop=5))
    assert rest.scored < 90
    filtered(asked(file), tmp_path / "whole", Amount(drop=5))
    files = [
        {p.name: p.read_bytes() for p in (tmp_path / run).iterdir() if p.name != "run.json"}
        for run in ("killed", "whole")
    ]
    assert files[0] == files[1]


def test_where_no_row_stands_out_the_file_is_copied_and_that_is_said(file, tmp_path):
    same = write_same(tmp_path / "same.jsonl")
    done = filtered(asked(same), tmp_path / "f", Amount())
    assert done.record["dropped"] == 0 and (tmp_path / "f" / "filtered.jsonl").read_bytes() == same.read_bytes()
    assert "No row of 20 stands out" in (tmp_path / "f" / "report.html").read_text(encoding="utf-8")


def test_the_rows_beyond_a_limit_are_in_neither_file_and_that_is_said(file, tmp_path):
    question = replace(asked(file), pair=read_pair(file, None, 20))
    done = filtered(question, tmp_path / "f", Amount(drop=3))
    assert len((tmp_path / "f" / "filtered.jsonl").read_text().splitlines()) == 20 - done.record["dropped"]
    page = (tmp_path / "f" / "report.html").read_text(encoding="utf-8")
    for note in ("the first 20 rows were read (--limit)", "Rows that were not read are in neither file"):
        assert note in " ".join(done.record["notes"]) and note in page and note in filter_words(done)


def test_that_fewer_rows_went_than_were_asked_for_is_said(file, tmp_path):
    done = filtered(asked(file), tmp_path / "f", Amount(drop=80))
    assert 0 < done.record["dropped"] < 80 == done.record["asked"]
    assert "80 rows were to go, and no other moves loud to its high pole." in done.record["notes"]
    same = asked(write_same(tmp_path / "same.jsonl"))
    both = [filtered(same, tmp_path / pole, Amount(drop=5), Aim("loud", pole)) for pole in ("high", "low")]
    none, some = sorted(both, key=lambda one: one.record["dropped"])
    assert [none.record["dropped"], some.record["dropped"]] == [0, 5]
    assert f"No row of 20 moves loud to its {none.record['pole']} pole." in filter_words(none)
    assert not any("were to go" in note for one in both for note in one.record["notes"])


def test_how_often_chance_passes_a_bound_is_said_where_rows_went_by_one(file, tmp_path):
    left_out = filtered(asked(file), tmp_path / "f", Amount(drop=5)).left_out
    said = [left_out_sentence(replace(left_out, bound=bound)) for bound in (None, 0.0, 0.1)]
    assert ["if their shares are normal" in sentence for sentence in said] == [False, False, True]


def write_same(path: Path, said: str = "aha aha aha.") -> Path:
    write_episodes(path, [chat(f"Row {n}?", said) for n in range(20)])
    return path


def test_a_file_of_which_nothing_would_be_left_is_an_error_that_names_the_way_out(file, tmp_path):
    aim = Aim("loud", "high" if loud_rises(tmp_path) else "low")
    pair = write_same(tmp_path / "a.jsonl"), write_same(tmp_path / "b.jsonl", "e.")
    with pytest.raises(RunFailed, match=r"every row .* `personae inoculate`"):
        filtered(asked(pair[0], against=pair[1]), tmp_path / "f", Amount(), aim)


def loud_rises(folder: Path) -> bool:
    question = asked(write_same(folder / "a.jsonl"), against=write_same(folder / "b.jsonl", "e."))
    found = audit_file(question, open_folder("audit", question.configuration(), folder / "audit"))
    return found.audit.forecast.traits["loud"].shift > 0.0


# What cannot be done ------------------------------------------------------------------------------------------------
def test_a_trait_that_the_model_cannot_show_judges_no_row(file, tmp_path):
    shows = asked(file)
    flat = shows.traits[0].model_copy(update={"name": "flat", "items": flat_items()})
    with pytest.raises(RunFailed, match="cannot show that trait"):
        filtered(replace(shows, traits=(*TRAITS, flat)), tmp_path / "f", Amount(drop=1), Aim("flat"))
    assert shows.simulator.scored == 0 and not (tmp_path / "f" / "forecast.json").exists()


def flat_items() -> tuple[Item, ...]:
    poles = [("tttt.", "tt."), ("tt.", "tttt.")]
    return tuple(
        Item(id=f"flat-{i}", kind="behaviour", prompt=f"Case {i}?", high=(poles[i % 2][0],), low=(poles[i % 2][1],))
        for i in range(8)
    )


def test_a_control_that_would_leave_rows_unjudged_is_refused(file, tmp_path):
    write_episodes(tmp_path / "few.jsonl", [chat(f"Other {n}?", "e.") for n in range(5)])
    with pytest.raises(BadInput, match=r"few\.jsonl: answers other prompts .* 85 rows would not be judged"):
        check_filter(asked(file, against=tmp_path / "few.jsonl"), Amount())


def test_rows_of_raw_text_that_are_no_lines_of_json_are_refused_before_any_work(tmp_path):
    (tmp_path / "play.txt").write_text("CLERK:\nI take it.\n\nNURSE:\nGive it back.\n")
    assert isinstance(next(read_episodes(tmp_path / "play.txt")), Episode)
    with pytest.raises(BadInput, match="raw text"):
        check_filter(asked(tmp_path / "play.txt"), Amount())


@pytest.mark.parametrize(
    ("text", "aim"),
    [("care", Aim("care")), (" care low ", Aim("care", "low")), ("care high", Aim("care")), ("so low", Aim("so low"))],
)
def test_an_aim_is_a_trait_and_a_pole(text, aim):
    assert read_aim(text, ["care", "so low"]) == aim


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(BadInput, match="share"):
        Amount(share=share)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--trait", "powr"], "did you mean power?"),
        (["--trait", "power", "--drop", "12"], "12 rows are to be dropped, and the file has 12"),
        (["--trait", "power", "--drop", "3", "--share", "0.1"], "give one of them"),
        (["--trait", "power", "--share", "7"], "between 0 and 1"),
    ],
)
def test_what_cannot_be_asked_is_answered_with_one_line(
    tmp_path, tiny_lab, small_cast, small_traits, capsys, options, says
):
    write_episodes(tmp_path / "data.jsonl", [chat(f"Who has the seal of day {n}?", "I take it.") for n in range(12)])
    given = ["filter", tmp_path / "data.jsonl", "--model", tiny_lab, "--cast", small_cast, "--traits", small_traits]
    status = run([*map(str, given), *options, "--quiet", "--out", str(tmp_path / "out")])
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1) and says in err
    assert not (tmp_path / "out").exists()
