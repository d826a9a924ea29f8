"""Doing all jobs of a batch by an engine, and writing down what came of them."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from gfvc.batch.engine import EngineChoice, Task, completed, open_engine
from gfvc.batch.folder import BatchFolder
from gfvc.batch.jobs import Job
from gfvc.batch.records import Record, read_record
from gfvc.batch.tables import Totals, write_tables
from gfvc.batch.work import Answer, Craft, OneJob, Terms, do_job

Progress = Callable[[Answer, int, int], None]
"""Told what came of a job, how many have ended, and of how many."""


def run_batch(
    jobs: Sequence[Job],
    folder: BatchFolder,
    craft: Craft,
    engine: EngineChoice,
    *,
    retries: int = 1,
    force: bool = False,
    progress: Progress = lambda answer, done, total: None,
) -> Totals:
    """Do jobs into a folder that is held (`gfvc.batch.folder`), and write its tables.

    What is done already is kept. A job that fails stops no other; one whose process crashes is
    tried `retries` times more. `force` replaces outputs that no batch made. Nothing that is held in
    memory grows with the jobs but their names, and reasons of failures. Raises `GfvcError` when the
    engine or the folder cannot be used.
    """
    terms = Terms(folder, uuid.uuid4().hex, retries, force)
    totals = Totals()
    unwritten: dict[Job, Record] = {}
    tasks = (Task(job, do_job, (job, terms, craft)) for job in jobs)
    with open_engine(engine) as opened:
        for task, future in completed(opened, tasks, deque(), retries=retries + 1):
            answer = _answer(task.tag, future, terms, craft)
            if not answer.written:
                unwritten[task.tag] = answer.record
            totals.add(answer.record, kept=answer.fate == "kept")
            progress(answer, totals.clips, len(jobs))
    write_tables(folder, _records(jobs, unwritten))
    return totals


def _answer(job: Job, future: Future[Any], terms: Terms, craft: Craft) -> Answer:
    """What came of a job, whatever went wrong with it."""
    error = future.exception()
    if error is None:
        answer: Answer = future.result()
        return answer
    if not isinstance(error, Exception):
        raise error
    text = str(error).strip().splitlines()
    reason = text[0] if text else type(error).__name__
    return OneJob(job, terms, craft).failed(reason)


def _records(jobs: Sequence[Job], unwritten: dict[Job, Record]) -> Iterator[Record]:
    """The records of jobs, as they are on the disk where they are."""
    for job in jobs:
        record = unwritten.get(job) or read_record(job.output)
        if record is not None:
            yield record
