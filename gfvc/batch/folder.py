"""The folder of a batch: outputs with their records, tables, and what only the batch needs.

DIR/.gfvc-batch/lock      held by a batch that works on all of it, and shared by those of a part
DIR/.gfvc-batch/part-K-N  held by the batch of a part
DIR/.gfvc-batch/claims/   a file for each job that is being done (`gfvc.batch.claims`)
DIR/.gfvc-batch/parts/    parts of clips that are coded in parts (`gfvc.batch.splitting`)
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gfvc.errors import OutputError, system_errors
from gfvc.folder_lock import held
from gfvc.output import check_link

_STATE = ".gfvc-batch"
_TABLE = re.compile(r"results(-\d+-of-\d+)?\.(csv|jsonl)")


def is_reserved(place: Path) -> bool:
    """Whether a path in the folder is that of a table, or of what the batch needs, or in one."""
    return place.parts[0] == _STATE or _TABLE.fullmatch(place.parts[0]) is not None


@dataclass(frozen=True, slots=True)
class BatchFolder:
    """The folder of a batch; `path` is absolute. `part` is (K, N) of a batch of a part."""

    path: Path
    part: tuple[int, int] | None = None

    @property
    def claims(self) -> Path:
        """Folder of the claims."""
        return self.path / _STATE / "claims"

    @property
    def parts(self) -> Path:
        """Folder of the parts of clips."""
        return self.path / _STATE / "parts"

    def table(self, suffix: str) -> Path:
        """The table of results: results.csv, or results-K-of-N.csv of a part."""
        part = "" if self.part is None else f"-{self.part[0]}-of-{self.part[1]}"
        return self.path / f"results{part}{suffix}"

    def name_of(self, output: Path) -> str:
        """An output's path in the folder, with slashes."""
        return output.relative_to(self.path).as_posix()


@contextlib.contextmanager
def opened_folder(path: Path, part: tuple[int, int] | None = None) -> Iterator[BatchFolder]:
    """Make the folder of a batch, or take an existing one, and hold it for the block.

    Raises `OutputError` when it cannot be used, or another batch works in it.
    """
    check_link(path)
    folder = BatchFolder(Path(os.path.realpath(path)), part)
    with contextlib.ExitStack() as stack:
        with system_errors(OutputError, path, "cannot be used as a folder"):
            folder.claims.mkdir(parents=True, exist_ok=True)
            folder.parts.mkdir(exist_ok=True)
            whole = folder.path / _STATE / "lock"
            stack.enter_context(held(whole, path, "batch", shared=part is not None))
            if part is not None:
                own = folder.path / _STATE / f"part-{part[0]}-{part[1]}"
                stack.enter_context(held(own, path, "batch"))
        yield folder
        if part is None:
            shutil.rmtree(folder.parts, ignore_errors=True)
