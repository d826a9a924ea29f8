"""Editing streams of the networks: what their parameters allow, and what is drawn of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, FaceEdit, InputError, edit, encode
from gfvc.decoder import decode_pictures
from gfvc.demo_clip import RATE
from gfvc.stream.reader import read_face_stream
from gfvc.transcoding import transcode
from gfvc.video_writer import write_video
from models.contract import Picture
from models.published.model import NetworkModel
from tests.gfvc.networks.conftest import registry_of
from tests.gfvc.support import no_notes

OPTIONS = EncodeOptions(
    base_encoder="ffmpeg-libx265", crop="none", key_interval=4, symbol_rate="full"
)
PICTURES = 6
CAN = {
    "fomm": FaceEdit(roll=5, shift=(0.05, 0)),
    "fv2v": FaceEdit(roll=5, zoom=1.1),
    "fv2v-keypoints": FaceEdit(shift=(0.05, 0), expression=0.5),
    "cfte": FaceEdit(smooth=0.2),
}
CANNOT = {
    "fomm": ("blink", FaceEdit(blink=1)),
    "fv2v": ("yaw", FaceEdit(yaw=5)),
    "fv2v-keypoints": ("smile", FaceEdit(smile=1)),
    "cfte": ("roll", FaceEdit(roll=5)),
}


@pytest.fixture
def coded(name: str, model: NetworkModel, demo_pictures: list[Picture], tmp_path: Path) -> Path:
    path = tmp_path / "stream.265"
    clip = write_video(tmp_path / "clip.mkv", demo_pictures[:PICTURES], RATE)
    encode(clip, path, replace(OPTIONS, model=name), registry=registry_of(model, name))
    return path


def test_what_can_be_done_is_drawn(
    name: str, model: NetworkModel, coded: Path, tmp_path: Path
) -> None:
    registry = registry_of(model, name)
    output = tmp_path / "edited.265"
    summary = edit(coded, output, CAN[name], registry=registry, notes=no_notes)
    assert summary.edited_pictures > 0
    before, after = (
        list(decode_pictures(path, read_face_stream(path, no_notes), model))
        for path in (coded, output)
    )
    assert len(before) == len(after) == PICTURES
    assert any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_what_cannot_be_done_is_refused(
    name: str, model: NetworkModel, coded: Path, tmp_path: Path
) -> None:
    option, asked = CANNOT[name]
    with pytest.raises(InputError, match=f"{name} cannot do --{option}: ") as refused:
        edit(coded, tmp_path / "edited.265", asked, registry=registry_of(model, name))
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "edited.265").exists()


@pytest.mark.parametrize("name", ["fomm"])
def test_another_layout_is_edited_alike(
    name: str, model: NetworkModel, coded: Path, tmp_path: Path
) -> None:
    """A stream in another layout than its model's carries the same numbers."""
    registry = registry_of(model, name)
    edit(coded, tmp_path / "own.265", CAN[name], registry=registry)
    numbers = []
    for source in (coded, tmp_path / "own.265"):
        repacked = tmp_path / f"repacked_{source.name}"
        transcode(source, repacked, "compact", registry=registry)
        numbers.append(repacked)
    edited = tmp_path / "edited.265"
    edit(numbers[0], edited, CAN[name], registry=registry)
    drawn, wanted = (
        list(decode_pictures(path, read_face_stream(path, no_notes), model))
        for path in (edited, numbers[1])
    )
    for ours, theirs in zip(drawn, wanted, strict=True):
        assert np.abs(ours.astype(int) - theirs).mean() < 1
