"""Runs that are not what they should be are refused in one line, before anything is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gfvc.errors import InputError
from gfvc.report.bench_run import read_bench_run
from tests.gfvc.report.conftest import HOSTILE, PICTURES, POINTS
from tests.gfvc.support import CommandLine, assert_refused

Change = Callable[[dict[str, Any]], Any]


def test_all_of_a_run_is_read(bench_run: Path) -> None:
    run = read_bench_run(bench_run)
    (clip,) = run.clips
    assert (clip.name, clip.pictures, clip.rate) == (HOSTILE, PICTURES, Fraction(10))
    assert len(run.points_of(clip)) == len(POINTS)
    ours = [point for point in run.points if point.is_ours]
    assert [point.kbps for point in ours] == [2.0, 5.0]
    assert ours[0].scores["psnr"] == 24.0
    assert ours[0].picture_scores["landmark_error"][0] is None
    assert ours[0].video.is_file()
    assert {row.clip for row in run.rates} == {None, "one-1"}
    assert run.failures == (f"two, vvenc, QP 1: no {HOSTILE}",)


def first(results: dict[str, Any], name: str) -> dict[str, Any]:
    value: dict[str, Any] = results[name][0]
    return value


def _square(results: dict[str, Any], left: int, top: int, side: int) -> None:
    first(results, "clips")["face_square"] = {"left": left, "top": top, "side": side}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r.pop("clips"), "clips is not a list"),
        (lambda r: r.update(plan=[]), "plan is not an object"),
        (lambda r: r["clips"].append(r["clips"][0]), "two clips have one id"),
        (lambda r: first(r, "clips").update(fps="25"), "clips[0].fps is not a number"),
        (lambda r: first(r, "clips").update(fps=0), "clips[0].fps is not a rate"),
        (lambda r: first(r, "clips").update(pictures=True), "clips[0].pictures is not a whole"),
        (lambda r: first(r, "clips").update(source="../x.mp4"), "source is not a file inside"),
        (lambda r: first(r, "clips").update(source="/etc/passwd"), "source is not a file inside"),
        (lambda r: first(r, "clips").update(source="a\0b"), "source is not a file inside"),
        (
            lambda r: first(r, "clips").update(face_square=5),
            "clips[0].face_square is not an object",
        ),
        (lambda r: _square(r, 0, 0, 97), "clips[0].face_square is not within the pictures"),
        (lambda r: _square(r, 0, 0, 8), "face_square: a face square 8 wide is not within"),
        (lambda r: _square(r, -1, 0, 64), "clips[0].face_square.left is not a whole number"),
        (lambda r: r["plan"].update(view="half"), "plan.view is not one of whole, face"),
        (lambda r: first(r, "points").update(clip="two"), "points[0].clip is not one of"),
        (lambda r: first(r, "points").update(kbps=0), "points[0].kbps is not above zero"),
        (lambda r: first(r, "points").update(kbps=10**400), "points[0].kbps is not a number"),
        (lambda r: first(r, "points").update(kbps=float("nan")), "no JSON: NaN is no number"),
        (lambda r: first(r, "points").update(bits=0.5), "points[0].bits is not a whole number"),
        (lambda r: first(r, "points").update(picture_bits=[1]), "not a list of 30 whole numbers"),
        (
            lambda r: first(r, "points").update(picture_scores={"psnr": ["x"] * PICTURES}),
            "points[0].picture_scores.psnr is not a list of 30 numbers",
        ),
        (lambda r: first(r, "measures").update(better="more"), "better is not one of higher"),
        (lambda r: first(r, "failures").pop("reason"), "failures[0].reason is not a text"),
    ],
)
def test_wrong_values_are_named(
    tmp_path: Path, results: dict[str, Any], change: Change, says: str
) -> None:
    change(results)
    (tmp_path / "bench.json").write_text(json.dumps(results))
    with pytest.raises(InputError) as caught:
        read_bench_run(tmp_path)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'bench.json'}: ")
    assert len(str(caught.value).splitlines()) == 1


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, bench_run: Path) -> None:
    shutil.copy(bench_run / "bench.json", tmp_path)
    (tmp_path / "source.mp4").symlink_to(bench_run / "source.mp4")
    with pytest.raises(InputError, match="source is not a file inside"):
        read_bench_run(tmp_path)


@pytest.mark.parametrize("name", ["page.txt", "clip.mp4", "page"])
def test_only_pages_are_written(
    tmp_path: Path, bench_run: Path, command: CommandLine, name: str
) -> None:
    """--force replaced a video by a page."""
    page = tmp_path / name
    page.write_bytes(b"not a page")
    outcome = command("report", bench_run, "--out", page, "--force")
    assert outcome.status == 1
    assert "a report is an HTML page; use one of .html, .htm" in outcome.err
    assert page.read_bytes() == b"not a page"


def test_other_folders_are_refused(tmp_path: Path, command: CommandLine) -> None:
    page = tmp_path / "page.html"
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, says in (
        (tmp_path / "absent", "no such folder"),
        (empty, "holds no bench.json"),
    ):
        assert_refused(command, "report", folder, "--out", page, folder=tmp_path, says=says)
    (empty / "bench.json").write_text('{"format": "gfvc-bench", "version": 2}')
    assert_refused(command, "report", empty, "--out", page, folder=tmp_path, says="has version 2")
    (empty / "bench.json").write_bytes(b"\xff\xfe")
    assert_refused(command, "report", empty, "--out", page, folder=tmp_path, says="no JSON")
