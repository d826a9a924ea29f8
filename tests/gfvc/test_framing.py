"""What of a source is coded, and how large."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc.errors import InputError
from gfvc.face_square import FaceSquare
from gfvc.framing import frame, output_size, square_of
from gfvc.options.encoding import EncodeOptions
from gfvc.rectangle import Rectangle
from gfvc.video_writer import write_video
from tests.gfvc.support import no_notes


@pytest.mark.parametrize(
    ("source", "asked", "coded"),
    [
        ((640, 360), None, (640, 360)),
        ((1920, 1080), None, (1280, 720)),
        ((1080, 1920), None, (720, 1280)),
        ((1440, 1080), None, (960, 720)),
        ((2560, 1080), None, (1280, 540)),
        ((853, 481), None, (852, 480)),
        ((1920, 1080), 360, (640, 360)),
        ((1080, 1920), 360, (360, 640)),
        ((320, 180), 360, (640, 360)),
        ((1920, 1080), (640, 640), (640, 360)),
        ((1920, 1080), [640, 100], (178, 100)),
    ],
)
def test_whole_pictures_keep_their_shape(
    source: tuple[int, int], asked: int | tuple[int, int] | None, coded: tuple[int, int]
) -> None:
    assert output_size(*source, EncodeOptions(size=asked)) == coded
    assert output_size(*source, EncodeOptions(view="whole", size=asked)) == coded


@pytest.mark.parametrize(("asked", "side"), [(None, 256), (320, 320)])
def test_a_face_alone_is_a_square(asked: int | None, side: int) -> None:
    options = EncodeOptions(view="face", size=asked)
    assert output_size(1920, 1080, options) == (side, side)
    # To ask for a crop is to ask for the face.
    assert output_size(1920, 1080, replace(options, view=None, crop="auto")) == (side, side)


def test_the_square_lies_where_the_face_does() -> None:
    assert square_of(Rectangle(600, 100, 400, 400), (1920, 1080), (640, 360)) == FaceSquare(
        200, 33, 133
    )
    # Whatever is rounded, it stays within the picture.
    for side in range(300, 400):
        face = Rectangle(1919 - side, 1079 - side, side, side)
        assert square_of(face, (1919, 1079), (638, 358)).fits(638, 358)
    assert square_of(Rectangle(10, 10, 20, 20), (1920, 1080), (640, 360)).side == 32


def test_a_reduction_is_told(tmp_path: Path) -> None:
    grey = [np.full((1080, 1920, 3), 90, np.uint8)] * 2
    large = write_video(tmp_path / "large.mkv", grey, Fraction(25))
    told: list[str] = []
    frame(large, 1920, 1080, EncodeOptions(view="whole"), told.append)
    assert told == [f"{large}: is 1920x1080, and comes out as 1280x720; --size asks for another"]
    told.clear()
    frame(large, 1920, 1080, EncodeOptions(view="whole", size=360), told.append)
    assert told == []


def test_what_is_too_narrow_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is 1000x40; .* at least 64 a side: enlarge"):
        frame(tmp_path / "x.mp4", 1000, 40, EncodeOptions(view="whole"), no_notes)
    with pytest.raises(InputError, match="would come out as 1280x46; pictures need at least 64"):
        frame(tmp_path / "x.mp4", 2560, 92, EncodeOptions(view="whole"), no_notes)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"view": "face", "size": (640, 360)}, "view face codes a square; give size as one number"),
        ({"crop": "auto", "size": 260}, "view face wants a size that is a multiple of 8"),
        ({"view": "whole", "crop": "none"}, "view whole codes whole pictures; leave out crop"),
        ({"size": (640, 360, 3)}, "size cannot be"),
        ({"size": 4096}, "size cannot be"),
        ({"view": "wide"}, "view cannot be 'wide'"),
    ],
)
def test_options_that_do_not_go_together(options: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        EncodeOptions(**options)  # type: ignore[arg-type]


def test_a_source_that_the_face_fills_is_the_same_either_way(demo_clip: Path) -> None:
    whole = frame(demo_clip, 256, 256, EncodeOptions(), no_notes)
    assert whole == frame(demo_clip, 256, 256, EncodeOptions(view="face"), no_notes)
    assert whole.square is None
    larger = frame(demo_clip, 256, 256, EncodeOptions(size=512), no_notes)
    assert larger.square == FaceSquare(0, 0, 512)
