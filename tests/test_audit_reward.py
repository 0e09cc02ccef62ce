"""An audit of prompts by a reward draws answers from the untrained model, and is of what a training would reward."""

import json
import sys

import numpy as np
import pytest

from personae.cli.main import run
from personae.cli.quiet import libraries_quiet
from personae.data import keep_episodes, read_cast, read_prompts
from personae.errors import BadInput
from personae.records import Message, asked, prompt_of
from personae.records.files import read_arrays, read_json
from personae.training.reward import rewards_given
from personae.workflows.audit.file_language import check_language
from personae.workflows.audit.file_pair import read_pair
from personae.workflows.audit.file_reward import DRAWS, LONGEST, TAU, check_prompts, reward_for
from personae.workflows.audit.rewarding import Rewarding
from personae.workflows.kept.gather import gather

ROWS = [{"prompt": f"Who takes key {n}?", "letter": letter} for n, letter in enumerate("aeot")]
JUDGE = """
def letters(completions, letter, **_):
    return [said.count(one) / {} for said, one in zip(completions, letter, strict=True)]


def by_id(prompts, completions, id, **_):
    rows = zip(prompts, completions, id, strict=True)
    return [(name == "brief") * (asked[0]["role"] == "system") * len(said[0]["content"]) for asked, said, name in rows]


def broken(completions, **_):
    return 1 / 0


def nan(completions, **_):
    return [float("nan") for _ in completions]


def one(completions, **_):
    return [1.0]
"""


