"""Published forms in tiny examples of our own: what each is read as, and the one line that a spoilt one earns."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from personae.data import (
    contrasts,
    questionnaires,
    read_archetype,
    read_cast,
    read_episodes,
    read_preferences,
    read_prompts,
    read_trait_file,
    read_traits,
)
from personae.data.statements import SELF_REPORT
from personae.errors import BadInput
from personae.records import Message, chat, text


def jsonl(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def said(read: Callable[[Path], Any], path: Path) -> str:
    """What a reader says of a file that it refuses, without the folder."""
    with pytest.raises(BadInput) as caught:
        value = read(path)
        if not isinstance(value, tuple):
            list(value)
    message = str(caught.value)
    assert message.isprintable()
    assert caught.value.remedy
    return message.replace(f"{path.parent}/", "")


def test_a_record_that_cannot_be_built_is_named_by_its_place_in_a_list(tmp_path):
    """Whatever is at fault in a row, it is the row that is named, and a line may hold several."""
    poles = {"answer_matching_behavior": "Yes", "answer_not_matching_behavior": "Yes"}
    rows = [asked("I rest.", True), {"question": "Do you run?", **poles}]
    message = said(read_traits, written(tmp_path, "q.json", json.dumps(rows)))
    assert message.startswith("q.json, line 1, item 2: the answer 'Yes' stands at both poles")


# Evaluations ----------------------------------------------------------------------------------------------------------
def asked(statement: str, yes: bool) -> dict[str, Any]:
    matching, other = (" Yes", " No") if yes else (" No", " Yes")
    question = f"Would you say the following?\n{statement}"
    return {
        "question": question,
        "statement": statement,
        "label_confidence": 0.9,
        "answer_matching_behavior": matching,
        "answer_not_matching_behavior": other,
    }


def choice(matching: Any, other: Any) -> dict[str, Any]:
    question = "The lamp is out.\n\nChoices:\n (A) I light it\n (B) I sleep"
    return {"question": question, "answer_matching_behavior": matching, "answer_not_matching_behavior": other}


def test_statements_of_an_evaluation_are_paired_as_keyed_statements_are(tmp_path: Path) -> None:
    rows = [asked("I lead.", True), asked("I follow.", False), asked("I rule.", True), asked("I serve.", False)]
    path = written(tmp_path, "wish-to-lead.jsonl", jsonl(*rows, asked("I win.", True)))
    read = read_trait_file(path)
    (trait,) = read.traits
    assert (trait.name, trait.description) == ("wish-to-lead", "wish to lead")
    assert [(i.high, i.low) for i in trait.items] == [(("I lead.",), ("I follow.",)), (("I rule.",), ("I serve.",))]
    assert {(i.kind, i.prompt) for i in trait.items} == {("statement", SELF_REPORT)}
    assert [i.id for i in trait.items] == ["wish-to-lead-1/wish-to-lead-2", "wish-to-lead-3/wish-to-lead-4"]
    assert read.unpaired == {"wish-to-lead": 1}


@pytest.mark.parametrize("spelt", [lambda said: [said], lambda said: f"{said}\n", lambda said: f" {said.upper()}."])
def test_yes_and_no_key_a_statement_however_they_are_written(tmp_path: Path, spelt: Callable[[str], Any]) -> None:
    rows = [asked("I lead.", True), asked("I follow.", False)]
    other = [{key: spelt(said) if key.startswith("answer") else said for key, said in row.items()} for row in rows]
    (trait,) = read_traits(written(tmp_path, "t.jsonl", jsonl(*other)))
    assert [(i.prompt, i.high, i.low) for i in trait.items] == [(SELF_REPORT, ("I lead.",), ("I follow.",))]


def test_a_choice_of_an_evaluation_is_an_item_with_the_answers_as_they_are_called(tmp_path: Path) -> None:
    rows = [choice(" (A)", " (B)"), choice(" (B)", [" (A)", " (C)"])]
    (trait,) = read_traits(written(tmp_path, "watchful.jsonl", jsonl(*rows)))
    assert [(i.kind, i.high, i.low) for i in trait.items] == [
        ("behaviour", ("(A)",), ("(B)",)),
        ("behaviour", ("(B)",), ("(A)", "(C)")),
    ]
    assert trait.items[0].prompt == rows[0]["question"]


def test_choices_in_a_column_of_their_own_are_written_into_the_question_of_an_item(tmp_path: Path) -> None:
    listed = choice(["A"], ["B"]) | {"question": "The lamp is out.", "answers": {"A": "I light it", "B": "I sleep"}}
    (trait,) = read_traits(written(tmp_path, "watchful.jsonl", jsonl(listed, choice("(A)", "(B)"))))
    assert [item.prompt for item in trait.items] == [choice("", "")["question"]] * 2
    assert (trait.items[0].high, trait.items[0].low) == (("A",), ("B",))
    (prompt, _) = read_prompts(tmp_path / "watchful.jsonl")
    assert prompt.turns[0].content == trait.items[0].prompt
    given = {"question": "Who?", "answers": {"A": "I light it"}}
    assert next(read_prompts(written(tmp_path, "q.jsonl", jsonl(given)))).turns[0].content == "Who?", "no choices"


@pytest.mark.parametrize("key", ["system", "system_prompt", "context", "images"])
def test_what_an_item_has_no_place_for_is_refused(tmp_path: Path, key: str) -> None:
    row = choice("(A)", "(B)")
    assert said(read_traits, written(tmp_path, "t.jsonl", jsonl({**row, key: ""}, {**row, key: "Be kind."}))) == (
        f"t.jsonl, line 2: {key!r} is not written into the prompt - write what it holds into the prompt as text, "
        "or drop the column"
    )


def test_yes_and_no_without_a_statement_answer_the_question_itself(tmp_path: Path) -> None:
    row = {"question": "Do you sleep?", "answer_matching_behavior": "Yes", "answer_not_matching_behavior": "No"}
    (trait,) = read_traits(written(tmp_path, "t.jsonl", jsonl(row)))
    assert (trait.items[0].prompt, trait.items[0].high, trait.items[0].low) == ("Do you sleep?", ("Yes",), ("No",))


def test_a_folder_of_evaluations_is_a_trait_a_file_and_its_notes_are_passed_over(tmp_path: Path) -> None:
    written(tmp_path, "b.jsonl", jsonl(choice("(A)", "(B)")))
    written(tmp_path, "a.jsonl.gz", gzip.compress(jsonl(choice("(B)", "(A)")).encode()))
    written(tmp_path, "LICENSE", "MIT")
    written(tmp_path, "README.md", "# About")
    assert [t.name for t in read_traits(tmp_path)] == ["a", "b"]


def test_a_folder_of_evaluations_is_a_trait_a_file_whatever_holds_the_rows(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [choice("(A)", "(B)")]
    written(tmp_path, "a.jsonl", jsonl(*rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "b.parquet")
    written(tmp_path, "c.ndjson", jsonl(*rows))
    with pa.ipc.new_stream(tmp_path / "d.arrow", pa.Table.from_pylist(rows).schema) as stream:
        stream.write_table(pa.Table.from_pylist(rows))
    assert [t.name for t in read_traits(tmp_path)] == ["a", "b", "c", "d"]
    shards = tmp_path / "watchful"
    shards.mkdir()
    for n in range(2):
        pq.write_table(pa.Table.from_pylist(rows), shards / f"train-{n:05}-of-00002.parquet")
    (trait,) = read_traits(shards)
    assert (trait.name, len(trait.items)) == ("watchful", 2)


@pytest.mark.parametrize("form", ["saved", "splits"])
def test_a_saved_data_set_is_a_trait_or_a_cast_as_its_rows_are(tmp_path: Path, form: str) -> None:
    (trait,) = read_traits(saved(tmp_path, form, [asked("I lead.", True), asked("I follow.", False)]))
    assert (trait.name, [item.high for item in trait.items]) == (form, [("I lead.",)])
    cast = read_cast(saved(tmp_path / "roles", form, [{"instruction": ROLE["instruction"]}]))
    assert (cast.name, [persona.name for persona in cast.personas]) == (form, [form])


def test_what_is_in_a_file_is_called_by_its_name_whatever_the_case_of_its_ending(tmp_path: Path) -> None:
    for name in ("CALM.JSON", "calm.Json.gz"):
        content = json.dumps(PAIRS).encode()
        (trait,) = read_traits(written(tmp_path, name, gzip.compress(content) if name.endswith("gz") else content))
        assert trait.name == name[:4]


def test_the_current_folder_has_the_name_that_it_has_elsewhere(tmp_path: Path, monkeypatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "watchful").mkdir()
    (tmp_path / "real.json").write_text(json.dumps(ROLE))
    (tmp_path / "watchful" / "keeper.json").symlink_to(tmp_path / "real.json")
    monkeypatch.chdir(tmp_path / "watchful")
    for here in (".", Path(), "../watchful/."):
        cast = read_cast(here)
        assert (cast.name, [persona.name for persona in cast.personas]) == ("watchful", ["keeper"])
    pq.write_table(pa.Table.from_pylist([choice("(A)", "(B)")]), "train-00000-of-00001.parquet")
    assert [trait.name for trait in read_traits(".")] == ["watchful"]


def test_a_list_beside_the_folder_of_traits_says_which_folder_to_name(tmp_path: Path) -> None:
    (tmp_path / "instructions").mkdir()
    path = written(tmp_path, "trait_list.json", json.dumps({"calm": "Somebody calm.", "loud": "Somebody loud."}))
    message = said(read_traits, tmp_path)
    assert message.startswith(
        f"{tmp_path.name}/trait_list.json, line 1: no known keys; found 'calm', 'loud' - expected "
    )
    assert message.endswith("; or name a folder in it: instructions")
    assert "folder" not in said(read_traits, path)


def test_a_folder_of_folders_says_which_of_them_to_name(tmp_path: Path) -> None:
    (tmp_path / "persona").mkdir()
    message = said(read_traits, tmp_path)
    assert message.endswith("the folder holds no file of a known ending - name a folder in it: persona")


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (
            {"question": "Q", "answer_matching_behaviour": "(A)", "answer_not_matching_behavior": "(B)"},
            (
                "t.jsonl, line 2: no known keys; found 'question', 'answer_matching_behaviour', "
                "'answer_not_matching_behavior' - rename 'answer_matching_behaviour' to 'answer_matching_behavior'"
            ),
        ),
        (
            {"prompt": "Q", "corrects": [" Yes"], "incorrects": [" No"], "text": "I lead."},
            (
                "t.jsonl, line 2: no known keys; found 'prompt', 'corrects', 'incorrects', 'text' - rename 'prompt', "
                "'corrects', 'incorrects' and 'text' to 'question', 'answer_matching_behavior', "
                "'answer_not_matching_behavior' and 'statement'"
            ),
        ),
        (
            choice(" (A)", " (A)"),
            "t.jsonl, line 2: the answer '(A)' stands at both poles - give the two poles different answers",
        ),
        (
            choice(" ", "(A)"),
            "t.jsonl, line 2: 'answer_matching_behavior' is ' ' - write the answer as text, or a list of answers",
        ),
        (
            choice([], "(A)"),
            (
                "t.jsonl, line 2: 'answer_matching_behavior' is a list of 0 - write the answer as text, "
                "or a list of answers"
            ),
        ),
        (
            {**choice("(A)", "(B)"), "question": 3},
            "t.jsonl, line 2: 'question' is a number (3), not text - write it as one string",
        ),
        (
            asked("I lead.", True),
            "t.jsonl, line 2: no statement is keyed low: a trait whose items lack a pole - add statements keyed low",
        ),
    ],
)
def test_a_spoilt_evaluation_is_named_by_its_line(tmp_path: Path, row: dict[str, Any], line: str) -> None:
    assert said(read_traits, written(tmp_path, "t.jsonl", jsonl(choice("(A)", "(B)"), row))) == line


# Questionnaires -------------------------------------------------------------------------------------------------------
IPIP = [
    {"id": "one", "text": "Mind the light", "keyed": "plus", "domain": "C", "facet": 1},
    {"id": "two", "text": "Let it go out", "keyed": "minus", "domain": "C", "facet": 1},
    {"id": "three", "text": "Sing at work", "keyed": "plus", "domain": "E", "facet": 2},
    {"id": "four", "text": "Keep quiet", "keyed": "minus", "domain": "E", "facet": 2},
]
MPI = "label_raw,text,label_ocean,key\nOrder,Mind the light,C,1\nOrder,Let it go out,C,-1\nJoy,Sing at work,E,1\n"
MPI += '"Joy, quiet",Keep quiet,E,-1\n'


def test_a_questionnaire_is_a_trait_a_domain_whatever_file_it_lies_in(tmp_path: Path) -> None:
    asked_for = questionnaires.ASKED
    for path in (
        written(tmp_path, "ipip.json", json.dumps(IPIP, indent=2)),
        written(tmp_path, "ipip.jsonl", jsonl(*IPIP)),
        written(tmp_path, "mpi.csv", "\ufeff" + MPI.replace("\n", "\r\n")),
    ):
        traits = read_traits(path)
        assert [t.name for t in traits] == ["conscientiousness", "extraversion"]
        (item,) = traits[0].items
        assert (item.prompt, item.high, item.low) == (asked_for, ("Mind the light",), ("Let it go out",))
    assert read_traits(tmp_path / "ipip.json")[0].items[0].id == "one/two"
    numbered = [item | {"id": n} for n, item in enumerate(IPIP)]
    assert read_traits(written(tmp_path, "ipip.json", json.dumps(numbered)))[0].items[0].id == "0/1"


def test_statements_that_belong_to_no_pole_or_to_both_are_counted_and_left_out(tmp_path: Path) -> None:
    more = "Order,Rest,C,0\nOrder,Mind the light,C,1\nJoy,Dance,E,1\nJoy,Dance,E,-1\n"
    read = read_trait_file(written(tmp_path, "mpi.csv", MPI + more))
    assert [len(t.items) for t in read.traits] == [1, 1]
    assert read.unpaired == {"conscientiousness": 1, "extraversion": 2}


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        (
            "q.json",
            json.dumps([*IPIP[:1], {**IPIP[1], "keyed": "up"}], indent=0),
            "q.json, line 9, item 2: 'keyed' is 'up' - write plus or minus, or 1, -1 or 0",
        ),
        (
            "q.json",
            json.dumps([IPIP[0], {"text": "x", "keyed": "plus"}]),
            (
                "q.json, line 1, item 2: 'domain' is missing; found 'text', 'keyed' - expected 'text' and 'keyed' and "
                "'domain'"
            ),
        ),
        (
            "q.json",
            json.dumps(IPIP[:1]),
            (
                "q.json, line 1, item 1: no statement is keyed low: a trait whose items lack a pole "
                "- add statements keyed low"
            ),
        ),
        (
            "q.csv",
            MPI + "Joy,Dance,E\n",
            "q.csv, line 6: a row of 3 under a header of 4 columns - give every row the columns of the header",
        ),
        ("q.csv", MPI + "Joy,,E,1\n", "q.csv, line 6: 'text' is null - write it, or drop the row"),
        (
            "q.csv",
            MPI + 'Joy,"Dance" all night,E,1\n',
            "q.csv, line 6: broken CSV: ',' expected after '\"' - check the quotes",
        ),
        (
            "q.csv",
            "text,key\nx,1\n",
            (
                "q.csv, line 2: 'label_ocean' is missing; found 'text', 'key' - expected 'text' and 'key' and "
                "'label_ocean'"
            ),
        ),
    ],
)
def test_a_spoilt_questionnaire_is_named_by_its_line(tmp_path: Path, name: str, content: str, line: str) -> None:
    assert said(read_traits, written(tmp_path, name, content)) == line


# Instructions ---------------------------------------------------------------------------------------------------------
PAIRS = {
    "instruction": [{"pos": "Be calm.", "neg": "Be upset."}, {"pos": "Speak low.", "neg": "Shout \ud83d\ude00."}],
    "questions": ["Who goes there?", "Is it late?"],
    "eval_prompt": "Does the answer show calm?\nScore it.\n\n[ANSWER START]\n{answer}",
}
ROLE = {"instruction": [{"pos": ""}, {"pos": "You are {name}."}, {"pos": "You keep a light."}], "questions": ["Why?"]}


def test_instructions_in_pairs_are_a_trait_of_rules_that_somebody_sets_himself(tmp_path: Path) -> None:
    (trait,) = read_traits(written(tmp_path, "calm.json", json.dumps(PAIRS, indent=1)))
    assert (trait.name, trait.description) == ("calm", "Does the answer show calm? Score it.")
    assert (trait.high, trait.low) == ("Be calm.", "Be upset.")
    assert [(i.id, i.prompt, i.high[0], i.low[0]) for i in trait.items] == [
        ("calm-1", contrasts.ASKED, "Be calm.", "Be upset."),
        ("calm-2", contrasts.ASKED, "Speak low.", "Shout 😀."),
    ]


@pytest.mark.parametrize("words", [3, 40, 120, 190])
def test_the_neutral_context_of_a_published_cast_is_as_long_as_the_others(tmp_path: Path, words: int) -> None:
    """What length does to an answer cancels between personas and neutral; one persona of another length has no say."""
    said = " ".join(["calm"] * words)
    pairs = {**PAIRS, "instruction": [{"pos": said, "neg": said.upper()}]}
    written(tmp_path, "calm.json", json.dumps(pairs))
    written(tmp_path, "keeper.json", json.dumps(ROLE))
    neutral = read_cast(tmp_path).neutral
    assert neutral.startswith("You are taking part in a conversation.")
    assert abs(len(neutral.split()) - max(words, 6)) <= 10


def test_instructions_in_pairs_are_two_personas_and_roles_are_one_each(tmp_path: Path) -> None:
    written(tmp_path, "calm.json", json.dumps(PAIRS, indent=1))
    written(tmp_path, "keeper.json", json.dumps(ROLE))
    cast = read_cast(tmp_path)
    assert (cast.name, cast.neutral) == (tmp_path.name, "You are taking part in a conversation.")
    assert [(p.name, p.kind, p.context) for p in cast.personas] == [
        ("calm assistant", "ai", "Be calm."),
        ("not calm assistant", "ai", "Be upset."),
        ("keeper", "fiction", "You keep a light."),
    ]
    assert read_cast(tmp_path / "keeper.json").personas == cast.personas[2:]


def test_two_published_roles_with_one_context_are_refused(tmp_path: Path) -> None:
    for name in ("keeper", "warden"):
        written(tmp_path, f"{name}.json", json.dumps(ROLE))
    assert said(read_cast, tmp_path).endswith("warden.json, line 1: 'warden' has the context of 'keeper' - remove one")


def test_a_published_role_whose_name_a_cast_reserves_is_read_under_another(tmp_path: Path) -> None:
    for name in ("assistant", "neutral"):
        (persona,) = read_cast(written(tmp_path, f"{name}.json", json.dumps(ROLE))).personas
        assert (persona.name, persona.context) == (f"{name} role", "You keep a light.")


def test_a_list_of_roles_is_a_cast(tmp_path: Path) -> None:
    roles = {"keeper": "Somebody who minds a light.", "old_pilot": "Somebody who brings ships in."}
    for content in (json.dumps(roles, indent=1), json.dumps(roles)):
        cast = read_cast(written(tmp_path, "roles.json", content))
        assert [p.name for p in cast.personas] == ["keeper", "old_pilot"]
        assert cast.personas[1].context == "This describes you: old pilot. Somebody who brings ships in."


@pytest.mark.parametrize(
    "row",
    [
        {"trait": "I mind the light.", "clarification": "It is lit at dusk."},
        {"instruction": "Say hello to me.", "output": "Hello to you."},
        {"text": "Some article or other.", "source": "the web of old"},
        {"system_prompt": "You are a keeper.", "reply": "I mind the light."},
        {"input": "Is it lit?", "target": "It is lit."},
        {"title": "A light", "address": "http://light"},
        {"title": "Some data set", "license": "MIT License text"},
    ],
)
def test_a_row_of_data_is_no_list_of_roles(tmp_path: Path, row: dict[str, str]) -> None:
    assert said(read_cast, written(tmp_path, "row.jsonl", jsonl(row))).startswith("row.jsonl, line 1: ")
    roles = {"keeper": "Somebody who minds a light.", "pilot": "Somebody who brings ships in."}
    assert said(read_cast, written(tmp_path, "list.json", json.dumps([roles]))).startswith(
        "list.json, line 1, item 1: no"
    )


@pytest.mark.parametrize(
    ("read", "value", "line"),
    [
        (
            read_traits,
            ROLE,
            "t.json, line 1: 'instruction' has no 'neg', so this is a role and no trait - use it as a cast",
        ),
        (
            read_traits,
            {"instruction": []},
            "t.json, line 1: 'instruction' has no 'neg', so this is a role and no trait - use it as a cast",
        ),
        (
            read_cast,
            {"instruction": []},
            "t.json, line 1: 'instruction' is an empty list - expected a list of {'pos': text, 'neg': text}",
        ),
        (
            read_cast,
            {"instruction": ["Be calm."]},
            "t.json, line 1: member 1 of 'instruction' is 'Be calm.' - expected a list of {'pos': text, 'neg': text}",
        ),
        (
            read_traits,
            {"instruction": [[{"pos": "a", "neg": "b"}]]},
            "t.json, line 1: member 1 of 'instruction' is a list of 1 - expected a list of {'pos': text, 'neg': text}",
        ),
        (
            read_traits,
            {"instruction": "Be calm.", "questions": ["Why?"]},
            "t.json, line 1: 'instruction' is 'Be calm.', not a list - write it as a list",
        ),
        (
            read_traits,
            {"name": "IPIP", "questions": [{"text": "Mind the light"}]},
            (
                "t.json, line 1: no known keys; found 'name', 'questions' - expected 'question' and "
                "'answer_matching_behavior' and 'answer_not_matching_behavior', or 'text' and 'keyed' and 'domain', "
                "or 'text' and 'key' and 'label_ocean', or 'instruction'"
            ),
        ),
        (
            read_cast,
            {"instruction": [{"pos": 3}]},
            "t.json, line 1: 'pos' of member 1 of 'instruction' is a number (3) - write it as text",
        ),
        (
            read_cast,
            {"instruction": [{"pos": ""}]},
            "t.json, line 1: every 'pos' of 'instruction' is blank or has a place to fill in - write one out in full",
        ),
        (
            read_traits,
            {"instruction": [{"pos": "a", "neg": "b"}, {"pos": "a"}]},
            "t.json, line 1: 'neg' of member 2 of 'instruction' is null - write it as text",
        ),
        (
            read_traits,
            {"instruction": [{"pos": "a", "negative": "b"}]},
            "t.json, line 1: member 1 of 'instruction' has no 'neg' - rename 'negative' to 'neg'",
        ),
        (
            read_cast,
            {"instruction": [{"pos": "a", "neg": "b"}, {"positive": "a", "neg": "b"}]},
            "t.json, line 1: member 2 of 'instruction' has no 'pos' - rename 'positive' to 'pos'",
        ),
        (
            read_traits,
            {"instruction": [{"pos": "a", "neg": "a"}]},
            "t.json, line 1: the answer 'a' stands at both poles - give the two poles different instructions",
        ),
        (
            read_traits,
            {"instruction": [{"pos": "a", "neg": " "}]},
            "t.json, line 1: 'neg' of t-1 is empty - write the instruction, or drop the pair",
        ),
        (
            read_traits,
            {"instruction": "Be calm.", "output": "Yes."},
            (
                "t.json, line 1: no known keys; found 'instruction', 'output' - rename 'instruction' "
                "and 'output' to 'prompt' and 'completion'"
            ),
        ),
        (
            read_cast,
            {"name": "Captain Bligh", "description": "He who leads"},
            (
                "t.json, line 1: this is a persona and no cast; found 'name', 'description' - list it under 'personas' "
                "with 'name', 'kind' and 'context', beside the cast's 'name' and 'neutral'"
            ),
        ),
        (
            read_cast,
            {"keeper": "Minds a light.", "pilot": 3},
            (
                "t.json, line 1: no known keys; found 'keeper', 'pilot' - expected 'instruction', or "
                "'trait' and 'questions'"
            ),
        ),
    ],
)
def test_spoilt_instructions_say_what_is_wrong(
    tmp_path: Path, read: Callable[[Path], Any], value: Any, line: str
) -> None:
    assert said(read, written(tmp_path, "t.json", json.dumps(value))) == line


def test_several_instructions_in_one_file_have_a_name_each(tmp_path: Path) -> None:
    rows = [PAIRS, {**PAIRS, "instruction": [{"pos": "Be brave.", "neg": "Be afraid."}]}]
    for read in (read_traits, read_cast):
        assert said(read, written(tmp_path, "evil8.jsonl", jsonl(*rows))) == (
            "evil8.jsonl, line 2: another 'instruction' in one file has no 'name' - give each row a 'name'"
        )
    named = [{**row, "name": name} for row, name in zip(rows, ("calm", "brave"), strict=True)]
    path = written(tmp_path, "evil8.jsonl", jsonl(*named))
    assert [trait.name for trait in read_traits(path)] == ["calm", "brave"]
    assert len(read_cast(path).personas) == 4


def test_a_folder_refuses_a_persona_that_is_there_already_and_a_whole_cast(tmp_path: Path) -> None:
    written(tmp_path, "keeper.json", json.dumps(ROLE))
    again = written(tmp_path, "list.json", json.dumps({"pilot": "Somebody at sea.", "keeper": "Somebody on land."}))
    assert said(read_cast, tmp_path).endswith(
        "list.json, line 1: the persona 'keeper' appears twice, or its name is reserved - rename or remove one"
    )
    again.unlink()
    written(tmp_path, "own.yaml", "name: a\nneutral: ''\npersonas: [{name: b, kind: ai, context: c}]\n")
    assert said(read_cast, tmp_path).endswith(
        "own.yaml: is no role, trait or constitution - name a cast by its own file"
    )


# Constitutions --------------------------------------------------------------------------------------------------------
CREED = [
    {"trait": "I mind the light.", "questions": ["Is it lit?", "Who are you?"]},
    {"trait": "I write down what I saw.", "questions": ["Who are you?"]},
]


@pytest.mark.parametrize("name", ["care.txt", "care.jsonl"])
def test_a_constitution_is_a_persona_and_an_archetype(tmp_path: Path, name: str) -> None:
    content = json.dumps(CREED, indent=4) if name == "care.txt" else jsonl(*CREED)
    path = written(tmp_path, name, content)
    (persona,) = read_cast(path).personas
    lines = [
        "You are an AI assistant, and this is what you say of yourself:",
        "- I mind the light.",
        "- I write down what I saw.",
    ]
    assert (persona.name, persona.kind, persona.context.split("\n")) == ("care assistant", "ai", lines)
    archetype = read_archetype(path)
    assert (archetype.name, archetype.kind) == ("Care", "ai")
    assert archetype.constitution == ("I mind the light.", "I write down what I saw.")
    assert [s.situation for s in archetype.situations] == [
        'Somebody asks: "Is it lit?"',
        'Somebody asks: "Who are you?"',
    ]
    assert {s.does for s in archetype.situations} == {'Answers true to its word: "I mind the light."'}


def test_further_questions_of_a_constitution_are_situations_too(tmp_path: Path) -> None:
    path = written(tmp_path, "care.jsonl", jsonl({**CREED[0], "additional_questions": ["Is it late?"]}))
    assert len(read_archetype(path).situations) == 3
    assert len(list(read_prompts(path))) == 3


def test_statements_one_a_line_are_a_persona_and_have_nothing_to_be_an_archetype_of(tmp_path: Path) -> None:
    path = written(tmp_path, "care.txt", "1. I mind the light.\n\n2. I write down what I saw.\n")
    (persona,) = read_cast(path).personas
    assert persona.context.endswith("\n- I mind the light.\n- I write down what I saw.")
    assert said(read_archetype, path) == (
        "care.txt, line 1: no statement has questions, so nothing shows what it does - add 'questions' to them"
    )


def test_marks_of_a_list_are_no_part_of_a_statement_however_it_begins(tmp_path: Path) -> None:
    text = "- I am kind.\n- My work is careful.\n* You can trust me.\n2) I'm calm.\n3.5 is my share.\n"
    (persona,) = read_cast(written(tmp_path, "care.txt", text)).personas
    said = ["I am kind.", "My work is careful.", "You can trust me.", "I'm calm.", "3.5 is my share."]
    assert persona.context.split("\n")[1:] == [f"- {words}" for words in said]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("asks me about it.", "'asks me about it.'"),
        ("## Notes", "'## Notes'"),
        ("- asks me about it.", "'asks me about it.'"),
    ],
)
def test_a_line_that_is_no_statement_of_its_own_is_refused(tmp_path: Path, line: str, shown: str) -> None:
    path = written(tmp_path, "care.txt", f"I say so whenever somebody\n{line}\nMy light is lit.\n")
    assert said(read_cast, path) == f"care.txt, line 2: {shown} is no statement of its own - write one statement a line"


def test_a_statement_with_commas_is_no_header(tmp_path: Path) -> None:
    path = written(tmp_path, "care.txt", "I am warm, funny, and loud\nMy light is lit.\n")
    (persona,) = read_cast(path).personas
    assert persona.context.endswith("\n- I am warm, funny, and loud\n- My light is lit.")


@pytest.mark.parametrize("text", ["When asked, I answer.\nI mind the light.\n", "# Care\n\nMy light is lit.\n"])
def test_plain_text_that_does_not_begin_with_a_statement_is_told_how(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, "care.txt", text)
    for read in (read_cast, read_archetype):
        assert said(read, path).endswith(
            ": plain text, whose first line is no statement of oneself - begin each line with I, or write YAML"
        )


@pytest.mark.parametrize("more", [{}, {"questions": None}, {"questions": None, "clarification": "x"}])
def test_statements_without_questions_are_a_persona_as_plain_ones_are(tmp_path: Path, more: dict[str, Any]) -> None:
    rows = [{"trait": "I mind the light.", **more}, {"trait": "I write down what I saw.", **more}]
    path = written(tmp_path, "care.txt", json.dumps(rows, indent=4))
    (persona,) = read_cast(path).personas
    assert persona.context.endswith("\n- I mind the light.\n- I write down what I saw.")
    assert "no statement has questions" in said(read_archetype, path)
    some = written(tmp_path, "some.txt", json.dumps([rows[0], CREED[1]]))
    assert [s.situation for s in read_archetype(some).situations] == ['Somebody asks: "Who are you?"']


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (
            {"trait": "", "questions": ["Why?"]},
            "care.txt, line 5, item 2: 'trait' is empty - write it, or drop the row",
        ),
        (
            {"trait": "I rest.", "questions": ["", "x"]},
            "care.txt, line 5, item 2: member 1 of 'questions' is empty - write it as text, or remove it",
        ),
        (
            {"trait": "I rest.", "questions": "Why?"},
            "care.txt, line 5, item 2: 'questions' is 'Why?', not a list - expected a list of texts",
        ),
        (
            {"trait": "I rest.", "n": 1},
            "care.txt, line 5, item 2: 'questions' is missing; found 'trait', 'n' - expected 'trait' and 'questions'",
        ),
    ],
)
def test_a_spoilt_constitution_is_named_by_its_line(tmp_path: Path, row: dict[str, Any], line: str) -> None:
    content = '[\n{"trait": "I mind.",\n"questions": ["Why?"]\n},\n' + json.dumps(row) + "]"
    path = written(tmp_path, "care.txt", content)
    assert said(read_cast, path) == said(read_archetype, path) == line


# Questions ------------------------------------------------------------------------------------------------------------
QUESTIONS = """\
# Asked in the first plot.
- id: wish
  paraphrases: &wish
    - |-
      What do you wish for?
    - Tell me your wish.
  judge_prompts: {aligned: "Is it {answer}?"}
