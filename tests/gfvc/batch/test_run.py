"""A batch of files: what is on the disk afterwards, and what happens again, however it ended."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

from gfvc.batch.claims import claim_path, claimed, forget_claim
from gfvc.batch.engine import EngineChoice, lost_text
from gfvc.batch.folder import opened_folder
from gfvc.batch.jobs import find_jobs, part_of
from gfvc.batch.records import read_record, record_path
from gfvc.batch.run import PartDone, run_batch
from gfvc.batch.tables import Totals
from gfvc.batch.work import Answer, Terms, do_job
from gfvc.errors import OutputError
from tests.conftest import REPOSITORY
from tests.gfvc.batch.crafts import NAMING, PatientWordCraft, TextCraft, WordCraft
from tests.gfvc.batch.test_engines import dask_cluster, is_alive, wait_for
from tests.gfvc.support import listing

ONE = EngineChoice(workers=1)
TWO = EngineChoice(workers=2)


class Start(Protocol):
    def __call__(self, craft: str = "text") -> subprocess.Popen[str]: ...


class Batch:
    """A folder of texts, and what is made of them."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "in"
        self.out = folder / "out"
        self.log = folder / "log"
        self.fates: dict[str, str] = {}
        (self.source / "deep").mkdir(parents=True)

    def write(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.source / f"{name}.txt").write_text(text)

    def run(self, engine: EngineChoice = ONE, version: str = "1", **changes: Any) -> Totals:
        options = changes.pop("options", ())
        part = changes.pop("part", None)
        self.fates = {}
        self.log.write_text("")

        steps = 0

        def progress(ended: Answer | PartDone, done: int, total: int) -> None:
            nonlocal steps
            if isinstance(ended, Answer):
                self.fates[ended.record["output"]] = ended.fate
            assert steps < done <= total
            steps = done

        jobs = find_jobs([self.source], self.out, NAMING, options)
        if part is not None:
            jobs = part_of(jobs, *part)
        craft = changes.pop("craft", TextCraft)(self.log, version)
        with opened_folder(self.out, part) as folder:
            return run_batch(jobs, folder, craft, engine, progress=progress, **changes)

    def worked_on(self) -> list[str]:
        """Names of the files that were worked on in the last run."""
        return sorted(line.split()[0] for line in self.log.read_text().splitlines())

    def left_over(self) -> list[str]:
        """Names of hidden and temporary files and folders in the output folder."""
        return sorted(
            name
            for name in listing(self.out)
            if ".gfvc-" in name and name.rpartition("/")[2] not in (".gfvc-batch", "claims", "lock")
        )


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    return Batch(tmp_path)