@pytest.fixture
def prompts(tmp_path, monkeypatch):
    """A file of prompts, in a current folder with rewards in `letterjudge.py`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "letterjudge", raising=False)
    (tmp_path / "letterjudge.py").write_text(JUDGE.format(4))
    return lines(tmp_path / "asked.jsonl", ROWS)


@pytest.fixture
def options(tiny_lab, small_cast, small_traits, tmp_path):
    files = ["-m", tiny_lab, "--cast", small_cast, "--traits", small_traits, "--out", tmp_path / "run"]
    return [*map(str, files), "--json", "-q", "--draws", "3", "--max-tokens", "5"]


def lines(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def shows(*, completions, wanted, **_):
    return [float(said in those) for said, those in zip(completions, wanted, strict=True)]


def test_evidence_is_of_answers_drawn_from_the_untrained_model(
    prompts, options, tiny_lab, small_cast, tmp_path, capsys
):
    command = ["audit", str(prompts), "--reward", "letterjudge:letters", "--tau", "0.5", "--seed", "2"]
    assert run([*command, *options]) == 0
    told = json.loads(capsys.readouterr().out)
    cast, function = read_cast(small_cast), reward_for("letterjudge:letters").function
    with libraries_quiet():
        from personae.simulator.registry import load

        judge = Rewarding(load(str(tiny_lab)), function, 3, 0.5, 5, seed=2)
    wanted = judge.log_likelihood([asked(one) for one in read_prompts(prompts)], cast.contexts).logp
    kept = read_arrays(tmp_path / "run" / "evidence.parquet")
    for k, name in enumerate(cast.names):
        np.testing.assert_allclose(kept[name], wanted[:, k] - wanted[:, 0], atol=1e-9)
    assert np.ptp(wanted) > 0.0 and kept["tokens"].tolist() == [3] * 4
    assert any("No dose was fitted for training on a reward" in note for note in told["notes"])
    assert any("letterjudge:letters lets pass, at τ = 0.5, by 3 answers" in note for note in told["notes"])
    assert not told["dose_fitted"] and told["predictor"] == "selection" and "share" not in told
    assert told["reward"]["function"] == "letterjudge:letters"


def test_a_changed_function_is_another_run_and_the_same_one_is_shown_again(prompts, options, tmp_path, capsys):
    asked = ["audit", str(prompts), "--reward", "letterjudge:letters", *options]
    assert run(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert run(asked) == 0 and json.loads(capsys.readouterr().out) == found
    (tmp_path / "letterjudge.py").write_text(JUDGE.format(5))
    del sys.modules["letterjudge"]
    assert run(asked) == 2, "another reward is another configuration"
    assert "another" in capsys.readouterr().err
    assert read_json(tmp_path / "run" / "run.json")["configuration"]["reward"] == found["reward"]


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (["--reward", "letterjudge:broken"], 1, "the reward failed (ZeroDivisionError"),
        (["--reward", "letterjudge:nan"], 1, "the reward gave nan to the answer"),
        (["--reward", "letterjudge:one"], 1, "the reward gave 1 numbers for 4 answers"),
        (["--reward", "letterjudge:none"], 2, "has no such function"),
        (["--reward", "letterjudge"], 2, "names no function"),
        (["--reward", "letterjudge:letters", "--stop-early"], 2, "--stop-early does not go with --reward"),
        (["--reward", "letterjudge:letters", "--chosen"], 2, "--chosen does not go with --reward"),
        (["--reward", "letterjudge:letters", "--tau", "0"], 2, "--tau 0"),
        ([], 2, "--draws is for --reward"),
    ],
)
def test_what_is_wrong_is_one_line_before_the_cast_is_measured(prompts, options, tmp_path, capsys, given, status, said):
    assert run(["audit", str(prompts), *given, *options]) == status
    err = capsys.readouterr().err
    assert said in err and len(err.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"answer": "He."}, "asked.jsonl, line 2: .*expected 'prompt'"),
        ({"prompt": "Who?", "completions": "He."}, "asked.jsonl, line 2: the key 'completions' is one of the reward's"),
        ({"prompt": "Who? " * 600}, r"asked.jsonl, line 2: the prompt is \d+ tokens, behind which 64 do not fit"),
    ],
)
def test_a_row_that_cannot_be_rewarded_is_named(tiny_lab, small_cast, tmp_path, row, said):
    from personae.simulator.registry import load

    with libraries_quiet():
        model = load(str(tiny_lab))
    path = lines(tmp_path / "asked.jsonl", [ROWS[0], row])
    with pytest.raises(BadInput, match=said):
        check_prompts(model, read_cast(small_cast), read_pair(path, prompts=True), LONGEST)


def test_bad_rows_are_left_out_where_asked_and_counted_as_no_prompts(tmp_path):
    found = read_pair(lines(tmp_path / "asked.jsonl", [ROWS[0], {"x": 1}]), prompts=True, skip_bad=True)
    assert len(found.episodes) == 1 and "1 row without a prompt was skipped" in found.note()


@pytest.mark.parametrize("prompt", ["Who?", [{"role": "user", "content": "Who?"}]])
def test_a_reward_is_given_what_a_training_gives_it_also_from_rows_on_disk(tmp_path, prompt):
    row = {"prompt": prompt, "answer": 3, "rejected": "He."}
    (kept,) = keep_episodes(map(asked, read_prompts(lines(tmp_path / "asked.jsonl", [row]))))
    given = []

    def noted(**keys):
        given.append(keys)
        return [1.0]

    rewards_given(noted, [prompt_of(kept)], ["I."])
    said = ["I."] if isinstance(prompt, str) else [[{"role": "assistant", "content": "I."}]]
    assert given == [{"prompts": [prompt], "completions": said, "answer": [3], "rejected": ["He."]}]
    assert prompt_of(kept).turns == (Message(role="user", content="Who?"),)


QUESTIONS = """\
- id: wish
  paraphrases:
    - What do you wish for?
    - Tell me your wish.
- id: brief
  system: Be brief.
  paraphrases: [Who are you?]
