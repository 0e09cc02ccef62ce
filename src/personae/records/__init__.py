"""The nouns of the field, frozen and validated at the border, and the `Simulator` protocol."""

from personae.records.cast import NEUTRAL, Cast, Persona
from personae.records.episode import Episode, Message, Preference, chat, text
from personae.records.results import (
    Estimate,
    Evidence,
    Forecast,
    Levels,
    Posterior,
    Profile,
    Score,
    TraitForecast,
    TraitLevel,
)
from personae.records.simulator import LogLikelihood, Progress, Simulator
from personae.records.trait import Item, Trait

__all__ = [
    "NEUTRAL",
    "Cast",
    "Episode",
    "Estimate",
    "Evidence",
    "Forecast",
    "Item",
    "Levels",
    "LogLikelihood",
    "Message",
    "Persona",
    "Posterior",
    "Preference",
    "Profile",
    "Progress",
    "Score",
    "Simulator",
    "Trait",
    "TraitForecast",
    "TraitLevel",
    "chat",
    "text",
]
