"""Jobs as tasks of Ray, one core each; `parallel` says what holds on either engine.

A runtime that is started here has no dashboard, reports nothing to anybody, answers only to those who hold its token
(Ray's default), and ends with the jobs. A cluster is only connected to. A runtime that the calling program has up
already is used as it is.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from personae.errors import BadInput, RunFailed
from personae.workflows.parallel import one_thread

Job = TypeVar("Job")
Result = TypeVar("Result")

HERE = "local"  # Ray's own word for a runtime of this machine
STORE = 100_000_000  # bytes of shared memory; a result is a few tables


def in_tasks(function: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, Result]]:
    """(job, result) as each is done; the first failure, or Ctrl-C, ends the others.

    At once, but on a runtime of the calling program, where they are interrupted as soon as Python gets to it.
    """
    with runtime(workers) as borrowed:
        task = ray.remote(num_cpus=1)(_alone)
        running: dict[Any, Job] = {task.remote(function, job): job for job in jobs}
        try:
            while running:
                done = ray.wait(list(running))[0][0]
                result = deepcopy(ray.get(done))  # of its own: what `get` gives lies in Ray's store, and goes with it
                yield running.pop(done), result
        except RayTaskError as failed:
            raise failed.cause from failed
        except RayError as lost:
            raise RunFailed(f"Ray lost a job ({_first_line(lost)}); what was done is kept") from lost
        finally:
            for unfinished in running if borrowed else ():  # elsewhere they end with the connection
                ray.cancel(unfinished)


def _alone(function: Callable[[Job], Result], job: Job) -> Result:
    one_thread()
    return function(job)


@contextmanager
def runtime(workers: int) -> Iterator[bool]:
    """A connection to Ray for as long as the context lasts; `workers` is the number of cores of one started here.

    True where it is the calling program's own, and stays up. Nothing is cancelled on any other: Ray may crash a program
    that cancels a task on its way to a worker (ray-project/ray, pull request 54798).
    """
    if ray.is_initialized():
        yield True
        return
    address = os.environ.get("RAY_ADDRESS") or HERE
    _connect(address, workers)
    try:
        yield False
    finally:
        ray.shutdown()


def _connect(address: str, workers: int) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address != HERE:
        try:
            ray.init(address, **quiet)
        except (ConnectionError, RuntimeError, ValueError, ImportError) as problem:
            raise BadInput(
                f"RAY_ADDRESS={address}: {_first_line(problem)}", remedy="start that cluster, or unset RAY_ADDRESS"
            ) from problem
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    small = {"num_cpus": workers, "object_store_memory": STORE, "include_dashboard": False}
    for attempt in (1, 2):  # Ray gives its agent 15 s, too few for a first start on a busy machine (its issue 65983)
        try:
            ray.init(HERE, **small, **quiet)
            return
        except Exception as problem:  # Ray raises Exception itself
            if attempt == 2:
                raise RunFailed(
                    f"Ray could not be started on this machine ({_first_line(problem)}); --engine local needs none"
                ) from problem


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]
