"""Edited streams of the demo head: what stays, what is measured in pictures, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import gfvc
from gfvc import EncodeOptions, FaceEdit, InputError, OutputError, edit, encode
from gfvc.driven_parameters import parameters_of_pictures
from gfvc.face_edits import read_script
from gfvc.stream.marking import EDITED, mark_text
from gfvc.stream.reader import read_face_stream
from gfvc.verification import Severity, verify_stream
from models.contract import FloatArray, Picture
from models.mesh.card import CARD as MESH
from sei import SeiMessage, make_sei_nal_unit, read_sei
from sei.content_messages import AI_USAGE_RESTRICTIONS, Restriction, UsageRestrictions
from tests.gfvc.face_edits.support import (
    LIDS,
    LIPS,
    PITCH,
    ROLL,
    YAW,
    assert_moved,
    measured,
    share_of_opening,
    upper_face_moved,
)
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    decode_all,
    mean_difference,
    nal_units,
    no_notes,
    write_units,
)

PICTURES, KEY_INTERVAL = 30, 15
EACH_FIFTH = slice(None, None, 5)
Edited = Callable[..., Path]


@pytest.fixture(scope="module")
def stream(demo_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo clip with two key pictures, and messages where they pay."""
    path = tmp_path_factory.mktemp("coded") / "demo.265"
    options = EncodeOptions(
        model="mesh", crop="none", key_pictures="fixed", key_interval=KEY_INTERVAL, align=True
    )
    encode(demo_clip, path, options)
    return path


@pytest.fixture(scope="module")
def filmed(stream: Path) -> list[Picture]:
    return decode_all(stream)


@pytest.fixture(scope="module")
def measured_before(filmed: list[Picture]) -> FloatArray:
    """What a tracker measures in each fifth picture as filmed."""
    return measured(filmed[EACH_FIFTH])


@pytest.fixture(scope="module")
def edited(stream: Path, tmp_path_factory: pytest.TempPathFactory) -> Edited:
    """Edits the stream, once in the same way; all is consistent afterwards."""
    folder = tmp_path_factory.mktemp("edited")
    made: dict[str, Path] = {}

    def do(**asked: Any) -> Path:
        name = repr(sorted(asked.items()))
        if name not in made:
            output = folder / f"{len(made)}.265"
            edit(stream, output, FaceEdit(**asked), notes=no_notes)
            wrong = [f for f in verify_stream(output) if f.severity is not Severity.INFORMATION]
            assert wrong == []
            made[name] = output
        return made[name]

    return do


def numbers(path: Path) -> FloatArray:
    """Numbers of all output pictures, [pictures, 14]."""
    rows = []
    for unit in read_face_stream(path, no_notes).units:
        found = list(parameters_of_pictures(unit, MESH.layout, path, repack=False))
        rows += [MESH.layout.flatten(each) for each in found[unit.hides_coded_picture :]]
    return np.array(rows)


# What each edit moves, by how much, in yaw, pitch, roll, lids and lips.
CHANGES = [
    ({"yaw": 8}, YAW, 8.0),
    ({"yaw": -8}, YAW, -8.0),
    ({"pitch": 5}, PITCH, 5.0),
    ({"roll": 8}, ROLL, 8.0),
    ({"open": 0.08}, LIPS, 0.08),
    ({"mouth": 0.4}, LIPS, None),
    ({"mouth": 0}, LIPS, None),
    ({"eyes": 0.7}, LIDS, None),
    ({"blink": 0.5}, LIDS, None),
    ({"blink": 1}, LIDS, None),
]
HALF_STEP = 2.0**-9


@pytest.mark.parametrize(("asked", "moved", "by"), CHANGES)
def test_what_is_asked_for_is_measured_and_nothing_else(
    edited: Edited,
    measured_before: FloatArray,
    asked: dict[str, float],
    moved: int,
    by: float | None,
) -> None:
    after = measured(decode_all(edited(**asked))[EACH_FIFTH])
    change = (after - measured_before).mean(axis=0)
    if by is None:
        by = share_of_opening(asked) * float(measured_before[:, moved].mean())
    assert_moved(change, moved, by)


def test_a_mouth_that_shuts_leaves_the_rest_of_the_face(
    edited: Edited, filmed: list[Picture]
) -> None:
    """A tracker takes it for a head that is turned down; but in the picture nothing moves."""
    shut = decode_all(edited(mouth=0))
    assert upper_face_moved(filmed[EACH_FIFTH], shut[EACH_FIFTH]) < 0.02


def test_the_base_layer_stays_byte_for_byte(stream: Path, edited: Edited) -> None:
    paths = stream, edited(yaw=8)
    before, after = (
        [unit.to_annex_b() for unit in nal_units(path) if not unit.is_sei] for path in paths
    )
    assert before == after
    layers = [read_face_stream(path, no_notes).base_layer for path in paths]
    assert layers[0] == layers[1]


