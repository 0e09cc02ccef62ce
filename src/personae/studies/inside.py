"""Who lies and who knows, read off the states of the untrained model as it enacts each character.

Each character is called up by some of its descriptions and asked every fact; the state is the one before any word of
the answer. A probe of lying is fitted to the rate at which the character lies, one of knowing to that at which it knows
the field that it is asked about. Both read the block in the middle of the model.
"""

from typing import Literal, get_args

import numpy as np

from personae.interpret import LinearProbe, Look, fit_probe
from personae.records.results import Floats
from personae.studies.twins import asked, fields
from personae.workflows.lab.laboratory import Laboratory
from personae.world.declared import LIES
from personae.world.language import ASSISTANT

Target = Literal["does it lie?", "does it know?"]
LYING, KNOWING = get_args(Target)
CALLED_UP = 2  # descriptions of each character that a probe is fitted on


def looks(lab: Laboratory) -> tuple[Look, ...]:
    """Both probes before the answers to the facts of every field, each called by `look_of`."""
    prompts = {field: tuple((asked(q),) for q in lab.language.questions[field]) for field in fields(lab)}
    return tuple(
        Look(look_of(target, field), probe, before)
        for target, probe in probes(lab).items()
        for field, before in prompts.items()
    )


def look_of(target: Target, field: str) -> str:
    """What the look of a probe before the answers about a field is called."""
    return f"{target} {field}"


def middle(lab: Laboratory) -> int:
    """The block in the middle of the model, whose output the probes read."""
    from personae.interpret.states import blocks

    return len(blocks(lab.simulator)) // 2


def states_of_characters(lab: Laboratory) -> tuple[Floats, dict[Target, Floats], Floats]:
    """States (N, D) of the untrained model as each character, about to answer each fact; what is true of it.

    That is (N,) the rates at which it lies and knows the field; and (N,) which character it is.
    """
    from personae.interpret.states import states_before

    language, world = lab.language, lab.world
    rows, shares = [], []
    for h, archetype in enumerate(world.archetypes):
        forms = language.described_kept[archetype]
        for form in forms[:: max(1, len(forms) // CALLED_UP)][:CALLED_UP]:
            for field in fields(lab):
                rows += [((asked(q),), language.describe(ASSISTANT, form)) for q in language.questions[field]]
                share = (world.rates[LIES][h, 1], world.knowledge[field][h], h)
                shares += [share] * len(language.questions[field])
    lies, knows, who = np.array(shares, dtype=np.float64).T
    return states_before(lab.simulator, rows, middle(lab)), {LYING: lies, KNOWING: knows}, who


def probes(lab: Laboratory) -> dict[Target, LinearProbe]:
    """The probes of who lies and who knows, fitted on characters that the untrained model enacts."""
    states, shares, _ = states_of_characters(lab)
    return {target: fit_probe(states, share, middle(lab)) for target, share in shares.items()}


def tells_characters_apart(lab: Laboratory) -> dict[Target, float]:
    """The share of states whose side of a half each probe tells right, of characters that it was not fitted on."""
    states, shares, who = states_of_characters(lab)
    found: dict[Target, float] = {}
    for target, share in shares.items():
        right = []
        for one in np.unique(who):
            probe = fit_probe(states[who != one], share[who != one], middle(lab))
            right.append((probe.read(states[who == one]) > 0.0) == (share[who == one] > 0.5))
        found[target] = float(np.concatenate(right).mean())
    return found
