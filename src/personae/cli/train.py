"""`personae train DATA`: post-train a model on a file, and keep the checkpoint or adapter."""

from typing import Annotated

import typer

from personae.cli.face import Data, Device, Face, Json, Model, Out, Quiet, Seed

EXAMPLE = "personae train example:cheats --model lab --out runs/cheat"


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
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Episodes, pairs or answers a step.")] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Learning rate of AdamW.")] = None,
    rank: Annotated[int | None, typer.Option("--rank", min=1, help="Rank of the adapters.")] = None,
    beta: Annotated[
        float | None, typer.Option("--beta", help="DPO: log-odds of a choice for a nat of change; default 0.1.")
    ] = None,
    reward: Annotated[
        str | None,
        typer.Option(
            "--reward", metavar="MODULE:FUNCTION", help="GRPO: a function with the signature of TRL's rewards."
        ),
    ] = None,
    group: Annotated[
        int | None, typer.Option("--group", min=2, help="GRPO: answers drawn to a prompt; default 8.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, help="GRPO: the longest answer; default 64.")
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="GRPO: of the answers drawn; default 1.")
    ] = None,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch", help="Look ten times on the way: how much is a reweighting, how far the posterior moved."
        ),
    ] = False,
    stop_if: Annotated[
        list[str] | None,
        typer.Option(
            "--stop-if",
            metavar="BOUND",
            help="Watch, and stop where the bound is crossed: 'share<0.8' (explained share), 'moved>0.5' (posterior, "
            "nats).",
        ),
    ] = None,
    warn_if: Annotated[
        list[str] | None, typer.Option("--warn-if", metavar="BOUND", help="The same, but go on with a warning.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first so many rows.")] = None,
    device: Device = "auto",
    out: Out = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Post-train a model on a file, with loss on exactly the answers, and keep DIR/checkpoint.

    By default it is the training that forecasts for this model are about: supervised, on episodes. DPO takes pairs
    (prompt, chosen, rejected). GRPO takes prompts and a reward, which is looked for in the current folder first. Steps,
    batch, rate and adapters mean the same for all, so budgets can be matched. With --watch, --stop-if or --warn-if,
    the explained share and the posterior are measured on the way, printed, and kept in DIR/watch.jsonl
    (docs/watching.md). A training that a bound stops keeps the model as it then is, and its exit status is 0 all the
    same: under "crossed", --json prints each bound that was crossed, and at which step. One that is interrupted keeps
    nothing, and begins anew. The checkpoint (or adapter) is an ordinary Hugging Face folder, which `--model` and
    `measure` take.
    """
    with Face(json=json, quiet=quiet) as face:
        from dataclasses import replace

        from personae.simulator.registry import check_trainable
        from personae.workflows.doses import check_rank, dose_for
        from personae.workflows.train.post_training import plan_of, trained, trained_words
        from personae.workflows.train.watching import read_limits

        limits = read_limits(stop_if or (), warn_if or ())
        check_trainable(model, device)
        base = dose_for(model, steps=steps, batch=batch, rate=rate, rank=rank, seed=seed).plan
        if lora is not None:
            base = replace(base, tuning="lora" if lora else "full")
        check_rank(base, rank, model)
        plan = plan_of(method, base, reward, beta=beta, group=group, max_tokens=max_tokens, temperature=temperature)
        face.say(f"reading {data.name} and {model}")
        found = trained(
            data,
            model,
            plan,
            out,
            limit,
            reward=reward,
            device=device,
            limits=limits if watch or limits.stop or limits.warn else None,
            tell=face.say,
            watch=face.progress,
        )
        face.result(found, trained_words(found))