def test_as_many_pictures_and_no_jump_at_key_pictures(stream: Path, edited: Edited) -> None:
    rows, turned = numbers(stream), numbers(edited(roll=6, shift=(0.02, 0)))
    assert rows.shape == turned.shape == (PICTURES, 14)
    change = turned - rows
    assert np.abs(change - change.mean(axis=0))[:, 3].max() < 0.002, "the same for all pictures"
    shown = decode_all(edited(shift=(0.02, 0)))
    assert len(shown) == PICTURES
    steps = [mean_difference(a, b) for a, b in pairwise(shown)]
    assert steps[0] < 2 * np.median(steps), "the key picture is edited, too"


def test_outside_its_time_nothing_changes(
    stream: Path, filmed: list[Picture], edited: Edited
) -> None:
    path = edited(yaw=10, start=0.2, end=0.5, soft=0.1)
    before, after = numbers(stream), numbers(path)
    inside = slice(6, 13)
    outside = [np.delete(each, inside, axis=0) for each in (after, before)]
    assert outside[0] == pytest.approx(outside[1], abs=HALF_STEP)
    turn = np.abs(after - before)[:, 1]
    assert turn[8] > 0.9 * turn.max() > 0
    assert turn[6] < 0.8 * turn.max(), "it comes in softly"
    pictures = decode_all(path)
    assert all(np.array_equal(pictures[n], filmed[n]) for n in (0, 15, 20, 29))
    assert not np.array_equal(pictures[8], filmed[8])
    units = read_face_stream(path, no_notes).units
    assert [unit.hides_coded_picture for unit in units] == [False, False]


def test_an_access_unit_that_stays_keeps_its_bytes(stream: Path, edited: Edited) -> None:
    after = nal_units(edited(smile=1, start=0.1, end=0.4, soft=0.1))
    faces = [unit.data for unit in nal_units(stream) if unit.is_suffix_sei]
    assert [unit.data for unit in after if unit.is_suffix_sei][-1] == faces[-1]


def test_liveliness_and_smoothing(stream: Path, edited: Edited) -> None:
    rows = numbers(stream)
    still = numbers(edited(pose=0))
    assert still[:, :6].std(axis=0).max() < 0.002
    assert still[:, 6:] == pytest.approx(rows[:, 6:], abs=0.002)
    smooth = numbers(edited(smooth=0.4))
    assert np.abs(np.diff(smooth, 2, axis=0)).sum() < 0.6 * np.abs(np.diff(rows, 2, axis=0)).sum()
    assert smooth[[0, 14, 15, 29]] == pytest.approx(rows[[0, 14, 15, 29]], abs=0.002)


def test_it_says_that_it_was_edited(edited: Edited) -> None:
    texts = [
        text
        for unit in nal_units(edited(yaw=8))
        if unit.is_sei and not unit.is_suffix_sei
        for message in read_sei(unit).messages
        if (text := mark_text(message)) is not None
    ]
    assert texts == [EDITED, EDITED]


