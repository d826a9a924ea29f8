"""Key pictures where they pay, and ordinary video where they do not help, with real pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.rate_split import FaceQuality
from gfvc import EncodeOptions, EncodeSummary, encode
from gfvc.demo_clip import RATE
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.encoding.test_fallback import kinds


def test_quality_sees_blur_and_another_expression(demo_pictures: list[Picture]) -> None:
    source, other = demo_pictures[0], demo_pictures[20]
    with FaceQuality() as quality:
        blurred = np.asarray(cv2.GaussianBlur(source, (0, 0), 3), np.uint8)
        exact = quality.measure(source, source)
        assert exact == pytest.approx(1, abs=0.01)
        for worse in (blurred, other, np.zeros_like(source)):
            found = quality.measure(source, worse)
            assert found is not None
            assert exact is not None
            assert found < exact - 0.1
        assert quality.measure(np.zeros_like(source), source) is None


def encode_clip(
    pictures: list[Picture], folder: Path, **options: object
) -> tuple[str, EncodeSummary]:
    clip = write_video(folder / "clip.mkv", pictures, RATE)
    chosen: dict[str, Any] = {"model": "mesh", "symbol_rate": "full"} | options
    settings = EncodeOptions(**chosen)
    summary = encode(clip, folder / "out.265", settings, force=True)
    return kinds(folder / "out.265"), summary


def test_a_scene_cut_gets_a_key_picture_at_once(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    other = [np.ascontiguousarray(p[:, ::-1] // 2) for p in demo_pictures[:4]]
    clip = [*demo_pictures[:4], *other]
    for key_pictures, kinds_of_pictures in (("auto", "KddoKddo"), ("fixed", "KdddKddd")):
        text, _ = encode_clip(clip, tmp_path, key_pictures=key_pictures)
        assert text == kinds_of_pictures


@pytest.mark.parametrize("options", [{"low_delay": True}, {"fallback": "never"}, {}])
def test_nobody_speaks_with_the_face_of_another(
    options: dict[str, Any], demo_pictures: list[Picture], tmp_path: Path
) -> None:
    """Somebody in the same place, before the same wall, who comes by a cut or by a fade."""
    mask = np.zeros((256, 256, 1), np.float32)
    cv2.ellipse(mask, (128, 140), (75, 100), 0, 0, 360, (1,), -1)

    def other(picture: Picture) -> Picture:
        face = picture[..., [1, 0, 2]] * 0.9 + 12
        return np.asarray(picture * (1 - mask) + face * mask, np.uint8)

    cut = [*demo_pictures[:10], *map(other, demo_pictures[10:24])]
    fade = [
        np.asarray(cv2.addWeighted(picture, 1 - share, other(picture), share, 0), np.uint8)
        for picture, share in zip(
            demo_pictures, np.clip((np.arange(30) - 3) / 8, 0, 1), strict=True
        )
    ]
    for clip, last_of_one in ((cut, 9), (fade, 7)):
        text, _ = encode_clip(clip, tmp_path, **{"key_pictures": "fixed"} | options)
        assert text[0] == "K"
        assert "K" in text[last_of_one + 1 :]
        # Until the other's key picture the face is not driven; without ordinary video it stands.
        until = text.rindex("K")
        assert "d" not in text[last_of_one + 2 : until], text
