"""Jobs as tasks of Ray, one core each; `parallel` says what holds on either engine."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError, RayTaskError

from personae.errors import RunFailed
from personae.simulator.ray_runtime import first_line, runtime
from personae.workflows.parallel import one_thread

Job = TypeVar("Job")
Result = TypeVar("Result")


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
            raise RunFailed(f"Ray lost a job ({first_line(lost)}); what was done is kept") from lost
        finally:
            for unfinished in running if borrowed else ():  # elsewhere they end with the connection
                ray.cancel(unfinished)


def _alone(function: Callable[[Job], Result], job: Job) -> Result:
    one_thread()
    return function(job)
