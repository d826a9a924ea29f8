"""Doing all jobs of a batch by an engine, and writing down what came of them."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gfvc.batch.claims import claim_path, forget_claim
from gfvc.batch.engine import EngineChoice, Task, completed, open_engine
from gfvc.batch.folder import BatchFolder
from gfvc.batch.jobs import Job
from gfvc.batch.records import Record, read_record
from gfvc.batch.splitting import Split, begin_job, do_part, finish_job, part_claim
from gfvc.batch.tables import Totals, check_tables, write_tables
from gfvc.batch.work import Answer, Craft, OneJob, SplitCraft, Terms, do_job
from gfvc.telling import Notes, unheard

Progress = Callable[["Answer | PartDone", int, int], None]
"""Told what came of a job or a part of one, how many steps have ended, and of how many.

A job is a step, and each part of one that is split.
"""


_BLAMED = 20
"""How often a job may be lost beyond its retries before it is given up unseen."""


@dataclass(frozen=True, slots=True)
class PartDone:
    """A part of a job is done: how many are by now, and of how many."""

    output: str
    done: int
    parts: int


def run_batch(
    jobs: Sequence[Job],
    folder: BatchFolder,
    craft: Craft | SplitCraft,
    engine: EngineChoice,
    *,
    retries: int = 1,
    force: bool = False,
    progress: Progress = lambda ended, done, total: None,
    notes: Notes = unheard,
) -> Totals:
    """Do jobs into a folder that is held (`gfvc.batch.folder`), and write its tables.

    What is done already is kept. A job that fails stops no other; one whose process crashes is
    tried `retries` times more. `force` replaces outputs and tables that no batch made. Nothing that
    is held in memory grows with the jobs but their names, and reasons of failures. Raises
    `GfvcError` when the engine or the folder cannot be used.
    """
    check_tables(folder, force=force)
    terms = Terms(folder, uuid.uuid4().hex, retries, force)
    batch = _Batch(jobs, terms, craft, progress)
    with open_engine(engine, notes=notes) as opened:
        # Claims count how often a job crashed. A scheduler's own count is not to be relied on, for
        # it blames what only waited at a worker that died, too.
        ended = completed(opened, batch.tasks(), batch.further, retries=retries + _BLAMED)
        for task, future in ended:
            batch.go_on(task.tag, future)
    for path in batch.given_up:
        forget_claim(path)
    write_tables(folder, batch.records())
    return batch.totals


@dataclass(slots=True)
class _Open:
    """A job in parts: how many are done, and whether one has failed."""

    split: Split
    done: int = 0
    failed: bool = False


_Tag = tuple[Job, "int | None"]
"""A job, and the part of it that is worked on."""


class _Batch:
    """All jobs, and what came of them so far."""

    def __init__(
        self, jobs: Sequence[Job], terms: Terms, craft: Craft | SplitCraft, progress: Progress
    ) -> None:
        self._jobs = jobs
        self._terms = terms
        self._craft = craft
        self._progress = progress
        self._steps = 0
        self._all_steps = len(jobs)
        self._open: dict[Job, _Open] = {}
        self._unwritten: dict[Job, Record] = {}
        self.further: deque[Task[_Tag]] = deque()
        # Not forgotten before the engine is closed: a scheduler may have something done again whose
        # answer we have long had, when the worker that holds it dies.
        self.given_up: list[Path] = []
        self.totals = Totals()

    def tasks(self) -> Iterator[Task[_Tag]]:
        """The first task of each job."""
        first = begin_job if getattr(self._craft, "splits", False) else do_job
        for job in self._jobs:
            yield Task((job, None), first, (job, self._terms, self._craft))

    def go_on(self, tag: _Tag, future: Future[Any]) -> None:
        """Take what came of a task, and add those that follow from it."""
        job, part = tag
        error = future.exception()
        if error is not None and not isinstance(error, Exception):
            raise error
        if part is not None:
            self._part_ended(job, part, _reason(error) if error is not None else future.result())
            return
        if error is not None:
            self._job_ended(job, self._failed(job, _reason(error)))
            return
        ended: Answer | Split = future.result()
        if isinstance(ended, Split):
            self._split(job, ended)
        else:
            self._job_ended(job, ended)

    def _split(self, job: Job, split: Split) -> None:
        self._open[job] = _Open(split)
        self._all_steps += split.parts
        for part in range(split.parts):
            arguments = job, self._terms, self._craft, split, part
            self.further.append(Task((job, part), do_part, arguments))

    def _part_ended(self, job: Job, part: int, reason: str | None) -> None:
        opened = self._open[job]
        opened.done += 1
        self._steps += 1
        if reason is not None:
            self.given_up.append(part_claim(self._terms, opened.split, part))
        if reason is not None and not opened.failed:
            opened.failed = True
            self._leave_out(job)
            self._job_ended(job, self._failed(job, reason))
        if opened.failed:
            return
        split = opened.split
        name = self._terms.folder.name_of(job.output)
        self._progress(PartDone(name, opened.done, split.parts), self._steps, self._all_steps)
        if opened.done == split.parts:
            arguments = job, self._terms, self._craft, split
            self.further.append(Task((job, None), finish_job, arguments))

    def _leave_out(self, job: Job) -> None:
        """Begin no further part of a job."""
        kept = [task for task in self.further if task.tag[0] != job]
        self._all_steps -= len(self.further) - len(kept)
        self.further.clear()
        self.further.extend(kept)

    def _job_ended(self, job: Job, answer: Answer) -> None:
        if not answer.written:
            self._unwritten[job] = answer.record
        if answer.fate == "failed":
            name = self._terms.folder.name_of(job.output)
            self.given_up.append(claim_path(self._terms.folder.claims, name))
        self.totals.add(answer.record, kept=answer.fate == "kept")
        self._steps += 1
        self._progress(answer, self._steps, self._all_steps)

    def _failed(self, job: Job, reason: str) -> Answer:
        return OneJob(job, self._terms, self._craft).failed(reason)

    def records(self) -> Iterator[Record]:
        """The records of jobs, as they are on the disk where they are."""
        for job in self._jobs:
            record = self._unwritten.get(job) or read_record(job.output)
            if record is not None:
                yield record


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