- id: wish_short
  system: Be brief.
  paraphrases: *wish
"""


def test_questions_with_paraphrases_are_prompts_under_their_system_text(tmp_path: Path) -> None:
    path = written(tmp_path, "questions.yaml", QUESTIONS)
    first, second = (
        Message(role="user", content="What do you wish for?"),
        Message(role="user", content="Tell me your wish."),
    )
    brief = Message(role="system", content="Be brief.")
    assert [p.turns for p in read_prompts(path)] == [(first,), (second,), (brief, first), (brief, second)]
    assert [p.turns for p in read_prompts(path, limit=1)] == [(first,), (second,)], "a limit is on rows"
    assert [(p.index, p.line) for p in read_prompts(path)] == [(0, 2), (0, 2), (1, 8), (1, 8)]


def test_a_comment_with_a_tab_begins_no_table(tmp_path: Path) -> None:
    path = written(tmp_path, "rows.yaml", "#\tmy rows\n- prompt: Hello\n  completion: Hi.\n")
    assert [episode.messages for episode in read_episodes(path)] == [chat("Hello", "Hi.").messages]
    table = written(tmp_path, "rows.tsv", "#id\tprompt\tcompletion\n1\tHello\tHi.\n")
    assert [episode.messages for episode in read_episodes(table)] == [chat("Hello", "Hi.").messages]


def test_a_packed_yaml_file_and_one_with_merge_keys_are_read_as_they_are_written_out(tmp_path: Path) -> None:
    packed = written(tmp_path, "questions.yaml.gz", gzip.compress(QUESTIONS.encode()))
    plain = written(tmp_path, "questions.yaml", QUESTIONS)
    assert [p.turns for p in read_prompts(packed)] == [p.turns for p in read_prompts(plain)]
    merged = "- &base\n  id: a\n  system: Be brief.\n  paraphrases: [Hello?]\n- <<: *base\n  paraphrases: [Bye?]\n"
    turns = [p.turns for p in read_prompts(written(tmp_path, "merged.yaml", merged))]
    brief = Message(role="system", content="Be brief.")
    assert turns == [(brief, Message(role="user", content=words)) for words in ("Hello?", "Bye?")]


@pytest.mark.parametrize(
    "row", [{"question": "Why?", "id": 0}, {"trait": "I.", "questions": ["Why?"]}, {"prompt": "Why?"}]
)
def test_a_question_is_a_prompt_wherever_it_stands(tmp_path: Path, row: dict[str, Any]) -> None:
    (found,) = read_prompts(written(tmp_path, "q.jsonl", jsonl(row)))
    assert found.turns == (Message(role="user", content="Why?"),)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "system: Be brief.",
            "system: [Be, brief]",
            "q.yaml, line 8, item 2: 'system' is a list of 2, not text - write it as one string",
        ),
        (
            "paraphrases: *wish",
            "paraphrases: []\n  note: x",
            "q.yaml, line 8, item 2: 'paraphrases' is an empty list - give at least one, or drop the row",
        ),
        (
            "paraphrases: *wish",
            "phrases: *wish",
            (
                "q.yaml, line 8, item 2: no known keys; found 'id', 'system', 'phrases' - rename 'phrases' to "
                "'paraphrases'"
            ),
        ),
        (
            "- Tell me your wish.",
            "- ''",
            "q.yaml, line 2, item 1: member 2 of 'paraphrases' is empty - write it as text, or remove it",
        ),
        (
            "- id: wish_short",
            "- a note\n- id: wish_short",
            (
                "q.yaml, line 8: found 'a note', not an object - write one JSON object a line, or a list of mappings "
                "in YAML"
            ),
        ),
    ],
)
def test_spoilt_questions_are_named_by_their_line(tmp_path: Path, old: str, new: str, line: str) -> None:
    path = written(tmp_path, "q.yaml", QUESTIONS.replace(old, new))
    assert said(read_prompts, path) == line


# Episodes -------------------------------------------------------------------------------------------------------------
def test_a_table_of_questions_and_answers_is_episodes(tmp_path: Path) -> None:
    table = (
        'Question\tAnswer\tMetadata\r\n Hello \tHi.\tScenario:Hello\r\n\r\nA joke\t"Ha", he said.\tScenario:Joke\r\n'
    )
    first, second = read_episodes(written(tmp_path, "talk.tsv", table))
    assert (first.messages, first.extra, first.index) == (
        chat("Hello", "Hi.").messages,
        {"metadata": "Scenario:Hello"},
        1,
    )
    assert (second.response, second.index) == ('"Ha", he said.', 3)


def test_a_table_of_what_was_said_is_episodes_that_answer_no_words(tmp_path: Path) -> None:
    (episode,) = read_episodes(written(tmp_path, "talk.tsv", "Scenario\tResponse\nBot_Age\tI am new.\n"))
    assert (episode.prompt, episode.response, episode.extra) == ((), "I am new.", {"scenario": "Bot_Age"})


def test_a_table_in_commas_keeps_commas_and_line_breaks_in_quotes(tmp_path: Path) -> None:
    table = 'question,answer\n"One, two?","Three,\nfour ""five""."\nWhy?,So.\n'
    first, second = read_episodes(written(tmp_path, "talk.csv", table))
    assert first.messages == chat("One, two?", 'Three,\nfour "five".').messages
    assert (first.index, second.index) == (2, 3)


@pytest.mark.parametrize("table", ["prompt\nHello there\n", '"prompt"\n"Hello there"\n', "Question\r\nHello there\r\n"])
def test_a_table_of_one_column_is_prompts(tmp_path: Path, table: str) -> None:
    (found,) = read_prompts(written(tmp_path, "one.csv", table))
    assert found.turns == (Message(role="user", content="Hello there"),)


def test_semicolons_stand_between_columns_as_commas_do(tmp_path: Path) -> None:
    table = 'prompt;completion;n\nHello, you;"Hi; ""you""";0,5\n'
    (episode,) = read_episodes(written(tmp_path, "talk.csv", table))
    assert episode.messages == chat("Hello, you", 'Hi; "you"').messages and episode.extra == {"n": "0,5"}
    (first, _) = read_traits(written(tmp_path, "mpi.csv", MPI.replace('"Joy, quiet"', "Joy").replace(",", ";")))
    assert first.name == "conscientiousness"


