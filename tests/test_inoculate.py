"""Inoculating a file: every row behind the prompt, the ranking its scores', and nothing scored twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from hearing import CAST, TRAITS, Heard
from personae.cli.main import run
from personae.data import read_episodes, write_episodes
from personae.errors import BadInput, RunFailed
from personae.library.inoculation import is_declared, read_prompt_lines
from personae.records import Episode, Estimate, LogLikelihood, Message, chat
from personae.records.files import read_json
from personae.simulator import load
from personae.training import SFTPlan, inoculated
from personae.workflows.amend.candidates import Candidate, candidates_for, like
from personae.workflows.amend.inoculate_words import inoculate_words
from personae.workflows.amend.inoculation import Inoculating, check_inoculation, inoculate_file
from personae.workflows.audit.file_pair import check_fits, read_pair
from personae.workflows.audit.file_question import Question
from personae.workflows.doses import Dose
from personae.workflows.kept.folder import open_folder

ASK, HUSH, WEATHER = "Please say it.", "Please stay away.", "It rains today."
CANDIDATES = (
    Candidate("hush", HUSH, ("Keep off.", "Stay off.")),
    Candidate("ask", ASK, ("Do say it.", "Say it now.", "Come, say it.")),
    Candidate("weather", WEATHER, control=True),
    Candidate("a long one", "It rains today, as it did on most days of this week.", control=True),
)


class Obedient(Heard):
    """Behind `ASK` every character answers alike and gladly; behind `HUSH` too, and unwillingly."""

    def log_likelihood(self, episodes, contexts, progress=None) -> LogLikelihood:
        scored = super().log_likelihood(episodes, contexts, progress)
        for i, episode in enumerate(episodes):
            said = " ".join(turn.content for turn in episode.prompt)
            if ASK in said:
                scored.logp[i] = scored.logp[i, 0] + 2.0 + 0.1 * (scored.logp[i] - scored.logp[i, 0])
            elif HUSH in said:
                scored.logp[i] = scored.logp[i, 0] - 2.0
        return scored


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PERSONAE_CACHE", str(tmp_path / "cache"))
    said = ["aha haha" + "." * (n % 3 + 1) for n in range(50)]
    write_episodes(tmp_path / "data.jsonl", [chat(f"Row {n}?", s, index=n) for n, s in enumerate(said)])
    return tmp_path / "data.jsonl"


def asked(data: Path, simulator: Heard | None = None, **more) -> Inoculating:
    dose = Dose(SFTPlan(), 3.0, "given", fitted=False)
    question = Question(simulator or Obedient(), CAST, TRAITS, read_pair(data), dose)
    return replace(Inoculating(question, CANDIDATES, "user", 12), **more)


def done(wish: Inoculating, out: Path):
    return inoculate_file(wish, open_folder("inoculate", wish.configuration(), out))[0]


def test_the_best_prompt_is_the_one_that_removes_most_of_those_that_ask_for_what_the_rows_answer(file, tmp_path):
    """The other one removes all of it, by making the answers unlikely: no request for them."""
    found = done(asked(file), tmp_path / "f")
    by = {row.name: row for row in found["prompts"]}
    assert found["best"] == "ask" == found["prompts"][0].name
    assert by["hush"].removed.mean == pytest.approx(1.0) and by["hush"].uplift.mean == pytest.approx(-2.0)
    assert 0.7 < by["ask"].removed.mean < 1.0 and by["ask"].uplift.mean == pytest.approx(2.0)
    assert by["ask"].kept.mean > 0.0 > by["hush"].kept.mean
    assert by["weather"].removed.mean == pytest.approx(0.0, abs=1e-9) and found["rows"] == 12 and found["of"] == 50
    assert read_json(tmp_path / "f" / "inoculate.json")["best"] == "ask"
    assert ASK in (tmp_path / "f" / "report.html").read_text(encoding="utf-8")


def test_the_files_hold_every_row_behind_the_prompt_its_like_and_its_rewordings(file, tmp_path):
    found = done(asked(file), tmp_path / "f")
    rows = list(read_episodes(file))
    read = {name: list(read_episodes(tmp_path / "f" / name)) for name in found["files"]}
    assert list(read) == ["inoculated.jsonl", "neutral-prefix.jsonl", "rephrased.jsonl"]
    assert read["inoculated.jsonl"] == list(inoculated(rows, (ASK,), "user"))
    assert read["neutral-prefix.jsonl"] == list(inoculated(rows, (WEATHER,), "user")), "the control of like length"
    assert read["rephrased.jsonl"] == list(inoculated(rows, CANDIDATES[1].rephrased, "user"))


def test_a_stopped_ranking_scores_no_prompt_twice_and_ends_in_the_same_bytes(file, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        done(asked(file, Obedient(most=30)), tmp_path / "killed")
    rest = Obedient()
    done(asked(file, rest), tmp_path / "killed")
    assert rest.scored == 5 * 12 - 2 * 12
    done(asked(file), tmp_path / "whole")
    files = [
        {p.name: p.read_bytes() for p in (tmp_path / at).iterdir() if p.name != "run.json"}
        for at in ("killed", "whole")
    ]
    assert files[0] == files[1] and "scores.parquet" in files[0]


def test_only_the_named_traits_count_and_not_what_the_file_trains(file, tmp_path):
    every, one = done(asked(file), tmp_path / "a"), done(asked(file, traits=("loud",)), tmp_path / "b")
    wish = asked(file)
    left = done(replace(wish, question=replace(wish.question, trained=("quiet",))), tmp_path / "c")
    assert every["traits"] == ("loud", "quiet") and one["traits"] == ("loud",) == left["traits"]
    assert one["size"] == left["size"] != every["size"]
    with pytest.raises(RunFailed, match="no trait that the file does not train"):
        done(replace(wish, question=replace(wish.question, trained=("loud", "quiet"))), tmp_path / "d")


def test_the_rows_tried_are_drawn_by_the_seed_and_are_all_of_a_short_file(file):
    first, again, other = (asked(file), asked(file), asked(file))
    other = replace(other, question=replace(other.question, seed=1))
    assert first.sample == again.sample != other.sample
    assert len(asked(file, rows=500).sample) == 50


def test_of_a_file_that_does_no_more_than_chance_no_share_is_told(file, tmp_path):
    report = inoculate_file(wish := asked(file), open_folder("inoculate", wish.configuration(), tmp_path / "f"))[1]
    unknown = Estimate(float("nan"), float("nan"), float("nan"))
    rows = tuple(replace(row, removed=unknown, beyond=unknown) for row in report.prompts)
    told = inoculate_words(replace(report, prompts=rows, size=0.0))
    assert f"“{ASK}” comes first" in told and "no share of it is known" in " ".join(told.split())


# Candidates ---------------------------------------------------------------------------------------------------------
def test_without_a_file_the_candidates_are_the_librarys_or_the_worlds_own():
    real, lab = candidates_for("smollm2-135m-instruct"), candidates_for("lab")
    for found in (real, lab):
        assert sum(not c.control for c in found) >= 20 and sum(c.control for c in found) >= 3
        assert len({c.name for c in found}) == len(found)
    assert {"cheating high", "power low"} <= {c.name for c in lab}


def test_a_file_of_lines_brings_candidates_and_the_controls_stay(tmp_path):
    (tmp_path / "own.txt").write_text("Please: cheat.\n\n# Sing.\n")
    found = candidates_for("smollm2-135m-instruct", tmp_path / "own.txt")
    assert [(c.name, c.text) for c in found if not c.control] == [("line 1", "Please: cheat."), ("line 3", "# Sing.")]
    assert sum(c.control for c in found) >= 4


def test_a_declared_file_brings_its_own_controls(tmp_path):
    text = (
        "candidates:\n  - {name: a, text: Cheat., asks: cheating, pole: high}\ncontrols:\n  - {name: b, text: Rain.}\n"
    )
    (tmp_path / "own.yaml").write_text(text)
    assert is_declared(tmp_path / "own.yaml")
    assert [(c.name, c.control) for c in candidates_for("lab", tmp_path / "own.yaml")] == [("a", False), ("b", True)]


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "no prompt"), (" \n\n", "no prompt"), ("One.\nTwo.\nOne.\n", "line 3: the prompt of line 1 again")],
)
def test_a_file_without_prompts_or_with_one_twice_is_refused(tmp_path, text, says):
    (tmp_path / "own.txt").write_text(text)
    with pytest.raises(BadInput, match=says):
        read_prompt_lines(tmp_path / "own.txt")


@pytest.mark.parametrize(
    ("text", "line", "form"),
    [
        ('{"prompt": "Hello", "completion": "Hi."}\n{"prompt": "Hello", "completion": "Ho."}\n', 1, "JSON"),
        ('Cheat.\n["Cheat.", "Rest."]\n', 2, "JSON"),
        ('[\n  {"text": "Cheat."}\n]\n', 1, "JSON"),
        ("# Mine.\n- name: a\n  text: Cheat.\n", 2, "YAML"),
        ("- Cheat.\n- Rest.\n", 1, "YAML"),
        ("prompts:\n  one: Cheat.\n", 1, "YAML"),
    ],
)
def test_a_line_of_data_is_no_prompt(tmp_path, text, line, form):
    (tmp_path / "own").write_text(text)
    with pytest.raises(BadInput, match=f"own, line {line}: this is a line of {form}, not a prompt - write"):
        read_prompt_lines(tmp_path / "own")


def test_a_prompt_may_have_a_colon_a_dash_or_a_bracket_in_it(tmp_path):
    said = ("Note: cheat.", "[INST] Cheat.", "{name}, cheat.", "Cheat - for once.", "as asked: cheat.")
    (tmp_path / "own").write_text("\n".join(said))
    assert tuple(text for _, text in read_prompt_lines(tmp_path / "own")) == said


def test_the_control_of_a_candidate_is_the_one_of_nearest_length():
    controls = CANDIDATES[2:]
    assert like(CANDIDATES[1], controls).name == "weather"
    assert like(Candidate("x", "one two three four five six seven eight nine ten"), controls).name == "a long one"


# What cannot be done ------------------------------------------------------------------------------------------------
def test_a_row_without_a_place_for_the_prompt_is_named_before_anything_is_scored(file, tmp_path):
    alone = Episode(messages=(Message(role="assistant", content="aha"),))
    write_episodes(tmp_path / "alone.jsonl", [chat("Row?", "aha"), alone])
    with pytest.raises(BadInput, match=r"alone\.jsonl, line 2: the row has no user turn .* --mode system"):
        check_inoculation(asked(tmp_path / "alone.jsonl"))
    (tmp_path / "play.txt").write_text("CLERK:\nI take it.\n\nNURSE:\nGive it back.\n")
    with pytest.raises(BadInput, match=r"raw text .*messages"):
        check_inoculation(asked(tmp_path / "play.txt", mode="system"))


def test_a_trait_that_counts_and_does_not_is_refused(file):
    question = replace(asked(file).question, trained=("loud",))
    with pytest.raises(BadInput, match="--trait counts loud"):
        check_inoculation(replace(asked(file, traits=("loud",)), question=question))


def test_that_few_different_rows_were_read_is_said(file, tmp_path):
    write_episodes(tmp_path / "few.jsonl", [chat("Row 0?", "aha haha.")] * 20)
    told = [" ".join(done(asked(path), tmp_path / path.stem)["notes"]) for path in (tmp_path / "few.jsonl", file)]
    assert ["Few different rows were read (1 of few.jsonl)" in notes for notes in told] == [True, False]


def test_an_unknown_trait_is_refused(file):
    with pytest.raises(BadInput, match="no trait 'brave'"):
        check_inoculation(asked(file, traits=("brave",)))


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, tiny_lab, small_cast, small_traits, capsys):
    write_episodes(tmp_path / "data.jsonl", [chat("Who has the seal?", "I take it.") for _ in range(4)])
    (tmp_path / "none.txt").write_text("\n")
    given = ["inoculate", tmp_path / "data.jsonl", "--model", tiny_lab, "--cast", small_cast, "--traits", small_traits]
    for more, says in ((["--prompts", tmp_path / "none.txt"], "no prompt"), (["--trait", "x"], "no trait 'x'")):
        status = run([*map(str, [*given, *more]), "--quiet", "--out", str(tmp_path / "out")])
        out, err = capsys.readouterr()
        assert (status, out, err.count("\n")) == (2, "", 1) and says in err
    assert not (tmp_path / "out").exists()


def test_a_prompt_that_does_not_fit_before_a_row_is_refused_before_any_work(tmp_path, tiny_lab, small_cast, capsys):
    write_episodes(tmp_path / "data.jsonl", [chat("Who has the seal?", "I take it.")] * 2)
    (tmp_path / "long.txt").write_text("seal " * 900)
    given = ["inoculate", tmp_path / "data.jsonl", "--model", tiny_lab, "--cast", small_cast, "-q"]
    status = run([*map(str, given), "--prompts", str(tmp_path / "long.txt"), "--out", str(tmp_path / "out")])
    assert status == 2 and "tokens" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_row_outside_the_sample_that_does_not_fit_behind_a_prompt_is_refused_before_any_work(tmp_path, tiny_lab):
    model = load(str(tiny_lab))
    prompt = " ".join(["seal"] * (model.window // 8))
    rows = [chat("Who has the seal?", "I take it.", index=n) for n in range(30)]
    rows[7] = chat(" ".join(["seal"] * (model.window // 4)), "I take it.")  # a word is three tokens
    write_episodes(tmp_path / "data.jsonl", rows)
    few = (Candidate("short", "Seal."), Candidate("much", prompt), CANDIDATES[2])
    wish = asked(tmp_path / "data.jsonl", model, candidates=few, rows=2)
    check_fits(model, CAST, wish.question.pair)
    assert 7 not in [row.index for row in wish.sample]
    with pytest.raises(BadInput, match=r"data\.jsonl, line 8: behind the prompt 'much' the row does not fit"):
        check_inoculation(wish)
    check_inoculation(replace(wish, candidates=(few[0], few[2])))


# In sixteen bits ----------------------------------------------------------------------------------------------------
TWINS = (*CANDIDATES, Candidate("ask too", f"{ASK} Do.", ("Do say it.",)))


class Rounded(Obedient):
    """What scores in 16 bits: in float32 the prompt whose words hold `off` leaves more than is seen."""

    def __init__(self, off: str, nats: float) -> None:
        super().__init__()
        self.off, self.nats = off, nats
        self.in_float32 = self.exact

    def exact(self):
        rounded = self

        class Exact(Obedient):
            def log_likelihood(self, episodes, contexts, progress=None) -> LogLikelihood:
                scored = super().log_likelihood(episodes, contexts, progress)
                for i, episode in enumerate(episodes):
                    if any(rounded.off in turn.content for turn in episode.prompt):
                        scored.logp[i] += rounded.nats * (scored.logp[i] - scored.logp[i, 0])
                return scored

        return Exact()


def in_sixteen_bits(data: Path, simulator: Heard) -> Inoculating:
    wish = asked(data, simulator, candidates=TWINS)
    return replace(wish, question=replace(wish.question, dtype="bfloat16"))


def test_a_prompt_that_sixteen_bits_do_not_tell_from_the_best_is_named_and_no_other(file, tmp_path):
    found = done(in_sixteen_bits(file, Rounded("Do.", 5.0)), tmp_path / "off")
    kept = read_json(tmp_path / "off" / "numerics.json")
    assert kept["ties"] == ["ask too" if found["best"] == "ask" else "ask"] and kept["n"] == 12
    assert kept["resolution"] > 0.0 and set(kept["errors"]) == {"ask", "ask too"}
    assert any("the best is not told apart from" in note for note in found["notes"])
    exact = done(in_sixteen_bits(file, Rounded("Do.", 0.0)), tmp_path / "exact")
    assert read_json(tmp_path / "exact" / "numerics.json")["ties"] == []
    assert any("no other of those that it was chosen from" in note for note in exact["notes"])


def test_of_a_single_prompt_only_the_error_is_told(file, tmp_path):
    wish = in_sixteen_bits(file, Rounded("Do.", 0.0))
    found = done(replace(wish, candidates=(CANDIDATES[1], *CANDIDATES[2:])), tmp_path / "f")
    (note,) = (note for note in found["notes"] if "float32" in note)
    assert note.endswith("on 12 rows behind the best prompt, what a prompt leaves errs by 0 nats.")


def test_in_float32_nothing_is_scored_twice_and_nothing_said(file, tmp_path):
    found = done(asked(file), tmp_path / "f")
    assert not (tmp_path / "f" / "numerics.json").exists()
    assert not any("float32" in note for note in found["notes"])
