from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc.errors import InputError
from gfvc.video_reader import probe_video, read_pictures
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.support import ffmpeg

RATE = Fraction(25)


def bar(position: int) -> Picture:
    """A bright bar, upright, that moves from picture to picture."""
    picture = np.full((96, 128, 3), 60, np.uint8)
    picture[:, position : position + 24] = 200
    return picture


def combs(picture: Picture) -> float:
    """How much rows differ from both rows beside them."""
    rows = picture[..., 1].astype(int)
    inner = rows[1:-1]
    return float(np.minimum(np.abs(inner - rows[:-2]), np.abs(inner - rows[2:])).mean())


def interlaced(folder: Path, marked: bool = True) -> Path:
    """25 frames a second made of the fields of 50 pictures a second."""
    fields = write_video(folder / "fields.mkv", [bar(4 + 4 * n) for n in range(20)], 2 * RATE)
    path = folder / "inter.mp4"
    order = "tff" if marked else "prog"
    coded = ("-flags", "+ilme+ildct", "-x264-params", "tff=1") if marked else ()
    ffmpeg("-i", fields, "-vf", f"tinterlace=interleave_top,setfield={order},format=yuv420p",
           "-c:v", "libx264", "-crf", "8", *coded, path)  # fmt: skip
    return path


def test_interlaced_video_is_deinterlaced(tmp_path: Path) -> None:
    path = interlaced(tmp_path)
    notes: list[str] = []
    pictures = list(read_pictures(path, RATE, notes=notes.append))
    assert notes == [f"{path}: is interlaced; its fields are made whole pictures"]
    assert len(pictures) == 10
    assert max(combs(picture) for picture in pictures) < 1.0
    for number, picture in enumerate(pictures):
        # The bar of the first field, which is the picture's time.
        inside = picture[20:-20, 4 + 8 * number + 4 : 4 + 8 * number + 20, 1]
        assert abs(float(inside.mean()) - 200) < 12


def test_fields_that_are_coded_as_pictures_are_refused(tmp_path: Path) -> None:
    """A field has half of the lines: faces would be half as high."""
    fields = write_video(tmp_path / "fields.mkv", [bar(4 + 4 * n) for n in range(20)], 2 * RATE)
    path = tmp_path / "fields.mp4"
    ffmpeg("-i", fields, "-vf", "tinterlace=interleave_top,setfield=tff,separatefields,"
           "format=yuv420p", "-c:v", "libx265",
           "-x265-params", "interlace=tff:log-level=none", path)  # fmt: skip
    with pytest.raises(InputError, match=r"fields\.mp4: each of its pictures is a field"):
        probe_video(path)
    whole = tmp_path / "whole.mkv"
    ffmpeg("-i", path, "-vf", "weave,bwdif", "-c:v", "ffv1", whole)  # as the line says
    assert len(list(read_pictures(whole, RATE))) == 10


def test_video_that_is_not_marked_as_interlaced_is_left_alone(tmp_path: Path) -> None:
    notes: list[str] = []
    pictures = list(read_pictures(interlaced(tmp_path, marked=False), RATE, notes=notes.append))
    assert notes == []
    assert max(combs(picture) for picture in pictures) > 3.0


def test_dv_is_read_at_its_rate(tmp_path: Path) -> None:
    """libavformat says that such a file has 60000 pictures a second."""
    path = tmp_path / "tape.dv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=720x576:r=25:d=0.4", "-vf", "setfield=bff",
           "-c:v", "dvvideo", "-pix_fmt", "yuv420p", path)  # fmt: skip
    assert probe_video(path).rate == 25
    assert len(list(read_pictures(path, RATE))) == 10


@pytest.mark.parametrize("rate", [RATE, RATE / 2])
def test_turned_interlaced_video_is_turned(tmp_path: Path, rate: Fraction) -> None:
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", interlaced(tmp_path), "-c", "copy", turned)
    upright = list(read_pictures(tmp_path / "inter.mp4", rate))
    pictures = list(read_pictures(turned, rate))
    assert len(pictures) == len(upright) == 10 * rate / RATE
    for picture, original in zip(pictures, upright, strict=True):
        np.testing.assert_array_equal(picture, np.rot90(original))