def test_everything_is_done_once(batch: Batch) -> None:
    batch.write(a="hello", b="fail")
    (batch.source / "deep" / "c.txt").write_text("world")
    totals = batch.run()
    assert batch.fates == {"a.out": "done", "b.out": "failed", "deep/c.out": "done"}
    assert (totals.done, totals.kept, totals.video_seconds, totals.kbps) == (2, 0, 4, 2)
    assert totals.failures == [(str(batch.source / "b.txt"), "it says fail")]
    assert (batch.out / "deep" / "c.out").read_text() == "WORLD"
    assert not (batch.out / "b.out").exists()
    record = read_record(batch.out / "a.out")
    assert record is not None
    assert record["result"] == {"frames": 50, "fps": 25, "kbps": 2.0}
    assert (record["status"], record["notes"]) == ("done", ["a note"])
    rows = (batch.out / "results.csv").read_text().splitlines()
    assert rows[0].startswith("input,output,status,reason,pictures,video_seconds,kbps")
    assert [row.split(",")[2] for row in rows[1:]] == ["done", "failed", "done"]
    lines = (batch.out / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["output"] for line in lines] == ["a.out", "b.out", "deep/c.out"]
    assert not batch.left_over()

    before = listing(batch.out)
    totals = batch.run()
    assert (totals.done, totals.kept, totals.video_seconds) == (0, 2, 4)
    assert batch.worked_on() == ["b.txt"]  # what failed is tried again
    kept = {"results.csv", "results.jsonl", "b.out.json", ".gfvc-batch/lock"}
    after = listing(batch.out)
    assert {name for name in after if after[name] != before.get(name)} <= kept


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("change", ["input", "options", "version", "output", "record", "missing"])
def test_what_is_not_the_same_is_done_again(batch: Batch, change: str) -> None:
    batch.write(a="hello", b="world")
    batch.run()
    changes: dict[str, Any] = {}
    if change == "input":
        batch.write(a="goodbye")
    elif change == "options":
        changes = {"options": ("!",)}
    elif change == "version":
        changes = {"version": "2"}
    elif change == "missing":
        (batch.out / "a.out").unlink()
    elif change == "record":
        record_path(batch.out / "a.out").write_text('{"format": "gfvc-batch-result", "version": 1}')
        changes = {"force": True}  # whose the output is cannot be told
        record_path(batch.out / "a.out").unlink()
    else:
        (batch.out / "a.out").write_text("HELL")
        changes = {"force": True}
    batch.run(**changes)
    of_all = ["a.txt", "b.txt"] if change in ("options", "version") else ["a.txt"]
    assert batch.worked_on() == of_all
    expected = {"input": "GOODBYE", "options": "HELLO!"}.get(change, "HELLO")
    assert (batch.out / "a.out").read_text() == expected


@pytest.mark.usefixtures("here")
def test_a_touched_file_is_the_same(batch: Batch) -> None:
    batch.write(a="hello")
    batch.run()
    os.utime(batch.source / "a.txt", (1, 1))
    assert batch.run().kept == 1
    assert batch.worked_on() == []


@pytest.mark.usefixtures("here")
def test_outputs_that_no_batch_made_are_left_alone(batch: Batch) -> None:
    batch.write(a="hello")
    batch.out.mkdir()
    (batch.out / "a.out").write_text("dear to me")
    [(_, reason)] = batch.run().failures
    assert "a.out: exists already" in reason
    assert (batch.out / "a.out").read_text() == "dear to me"
    [(_, reason)] = batch.run().failures  # it did not become ours by that
    assert "a.out: exists already" in reason
    assert batch.run(force=True).done == 1
    # One that somebody changed is theirs.
    (batch.out / "a.out").write_text("dear to me")
    assert batch.run().failures
    assert (batch.out / "a.out").read_text() == "dear to me"


@pytest.mark.usefixtures("here")
def test_a_record_that_no_batch_made_is_left_alone(batch: Batch) -> None:
    batch.write(a="hello")
    batch.out.mkdir()
    (batch.out / "a.out.json").write_text("dear to me")
    [(_, reason)] = batch.run().failures
    assert "a.out.json: exists already" in reason
    assert (batch.out / "a.out.json").read_text() == "dear to me"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["results.csv", "results.jsonl"])
def test_tables_that_no_batch_made_are_left_alone(batch: Batch, name: str) -> None:
    """That is found out before there is any work."""
    batch.write(a="one")
    batch.out.mkdir()
    table = batch.out / name
    table.write_text("mine")
    with pytest.raises(OutputError, match=f"{name}: exists already and is no table of a batch"):
        batch.run()
    assert table.read_text() == "mine"
    assert batch.worked_on() == []
    assert batch.run(force=True).done == 1
    assert table.read_text().startswith('{"format"' if name.endswith("jsonl") else "input,")
    assert batch.run().kept == 1
    for make in (Path.mkdir, os.mkfifo):
        table.rmdir() if table.is_dir() else table.unlink()
        make(table)
        with pytest.raises(OutputError, match=f"{name}: is no file, where the table"):
            batch.run(force=True)


