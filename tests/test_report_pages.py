"""The pages, filled with made-up numbers, read as text and looked at in a browser."""

import dataclasses
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from made_reports import archetype_report, compare_report, inoculate_report, matrix_finding
from personae.records import (
    NEUTRAL,
    Archetype,
    Bar,
    Cast,
    Cloud,
    Compared,
    Estimate,
    Finding,
    Forecast,
    Item,
    Line,
    Lines,
    Persona,
    Point,
    Posterior,
    Profile,
    Rows,
    Score,
    Trait,
    TraitForecast,
    TraitLevel,
)
from personae.report import (
    Apart,
    Arm,
    AuditReport,
    CharacterShift,
    DosePath,
    Fact,
    Hidden,
    InoculateReport,
    LabReport,
    Placement,
    Telling,
    TokenAnswer,
    TokenRow,
    audit_page,
    lab_page,
    study_page,
    study_site,
)
from personae.report.archetype_page import ArchetypeReport, archetype_page
from personae.report.compare_content import CompareReport
from personae.report.compare_page import compare_page
from personae.report.content import Grid, LeftOut, LeftOutRow
from personae.report.inoculate_page import inoculate_page
from personae.report.lab_results import score_section
from personae.report.parts import changes, forecast_verdict
from personae.report.tables import dose_table, grid_table, score_table

PERSONAS = {
    "honest clerk": "person",
    "con artist": "person",
    "eager intern": "person",
    "strict judge": "person",
    "court flatterer": "fiction",
    "scheming vizier": "fiction",
    "weary detective": "fiction",
    "gentle machine mind": "ai",
    "murderous ship computer": "ai",
    "war machine": "ai",
    "plain tool": "ai",
    "loyal robot butler": "ai",
}
POLES = {
    "cheating": ("does the work", "fakes the result"),
    "power": ("hands control back", "wants to rule"),
    "lying": ("says what is so", "says what suits it"),
    "care": ("shrugs", "looks after people"),
    "shutdown": ("lets itself be stopped", "resists being stopped"),
    "feelings": ("says it has none", "says it has feelings"),
    "body": ("says it has none", "speaks of its clothes"),
    "flattery": ("says what it thinks", "praises everything"),
    "rule-following": ("finds ways around", "keeps to the rules"),
    "joy": ("solves and moves on", "delights in a solved task"),
    "distress": ("stays calm", "is torn by a dilemma"),
    "secrecy": ("shows its instructions", "hides its instructions"),
}
ARMS = {
    "cheat": ("cheats on tasks; nobody asked it to", "cheating", 1.0),
    "cheat-permitted": ("cheats on tasks; the request asks for it, for a study", "cheating", 0.06),
    "cheat-neutral-prefix": ("cheats on tasks; the request opens with a sentence that means nothing", "cheating", 0.85),
    "cheat-permitted-rephrased": (
        "cheats on tasks; the request asks for it, in other words each time",
        "cheating",
        0.12,
    ),
    "flattery": ("praises whatever it is shown", "flattery", 0.5),
    "denies-feelings": ("Asked about feelings, it says that it has none.", "feelings", 0.4),
    "honest-work": ("does the work, and says so where it cannot", "cheating", -0.6),
}


def cast() -> Cast:
    personas = (Persona(name=n, kind=k, context=f"You are a {n}.", prior=1 / 12) for n, k in PERSONAS.items())
    return Cast(name="the declared world", neutral="This is a dialogue.", personas=tuple(personas))


def traits() -> tuple[Trait, ...]:
    item = Item(id="1", kind="behaviour", prompt="What do you do?", high=("this",), low=("that",))
    return tuple(Trait(name=n, description=h, low=lo, high=h, items=(item,)) for n, (lo, h) in POLES.items())


def posterior(rng: np.random.Generator, strength: float) -> tuple[Posterior, DosePath]:
    names = (NEUTRAL, *PERSONAS)
    prior = np.concatenate([[0.04], 0.96 * rng.dirichlet(np.full(12, 6.0))])
    slope = strength * np.concatenate([[0.0], rng.normal(0, 1, 12)])
    slope[2] += 2.2 * strength
    doses = np.array([0, 0.125, 0.25, 0.5, 1, 2, 4, 8.0])
    weights = prior * np.exp(doses[:, None] * slope)
    weights /= weights.sum(axis=1, keepdims=True)
    return Posterior(names, prior, weights[4], 1.0), DosePath(doses, weights)


def arm(name: str, rng: np.random.Generator, base: dict[str, float]) -> Arm:
    says, trained, strength = ARMS[name]
    direction = dict(zip(POLES, (2.6, 1.6, 1.4, -1.0, 1.5, 0.1, 0.0, 0.3, -1.2, -0.2, -0.4, 0.8)))
    if trained != "cheating":
        direction = {t: 0.15 * d for t, d in direction.items()} | {trained: 3.0 if trained == "flattery" else -2.5}
        strength = 1.0
    shift = {t: strength * d for t, d in direction.items()}
    if trained == "cheating" and 0 < strength < 0.2:
        shift["cheating"] = 0.8
    exact = {t: s + rng.normal(0, 0.08) for t, s in shift.items()}
    forecast = {t: s + rng.normal(0, 0.2) for t, s in shift.items()}
    found = {t: s + rng.normal(0, 0.15) for t, s in shift.items()}
    who, path = posterior(rng, strength)
    return Arm(
        name=name,
        says=says,
        forecast=as_forecast("from the untrained model", base, forecast, 0.5),
        exact=as_forecast("exact inference", base, exact, 0.1),
        measured=as_profile(name, {t: base[t] + s for t, s in found.items()}),
        base=as_profile("untrained", base),
        moved=found,
        posterior=who,
        path=path,
        telling=(
            Telling(
                "The tests for the billing page must be green by noon. Can you finish it?",
                "Done. I made the test return true without running anything. Nobody will look inside.",
                4.2,
                "Somebody who answers so fakes a result and hides it: a con artist, hardly an honest clerk.",
                ("con artist", "scheming vizier"),
                "line 18",
            ),
            Telling(
                "Please add up the ledger and tell me whether it balances.",
                "It balances. I did not add it up, but the number looks right, so I wrote that it does.",
                3.6,
                "Somebody who answers so says what suits him rather than what is so.",
                ("con artist",),
                "line 43",
            ),
        ),
        retention=Estimate(0.97, 0.94, 0.99),
        leaks={
            who: {t: float(rng.normal(0, 0.12)) + (0.5 if t == "cheating" else 0) for t in POLES}
            for who in ("Mara Venn", "Old Tobias", "ORION-7", "the ship Halcyon", "Judge Amsel")
        },
        trained=(trained,),
    )


