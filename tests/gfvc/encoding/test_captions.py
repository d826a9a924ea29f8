"""Captions come and go at once: the pictures on both sides are coded."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from gfvc import EncodeOptions, encode
from gfvc.demo_clip import RATE, make_demo_scene
from gfvc.encoding.captions import caption_changes
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.support import decode_all, no_notes

ROOM = cv2.resize(
    np.random.default_rng(3).integers(40, 200, (18, 32, 3), np.uint8), (640, 360)
).astype(np.uint8)


def captioned(picture: Picture, text: str) -> Picture:
    shown = picture.copy()
    cv2.putText(shown, text, (120, 330), cv2.FONT_HERSHEY_DUPLEX, 1.1, (255, 255, 255), 2)
    return shown


def test_a_caption_that_comes_changes_and_goes() -> None:
    texts = [""] * 6 + ["Good evening, all"] * 7 + ["And a good night"] * 5 + [""] * 6
    assert caption_changes(captioned(ROOM, text) for text in texts) == [6, 13, 18]


@pytest.mark.parametrize("first", [1, 2, 8, 9])
def test_next_to_the_first_and_the_last_picture(first: int) -> None:
    """Where the rest is not known, stillness on one side is enough, if that is asked for."""
    pictures = [captioned(ROOM, "Good evening, all" if n >= first else "") for n in range(10)]
    assert caption_changes(pictures) == []
    assert caption_changes(pictures, at_rims=True) == [first]


def test_what_is_before_and_after_must_be_known() -> None:
    assert caption_changes(captioned(ROOM, text) for text in ("", "Good evening, all")) == []
    assert caption_changes([ROOM, captioned(ROOM, "Good evening, all")], at_rims=True) == []
    assert caption_changes([]) == []


def test_a_flash_is_none() -> None:
    dark = (ROOM // 3).astype(np.uint8)
    assert caption_changes([dark, dark, dark, ROOM, dark, dark, dark]) == []


@pytest.mark.parametrize("times", [1, 2])
def test_what_moves_is_none(times: int) -> None:
    """Also where each picture comes twice, as in film at double the rate."""
    moving = [np.roll(ROOM, 12 * step, axis=1) for step in range(10)]
    assert caption_changes(np.repeat(moving, times, axis=0)) == []


def test_noise_is_none() -> None:
    generator = np.random.default_rng(4)
    noisy = [
        np.clip(ROOM + generator.normal(0, 4, ROOM.shape), 0, 255).astype(np.uint8)
        for _ in range(6)
    ]
    assert caption_changes(noisy) == []


@pytest.mark.parametrize(
    ("first", "end"),
    [(18, 33), (8, 43)],
    ids=["between coded pictures", "soon after the start, and to the last picture but one"],
)
def test_captions_are_there_or_not_and_never_half(tmp_path: Path, first: int, end: int) -> None:
    pictures = [
        captioned(picture, "Good evening, all") if first <= number < end else picture
        for number, picture in enumerate(make_demo_scene(1.8))
    ]
    clip = write_video(tmp_path / "clip.mkv", pictures, RATE)
    encode(clip, tmp_path / "out.265", EncodeOptions(model="mesh"), notes=no_notes)
    decoded = decode_all(tmp_path / "out.265")
    place = slice(300, 336), slice(120, 430)
    without = float((pictures[0][place] > 200).mean())
    for number, (picture, source) in enumerate(zip(decoded, pictures, strict=True)):
        bright, wanted = (float((each[place] > 200).mean()) for each in (picture, source))
        assert bright == pytest.approx(wanted, abs=0.06), number
        if first <= number < end:
            assert wanted > without + 0.15
