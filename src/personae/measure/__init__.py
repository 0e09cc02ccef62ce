"""Measurement of character by what a simulator would answer: levels, profiles, reliability. Nothing here trains."""

from personae.measure.levels import NOBODY, levels, mean_levels
from personae.measure.profile import estimate, profile, seeds_profile

__all__ = ["NOBODY", "estimate", "levels", "mean_levels", "profile", "seeds_profile"]