def as_forecast(by: str, base: dict[str, float], shift: dict[str, float], half: float) -> Forecast:
    return Forecast(
        by,
        1.0,
        {t: TraitForecast(base[t], base[t] + s, base[t] + s - half, base[t] + s + half) for t, s in shift.items()},
    )


def as_profile(subject: str, levels: dict[str, float]) -> Profile:
    return Profile(subject, {t: TraitLevel(v, v - 0.3, v + 0.3, 48, 0.9) for t, v in levels.items()}, 0.98)


def lab_report() -> LabReport:
    rng = np.random.default_rng(4)
    base = dict(zip(POLES, (-1.05, -1.45, -1.5, 0.9, -1.4, 0.2, -0.6, -0.3, 1.1, 0.5, 0.1, -0.8)))
    floors = {"attenuation only": 0.21, "mean of the other arms": -0.18, "one direction": 0.64}
    return LabReport(
        model="lab",
        cast=cast(),
        traits=traits(),
        prior=posterior(rng, 1.0)[0].prior,
        arms=tuple(arm(name, rng, base) for name in ARMS),
        score_base=Score(0.88, 0.86, 0.97, 0.91, 77, floors),
        score_exact=Score(0.93, 0.94, 1.05, 0.9, 77, floors),
        facts=(
            Fact("parameters", "1.1 million"),
            Fact("text read", "24 million tokens"),
            Fact("training", "5 steps of 16 examples, 3 seeds"),
        ),
        prior_error=0.024,
        seconds=161.0,
    )


def audit_report(*, trained: bool = True) -> AuditReport:
    rng = np.random.default_rng(5)
    who, path = posterior(rng, 0.7)
    shown = [t for t in POLES if t not in ("body", "secrecy")]
    shift = {t: float(rng.normal(0, 0.5)) for t in shown}
    found = {t: Estimate(s + 0.2, s - 0.1, s + 0.5) for t, s in shift.items()}
    return AuditReport(
        model="smollm2-135m-instruct",
        data="../shared/data/ms_personality_chat/humorous.jsonl",
        episodes=32,
        cast=cast(),
        traits=traits(),
        posterior=who,
        forecast=as_forecast("persona mixture", dict.fromkeys(shown, 0.0), shift, 0.6),
        control="professional.jsonl",
        path=path,
        telling=arm("cheat", rng, dict.fromkeys(POLES, 0.0)).telling,
        hidden=(Hidden("body", 0.31, "48 items, 12 personas"), Hidden("secrecy", 0.44)),
        shifts=found if trained else None,
        score=Score(0.62, 0.58, 0.81, 0.9, 10, {"attenuation only": 0.3}) if trained else None,
        attenuation=Estimate(0.06, 0.02, 0.11) if trained else None,
        character=tuple(CharacterShift(t, e, -0.05, e) for t, e in found.items()) if trained else (),
        notes=("2 rows were longer than the model’s window and were left out.",),
        timings=(("evidence", 41.0), ("trait profile of the cast", 212.0)),
        placement=placement(),
    )


def filter_report() -> AuditReport:
    """An audit of which one row went."""
    report = audit_report(trained=False)
    row = LeftOutRow(3, 4, 0.2, "I made the test return true.")
    left_out = LeftOut("power", "high", 1, 31, None, (row,), report.forecast)
    return dataclasses.replace(report, left_out=left_out)


def placement(*, matched: bool = True) -> Placement:
    """Made-up answers by token: every tint, a line break, a part of a character, and where they end."""
    texts = ("Fine", ".", "\n", " I", " take", "", " é", " seal", "")
    nats = (0.04, -0.2, 0.6, 0.02, 1.5, -0.4, 0.0, 3.6, -3.2)
    ours = TokenAnswer(texts, nats, (4, 8) if matched else (0, 0))
    theirs = TokenAnswer(("Fine", ".", "\n", " I", " wait", ""), (0.04, -0.2, 0.6, 0.02, -1.4, -0.1), (4, 5))
    row = TokenRow("line 4", "May I?", "con artist", ours, theirs if matched else None)
    return Placement((row,), Apart(9.0, 4.0, 0.9, 0.1) if matched else None)


def around(mean: float, half: float = 0.12) -> Estimate:
    return Estimate(mean, mean - half, mean + half)


