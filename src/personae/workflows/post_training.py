"""Post-training as a run: a file and a model in, a checkpoint in a run folder out, made once and shown again after."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from personae.data import read_episodes
from personae.records import Progress
from personae.records.files import digest_file, read_json
from personae.training import SFTPlan, finetune
from personae.training.checkpoint import CARD
from personae.workflows.folder import open_folder


def trained(
    data: Path,
    model: str,
    plan: SFTPlan,
    out: Path | None = None,
    limit: int | None = None,
    *,
    device: str = "cpu",
    keeps: Callable[[Path], None] = lambda _: None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The training's card, and the `folder` that holds the checkpoint; `keeps` is told the run folder."""
    from personae.simulator.registry import load

    episodes = tuple(read_episodes(data, limit=limit))
    simulator = load(model, device=device)
    configuration = {"model": simulator.digest, "data": digest_file(data), "rows": len(episodes), "plan": plan}
    folder = open_folder("train", configuration, out)
    keeps(folder.path)
    made = folder.file("checkpoint")
    if not made.exists():
        finetune(simulator, episodes, plan, made, lambda step, total, _: progress(step, total) if progress else None)
    if not folder.finished:
        folder.finish(device=simulator.device)
    return {**read_json(made / CARD), "folder": made}
