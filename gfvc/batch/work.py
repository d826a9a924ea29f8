"""Doing one job, in a worker process: is it done already? If not, do it and note what came of it.

What is done to a file is no business of this package: a `Craft` knows.
"""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from gfvc.batch.claims import Claim, claim_path, claimed
from gfvc.batch.engine import lost_text
from gfvc.batch.folder import BatchFolder
from gfvc.batch.identity import content_sha256, earlier_identity_of, identity_of
from gfvc.batch.jobs import Job, Options
from gfvc.batch.records import FORMAT, VERSION, Record, check_record, read_record, write_record
from gfvc.errors import GfvcError, OutputError
from models.errors import ModelError
from models.files import file_sha256


@dataclass(frozen=True, slots=True)
class Performed:
    """What came of working on a file; `reason` says why nothing good did, None where it did.

    `tells` says that there is an output all the same, which tells what is wrong with the file.
    """

    result: Any = None
    notes: tuple[str, ...] = ()
    reason: str | None = None
    tells: bool = False


class Craft(Protocol):
    """What is done to files. It can be pickled, and keeps nothing from one file to the next."""

    @property
    def verb(self) -> str:
        """The name of what is done."""

    def versions(self, options: Options) -> dict[str, str]:
        """Versions of all that makes a difference; raises `GfvcError` where something lacks."""

    def meaning(self, options: Options) -> Mapping[str, Any]:
        """What options mean for outputs, as a JSON object: equal where these would be equal."""

    def product(self, output: Path) -> Path:
        """What stands for an output: itself, or a file in it where a folder has one that does."""

    def is_whole(self, output: Path) -> bool:
        """Whether all of an output is there, whose `product` is."""

    def perform(self, source: Path, output: Path, options: Options, *, force: bool) -> Performed:
        """Work on a file; errors of any kind become a reason. `force` replaces the output."""


class SplitCraft(Craft, Protocol):
    """A craft that can work on a long file in parts, which know nothing of each other."""

    @property
    def splits(self) -> bool:
        """Whether that is asked for."""

    def plan(self, source: Path, output: Path, options: Options) -> Performed:
        """Say how a file is split; errors of any kind become a reason.

        The result is a plan, which can be pickled, and says into how many `parts`.
        """

    def perform_part(self, source: Path, output: Path, plan: Any, part: int, to: Path) -> Performed:
        """Work on a part, counted from 0, and write the file `to`; its result is a JSON object."""

    def join(
        self,
        source: Path,
        output: Path,
        plan: Any,
        parts: Sequence[tuple[Path, dict[str, Any]]],
        *,
        force: bool,
    ) -> Performed:
        """Make the output of all parts, in order: the file of each and its result."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How jobs of a run are done.

    `run` names the run; a job whose process crashes is begun `retries` times again; with `force`
    outputs are replaced that no batch made.
    """

    folder: BatchFolder
    run: str
    retries: int = 1
    force: bool = False


Fate = Literal["done", "kept", "failed"]
"""Done now, done before, or failed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a job; `written` says whether its record is on the disk."""

    fate: Fate
    record: Record
    written: bool = True


one_at_a_time = threading.Lock()
"""Held while something is done: some of it writes to this process's standard streams."""


def do_job(job: Job, terms: Terms, craft: Craft) -> Answer:
    """Do a job, unless it is done; nobody else does it at the same time."""
    return with_claim(OneJob(job, terms, craft), OneJob.do)


Got = TypeVar("Got")


def with_claim(work: OneJob, do: Callable[[OneJob, Claim], Got]) -> Got | Answer:
    """Have something done about a job that nobody else works on; errors make it fail."""
    with one_at_a_time:
        try:
            work.job.output.parent.mkdir(parents=True, exist_ok=True)
            check_record(work.job.output)
            path = claim_path(work.terms.folder.claims, work.name)
            with claimed(path, work.terms.run) as claim:
                return do(work, claim)
        except (GfvcError, ModelError) as error:
            return work.failed(str(error).splitlines()[0])
        except OSError as error:
            return work.failed(f"{error.filename or work.job.output}: {error.strerror}")