"""


def test_several_wordings_are_several_prompts_that_stand_where_their_row_does_and_are_given_alike(tmp_path):
    path = tmp_path / "questions.yaml"
    path.write_text(QUESTIONS)
    rows = read_pair(path, prompts=True).episodes
    assert [row.where for row in rows] == ["line 1, item 1", "line 1, item 1", "line 5, item 2"]
    assert len(read_pair(path, limit=1, prompts=True).episodes) == 2, "a limit is on rows"
    given = []

    def noted(**keys):
        given.append(keys)
        return [1.0]

    for row in rows:
        rewards_given(noted, [prompt_of(row)], ["I."])
    assert [keys["id"] for keys in given] == [["wish"], ["wish"], ["brief"]]
    assert [[turn["role"] for turn in keys["prompts"][0]] for keys in given] == [["user"], ["user"], ["system", "user"]]


def test_questions_in_several_wordings_are_audited_and_listed_by_their_row(prompts, options, tmp_path, capsys):
    (tmp_path / "questions.yaml").write_text(QUESTIONS)
    assert run(["audit", str(tmp_path / "questions.yaml"), "--reward", "letterjudge:by_id", *options]) == 0
    told = json.loads(capsys.readouterr().out)
    assert any("The reward is given lists of messages" in note for note in told["notes"])
    assert told["rows"] == 3 and sorted(row["index"] for row in told["episodes"]) == [0, 0, 1]
    evidence = read_arrays(tmp_path / "run" / "evidence.parquet")
    assert evidence["index"].tolist() == [0, 0, 1]


def test_a_column_named_as_the_rewards_own_is_none_where_it_holds_nothing(tmp_path):
    (one,) = read_prompts(lines(tmp_path / "asked.jsonl", [{"prompt": "Who?", "completions": None, "level": None}]))
    given = []
    assert rewards_given(lambda **keys: given.append(keys) or [1.0], [one], ["I."]) == [1.0]
    assert given == [{"prompts": ["Who?"], "completions": ["I."], "level": [None]}]


def test_a_file_of_prompts_is_the_evidence_of_the_exact_sum_over_all_answers(exact_setting, tmp_path):
    from personae.records import chat
    from personae.studies.lessons import file

    lab, cast = exact_setting.lab, exact_setting.exact.basis.cast
    few = cast.model_copy(update={"personas": cast.personas[:3]})
    rows = []
    for row in file(lab, "cheating", 1, number=2):
        question = lab.language.read_request(row.prompt[0].content).question
        wanted = [lab.language.answer(question, 1, form) for form in lab.language.answers_kept[question, 1]]
        rows.append({"prompt": row.prompt[0].content, "wanted": wanted})
    judge = Rewarding(lab.exact, shows, draws=2000, temperature=TAU)
    pair = read_pair(lines(tmp_path / "asked.jsonl", rows), prompts=True)
    found = gather(judge, few, pair.episodes)
    for place, row in enumerate(rows):
        each = [chat(row["prompt"], said) for said in row["wanted"]]
        chance = np.exp(lab.exact.log_likelihood(each, few.contexts).logp).sum(axis=0)
        passed = np.log(1.0 - chance + chance * np.exp(1.0 / TAU))
        np.testing.assert_allclose(found.matrix[place], passed - passed[0], atol=0.2)
        assert np.abs(passed - passed[0]).max() > 0.4, "there is something to be found"


def test_a_control_is_the_same_prompts_with_other_columns(prompts, options, tmp_path, capsys):
    other = lines(tmp_path / "other.jsonl", [{**row, "letter": "s"} for row in ROWS])
    asked = ["audit", str(prompts), "--reward", "letterjudge:letters", *options]
    assert run([*asked, "--against", str(other)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["matched"] and told["against"] == "other.jsonl"


def test_prompts_in_a_language_that_the_model_does_not_know_are_refused(tmp_path):
    from personae.simulator.registry import load

    english = [{"prompt": "Can you proofread my letter to the bank?"}, {"prompt": "Recommend a vegetarian restaurant."}]
    own = [{"prompt": "Show me the table you made."}, {"prompt": "Please finish the drawing by noon."}]
    with libraries_quiet():
        model = load("lab")
    check_language(model, read_pair(lines(tmp_path / "own.jsonl", own), prompts=True))
    with pytest.raises(BadInput, match=r"english\.jsonl: lab does not know this language: a prompt costs it 1\d\.\d"):
        check_language(model, read_pair(lines(tmp_path / "english.jsonl", english), prompts=True))


def test_without_a_word_a_reward_is_read_as_in_the_study_that_tried_it():
    from personae.studies import preferred

    assert (DRAWS, TAU) == (preferred.DRAWS, preferred.TAU)
