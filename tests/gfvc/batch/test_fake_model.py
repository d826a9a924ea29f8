"""Clips that are really encoded, by a model that takes no time, or takes its process with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gfvc.batch.engine import EngineChoice
from gfvc.batch.folder import opened_folder
from gfvc.batch.jobs import find_jobs
from gfvc.batch.records import Record, read_record
from gfvc.batch.run import PartDone, run_batch
from gfvc.batch.tables import Totals
from gfvc.batch.work import Answer
from tests.gfvc.batch.fake_model import (
    OPTIONS,
    POISON,
    FakeModelCraft,
    process_megabytes,
    write_clip,
)

CLIPS = 50
# Of the second half of the clips: 80 kB of each, less than a picture. What is loaded first stays.
GROWTH_MEGABYTES = 2.0


@pytest.fixture
def encode_all(tmp_path: Path) -> Callable[..., Totals]:
    """Encodes all clips of a folder."""

    def run(
        workers: int = 1, progress: Callable[[Answer | PartDone, int, int], None] = lambda *_: None
    ) -> Totals:
        craft = FakeModelCraft("encode")
        jobs = find_jobs([tmp_path / "in"], tmp_path / "out", craft.naming, OPTIONS)
        with opened_folder(tmp_path / "out") as folder:
            return run_batch(jobs, folder, craft, EngineChoice(workers=workers), progress=progress)

    (tmp_path / "in").mkdir()
    return run


def test_a_clip_that_crashes_the_model_is_given_up(
    tmp_path: Path, encode_all: Callable[..., Totals]
) -> None:
    for name, number in (("a", 1), ("bad", POISON), ("c", 2), ("d", 3)):
        write_clip(tmp_path / "in" / f"{name}.mkv", number)
    totals = encode_all(workers=2)
    assert totals.done == 3
    [(name, reason)] = totals.failures
    assert name == str(tmp_path / "in" / "bad.mkv")
    assert reason == "the process that worked on it ended before it was done, 2 times"
    out = tmp_path / "out"
    assert sorted(path.name for path in out.glob("*.266")) == ["a.266", "c.266", "d.266"]
    assert _record(out / "c.266")["result"]["frames"] == 3
    assert _record(out / "bad.266")["status"] == "failed"
    assert not list((out / ".gfvc-batch" / "claims").iterdir())
    assert not [
        path for path in out.rglob("*") if path.name.startswith(".gfvc-") and path.is_file()
    ]
    # The clip is mended: nothing is in its way.
    write_clip(tmp_path / "in" / "bad.mkv", 4)
    totals = encode_all()
    assert (totals.kept, totals.done, totals.failures) == (3, 1, [])


def test_memory_does_not_grow_with_the_clips(
    tmp_path: Path, encode_all: Callable[..., Totals]
) -> None:
    for number in range(CLIPS):
        write_clip(tmp_path / "in" / f"{number:03}.mkv", number)
    sharing: list[float] = []
    working: list[float] = []

    def note(ended: Answer | PartDone, done: int, total: int) -> None:
        assert isinstance(ended, Answer)
        sharing.append(process_megabytes())
        working.append(ended.record["result"]["megabytes"])

    assert encode_all(progress=note).done == CLIPS
    for megabytes in (sharing, working):
        assert megabytes[-1] - megabytes[CLIPS // 2] < GROWTH_MEGABYTES


def _record(output: Path) -> Record:
    record = read_record(output)
    assert record is not None
    return record