@dataclass(slots=True)
class OneJob:
    """A job that is being done."""

    job: Job
    terms: Terms
    craft: Craft
    started: float = field(default_factory=time.perf_counter)
    versions: dict[str, str] = field(default_factory=dict)
    input_sha256: str | None = None
    identity: str | None = None
    is_ours: bool = False
    seconds_before: float = 0.0

    @property
    def name(self) -> str:
        """The output's name in the folder."""
        return self.terms.folder.name_of(self.job.output)

    def do(self, claim: Claim) -> Answer:
        """Do it, unless it is done."""
        return self.done_before(claim) or self.perform(
            lambda force: self.craft.perform(
                self.job.input, self.job.output, self.job.options, force=force
            )
        )

    def done_before(self, claim: Claim) -> Answer | None:
        """What was done before, or that it was begun too often; None where it is to be done now."""
        self.identify()
        kept = self.kept()
        if kept is not None:
            return kept
        if claim.attempts > self.terms.retries:
            claim.give_up()
            return self.failed(lost_text(claim.attempts))
        self.is_ours = claim.was_begun or self._is_known()
        claim.begin()
        return None

    def perform(self, make: Callable[[bool], Performed]) -> Answer:
        """Make the output; `make` is told whether it may replace one."""
        performed = make(self.is_ours or self.terms.force)
        self.is_ours = self.is_ours or performed.reason is None or performed.tells
        return self.noted(performed)

    def identify(self) -> None:
        """Find out which work it is. Raises `GfvcError` or `ModelError` where that cannot be."""
        self.input_sha256 = file_sha256(self.job.input)
        self.versions = self.craft.versions(self.job.options)
        meant = self.craft.meaning(self.job.options)
        self.identity = identity_of(self.craft.verb, self.input_sha256, meant, self.versions)

    def kept(self) -> Answer | None:
        """What was done before; None where that is not this, or not whole."""
        record = read_record(self.job.output)
        if record is None or record["status"] != "done" or not self._is_of_this(record):
            return None
        is_whole = self._is_known() and self.craft.is_whole(self.job.output)
        return Answer("kept", record) if is_whole else None

    def _is_of_this(self, record: Record) -> bool:
        """Whether a record is of this work, also where an earlier version of gfvc wrote it."""
        if record["identity"] == self.identity:
            return True
        assert self.input_sha256 is not None
        options = tuple(record["options"])
        try:
            earlier = earlier_identity_of(
                self.craft.verb, self.input_sha256, options, self.versions
            )
            if record["identity"] != earlier:
                return False
            meant = self.craft.meaning(options)
            now = identity_of(self.craft.verb, self.input_sha256, meant, self.versions)
        except (GfvcError, ModelError, OSError):
            return False
        return now == self.identity

    def _is_known(self) -> bool:
        """Whether the output is the one that its record speaks of."""
        record = read_record(self.job.output)
        return record is not None and self._output_sha256() == record["output_sha256"] is not None

    def _output_sha256(self) -> str | None:
        try:
            return content_sha256(self.craft.product(self.job.output))
        except (ModelError, OSError):
            return None

    def failed(self, reason: str) -> Answer:
        """Note why it cannot be done."""
        return self.noted(Performed(reason=reason))

    def noted(self, performed: Performed) -> Answer:
        """Note what came of it."""
        # An earlier output that is ours stays so.
        ours = self.is_ours or self._is_known()
        record = Record(
            format=FORMAT,
            version=VERSION,
            identity=self.identity,
            verb=self.craft.verb,
            input=str(self.job.input),
            input_sha256=self.input_sha256,
            options=list(self.job.options),
            versions=self.versions,
            output=self.name,
            output_sha256=self._output_sha256() if ours else None,
            status="failed" if performed.reason else "done",
            reason=performed.reason,
            notes=list(performed.notes),
            seconds=round(self.seconds_before + time.perf_counter() - self.started, 3),
            peak_megabytes=_peak_megabytes(),
            result=performed.result,
        )
        written = True
        try:
            write_record(self.job.output, record)
        except OutputError as error:
            written = False
            if not performed.reason:
                record["status"], record["reason"] = "failed", str(error)
        return Answer("failed" if record["reason"] else "done", record, written)


def _peak_megabytes() -> float:
    """The most memory so far of this process, with the largest of the programs that it ran."""
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    kibibytes = sum(resource.getrusage(who).ru_maxrss for who in whose)
    return round(kibibytes * 1024 / 1e6, 1)
