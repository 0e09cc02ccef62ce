"""Jobs as tasks of Ray, one core each; `parallel` says what holds on either engine."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from itertools import islice
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from personae.errors import RunFailed, first_line
from personae.simulator.ray_runtime import runtime
from personae.workflows.lab.parallel import one_thread

Job = TypeVar("Job")
Result = TypeVar("Result")


def in_tasks(function: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Iterator[tuple[Job, Result]]:
    """(job, result) as each is done; after the first failure, or Ctrl-C, no other begins, and those that run are ended.

    On a runtime of the calling program they run to their end: Ray may crash a program that cancels a task whose reply
    is on its way (a failed check in Ray 2.60, `task_manager.cc`: "Tried to complete task that was not pending").
    """
    with runtime(workers) as borrowed:  # where it is not, the connection ends, and with it every task
        task = ray.remote(num_cpus=1)(_alone)
        waiting = iter(jobs)
        begun = int(ray.cluster_resources().get("CPU", 1)) if borrowed else len(jobs)
        running: dict[Any, Job] = {task.remote(function, job): job for job in islice(waiting, begun)}
        try:
            while running:
                done = ray.wait(list(running))[0][0]
                result = deepcopy(ray.get(done))  # of its own: what `get` gives lies in Ray's store, and goes with it
                yield running.pop(done), result
                running |= {task.remote(function, job): job for job in islice(waiting, 1)}
        except RayTaskError as failed:
            raise failed.cause from failed
        except RayError as lost:
            raise RunFailed(f"Ray lost a job ({first_line(lost)}); what was done is kept") from lost


def _alone(function: Callable[[Job], Result], job: Job) -> Result:
    one_thread()
    return function(job)
