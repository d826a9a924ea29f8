"""Colours of base layers that other encoders made: those that their parameter sets state."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gfvc.base_layer import decode_base_layer
from gfvc.colour import UnknownColourError
from models.contract import Picture
from tests.gfvc.support import ffmpeg, no_notes

LIMITED = "colorprim=bt709:transfer=bt709:range=limited"
FORGOTTEN = (
    "format=yuv420p,setparams=range=unknown:color_primaries=unknown:color_trc=unknown"
    ":colorspace=unknown"
)
KINDS = {
    "full": ("colormatrix=bt709:colorprim=bt709:transfer=bt709:range=full",
             "out_range=pc:out_color_matrix=bt709"),
    "bt601": (f"colormatrix=smpte170m:{LIMITED}", "out_range=tv:out_color_matrix=bt601"),
    "bt709": (f"colormatrix=bt709:{LIMITED}", "out_range=tv:out_color_matrix=bt709"),
    "unstated": ("annexb=1", f"out_range=tv:out_color_matrix=bt709,{FORGOTTEN}"),
}  # fmt: skip


def colourful() -> Picture:
    corners = np.array([[[230, 40, 30], [20, 200, 60]], [[30, 60, 220], [240, 230, 20]]], np.uint8)
    return np.asarray(cv2.resize(corners, (64, 64), interpolation=cv2.INTER_LINEAR), np.uint8)


def coded(path: Path, states: str, scale: str) -> bytes:
    """Two pictures, coded by another encoder."""
    params = f"log-level=none:qp=4:keyint=1:{states}"
    ffmpeg("-f", "rawvideo", "-s", "64x64", "-pix_fmt", "rgb24", "-i", "-",
           "-vf", f"scale=flags=accurate_rnd:{scale}", "-pix_fmt", "yuv420p",
           "-c:v", "libx265", "-x265-params", params, path,
           data=2 * colourful().tobytes())  # fmt: skip
    return path.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_colours_are_those_that_were_coded(kind: str, tmp_path: Path) -> None:
    stream = coded(tmp_path / "coded.265", *KINDS[kind])
    pictures = list(decode_base_layer("hevc", [(stream, 2)], notes=no_notes))
    assert len(pictures) == 2
    for picture in pictures:
        assert np.abs(picture.astype(int) - colourful()).mean() < 2


def test_each_part_has_its_own(tmp_path: Path) -> None:
    parts = [(coded(tmp_path / "a.265", *KINDS[kind]), 2) for kind in ("full", "bt709", "bt601")]
    pictures = list(decode_base_layer("hevc", parts, notes=no_notes))
    assert len(pictures) == 6
    for picture in pictures:
        assert np.abs(picture.astype(int) - colourful()).mean() < 2


def test_colours_that_are_mapped_are_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tables of libswscale take seconds.
    monkeypatch.setattr("gfvc.base_colour.frame_to_rgb", lambda frame: colourful())
    states = "colormatrix=bt2020nc:colorprim=bt2020:transfer=smpte2084"
    stream = coded(tmp_path / "coded.265", states, "out_range=tv")
    notes: list[str] = []
    list(decode_base_layer("hevc", [(stream, 2)], notes=notes.append))
    assert notes == ["PQ video is tone-mapped to BT.709"]


def test_colours_that_are_not_known_are_refused(tmp_path: Path) -> None:
    stream = coded(tmp_path / "coded.265", "colormatrix=ictcp", "out_range=tv")
    with pytest.raises(UnknownColourError, match="matrix 14"):
        list(decode_base_layer("hevc", [(stream, 2)], notes=no_notes))
