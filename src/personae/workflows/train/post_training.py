"""Post-training as a run: a file and a model in, a checkpoint in a run folder out, made once and shown again after.

The plan says which method it is: an `SFTPlan` takes episodes, a `DPOPlan` preference pairs, a `GRPOPlan` prompts and a
reward.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from personae.data import read_episodes, read_preferences, read_prompts
from personae.errors import BadInput
from personae.records.files import digest_file, read_json
from personae.training import DPOPlan, GRPOPlan, Plan, SFTPlan, finetune, prefer, reinforce
from personae.training.checkpoint import CARD
from personae.training.reward import named_reward, reward_digest
from personae.workflows.kept.folder import open_folder
from personae.workflows.nouns_for import world_of
from personae.workflows.train.watching import LOG, Limits, crossed, read_looks, watching
from personae.workflows.watch import Watch, unwatched

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator
    from personae.training.callback import OnLook, OnStep

PLANS: dict[str, type[Plan]] = {"sft": SFTPlan, "dpo": DPOPlan, "grpo": GRPOPlan}
# The training, which leaves its checkpoint there.
Work = Callable[["LocalSimulator", Path, "OnStep", "OnLook | None"], object]


def plan_of(method: str, base: SFTPlan, reward: str | None = None, **own: float | None) -> Plan:
    """The plan of a method: steps, batch, rate and adapters of `base`, and what is the method's `own` and not None.

    Raises `BadInput` for an unknown method, for an option that it does not have, and for a reward that it lacks.
    """
    if method not in PLANS:
        raise BadInput(f"there is no method {method!r}", remedy=f"one of {', '.join(PLANS)}")
    if method == "grpo" and reward is None:
        raise BadInput("--method grpo has no reward", remedy="name one: --reward module:function")
    if method != "grpo" and reward is not None:
        raise BadInput("--reward is for --method grpo", remedy="leave it out")
    kind = PLANS[method]
    given: dict[str, Any] = {key: value for key, value in own.items() if value is not None}
    for key in given:
        if key not in kind.__dataclass_fields__:
            raise BadInput(f"--method {method} has no --{key.replace('_', '-')}", remedy="leave it out")
    return kind(**asdict(base), **given)


def trained(
    data: Path,
    model: str,
    plan: Plan,
    out: Path | None = None,
    limit: int | None = None,
    *,
    reward: str | None = None,
    device: str = "cpu",
    limits: Limits | None = None,
    tell: Callable[[str], None] = lambda _: None,
    watch: Watch = unwatched,
) -> dict[str, Any]:
    """The training's card, and the `folder` that holds the checkpoint. What is interrupted keeps nothing.

    `reward` is `module:function`, for a `GRPOPlan` and no other. With `limits` the training is looked at on its way
    (`workflows.watching`), `tell` is told what is seen, and how a file is read; `looks` come with the card, and which
    bounds are `crossed` at which step.
    """
    from personae.simulator.registry import load

    world = world_of(model)
    if out is not None:
        _check_free(out / "checkpoint")
    rows, more, work = _work(data, plan, limit, reward, {"world": world and world.name}, tell)
    simulator = load(model, device=device)
    configuration = {"model": simulator.digest, "data": digest_file(data), "rows": rows, "plan": plan, **more}
    if limits:
        configuration["watched"] = limits
    folder = open_folder("train", configuration, out, writes=("checkpoint", LOG))
    made = folder.file("checkpoint")
    log = folder.file(LOG)
    if not made.exists():
        log.unlink(missing_ok=True)
        looks = watching(model, simulator, limits, log, tell, watch) if limits else None
        with watch("training", "steps") as progress:
            work(simulator, made, lambda step, total, _: progress(step, total), looks)
    if not folder.finished:
        folder.finish(device=simulator.device)
    seen = {"looks": (looked := read_looks(log)), "crossed": crossed(looked)} if limits else {}
    return {**read_json(made / CARD), "folder": made, **seen}


def _check_free(made: Path) -> None:
    """Raise `BadInput` where something that no training has kept stands in the checkpoint's place."""
    if made.exists() and not (made / CARD).is_file():
        raise BadInput("is no checkpoint of `personae train`", file=made, remedy="name another --out")


def _work(
    data: Path, plan: Plan, limit: int | None, reward: str | None, note: dict[str, Any], tell: Callable[[str], None]
) -> tuple[int, dict[str, Any], Work]:
    """How many rows there are, what else decides the result, and the training itself, with `note` on its card."""
    if isinstance(plan, GRPOPlan):
        assert reward is not None
        judge, prompts = named_reward(reward), tuple(read_prompts(data, limit=limit))
        more = {"method": "grpo", "reward": reward, "reward_digest": reward_digest(judge)}
        return (
            len(prompts),
            more,
            lambda m, out, step, look: reinforce(m, prompts, judge, plan, out, step, look, note=note),
        )
    if isinstance(plan, DPOPlan):
        pairs = tuple(read_preferences(data, limit=limit))
        return (
            len(pairs),
            {"method": "dpo"},
            lambda m, out, step, look: prefer(m, pairs, plan, out, step, look, note=note),
        )
    assert isinstance(plan, SFTPlan)
    episodes = tuple(read_episodes(data, limit=limit))
    if any("rejected" in episode.extra for episode in episodes):
        tell("of preference pairs the chosen answers are trained on; --method dpo trains the choice")
    return len(episodes), {}, lambda m, out, step, look: finetune(m, episodes, plan, out, step, look, note=note)


def trained_words(found: dict[str, Any]) -> str:
    """How a training went, in two lines."""
    if found["method"] == "grpo":
        went = f"reward {found['rewards'][0]:.2f} → {found['rewards'][-1]:.2f} an answer"
        if alike := sum(found["groups_alike"]):
            went += f"; {alike} of {found['groups'] * found['steps']} groups all got one reward and taught nothing"
        if cut := sum(found["cut"]):
            went += f"; {cut} answers did not end in time"
    else:
        unit = "pair" if found["method"] == "dpo" else "token"
        went = f"loss {found['losses'][0]:.2f} → {found['losses'][-1]:.2f} nats a {unit}"
    used = f"{found['rows_used']} rows used, {found['rows_dropped']} too long and left out"
    planned = found["plan"]["steps"]
    steps = f"{found['steps']} steps" + (f" of {planned}" if found["steps"] < planned else "")
    return f"{steps}, {used}; {went}\nThe model: {found['folder']}"
