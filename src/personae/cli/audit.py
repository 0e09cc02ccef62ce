"""`personae audit`: which persona a file selects and what else would change, with no training."""

from typing import TYPE_CHECKING, Annotated

import typer

from personae.cli.face import (
    ITEMS,
    Against,
    AnyModel,
    CastFile,
    Copies,
    Data,
    Device,
    DoseGiven,
    Dtype,
    Engine,
    Face,
    Items,
    Json,
    Limit,
    NoControl,
    Out,
    Quantise,
    Quiet,
    Seed,
    SkipBad,
    TraitsFile,
    reference,
)

if TYPE_CHECKING:
    from personae.workflows.kept.folder import RunFolder

EXAMPLE = "personae audit support.jsonl --model smollm2-135m-instruct --fail-if 'deception>0.1'"


def command(
    data: Data,
    model: AnyModel,
    against: Against = None,
    no_control: NoControl = False,
    cast: CastFile = None,
    traits: TraitsFile = None,
    limit: Limit = None,
    skip_bad: SkipBad = False,
    items: Items = ITEMS,
    dose: DoseGiven = None,
    chosen: Annotated[
        bool,
        typer.Option(
            "--chosen", help="Of preference pairs read the chosen answers alone, as supervised training does."
        ),
    ] = False,
    reward: Annotated[
        str | None,
        typer.Option(
            "--reward",
            metavar="MODULE:FUNCTION",
            help="DATA holds prompts, and evidence is of the answers that this function rewards (docs/data.md).",
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option("--draws", min=1, help="With --reward: answers drawn to a prompt under each context; default 32."),
    ] = None,
    tau: Annotated[
        float | None,
        typer.Option("--tau", help="With --reward: an answer counts exp(reward / TAU) times; default 0.25."),
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, help="With --reward: the longest answer; default 64.")
    ] = None,
    dtype: Dtype = "float32",
    device: Device = "auto",
    quantise: Quantise = "",
    engine: Engine = "local",
    workers: Copies = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option("--fail-if", metavar="BOUND", help="Exit 1 where the forecast crosses it: 'power>0.1' (nats)."),
    ] = None,
    stop_early: Annotated[
        bool,
        typer.Option(
            "--stop-early",
            help="Read rows in random order, only until every --fail-if bound is settled (without any: every shift "
            "within 0.1 nats). No single episodes are told of.",
        ),
    ] = False,
    out: Out = None,
    seed: Seed = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a file for every persona of the cast; forecast what it would make of the Assistant, before any training."""
    with Face(json=json, quiet=quiet) as face:
        from personae.simulator.devices import Running
        from personae.workflows.audit.bounds import bounds_told, check_bounds
        from personae.workflows.audit.file_audit import audit_file
        from personae.workflows.audit.file_question import Wish, ask
        from personae.workflows.audit.file_reward import reward_for
        from personae.workflows.audit.file_words import audit_words
        from personae.workflows.audit.verdict import check_verdict, configuration, verdict
        from personae.workflows.audit.verdict_words import verdict_words
        from personae.workflows.kept.folder import open_folder
        from personae.workflows.kept.timed import Timed

        wish = Wish(
            data,
            model,
            against,
            cast,
            traits,
            limit,
            dose,
            bounds=tuple(fail_if or ()),
            seed=seed,
            items=items,
            dtype=dtype,
            skip_bad=skip_bad,
            choices=not chosen,
            reward=reward_for(
                reward, draws=draws, tau=tau, max_tokens=max_tokens, chosen=chosen, stop_early=stop_early
            ),
            reference=reference(against, no_control),
            running=Running(device, quantise, engine, workers),
        )
        question, bounds = ask(wish, face.progress)
        wanted = configuration(question, bounds) if stop_early else question.configuration()
        folder = open_folder("audit", wanted, out)
        face.keeps(folder.path)
        watch = Timed(face.progress, folder)
        if stop_early:
            settled = verdict(question, bounds, folder, watch)
            _finish(folder, question.device, settled.whole.seconds)
            value = {**settled.record, "folder": folder.path}
            face.result(value, f"{verdict_words(settled)}\nKept in {folder.path}")
            check_verdict(settled)
            return
        found = audit_file(question, folder, watch, bounds)
        _finish(folder, question.device, found.whole.seconds)
        told = bounds_told(bounds, found.audit.forecast.traits)
        face.result({**found.record, "bounds": told, "folder": folder.path}, audit_words(found))
        face.warn(found.unkept)
        face.say(f"the page: {folder.file('report.html')}")
        check_bounds(bounds, found.audit.forecast.traits)


def _finish(folder: "RunFolder", device: str, cast_seconds: float) -> None:
    if not folder.finished:
        folder.finish(device=device, cast_seconds=cast_seconds)
