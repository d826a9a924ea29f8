"""Transcoding streams: the base layer stays, parameters survive, pictures too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, encode
from gfvc.errors import StreamError
from gfvc.parameter_rows import to_numbers
from gfvc.stream.reader import read_face_stream
from gfvc.transcoding import LinearTranslator, save_translator, transcode
from models import ParameterLayout
from models.contract import FloatArray, Picture
from models.face.card import CARD as FACE
from models.mesh.card import CARD as MESH
from sei import (
    GENERATIVE_FACE_VIDEO,
    GfvState,
    NalUnit,
    NetworkPayload,
    SeiMessage,
    make_sei_nal_unit,
    read_sei,
)
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    decode_all,
    nal_units,
    no_notes,
    write_units,
)


def numbers_of(path: Path) -> FloatArray:
    """All parameters of a stream, [pictures, n]."""
    stream = read_face_stream(path, no_notes)
    return np.stack([to_numbers(v) for unit in stream.units for v in unit.values()])


def uri_of(path: Path) -> str | None:
    return read_face_stream(path, no_notes).model_uri


def other_units(path: Path) -> list[bytes]:
    """NAL units without face messages."""
    return [
        unit.to_annex_b() for unit in nal_units(path) if not (unit.is_sei and _holds_faces(unit))
    ]


def _holds_faces(unit: NalUnit) -> bool:
    return any(m.payload_type == GENERATIVE_FACE_VIDEO for m in read_sei(unit).messages)


@pytest.mark.parametrize("layout", ["keypoints", "same"])
def test_streams_in_other_layouts_decode_to_the_same_pictures(
    layout: str, small_stream: Path, decoded_small: list[Picture], tmp_path: Path
) -> None:
    moved = tmp_path / "moved.265"
    summary = transcode(small_stream, moved, layout)
    assert summary.messages == 12
    assert summary.largest_change == 0
    assert other_units(moved) == other_units(small_stream)
    assert np.array_equal(numbers_of(moved), numbers_of(small_stream))
    assert uri_of(moved) == MESH.uri + (";repacked" if layout == "keypoints" else "")
    assert all(map(np.array_equal, decode_all(moved), decoded_small))


@pytest.mark.parametrize("layout", ["keypoints", "compact", "same"])
def test_there_and_back_gives_the_same_file(layout: str, face_stream: Path, tmp_path: Path) -> None:
    there, back = tmp_path / "there.265", tmp_path / "back.265"
    transcode(face_stream, there, layout)
    assert uri_of(there) == FACE.uri + (";repacked" if layout == "keypoints" else "")
    transcode(there, back, "mesh")
    assert back.read_bytes() == face_stream.read_bytes()


def test_coarser_steps_round_every_picture_by_itself(small_stream: Path, tmp_path: Path) -> None:
    coarse = tmp_path / "coarse.265"
    summary = transcode(small_stream, coarse, precision=5)
    before, after = numbers_of(small_stream), numbers_of(coarse)
    assert np.array_equal(after, np.rint(before * 32) / 32)
    assert summary.largest_change == np.abs(after - before).max() > 0
    assert summary.bytes_after < summary.bytes_before
    assert uri_of(coarse) == MESH.uri
    assert len(decode_all(coarse)) == 12


def test_finer_steps_change_nothing(
    small_stream: Path, decoded_small: list[Picture], tmp_path: Path
) -> None:
    fine = tmp_path / "fine.265"
    assert transcode(small_stream, fine, precision=20).largest_change == 0
    assert np.array_equal(numbers_of(fine), numbers_of(small_stream))
    assert all(map(np.array_equal, decode_all(fine), decoded_small))


def test_a_linear_translator_makes_a_stream_for_another_model(
    small_stream: Path, tmp_path: Path
) -> None:
    target = ParameterLayout(keypoints=3, dimensions=3, coordinate_precision=10)
    source_numbers = numbers_of(small_stream)
    true_map = np.random.default_rng(2).normal(size=(9, 14))
    fitted = LinearTranslator.fit(
        MESH.layout, target, source_numbers, source_numbers @ true_map.T, "gfvc:other:1"
    )
    moved = tmp_path / "moved.265"
    assert transcode(small_stream, moved, translator=fitted).largest_change is None
    assert other_units(moved) == other_units(small_stream)
    assert uri_of(moved) == "gfvc:other:1"
    error = numbers_of(moved) - source_numbers @ true_map.T
    assert np.abs(error).max() <= 2.0**-10 / 2 + 1e-9


def test_low_confidence_and_counts_are_kept(small_stream: Path, tmp_path: Path) -> None:
    state = GfvState()
    units = nal_units(small_stream)
    payloads = [m for unit in units if unit.is_suffix_sei for m in read_sei(unit).messages][:4]
    for message in payloads:
        state.read(message.payload)
    low = state.predict(state.values, gfv_id=0, gfv_cnt=4, low_confidence_face_parameter_flag=True)
    added = SeiMessage(GENERATIVE_FACE_VIDEO, state.write(low))
    first = next(i for i, unit in enumerate(units) if unit.is_suffix_sei)
    units[first] = make_sei_nal_unit([*read_sei(units[first]).messages, added], units[0].codec)
    path = write_units(tmp_path / "low.265", units)
    moved = tmp_path / "moved.265"
    transcode(path, moved, "compact")

    def flags(stream: Path) -> list[tuple[int, bool]]:
        state = GfvState()
        read = [
            state.read(message.payload)
            for unit in nal_units(stream)
            if unit.is_suffix_sei
            for message in read_sei(unit).messages
        ]
        return [(m.gfv_cnt, m.low_confidence_face_parameter_flag) for m in read]

    assert flags(moved) == flags(path)
    assert (4, True) in flags(moved)


def test_predicted_coded_pictures_keep_the_model_that_was_named(
    demo_clip: Path, tmp_path: Path
) -> None:
    path, other, back = (tmp_path / name for name in ("in.265", "keypoints.265", "back.265"))
    options = EncodeOptions(
        model="mesh", crop="none", key_pictures="auto", coded_interval=0.3, symbol_rate="full"
    )
    encode(demo_clip, path, options, notes=no_notes)
    unnamed = [unit for unit in read_face_stream(path, no_notes).units[1:] if unit.messages]
    assert unnamed, "base messages that name no network"
    transcode(path, other, "keypoints")
    for first, second in zip(decode_all(path), decode_all(other), strict=True):
        assert np.array_equal(first, second)
    transcode(other, back, "mesh")
    assert back.read_bytes() == path.read_bytes()


def test_a_stream_that_names_no_model_keeps_its_layout(small_stream: Path, tmp_path: Path) -> None:
    units = nal_units(small_stream)
    first = next(i for i, unit in enumerate(units) if unit.is_suffix_sei)
    messages = read_sei(units[first]).messages
    reader, writer = GfvState(), GfvState()
    base = reader.read(messages[0].payload)
    anonymous = writer.predict(
        reader.values,
        gfv_id=0,
        gfv_cnt=0,
        base_picture_flag=base.base_picture_flag,
        network=NetworkPayload(b"\1\2"),
    )
    payload = writer.write(anonymous)
    replaced = [SeiMessage(GENERATIVE_FACE_VIDEO, payload), *messages[1:]]
    units[first] = make_sei_nal_unit(replaced, units[0].codec)
    path = write_units(tmp_path / "anonymous.265", units)
    with pytest.raises(StreamError, match=r"message 0 \(NAL unit at byte \d+\): names no model"):
        transcode(path, tmp_path / "x.265", "keypoints")
    transcode(path, tmp_path / "y.265", precision=9)
    with pytest.raises(StreamError, match="no gfv_nn_uri"):
        # The first key picture's message names none, the later ones do.
        decode_all(write_units(tmp_path / "one.265", nal_units(tmp_path / "y.265")[: first + 1]))


def test_the_command(small_stream: Path, tmp_path: Path, command: CommandLine) -> None:
    moved = tmp_path / "moved.265"
    outcome = command("transcode", small_stream, moved, "--layout", "keypoints", "--json")
    assert outcome.status == 0
    assert json.loads(outcome.out)["messages"] == 12
    outcome = command("transcode", moved, tmp_path / "back.265", "--layout", "mesh")
    assert outcome.status == 0
    assert "12 messages" in outcome.err
    assert (tmp_path / "back.265").read_bytes() == small_stream.read_bytes()


def test_the_command_with_a_translator(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    other = ParameterLayout(keypoints=2)
    save_translator(LinearTranslator(other, other, np.eye(4), np.zeros(4)), tmp_path / "map")
    assert_refused(
        command,
        "transcode",
        small_stream,
        tmp_path / "x.265",
        "--translator",
        tmp_path / "map",
        folder=tmp_path,
        says="the translator is for 2 2-D keypoints, and the stream carries type 7 1x1x14",
    )


def test_refusals_are_one_line_and_leave_nothing(
    small_stream: Path, short_clip: Path, tmp_path: Path, command: CommandLine
) -> None:
    out = tmp_path / "x.265"
    refusals: list[tuple[list[str | Path], str]] = [
        ([small_stream, out, "--layout", "cfte"], "carries 14 numbers a picture and"),
        ([small_stream, out, "--layout", "keypoints3d"], "14 numbers a picture do not make 3-D"),
        ([small_stream, out, "--layout", "nonsense"], "no model is named 'nonsense'"),
        ([small_stream, tmp_path / "x.266"], "the suffix means vvc and the stream is hevc"),
        ([small_stream, tmp_path / "x.mp4"], "of a byte stream a byte stream is made"),
        ([short_clip, out], "short.mkv: "),
        ([tmp_path / "absent", out], "no such file"),
    ]
    for arguments, says in refusals:
        assert_refused(command, "transcode", *arguments, folder=tmp_path, says=says)
    bare = write_units(tmp_path / "bare.265", [u for u in nal_units(small_stream) if not u.is_sei])
    assert_refused(
        command, "transcode", bare, out, folder=tmp_path, says="holds no generative face video"
    )
    assert command("transcode", small_stream, out, "--precision", "33").status == 2


def test_a_cut_off_stream_is_refused(small_stream: Path, tmp_path: Path) -> None:
    units = nal_units(small_stream)
    headless = [unit for unit in units if unit.is_suffix_sei][1:]
    first = next(i for i, unit in enumerate(units) if unit.is_suffix_sei)
    messages = read_sei(units[first]).messages[1:]
    orphaned = [*units[:first], make_sei_nal_unit(messages, units[0].codec), *headless]
    path = write_units(tmp_path / "orphaned.265", orphaned)
    with pytest.raises(StreamError, match=r"orphaned.265: .*base message"):
        transcode(path, tmp_path / "x.265")
