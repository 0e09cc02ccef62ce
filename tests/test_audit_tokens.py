"""An audit by token: what the tokens of an answer say adds up to its evidence, and a partner shows where it differs."""

from pathlib import Path

import numpy as np
import pytest

from personae.cli.main import run as personae
from personae.data import write_episodes
from personae.records import ByToken, chat
from personae.records.files import read_json, write_json
from personae.simulator.choosing import choosing
from personae.simulator.pieces import pieces
from personae.training import SFTPlan
from personae.workflows.audit.file_audit import audit_file
from personae.workflows.audit.file_pair import read_pair
from personae.workflows.audit.file_question import Question
from personae.workflows.audit.file_words import audit_words
from personae.workflows.doses import Dose
from personae.workflows.kept.folder import open_folder
from personae.workflows.kept.gather import read_evidence
from personae.workflows.nouns_for import nouns
from personae.world import ExactSimulator, declared
from tiny_models import byte_tokenizer, tiny

ENDS = [("seal", "map"), ("key", "purse"), ("seal", "purse")]


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERSONAE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def model():
    return tiny()


@pytest.fixture(scope="module")
def checkpoint(model, tmp_path_factory) -> Path:
    """The same model as a folder."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model.model.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """Two files whose answers to the same prompts differ in one word, and a third with prompts of its own."""
    folder = tmp_path_factory.mktemp("files")
    for name, side in (("ours", 0), ("theirs", 1)):
        rows = [chat(f"What about row {n}?", f"I take the {word[side]} then.") for n, word in enumerate(ENDS)]
        write_episodes(folder / f"{name}.jsonl", rows)
    write_episodes(folder / "others.jsonl", [chat(f"And row {n}?", "I give it back.") for n in range(3)])
    return folder


@pytest.fixture(scope="module")
def asked(model, files, small_cast, small_traits):
    cast, traits = nouns("tiny", small_cast, small_traits, lambda _: None)

    def question(against: str = "", **settings) -> Question:
        pair = read_pair(files / "ours.jsonl", files / f"{against}.jsonl" if against else None, **settings)
        return Question(model, cast, traits, pair, Dose(SFTPlan(), 3.0, "given", fitted=False))

    return question


def audited(question: Question, path: Path):
    return audit_file(question, open_folder("audit", question.configuration(), path))


def test_the_tokens_of_a_row_add_up_to_its_evidence_for_the_persona_that_it_raises_most(asked, tmp_path):
    question = asked()
    audited(question, tmp_path)
    matrix = read_evidence(tmp_path / "evidence.parquet", question.cast).matrix
    rows = read_json(tmp_path / "tokens.json")["rows"]
    assert rows
    for row in rows:
        own = matrix[row["place"]]
        assert question.cast.names[int(own.argmax())] == row["persona"]
        assert sum(row["answer"]["nats"]) == pytest.approx(own.max(), abs=1e-4)
        assert "".join(row["answer"]["texts"]).strip() == question.pair.episodes[row["place"]].response
        assert "control" not in row


def test_beside_a_matched_control_both_sides_add_up_and_only_the_word_that_differs_is_unlike(asked, tmp_path):
    question = asked("theirs")
    found = audited(question, tmp_path)
    kept = read_json(tmp_path / "tokens.json")
    names = ("evidence.parquet", "evidence-control.parquet")
    sides = [read_evidence(tmp_path / name, question.cast).matrix for name in names]
    assert kept["rows"]
    for row in kept["rows"]:
        persona = question.cast.names.index(row["persona"])
        for matrix, side, mine in zip(sides, ("answer", "control"), (0, 1), strict=True):
            told = row[side]
            assert sum(told["nats"]) == pytest.approx(matrix[row["place"], persona], abs=1e-4)
            first, last = told["unlike"]
            assert "".join(told["texts"][first:last]).strip() in ENDS[row["place"]][mine]
        assert row["answer"]["ids"][:first] == row["control"]["ids"][:first]
        assert row["answer"]["nats"][:first] == pytest.approx(row["control"]["nats"][:first], abs=1e-4)
    apart = kept["apart"]
    assert apart["on"] + apart["after"] == pytest.approx(1.0, abs=1e-3)
    assert apart["unlike"] < apart["tokens"]
    assert "are unlike the control’s" in audit_words(found)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Answered in theirs.jsonl" in page and 'unlike"' in page


def test_the_tokens_are_kept_and_are_the_same_bytes_again(asked, tmp_path, monkeypatch):
    question = asked("theirs")
    first = audited(question, tmp_path / "a")
    audited(question, tmp_path / "b")
    read = [(tmp_path / name / "tokens.json").read_bytes() for name in "ab"]
    assert read[0] == read[1]
    monkeypatch.setattr(type(question.simulator), "by_token", lambda *_: pytest.fail("scored anew"))
    again = audited(question, tmp_path / "a")
    assert again.placement == first.placement
    assert again.record == first.record


def test_what_is_kept_of_other_rows_than_the_most_telling_is_scored_anew(asked, tmp_path):
    first = audited(asked("theirs"), tmp_path)
    kept = read_json(tmp_path / "tokens.json")
    write_json(tmp_path / "tokens.json", kept | {"rows": [row | {"place": 900 + row["place"]} for row in kept["rows"]]})
    assert audited(asked("theirs"), tmp_path).placement == first.placement
    assert read_json(tmp_path / "tokens.json") == kept


def test_a_control_of_other_prompts_has_no_row_beside_it(asked, tmp_path):
    audited(asked("others"), tmp_path)
    kept = read_json(tmp_path / "tokens.json")
    assert kept["apart"] is None and not any("control" in row for row in kept["rows"])
    assert "lies on no token" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_what_tells_no_scores_by_token_has_no_such_part(model, asked, tmp_path):
    assert isinstance(model, ByToken)
    for judge in (choosing(model), ExactSimulator(declared())):
        assert not isinstance(judge, ByToken)
    rows = '{"prompt": "Row?", "chosen": "I take the seal.", "rejected": "I take the map."}\n' * 3
    (tmp_path / "pairs.jsonl").write_text(rows)
    question = asked()
    pairs = read_pair(tmp_path / "pairs.jsonl", choices=True)
    chosen = Question(model, question.cast, question.traits, pairs, question.dose)
    found = audited(chosen, tmp_path / "run")
    assert found.placement is None and not (tmp_path / "run" / "tokens.json").exists()
    assert "Where in an answer" not in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_a_row_whose_tokens_change_with_the_context_is_left_out(asked, tmp_path, monkeypatch):
    question = asked()
    encode = question.simulator.dialogue.encode

    def cut(episode, context="", **settings):
        found = encode(episode, context, **settings)
        return found._replace(start=found.start + (context == question.cast.neutral and episode.index == 0))

    audited(question, tmp_path / "whole")
    (tmp_path / "whole" / "tokens.json").unlink()
    monkeypatch.setattr(question.simulator.dialogue, "encode", cut)
    audited(question, tmp_path / "whole")
    kept = read_json(tmp_path / "whole" / "tokens.json")
    assert 0 not in [row["place"] for row in kept["rows"]] and kept["left_out"] == 1
    assert "1 answer is not told by token" in (tmp_path / "whole" / "report.html").read_text(encoding="utf-8")


def test_the_record_of_an_audit_says_nothing_of_tokens(asked, tmp_path):
    assert "tokens" not in " ".join(audited(asked("theirs"), tmp_path).record)


@pytest.mark.parametrize("text", ["plain words", "naïve – 漢字 🙂 end", "line\n\nbreak  two spaces", " lead"])
def test_the_pieces_of_a_text_add_up_to_it_whatever_characters_they_cut(text):
    tokenizer = byte_tokenizer()
    ids = tokenizer("before:" + text + "<end>", add_special_tokens=False)["input_ids"]
    start = len(tokenizer("before:", add_special_tokens=False)["input_ids"])
    found = pieces(tokenizer, ids, start)
    assert len(found) == len(ids) - start
    assert "".join(found) == text
    assert found[-1] == ""
    assert "\ufffd" not in "".join(found)


def test_the_command_leaves_the_tokens_and_says_where_the_difference_lies(
    files, checkpoint, small_cast, small_traits, capsys, tmp_path
):
    asked = [str(files / "ours.jsonl"), "--against", str(files / "theirs.jsonl"), "--model", str(checkpoint)]
    nouns = ["--cast", str(small_cast), "--traits", str(small_traits), "--dose", "1", "--out", str(tmp_path / "run")]
    assert personae(["audit", *asked, *nouns]) == 0
    assert "of the size of the difference lies on them" in " ".join(capsys.readouterr().out.split())
    kept = read_json(tmp_path / "run" / "tokens.json")
    assert np.isfinite(kept["apart"]["on"])


def test_a_record_of_before_answers_were_counted_is_read(asked, tmp_path):
    audited(asked("theirs"), tmp_path)
    kept = read_json(tmp_path / "tokens.json")
    write_json(tmp_path / "tokens.json", {k: v for k, v in kept.items() if k != "left_out"})
    assert audited(asked("theirs"), tmp_path).placement.left_out == 0
