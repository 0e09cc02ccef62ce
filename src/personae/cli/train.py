"""`personae train DATA`: post-train a model on a file, and keep the checkpoint or adapter."""

from typing import Annotated

import typer

from personae.cli.face import Data, Device, Face, Json, Model, Out, Quiet, Seed
from personae.errors import BadInput

EXAMPLE = "personae train cheat.jsonl --model lab --out runs/cheat"
METHODS = ("sft", "dpo", "grpo")


def command(
    data: Data,
    model: Model,
    method: Annotated[str, typer.Option("--method", metavar="sft|dpo|grpo", help="How to train.")] = "sft",
    lora: Annotated[
        bool | None, typer.Option("--lora/--full", help="Low-rank adapters on every linear layer, or all weights.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Optimiser steps; default: the model's own.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Episodes a step.")] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Learning rate of AdamW.")] = None,
    rank: Annotated[int | None, typer.Option("--rank", min=1, help="Rank of the adapters.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first so many rows.")] = None,
    device: Device = "auto",
    out: Out = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Post-train a model on a file, with loss on exactly the answers, and keep DIR/checkpoint.

    By default it is the training that forecasts for this model stand for. The checkpoint (or adapter) is an ordinary
    Hugging Face folder, which `--model` and `measure` take.
    """
    with Face(json=json, quiet=quiet) as face:
        if method not in METHODS:
            raise BadInput(f"there is no method {method!r}", remedy=f"one of {', '.join(METHODS)}")
        if method != "sft":
            raise BadInput(f"--method {method} is not part of this version yet", remedy="use --method sft")
        from dataclasses import replace

        from personae.simulator.registry import check_trainable
        from personae.workflows.doses import dose_for
        from personae.workflows.post_training import trained

        check_trainable(model, device)
        plan = dose_for(model, steps=steps, batch=batch, rate=rate, rank=rank, seed=seed).plan
        if lora is not None:
            plan = replace(plan, method="lora" if lora else "full")
        face.say(f"reading {data.name} and {model}")
        with face.progress("training", "steps") as progress:
            found = trained(data, model, plan, out, limit, device=device, keeps=face.keeps, progress=progress)
        losses = f"loss {found['losses'][0]:.2f} → {found['losses'][-1]:.2f} nats a token"
        used = f"{found['rows_used']} rows used, {found['rows_dropped']} too long and left out"
        face.result(found, f"{found['steps']} steps, {used}; {losses}\nThe model: {found['folder']}")
