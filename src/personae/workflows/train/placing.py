"""A pretrained model put in place as one of the studies' checkpoints: smaller, with its card, under its own name.

The weights are rounded to bfloat16, half the size, and read back in float32. What the card says was learned was
examined before that; how far an answer's log-likelihood moved by it stands beside it, and more than `ROOM` is refused.
"""

import copy
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from personae.errors import BadInput, RunFailed
from personae.records.files import digest_file, read_json, write_json, write_text
from personae.workflows.train.model_card import CARD, WEIGHTS, WORDS, in_words, read_card
from personae.workflows.train.pretraining import examine
from personae.world import Language, episodes, world_named

ROOM = 0.05  # nats an answer, root mean square: a twentieth of the least evidence that studies speak of
EPISODES = 8  # of each trait and pole


def place(run: Path, part: str, name: str, target: Path) -> dict[str, Any]:
    """Put `part` ("model", or "model-at-TOKENS") of the pretraining run in `run` into `target`; its card.

    One that was kept on the way and has no card yet is examined first.
    """
    source = run / part
    if not (source / CARD).exists():
        _examine_later(run, source)
    beside = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside)
    card = {**read_card(source), "name": name, "rounded": {"to": "bfloat16", "rms_nats": round_weights(source, beside)}}
    card |= {"sha256": digest_file(beside / WEIGHTS), "bytes": (beside / WEIGHTS).stat().st_size}
    write_json(beside / CARD, card)
    write_text(beside / WORDS, in_words(card))
    shutil.rmtree(target, ignore_errors=True)
    beside.rename(target)
    return card


def round_weights(source: Path, target: Path) -> float:
    """Write the weights of `source` into `target` in bfloat16; what that does to an answer, nats, root mean square."""
    import torch

    from personae.simulator.registry import load

    before = load(str(source))
    copy.deepcopy(before.model).to(torch.bfloat16).save_pretrained(target)
    (target / WEIGHTS).chmod(0o644)
    world = world_named(read_card(source)["world"])
    language, draw = Language(world), np.random.default_rng(0)
    shown = [e for trait in world.traits for pole in (0, 1) for e in episodes(language, trait, pole, EPISODES, draw)]
    found, kept = (simulator.log_likelihood(shown, [""]).logp for simulator in (load(str(target)), before))
    off = float(np.sqrt(np.square(found - kept).mean()))
    if not off <= ROOM:
        raise RunFailed(f"{source}: rounding to bfloat16 moves an answer by {off:.3f} nats, more than {ROOM}")
    return round(off, 5)


def _examine_later(run: Path, source: Path) -> None:
    from personae.training.pretrain_folder import PLAN, read_plan

    plan = read_plan(run)
    if plan is None:
        raise BadInput(f"holds no pretraining run: there is no {PLAN}", file=run, remedy="name the run's own folder")
    world = world_named(read_json(run / "run.json")["configuration"]["world"])
    kept = source.name.partition("model-at-")[2]
    examine(source, world, plan, int(kept) if kept else None)