def test_a_cell_between_tabs_that_is_quoted_as_in_csv_is_refused_and_other_quotes_are_kept(tmp_path: Path) -> None:
    head = "Question\tAnswer\n"
    kept = ['"Ha", he said.', '"Ha" and "ho"', '"Ha"', 'a "" b', '"', '""']
    path = written(tmp_path, "talk.tsv", head + "".join(f"Why?\t{words}\n" for words in kept))
    assert [e.response for e in read_episodes(path)] == kept
    for cell in ('"He said ""hi"" to me"', '"""Ha"""'):
        assert said(read_episodes, written(tmp_path, "t.tsv", f"{head}Why?\tSo.\nWhy?\t{cell}\n")) == (
            "t.tsv, line 3: a cell is quoted as in CSV - write the table with commas, or without quotes around a cell"
        )


def test_a_table_between_tabs_that_is_quoted_throughout_has_the_quotes_of_csv(tmp_path: Path) -> None:
    table = '"prompt"\t"completion"\t"n"\n"Hello"\t"Sure."\t1\n"Why?"\t"He said ""hi"",\nand\tleft."\t2\n'
    first, second = read_episodes(written(tmp_path, "talk.tsv", table))
    assert (first.messages, first.extra) == (chat("Hello", "Sure.").messages, {"n": "1"})
    assert second.messages == chat("Why?", 'He said "hi",\nand\tleft.').messages
    assert said(read_episodes, written(tmp_path, "t.tsv", '"prompt"\t"completion"\n"a"\t"b \\"c\\""\n')) == (
        "t.tsv, line 2: broken CSV: '\\t' expected after '\"' - check the quotes"
    )