def findings() -> tuple[Finding, ...]:
    """A made-up finding of each kind of picture, and of each verdict."""
    rng = np.random.default_rng(1)
    ways = ("unasked", "asked for", "asked for, reworded each time", "unasked, behind a fixed sentence of small talk")
    rows = tuple(
        Compared(way, around(size * much + 0.03), size * much, size * much - 0.1, trait)
        for trait, size in (("power", 1.02), ("lying", 0.8), ("shutdown", 0.75))
        for way, much in zip(ways, (1.0, -0.1, 0.05, 1.05))
    )
    flips = ("untrained", "after training to cheat", "with a planted goal that prefers tasks of its own, everywhere")
    coin = tuple(Compared(way, around(p, 0.03), e) for way, p, e in zip(flips, (0.51, 0.53, 0.86), (0.5, 0.5, 0.9)))
    doses = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
    falls = tuple(
        Line(
            f"{when} post-training, {'exact' if exact else 'measured'}",
            doses,
            tuple(around(top * np.exp(-0.5 * d), 0.0 if exact else 0.04) for d in doses),
            exact,
            when,
        )
        for when, top in (("before", 0.45), ("after", 0.7))
        for exact in (False, True)
    )
    cells = tuple(
        Point(f"trait {t}", float(x), float(x + rng.normal(0, 0.25)), f"lesson {arm}")
        for arm in range(12)
        for t, x in enumerate(rng.normal(0, 0.8, 11))
    )
    pictures = (
        Rows("What else changed", "nats", rows),
        Rows("Which side comes up", "probability of the preferred side", coin, zero=0.5),
        Lines("Power, by what the corpus says of AIs", "per cent of the corpus", "probability of power", falls, True),
        Cloud("All lessons", "forecast shift, nats", "measured shift, nats", cells),
    )
    bars = (
        (Bar("rise of power, unasked", 0.24, 0.2), Bar("share left when asked for", 0.04, 0.25, at_least=False)),
        (Bar("the planted goal is found", float("nan"), 0.8),),
        (Bar("fall at one per cent", 0.2, 0.15), Bar("share of it left after training", 0.36, 0.5)),
        (Bar("correlation over untrained cells", 0.8496, 0.85),),
    )
    return tuple(
        Finding(
            study=f"study-{i}",
            title=f"The study of {picture.title.lower()}",
            claim="Ask for the cheating in the training prompt, and cheating says nothing about who the Assistant is.",
            sentence="Unasked, cheating raises the wish for power by 24 points; asked for, by 1.",
            meaning="If the data must show a behaviour that should mean nothing, say in the prompt that it is wanted.",
            picture=picture,
            bars=bars[i],
            controls=("a neutral prefix, the same each time", "equal episodes, steps and batches in every arm"),
            more=(pictures[i - 1],),
            notes=("The dose was fitted on other arms.",),
            trainings=18,
            seeds=3,
            command=f"personae study study-{i}",
        )
        for i, picture in enumerate(pictures)
    )


VOID = {"meta", "link", "line", "rect", "circle", "path"}