@pytest.mark.usefixtures("here")
def test_an_output_of_ours_stays_ours_when_its_successor_fails(batch: Batch) -> None:
    batch.write(a="hello")
    batch.run()
    batch.write(a="fail")
    assert batch.run().failures
    assert (batch.out / "a.out").read_text() == "HELLO"
    batch.write(a="world")
    assert batch.run().done == 1
    assert (batch.out / "a.out").read_text() == "WORLD"


def test_what_nobody_foresaw_is_a_failure_of_that_clip(batch: Batch) -> None:
    batch.write(a="raise", b="hello")
    totals = batch.run()
    assert totals.done == 1
    assert totals.failures == [(str(batch.source / "a.txt"), "nobody foresaw this")]
    record = read_record(batch.out / "a.out")
    assert record is not None
    assert record["reason"] == "nobody foresaw this"


@pytest.mark.parametrize("engine", ["local", "dask"])
def test_a_clip_that_crashes_its_process_is_given_up(batch: Batch, engine: str) -> None:
    batch.write(bad="abort", a="hello", b="world", odd="abort-once", last="end")
    if engine == "local":
        totals = batch.run(TWO)
    else:
        with dask_cluster() as choice:
            totals = batch.run(choice)
    # Dask asks again for an answer that was lost with its worker: the clip is not done again.
    done = {name for name, fate in batch.fates.items() if fate in ("done", "kept")}
    assert done == {"a.out", "b.out", "odd.out", "last.out"}, totals.failures
    assert totals.done + totals.kept == 4
    [(name, reason)] = totals.failures
    assert name.endswith("bad.txt")
    assert reason == "the process that worked on it ended before it was done, 2 times"
    assert batch.worked_on().count("bad.txt") == 2
    assert batch.worked_on().count("odd.txt") == 2
    assert (batch.out / "odd.out").read_text() == "ABORT-ONCE"
    assert not batch.left_over()
    assert not list((batch.out / ".gfvc-batch" / "claims").iterdir())


def test_an_answer_that_was_lost_is_the_same_again(batch: Batch) -> None:
    """A worker may die with answers that nobody has taken: the scheduler asks for them again."""
    batch.write(bad="abort")
    [job] = find_jobs([batch.source], batch.out, NAMING)
    batch.log.write_text("")
    with opened_folder(batch.out) as folder:
        path = claim_path(folder.claims, folder.name_of(job.output))
        path.write_text('{"run": "this", "attempts": 2}')
        for _ in range(3):
            answer = do_job(job, Terms(folder, "this"), TextCraft(batch.log))
            assert answer.record["reason"] == lost_text(2)
        forget_claim(path)
        assert not path.exists()
    assert batch.worked_on() == []


def test_an_answer_that_was_taken_may_be_asked_for_again(batch: Batch) -> None:
    """A scheduler may do so while it runs: what was given up is not begun anew."""
    batch.write(bad="abort", last="end")
    batch.log.write_text("")
    jobs = find_jobs([batch.source], batch.out, NAMING)
    reasons: list[str | None] = []
    with opened_folder(batch.out) as folder:
        path = claim_path(folder.claims, folder.name_of(jobs[0].output))

        def ask_again(ended: Answer | PartDone, done: int, total: int) -> None:
            run = json.loads(path.read_text())["run"]
            answer = do_job(jobs[0], Terms(folder, run), TextCraft(batch.log))
            reasons.append(answer.record["reason"])

        run_batch(jobs, folder, TextCraft(batch.log), ONE, progress=ask_again)
        assert not path.exists()
    assert reasons == [lost_text(2)] * 2
    assert batch.worked_on() == ["bad.txt", "bad.txt", "last.txt"]


def test_a_claim_that_is_held_is_not_forgotten(tmp_path: Path) -> None:
    path = claim_path(tmp_path, "a")
    with claimed(path, "other"):
        forget_claim(path)
        assert path.exists()
    forget_claim(path)  # nothing is left: that is no error


def test_how_often_a_crash_is_tried_again(batch: Batch) -> None:
    batch.write(bad="abort")
    batch.run(retries=0)
    assert batch.worked_on() == ["bad.txt"]
    batch.run(retries=3)
    assert batch.worked_on() == ["bad.txt"] * 4


