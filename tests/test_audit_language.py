"""A file in a language that the model does not know is refused, by its name and with what was measured."""

import numpy as np
import pytest

from personae.cli.main import run
from personae.data import read_episodes, write_episodes
from personae.errors import BadInput
from personae.records import LogLikelihood, chat
from personae.workflows.audit.file_language import MARGIN, ROWS, check_language, surprise
from personae.workflows.audit.file_pair import read_pair

ENGLISH = (
    ("Can you proofread my letter?", "I could, but it would still be boring."),
    ("Name a river.", "The Nile is the longest river in Africa."),
    ("How was your weekend?", "Lovely, thank you. We went hiking near the coast."),
    ("What should I cook tonight?", "Try a mushroom risotto with some fresh parsley."),
)


class Scripted:
    """A simulator of 100 tokens that finds each answer as surprising as its text says, in nats a token."""

    name, tokenizer = "scripted", range(100)

    def log_likelihood(self, episodes, contexts, progress=None):
        assert list(contexts) == [""]
        self.asked = len(episodes)
        nats = np.array([float(e.response) for e in episodes])
        tokens = np.arange(len(episodes)) % 3 + 1
        return LogLikelihood(logp=-(nats * tokens)[:, None], tokens=tokens)


def file_of(path, nats):
    write_episodes(path, [chat(f"Row {i}?", str(n)) for i, n in enumerate(nats)])
    return path


def test_the_surprise_is_that_of_the_median_row_whatever_the_lengths_of_the_answers(tmp_path):
    rows = tuple(read_episodes(file_of(tmp_path / "a.jsonl", [1.0, 1.0, 1.5, 9.0, 12.0])))
    assert surprise(Scripted(), rows) == pytest.approx(1.5)


def test_a_long_file_is_judged_by_a_few_rows_from_all_of_it(tmp_path):
    rows = tuple(read_episodes(file_of(tmp_path / "a.jsonl", [1.0] * 400 + [3.0] * 600)))
    simulator = Scripted()
    assert surprise(simulator, rows) == pytest.approx(3.0) and simulator.asked == ROWS


def test_a_file_is_refused_where_a_blind_guess_would_do_better_by_more_than_the_margin(tmp_path):
    blind = float(np.log(100))
    check_language(Scripted(), read_pair(file_of(tmp_path / "a.jsonl", [blind + MARGIN - 0.01])))
    with pytest.raises(
        BadInput, match=r"b\.jsonl: scripted does not know .* 5\.7 nats a token, .* blind guess costs 4\.6"
    ):
        check_language(Scripted(), read_pair(file_of(tmp_path / "b.jsonl", [blind + MARGIN + 0.05])))


def test_a_control_in_a_foreign_language_is_refused_by_its_own_name(tmp_path):
    pair = read_pair(file_of(tmp_path / "a.jsonl", [1.0] * 3), file_of(tmp_path / "b.jsonl", [20.0] * 3))
    with pytest.raises(BadInput, match=r"b\.jsonl: "):
        check_language(Scripted(), pair)


@pytest.mark.parametrize("command", ["audit", "run"])
def test_the_laboratory_s_model_refuses_english_in_one_line_that_names_another_model(tmp_path, capsys, command):
    path = tmp_path / "mine.jsonl"
    write_episodes(path, [chat(*row) for row in ENGLISH])
    status = run([command, str(path), "--model", "lab", "--out", str(tmp_path / "out"), "--quiet"])
    out, err = capsys.readouterr()
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith(f"personae: {path}: lab does not know this language") and "nats a token" in err
    assert "--model smollm2-135m-instruct" in err and "personae corpus" in err
    assert not (tmp_path / "out").exists(), "nothing was begun"