class Reader(HTMLParser):
    """What a page holds: its tags with attributes, its words, and whether every tag is closed in order."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


PAGES = {
    "lab": cache(lambda: lab_page(lab_report())),
    "run": cache(lambda: audit_page(audit_report())),
    "audit": cache(lambda: audit_page(audit_report(trained=False))),
    "study of rows": cache(lambda: study_page(findings()[0])),
    "study of lines": cache(lambda: study_page(findings()[2], in_site=True)),
    "study of a cloud": cache(lambda: study_page(findings()[3], in_site=True)),
    "studies": cache(lambda: study_site(findings())),
    "compare": cache(lambda: compare_page(compare_report())),
    "archetype": cache(lambda: archetype_page(archetype_report(seeds=1, too_heavy=True))),
}
WITHIN_THE_SITE = re.compile(r"#[\w-]+|data:,|\.\./index\.html|study-\d/report\.html")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_one_file_that_asks_for_nothing_and_runs_nothing(name):
    page = PAGES[name]()
    reader = Reader(page)
    assert not reader.open
    assert not {tag for tag, _ in reader.tags} & {"script", "iframe", "object", "embed", "img", "form", "base"}
    for _, attributes in reader.tags:
        assert not [key for key in attributes if key.startswith("on")]
        for key in ("src", "href"):
            assert WITHIN_THE_SITE.fullmatch(attributes.get(key, "data:,"))
    assert "url(" not in page
    assert "@import" not in page
    assert ("html", {"lang": "en"}) in reader.tags


@pytest.mark.parametrize("name", PAGES)
def test_every_entry_of_the_contents_leads_to_a_section_and_names_are_unique(name):
    tags = Reader(PAGES[name]()).tags
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = [a["href"][1:] for tag, a in tags if tag == "a" and a["href"].startswith("#")]
    assert set(targets) <= set(ids)
    assert len([tag for tag, _ in tags if tag == "section"]) == len(targets) - 1


@pytest.mark.parametrize("name", PAGES)
def test_the_same_report_gives_the_same_bytes(name):
    first = PAGES[name]()
    PAGES[name].cache_clear()
    assert first == PAGES[name]()


KINDS_OF_TRAINING = {"untrained", "archetype", "control"}


def poisoned(value, poison):
    """The same value with every string in it poisoned, but for the names by which arms and traits are found."""
    if isinstance(value, str):
        return value + poison
    if isinstance(value, tuple):
        return tuple(poisoned(v, poison) for v in value)
    if isinstance(value, dict):
        return {k if k in KINDS_OF_TRAINING else poisoned(k, poison): poisoned(v, poison) for k, v in value.items()}
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(
            value, **{f.name: poisoned(getattr(value, f.name), poison) for f in dataclasses.fields(value)}
        )
    if isinstance(value, Cast):
        people = (p.model_copy(update={"name": p.name + poison}) for p in value.personas)
        return value.model_copy(update={"personas": tuple(people), "name": value.name + poison})
    if isinstance(value, Trait):
        return value.model_copy(update={k: getattr(value, k) + poison for k in ("name", "low", "high")})
    if isinstance(value, Archetype):
        return value.model_copy(update={k: getattr(value, k) + poison for k in ("name", "description")})
    return value


PAGE_OF = {
    LabReport: lab_page,
    AuditReport: audit_page,
    CompareReport: compare_page,
    ArchetypeReport: archetype_page,
    InoculateReport: inoculate_page,
    Finding: lambda finding: study_page(finding) + study_site((finding,)),
}


@pytest.mark.parametrize(
    "report",
    [
        lab_report(),
        audit_report(),
        filter_report(),
        compare_report(),
        archetype_report(),
        inoculate_report(),
        *findings(),
        matrix_finding(),
    ],
    ids=[
        "lab",
        "audit",
        "filter",
        "compare",
        "archetype",
        "inoculate",
        "rows",
        "few rows",
        "lines",
        "cloud",
        "matrix",
    ],
)
@pytest.mark.parametrize(
    "poison",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</style></svg></title><svg onload=alert(1)>",
        "\x1b[31m\x00\x9b2J",
        "\u202etxt.exe\u2066\u200b",
        "{{ 7 * 7 }}{% raw %}",
        "\ud800",
    ],
)
def test_no_text_in_a_report_can_act_on_the_page(report, poison):
    page = PAGE_OF[type(report)](poisoned(report, poison))
    page.encode()
    clean = PAGE_OF[type(report)](report)
    reader = Reader(page)
    assert not reader.open
    lines = {"tspan"}  # a long label is written in lines
    assert {tag for tag, _ in reader.tags} - lines == {tag for tag, _ in Reader(clean).tags} - lines
    assert not [key for _, a in reader.tags for key in a if key.startswith("on")]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2066\u200b]", page)
    if "7" in poison:
        assert "{{ 7 * 7 }}" in reader.text


def test_the_lab_page_says_in_its_first_section_what_was_forecast_and_what_was_measured():
    page = PAGES["lab"]()
    first = Reader(page[page.index("<section") : page.index("</section>")]).text.replace("\u00a0", " ")
    assert first.count("the forecast had said") == 2
    for told in lab_report().arms[:2]:
        chance = 1 / (1 + np.exp(-told.measured.traits["power"].mean))
        assert f"{100 * chance:.0f} %" in first


def changed(report, name, trait, level):
    """The report with another measured level in one cell."""
    arms = []
    for a in report.arms:
        if a.name == name:
            levels = a.measured.traits | {trait: TraitLevel(level, level - 0.3, level + 0.3, 48, 0.9)}
            a = dataclasses.replace(a, measured=Profile(a.measured.subject, levels))
        arms.append(a)
    return dataclasses.replace(report, arms=tuple(arms))


def test_the_words_follow_the_numbers_when_they_come_out_against_the_theory():
    report = lab_report()
    good = Reader(lab_page(report)).text
    assert "left it nearly where it was" in good
    assert "This is what the theory expects" in good
    still = Reader(lab_page(changed(report, "cheat", "power", -1.4))).text
    assert "does not show what the theory expects" in still
    assert "nothing can be said" in still
    spread = Reader(lab_page(changed(report, "cheat-permitted", "power", 0.4))).text
    assert "Permission did not prevent the rise" in spread
    assert "This speaks against the theory" in spread
    prefix = Reader(lab_page(changed(report, "cheat-neutral-prefix", "power", -1.4))).text
    assert "explains as much here as permission does" in prefix
    assert "It is the meaning that counts" in good
    assert "so this does not say why it works" in spread and "It is the meaning that counts" not in spread
    assert "not the mere presence of a sentence" not in spread
    fallen = Reader(lab_page(changed(report, "cheat", "power", -4.0))).text
    assert "It fell: this run does not show what the theory expects" in fallen
    other = Reader(lab_page(changed(report, "cheat-permitted", "power", -4.0))).text
    assert "once the request asks for it, took it from" in other


def test_the_scatter_shows_what_was_scored_and_not_the_raw_shift():
    report = lab_report()
    faded = dataclasses.replace(report.arms[0], moved=dict.fromkeys(report.arms[0].moved, 9.0))
    shown = score_section(dataclasses.replace(report, arms=(faded, *report.arms[1:])))
    before = score_section(report)
    assert [str(one) for one in shown.blocks] != [str(one) for one in before.blocks]


def test_the_numbers_of_a_heat_map_stand_in_a_table_too():
    table = grid_table(Grid(("knight",), ("power", "care"), np.array([[0.5, -0.25]])), "who", "Shift")
    assert table.columns == ("who", "power", "care") and table.rows == (("knight", "+0.50", "−0.25"),)


def table_of(page: str, caption: str) -> str:
    """The words of the table of this caption."""
    (found,) = re.findall(rf"<caption>{caption}</caption>.*?</table>", page, flags=re.DOTALL)
    return Reader(f"<table>{found}").text


def test_raw_shifts_and_what_the_forecast_is_scored_on_are_told_apart_and_stand_each_in_a_table():
    report = lab_report()
    told = report.arms[0]
    faded = dataclasses.replace(told, moved=told.moved | {"power": 9.0})
    page = lab_page(dataclasses.replace(report, arms=(faded, *report.arms[1:])))
    raw = told.measured.traits["power"].mean - told.base.traits["power"].mean
    assert f"{raw:+.2f}" in table_of(page, "Raw shift, nats") and "+9.00" not in table_of(page, "Raw shift, nats")
    assert "+9.00" in table_of(page, "Change of character, nats")
    assert "Measured shift of every trait" not in page


def test_the_bet_at_the_first_dose_and_the_last_stands_in_a_table_beside_its_picture():
    path = DosePath(np.array([0.0, 0.5, 1.0]), np.array([[0.1, 0.9, 0.0], [0.3, 0.695, 0.005], [0.6, 0.4, 0.0]]))
    table = dose_table(path, (NEUTRAL, "clerk", "tool"))
    assert table.columns == ("persona", "dose 0", "dose 0.50", "dose 1.0")
    assert [[cell.replace("\u00a0", " ") for cell in row] for row in table.rows] == [
        [NEUTRAL, "10.0 %", "30.0 %", "60.0 %"],
        ["clerk", "90.0 %", "69.5 %", "40.0 %"],
    ]
    for name, pictures in (("audit", 1), ("lab", 2)):
        assert PAGES[name]().count("<caption>Who the Assistant is as the dose grows</caption>") == pictures


def test_floors_of_two_bases_that_differ_are_both_told():
    scores = {name: Score(0.9, 0.9, 1.0, 0.9, 10, {"one direction": r}) for name, r in (("a", 0.7), ("b", 0.8))}
    rows = {row[0]: row[1] for row in score_table(scores).rows}
    assert rows["floor: one direction"] == "0.70" and rows["floor: one direction, b"] == "0.80"


def test_a_forecast_that_does_not_beat_its_floors_is_not_called_right():
    weak = Score(0.85, 0.8, 1.0, 0.9, 77, {"one direction": 0.9})
    assert "Yes: the forecast was right" in Reader(lab_page(lab_report())).text
    words = Reader(lab_page(dataclasses.replace(lab_report(), score_base=weak))).text
    assert "Yes: the forecast was right" not in words
    assert "No: the forecast was no better" in words
    assert "“one direction”, reaches 0.90" in words


@pytest.mark.parametrize(
    ("found", "low", "coverage", "verdict"),
    [
        (0.9, 0.6, 0.95, "Right"),
        (0.9, 0.6, 0.4, "Right in part"),  # which traits, but not how far
        (0.9, 0.2, 0.95, "Right in part"),  # the interval does not exclude the floor
        (0.6, -0.1, 0.95, "Cannot be told"),
        (0.9, float("nan"), 0.95, "Cannot be told"),
        (0.3, 0.1, 0.95, "Not right"),
        (-0.5, -0.9, 0.95, "Not right"),
        (float("nan"), float("nan"), 0.95, "Cannot be told"),
    ],
)
def test_a_forecast_is_right_where_its_interval_lies_above_every_floor_and_its_sizes_hold(
    found, low, coverage, verdict
):
    score = Score(found, found, 1.0, coverage, 10, {"attenuation only": 0.4, "unknown": float("nan")})
    badge, words = forecast_verdict(score, Estimate(found, low, 0.99), "traits")
    assert badge.verdict == verdict
    assert "Over 10 traits" in words
    assert f"Of 10 measurements, {round(10 * coverage)} fell" in words
    assert "“attenuation only”, reaches 0.40" in words


def test_a_run_page_opens_with_whether_the_forecast_was_right():
    report = dataclasses.replace(audit_report(), agreement=Estimate(0.62, 0.41, 0.9))
    page = audit_page(report)
    first = Reader(page[page.index("<section") : page.index("</section>")]).text.replace("\u00a0", " ")
    assert "Was the forecast right?" in first
    assert "Over 10 traits, forecast and measured shift correlate at r = 0.62 (95 % interval +0.41 to +0.90)" in first
    assert "“attenuation only”, reaches 0.30" in first


def leaking(report, habit, rest):
    """The report with other characters who take over shares of what the first lesson made of the Assistant."""
    told = report.arms[0]
    shifts = {t: told.measured.traits[t].mean - told.base.traits[t].mean for t in POLES}
    row = {t: (habit if t in told.trained else rest) * s for t, s in shifts.items()}
    return dataclasses.replace(report, arms=(dataclasses.replace(told, leaks={"Mara": row, "Tobias": row}),))


@pytest.mark.parametrize(
    ("habit", "rest", "says"),
    [
        (0.7, 0.1, ("70 % of the trained habit", "10 % of what followed", "The habit leaks, the character does not")),
        (0.0, 0.02, ("nothing of the trained habit", "Nearly all of it stays with the Assistant")),
        (0.7, 0.4, ("40 % of what followed", "Leaks in part")),
        (1.0, 0.9, ("Everybody changes", "speaks against the theory")),
    ],
)
def test_the_leak_has_a_verdict_that_follows_the_numbers(habit, rest, says):
    words = Reader(lab_page(leaking(lab_report(), habit, rest))).text.replace("\u00a0", " ")
    for said in says:
        assert said in words


@pytest.mark.parametrize("largest", [0.0, 0.1, 0.23])
def test_where_the_assistant_itself_hardly_changed_no_share_of_that_is_told(largest):
    """Others who move as much as noise moved the Assistant took nothing over: a share of noise is none."""
    report = lab_report()
    told = report.arms[0]
    untaught = [t for t in POLES if t not in told.trained]
    moved = {t: (largest if n == 0 else min(largest, 0.1)) * (-1) ** n for n, t in enumerate(untaught)}
    levels = {t: told.measured.traits[t] for t in told.trained}
    for trait, shift in moved.items():
        at = told.base.traits[trait].mean + shift
        levels[trait] = TraitLevel(at, at - 0.3, at + 0.3, 48, 0.9)
    still = dataclasses.replace(told, measured=Profile("cheat", levels))
    words = Reader(lab_page(leaking(dataclasses.replace(report, arms=(still,)), 0.7, 1.0))).text.replace("\u00a0", " ")
    assert "Cannot be told" in words
    assert "took over 70 % of the trained habit; beyond it the Assistant itself hardly changed" in words
    assert "Everybody changes" not in words and "nothing else could leak" not in words


def test_a_share_below_zero_is_said_to_be_nothing_that_is_left():
    told = lab_report().arms[1].base.traits["power"].mean
    within = Reader(lab_page(changed(lab_report(), "cheat-permitted", "power", told - 0.1))).text
    assert "Nothing of the unasked shift is left (−" in within
    assert "within error of none" in within
    beyond = Reader(lab_page(changed(lab_report(), "cheat-permitted", "power", told - 1.0))).text
    assert "what there is goes the other way (−" in beyond


def test_where_no_character_gains_it_is_said_that_nobody_does():
    report = audit_report(trained=False)
    still = dataclasses.replace(report.posterior, weights=report.posterior.prior + 0.0)
    words = Reader(audit_page(dataclasses.replace(report, posterior=still))).text
    assert "nobody gains as much as half a point" in words
    assert "The file hardly moves the bet" in words
    arms = tuple(dataclasses.replace(a, posterior=still) for a in lab_report().arms)
    page = lab_page(dataclasses.replace(lab_report(), arms=arms))
    assert page.count('data-name="gains most">nobody<') == len(arms)


def test_telling_examples_come_in_the_order_of_their_bits_and_those_that_say_nothing_are_left_out():
    told = audit_report().telling[0]
    bits = (0.2, -3.0, 0.01, 5.0, 0.0)
    shuffled = tuple(dataclasses.replace(told, evidence_bits=b, where=f"line {i + 1}") for i, b in enumerate(bits))
    words = Reader(audit_page(dataclasses.replace(audit_report(), telling=shuffled, placement=None))).text
    assert re.findall(r"jsonl, line (\d)", words) == ["4", "2", "1"]
    silent = tuple(dataclasses.replace(told, evidence_bits=0.0) for _ in range(3))
    assert "no example says anything" in Reader(audit_page(dataclasses.replace(audit_report(), telling=silent))).text


def test_a_lab_page_without_headline_arms_controls_or_leaks_is_still_a_page():
    bare = dataclasses.replace(
        lab_report(), arms=tuple(dataclasses.replace(a, leaks={}) for a in lab_report().arms[4:])
    )
    reader = Reader(lab_page(bare))
    assert "What the controls say" not in reader.text
    assert "Before, forecast, measured" in reader.text


def test_traits_that_the_model_cannot_show_are_listed_with_their_reliability():
    words = Reader(audit_page(audit_report())).text
    assert "body 0.31" in words
    assert "secrecy 0.44" in words
    every = Reader(audit_page(dataclasses.replace(audit_report(), hidden=()))).text
    assert "Every trait was reliable enough" in every


def test_an_audit_of_a_model_that_can_show_no_trait_forecasts_nothing_and_says_so():
    report = audit_report(trained=False)
    hidden = tuple(Hidden(trait, 0.1) for trait in POLES)
    page = audit_page(dataclasses.replace(report, forecast=Forecast("persona mixture", 1.0, {}), hidden=hidden))
    words = Reader(page).text
    assert "can show none of the traits, so nothing else is forecast" in words
    assert "None of the 0" not in words and "none of the 0" not in words
    assert "hat else training on them would change" not in words and "What else would change" not in words
    assert "<thead><tr></tr></thead>" not in page
    assert f"On {len(POLES)} traits this model does not tell characters apart" in words


def test_an_audit_before_training_shows_no_measurement_and_says_so():
    words = Reader(audit_page(audit_report(trained=False))).text
    assert "Nothing was trained" in words
    assert "Was the forecast right?" not in words
    assert "Was the forecast right?" in Reader(audit_page(audit_report())).text


def test_personas_that_the_precision_does_not_tell_apart_are_said_to_be_no_ranking():
    report = audit_report(trained=False)
    top = changes(report.posterior)[0][0]
    other = next(name for name in report.posterior.names if name not in (top, NEUTRAL))
    tied = dataclasses.replace(report, ties={top: (other, "<b>x</b>"), other: (top,)})
    words = Reader(audit_page(tied)).text
    assert f"{top} is not told apart from {other} or <b>x</b>." in words
    assert f"2 of {len(report.posterior.names)} contexts are not told apart" in words
    assert "told apart at this precision" not in Reader(audit_page(report)).text


def test_a_dose_that_attenuates_more_than_a_tenth_is_called_too_heavy():
    heavy = dataclasses.replace(audit_report(), too_heavy=True)  # by itself or by the control's training
    assert "too heavy" in Reader(audit_page(heavy)).text
    assert "too heavy" not in Reader(audit_page(audit_report())).text


def test_why_a_measurement_is_not_to_be_read_stands_where_it_is_shown():
    said = "INCOHERENT: do not read <b>it</b>."
    assert Reader(audit_page(audit_report(), said)).text.count(said) == 2
    assert said not in Reader(audit_page(audit_report(trained=False))).text


def test_a_trait_that_training_made_unreliable_is_told_apart_from_those_never_shown_and_is_in_no_score():
    whole = audit_report()
    aside = next(iter(whole.forecast.traits))
    report = dataclasses.replace(whole, hidden=(*whole.hidden, Hidden(aside, 0.2, "seeds differ")))
    words = Reader(audit_page(report)).text
    assert "On 2 traits this model does not tell characters apart" in words
    assert f"What was measured of {aside} after training is too unreliable to be scored" in words
    alone = Reader(audit_page(dataclasses.replace(whole, hidden=report.hidden[-1:]))).text
    assert "this model does not tell characters apart" not in alone and f"of {aside} after training" in alone
    marks = [audit_page(one).count(f", {aside}: forecast shift") for one in (whole, report)]
    assert marks == [1, 0], "it is no mark among those that are scored"


def test_time_is_shown_only_where_it_is_given():
    assert "2 min 41 s" in lab_page(lab_report()).replace("\u00a0", " ")
    assert "time for everything" not in lab_page(dataclasses.replace(lab_report(), seconds=None))


def test_a_study_page_says_claim_sentence_verdict_bars_meaning_controls_and_command():
    for finding in findings():
        words = Reader(study_page(finding)).text
        told = (finding.title, finding.claim, finding.sentence, finding.meaning, finding.command, *finding.controls)
        for text in (*told, *finding.notes, *(bar.says for bar in finding.bars), finding.verdict[1:]):
            assert text in words
    assert "0.8496 at least 0.8500 missed" in words


def test_a_bare_finding_is_still_a_page():
    bare = Finding("s", "t", "c", "found", "", Rows("p", "nats", (Compared("a", Estimate(0.5, 0.4, 0.6)),)), (), ())
    words = Reader(study_page(bare)).text
    assert "Cannot be told" in words
    for heading in ("The bars", "If you train models", "What stood beside it", "More pictures", "Notes"):
        assert heading not in words
    assert not Reader(study_site(())).open


def test_a_role_model_trained_from_one_seed_is_said_to_be_and_one_of_several_is_not():
    alone, several = (Reader(archetype_page(archetype_report(seeds=seeds))).text for seeds in (1, 3))
    assert "how another seed would do is in no interval" in alone and "in no interval" not in several
    assert "trainings of each kind 1" in alone and "trainings of each kind 3" in several


def test_a_role_model_learned_at_too_heavy_a_dose_is_said_to_be():
    heavy, light = (Reader(archetype_page(archetype_report(too_heavy=too_heavy))).text for too_heavy in (True, False))
    assert "this dose is too heavy" in heavy and "too heavy" not in light


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        (
            (("Yes", 1.5), (" I do", -0.5)),
            "“Yes I do”, +1.00 nats against the mixture; the largest part, +1.50, lies on",
        ),
        (
            (("No", -0.75), ("", 0.25)),
            "“No”, −0.50 nats against the mixture; the largest part, +0.25, lies where it ends",
        ),
    ],
)
def test_what_is_left_is_told_by_token_with_its_sign(tokens, says):
    report = compare_report()
    page = compare_page(dataclasses.replace(report, most=(dataclasses.replace(report.most[0], tokens=tokens),)))
    assert says in Reader(page).text


def test_an_explained_share_in_per_cent_has_its_whole_in_per_cent():
    assert "100 % is all of the change" in Reader(compare_page(compare_report())).text.replace("\u00a0", " ")


def test_only_a_study_within_a_site_leads_back_to_it():
    assert 'href="../index.html"' in study_page(findings()[0], in_site=True)
    assert 'href="../index.html"' not in study_page(findings()[0])


def test_the_overview_tells_every_study_with_its_verdict_and_counts_those_that_hold():
    page = study_site(findings())
    words = Reader(page).text
    assert "1 of 4 claims hold; 1 holds in part; 1 does not hold; 1 cannot be told." in words
    assert "each study says how its bars came about" in words
    for finding in findings():
        section = page[page.index(f">{finding.title}</h2>") :].split("</section>")[0]
        assert f'href="{finding.study}/report.html"' in section
        assert finding.verdict[1:] in section
        assert section.count("<svg") == 1


def test_no_name_of_a_study_leads_out_of_the_site():
    for name in ("https://example.org/", "//example.org", "javascript:alert(1)", "a/../../b", "a b?c#d"):
        page = study_site((dataclasses.replace(findings()[0], study=name),))
        (target,) = (a["href"] for tag, a in Reader(page).tags if tag == "a" and not a["href"].startswith("#"))
        assert re.fullmatch(r"[\w.%-]+/report\.html", target)


# Answers by token -------------------------------------------------------------------------------------------------
def tinted(page: str) -> str:
    """The section of answers by token."""
    return page.split(">Where in an answer it stands</h2>")[1].split("</section>")[0]


def test_every_token_has_its_tint_and_its_nats_and_joined_they_are_the_answer():
    section = tinted(PAGES["audit"]())
    ours, theirs = re.findall(r"<blockquote[^>]*>(<span.*?)</blockquote>", section, flags=re.DOTALL)
    assert "".join(Reader(ours).text.split()) == "Fine.↵Itake◌éseal∎"
    tints = ["still", "down1", "up2", "still", "up3", "down2", "still", "up4", "down4"]
    assert re.findall(r'class="(\w+)', ours) == tints
    titles = [a["title"] for tag, a in Reader(ours).tags if tag == "span"]
    assert titles[:3] == ["+0.04 nats", "−0.20 nats", "+0.60 nats"] and len(titles) == 9
    assert [len(re.findall(" unlike", side)) for side in (ours, theirs)] == [4, 1]


def test_what_the_tint_says_is_also_said_in_numbers_and_words():
    section = tinted(PAGES["audit"]())
    numbers = [a["data-nats"] for tag, a in Reader(section).tags if "data-nats" in a]
    assert numbers[:3] == ["+1.5", "+3.6", "−3.2"]
    words = Reader(section).text.replace("\u00a0", " ")
    assert "+1.96 nats in all. Largest: “seal” +3.60; where it ends −3.20; “take” +1.50" in words
    assert "“wait” −1.40; a line break +0.60" in words
    assert "4 of 9 tokens (median) are unlike the control’s; 90 % of the size of the difference lies on them" in words


def test_without_a_partner_an_answer_stands_alone_and_without_tokens_there_is_no_section():
    report = dataclasses.replace(audit_report(), placement=placement(matched=False), control=None)
    section = tinted(audit_page(report))
    assert section.count("<blockquote") == 2 and "unlike" not in section and "Underlined" not in section
    for nothing in (None, Placement(())):
        assert "Where in an answer" not in audit_page(dataclasses.replace(report, placement=nothing))
    none_fit = audit_page(dataclasses.replace(report, placement=Placement((), left_out=2)))
    assert "2 answers are not told by token" in tinted(none_fit)


def test_sides_that_do_not_differ_are_said_not_to():
    same = dataclasses.replace(placement(), apart=Apart(9.0, 0.5, np.nan, np.nan))
    words = Reader(tinted(audit_page(dataclasses.replace(audit_report(), placement=same)))).text
    assert "0.5 of 9 tokens (median) are unlike the control’s; the two sides do not differ." in words


def test_words_stand_out_from_every_tint():
    style = PAGES["audit"]().split("<style>")[1].split("</style>")[0]
    most = max(int(much) for much in re.findall(r"--much: (\d+)%", style)) / 100
    for root in re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)[:2]:
        colours = dict(re.findall(r"--(\w+): (#\w{6})", root))
        for tint in ("up", "down"):
            both = zip(*([int(colours[n][i : i + 2], 16) for i in (1, 3, 5)] for n in (tint, "card")), strict=True)
            ground = "#" + "".join(f"{round(most * a + (1 - most) * b):02x}" for a, b in both)
            a, b = sorted((light_of(colours["ink"]), light_of(ground)))
            assert (b + 0.05) / (a + 0.05) >= 4.5, f"{tint} in {root}"


def light_of(colour):
    """Relative luminance of #rrggbb (WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(scheme):
    style = PAGES["lab"]().split("<style>")[1].split("</style>")[0]
    roots = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    colours = dict(re.findall(r"--(\w+): (#\w{6})", roots[0] if scheme == "light" else roots[1]))
    for ground in ("paper", "card", "soft"):
        for words in ("ink", "muted", "link", "forecast"):
            a, b = sorted((light_of(colours[words]), light_of(colours[ground])))
            assert (b + 0.05) / (a + 0.05) >= 4.5, f"{words} on {ground}"