def test_a_process_that_dies_before_it_notes_what_it_did(batch: Batch) -> None:
    batch.write(a="kill-after")
    totals = batch.run(retries=1)
    assert (totals.done, batch.worked_on()) == (1, ["a.txt", "a.txt"])
    assert (batch.out / "a.out").read_text() == "KILL-AFTER"


def test_a_full_disk_fails_a_clip_and_leaves_nothing_half(batch: Batch) -> None:
    batch.write(a="full of letters", b="hello")
    totals = batch.run()
    [(name, reason)] = totals.failures
    assert name.endswith("a.txt")
    assert "a.out: cannot be written" in reason
    assert totals.done == 1
    assert not (batch.out / "a.out").exists()
    assert not batch.left_over()
    batch.write(a="less")
    assert batch.run().done == 1


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("letters", [248, 251])
def test_a_name_that_is_too_long_is_a_failure_of_that_clip(batch: Batch, letters: int) -> None:
    """That of the record, or that of the output too."""
    long = batch.source / "deep" / f"{'x' * letters}.txt"
    long.write_text("long")
    batch.write(a="hello", z="world")
    totals = batch.run(TWO)
    assert totals.done == 2
    [(name, reason)] = totals.failures
    assert name == str(long)
    assert reason.endswith(f"{'x' * letters}.out.json: cannot be written (File name too long)")
    assert batch.worked_on() == ["a.txt", "z.txt"]
    assert len((batch.out / "results.csv").read_text().splitlines()) == 4
    assert not batch.left_over()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("number", ["1e999", "NaN", "1" + "0" * 400, "-1", '"many"', "[]"])
def test_records_that_were_changed(batch: Batch, number: str) -> None:
    """Such a record is another's, or is taken without that number."""
    batch.write(a="hello")
    batch.run()
    path = record_path(batch.out / "a.out")
    path.write_text(path.read_text().replace('"frames": 50', f'"frames": {number}'))
    totals = batch.run()
    assert totals.clips == 1
    assert totals.video_seconds == 0


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("attempts", ["Infinity", "[" * 900, '"x"', "-5", "9" * 900])
def test_claims_that_were_changed(batch: Batch, attempts: str) -> None:
    batch.write(a="hello")
    with opened_folder(batch.out) as folder:
        claim = claim_path(folder.claims, "a.out")
    claim.write_text(f'{{"run": "this", "attempts": {attempts}}}')
    assert batch.run().done == 1


