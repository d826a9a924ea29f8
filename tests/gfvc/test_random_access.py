"""A stream can be entered at any of its key pictures, with nothing but the stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gfvc.stream.reader import read_face_stream
from models.contract import Picture
from sei import NalUnit
from tests.gfvc.conftest import CodeClip
from tests.gfvc.support import decode_all, face_values, nal_units, no_notes, write_units


def access_units(path: Path) -> list[list[NalUnit]]:
    """The NAL units of each key picture: parameter sets, picture, messages."""
    groups: list[list[NalUnit]] = []
    for unit in nal_units(path):
        if not groups or (groups[-1][-1].is_suffix_sei and not unit.is_suffix_sei):
            groups.append([])
        groups[-1].append(unit)
    return groups


@pytest.mark.parametrize("encoder", ["ffmpeg-libvvenc", "ffmpeg-libx265", "ffmpeg-libkvazaar"])
def test_decoding_starts_at_a_later_key_picture(
    code_demo: CodeClip, encoder: str, tmp_path: Path
) -> None:
    coded = code_demo(encoder)
    _, later = access_units(coded.path)
    tail = write_units(tmp_path / "tail.bin", later)
    np.testing.assert_array_equal(np.stack(decode_all(tail)), np.stack(coded.decoded[15:]))


def test_what_is_needed_is_repeated_at_each_key_picture(small_stream: Path, tmp_path: Path) -> None:
    whole = read_face_stream(small_stream, no_notes)
    groups = access_units(small_stream)
    assert len(groups) == 3
    for group, expected in zip(groups, face_values(whole), strict=True):
        part = read_face_stream(write_units(tmp_path / "part.265", group), no_notes)
        assert (part.rate, part.model_uri) == (whole.rate, whole.model_uri)
        assert face_values(part) == [expected]


def test_access_units_can_be_left_out_in_between(
    small_stream: Path, decoded_small: list[Picture], tmp_path: Path
) -> None:
    first, _, last = access_units(small_stream)
    stream = write_units(tmp_path / "gap.265", [*first, *last])
    np.testing.assert_array_equal(
        np.stack(decode_all(stream)), np.stack([*decoded_small[:4], *decoded_small[8:]])
    )
