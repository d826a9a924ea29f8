"""Pixels that are no squares, of two shapes in one file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from gfvc import InputError
from tests.gfvc.support import ffmpeg, read_all


def both(path: Path, pictures: int) -> Path:
    """So many pictures of 4:3, then as many of 16:9."""
    parts = []
    for name, ratio in (("a", "4/3"), ("b", "16/9")):
        parts.append(path.with_name(f"{name}{path.suffix}"))
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=180x144:r=25:d={pictures / 25}", "-vf",
               f"setdar={ratio}", "-pix_fmt", "yuv420p", "-bf", "0", parts[-1])  # fmt: skip
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize("suffix", ["h264", "ts", "m2v", "mkv"])
def test_pixels_that_change_their_shape_are_told(tmp_path: Path, suffix: str) -> None:
    path = both(tmp_path / ("both.m2v" if suffix == "m2v" else "both.h264"), 30)
    if suffix != path.suffix[1:]:
        source, path = path, tmp_path / f"both.{suffix}"
        ffmpeg("-r", "25", "-i", source, "-c", "copy", path)
    with pytest.raises(
        InputError, match=r"shape of pixels changes at about 1.2 s, between 16:15 and 64:45"
    ):
        read_all(path, Fraction(25))


def test_a_shape_that_the_container_states_counts_for_all(tmp_path: Path) -> None:
    path = tmp_path / "both.mkv"
    source = both(tmp_path / "both.h264", 5)
    ffmpeg("-r", "25", "-i", source, "-c", "copy", "-aspect", "180:144", path)
    pictures = read_all(path, Fraction(25))
    assert {picture.shape[:2] for picture in pictures} == {(144, 180)}