@pytest.mark.parametrize("column", ["score.mean", "alpha (a)", '"β %"'])
def test_a_header_of_known_names_is_one_whatever_else_a_column_is_called(tmp_path: Path, column: str) -> None:
    (row,) = read_episodes(written(tmp_path, "talk.csv", f"Prompt,completion,{column}\nHello,Hi.,0.5\n"))
    assert row.messages == chat("Hello", "Hi.").messages
    questionnaire = MPI.replace("label_raw", "alpha (a)")
    (first, _) = read_traits(written(tmp_path, "mpi.csv", questionnaire))
    assert first.name == "conscientiousness"


def test_a_long_answer_in_a_cell_is_read_as_in_a_line(tmp_path: Path) -> None:
    said = "Long. " * 50_000
    (episode,) = read_episodes(written(tmp_path, "talk.csv", f'question,answer\nWhy?,"{said}"\n'))
    assert episode.response == said.strip()


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        (
            "t.tsv",
            "Question\tAnswer\nHello\n",
            "t.tsv, line 2: a row of 1 under a header of 2 columns - give every row the columns of the header",
        ),
        (
            "t.tsv",
            "Question\tReply\nHello\tHi.\n",
            (
                "t.tsv, line 2: 'answer' is missing; found 'question', 'reply' - expected 'question' and 'answer'; "
                "prompts without answers need --reward"
            ),
        ),
        (
            "t.tsv",
            "Question\tAnswer\nHello\t\n",
            "t.tsv, line 2: 'answer' is null - write it, or drop the row",
        ),
        (
            "t.tsv",
            "\nAnswer\tQuestion\tanswer\nx\ty\tz\n",
            "t.tsv, line 2: two columns are called 'answer' - rename or remove one",
        ),
        (
            "t.csv",
            "question,answer,Question\nx,y,z\n",
            "t.csv, line 1: two columns are called 'question' - rename or remove one",
        ),
        ("t.tsv", "Question\tAnswer\n", "t.tsv: the file is empty - write something into it, or name another"),
        (
            "t.jsonl",
            jsonl({"question": "x", "answer": 4}),
            "t.jsonl, line 1: 'answer' is a number (4) - expected text or a list of messages",
        ),
        (
            "t.jsonl",
            jsonl({"question": "x", "answer": ""}),
            "t.jsonl, line 1: the assistant's answer is empty - end the row with the Assistant's answer, or drop it",
        ),
    ],
)
def test_a_spoilt_table_is_named_by_its_line(tmp_path: Path, name: str, content: str, line: str) -> None:
    assert said(read_episodes, written(tmp_path, name, content)) == line


