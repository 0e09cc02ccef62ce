"""A connection to Ray: to the cluster that RAY_ADDRESS names, else to a runtime started here.

A runtime that is started here has no dashboard, reports nothing to anybody, answers only to those who hold its token
(Ray's default), and ends with the work. A cluster is only connected to. A runtime that the calling program has up
already is used as it is.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from personae.errors import BadInput, RunFailed, first_line

HERE = "local"  # Ray's own word for a runtime of this machine
STORE = 100_000_000  # bytes of shared memory; a result is a few tables


@contextmanager
def runtime(workers: int) -> Iterator[bool]:
    """A connection to Ray for as long as the context lasts; `workers` is the number of cores of one started here.

    True where it is the calling program's own, and stays up.
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
                f"RAY_ADDRESS={address}: {first_line(problem)}",
                remedy="start that cluster, or unset RAY_ADDRESS; if it asks for a token, set RAY_AUTH_MODE=token",
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
                    f"Ray could not be started on this machine ({first_line(problem)}); --engine local needs none"
                ) from problem
