"""Independent jobs side by side, one thread each: the same results, to the last digit, in any number, on either engine.

| engine | where the jobs run                                                                                       |
|--------|----------------------------------------------------------------------------------------------------------|
| local  | processes of this machine                                                                                |
| ray    | tasks of Ray: on the cluster that RAY_ADDRESS names, else in a runtime that is started here for them      |

A result comes back to the caller, who alone writes it. What a job names must be there where it runs: on a cluster,
personae on every machine, and a model's folder under one full path that all of them see (a shared filesystem, as Ray
itself asks). The last digit holds on machines of one kind; another kind of processor may round differently.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from personae.errors import RunFailed
from personae.simulator.devices import Engine, check_engine

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_parallel(
    function: Callable[[Job], Result], jobs: Sequence[Job], workers: int | None = None, engine: Engine = "local"
) -> Iterator[tuple[Job, Result]]:
    """(job, result) as each is done; `function` must be importable. The first failure ends the others, and is raised.

    At most `workers` run at a time (None: one a core); a Ray cluster runs as many as it has cores.
    """
    check_engine(engine)
    width = min(workers or os.cpu_count() or 1, len(jobs))
    if width < 1:
        return iter(())
    if engine == "ray":
        from personae.workflows.lab.ray_tasks import in_tasks

        return in_tasks(function, jobs, width)
    return _in_processes(function, jobs, width)


def one_thread() -> None:
    """Let torch compute in one thread of this process."""
    import torch

    torch.set_num_threads(1)


def _begin() -> None:
    one_thread()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its workers


def _in_processes(function: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, Result]]:
    """After a failure or Ctrl-C no job begins; the results of those that had begun are given before it is raised."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as pool:
        waiting = {pool.submit(function, job): job for job in jobs}
        try:
            for done in as_completed(list(waiting)):
                result = done.result()
                yield waiting.pop(done), result
        except BaseException as failure:
            begun = [future for future in waiting if not future.cancel()]
            if isinstance(failure, GeneratorExit):  # nobody takes them any more
                raise
            for done in as_completed(begun):
                if done.exception() is None:
                    yield waiting[done], done.result()
            if isinstance(failure, BrokenProcessPool):
                raise RunFailed("a worker process died (is the memory full?); what was done is kept") from failure
            raise
