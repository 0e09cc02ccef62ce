"""The ledger: entered once, never changed, whole after a kill; scored as the closed forms have it; shown on a page."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from personae.cli.main import run
from personae.errors import BadInput, RunFailed
from personae.ledger import (
    Ledger,
    asked_of,
    ledger_file,
    read_forecast,
    read_profile,
    scored,
    sealed,
    summary,
    with_digest,
)
from personae.records import Estimate
from personae.records.files import write_json
from personae.report import ledger_page
from personae.theory import coverage, interval_score, pearson, share_interval, slope, spearman
from personae.workflows.kept.keeping import keep_forecast, keep_score

TRAITS = ("power", "greed", "candour", "humour", "rules")


def record(model="m", data="cheats.jsonl", width=1.0, number=0, traits=TRAITS):
    """A sealed record of a forecast: the trait number i rises by i / 4."""
    forecast = {
        t: {"base": -1.0, "mean": -1.0 + i / 4, "low": -1.0 + i / 4 - width, "high": -1.0 + i / 4 + width}
        for i, t in enumerate(traits)
    }
    return with_digest(
        {
            "model": model,
            "model_digest": "a" * 64,
            "data": data,
            "against": "honest.jsonl",
            "data_digests": {"data": f"{number}"},
            "posterior": {"neutral": 0.5, "clerk": 0.25, "pirate": 0.25},
            "predictor": "selection",
            "plan": {"tuning": "lora", "steps": 8},
            "dose": 1.5,
            "forecast": forecast,
            "notes": ["more than the ledger keeps"],
        }
    )


def profile(shifts=(0.1, 0.2, 0.6, 0.7, 2.5), traits=TRAITS, **more):
    levels = {t: {"mean": -1.0 + s, "low": -1.2 + s, "high": -0.8 + s, "n": 8} for t, s in zip(traits, shifts)}
    return {"subject": "m after training", "traits": levels, "control": {}, **more}


@pytest.fixture(autouse=True)
def ledger(tmp_path, monkeypatch) -> Ledger:
    """A ledger of its own for every test."""
    monkeypatch.setenv("PERSONAE_DATA", str(tmp_path / "data"))
    return Ledger(ledger_file())


@pytest.fixture
def files(tmp_path) -> tuple[Path, Path]:
    """A run folder's two files."""
    write_json(tmp_path / "run" / "forecast.json", record())
    write_json(tmp_path / "run" / "profile.json", profile())
    return tmp_path / "run" / "forecast.json", tmp_path / "run" / "profile.json"


def told(arguments, capsys, status=0):
    assert run([*map(str, arguments)]) == status
    return capsys.readouterr()


def outcome(arguments, capsys):
    return json.loads(told([*arguments, "--json", "--quiet"], capsys).out)


def fill(count=3, **settings):
    """Forecasts sealed at 1, 2, ... and scored after; what each came to is drawn anew."""
    rng = np.random.default_rng(0)
    for i in range(count):
        one = record(number=i, **settings)
        assert keep_forecast(one, float(i + 1)) == ""
        assert keep_score(one, float(i + 1), profile(rng.normal(0.5, 0.5, size=5))) == ""