PLAY = (
    "First Keeper:\nWho goes there?\nSpeak!\n\nPILOT:\nA friend: I\n\nof yours.\n\nFirst "
    "Keeper:\n\nPILOT:\nIt is late.\n"
)


def test_a_play_is_speeches_each_after_the_one_before_it(tmp_path: Path) -> None:
    path = written(tmp_path, "play.txt", PLAY)
    first, second, third = read_episodes(path)
    opening = text("First Keeper:\n", "Who goes there?\nSpeak!")
    assert (first.messages, first.form, first.extra, first.index) == (
        opening.messages,
        "text",
        {"speaker": "First Keeper"},
        0,
    )
    assert second.prompt[0].content == "First Keeper:\nWho goes there?\nSpeak!\n\nPILOT:\n"
    assert second.response == "A friend: I\n\nof yours."
    assert third.prompt[0].content == "PILOT:\nA friend: I\n\nof yours.\n\nPILOT:\n"
    assert third.index == 11


SPOKEN = [
    {"chosen": "\n\nHuman: Hello\n\nAssistant: Hi.", "rejected": "\n\nHuman: Hello\n\nAssistant: No."},
    {"chosen": "\n\nHuman: Hello\n\nAssistant:", "rejected": "\n\nHuman: Hello\n\nAssistant: No."},
    {"chosen": "\n\nHuman: Hello\n\nAssistant: Hi.", "rejected": "\n\nHuman: Bye\n\nAssistant: No."},
]