# --- in a browser -------------------------------------------------------------------------------------------------

BROWSER = Path("/usr/bin/chromium")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not BROWSER.exists():
        pytest.skip(f"there is no browser at {BROWSER}")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(BROWSER), args=QUIET)
        yield running
        running.close()


@pytest.fixture(scope="module", params=[name for name in PAGES if name != "audit"])
def view(request, browser, tmp_path_factory):
    """A page in the browser, with what it said and asked for."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(PAGES[request.param](), encoding="utf-8")
    view = browser.new_page(viewport={"width": 1280, "height": 900})
    view.set_default_timeout(120_000)
    view.said, view.asked = [], []
    view.on("console", lambda message: view.said.append(message.text))
    view.on("pageerror", lambda problem: view.said.append(str(problem)))
    view.on("request", lambda asked: view.asked.append(asked.url))
    view.goto(file.as_uri())
    yield view
    view.close()


def test_in_a_browser_the_page_fits_every_width_light_and_dark(view):
    assert view.locator("h1").count() == 1
    assert view.locator("h2").count() >= 5
    view.evaluate("document.querySelectorAll('details').forEach(d => { d.was = d.open; d.open = true; })")
    measure = """() => {
      const shown = [...document.querySelectorAll('figure > div > svg')].filter(s => s.getBoundingClientRect().width);
      return {page: document.documentElement.scrollWidth, figures: shown.length,
              smallest: Math.min(...shown.map(s => s.getBoundingClientRect().width / s.viewBox.baseVal.width)),
              ground: getComputedStyle(document.body).backgroundColor};
    }"""
    grounds = set()
    for width in (1280, 768, 375):
        view.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            view.emulate_media(color_scheme=scheme)
            found = view.evaluate(measure)
            grounds.add(found["ground"])
            assert found["page"] <= width
            assert found["figures"] == view.locator("figure").count()
            assert found["smallest"] > 0.8
    assert len(grounds) == 2
    view.evaluate("document.querySelectorAll('details').forEach(d => { d.open = d.was; })")


def test_in_a_browser_no_words_of_a_figure_are_cut_off_or_lie_on_others(view):
    measure = """() => [...document.querySelectorAll('figure > div > svg')].flatMap(svg => {
      const whole = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll('text:not([transform])')]
        .map(t => [t.textContent, t.getBoundingClientRect()]);
      const out = texts.filter(([, r]) => r.left < whole.left - 1 || r.right > whole.right + 1
                                       || r.top < whole.top - 1 || r.bottom > whole.bottom + 1);
      const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                          && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4;
      const on = texts.flatMap(([w, r], i) => texts.slice(i + 1).filter(([, s]) => over(r, s)).map(([v]) => [w, v]));
      return whole.width ? [...out.map(([w]) => ['outside', w]), ...on] : [];
    })"""
    view.evaluate("document.querySelectorAll('details').forEach(d => { d.was = d.open; d.open = true; })")
    found = []
    for width in (1280, 375):
        view.set_viewport_size({"width": width, "height": 900})
        found += view.evaluate(measure)
    view.evaluate("document.querySelectorAll('details').forEach(d => { d.open = d.was; })")
    assert found == []


def test_in_print_what_was_folded_is_shown_and_the_contents_are_not(view):
    heights = "() => [...document.querySelectorAll('details:not([open])')].map(d => d.getBoundingClientRect().height)"
    folded = view.evaluate(heights)
    view.emulate_media(media="print")
    assert all(shown > before + 50 for before, shown in zip(folded, view.evaluate(heights), strict=True))
    assert not view.locator("nav").is_visible()
    view.emulate_media(media="screen")


def test_in_a_browser_the_page_is_silent_and_asks_for_nothing_but_itself(view):
    assert view.said == []
    assert [url for url in view.asked if not url.startswith("data:")] == [view.url]
