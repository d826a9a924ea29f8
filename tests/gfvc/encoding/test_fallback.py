"""Clips, and pictures of clips, that are sent as ordinary video."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from base_codec_adapters import (
    Codec,
    Effort,
    EncodeRequest,
    RequestInvalidError,
    find_encoder,
)
from gfvc import EncodeOptions, EncodeSummary, InputError, encode
from gfvc.base_layer import BaseLayerCoder, SequenceQps
from gfvc.colour import to_picture420
from gfvc.demo_clip import RATE
from gfvc.encoding.clip import SPOOL_BYTES, most_pictures
from gfvc.encoding.executor import OrdinaryVideo
from gfvc.encoding.work_done import WorkDone
from gfvc.rectangle import Rectangle
from gfvc.stream.face_stream import PART_PICTURES
from gfvc.stream.information import StreamInformation
from gfvc.stream.reader import read_face_stream
from gfvc.stream.writer import StreamWriter
from gfvc.telling import unheard
from gfvc.verification import Severity, verify_stream
from gfvc.video_writer import write_video
from models.contract import Picture
from sei import USER_DATA_UNREGISTERED, GfvState, SeiMessage, read_sei
from tests.gfvc.support import (
    CommandLine,
    decode_all,
    face_messages,
    mean_difference,
    nal_units,
    write_units,
)


def texture(count: int, side: int = 64) -> list[Picture]:
    """A field of blots that slides by: no face, and more than a few bytes."""
    blots = np.random.default_rng(1).integers(0, 256, (side // 4, side // 4 + count), np.uint8)
    field = cv2.resize(blots, (side + 4 * count, side), interpolation=cv2.INTER_CUBIC)
    return [
        np.repeat(field[:, 4 * time : 4 * time + side, None], 3, axis=2) for time in range(count)
    ]


def encode_to(
    path: Path, pictures: list[Picture], **options: Any
) -> tuple[Path, EncodeSummary, list[str]]:
    clip = write_video(path.with_suffix(".mkv"), pictures, RATE)
    notes: list[str] = []
    messages = {} if options.get("fallback") == "always" else {"symbol_rate": "full"}
    chosen = {"key_pictures": "fixed"} | messages | options
    settings = EncodeOptions(size=pictures[0].shape[0], **chosen)
    summary = encode(clip, path, settings, notes=notes.append)
    return path, summary, [note.removeprefix(f"{clip}: ") for note in notes]


def kinds(path: Path) -> str:
    """Output pictures in order: K key, d driven, s standing still, o ordinary video."""
    state, text = GfvState(), ""
    faces = (state.read(m.payload) for unit in nal_units(path) for m in face_messages(unit))
    for unit in read_face_stream(path, lambda _: None).units:
        if not unit.messages:
            text += "o"
        for face in islice(faces, len(unit.messages)):
            still = "s" if face.low_confidence_face_parameter_flag else "d"
            text += "K" if face.base_picture_flag else still
    return text


def user_data(path: Path) -> list[SeiMessage]:
    found = [m for unit in nal_units(path) if unit.is_prefix_sei for m in read_sei(unit).messages]
    return [m for m in found if m.payload_type == USER_DATA_UNREGISTERED]


@pytest.mark.parametrize("effort", ["fast", "slow"])
def test_the_base_encoder_looks_as_long_as_asked(effort: Effort, tmp_path: Path) -> None:
    pictures = texture(6, 64)
    path, *_ = encode_to(tmp_path / "out.265", pictures, effort=effort)
    asked = EncodeRequest(
        tuple(map(to_picture420, pictures)), 32, RATE, structure="random_access", effort=effort
    )
    alone = tmp_path / "alone.265"
    alone.write_bytes(find_encoder("hevc").encode(asked).stream)
    wanted, found = (
        [unit.to_annex_b() for unit in nal_units(each) if not unit.is_sei] for each in (alone, path)
    )
    assert found[: len(wanted)] == wanted
    medium, *_ = encode_to(tmp_path / "medium.265", pictures)
    assert medium.read_bytes() != path.read_bytes()


@pytest.mark.parametrize(("suffix", "codec"), [(".265", "hevc"), (".266", "vvc")])
def test_a_clip_without_a_face(
    suffix: str, codec: Codec, tmp_path: Path, command: CommandLine
) -> None:
    pictures = texture(20, 128)
    path, summary, notes = encode_to(tmp_path / f"out{suffix}", pictures)
    assert notes == [
        "20 of 20 pictures are sent as ordinary video: no face that generation can use, or "
        "one in other light or colours than in the key picture"
    ]
    assert (summary.frames, summary.key_pictures, summary.fallback_pictures) == (20, 0, 20)
    assert summary.to_json()["fallback_pictures"] == 20
    assert kinds(path) == "o" * 20
    # What the base codec alone makes of the same pictures, and what is added to it.
    alone = EncodeRequest(tuple(map(to_picture420, pictures)), 32, RATE, structure="random_access")
    size = len(find_encoder(codec).encode(alone).stream)
    assert size < path.stat().st_size <= 1.03 * size
    (message,) = user_data(path)
    information = StreamInformation.from_payload(message.payload)
    assert information is not None
    assert information.shown_as_coded
    assert nal_units(path)[-1].ends_sequence
    outcome = command("decode", path, tmp_path / "out.mp4", "--json")
    assert "20 of 20 pictures are ordinary video" in outcome.err
    answer = json.loads(outcome.out)
    assert (answer["frames"], answer["model"], answer["pictures_as_coded"]) == (20, "none", 20)
    decoded = decode_all(path, lambda _: None)
    for source, picture in zip(pictures, decoded, strict=True):
        assert mean_difference(source, picture) < 9
    findings = list(verify_stream(path))
    assert not [f for f in findings if f.severity is not Severity.INFORMATION]


def test_ordinary_video_between_two_faces(demo_pictures: list[Picture], tmp_path: Path) -> None:
    clip = [*demo_pictures[:6], *texture(7, 256), *demo_pictures[20:27]]
    path, summary, notes = encode_to(tmp_path / "out.265", clip)
    assert kinds(path) == "Kddddd" + "o" * 7 + "Kdddddd"
    assert (summary.frames, summary.key_pictures, summary.fallback_pictures) == (20, 2, 7)
    assert summary.low_confidence_pictures == 0
    assert len(notes) == 1
    decoded = decode_all(path, lambda _: None)
    assert len(decoded) == 20
    for index in (0, 5, 6, 12, 13, 19):
        assert mean_difference(decoded[index], clip[index]) < 9
    assert not [f for f in verify_stream(path) if f.severity is not Severity.INFORMATION]


def test_ordinary_video_at_either_end(demo_pictures: list[Picture], tmp_path: Path) -> None:
    away = texture(6, 256)
    path, _, _ = encode_to(tmp_path / "starts.265", [*away, *demo_pictures[:6]])
    assert kinds(path) == "ooooooKddddd"
    assert not nal_units(path)[-1].ends_sequence
    path, _, _ = encode_to(tmp_path / "ends.265", [*demo_pictures[:4], *away])
    assert kinds(path) == "Kdddoooooo"
    # However short it is, at either end.
    path, summary, _ = encode_to(tmp_path / "short.265", [*demo_pictures[:4], *away[:4]])
    assert kinds(path) == "Kdddoooo"
    assert summary.low_confidence_pictures == 0
    path, _, _ = encode_to(tmp_path / "late.265", [*away[:2], *demo_pictures[:4]])
    assert kinds(path) == "ooKddd"
    # Between pictures of a face it is a flash, in which the face stands still.
    flash = [*demo_pictures[:4], *away[:4], *demo_pictures[4:6]]
    path, summary, _ = encode_to(tmp_path / "flash.265", flash)
    assert kinds(path) == "Kdddssssdd"
    assert summary.low_confidence_pictures == 4
    path, _, _ = encode_to(tmp_path / "tiny.265", texture(2))
    assert kinds(path) == "oo"


def test_a_fade_in_stays_one(demo_pictures: list[Picture], tmp_path: Path) -> None:
    faded = [(share * demo_pictures[0]).astype(np.uint8) for share in (0, 0.2, 0.4, 0.6)]
    clip = [*faded, *demo_pictures[:10]]
    path, _, _ = encode_to(tmp_path / "fade.265", clip, key_pictures="auto")
    assert kinds(path).startswith("oooo")
    assert "K" in kinds(path)
    decoded = decode_all(path, lambda _: None)
    for source, picture in zip(clip, decoded, strict=True):
        assert mean_difference(source, picture) < 9


def test_a_face_seen_for_a_moment_does_not_end_ordinary_video(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    away = texture(5, 256)
    path, _, _ = encode_to(tmp_path / "out.265", [*away, *demo_pictures[:4], *away])
    assert kinds(path) == "o" * 14


def test_never(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="shows no face in any of its 6 pictures"):
        encode_to(tmp_path / "out.265", texture(6), fallback="never")
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]


def test_always(demo_pictures: list[Picture], tmp_path: Path) -> None:
    path, summary, notes = encode_to(
        tmp_path / "out.265", demo_pictures[:9], fallback="always", key_interval=4
    )
    assert kinds(path) == "o" * 9
    assert notes == ["9 of 9 pictures are sent as ordinary video"]
    assert summary.fallback_pictures == 9
    assert len(user_data(path)) == 3
    finer, _, _ = encode_to(
        tmp_path / "finer.265", demo_pictures[:9], fallback="always", fallback_qp=22
    )
    coarse = decode_all(path, lambda _: None)
    fine = decode_all(finer, lambda _: None)
    assert mean_difference(fine[8], demo_pictures[8]) < mean_difference(coarse[8], demo_pictures[8])


def test_a_quantisation_parameter_out_of_range(tmp_path: Path, command: CommandLine) -> None:
    clip = write_video(tmp_path / "clip.mkv", texture(2), RATE)
    outcome = command("encode", clip, tmp_path / "out.265", "--fallback-qp", "52")
    assert outcome.status == 1
    assert "QP is 52 (of ordinary video): HEVC has 0..51" in outcome.err
    assert not (tmp_path / "out.265").exists()


def test_a_face_that_coding_destroys_becomes_ordinary_video(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    clip = write_video(tmp_path / "clip.mkv", demo_pictures[:7], RATE)
    options = EncodeOptions(size=64, key_qp=51)
    summary = encode(clip, tmp_path / "out.265", options)
    assert (summary.key_pictures, summary.fallback_pictures) == (0, 7)


@pytest.mark.usefixtures("coded_once")
@pytest.mark.parametrize("suffix", [".265", ".266"])
def test_times_in_mp4(demo_pictures: list[Picture], tmp_path: Path, suffix: str) -> None:
    clip = [*demo_pictures[:6], *texture(7, 256), *demo_pictures[20:26]]
    codec = {".265": "hevc", ".266": "vvc"}[suffix]
    path, summary, _ = encode_to(tmp_path / "out.mp4", clip, codec=codec)
    assert (summary.frames, summary.codec) == (19, codec)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        picture = 1 / (RATE * stream.time_base)
        packets = [packet for packet in container.demux(stream) if packet.size]
        times = [Fraction(packet.pts or 0) / picture for packet in packets]
        # The ordinary video is coded in another order than it is shown in.
        assert sorted(times) == [0, *range(6, 13), 13]
        assert times != sorted(times)
        assert stream.duration == 19 * picture
        assert [p.is_keyframe for p in packets] == [True, True, *[False] * 6, True]
    elementary, _, _ = encode_to(tmp_path / f"out{suffix}", clip)
    for one, other in zip(
        decode_all(path, lambda _: None), decode_all(elementary, lambda _: None), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_cut_streams(demo_pictures: list[Picture], tmp_path: Path) -> None:
    """A picture shown as coded counts when something follows it."""
    path, _, _ = encode_to(tmp_path / "out.265", [*demo_pictures[:3], *texture(6, 256)])
    units = nal_units(path)
    assert kinds(path) == "Kddoooooo"
    lengths = []
    for end in range(len(units), 5, -1):
        cut = write_units(tmp_path / "cut.265", units[:end])
        notes: list[str] = []
        stream = read_face_stream(cut, notes.append)
        lengths.append(stream.pictures)
        # Pictures that are coded later and shown before others may be beyond the cut.
        cuts = [note for note in notes if "ordinary video are missing" not in note]
        # Between the messages of the key picture and ordinary video nothing seems to be missing.
        assert len(cuts) == (end not in (len(units), 6))
        assert len(decode_all(cut, lambda _: None)) == stream.pictures
    assert lengths[:6] == [9, 8, 7, 6, 5, 4]
    assert lengths[-1] == 3
    # One that loses its user data is whole all the same: its sequence ends.
    others = [u for u in units if not u.is_prefix_sei]
    stream = read_face_stream(write_units(tmp_path / "cut.265", others), lambda _: None)
    assert stream.pictures == 9
    assert not face_messages(units[-1])


def test_a_sequence_is_coded_when_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "out.265"
    with path.open("wb") as file:
        information = StreamInformation(RATE, 64, 64, Rectangle(0, 0, 64, 64))
        writer = StreamWriter(file, "hevc", information)
        base = BaseLayerCoder("hevc", RATE)
        work = WorkDone(unheard, seen_is_all=True)
        with OrdinaryVideo(base, SequenceQps(predicted=40), writer, work) as ordinary:
            for count in (3, 2):
                for picture in texture(count):
                    ordinary.add(picture)
                assert ordinary.waiting == count
                assert ordinary.write() == count
                assert not ordinary.waiting
            ordinary.add(texture(1)[0])
        assert not ordinary.waiting
        writer.close()
    coded = [unit for unit in nal_units(path) if unit.is_vcl]
    assert [unit.is_idr for unit in coded] == [True, False, False, True, False]
    with pytest.raises(RequestInvalidError, match="QP is 52"):
        SequenceQps(52).check("hevc")


def test_what_waits_fits_on_the_disk() -> None:
    assert most_pictures((2048, 2048)) * 2048 * 2048 * 3 // 2 <= SPOOL_BYTES
    assert most_pictures((2048, 2048)) > 25


def test_a_long_base_layer_is_decoded_in_parts(tmp_path: Path) -> None:
    pictures = texture(PART_PICTURES + 14)
    path, _, _ = encode_to(tmp_path / "out.265", pictures, fallback="always", key_interval=12)
    stream = read_face_stream(path, lambda _: None)
    counts = [count for _, count in stream.base_layer_parts()]
    assert counts == [72, len(pictures) - 72]
    assert b"".join(part for part, _ in stream.base_layer_parts()) == stream.base_layer
    decoded = decode_all(path, lambda _: None)
    assert len(decoded) == len(pictures)
    assert mean_difference(decoded[-1], pictures[-1]) < 9
