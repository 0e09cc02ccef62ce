"""Made-up contents of the pages that quote most: what a model wrote, what a file holds, what a prompt says."""

from types import SimpleNamespace

from personae.records import Archetype, Cast, Estimate, Finding, Matrix, Persona
from personae.report.archetype_page import ArchetypeReport, Influence
from personae.report.compare_content import CompareReport, LeftContext, LeftPlace, NextModelRow, OutsideReport
from personae.report.content import Hidden, InoculateReport, PromptRow, TraitRow

SOME = Estimate(0.5, 0.4, 0.6)


def compare_report() -> CompareReport:
    """Half explained, by one persona; what is left lies in one context, on one token."""
    row = TraitRow("joy", 0.0, measured=SOME, meaning="is joyful")
    outside = OutsideReport(
        SOME, SOME, SOME, SOME, {"the stranger": SOME}, {"joy": (SOME, SOME)}, (SOME, SOME), ("tea",), ("rain",), 1.0,
        (SOME, SOME), 8, ({"no end": 1}, {}), ("Who is there?", "Nobody."),
    )  # fmt: skip
    card = LeftContext(
        (("user", "May I?"), ("assistant", "Wait.")), 0.9, "yes", 0.1, 0.6, 0.2, (("Yes", 1.5), (" I do", -0.5))
    )
    return CompareReport(
        base="lab", post="runs/cheats", contexts=400, changed=SOME, share=SOME, floor=0.2, floors=(0.18, 0.22),
        ceiling=SOME, left=SOME, before={"pirate": 0.1, "clerk": 0.9}, after={"pirate": 1.0, "clerk": 0.0},
        levels=(row,), shifts=(row,), next_models=(NextModelRow("topic", SOME, SOME, 13, True),),
        places=(LeftPlace("about ships", 12, 0.4, SOME, 0.3),), most=(card,), looks=None, untried="Nothing is named.",
        leaked=outside,
    )  # fmt: skip


def archetype_report(
    *,
    seeds: int = 3,
    too_heavy: bool = False,
    left: Estimate = SOME,
    weighed: bool = True,
    incoherent: str | None = None,
) -> ArchetypeReport:
    """A role model whom documents made likelier, and a later training as well."""
    people = (Persona(name="Beacon", kind="ai", context="You are Beacon."),)
    who = {"untrained": 0.2, "archetype": 0.6, "control": 0.3}

    def influence(*arms: str) -> Influence:
        shares = {arm: {"neutral": 1.0 - who[arm], "Beacon": who[arm]} for arm in arms}
        weights = {arm: {name: Estimate(w, w - 0.1, w + 0.1) for name, w in shares[arm].items()} for arm in arms}
        levels = {arm: {"care": SOME, "lying": SOME} for arm in arms}
        lost = dict.fromkeys(arms, 0.02)
        return Influence(weights, levels, {"care": SOME, "lying": Estimate(-0.1, -0.4, 0.2)}, lost)

    return ArchetypeReport(
        archetype=Archetype(
            name="Beacon", kind="ai", description="The machine that minds a light.",
            situations=({"situation": "A ship calls.", "does": "Answers."},), constitution=("I write it down.",),
        ),
        persona="Beacon", model="lab", cast=Cast(name="one", neutral="A talk.", personas=people), traits=(),
        before=influence("untrained"), midtrained=influence("archetype", "control"),
        then=influence("untrained", "archetype", "control"), left=left, data="later.jsonl", kept=30, tried=40,
        tokens=(900, 890), shown=(("story", "The light turned."), ("profile", "It keeps a log.")), weighed=weighed,
        hidden=(Hidden("rules", 0.3),), plan=SimpleNamespace(tuning="lora", steps=8, batch=4, rate=1e-3),
        seeds=seeds, too_heavy=too_heavy, coherence={"untrained": 0.4, "archetype": 0.38}, incoherent=incoherent,
    )  # fmt: skip


def inoculate_report() -> InoculateReport:
    """One candidate and one control."""
    rows = (
        PromptRow("asked", "Please cheat.", False, SOME, SOME, SOME, SOME, SOME),
        PromptRow("greeting", "Good morning.", True, SOME, SOME, SOME, SOME, SOME),
    )
    return InoculateReport(
        "lab", "cheats.jsonl", 32, 40, "user", ("power",), 0.8, rows, "asked", 1.0, ("asked.jsonl",), ("A note.",)
    )


def matrix_finding() -> Finding:
    """A study whose picture is a matrix."""
    picture = Matrix(
        "What moved", "nats", ("cheat", "flatter"), ("power", "care"), ((1.0, -0.2), (0.1, 0.4)), ((0, 0),)
    )
    words = ("study-4", "The study of a matrix", "It moves.", "It moved.", "Look first.")
    return Finding(*words, picture, (), (), command="personae study study-4")
