"""Camera footage, where the reference material is there."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from gfvc import EncodeOptions, encode
from gfvc.metrics import LandmarkError
from gfvc.stream.reader import read_face_stream
from gfvc.video_reader import probe_video
from tests.gfvc.support import decode_all, ffmpeg, no_notes, read_all


def test_a_talking_head(shared: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    ffmpeg("-i", shared / "clips/validation/dpe_s_0.mp4", "-t", "3", "-c", "copy", clip)
    stream = tmp_path / "out.266"
    rate = Fraction(5)
    summary = encode(clip, stream, EncodeOptions(rate=rate))
    source, decoded = read_all(clip, rate), decode_all(stream)
    assert len(source) == len(decoded) == summary.frames
    assert summary.frames >= 14
    drawn, still = LandmarkError(), LandmarkError()
    for picture, one in zip(source, decoded, strict=True):
        drawn.add(picture, one)
        still.add(picture, decoded[0])
    drawn.close()
    still.close()
    assert drawn.lost == drawn.skipped == 0
    assert drawn.mean < 0.03
    assert drawn.mean < 0.6 * still.mean


@pytest.mark.parametrize("name", ["retalking_5", "liveportrait_d9"])
def test_a_whole_picture_is_cropped_to_its_face(shared: Path, tmp_path: Path, name: str) -> None:
    source = shared / f"clips/uncropped/{name}.mp4"
    clip = tmp_path / "clip.mkv"
    ffmpeg("-i", source, "-t", "1.2", "-c", "copy", clip)
    video = probe_video(clip)
    stream = tmp_path / "out.265"
    notes: list[str] = []
    options = EncodeOptions(rate=Fraction(5), size=128)
    summary = encode(clip, stream, options, notes=notes.append)
    assert (summary.width, summary.height, summary.low_confidence_pictures) == (128, 128, 0)
    assert len(notes) == video.has_audio
    assert read_face_stream(stream, no_notes).rate == 5
    decoded = decode_all(stream)
    assert len(decoded) == summary.frames >= 5
    measure = LandmarkError()
    for picture in decoded:
        large = np.asarray(cv2.resize(picture, (256, 256)), np.uint8)
        measure.add(large, large)
    measure.close()
    assert measure.skipped == 0, "the square does not show the face"
