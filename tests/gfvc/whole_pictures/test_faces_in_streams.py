"""Faces beside the first in streams of others: what order they stand in, what network they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from gfvc import EncodeOptions, FaceEdit, edit, encode
from gfvc.demo_clip import RATE
from gfvc.editing import MessageSelection, remove_messages
from gfvc.stream.reader import read_face_stream
from gfvc.transcoding import transcode
from gfvc.verification import Severity, verify_stream
from gfvc.video_writer import write_video
from models.contract import Picture
from sei import (
    GENERATIVE_FACE_VIDEO,
    FaceValues,
    GenerativeFaceVideo,
    GfvState,
    NalUnit,
    NetworkUri,
    SeiMessage,
    make_sei_nal_unit,
    read_sei,
)
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    nal_units,
    no_notes,
    two_heads,
    with_faces,
    write_units,
)

OTHER = NetworkUri("tag:gfvc,2026:model", "gfvc:face:2")


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory, demo_pictures: list[Picture]) -> Path:
    """A stream of two faces."""
    folder = tmp_path_factory.mktemp("two")
    clip = write_video(folder / "clip.mkv", two_heads(demo_pictures), RATE)
    options = EncodeOptions(model="mesh", coded_interval=0.4)
    encode(clip, folder / "two.266", options, notes=lambda note: None)
    return folder / "two.266"


def further_first(unit: NalUnit, *, apart: bool) -> Iterator[NalUnit]:
    """A NAL unit with its messages, those of further faces first; `apart`: one of each face."""
    if not unit.is_suffix_sei:
        yield unit
        return
    faces: dict[int, list[SeiMessage]] = {}
    state = GfvState()
    for message in read_sei(unit).messages:
        faces.setdefault(state.read(message.payload).gfv_id, []).append(message)
    lists = [faces[gfv_id] for gfv_id in sorted(faces, reverse=True)]
    for messages in lists if apart else [list(chain(*lists))]:
        yield make_sei_nal_unit(messages, unit.codec)


@pytest.fixture(params=[False, True], ids=["in a NAL unit", "in NAL units"])
def turned(request: pytest.FixtureRequest, two: Path, tmp_path: Path) -> Path:
    """The stream with messages of the further face before those of the first."""
    units = [each for unit in nal_units(two) for each in further_first(unit, apart=request.param)]
    path = write_units(tmp_path / "turned.266", units)
    assert path.read_bytes() != two.read_bytes()
    return path


def values(path: Path) -> list[tuple[list[FaceValues], ...]]:
    """What each face has in each coded picture, the first face first."""
    return [
        tuple(list(of_face.values()) for of_face in (unit, *(face.unit for face in unit.further)))
        for unit in read_face_stream(path, lambda note: None).units
    ]


def warnings(path: Path) -> list[str]:
    found = verify_stream(path)
    return [each.text for each in found if each.severity is not Severity.INFORMATION]


def test_messages_of_further_faces_may_come_first(turned: Path, two: Path) -> None:
    assert warnings(turned) == []
    assert values(turned) == values(two)


def test_the_first_face_is_edited_wherever_its_messages_are(
    turned: Path, two: Path, tmp_path: Path
) -> None:
    edited, wanted = tmp_path / "edited.266", tmp_path / "wanted.266"
    edit(turned, edited, FaceEdit(roll=8))
    edit(two, wanted, FaceEdit(roll=8))
    assert warnings(edited) == []
    assert values(edited) == values(wanted)


def test_faces_in_either_order_are_transcoded(turned: Path, two: Path, tmp_path: Path) -> None:
    transcode(turned, tmp_path / "keypoints.266", "keypoints")
    transcode(two, tmp_path / "wanted.266", "keypoints")
    assert values(tmp_path / "keypoints.266") == values(tmp_path / "wanted.266")


def naming(path: Path, gfv_id: int) -> list[NalUnit]:
    """The stream of a file with another network for a face."""

    def change(face: GenerativeFaceVideo) -> GenerativeFaceVideo:
        changes = face.gfv_id == gfv_id and face.network is not None
        return replace(face, network=OTHER) if changes else face

    return [with_faces(unit, change) for unit in nal_units(path)]


def commands(path: Path, folder: Path) -> tuple[tuple[str | Path, ...], ...]:
    return (
        ("decode", path, folder / "out.mkv"),
        ("edit", path, folder / "out.266", "--yaw", "5"),
        ("export", path, folder / "out.json"),
    )


@pytest.mark.parametrize("is_turned", [False, True], ids=["first first", "further first"])
def test_a_further_face_of_another_network_is_refused(
    is_turned: bool, two: Path, tmp_path: Path, command: CommandLine
) -> None:
    units = naming(two, 1)
    says = "names the network gfvc:face:2 for gfv_id 1, and those before it gfvc:mesh:1 for gfv_id"
    if is_turned:
        units = [each for unit in units for each in further_first(unit, apart=False)]
        says = "names the network gfvc:mesh:1 for gfv_id 0, and those before it gfvc:face:2 for"
    path = write_units(tmp_path / "two.266", units)
    for arguments in commands(path, tmp_path):
        parts = [says, "leave one out (gfvc remove --id 1)", "(NAL unit at byte "]
        assert_refused(command, *arguments, folder=tmp_path, says=parts)
    (warning,) = warnings(path)
    assert says in warning
    assert "gfvc decode refuses that" in warning
    # What the line says helps.
    selection = MessageSelection(frozenset({GENERATIVE_FACE_VIDEO}), frozenset({1}))
    one = tmp_path / "one.266"
    remove_messages(path, one, selection, force=False, notes=no_notes)
    assert values(one)[0][0] == values(two)[0][0]


def test_networks_of_faces_that_are_not_drawn_are_free(two: Path, tmp_path: Path) -> None:
    """Without user data nothing tells where a second face is, and it is left out."""
    units = [unit for unit in naming(two, 1) if not (unit.is_sei and not unit.is_suffix_sei)]
    path = write_units(tmp_path / "bare.266", units)
    assert not [text for text in warnings(path) if "network" in text]
