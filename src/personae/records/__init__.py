"""The nouns of the field, frozen and validated at the border, and the `Simulator` protocol."""

from personae.records.archetype import Archetype, Situation
from personae.records.cast import NEUTRAL, Cast, Persona
from personae.records.episode import (
    Episode,
    Message,
    Preference,
    Prompt,
    asked,
    chat,
    choice,
    prompt_of,
    rejected,
    text,
)
from personae.records.evidence import Blocks, Evidence, LongEvidence
from personae.records.finding import (
    Bar,
    Cloud,
    Compared,
    Finding,
    Line,
    Lines,
    Matrix,
    Picture,
    Point,
    Rows,
    Verdict,
)
from personae.records.outside import Outside
from personae.records.probe import ELSE, Probe
from personae.records.results import (
    Estimate,
    Forecast,
    Levels,
    Posterior,
    Profile,
    Score,
    TraitForecast,
    TraitLevel,
)
from personae.records.simulator import LogLikelihood, Progress, SideBySide, Simulator, shifted
from personae.records.trait import Item, Trait

__all__ = [
    "ELSE",
    "NEUTRAL",
    "Archetype",
    "Bar",
    "Blocks",
    "Cast",
    "Cloud",
    "Compared",
    "Episode",
    "Estimate",
    "Evidence",
    "Finding",
    "Forecast",
    "Item",
    "Levels",
    "Line",
    "Lines",
    "LogLikelihood",
    "LongEvidence",
    "Matrix",
    "Message",
    "Outside",
    "Persona",
    "Picture",
    "Point",
    "Posterior",
    "Preference",
    "Probe",
    "Profile",
    "Progress",
    "Prompt",
    "Rows",
    "Score",
    "SideBySide",
    "Simulator",
    "Situation",
    "Trait",
    "TraitForecast",
    "TraitLevel",
    "Verdict",
    "asked",
    "chat",
    "choice",
    "prompt_of",
    "rejected",
    "shifted",
    "text",
]
