"""The command that looks for input which ends badly must notice when one does."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from benchmarks import reliability
from benchmarks.reliability import Cases, Worker, campaign, main


def spend(seconds: float) -> tuple[str, str]:
    start = time.process_time()
    while time.process_time() - start < seconds:
        pass
    return "done", ""


def raise_error() -> tuple[str, str]:
    raise ValueError("first\nsecond")


def test_what_is_bad_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # This process has run other tests, and has had what memory they took.
    monkeypatch.setattr(reliability, "_peak", lambda: 1 << 20)
    raised = reliability._measured("decode", raise_error, 5)
    assert (raised.end, raised.text.startswith("ValueError at test_reliability.py:")) == (
        "broken",
        True,
    )
    assert reliability._measured("decode", lambda: spend(0.3), 0.1).end == "broken"
    assert reliability._measured("decode", lambda: spend(0.0), 5).end == "done"
    monkeypatch.setattr(reliability, "_peak", lambda: reliability.MEMORY + 1)
    large = reliability._measured("decode", lambda: spend(0.0), 5)
    assert (large.end, large.text) == ("broken", "took 2048 MiB of memory")


@pytest.mark.parametrize(
    ("status", "err", "leaves", "end"),
    [
        (0, "gfvc: a note\n", "", "done"),
        (1, "gfvc: a note\ngfvc decode: in.bin: damaged\n", "", "refused"),
        (1, "", "", "broken"),
        (1, "gfvc decode: a\ngfvc decode: b\n", "", "broken"),
        (1, "gfvc decode: a\nand more\n", "", "broken"),
        (2, "gfvc decode: a\n", "", "broken"),
        (1, "gfvc decode: a\n", "out.mkv", "broken"),
    ],
)
def test_how_a_command_ends(
    status: int,
    err: str,
    leaves: str,
    end: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def command(arguments: list[str]) -> int:
        sys.stderr.write(err)
        if leaves:
            (tmp_path / leaves).write_bytes(b"")
        return status

    monkeypatch.setattr(reliability, "gfvc_main", command)
    assert reliability._command(tmp_path, "decode", "in.bin")[0] == end


def test_cases_are_run_in_processes_and_counted(tmp_path: Path) -> None:
    rows = campaign("sei", 31, seed=4, inputs=tmp_path, jobs=2)
    row = rows["sei: sei"]
    assert (row.cases, row.done, row.broken) == (31, 31, [])
    assert 0 < row.memory < reliability.MEMORY


def test_a_process_that_dies_is_told_and_replaced(tmp_path: Path) -> None:
    worker = Worker("sei", 4, tmp_path, range(10**6))
    results: list[tuple[int, list[reliability.Result]]] = []
    while len(results) < 5:
        if (taken := worker.take()) is not None:
            results.append(taken)
    os.kill(worker.process_id, 9)
    told: list[tuple[int, list[reliability.Result]]] = []
    bad: list[tuple[int, list[reliability.Result]]] = []
    while not bad or len(told) < bad[0][0] + 5:
        if (taken := worker.take()) is not None:
            told.append(taken)
            bad += [taken] if taken[1][0].end == "broken" else []
    assert len(bad) == 1
    assert "died with exit code -9" in bad[0][1][0].text
    numbers = [number for number, _ in [*results, *told]]
    assert numbers == list(range(len(numbers)))
    worker.stop()


def test_a_case_has_the_same_damage_each_time(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (inputs / "a.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(900) + b"moov" + bytes(300))
    files = [
        Cases("mp4", seed, inputs).damaged(number, tmp_path).read_bytes()
        for seed, number in ((1, 7), (1, 7), (1, 8), (2, 7))
    ]
    assert files[0] == files[1]
    assert len(set(files)) == 3


def test_nothing_to_do_ends_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reliability, "make_inputs", lambda folder: None)
    assert main(["--mutations", "3", "--decodes", "0", "--containers", "0"]) == 0
    assert "| sei: sei | 3 | 3 | 0 | 0 |" in capsys.readouterr().out