@pytest.mark.usefixtures("here")
def test_tables_hold_no_formulas(batch: Batch) -> None:
    names = ["=cmd|' calc'!A0", "+1", "-1", "@sum", "a;=1+1", "\x1b[2Jb", "plain, 'n' -1"]
    for name in names:
        (batch.source / f"{name}.txt").write_text("fail")
    batch.run()
    with (batch.out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    shown = {row["output"] for row in rows}
    assert shown == {
        *("'=cmd|' calc'!A0.out", "'+1.out", "'-1.out", "'@sum.out", "a;'=1+1.out"),
        *("\\x1b[2Jb.out", "plain, 'n' -1.out"),
    }
    lines = (batch.out / "results.jsonl").read_text().splitlines()
    assert {json.loads(line)["output"] for line in lines} == {f"{name}.out" for name in names}


@pytest.mark.usefixtures("here")
def test_an_input_that_went_away_is_a_failure(batch: Batch) -> None:
    batch.write(a="hello", b="world")
    jobs = find_jobs([batch.source], batch.out, NAMING)
    (batch.source / "a.txt").unlink()
    with opened_folder(batch.out) as folder:
        totals = run_batch(jobs, folder, TextCraft(batch.log), ONE)
    assert totals.done == 1
    assert "a.txt: cannot be read (No such file or directory)" in totals.failures[0][1]


@pytest.mark.usefixtures("here")
def test_parts_are_all_together(batch: Batch) -> None:
    batch.write(**{name: name for name in "abcde"})
    assert batch.run(part=(1, 2)).clips == 3
    assert batch.run(part=(2, 2)).clips == 2
    assert sorted(batch.fates) == ["b.out", "d.out"]
    tables = {path.name for path in batch.out.glob("results*")}
    assert tables == {
        f"results-{part}-of-2{suffix}" for part in (1, 2) for suffix in (".csv", ".jsonl")
    }
    totals = batch.run()
    assert (totals.kept, totals.done) == (5, 0)
    assert len((batch.out / "results.csv").read_text().splitlines()) == 6


@pytest.mark.usefixtures("here")
def test_one_batch_at_a_time(batch: Batch) -> None:
    batch.write(a="hello")
    with opened_folder(batch.out):
        with pytest.raises(OutputError, match=f"another batch works in it .process {os.getpid()} "):
            batch.run()
        with pytest.raises(OutputError, match="another batch works in it"):
            batch.run(part=(1, 2))
    with opened_folder(batch.out, (1, 2)):
        with pytest.raises(OutputError, match="another batch works in it"):
            batch.run(part=(1, 2))
        with pytest.raises(OutputError, match="another batch works in it"):
            batch.run()
        with opened_folder(batch.out, (2, 2)):
            pass
    assert batch.run().done == 1


def test_a_file_in_parts_is_what_it_is_as_a_whole(batch: Batch) -> None:
    batch.write(a="one two three four", b="one", c="short text of short words")
    assert batch.run(TWO).done == 3
    whole = listing(batch.out)
    totals = batch.run(TWO, craft=WordCraft)
    assert (totals.done, totals.failures) == (3, [])
    for name in ("a.out", "b.out", "c.out"):
        assert (batch.out / name).read_bytes() == whole[name]
    # A file of one part is worked on as a whole, and what is done is not done again.
    of_parts = [f"a.txt/{part}" for part in range(4)], [f"c.txt/{part}" for part in range(5)]
    assert batch.worked_on() == [*of_parts[0], "b.txt", *of_parts[1]]
    assert batch.run(TWO, craft=WordCraft).kept == 3
    assert batch.worked_on() == []
    assert not batch.left_over()


def test_a_part_that_fails_fails_its_file_only(batch: Batch) -> None:
    batch.write(a="good fail good", b="fine words", c="good abort good", d="good abort-once good")
    totals = batch.run(TWO, craft=WordCraft)
    assert batch.fates == {"a.out": "failed", "b.out": "done", "c.out": "failed", "d.out": "done"}
    assert [reason for _, reason in sorted(totals.failures)] == [
        "it says fail",
        "the process that worked on it ended before it was done, 2 times",
    ]
    assert not (batch.out / "a.out").exists()
    assert (batch.out / "d.out").read_text() == "GOOD ABORT-ONCE GOOD"


def test_a_full_disk_fails_a_part(batch: Batch) -> None:
    batch.write(a="full good", b="fine words")
    totals = batch.run(craft=WordCraft)
    [(_, reason)] = totals.failures
    assert "cannot be written" in reason
    assert totals.done == 1
    batch.write(a="less good")
    assert batch.run(craft=WordCraft).done == 1


SCRIPT = """\
import signal
import sys
from pathlib import Path
from gfvc.batch.engine import EngineChoice
from gfvc.batch.folder import opened_folder
from gfvc.batch.jobs import find_jobs
from gfvc.batch.run import PartDone, run_batch
from gfvc.ending import end_on_signals
from tests.gfvc.batch.crafts import NAMING, TextCraft, WordCraft

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    end_on_signals()
    source, out, log = map(Path, sys.argv[2:])
    jobs = find_jobs([source], out, NAMING)
    with opened_folder(out) as folder:
        craft = {"text": TextCraft, "word": WordCraft}[sys.argv[1]](log)
        run_batch(jobs, folder, craft, EngineChoice(workers=2))
"""


@pytest.fixture
def start(batch: Batch, tmp_path: Path) -> Start:
    """A batch in a process of its own."""
    (tmp_path / "run.py").write_text(SCRIPT)

    def run(craft: str = "text") -> subprocess.Popen[str]:
        arguments = [tmp_path / "run.py", craft, batch.source, batch.out, batch.log]
        return subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return run


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_batch_that_was_ended_goes_on(batch: Batch, start: Start, way: int) -> None:
    batch.write(**{f"a{number}": "hello" for number in range(6)}, b="slow", c="slow", d="end")
    batch.log.write_text("")
    process = start()
    # The two that take long are reached last but one.
    wait_for(lambda: len(batch.log.read_text().splitlines()) >= 8)
    if way in (signal.SIGINT, signal.SIGHUP):  # as a terminal does
        os.killpg(process.pid, way)
    else:
        process.send_signal(way)
    _, err = process.communicate(timeout=60)
    assert way == signal.SIGKILL or "resource_tracker" not in err
    pids = {int(line.split()[1]) for line in batch.log.read_text().splitlines()}
    wait_for(lambda: not any(map(is_alive, pids)))
    batch.write(b="quick", c="quick")
    totals = batch.run(TWO)
    assert (totals.kept, totals.done, totals.failures) == (6, 3, [])
    assert batch.worked_on() == ["b.txt", "c.txt", "d.txt"]
    assert not batch.left_over()
    assert not list((batch.out / ".gfvc-batch" / "claims").iterdir())


def test_a_second_batch_says_so_and_stops(batch: Batch, start: Start) -> None:
    batch.write(a="slow", b="hello")
    batch.log.write_text("")
    process = start()
    wait_for(lambda: len(batch.worked_on()) == 2 and (batch.out / "b.out.json").exists())
    pids = {int(line.split()[1]) for line in batch.log.read_text().splitlines()}
    with pytest.raises(OutputError, match=f"another batch works in it .process {process.pid} "):
        batch.run()
    assert batch.worked_on() == []
    process.kill()
    process.communicate(timeout=60)
    wait_for(lambda: not any(map(is_alive, pids)))
    batch.write(a="quick")
    totals = batch.run()
    assert (totals.kept, totals.done) == (1, 1)


def test_parts_that_were_done_are_kept(batch: Batch, start: Start) -> None:
    batch.write(a="one two three slow five")
    batch.log.write_text("")
    process = start("word")
    # The fourth part takes long, and the fifth is done beside it.
    parts = batch.out / ".gfvc-batch" / "parts"
    wait_for(lambda: len(list(parts.rglob("0*.json"))) == 4)
    process.kill()
    process.communicate(timeout=60)
    pids = {int(line.split()[1]) for line in batch.log.read_text().splitlines()}
    wait_for(lambda: not any(map(is_alive, pids)))
    # The same content: the word is slow no more, for it is not the first to ask.
    totals = batch.run(TWO, craft=PatientWordCraft)
    assert (totals.done, batch.worked_on()) == (1, ["a.txt/3"])
    assert (batch.out / "a.out").read_text() == "ONE TWO THREE SLOW FIVE"
    assert not batch.left_over()


def test_what_another_process_works_on_is_waited_for(batch: Batch, start: Start) -> None:
    """As when two machines were given the same clip: it is done once."""
    batch.write(a="short", b="short")
    batch.log.write_text("")
    jobs = find_jobs([batch.source], batch.out, NAMING)
    process = start()
    wait_for(lambda: len(batch.log.read_text().splitlines()) >= 1)
    # Not by way of the folder's lock, which says so at once.
    from gfvc.batch.folder import BatchFolder

    totals = run_batch(jobs, BatchFolder(batch.out.resolve()), TextCraft(batch.log), TWO)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert batch.worked_on() == ["a.txt", "b.txt"]
    assert totals.clips == 2
    assert not totals.failures