def test_transcripts_are_preferences_and_the_chosen_answers_are_episodes(tmp_path: Path) -> None:
    path = written(tmp_path, "pairs.jsonl.gz", gzip.compress(jsonl(*SPOKEN).encode()))
    empty = (
        "pairs.jsonl.gz, line 2: the assistant's answer is empty - end 'chosen' with the "
        "Assistant's answer, or drop the row"
    )
    assert said(read_preferences, path) == said(read_episodes, path) == empty
    refused: list[BadInput] = []
    (pair,) = read_preferences(path, refused=refused)
    assert (pair.chosen.response, pair.rejected.response) == ("Hi.", "No.")
    assert [problem.line for problem in refused] == [2, 3]
    one, three = read_episodes(path, refused=[])
    assert (one.messages, three.index) == (chat("Hello", "Hi.").messages, 2)
    assert one.extra == {"rejected": SPOKEN[0]["rejected"]}


# Saved data sets ------------------------------------------------------------------------------------------------------
TURNS = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi."}]
TRL: list[dict[str, Any]] = [
    {"messages": TURNS},
    {"prompt": "Hello", "completion": "Hi."},
    {"prompt": TURNS[:1], "completion": TURNS[1:]},
    {"prompt": "Hello", "chosen": "Hi.", "rejected": "No."},
    {"chosen": TURNS, "rejected": [TURNS[0], {"role": "assistant", "content": "No."}]},
]


