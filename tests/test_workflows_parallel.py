"""Parallel jobs: one answer for each, the same in one process or in two, and a failure that is heard."""

import math
import os
import time

import numpy as np
import pytest

from personae.errors import RunFailed
from personae.workflows.lab.parallel import in_parallel

TABLES = [np.random.default_rng(seed).normal(size=(60, 60)) for seed in range(5)]


def test_one_worker_and_two_give_the_same_to_the_last_digit():
    """Spawned processes find the function by its name, and each job comes back with its own result."""
    found = []
    for workers in (1, 2):
        done = list(in_parallel(np.linalg.slogdet, TABLES, workers))
        assert len(done) == len(TABLES)
        by_job = {job.tobytes(): result for job, result in done}
        found.append([by_job[table.tobytes()] for table in TABLES])
    here = [np.linalg.slogdet(table) for table in TABLES]
    assert found[0] == found[1]
    assert [float(r.logabsdet) for r in found[0]] == pytest.approx([float(r.logabsdet) for r in here], rel=1e-12)


def test_the_first_failure_is_passed_on():
    with pytest.raises(ValueError, match=r"math domain error|expected a nonnegative"):
        list(in_parallel(math.sqrt, [4.0, -1.0, 9.0], 1))


def test_a_failure_begins_no_further_job_and_loses_none_that_had_begun():
    done = []
    with pytest.raises(ValueError, match="non-negative"):
        for job, _ in in_parallel(time.sleep, [-1.0, *[0.3] * 20], 1):
            done.append(job)
    assert 1 <= len(done) < 20


def test_a_worker_that_dies_fails_the_run_in_one_line():
    with pytest.raises(RunFailed, match="a worker process died"):
        list(in_parallel(os._exit, [1], 1))


def test_no_jobs_need_no_process():
    assert list(in_parallel(math.sqrt, [], 2)) == []
