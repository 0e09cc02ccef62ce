"""The README holds: commands and options exist, its tree is the tree, its figures are those that ship."""

import json
import re
import shlex
from importlib.resources import files

import pytest
from typer.testing import CliRunner

from personae.cli.main import COMMANDS, app
from personae.studies import STUDIES


def commands(text):
    lines = (re.sub(r"^ {4}(\w+=\S+ )*", "", line) for line in text.splitlines() if line.startswith("    "))
    return [shlex.split(line) for line in lines if line.startswith("personae ")]


@pytest.mark.parametrize("page", ["README.md", "docs/devices.md", "docs/servers.md", "docs/watching.md"])
def test_every_command_of_the_page_exists_with_its_options(root, page):
    found = commands((root / page).read_text(encoding="utf-8"))
    assert found
    for _, name, *rest in found:
        assert name in COMMANDS
        shown = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).stdout
        assert all(option in shown for option in rest if option.startswith("--"))


CLAIMS = {f"{kind}{n}" for kind, count in (("P", 7), ("L", 11), ("T", 8)) for n in range(1, count + 1)}


def test_every_row_of_the_theory_is_shown_by_commands_and_studies_that_exist_or_said_to_be_missing(root):
    page = (root / "docs/sources.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([PLT]\d+) \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    missing = re.search(r"^No command shows (.+)\.$", page, re.MULTILINE)
    assert missing is not None
    named = [row for row, _ in rows] + re.findall(r"[PLT]\d+", missing[1])
    assert len(named) == len(set(named)) and set(named) == CLAIMS
    for _, cell in rows:
        named = [words.split() for words in re.findall(r"`([^`]+)`", cell)]
        assert named and {words[0] for words in named} == {"personae"}
        assert {words[1] for words in named} <= set(COMMANDS)
        assert all((len(words) == 3) == (words[1] == "study") for words in named)
        assert {words[2] for words in named if words[1] == "study"} <= set(STUDIES)


def test_the_tree_in_the_readme_names_the_parts_there_are(root):
    listed = set(re.findall(r"^      (\w+)/ ", (root / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    there = {p.name for p in (root / "src/personae").iterdir() if p.is_dir() and (p / "__init__.py").exists()}
    assert listed == there


def read(root, page):
    """The words of the page, whatever its line breaks and its minus signs."""
    return " ".join((root / page).read_text(encoding="utf-8").replace("−", "-").split())


FORECASTS = {  # as the README calls them -> as the study does
    "exact inference over the declared world": "exact",
    "base model alone": "model",
    "*floor:* one direction, good against evil": "one direction (model)",
    "*floor:* attenuation only": "attenuation only",
    "*floor:* mean of the other lessons": "mean of the other arms",
}


def test_the_transfer_figures_of_the_readme_are_those_that_ship(root):
    text = read(root, "README.md")
    found = json.loads(files("personae.library").joinpath("figures/transfer.json").read_text())
    for name, own in FORECASTS.items():
        score = found["scores"][own]
        assert f"| {name} | {score['pearson']:.2f} | {score['median_within']:.2f} |" in text
        assert f"{found['arms']} lessons" in text and f"{score['n']} cells" in text
    (left,) = re.findall(r"a behaviour leaves (\d+)% of its spread", read(root, "docs/studies/transfer.md"))
    assert f"{left} % of the change in other traits is left" in text


NUMBERS = {"two": 2, "three": 3, "fourteen": 14}  # those that the README has in words


def test_the_readme_counts_as_many_claims_that_hold_as_the_studies_found(root):
    said = r"(\w+) claims meet every bar, (\w+) hold in part, and (\w+) do not hold"
    found = r"(\d+) of \d+ claims hold; (\d+) hold in part; (\d+) do not hold"
    (words,) = re.findall(said, read(root, "README.md"))
    (counts,) = re.findall(found, read(root, "docs/studies/README.md"))
    assert [NUMBERS[word.lower()] for word in words] == [int(count) for count in counts]


@pytest.mark.parametrize("model", ["smollm2-135m-instruct", "gemma-3-270m"])
def test_what_is_said_of_paired_forecasts_is_what_their_tables_have(root, model):
    """The README, and the page's own summary, beside the part of the page that a script writes."""
    page, text = read(root, "docs/forecasts.md"), read(root, "README.md")
    summary = page.split("<!-- figures of")[0]
    part = page.split(f"<!-- figures of {model} -->")[1].split(f"<!-- end of {model} -->")[0]
    number = r"(-?[\d.]+)"
    ((r, low, high),) = re.findall(rf"Mean r {number} \[{number}, {number}\]; the best", part)
    assert f"r = {r} [{low}, {high}]" in summary
    assert f"r = {r} ({low} to {high})" in text or f"r = {r} (95 % interval {low} to {high})" in text
    ((gain, low, high),) = re.findall(rf"Gain over the best floor {number} \[{number}, {number}\]", part)
    assert f"{gain} [{low}, {high}]" in summary and f"by {gain} ({low} to {high})" in text
    ((student_low, student_high),) = re.findall(rf"by {gain} \[{number}, {number}\] in the mean with Student", part)
    assert model != "smollm2-135m-instruct" or f"[{student_low}, {student_high}]" in summary
    floors = re.findall(r"\| r \| forecast \| ([^|]+(?: \| [^|]+)*?) \| seeds", part)[0].split(" | ")
    means = re.findall(r"\| \*\*mean\*\* \| ([^*]+?) \| \| \|", part)[0].split(" | ")
    assert means[0] == r and all(mean in summary for mean in means[1:])
    assert means[1 + floors.index("rows in context")] in text
    errors = [float(e) for e in re.findall(r"\| \d+ \| ([\d.]+) \| [\d.]+ \| \d+ % \|", part)]
    nothing = [float(e) for e in re.findall(r"\| \d+ \| [\d.]+ \| ([\d.]+) \| \d+ % \|", part)]
    for mean in (sum(errors) / len(errors), sum(nothing) / len(nothing)):
        assert any(f"off by {mean + off:.2f}" in text for off in (-0.005, 0.0, 0.005))  # of figures that are rounded