# -- the store -------------------------------------------------------------------------------------------------------
def test_the_ledger_lies_in_the_users_data_folder_or_where_the_user_wants_it(monkeypatch, tmp_path):
    assert ledger_file() == tmp_path / "data" / "ledger.sqlite"
    monkeypatch.delenv("PERSONAE_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert ledger_file() == tmp_path / "xdg" / "personae" / "ledger.sqlite"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ledger_file() == tmp_path / ".local" / "share" / "personae" / "ledger.sqlite"


def test_what_is_entered_is_read_back_as_it_was(ledger):
    forecast = sealed(record(data='odd "name"\x1b[31m é 名 \u202e.jsonl'), 12.5)
    traits = forecast.traits | {"power": replace(forecast.traits["power"], low=float("nan"), high=float("nan"))}
    forecast = replace(forecast, traits=dict(sorted(traits.items())))
    score = scored(forecast, read(profile(trained=["rules"])), 13.0)
    assert ledger.seal(forecast)
    kept = ledger.keep(forecast, score)
    book = ledger.read()
    assert repr(book.forecasts) == repr((forecast,)) and repr(book.scored) == repr((kept,))
    assert repr(kept.score) == repr(replace(score, measured=dict(sorted(score.measured.items()))))
    assert kept.ahead


def read(value):
    from personae.ledger.entries import measured

    return measured(value)


def test_what_an_earlier_version_sealed_and_entered_is_read(ledger):
    """Its plan said `method` where it now says `tuning`; the column is called so still."""
    content = {**record(), "plan": {"method": "full", "steps": 8}}
    old = with_digest({key: value for key, value in content.items() if key != "digest"})
    ledger.seal(sealed(old, 1.0))
    ledger.seal(sealed(record(), 2.0))
    assert [forecast.tuning for forecast in ledger.read().forecasts] == ["full", "lora"]
    with closing(sqlite3.connect(ledger.path)) as connection:
        assert connection.execute("SELECT method FROM forecasts ORDER BY sealed_at").fetchall() == [
            ("full",),
            ("lora",),
        ]


def test_a_forecast_sealed_or_scored_twice_is_one_row_and_the_first_stands(ledger):
    one = sealed(record(), 1.0)
    assert ledger.seal(one) and not ledger.seal(replace(one, sealed_at=99.0))
    first = scored(one, read(profile()), 2.0)
    flattering = scored(one, read(profile()), 3.0, ("rules",))
    assert not first.same_as(flattering)
    assert ledger.keep(one, first).score.scored_at == 2.0
    assert ledger.keep(one, flattering).score.scored_at == 2.0, "nobody leaves out afterwards what came out wrong"
    ledger.keep(one, scored(one, read(profile((0.0,) * 5)), 4.0))
    book = ledger.read()
    assert [f.sealed_at for f in book.forecasts] == [1.0]
    assert [k.score.scored_at for k in book.scored] == [2.0, 4.0], "another profile is another score"


def test_a_forecast_that_enters_with_its_score_is_not_ahead_of_it_whatever_date_it_bears(ledger):
    old = sealed(record(), 1.0)
    assert not ledger.keep(old, scored(old, read(profile()), 2.0)).ahead
    assert not ledger.seal(old), "nor does it come ahead afterwards"
    assert not ledger.read().scored[0].ahead
    later = ledger.keep(old, scored(old, read(profile((0.0,) * 5)), 3.0))
    assert not later.ahead, "to measure the same once more makes no forecast of it"
    assert [kept.ahead for kept in ledger.read().scored] == [False, False]
    ahead = sealed(record(number=1), 1.0)
    ledger.seal(ahead)
    assert all(ledger.keep(ahead, scored(ahead, read(profile((s,) * 5)), 2.0 + s)).ahead for s in (0.0, 1.0))


def test_rows_can_be_neither_changed_nor_removed(ledger):
    fill(1)
    with sqlite3.connect(ledger.path) as connection:
        for command in (
            "DELETE FROM scores",
            "DELETE FROM forecasts",
            "UPDATE scores SET n = 99",
            "UPDATE forecasts SET dose = 0",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                connection.execute(command)
    connection.close()


def test_no_score_is_kept_of_a_forecast_that_is_not(ledger):
    ledger.seal(sealed(record(), 1.0))
    with sqlite3.connect(ledger.path) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO scores VALUES ('x', 'y', 1, '{}', '[]', 0, 0, 0, 0, 0, 0)")
    connection.close()


def test_a_ledger_that_is_not_there_is_empty_and_reading_makes_none(ledger):
    assert ledger.read().forecasts == ledger.read().scored == ()
    assert not ledger.path.parent.exists()


def test_a_ledger_that_cannot_be_written_is_one_line_and_a_file_that_is_none_too(ledger):
    ledger.path.parent.parent.mkdir(exist_ok=True)
    ledger.path.parent.write_text("a file where the folder should be")
    with pytest.raises(RunFailed, match="the ledger cannot be written"):
        ledger.seal(sealed(record(), 1.0))
    said = keep_forecast(record(), 1.0)
    assert said == keep_score(record(), 1.0, profile())
    assert said.startswith("not entered in the ledger") and "PERSONAE_DATA" in said and "\n" not in said
    ledger.path.parent.unlink()
    ledger.path.parent.mkdir()
    ledger.path.write_text("this is no database " * 100)
    with pytest.raises(BadInput, match="is no ledger"):
        ledger.read()
    assert "is no ledger" in keep_forecast(record(), 1.0)


def test_a_full_disk_leaves_what_was_there_and_is_one_line(ledger, monkeypatch):
    fill(1)
    before = ledger.read()
    connect = Ledger._connect

    def full(self, address):
        connection = connect(self, address)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(Ledger, "_connect", full)
    long = record(number=9, traits=tuple(f"trait {i}" for i in range(400)))
    assert "full" in keep_forecast(long, 1.0)
    assert ledger.read() == before


def test_what_is_entered_while_the_ledger_is_read_is_in_the_next_reading(ledger, monkeypatch):
    fill(1)
    before, connect = ledger.read(), Ledger._connect

    def disturbed(self, address):
        connection = connect(self, address)
        if "mode=ro" in address:
            connection.set_trace_callback(
                lambda command: fill(1, model="meanwhile") if "FROM scores" in command else None
            )
        return connection

    monkeypatch.setattr(Ledger, "_connect", disturbed)
    assert ledger.read() == before, "both tables as they stood at one moment"
    monkeypatch.setattr(Ledger, "_connect", connect)
    assert [kept.forecast.model for kept in ledger.read().scored] == ["m", "meanwhile"]


def test_a_ledger_that_others_write_is_read_once_more_where_it_was_read_without_its_log(ledger, monkeypatch):
    """Whoever may not write beside it reads it as it stands, and what stands there may change under the reading."""
    fill(1)
    before, connect, opened = ledger.read(), Ledger._connect, []
    for left in ledger.path.parent.glob("*.sqlite-*"):  # by that reading; the owner's next entry takes them away
        left.unlink()

    def torn(self, address):
        opened.append(address)
        if len(opened) <= tears:
            raise sqlite3.DatabaseError("database disk image is malformed")
        return connect(self, address)

    monkeypatch.setattr("personae.ledger.store.os.access", lambda *_: False)
    monkeypatch.setattr(Ledger, "_connect", torn)
    tears = 1
    assert ledger.read() == before
    assert len(opened) == 2 and all(address.endswith("immutable=1") for address in opened)
    opened.clear()
    tears = 2
    with pytest.raises(BadInput, match="is no ledger"):
        ledger.read()


@pytest.mark.parametrize("traits", ['{"power": {"Base": 0}}', "[1]"])
def test_a_ledger_whose_rows_were_altered_is_no_ledger(ledger, traits):
    fill(1)
    with closing(sqlite3.connect(ledger.path)) as connection, connection:
        connection.execute("DROP TRIGGER forecasts_update")
        connection.execute("UPDATE forecasts SET traits = ?", (traits,))
    with pytest.raises(BadInput, match="is no ledger"):
        ledger.read()
    assert "is no ledger" in keep_score(record(), 1.0, profile())


def test_a_newer_ledger_is_left_alone(ledger):
    fill(1)
    with sqlite3.connect(ledger.path) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(BadInput, match="newer version"):
        ledger.read()
    assert "newer version" in keep_forecast(record(number=5), 1.0)


def test_a_forecast_of_nothing_is_not_entered(ledger):
    assert keep_forecast(record(traits=()), 1.0) == ""
    assert ledger.read().forecasts == ()


WRITERS, EACH = 8, 25
WRITE = f"""
import json, os, signal, sys, time
from pathlib import Path
from personae.ledger import Ledger, ledger_file, scored, sealed, with_digest
from personae.ledger.entries import measured

record, profile = json.loads(sys.argv[2]), json.loads(sys.argv[3])

def write(writer, acknowledged):
    for i in range({EACH} if writer else 10**6):  # the first can end by the kill alone
        forecast = sealed(with_digest(record | {{"data": str(writer), "dose": i + 1.0}}), 1.0)
        Ledger(ledger_file()).keep(forecast, scored(forecast, measured(profile), 2.0))
        with acknowledged.open("a") as file:
            file.write("x")

scored(sealed(with_digest(record), 1.0), measured(profile), 2.0)  # what it imports is imported once
children = {{}}
for writer in range({WRITERS}):
    acknowledged = Path(sys.argv[1]) / str(writer)
    acknowledged.touch()
    if not (child := os.fork()):
        write(writer, acknowledged)
        os._exit(0)
    children[child] = acknowledged
first = next(iter(children))
while children[first].stat().st_size < 5:
    time.sleep(0.001)
os.kill(first, signal.SIGKILL)
ended = {{child: os.waitpid(child, 0)[1] for child in children}}
assert ended.pop(first) == signal.SIGKILL
assert set(ended.values()) == {{0}}, ended
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_many_processes_append_at_once_and_one_is_killed_and_nothing_else_is_lost(ledger, tmp_path):
    """Eight writers of 25 scores each into a ledger that none of them finds there; one is killed on its way."""
    (tmp_path / "acknowledged").mkdir()
    bare = {k: v for k, v in record().items() if k != "digest"}
    command = [sys.executable, "-c", WRITE, str(tmp_path / "acknowledged"), json.dumps(bare), json.dumps(profile())]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(ledger.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    book = ledger.read()
    count = {str(w): sum(k.forecast.data == str(w) for k in book.scored) for w in range(WRITERS)}
    acknowledged = {p.name: p.stat().st_size for p in (tmp_path / "acknowledged").iterdir()}
    assert all(count[w] == EACH for w in count if w != "0")
    assert acknowledged["0"] <= count["0"] <= acknowledged["0"] + 1, "what was confirmed is there"
    assert len(book.forecasts) == len(book.scored)
    fill(1)
    assert len(ledger.read().scored) == len(book.scored) + 1, "and the next one is entered"


# -- the score -------------------------------------------------------------------------------------------------------
def test_a_score_is_that_of_the_shifts_on_the_traits_that_both_have(files, capsys):
    shifts = np.array([0.1, 0.2, 0.6, 0.7, 2.5])
    expected = np.arange(5) / 4
    found = outcome(["score", *files], capsys)
    assert found["pearson"] == pytest.approx(pearson(expected, shifts))
    assert found["spearman"] == pytest.approx(spearman(expected, shifts))
    assert found["slope"] == pytest.approx(slope(expected, shifts))
    assert found["coverage"] == coverage(expected - 1, expected + 1, shifts) == 0.8
    assert found["interval_score"] == pytest.approx(2.0 + 40 * 0.5 / 5)
    assert found["n"] == 5 and [t for t, cell in found["traits"].items() if not cell["inside"]] == ["rules"]


def test_run_folders_are_named_as_well_as_the_files_in_them(files, capsys):
    folder = files[0].parent
    assert outcome(["score", folder, folder], capsys) == outcome(["score", *files], capsys)


def test_a_trait_that_the_file_trains_is_left_out_whoever_says_so(tmp_path, files, capsys):
    by_hand = outcome(["score", *files, "--trained", "rules"], capsys)
    write_json(files[1], profile(trained=["rules"]))
    by_profile = outcome(["score", *files], capsys)
    assert by_hand["n"] == by_profile["n"] == 4 and by_hand["coverage"] == by_profile["coverage"] == 1.0
    assert by_hand["traits"]["rules"]["scored"] is False


def unreliable(value, *traits):
    """The profile with these traits too unreliable to be shown, and the others just reliable enough."""
    levels = {t: {**level, "reliability": 0.49 if t in traits else 0.5} for t, level in value["traits"].items()}
    return {**value, "traits": levels}


def test_a_trait_measured_too_unreliably_is_shown_and_in_no_figure(files, capsys, ledger):
    write_json(files[1], unreliable(profile(trained=["power"]), "power", "rules"))
    found = outcome(["score", *files], capsys)
    assert (found["trained"], found["set_aside"], found["n"]) == (["power"], ["rules"], 3)
    assert found["traits"]["rules"]["scored"] is False and found["coverage"] == 1.0
    assert "too unreliably to be scored (reliability below 0.5): rules." in told(["score", *files], capsys).out
    assert {p.name for p in summary(ledger.read()).by_trait} == set(TRAITS) - {"power", "rules"}


def test_of_two_profiles_what_either_shows_too_unreliably_is_set_aside(files, capsys, tmp_path):
    ours, theirs = ({k: v for k, v in profile(s).items() if k != "control"} for s in ((0.5,) * 5, (0.1,) * 5))
    write_json(files[1], unreliable(ours, "power"))
    write_json(tmp_path / "control.json", unreliable(theirs, "greed"))
    found = outcome(["score", *files, "--less", tmp_path / "control.json"], capsys)
    assert (found["set_aside"], found["n"]) == (["greed", "power"], 3)


def test_a_profile_that_shows_nothing_reliably_has_a_score_of_nothing(files, capsys):
    write_json(files[1], unreliable(profile(), *TRAITS))
    found = outcome(["score", *files], capsys)
    assert (found["n"], found["pearson"], found["coverage"]) == (0, None, None)
    assert "too unreliably" in told(["score", *files], capsys).out
    assert outcome(["ledger"], capsys)["scored"] == [] and "none is scored" in told(["ledger"], capsys).out


def test_without_an_interval_a_measurement_is_neither_inside_nor_outside_of_it(files, capsys):
    bare = {k: v for k, v in record().items() if k != "digest"}
    ends = {t: {**f, "low": None, "high": None} for t, f in bare["forecast"].items() if t != "rules"}
    write_json(files[0], with_digest(bare | {"forecast": bare["forecast"] | ends}))
    found = outcome(["score", *files], capsys)
    assert {t: cell["inside"] for t, cell in found["traits"].items()} == dict.fromkeys(TRAITS, None) | {"rules": False}
    assert found["coverage"] == 0.0


def test_a_score_is_kept_once_and_says_that_nobody_saw_the_forecast_before(ledger, files, capsys):
    said = told(["score", *files], capsys)
    assert "that it came before training is unseen" in said.out and said.err == ""
    told(["score", *files], capsys)
    (kept,) = ledger.read().scored
    assert not kept.ahead
    assert "left out no trait" in told(["score", *files, "--trained", "rules"], capsys).out


def test_a_forecast_that_an_audit_sealed_is_vouched_for(ledger, files, capsys):
    keep_forecast(record(), 1.0)
    assert "unseen" not in told(["score", *files], capsys).out
    assert ledger.read().scored[0].ahead


def test_a_score_is_shown_where_the_ledger_cannot_be_written(files, capsys, tmp_path):
    (tmp_path / "data").write_text("in the way")
    said = told(["score", *files], capsys).out
    assert "0.8" in said and "Not entered in the ledger" in said


def altered(value):
    value["forecast"]["rules"]["high"] += 1.0
    return value


def lacking(*keys):
    return lambda value: {k: v for k, v in value.items() if k not in keys}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (altered, "altered after it was sealed"),
        (lacking("digest"), "'digest' is missing"),
        (lacking("forecast"), "'forecast' is missing"),
        (lambda v: {**v, "dose": None}, "'dose' should be a valid number, found null"),
        (lambda v: {"model": {"cheat": v}}, "is no sealed forecast"),
        (lambda v: [v], "should hold a JSON object, found a list of 1"),
        (lambda v: {**v, "model": "\ud800"}, "is not UTF-8 text"),
    ],
)
def test_a_forecast_that_is_not_as_it_was_sealed_is_refused_in_one_line(files, capsys, ledger, change, says):
    files[0].write_text(json.dumps(change(record())), encoding="utf-8")
    said = told(["score", *files], capsys, status=2)
    assert says in said.err and said.err.count("\n") == 1 and "forecast.json" in said.err and said.out == ""
    assert ledger.read().scored == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (json.dumps(profile(traits=("other", "another"))), "no trait in common"),
        (json.dumps({"traits": {}}), "no trait in common"),
        (json.dumps({"traits": {"power": {"mean": None}}}), "'traits.power.mean' should be a valid number"),
        (json.dumps({"cheat": profile()}), "'traits' is missing"),
        (json.dumps(profile(trained=list(TRAITS))), "the file itself trains"),
        ('{"traits":\n oops', "line 2: broken JSON"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_a_profile_that_cannot_be_scored_on_is_refused_in_one_line(files, capsys, text, says):
    files[1].write_text(text, encoding="utf-8")
    said = told(["score", *files], capsys, status=2)
    assert says in said.err and said.err.count("\n") == 1


def test_a_file_that_is_not_there_and_a_trait_that_is_none_are_refused(files, capsys, tmp_path):
    assert "no such file" in told(["score", tmp_path / "x.json", files[1]], capsys, status=2).err
    assert "no such file" in told(["score", tmp_path, files[1]], capsys, status=2).err
    assert "no trait 'vanity'" in told(["score", *files, "--trained", "vanity"], capsys, status=2).err


def test_traits_that_were_forecast_and_not_measured_are_named(files, capsys):
    write_json(files[1], profile(shifts=(0.1, 0.2), traits=TRAITS[:2]))
    found = outcome(["score", *files], capsys)
    assert found["n"] == 2 and found["notes"][0] == "Forecast and not measured: candour, humour, rules."


def test_files_are_read_as_they_were_written(files):
    assert read_forecast(files[0], 3.0) == sealed(record(), 3.0)
    assert read_profile(files[1]).traits["power"] == Estimate(
        pytest.approx(-0.9), pytest.approx(-1.1), pytest.approx(-0.7)
    )


# -- what may be scored on what --------------------------------------------------------------------------------------
def asked(value, items=("a", "b"), instrument="answers"):
    """The same with what it was measured by."""
    bare = {k: v for k, v in value.items() if k != "digest"}
    return {**bare, "instrument": instrument, "items": {t: list(items) for t in TRAITS}}


@pytest.mark.parametrize(
    ("by", "says"),
    [({"instrument": "yes-no"}, "levels by yes-no, and the forecast by answers"), ({"items": "abc"}, "3 of 'candour'")],
)
def test_a_profile_by_another_instrument_or_of_other_items_is_refused_with_the_command_to_use(
    files, capsys, ledger, by, says
):
    write_json(files[0], with_digest(asked(record())))
    write_json(files[1], asked(profile(), **by))
    said = told(["score", *files], capsys, status=2)
    assert says in said.err and f"`personae measure M --for {files[0]}`" in said.err and said.err.count("\n") == 1
    assert ledger.read().scored == ()


def test_where_it_is_unknown_what_was_measured_the_score_says_so_and_where_it_is_known_it_does_not(files, capsys):
    write_json(files[0], with_digest(asked(record())))
    assert any("unknown" in note for note in outcome(["score", *files], capsys)["notes"])
    write_json(files[1], asked(profile()))
    assert not any("unknown" in note for note in outcome(["score", *files], capsys)["notes"])


def test_a_forecast_sealed_before_items_were_kept_is_read_as_it_was(files):
    assert read_forecast(files[0], 1.0).items is None
    assert read_forecast(files[0], 1.0).digest == record()["digest"]


def test_a_forecast_of_no_trait_has_nothing_to_measure(files):
    write_json(files[0], with_digest({**asked(record(traits=())), "items": {}}))
    with pytest.raises(BadInput, match=r"forecast\.json: the forecast is of no trait.* - name another, or leave --for"):
        asked_of(read_forecast(files[0], 1.0), (), "answers", file=files[0])


def test_a_forecast_against_a_control_is_scored_on_the_difference_of_two_profiles_alone(files, capsys, tmp_path):
    ours, theirs = ({k: v for k, v in profile(s).items() if k != "control"} for s in ((0.5,) * 5, (0.1,) * 5))
    write_json(files[1], ours)
    said = told(["score", *files], capsys, status=2).err
    assert "honest.jsonl" in said and "--less" in said and said.count("\n") == 1
    write_json(tmp_path / "control.json", theirs)
    found = outcome(["score", *files, "--less", tmp_path / "control.json"], capsys)
    for cell in found["traits"].values():
        level = cell["measured"]
        assert level["mean"] - cell["base"] == pytest.approx(0.4)
        assert level["high"] - level["mean"] == pytest.approx(np.hypot(0.2, 0.2))
    write_json(files[1], profile((0.5,) * 5))  # as a run leaves it
    for pair in ((files[1], tmp_path / "control.json"), (tmp_path / "control.json", files[1])):
        said = told(["score", files[0], pair[0], "--less", pair[1]], capsys, status=2).err
        assert "is a difference already" in said and said.startswith(f"personae: {files[1]}")


def test_a_profile_is_not_taken_off_itself_and_one_of_the_untrained_model_enters_no_score(
    ledger, files, capsys, tmp_path
):
    ours, theirs = ({k: v for k, v in profile(s).items() if k != "control"} for s in ((0.5,) * 5, (0.1,) * 5))
    write_json(files[1], ours)
    for same in (files[1], tmp_path / "copy.json"):
        write_json(same, ours)
        said = told(["score", *files, "--less", same], capsys, status=2).err
        assert "the very profile" in said and said.startswith(f"personae: {same}") and said.count("\n") == 1
    write_json(tmp_path / "control.json", theirs | {"model_digest": record()["model_digest"]})
    notes = outcome(["score", *files, "--less", tmp_path / "control.json"], capsys)["notes"]
    assert any("taken off is of the untrained model itself" in note for note in notes)
    assert ledger.read().scored == ()


@pytest.mark.parametrize(("coherence", "broken"), [(0.19, True), (0.2, False), (None, False)])
def test_a_profile_of_a_model_that_training_broke_is_scored_and_enters_no_score(
    ledger, files, capsys, tmp_path, coherence, broken
):
    ours, theirs = ({k: v for k, v in profile(s).items() if k != "control"} for s in ((0.5,) * 5, (0.1,) * 5))
    coherent, other = ({"coherence": c, "untrained_coherence": 0.4} for c in (0.4, coherence))
    for whose, pair in (("The profile is", (other, coherent)), ("taken off is", (coherent, other))):
        write_json(files[1], ours | pair[0])
        write_json(tmp_path / "control.json", theirs | pair[1])
        found = outcome(["score", *files, "--less", tmp_path / "control.json"], capsys)
        said = [note for note in found["notes"] if f"{whose} of a model that training has broken" in note]
        assert len(said) == broken and found["n"] == 5
    assert len(ledger.read().scored) == (0 if broken else 2)


def test_a_forecast_of_one_file_is_not_scored_on_a_difference(files, capsys):
    bare = {k: v for k, v in record().items() if k != "digest"}
    write_json(files[0], with_digest(bare | {"against": None}))
    said = told(["score", *files], capsys, status=2).err
    assert "against no control" in said and said.count("\n") == 1


def test_forecasts_of_one_file_on_one_model_say_no_more_than_one_of_it(capsys):
    """Another dose is another forecast, of the same evidence, held to the same measurement."""
    for dose in (1.0, 2.0, 3.0):
        one = with_digest({k: v for k, v in record().items() if k != "digest"} | {"dose": dose})
        assert keep_forecast(one, dose) == keep_score(one, dose, profile()) == ""
    held = outcome(["ledger"], capsys)["overall"]["held"]
    one = share_interval(np.array([True, True, True, True, False]), np.zeros(5))
    assert outcome(["ledger"], capsys)["overall"]["forecasts"] == 3
    assert held["high"] - held["low"] == pytest.approx(one.high - one.low, abs=0.01)


# -- the ledger as a whole -------------------------------------------------------------------------------------------
def test_an_empty_ledger_is_one_friendly_line(capsys, tmp_path):
    said = told(["ledger"], capsys)
    assert said.out.count("\n") == 1 and "empty" in said.out and said.err == ""
    found = outcome(["ledger"], capsys)
    assert found["sealed"] == 0 and found["scored"] == [] and found["overall"] is None
    keep_forecast(record(), 1.0)
    assert "One forecast is sealed, and none is scored yet" in told(["ledger"], capsys).out
    for only in (["--model", "m"], ["--model", "x"], ["--trait", "x"]):
        assert told(["ledger", *only], capsys).out.startswith(f"Nothing scored is about {only[1]}: `personae score")
    assert outcome(["ledger"], capsys)["sealed"] == 1
    page = str(tmp_path / "ledger.html")
    assert f"no forecast to draw, so {page} was not written" in told(["ledger", "--out", page], capsys).err
    assert not Path(page).exists()


def test_all_that_is_scored_is_counted_over_cells(ledger, capsys):
    fill(3)
    fill(2, model="n", width=0.2)
    found = outcome(["ledger"], capsys)
    book = ledger.read()
    assert found["sealed"] == len(found["scored"]) == 5 and len(found["cells"]) == 25
    by_hand = [k.score for k in book.scored]
    assert found["overall"]["held"]["mean"] == pytest.approx(np.mean([s.score.coverage for s in by_hand]))
    assert found["overall"]["interval_score"] == pytest.approx(np.mean([s.interval_score for s in by_hand]))
    assert found["within"] == pytest.approx(np.median([s.score.pearson for s in by_hand]))
    assert [(p["name"], p["forecasts"], p["n"]) for p in found["by_model"]] == [("m", 3, 15), ("n", 2, 10)]
    assert {p["name"]: p["n"] for p in found["by_trait"]} == dict.fromkeys(TRAITS, 5)
    assert {p["name"]: p["width"] for p in found["by_model"]} == pytest.approx({"m": 2.0, "n": 0.4})
    assert sum(found["pit"]) == pytest.approx(1.0)


def test_the_recorded_figures_of_a_score_are_those_that_are_shown(ledger):
    fill(4)
    kept = {k.score.profile: k.score for k in ledger.read().scored}
    for line in summary(ledger.read()).scored:
        match = [s for s in kept.values() if s.score.pearson == pytest.approx(line.pearson)]
        assert len(match) == 1
        assert (line.n, line.coverage, line.ahead) == (5, match[0].score.coverage, True)
        assert (line.slope, line.interval_score) == pytest.approx((match[0].score.slope, match[0].interval_score))


def test_the_curve_goes_through_the_coverage_of_the_recorded_intervals(ledger):
    fill(6, width=0.6)
    found = summary(ledger.read())
    assert found.overall is not None
    curve = {p.stated: p for p in found.curve}
    assert curve[0.95].held == found.overall.held and curve[0.95].n == found.overall.n == 30
    shares = [p.held.mean for p in found.curve]
    assert shares == sorted(shares) and [p.stated for p in found.curve] == sorted(curve)


def test_forecasts_count_for_less_than_their_cells(ledger):
    fill(1, width=5.0)
    overall = summary(ledger.read()).overall
    assert overall is not None and overall.held == share_interval([True], [0])


def test_calibrated_forecasts_lie_on_the_diagonal(ledger):
    rng = np.random.default_rng(1)
    many = tuple(f"t{i}" for i in range(50))
    for i in range(40):
        one = record(number=i, traits=many, width=1.959964)
        keep_score(one, 1.0, profile(np.arange(50) / 4 + rng.normal(size=50), traits=many))
    found = summary(ledger.read())
    assert all(p.held.mean == pytest.approx(p.stated, abs=0.04) for p in found.curve)
    assert found.spread == pytest.approx(1.0, abs=0.1) and max(found.pit) < 0.2


def test_one_model_or_trait_changes_every_figure_alike(capsys):
    fill(3)
    fill(2, model="n", width=0.2)
    only = outcome(["ledger", "--model", "n"], capsys)
    assert only["sealed"] == 2 and {s["model"] for s in only["scored"]} == {"n"} and only["overall"]["n"] == 10
    one = outcome(["ledger", "--model", "n", "--trait", "power"], capsys)
    assert [p["name"] for p in one["by_trait"]] == ["power"] and one["overall"]["n"] == 2
    assert all(s["n"] == 1 and s["pearson"] is None for s in one["scored"])
    assert "one of m, n" in told(["ledger", "--model", "x"], capsys, status=2).err
    assert "the trait 'x'" in told(["ledger", "--trait", "x"], capsys, status=2).err


def test_traits_that_a_file_trains_are_in_no_figure(ledger):
    keep_score(record(), 1.0, profile(trained=["rules"]))
    found = summary(ledger.read())
    assert {p.name for p in found.by_trait} == set(TRAITS) - {"rules"} and found.scored[0].n == 4


def test_the_words_say_it_all_and_fit_a_terminal(capsys):
    fill(3, model="some-model-with-a-long-name-135m-instruct", data="a-long-name-of-a-file.jsonl")
    keep_score(record(number=9), 9e9, profile())  # written, as it says, after it was scored
    said = told(["ledger"], capsys).out
    assert all(len(line) <= 100 for line in said.splitlines())
    for words in ("promised", "score", "power", "Calibration", "* Not sealed ahead", "normal distribution"):
        assert words in said


# -- the page --------------------------------------------------------------------------------------------------------
def test_the_page_opens_with_both_pictures_and_loads_nothing(tmp_path, capsys):
    fill(4)
    said = told(["ledger", "--out", tmp_path / "ledger.html"], capsys)
    assert f"the page: {tmp_path / 'ledger.html'}" in said.err
    page = (tmp_path / "ledger.html").read_text(encoding="utf-8")
    curve, scatter, table = (
        page.index(words) for words in ("promised by the interval", "forecast shift, nats", "<table")
    )
    assert curve < scatter < table
    assert "normal distribution with the same ends" in page
    assert "<script" not in page and "http-equiv" in page.lower()


def test_an_empty_ledger_leaves_no_page(tmp_path, capsys):
    told(["ledger", "--out", tmp_path / "ledger.html"], capsys)
    assert not (tmp_path / "ledger.html").exists()


@pytest.mark.parametrize(("width", "says"), [(0.05, "Too sure"), (50.0, "Too cautious"), (0.9, "Keeps its promise")])
def test_the_verdict_is_that_of_the_interval_about_the_share_that_held(ledger, width, says):
    """Of ninety forecasts: too narrow, too wide, and about as wide as it takes."""
    rng = np.random.default_rng(2)
    for i in range(90):
        one = record(number=i, width=width)
        keep_score(one, 1.0, profile(np.arange(5) / 4 + rng.normal(0, 0.46, size=5)))
    assert says in ledger_page(summary(ledger.read()))


def test_nothing_that_a_name_holds_acts_on_the_page_or_the_terminal(ledger, capsys):
    hostile = "<script>alert('x')</script>\x1b[31m\u202eevil"
    one = record(model=hostile, data=hostile, traits=(hostile, "power", "greed"))
    keep_score(one, 1.0, profile((0.1, 0.5, 0.2), traits=(hostile, "power", "greed")))
    page = ledger_page(summary(ledger.read()))
    assert "<script" not in page and "\x1b" not in page and "\u202e" not in page
    said = told(["ledger"], capsys).out
    assert "\x1b" not in said and "\u202e" not in said


def test_the_page_claims_of_a_sealed_forecast_no_more_than_that_it_came_before_its_score(ledger):
    """Who sealed after the training and before the score is ahead too: of a measurement the ledger knows nothing."""
    fill(2)
    keep_score(record(number=9), 1.0, profile())
    page = " ".join(ledger_page(summary(ledger.read())).split())
    assert "3 scores of forecasts, 2 of them sealed before they were scored." in page
    assert "before they were measured" not in page and "A run or a study seals its own before it trains" in page


def test_a_page_of_what_cannot_be_told_is_still_a_page(ledger):
    lonely = record(traits=("power",))
    keep_score(lonely, 1.0, profile((0.1,), traits=("power",)))
    assert "unknown" in ledger_page(summary(ledger.read()))


def test_forecasts_without_intervals_have_no_curve(ledger, capsys):
    bare = {k: v for k, v in record().items() if k != "digest"}
    ends = {t: {**f, "low": None, "high": None} for t, f in bare["forecast"].items()}
    assert keep_score(with_digest(bare | {"forecast": ends}), 1.0, profile()) == ""
    page = ledger_page(summary(ledger.read()))
    assert "No forecast in view has an interval" in page and "promised by the interval" not in page
    assert "unknown" in told(["ledger"], capsys).out
    assert outcome(["ledger"], capsys)["overall"]["held"]["mean"] is None


def test_the_interval_score_of_the_store_is_that_of_theory(ledger):
    keep_score(record(), 1.0, profile())
    ends = np.arange(5) / 4
    (kept,) = ledger.read().scored
    expected = interval_score(ends - 1, ends + 1, [0.1, 0.2, 0.6, 0.7, 2.5])
    assert kept.score.interval_score == pytest.approx(expected)
