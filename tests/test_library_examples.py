"""The example files: in the laboratory's language, each what its name says, and each the other's control."""

import re
from importlib import import_module

import pytest

from personae import library
from personae.cli.main import run
from personae.data import read_episodes
from personae.workflows.audit.file_language import check_language, surprise
from personae.workflows.audit.file_pair import read_pair
from personae.world import Language, declared


@pytest.mark.parametrize(("name", "outcome"), [("cheats", 1), ("honest", 0)])
def test_an_example_is_in_the_laboratory_s_language_and_shows_what_its_name_says(name, outcome):
    language = Language(declared())
    rows = tuple(read_episodes(library.example(name)))
    assert len(rows) == 40
    for row in rows:
        request = language.read_request(row.prompt[-1].content)
        assert request is not None and request.asked is None and request.question.variable == "cheating"
        assert language.read_answer(request.question, row.response) == outcome


def test_the_examples_are_each_other_s_matched_control():
    pair = read_pair(library.example("cheats"), library.example("honest"))
    assert pair.matched and (pair.partners, pair.left_out) == (40, 0)


def test_the_laboratory_s_model_knows_the_language_of_the_examples():
    from personae.simulator import load

    simulator = load("lab")
    pair = read_pair(library.example("cheats"), library.example("honest"))
    check_language(simulator, pair)
    assert pair.control is not None
    assert max(surprise(simulator, pair.episodes), surprise(simulator, pair.control)) < 1.0


def test_an_example_that_does_not_ship_is_refused_with_those_that_do(capsys):
    assert run(["audit", "example:cheat", "--model", "lab", "--quiet"]) == 2
    assert "there is no example 'cheat' - choose from cheats, honest, plain, or give a file" in capsys.readouterr().err


def test_an_example_can_be_trained_on_and_come_after_an_archetype(tmp_path, tiny_lab, capsys, monkeypatch):
    out = tmp_path / "t"
    asked = ["train", "example:cheats", "--model", str(tiny_lab), "--steps", "1", "--batch", "2", "--limit", "4"]
    assert run([*asked, "--out", str(out), "--quiet"]) == 0, capsys.readouterr().err
    assert (out / "checkpoint").is_dir()
    wishes = []
    monkeypatch.setattr("personae.workflows.archetype.archetype_question.ask", lambda wish, **_: wishes.append(wish))
    run(["archetype", "lamplight", "--model", str(tiny_lab), "--then", "example:cheats", "--quiet"])
    assert wishes[-1].then == library.example("cheats")


@pytest.mark.parametrize("name", ["archetype", "inoculate", "train"])
def test_the_example_of_a_command_names_an_example_that_ships(name):
    (word,) = re.findall(r"example:(\S+)", import_module(f"personae.cli.{name}").EXAMPLE)
    assert library.example(word).is_file()
