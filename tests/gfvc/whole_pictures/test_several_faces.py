"""Two people in a picture: each is driven, with a square, a gfv_id and messages of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, FaceEdit, edit, encode
from gfvc.demo_clip import RATE
from gfvc.editing import MessageSelection, remove_messages
from gfvc.face_square import FaceSquare
from gfvc.stream.information import StreamInformation, find_information
from gfvc.stream.reader import read_face_stream
from gfvc.transcoding import transcode
from gfvc.verification.verifier import verify_stream
from gfvc.video_writer import write_video
from models.contract import Picture
from models.metrics.similarity import psnr
from sei import GENERATIVE_FACE_VIDEO, GenerativeFaceVideo, NalUnit
from sei.inspection import InspectedMessage, inspect_units
from tests.gfvc.support import (
    HEADS,
    CommandLine,
    assert_refused,
    decode_all,
    nal_units,
    no_notes,
    stating,
    two_heads,
    write_units,
)

# Coded pictures are so far apart that what lies between them must be drawn.
DISTANT = EncodeOptions(model="mesh", coded_interval=0.4)
LEAVES = 16


@pytest.fixture(scope="session")
def scenes(demo_pictures: list[Picture]) -> list[Picture]:
    return two_heads(demo_pictures)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory, scenes: list[Picture]) -> Path:
    return write_video(tmp_path_factory.mktemp("faces") / "clip.mkv", scenes, RATE)


@pytest.fixture(scope="session")
def stream(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    path = tmp_path_factory.mktemp("faces") / "two.265"
    told: list[str] = []
    encode(clip, path, DISTANT, notes=told.append)
    [note] = told
    assert "shows faces at 2 places; those at " in note
    assert "are taken (--faces 1: the first alone)" in note
    return path


@pytest.fixture(scope="session")
def of_one(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    path = tmp_path_factory.mktemp("faces") / "one.265"
    told: list[str] = []
    encode(clip, path, replace(DISTANT, faces=1), notes=told.append)
    assert "is taken; --face-at takes another, at " in told[0]
    return path


@pytest.fixture(scope="session")
def leaving(tmp_path_factory: pytest.TempPathFactory, demo_pictures: list[Picture]) -> Path:
    """Of a clip in which the second person leaves."""
    folder = tmp_path_factory.mktemp("leaving")
    scenes = two_heads(demo_pictures, LEAVES)
    clip = write_video(folder / "clip.mkv", scenes, RATE)
    encode(clip, folder / "leaving.266", DISTANT)
    return folder / "leaving.266"


@pytest.fixture(scope="session")
def decoded(stream: Path) -> list[Picture]:
    """Pictures of both."""
    return decode_all(stream)


def quality(decoded: Sequence[Picture], sources: Sequence[Picture], place: FaceSquare) -> float:
    """Mean PSNR in dB of a place."""
    pairs = zip(sources, decoded, strict=True)
    return float(np.mean([psnr(a[place.window], b[place.window]) for a, b in pairs]))


def messages(path: Path) -> dict[int, list[GenerativeFaceVideo]]:
    """Face messages by gfv_id."""
    found: dict[int, list[GenerativeFaceVideo]] = {}
    for inspected in inspect_units(nal_units(path)):
        if isinstance(inspected, InspectedMessage) and isinstance(
            inspected.message, GenerativeFaceVideo
        ):
            found.setdefault(inspected.message.gfv_id, []).append(inspected.message)
    return found


def errors(path: Path) -> list[str]:
    return [f.text for f in verify_stream(path) if f.severity.value == "error"]


def test_each_face_has_its_square_and_its_messages(stream: Path) -> None:
    units = read_face_stream(stream, no_notes).units
    [squares] = {unit.face_squares for unit in units}
    for square in squares:
        x, y = square.left + square.side / 2, square.top + square.side / 2
        assert min(head.distance(x, y) for head in HEADS) < 0.2
    assert len({round(square.left / 200) for square in squares}) == 2
    by_id = messages(stream)
    assert by_id.keys() == {0, 1}
    for of_face in by_id.values():
        assert of_face[0].base_picture_flag
        assert of_face[0].network is not None
        assert len(of_face) > len(units)
    assert errors(stream) == []


def test_the_second_face_moves_as_it_did(
    stream: Path, decoded: list[Picture], of_one: Path, scenes: list[Picture]
) -> None:
    both, one = decoded, decode_all(of_one)
    first, second = read_face_stream(stream, no_notes).units[0].face_squares
    assert quality(both, scenes, second) > quality(one, scenes, second) + 0.3
    # The first is drawn as ever.
    assert quality(both, scenes, first) == pytest.approx(quality(one, scenes, first), abs=0.05)


def test_a_person_who_leaves_is_drawn_no_more(leaving: Path, demo_pictures: list[Picture]) -> None:
    scenes = two_heads(demo_pictures, LEAVES)
    units = read_face_stream(leaving, no_notes).units
    _, second = units[0].face_squares
    place = HEADS[0] if second.left < 200 else HEADS[1]
    drawn = [face.is_drawn for unit in units for face in unit.further]
    assert drawn[0]
    assert not drawn[-1]
    decoded = decode_all(leaving)
    # Where they stood is the wall.
    assert quality(decoded[LEAVES + 10 :], scenes[LEAVES + 10 :], place) > 30
    assert errors(leaving) == []


@pytest.fixture(scope="session")
def in_turn(tmp_path_factory: pytest.TempPathFactory, demo_pictures: list[Picture]) -> Path:
    """A clip of a person at the left, and from half of it on of one at the right."""
    both = two_heads([*demo_pictures, *reversed(demo_pictures)])
    wall = two_heads(demo_pictures, leaves=0)[0]
    scenes = []
    for number, scene in enumerate(both):
        away = HEADS[number < len(both) // 2]
        hidden = scene.copy()
        hidden[away.window] = wall[away.window] if away == HEADS[1] else 90
        scenes.append(hidden)
    return write_video(tmp_path_factory.mktemp("turn") / "clip.mkv", scenes, RATE)


def test_people_in_turn_are_driven_in_turn(tmp_path: Path, in_turn: Path) -> None:
    stream = tmp_path / "turn.265"
    summary = encode(in_turn, stream, DISTANT)
    assert summary.tally.key_pictures == 2
    assert summary.fallback_pictures == 0
    units = read_face_stream(stream, no_notes).units
    [left], [right] = dict.fromkeys(unit.face_squares for unit in units)
    assert left.left < 100 < 200 < right.left
    assert messages(stream).keys() == {0}
    assert errors(stream) == []
    # With one square the other person is ordinary video.
    one = encode(in_turn, tmp_path / "one.265", replace(DISTANT, faces=1))
    assert one.fallback_pictures > 10


def test_pictures_are_counted_once(stream: Path, leaving: Path, command: CommandLine) -> None:
    for path in (stream, leaving):
        outcome = command("inspect", path, "--summary")
        assert outcome.status == 0
        assert " 30 pictures, " in outcome.out


def test_an_edit_is_of_the_first_face(tmp_path: Path, stream: Path, decoded: list[Picture]) -> None:
    edited = tmp_path / "edited.265"
    edit(stream, edited, FaceEdit(roll=8))
    assert errors(edited) == []
    assert {unit.face_squares for unit in read_face_stream(edited, no_notes).units} == {
        read_face_stream(stream, no_notes).units[0].face_squares
    }
    before, after = decoded, decode_all(edited)
    first, second = read_face_stream(stream, no_notes).units[0].face_squares
    inner = FaceSquare(second.left + 30, second.top + 20, second.side - 60)
    assert quality(after, before, inner) > 35
    assert quality(after, before, first) < 30


def test_another_layout_says_the_same_of_both(
    tmp_path: Path, stream: Path, decoded: list[Picture]
) -> None:
    keypoints = tmp_path / "keypoints.265"
    transcode(stream, keypoints, "keypoints")
    for ours, theirs in zip(decoded, decode_all(keypoints), strict=True):
        assert np.array_equal(ours, theirs)


def test_a_stream_that_is_cut_off_is_decoded_up_to_there(tmp_path: Path, stream: Path) -> None:
    """Within the messages of the second face, too: what came last stays."""
    content = stream.read_bytes()
    cut = tmp_path / "cut.265"
    suffix = [unit for unit in nal_units(stream) if unit.is_suffix_sei]
    assert len(suffix) > 1
    for unit in suffix:
        assert unit.offset is not None
        for size in (len(unit.data) // 2, len(unit.data) - 2):
            cut.write_bytes(content[: unit.offset + size])
            told: list[str] = []
            decoded = decode_all(cut, told.append)
            assert 0 < len(decoded) <= 30
            assert any("cut off" in note for note in told)


def test_messages_that_are_missing_are_found(tmp_path: Path, stream: Path) -> None:
    without = tmp_path / "without.265"
    selection = MessageSelection(frozenset({GENERATIVE_FACE_VIDEO}), frozenset({1}))
    removed = remove_messages(stream, without, selection, force=False, notes=no_notes)
    assert removed.messages == len(messages(stream)[1])
    assert any("0 face messages of gfv_id 1 where" in text for text in errors(without))
    # The face is part of what is beside the first then.
    told: list[str] = []
    assert len(decode_all(without, told.append)) == 30
    [note] = told
    assert f"are missing, {removed.messages} of them" in note


def test_nobody_is_drawn_by_the_messages_of_another(
    tmp_path: Path, stream: Path, command: CommandLine
) -> None:
    """Without messages of the first face, those of the second do not drive it."""
    without = tmp_path / "without.265"
    selection = MessageSelection(frozenset({GENERATIVE_FACE_VIDEO}), frozenset({0}))
    remove_messages(stream, without, selection, force=False, notes=no_notes)
    assert_refused(
        command,
        "decode",
        without,
        tmp_path / "out.mkv",
        folder=tmp_path,
        says="is of gfv_id 1, a further face, and the stream has no message of the first one",
    )
    found = [finding.text for finding in verify_stream(without)]
    assert any("of further faces, this being the first, and none of the first" in f for f in found)


def test_a_message_that_nobody_announced_is_refused(
    tmp_path: Path, leaving: Path, command: CommandLine
) -> None:
    """What says that the second face is not drawn is at odds with its messages."""
    undrawn = [nowhere(unit) for unit in nal_units(leaving)]
    path = write_units(tmp_path / "undrawn.265", undrawn)
    assert any("of gfv_id 1 where the user data" in text for text in errors(path))
    assert_refused(
        command,
        "decode",
        path,
        tmp_path / "out.mkv",
        folder=tmp_path,
        says="is of gfv_id 1, of which the user data announces none here",
    )


def test_a_square_outside_of_the_picture(
    tmp_path: Path, stream: Path, command: CommandLine
) -> None:
    [face] = information(stream).further_faces
    outside = replace(face, square=FaceSquare(400, 24, 176))
    units = [stating(unit, further_faces=(outside,)) for unit in nal_units(stream)]
    path = write_units(tmp_path / "outside.265", units)
    reason = "176x176 at 400, 24, lies outside of"
    assert any(reason in text for text in errors(path))
    assert_refused(command, "decode", path, tmp_path / "out.mkv", folder=tmp_path, says=reason)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"view": "face", "faces": 2}, "view face codes one face; leave out faces"),
        ({"low_delay": True, "faces": 2}, "only one face is driven with key_pictures fixed"),
        ({"key_pictures": "fixed", "faces": 3}, "only one face is driven"),
        ({"faces": 5}, "faces cannot be 5"),
    ],
)
def test_options_that_do_not_go_together(options: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        EncodeOptions(**options)  # type: ignore[arg-type]


def test_how_many_faces_are_driven() -> None:
    assert EncodeOptions().most_faces == 4
    assert EncodeOptions(faces=2).most_faces == 2
    assert EncodeOptions(face_at=(1, 1)).most_faces == 1
    assert EncodeOptions(face_at=(1, 1), faces=3).most_faces == 3
    assert EncodeOptions(low_delay=True).most_faces == 1
    assert EncodeOptions(view="face").most_faces == 1


def information(path: Path) -> StreamInformation:
    """The user data of the first picture."""
    [found] = filter(None, map(find_information, nal_units(path)[:8]))
    return found


def nowhere(unit: NalUnit) -> NalUnit:
    """A NAL unit whose user data say that no further face is drawn."""
    information = find_information(unit) if unit.is_sei and not unit.is_suffix_sei else None
    if information is None or not information.further_faces:
        return unit
    faces = tuple(
        replace(face, drawn=(False,) * len(face.drawn), schedule=replace(face.schedule, sent=()))
        for face in information.further_faces
    )
    return stating(unit, further_faces=faces)