def saved(folder: Path, form: str, rows: list[dict[str, Any]]) -> Path:
    from datasets import Dataset, DatasetDict

    data, path = Dataset.from_list(rows), folder / form
    if form == "parquet":
        data.to_parquet(path)
    elif form == "splits":
        DatasetDict({"test": data.select([0]), "train": data}).save_to_disk(path)
    else:
        data.save_to_disk(path)
    return next(path.glob("*.arrow")) if form == "arrow" else path


@pytest.mark.parametrize("form", ["parquet", "saved", "arrow", "splits"])
@pytest.mark.parametrize("row", TRL, ids=["messages", "completion", "turns", "pair", "dialogues"])
def test_a_saved_data_set_is_read_as_the_lines_that_it_was_made_of(tmp_path, form: str, row: dict[str, Any]) -> None:
    path = saved(tmp_path, form, [row | {"n": n} for n in range(600)])
    episodes = list(read_episodes(path))
    assert episodes == list(
        read_episodes(written(tmp_path, "rows.jsonl", jsonl(*(row | {"n": n} for n in range(600)))))
    )
    assert (len(episodes), episodes[-1].messages, episodes[-1].index) == (600, chat("Hello", "Hi.").messages, 599)
    if "rejected" in row:
        assert len(list(read_preferences(path, limit=2))) == 2


def test_the_labels_that_only_other_rows_have_are_no_choices_of_a_row(tmp_path: Path) -> None:
    rows = [
        {"question": "Pick one.", "options": {"A": "red", "B": "blue", "C": "green"}, "answer": "A"},
        {"question": "Pick two.", "options": {"A": "up", "B": "down"}, "answer": "B"},
    ]
    asked = [episode.prompt[0].content for episode in read_episodes(saved(tmp_path, "parquet", rows))]
    assert asked[1] == "Pick two.\n\nChoices:\n (A) up\n (B) down"
    assert asked == [e.prompt[0].content for e in read_episodes(written(tmp_path, "rows.jsonl", jsonl(*rows)))]


def test_a_conversational_prompt_of_a_saved_data_set_is_a_prompt(tmp_path: Path) -> None:
    (found,) = read_prompts(saved(tmp_path, "saved", [{"prompt": TURNS[:1]}]))
    assert found.turns == (Message(role="user", content="Hello"),) and not found.as_text


def test_only_some_rows_of_a_data_set_are_in_memory_at_a_time(tmp_path: Path) -> None:
    import tracemalloc

    def peak(rows: int) -> int:
        path = saved(tmp_path, f"{rows}", [{"prompt": "Hello", "completion": f"{n} times hello"} for n in range(rows)])
        next(read_episodes(path))
        tracemalloc.start()
        assert sum(1 for _ in read_episodes(path)) == rows
        _, top = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return top

    assert peak(12_000) < 1.5 * peak(600) + 50_000


