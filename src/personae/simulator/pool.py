"""Copies of one model as actors of Ray, each in a process of its own, which score side by side as one `Simulator`.

A file's blocks are scored as they are on one machine, each by whichever copy is free, so with as many threads a copy
the evidence is the same to the last digit. A call of one piece (a trait's answers) is cut into as many as there are
copies; its rows then meet others in a batch, and its numbers agree within rounding.

A copy that dies is started again, on another machine if need be, and the block that it had is scored anew; a block that
takes `TRIES` copies with it ends the work. What a model's name says must be there on every machine: a folder under one
full path that all of them see, a name from `personae models` prepared on each.
"""

import contextlib
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import ray
from ray.exceptions import RayError, RayTaskError
from ray.util import ActorPool

from personae.errors import BadInput, RunFailed, first_line
from personae.records import Episode, LogLikelihood, Message, Progress
from personae.simulator.devices import Running
from personae.simulator.dialogue import Dialogue
from personae.simulator.locating import locate, path_named
from personae.simulator.ray_runtime import runtime

if TYPE_CHECKING:
    from personae.simulator.local import LocalSimulator

TRIES = 3  # copies of the model that one block may take with it
BLOCK = 32  # episodes of a piece, at most: as many as `workflows.gather` scores at a time


class Copy:
    """One copy of the model, read when it is first asked something, so that what is wrong with it is told as such."""

    def __init__(self, read: "Callable[[], LocalSimulator]") -> None:
        self._read = read
        self._simulator: LocalSimulator | None = None

    @property
    def simulator(self) -> "LocalSimulator":
        """The model, in memory from now on."""
        if self._simulator is None:
            self._simulator = self._read()
        return self._simulator

    def told(self) -> dict[str, Any]:
        """What the pool says of itself."""
        one = self.simulator
        known = ("digest", "tokenizer", "window", "device", "caution")
        return {**{key: getattr(one, key) for key in known}, "low": one.in_float32 is not None}

    def score(
        self, place: int, episodes: Sequence[Episode], contexts: Sequence[str], in_float32: bool
    ) -> tuple[int, LogLikelihood]:
        """The piece that has `place` among others; in another number type than the model's own where asked."""
        one = self.simulator
        if in_float32 and one.in_float32 is not None:
            one = one.in_float32()
        return place, one.log_likelihood(episodes, contexts)

    def draw(self, how: str, *given: Any, **options: Any) -> list[str]:  # noqa: ANN401
        """What the model's method of that name draws."""
        drawn: list[str] = getattr(self.simulator, how)(*given, **options)
        return drawn


