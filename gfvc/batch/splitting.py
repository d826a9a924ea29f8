"""A long file in parts: planned by one worker, worked on by many, joined by one.

What is finished of a part lies in DIR/.gfvc-batch/parts/ until the file is done, so that an
interrupted run goes on with the parts that are missing.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gfvc.batch.claims import Claim, claim_path, claimed
from gfvc.batch.engine import lost_text
from gfvc.batch.jobs import Job
from gfvc.batch.work import Answer, OneJob, SplitCraft, Terms, one_at_a_time, with_claim
from gfvc.errors import GfvcError, InputError
from gfvc.json_checking import CheckedObject, read_json
from gfvc.output import replace_text, replaced_when_complete

_MOST_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class Split:
    """How a job is split; `key` names the folder of its parts, which are of this plan only."""

    plan: Any
    parts: int
    key: str


def begin_job(job: Job, terms: Terms, craft: SplitCraft) -> Answer | Split:
    """Plan the parts of a job, unless it is done; one of a single part is done at once."""

    def begin(work: OneJob, claim: Claim) -> Answer | Split:
        answer = work.done_before(claim)
        if answer is not None:
            return answer
        planned = craft.plan(job.input, job.output, job.options)
        if planned.reason is not None:
            return work.failed(planned.reason)
        plan = planned.result
        if plan.parts == 1:
            return work.perform(
                lambda force: craft.perform(job.input, job.output, job.options, force=force)
            )
        content = f"{work.identity} {plan!r}".encode()
        return Split(plan, plan.parts, hashlib.sha256(content).hexdigest()[:32])

    return with_claim(OneJob(job, terms, craft), begin)


def do_part(job: Job, terms: Terms, craft: SplitCraft, split: Split, part: int) -> str | None:
    """Do a part, unless it is done; why it failed, None where it did not."""
    folder = terms.folder.parts / split.key
    claim_of = part_claim(terms, split, part)
    with one_at_a_time:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with claimed(claim_of, terms.run) as claim:
                if _result(folder, part) is not None:
                    return None
                if claim.attempts > terms.retries:
                    claim.give_up()
                    return lost_text(claim.attempts)
                claim.begin()
                return _done_part(job, craft, split, part, folder)
        except GfvcError as error:
            return str(error).splitlines()[0]
        except OSError as error:
            return f"{error.filename or folder}: {error.strerror}"


def part_claim(terms: Terms, split: Split, part: int) -> Path:
    """The file of the claim on a part."""
    return claim_path(terms.folder.claims, f"{split.key}/{part}")


def _done_part(job: Job, craft: SplitCraft, split: Split, part: int, folder: Path) -> str | None:
    started = time.perf_counter()
    file = _file(folder, part)
    with replaced_when_complete(file, force=True) as temporary:
        performed = craft.perform_part(job.input, job.output, split.plan, part, temporary)
        if performed.reason is not None:
            raise InputError(performed.reason)
    seconds = time.perf_counter() - started
    result = {"seconds": seconds, "result": performed.result}
    replace_text(file.with_suffix(".json"), json.dumps(result))
    return None


def finish_job(job: Job, terms: Terms, craft: SplitCraft, split: Split) -> Answer:
    """Join the parts of a job, which are all done."""

    def finish(work: OneJob, claim: Claim) -> Answer:
        folder = terms.folder.parts / split.key
        answer = work.done_before(claim)
        if answer is None:
            results = [_result(folder, part) for part in range(split.parts)]
            found = [result for result in results if result is not None]
            if len(found) < split.parts:
                return work.failed(f"{folder}: parts are missing, which were there; begin again")
            work.seconds_before = sum(seconds for seconds, _ in found)
            parts = [(_file(folder, part), result) for part, (_, result) in enumerate(found)]
            answer = work.perform(
                lambda force: craft.join(job.input, job.output, split.plan, parts, force=force)
            )
        if answer.fate != "failed":
            shutil.rmtree(folder, ignore_errors=True)
        return answer

    return with_claim(OneJob(job, terms, craft), finish)


def _file(folder: Path, part: int) -> Path:
    return folder / f"{part:05}.part"


def _result(folder: Path, part: int) -> tuple[float, dict[str, Any]] | None:
    """Seconds and result of a part that is done; None of another."""
    file = _file(folder, part)
    path = file.with_suffix(".json")
    try:
        value = read_json(path, _MOST_BYTES)
        item = CheckedObject(value, path)
        seconds = item.number("seconds")
        item.object("result")
    except InputError:
        return None
    assert isinstance(value, dict)  # or it could not have been checked
    return (seconds, value["result"]) if file.is_file() else None