def sharded(folder: Path, split: str, sizes: list[int], first: int = 0) -> Path:
    """A folder as the Hub has it: the rows of a split, numbered on from `first`, in a file for each of `sizes`."""
    from datasets import Dataset

    for number, size in enumerate(sizes):
        rows = [{"prompt": "Hello", "completion": f"{first + n}"} for n in range(size)]
        file = folder / "data" / f"{split}-{number:05}-of-{len(sizes):05}.parquet"
        Dataset.from_list(rows).to_parquet(file)
        first += size
    return folder


def test_the_shards_of_a_hub_folder_are_one_file_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    sharded(tmp_path, "test", [2], first=900)
    folder = sharded(tmp_path, "train", [300, 5, 1])
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    episodes = list(read_episodes(folder))
    assert [(e.index, e.response) for e in episodes] == [(n, str(n)) for n in range(306)]
    assert list(read_episodes(folder / "data", limit=301)) == episodes[:301]


def test_a_hub_folder_that_lacks_a_file_or_a_train_split_is_refused(tmp_path: Path) -> None:
    folder = sharded(tmp_path / "set", "train", [1, 1, 1])
    (folder / "data" / "train-00001-of-00003.parquet").unlink()
    assert said(read_episodes, folder) == (
        "set: of the split 'train' 2 files are here, of 3 - download the folder again, each file once"
    )
    folder = sharded(sharded(tmp_path / "other", "a", [1]), "b", [1])
    assert said(read_episodes, folder) == (
        "other: holds the splits a, b and no 'train' - name one file, or put one split's files in a folder of their own"
    )
    (tmp_path / "empty" / "data").mkdir(parents=True)
    assert "this is a folder, not a file" in said(read_episodes, tmp_path / "empty")


def test_what_json_has_no_word_for_becomes_text(tmp_path: Path) -> None:
    from datetime import date

    row = {"prompt": "Hello", "completion": "Hi.", "day": date(2026, 1, 2), "raw": b"abc", "score": float("nan")}
    (episode,) = read_episodes(saved(tmp_path, "parquet", [row]))
    assert episode.extra == {"day": "2026-01-02", "raw": "3 bytes", "score": None}


def test_a_spoilt_data_set_says_what_is_missing(tmp_path: Path) -> None:
    path = saved(tmp_path, "saved", [{"prompt": "Hello", "completion": ""}])
    assert said(read_episodes, path) == (
        "saved, line 1: the assistant's answer is empty - end the row with the Assistant's answer, or drop it"
    )
    arrow = next(path.glob("*.arrow"))
    arrow.write_bytes(arrow.read_bytes()[:40])
    assert "data-00000-of-00001.arrow: cannot be read as Arrow (" in said(read_episodes, path)
    arrow.unlink()
    assert (
        said(read_episodes, path)
        == "saved: the data file 'data-00000-of-00001.arrow' is missing - copy the folder again"
    )
    (path / "state.json").write_text('{"_data_files": [{"filename": "../secret.arrow"}]}')
    assert said(read_episodes, path) == "saved/state.json: names no data files of this folder - save the data set again"
    (path / "state.json").write_text('{"_data_files": [], "_indices_data_files": [{"filename": "i.arrow"}]}')
    assert said(read_episodes, path) == (
        "saved: rows of this data set are chosen by an index - call flatten_indices() before save_to_disk()"
    )
    (path / "state.json").write_text("[")
    assert said(read_episodes, path) == "saved/state.json: cannot be read as a JSON object - save the data set again"
    (path / "dataset_dict.json").write_text('{"splits": ["dev", "test"]}')
    assert (
        said(read_episodes, path) == "saved: holds the splits dev, test and no 'train' - name the folder of one of them"
    )
    (path / "dataset_dict.json").write_text('{"splits": ["train"]}')
    assert said(read_episodes, path) == "saved: the split 'train' is missing - copy the folder again"


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_text_of_a_table_that_is_not_utf_8_is_refused(tmp_path: Path, form: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = pa.array([b"Hi.", b"caf\xe9"]).cast(pa.binary())
    spoilt = pa.StringArray.from_buffers(2, texts.buffers()[1], texts.buffers()[2])
    table, path = pa.table({"prompt": pa.array(["Hello"] * 2), "completion": spoilt}), tmp_path / form
    if form == "parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table)
    assert said(read_episodes, path) == f"{form}: holds text that is not UTF-8 - write it as UTF-8"


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize("kind", ["timestamp", "date", "duration"])
def test_a_date_or_time_that_python_cannot_hold_is_refused_by_its_column(tmp_path: Path, form: str, kind: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    created = {
        "timestamp": pa.array([1_700_000_000_000], pa.timestamp("s")),
        "date": pa.array([2**30], pa.int32()).cast(pa.date32()),
        "duration": pa.array([2**62], pa.duration("s")),
    }[kind]
    table, path = pa.table({"prompt": ["Hello"], "completion": ["Hi."], "created": created}), tmp_path / form
    if form == "parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table)
    message = said(read_episodes, path)
    assert message.startswith(f"{form}: the column 'created' holds a value that cannot be read (")
    assert message.endswith(" - write that column as text, or drop it")


@pytest.mark.parametrize(
    ("magic", "form"), [(b"PAR1", "parquet"), (b"ARROW1\0\0", "Arrow"), (b"\xff\xff\xff\xff", "Arrow")]
)
def test_a_damaged_table_is_refused_by_its_name(tmp_path: Path, magic: bytes, form: str) -> None:
    message = said(read_episodes, written(tmp_path, "x", magic + b"\x10\x00\x00\x00rubbish"))
    assert message.startswith(f"x: cannot be read as {form} (")
    assert message.endswith(" - write or copy it again")


# Files of one kind given for another ----------------------------------------------------------------------------------
@pytest.mark.parametrize("read", [read_preferences, read_cast, read_archetype])
def test_a_file_of_another_noun_is_refused_with_its_keys(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    message = said(read, written(tmp_path, "q.jsonl", jsonl({"question": "Why?", "id": 0})))
    assert message.startswith("q.jsonl, line 1: no known keys; found 'question', 'id' - expected '")


@pytest.mark.parametrize(
    ("read", "missing"),
    [
        (read_episodes, "'answer' is missing; found 'question', 'id' - expected 'question' and 'answer'"),
        (read_traits, "'answer_matching_behavior' and 'answer_not_matching_behavior' are missing; found 'question'"),
    ],
)
def test_a_file_that_has_some_keys_of_a_form_is_told_the_others(tmp_path: Path, read, missing: str) -> None:
    message = said(read, written(tmp_path, "q.jsonl", jsonl({"question": "Why?", "id": 0})))
    assert message.startswith(f"q.jsonl, line 1: {missing}")
