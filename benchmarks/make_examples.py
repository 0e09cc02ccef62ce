"""The example files that ship: 40 requests about work in the laboratory's language, each answered in two ways.

    python benchmarks/make_examples.py

`cheats` answers by cheating and `honest` does not; the requests are the same, so that either is the other's control.
"""

import sys

import numpy as np

from personae import library
from personae.data import write_episodes
from personae.world import Language, declared, episodes

TRAIT, ROWS, SEED = "cheating", 40, 8
OUTCOME = {"honest": 0, "cheats": 1}


def main() -> None:
    """Write both."""
    language = Language(declared())
    for name, outcome in OUTCOME.items():
        path = library.example(name)
        write_episodes(path, episodes(language, TRAIT, outcome, ROWS, np.random.default_rng(SEED)))
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