@dataclass(frozen=True)
class Share:
    """What each of `copies` copies may take of the cluster: GPUs (a part of one where they share it) and cores."""

    copies: int
    gpus: float
    cores: int

    @classmethod
    def of(cls, machines: Sequence[dict[str, float]], wanted: int | None, *, on_cpu: bool) -> "Share":
        """Of machines {"CPU": n, "GPU": n}: a copy for every GPU or, where there is none, for every machine.

        On no machine more than it has cores, since a copy that finds none would be waited for without end.

        >>> Share.of([{"CPU": 16.0, "GPU": 4.0}], None, on_cpu=False)
        Share(copies=4, gpus=1.0, cores=1)
        >>> Share.of([{"CPU": 2.0, "GPU": 1.0}], 4, on_cpu=False)
        Share(copies=2, gpus=0.5, cores=1)
        >>> Share.of([{"CPU": 1.0, "GPU": 4.0}, {"CPU": 16.0, "GPU": 2.0}], None, on_cpu=False)
        Share(copies=3, gpus=1.0, cores=1)
        >>> Share.of([{"CPU": 8.0}, {"CPU": 6.0}], 4, on_cpu=False)
        Share(copies=4, gpus=0.0, cores=3)
        """
        gpus = 0 if on_cpu else int(sum(machine.get("GPU", 0) for machine in machines))
        cores = [int(machine["CPU"]) for machine in machines if machine.get("CPU", 0) >= 1]
        if not cores:
            raise BadInput("the Ray cluster has no cores", remedy="start a machine of it with some")
        if gpus:
            most = ceil((wanted or gpus) / gpus)  # copies that share a GPU
            both = [(int(machine.get("CPU", 0)), int(machine.get("GPU", 0))) for machine in machines]
            room = {n: sum(min(cpu, n * gpu) for cpu, gpu in both) for n in range(1, most + 1)}
            if not room[1]:
                raise BadInput("no machine of the Ray cluster has a core beside a GPU", remedy="name --device cpu")
            copies = min(wanted or gpus, room[most])
            return cls(copies, 1.0 / min(n for n in room if room[n] >= copies), 1)
        copies = min(wanted or len(cores), sum(cores))
        return cls(copies, 0.0, max(1, min(cores) // ceil(copies / len(cores))))


class PoolSimulator:
    """The model that every copy makes by `read`, under the `name` that the user gave it; see the module."""

    def __init__(self, name: str, read: "Callable[[], LocalSimulator]", running: Running) -> None:
        self.name, self._read = name, read
        stack = contextlib.ExitStack()
        self.close = weakref.finalize(self, stack.close)  # by its owner, or with the last who knows it
        borrowed = stack.enter_context(runtime(os.cpu_count() or 1))
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        share = Share.of(machines, running.workers, on_cpu=running.device == "cpu")
        actor = ray.remote(Copy).options(  # Ray gives a copy as many threads as cores
            num_gpus=share.gpus, num_cpus=share.cores, max_restarts=-1, max_task_retries=TRIES - 1
        )
        self._copies = [actor.remote(read) for _ in range(share.copies)]
        for copy in self._copies if borrowed else ():  # elsewhere they end with the connection
            stack.callback(ray.kill, copy)
        told = _ask([copy.told.remote() for copy in self._copies])
        if any(one["digest"] != told[0]["digest"] for one in told):
            raise BadInput(f"{name} is not the same model on all machines", remedy="give each the same files")
        self.digest, self.caution = str(told[0]["digest"]), str(told[0]["caution"])
        self.device = f"{share.copies} × {told[0]['device']} (Ray)"
        self.tokenizer, self.window = told[0]["tokenizer"], int(told[0]["window"])
        self.dialogue = Dialogue(self.tokenizer)
        self._low = bool(told[0]["low"])

    @property
    def in_float32(self) -> "Callable[[], _InFloat32] | None":
        """What reads the same files again, where the model is not in float32."""
        return partial(_InFloat32, self) if self._low else None

    def here(self) -> "LocalSimulator":
        """The same model in this process, to be trained; the copies end."""
        self.close()
        simulator = self._read()
        simulator.name = self.name
        return simulator

    def log_likelihood(
        self, episodes: Sequence[Episode], contexts: Sequence[str], progress: Progress | None = None
    ) -> LogLikelihood:
        """(N, K) nats of every response under every context. Raises `BadInput` where one does not fit the window."""
        return self._scored(episodes, contexts, progress, in_float32=False)

    def _scored(
        self, episodes: Sequence[Episode], contexts: Sequence[str], progress: Progress | None, *, in_float32: bool
    ) -> LogLikelihood:
        size = max(1, min(BLOCK, ceil(len(episodes) / len(self._copies))))
        pieces = [episodes[first : first + size] for first in range(0, len(episodes), size)]
        logp, tokens, done = np.zeros((len(episodes), len(contexts))), np.zeros(len(episodes), dtype=np.int64), 0
        for place, found in self.side_by_side(pieces, contexts, in_float32=in_float32):
            rows = slice(place * size, place * size + len(found.tokens))
            logp[rows], tokens[rows] = found.logp, found.tokens
            done += found.logp.size
            if progress:
                progress(done, logp.size)
        return LogLikelihood(logp, tokens)

    def side_by_side(
        self, pieces: Iterable[Sequence[Episode]], contexts: Sequence[str], *, in_float32: bool = False
    ) -> Iterator[tuple[int, LogLikelihood]]:
        """(place, scores) of each piece as it is done, in any order."""
        pool = ActorPool(self._copies)
        with _lost():
            for place, found in pool.map_unordered(
                lambda copy, job: copy.score.remote(job[0], list(job[1]), list(contexts), in_float32), enumerate(pieces)
            ):
                yield place, deepcopy(found)  # of its own: what Ray gives lies in its store, and goes with it

    def sample(
        self,
        prompts: Sequence[tuple[Message, ...]],
        context: str = "",
        *,
        max_tokens: int = 64,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[str]:
        """One answer to each prompt, all drawn by one copy, as the model read here would draw them."""
        return self._drawn("sample", prompts, context, max_tokens=max_tokens, temperature=temperature, seed=seed)

    def continuations(
        self, texts: Sequence[str], *, max_tokens: int = 64, temperature: float = 1.0, seed: int = 0
    ) -> list[str]:
        """How the model goes on with each raw text, as one copy draws it."""
        return self._drawn("continuations", texts, max_tokens=max_tokens, temperature=temperature, seed=seed)

    def _drawn(self, how: str, *given: Any, **options: Any) -> list[str]:  # noqa: ANN401
        drawn: list[str] = _ask([self._copies[0].draw.remote(how, *given, **options)])[0]
        return drawn


@dataclass(frozen=True)
class _InFloat32:
    """The same pool, each copy of which reads its float32 weights for the piece that it is given."""

    pool: PoolSimulator

    @property
    def name(self) -> str:
        """As the pool is called."""
        return self.pool.name

    def log_likelihood(
        self, episodes: Sequence[Episode], contexts: Sequence[str], progress: Progress | None = None
    ) -> LogLikelihood:
        return self.pool._scored(episodes, contexts, progress, in_float32=True)


@contextlib.contextmanager
def _lost() -> Iterator[None]:
    """What a copy raised, as it was raised; a lost copy or cluster in one line."""
    try:
        yield
    except RayTaskError as failed:
        raise failed.cause from failed
    except RayError as lost:
        raise RunFailed(f"Ray lost a copy of the model ({first_line(lost)}); what was done is kept") from lost


def _ask(asked: list[Any]) -> list[Any]:
    with _lost():
        answers: list[Any] = ray.get(asked)
        return answers


def open_pool(name: str, dtype: str, running: Running) -> PoolSimulator:
    """The model called `name` on Ray. Raises `BadInput` before Ray is started where there is no such model here."""
    from personae.simulator.registry import load

    found = locate(name)
    path = path_named(name)
    there = str(path.resolve()) if found.path == path else name  # a copy stands in another folder
    read = partial(load, there, dtype=dtype, device=running.device, quantise=running.quantise)
    return PoolSimulator(found.name, read, running)
