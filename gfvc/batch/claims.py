"""Claims: who works on a job holds a lock on a file, and notes how often that was begun.

The kernel frees the lock however the process ends; what is in the file stays then. So nobody works
on a job that another does, a job whose process has crashed too often is given up, and an
output without a record is known to be ours. Two runs on different machines see each other where
the file system locks for all of them (NFS version 4, Lustre with ``flock``, CephFS).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from gfvc.errors import InputError, OutputError, system_errors
from gfvc.json_checking import CheckedObject, parse_json


class Claim:
    """The right to work on a job.

    `attempts` is how often it was begun in this run and not ended; `was_begun` whether it ever was,
    so that there may be an output of it.
    """

    def __init__(self, descriptor: int, run: str) -> None:
        self._descriptor = descriptor
        self._run = run
        self.is_given_up = False
        content = os.pread(descriptor, 1000, 0)
        self.was_begun = bool(content)
        self.attempts = 0
        with contextlib.suppress(InputError):
            noted = CheckedObject(parse_json(content, "claim"), "claim")
            if noted.name("run") == run:
                self.attempts = noted.whole("attempts")

    def begin(self) -> None:
        """Note one more attempt, before it is made."""
        self._note(self.attempts + 1)

    def take_back(self) -> None:
        """Let an attempt not count that somebody interrupted."""
        self._note(self.attempts - 1)

    def give_up(self) -> None:
        """Keep the count when the claim is let go, until `forget_claim` at the end of the run.

        A scheduler that loses our answer asks for it again, and is not to begin the job again.
        """
        self.is_given_up = True

    def _note(self, attempts: int) -> None:
        self.attempts = max(0, attempts)
        content = json.dumps({"run": self._run, "attempts": self.attempts}).encode()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, content, 0)
        os.fsync(self._descriptor)


def claim_path(folder: Path, name: str) -> Path:
    """The file of a claim in a folder of claims; `name` is that of the job's output."""
    return folder / hashlib.sha256(os.fsencode(name)).hexdigest()[:32]


@contextlib.contextmanager
def claimed(path: Path, run: str) -> Iterator[Claim]:
    """Wait until nobody else holds the claim, and hold it for the block; `run` names our run.

    When the block ends, with or without an error, nothing is left of the claim, unless the job was
    given up; when the process is asked to end, its file stays. Raises `OutputError` where files
    cannot be locked.
    """
    with system_errors(OutputError, path, "cannot be locked"):
        descriptor = _locked(path)
    try:
        claim = Claim(descriptor, run)
        try:
            yield claim
        except (KeyboardInterrupt, SystemExit):
            claim.take_back()
            raise
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if not claim.is_given_up:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def forget_claim(path: Path) -> None:
    """Remove what is left of the claim on a job that was given up, unless somebody holds it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                path.unlink()
        finally:
            os.close(descriptor)


def _locked(path: Path) -> int:
    """A descriptor of the file with a lock on it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Who held it before has removed the file, or not.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