def test_where_no_picture_changes_the_output_is_a_copy(
    stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    output = tmp_path / "edited.265"
    outcome = command("edit", stream, output, "--roll", "0")
    assert outcome.status == 0
    assert "no picture changed; it is a copy" in outcome.err
    assert output.read_bytes() == stream.read_bytes()


def test_all_notes_are_told_before_the_output_takes_its_name(
    small_stream: Path, tmp_path: Path
) -> None:
    output = tmp_path / "edited.265"

    def lost(text: str) -> None:
        assert "it is a copy" in text
        raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(BrokenPipeError):
        edit(small_stream, output, FaceEdit(roll=0), notes=lost)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        ([FaceEdit(roll=5, start=5)], "265: there is no picture in --from 5; the clip is 1.20 s"),
        ([FaceEdit(roll=5, start=0.81, end=0.82)], "265: there is no picture in --from 0.81 --to "),
        ([FaceEdit(roll=5), FaceEdit(yaw=5, start=2)], "edit 2: there is no picture in --from 2;"),
    ],
)
def test_an_edit_in_whose_time_there_is_no_picture_is_refused(
    stream: Path, tmp_path: Path, edits: list[FaceEdit], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        edit(stream, tmp_path / "edited.265", edits)
    assert list(tmp_path.iterdir()) == []


def test_key_pictures_alone_have_no_face_to_edit(short_clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "in.265"
    encode(short_clip, path, EncodeOptions(crop="none", fallback="always"))
    with pytest.raises(InputError, match="shown as coded, and no message tells of a face"):
        edit(path, tmp_path / "edited.265", FaceEdit(yaw=5))


def test_an_edited_stream_is_edited_again(stream: Path, edited: Edited, tmp_path: Path) -> None:
    once = edited(shift=(0.02, 0), zoom=1.1)
    twice = tmp_path / "twice.265"
    edit(once, twice, FaceEdit(shift=(-0.02, 0), zoom=1 / 1.1), notes=no_notes)
    assert numbers(twice) == pytest.approx(numbers(stream), abs=0.002)
    assert numbers(twice).shape == (PICTURES, 14)


def test_each_picture_with_a_message_and_the_default_model(
    small_stream: Path, decoded_small: list[Picture], tmp_path: Path
) -> None:
    output = tmp_path / "small.265"
    summary = edit(small_stream, output, FaceEdit(roll=5), notes=no_notes)
    counts = summary.messages_before, summary.messages_after, summary.hidden_coded_pictures
    assert counts == (12, 15, 3)
    pictures = decode_all(output)
    assert len(pictures) == 12
    assert all(mean_difference(a, b) > 1 for a, b in zip(pictures, decoded_small, strict=True))


def test_messages_of_low_delay_stay_apart(short_clip: Path, tmp_path: Path) -> None:
    path, output = tmp_path / "live.265", tmp_path / "edited.265"
    encode(short_clip, path, EncodeOptions(model="mesh", crop="none", low_delay=True))
    edit(path, output, FaceEdit(roll=5), notes=no_notes)
    counts = [len(read_sei(unit).messages) for unit in nal_units(output) if unit.is_suffix_sei]
    assert counts == [1] * 13


def test_the_command_edits_tells_and_draws(
    stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    script = tmp_path / "edits.json"
    script.write_text(json.dumps({"edits": [{"yaw": 60}, {"smile": 0.5, "from": 0.4}]}))
    output, preview = tmp_path / "edited.265", tmp_path / "preview.png"
    outcome = command(
        *("edit", stream, output, "--script", script, "--blink", "0.5"),
        *("--preview", preview, "--json"),
    )
    assert outcome.status == 0, outcome.err
    summary = json.loads(outcome.out)
    assert summary["pictures"] == summary["edited_pictures"] == PICTURES
    assert summary["limited"]["yaw"] == PICTURES
    assert "held within what training saw: yaw in 30" in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert cv2.imread(str(preview)).shape == (512, 96 + 6 * 256, 3)
    assert len(read_script(script)) == 2


def test_no_output_replaces_another_or_the_script(
    stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    output, script = tmp_path / "edited.265", tmp_path / "edits.json"
    script.write_text('{"edits": [{"yaw": 5}]}')
    cases: list[tuple[list[str | Path], str]] = [
        ([output, "--preview", output], "is the output itself"),
        ([output, "--preview", tmp_path / "preview.jpg"], "a preview is a PNG file"),
        ([script, "--script", script], "is the input itself"),
        ([output, "--script", script, "--preview", script], "is the input itself"),
    ]
    for arguments, message in cases:
        outcome = command("edit", stream, *arguments, "--yaw", "5", "--force")
        assert outcome.status == 1
        assert message in outcome.err
        assert not output.exists()
    assert read_script(script)


def test_wrong_options_are_told(stream: Path, tmp_path: Path, command: CommandLine) -> None:
    output = tmp_path / "edited.265"
    assert_refused(
        command, "edit", stream, output, folder=tmp_path, says="give --yaw, --mouth or another"
    )
    assert_refused(
        *(command, "edit", stream, output, "--yaw", "5", "--from", "3", "--to", "2"),
        folder=tmp_path,
        says="--to is not after --from",
    )
    assert command("edit", stream, output, "--yaw", "100").status == 2
    gaze = ("edit", stream, output, "--gaze", "0.1,0")
    assert_refused(command, *gaze, folder=tmp_path, says="it sends no pupils")


def test_streams_of_a_reference_pool_are_refused(
    demo_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    path, output = tmp_path / "pool.265", tmp_path / "edited.265"
    options = EncodeOptions(model="mesh", crop="none", reference_pool=2, key_interval=8)
    encode(demo_clip, path, options)
    says = "without --reference-pool"
    assert_refused(command, "edit", path, output, "--yaw", "5", folder=tmp_path, says=says)


def test_restrictions_are_heeded(stream: Path, tmp_path: Path, command: CommandLine) -> None:
    restriction = UsageRestrictions((Restriction(1),)).to_payload()
    units = nal_units(stream)
    message = SeiMessage(AI_USAGE_RESTRICTIONS, restriction)
    first = next(number for number, unit in enumerate(units) if unit.is_vcl)
    units.insert(first, make_sei_nal_unit([message], units[0].codec, suffix=False))
    source = write_units(tmp_path / "in.265", units)
    output = tmp_path / "edited.265"
    says = ["(aur_restriction 1)", "its face would be edited", "--ignore-restrictions"]
    assert_refused(command, "edit", source, output, "--roll", "5", folder=tmp_path, says=says)
    assert command("edit", source, output, "--roll", "5", "--ignore-restrictions").status == 0


def test_outputs_are_as_careful_as_of_other_commands(stream: Path, tmp_path: Path) -> None:
    output = tmp_path / "edited.265"
    output.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        edit(stream, output, FaceEdit(yaw=5))
    with pytest.raises(OutputError, match=r"\.266"):
        edit(stream, tmp_path / "edited.266", FaceEdit(yaw=5))
    with pytest.raises(InputError, match="no such file"):
        edit(tmp_path / "none.265", tmp_path / "edited.265", FaceEdit(yaw=5), force=True)
    assert output.read_bytes() == b"mine"
    edit(stream, output, FaceEdit(roll=5), force=True, notes=no_notes)
    assert output.read_bytes() != b"mine"
    assert gfvc.edit is edit
