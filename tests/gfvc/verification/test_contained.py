"""Streams in containers are verified as they are outside of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from gfvc.errors import InputError
from gfvc.stream.containers import write_mp4
from gfvc.stream.shown_size import ShownSize
from gfvc.verification import Finding, verify_contained, verify_stream
from sei import NalUnit, access_units
from tests.gfvc.support import CommandLine, assert_refused, ffmpeg, nal_units, stating
from tests.golden.files import STREAMS

NAMES = ["vvc_mesh_sequence.266", "hevc_mesh_full_keys.265"]


def mp4_of(path: Path, units: list[NalUnit]) -> Path:
    samples = list(access_units(units))
    write_mp4(path, samples, [1] * len(samples), Fraction(25))
    return path


def without_bytes(findings: Iterator[Finding]) -> list[tuple[object, ...]]:
    return [(each.severity, each.check, each.place.picture, each.text) for each in findings]


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        *((name, suffix) for name in NAMES for suffix in (".mp4", ".ts")),
        (NAMES[1], ".mkv"),  # of which ffmpeg's holds no VVC
    ],
)
@pytest.mark.program
def test_a_stream_is_as_consistent_in_a_container(
    name: str, suffix: str, tmp_path: Path, command: CommandLine
) -> None:
    path = mp4_of(tmp_path / "in.mp4", nal_units(STREAMS / name))
    if suffix != ".mp4":
        source, path = path, tmp_path / f"in{suffix}"
        ffmpeg("-i", source, "-c", "copy", path)
    assert without_bytes(verify_contained(path)) == without_bytes(verify_stream(STREAMS / name))
    outcome = command("verify", path)
    assert outcome.status == 0
    assert outcome.err.splitlines() == [
        f"gfvc: {path}: is a container; places are those in the byte stream that it holds",
        f"gfvc: {path}: consistent (errors: 0, warnings: 0)",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_an_error_is_found_in_a_container(name: str, tmp_path: Path, command: CommandLine) -> None:
    units = [stating(unit, shown_size=ShownSize(32, 32)) for unit in nal_units(STREAMS / name)]
    outcome = command("verify", mp4_of(tmp_path / "in.mp4", units))
    assert outcome.status == 1
    assert "error: shown size: NAL unit" in outcome.out


def test_what_fails_names_the_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = mp4_of(tmp_path / "in.mp4", nal_units(STREAMS / NAMES[1]))

    def fail(stream: Path, *_: object, **__: object) -> Iterator[Finding]:
        assert stream.read_bytes().startswith(b"\0\0\0\1")
        raise InputError(f"{stream}: breaks off")
        yield

    monkeypatch.setattr("gfvc.verification.contained.verify_stream", fail)
    with pytest.raises(InputError, match=f"^{path}: breaks off$"):
        list(verify_contained(path))


@pytest.mark.program
def test_a_container_of_other_video_is_refused(
    demo_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    says = "holds no VVC, HEVC or H.264"
    assert_refused(command, "verify", demo_clip, folder=tmp_path, says=says)
    path = tmp_path / "other.mp4"
    ffmpeg("-i", demo_clip, "-frames:v", "2", "-c:v", "libx264", path)
    says = "without a mark or credentials, and holds no VVC or HEVC"
    assert_refused(command, "verify", path, folder=tmp_path, says=says)
