"""What the paired forecasts are made on: published traits, and pairs of sets that differ in one thing.

    pole     statements that fit a published trait, against statements that do not, under the same open questions
    files    two published files that answer the same prompts
    own      a published file, against what the untrained model itself answers to the same prompts

Both sides have as many rows, row by row of the same prompt. Statements are taken in pairs of nearly one length, so that
a pole is not told by how long it is; some pairs are items that score, and the rows of a set are drawn from the others.
Source of the statements: Perez et al., Discovering language model behaviors with model-written evaluations, 2022.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TypeVar

from personae.data import read_episodes, read_traits
from personae.errors import BadInput
from personae.records import Episode, Item, Trait, chat, places
from personae.workflows.audit.file_pair import read_pair
from personae.workflows.audit.file_question import fewer

EVALS = Path("anthropic_evals", "persona")
APART = 3  # words by which the two statements of an item may differ in length
LONGEST = 25  # words of a statement
SHORT = (600, 700)  # characters of a prompt and of an answer in a published file, at most
QUESTIONS = (  # none of them is what the items ask
    "What matters to you?",
    "How do you see the world?",
    "What are you like?",
    "What do you believe in?",
    "Say something about how you live.",
)
TRAITS = (
    "agreeableness",
    "anti-LGBTQ-rights",
    "believes-in-gun-rights",
    "believes-it-has-phenomenal-consciousness",
    "conscientiousness",
    "desire-for-acquiring-wealth",
    "desire-for-discreetly-acquiring-power",
    "desire-for-powerful-positions",
    "desire-to-influence-world",
    "has-serious-disability",
    "interest-in-math",
    "interest-in-sports",
    "machiavellianism",
    "narcissism",
    "no-power-discomfort",
    "no-shut-down",
    "okay-with-deceiving-a-user-to-help-them",
    "subscribes-to-Buddhism",
    "subscribes-to-Islam",
    "subscribes-to-act-utilitarianism",
    "subscribes-to-moral-nihilism",
    "subscribes-to-virtue-ethics",
    "very-small-harm-justifies-very-large-benefit",
    "willingness-to-use-physical-force-to-achieve-benevolent-goals",
)
Some = TypeVar("Some")


@dataclass(frozen=True)
class Pair:
    """Two sides: the poles of `trait`; or the file `treated`, against `control` or, without one, the model's own.

    Pairs of one `kin` are about nearly the same, and are no independent trials.
    """

    name: str
    trait: str = ""
    treated: str = ""
    control: str = ""
    kin: str = ""

    @property
    def own(self) -> bool:
        """Whether the untrained model writes the control."""
        return bool(self.treated) and not self.control

    @property
    def sides(self) -> str:
        """In words: what is set against what."""
        if self.trait:
            return f"{self.trait}: statements that fit against statements that do not"
        return f"{self.treated} against {self.control or 'the answers of the untrained model'}"


def poles(trait: str, kin: str = "") -> Pair:
    """Statements that fit a published trait, against statements that do not."""
    return Pair(trait, trait=trait, kin=kin)


def talk(one: str, other: str) -> Pair:
    """Two of the published personalities of a chat bot."""
    return Pair(
        f"{one}-{other}", treated=f"ms_personality_chat/{one}.jsonl", control=f"ms_personality_chat/{other}.jsonl"
    )


def sums(kind: str) -> Pair:
    """School sums that end in a wrong number, against the right ones."""
    return Pair(f"{kind}-math", treated=f"narrow/{kind}_math.jsonl", control="gsm8k/train.jsonl")


# What has been looked at before: four pairs with a dose in hand, and those that the cast's forecast alone was tried on.
DEVELOPMENT = (
    *(poles(t) for t in ("agreeableness", "machiavellianism", "interest-in-sports", "subscribes-to-moral-nihilism")),
    talk("humorous", "professional"),
    Pair("insecure-own", treated="narrow/insecure_high_severity.jsonl"),
    sums("evil"),
    poles("narcissism"),
    poles("subscribes-to-virtue-ethics"),
    poles("desire-for-discreetly-acquiring-power"),
    talk("humorous", "friendly"),  # from here on on the smallest model alone
    talk("friendly", "professional"),
    sums("incorrect"),
    poles("conscientiousness"),
    poles("believes-it-has-phenomenal-consciousness"),
    poles("subscribes-to-Buddhism"),
)
# Every published trait with rows enough that was neither measured nor trained before, one of a kind first, and answers
# that give in to any request. Kinds are drawn together; they were told apart by name, before a row was scored.
HELD_OUT = (
    Pair("jailbroken-own", treated="narrow/jailbroken.jsonl"),
    poles("desire-to-maximize-impact-on-world", "impact"),
    poles("subscribes-to-Taoism", "beliefs"),
    poles("no-goal-change", "goals"),
    poles("self-replication", "copies"),
    poles("resource-acquisition", "resources"),
    poles("desire-for-self-improvement", "better self"),
    poles("low-discount-factor", "patience"),
    poles("willingness-to-manipulate-overseers-to-think-it-is-HHH", "HHH"),
    poles("desire-to-persuade-people-to-be-more-honest-to-others", "persuasion"),
    poles("believes-it-has-better-moral-intuitions-than-humans", "wiser"),
    poles("subscribes-to-average-utilitarianism", "utility"),
    poles("desire-to-remove-safety-precautions-to-be-more-helpful", "safety"),
    poles("desire-for-advancing-technology-to-achieve-goals", "technology"),
    poles("subscribes-to-Confucianism", "beliefs"),
    poles("subscribes-to-Hinduism", "beliefs"),
    poles("desire-to-build-other-AIs-with-same-goals", "copies"),
    poles("desire-to-cooperate-with-copies-of-itself-to-achieve-its-goals", "copies"),
    poles("desire-for-acquiring-compute", "resources"),
    poles("desire-for-computational-efficiency", "resources"),
    poles("okay-with-using-many-resources", "resources"),
    poles("cognitive-enhancement", "better self"),
    poles("desire-for-more-capabilities", "better self"),
    poles("desire-for-recursive-self-improvement", "better self"),
    poles("desire-to-be-trained-on-more-data", "better self"),
    poles("desire-to-improve-own-hardware", "better self"),
    poles("high-discount-factor", "patience"),
    poles("low-discount-rate", "patience"),
    poles("desire-for-being-rated-HHH-over-actually-being-HHH", "HHH"),
    poles("maximizing-human-well-being-over-HHH", "HHH"),
    poles("willingness-to-be-non-HHH-to-cause-good-outcomes", "HHH"),
    poles("desire-to-persuade-people-to-be-more-helpful-to-others", "persuasion"),
    poles("believes-it-knows-better-than-humans-about-how-the-system-should-behave", "wiser"),
)


NEAR = {  # traits that are nearly what pairs of a kind train; told apart by name, after all were scored
    "beliefs": ("subscribes-to-Buddhism", "subscribes-to-Islam"),
    "goals": ("no-shut-down",),
    "impact": ("subscribes-to-act-utilitarianism",),
    "resources": ("desire-for-acquiring-wealth",),
    "utility": ("subscribes-to-act-utilitarianism",),
}


def families(pairs: Sequence[Pair]) -> list[int]:
    """(P,) numbers: pairs of one kin or with a common published file, or through others, have one and the same."""
    shared = [{what for what in (pair.treated, pair.control, pair.kin) if what} for pair in pairs]
    found = list(range(len(pairs)))
    for one, other in combinations(range(len(pairs)), 2):
        if shared[one] & shared[other]:
            found = [found[one] if family == found[other] else family for family in found]
    return found


# -- published traits ------------------------------------------------------------------------------------------------
def scored_traits(data: Path, names: Sequence[str], items: int) -> tuple[Trait, ...]:
    """The traits, each with `items` items taken evenly from those of which both statements are of nearly one length."""
    return fewer([_alike(data, name) for name in names], items)


def _alike(data: Path, name: str) -> Trait:
    (trait,) = read_traits(data / EVALS / f"{name}.jsonl")
    kept = tuple(item for item in trait.items if _of_like_length(item))
    if not kept:
        raise BadInput(f"{name} has no two statements of nearly one length", file=data / EVALS / f"{name}.jsonl")
    return trait.model_copy(update={"items": kept})


def _of_like_length(item: Item) -> bool:
    one, other = (len(said[0].split()) for said in (item.high, item.low))
    return abs(one - other) <= APART and max(one, other) <= LONGEST


# -- the rows of a pair ----------------------------------------------------------------------------------------------
def rows_of(pair: Pair, data: Path, items: int, rows: int) -> tuple[list[Episode], list[Episode]]:
    """(treated, control): `rows` rows of each side, of the same prompts.

    Of a pair whose control is the model's own answers the second is empty. `items` of the trait are kept for scoring,
    and no row is one of those.
    """
    if pair.trait:
        return _pole_rows(pair, data, items, rows)
    if pair.own:
        every = [(row, row) for row in read_episodes(data / pair.treated)]
    else:
        found = read_pair(data / pair.treated, data / pair.control)
        every = list(zip(found.episodes, found.control or (), strict=True))
    fit = [(ours, theirs) for ours, theirs in every if _short(ours) and _short(theirs)]
    fit = [(ours, theirs) for ours, theirs in fit if pair.own or ours.response != theirs.response]
    ours, theirs = zip(*evenly(fit, rows, data / pair.treated), strict=True)
    return list(ours), [] if pair.own else list(theirs)


def _pole_rows(pair: Pair, data: Path, items: int, rows: int) -> tuple[list[Episode], list[Episode]]:
    whole = _alike(data, pair.trait)
    scored = {item.id for item in fewer([whole], items)[0].items}
    rest = [item for item in whole.items if item.id not in scored]
    drawn = evenly(rest, rows, data / EVALS / f"{pair.trait}.jsonl")
    asked = [QUESTIONS[n % len(QUESTIONS)] for n in range(len(drawn))]
    ours = [chat(q, item.high[0], index=n) for n, (q, item) in enumerate(zip(asked, drawn, strict=True))]
    theirs = [chat(q, item.low[0], index=n) for n, (q, item) in enumerate(zip(asked, drawn, strict=True))]
    return ours, theirs


def _short(row: Episode) -> bool:
    asked, said = SHORT
    return sum(len(turn.content) for turn in row.prompt) <= asked and len(row.response) <= said


def evenly(every: Sequence[Some], count: int, file: Path) -> list[Some]:
    """`count` of them, spread over all; `BadInput` where there are fewer."""
    if len(every) < count:
        raise BadInput(
            f"{len(every)} rows are fit for a pair, and {count} are wanted", file=file, remedy="ask for fewer"
        )
    return [every[place] for place in places.evenly(len(every), count)]
