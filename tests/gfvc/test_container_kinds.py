"""Containers of other programs and damaged ones: told by their content, refused in one line."""

from __future__ import annotations

import contextlib
import io
import random
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from av.container import InputContainer

from base_codec_adapters import OutputInvalidError
from gfvc.errors import InputError, StreamError
from gfvc.stream import containers
from gfvc.stream.containers import begins_as_byte_stream, is_container
from gfvc.stream.nal_source import open_nal_units
from models.contract import Picture
from sei import NalUnit, join_annex_b
from tests.gfvc.support import CommandLine, assert_refused, decode_all, ffmpeg, nal_units

MUTATIONS = 80


def box(kind: bytes, size: int) -> bytes:
    return struct.pack(">I4s", size, kind) + bytes(size - 8)


def moved(data: bytes, by: int) -> bytes:
    """An MP4 file whose sample offsets count `by` bytes that will be put before it."""
    moved = bytearray(data)
    place = moved.find(b"stco")
    (count,) = struct.unpack_from(">I", moved, place + 8)
    for offset in range(place + 12, place + 12 + 4 * count, 4):
        struct.pack_into(">I", moved, offset, struct.unpack_from(">I", moved, offset)[0] + by)
    return bytes(moved)


@pytest.mark.parametrize(
    "first",
    [
        box(b"free", 16),
        box(b"skip", 0x1F0),  # its size looks like a start code
        box(b"uuid", 40),
        box(b"styp", 24),
        struct.pack(">I4sQ", 1, b"free", 24) + bytes(8),  # a size of 64 bits: a start code, too
    ],
    ids=["free", "skip", "uuid", "styp", "large"],
)
def test_any_box_may_come_first(
    in_mp4: Path, tmp_path: Path, decoded_small: list[Picture], first: bytes
) -> None:
    path = tmp_path / "first.mp4"
    path.write_bytes(first + moved(in_mp4.read_bytes(), len(first)))
    assert is_container(path)
    for ours, expected in zip(decode_all(path), decoded_small, strict=True):
        np.testing.assert_array_equal(ours, expected)


def sei(units: list[NalUnit]) -> list[bytes]:
    return [unit.data for unit in units if unit.is_sei]


@pytest.mark.parametrize("problem", [InputError, MemoryError, KeyboardInterrupt])
def test_a_container_is_closed_whatever_ends_the_look_at_it(
    in_mp4: Path, monkeypatch: pytest.MonkeyPatch, problem: type[BaseException]
) -> None:
    opened = []

    def end(_path: Path, container: InputContainer) -> None:
        opened.append(container)
        raise problem

    monkeypatch.setattr(containers, "refuse_joined", end)
    with pytest.raises(problem):
        is_container(in_mp4)
    with pytest.raises(AssertionError, match="not open"):
        opened[0].seek(0)


@pytest.mark.parametrize("suffix", ["mp4", "flv"])
@pytest.mark.parametrize("name", ["decode", "export", "inspect", "transcode", "verify"])
def test_files_joined_byte_by_byte_are_refused(
    in_mp4: Path, tmp_path: Path, suffix: str, name: str, command: CommandLine
) -> None:
    """The library would read the first of them, and say nothing."""
    one = tmp_path / f"one.{suffix}"
    ffmpeg("-i", in_mp4, "-c", "copy", one)
    joined = tmp_path / f"joined.{suffix}"
    joined.write_bytes(one.read_bytes() * 2)
    outputs = {"decode": ["o.y4m"], "export": ["o.csv"], "transcode": ["o.266"]}.get(name, [])
    outcome = command(name, joined, *(tmp_path / output for output in outputs))
    assert outcome.status == 1
    assert f"{joined}: several files joined byte by byte, of which only the first" in outcome.err
    assert {path.name for path in tmp_path.iterdir()} == {one.name, joined.name}


@pytest.mark.parametrize("live", [False, True])
def test_of_joined_matroska_files_all_are_read_or_none(
    in_mp4: Path, tmp_path: Path, live: bool
) -> None:
    """The library reads two of them, or all where segments do not say where they end."""
    path = tmp_path / "joined.mkv"
    ffmpeg("-i", in_mp4, "-c", "copy", *(("-live", "1") if live else ()), path)
    one = path.read_bytes()
    for count in (1, 2, 3, 4):
        path.write_bytes(one * count)
        if count > 2 and not live:
            with pytest.raises(
                InputError, match=r"joined\.mkv: more than two files joined byte by"
            ):
                is_container(path)
        else:
            with open_nal_units(path) as units:
                pictures = [unit for unit in units if unit.is_irap]
            assert len(pictures) == count * len({unit.data for unit in pictures})
    for cut in range(80):
        path.write_bytes((one * 3)[:cut] + (one * 3)[cut + 1 :])
        with contextlib.suppress(InputError):
            is_container(path)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("remuxed.mov", ()),
        ("remuxed.mkv", ()),
        ("remuxed.ts", ()),
        ("remuxed.nut", ()),
        ("fragmented.mp4", ("-movflags", "frag_keyframe+empty_moov+default_base_moof")),
        ("faststart.mp4", ("-movflags", "faststart")),
        ("name_without_suffix", ("-f", "mpegts")),
        ("wrong_suffix.265", ("-f", "matroska")),
    ],
)
def test_other_programs_containers(
    in_mp4: Path, small_stream: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    path = tmp_path / name
    ffmpeg("-i", in_mp4, "-c", "copy", *options, path)
    assert is_container(path)
    with open_nal_units(path) as units:
        assert sei(list(units)) == sei(nal_units(small_stream))


def test_a_fragment_alone_is_told(in_mp4: Path, tmp_path: Path, command: CommandLine) -> None:
    """A media segment without its initialisation segment: moof comes first."""
    whole, path = tmp_path / "whole.mp4", tmp_path / "segment.m4s"
    ffmpeg("-i", in_mp4, "-c", "copy", "-movflags", "frag_keyframe+empty_moov", whole)
    data = whole.read_bytes()
    path.write_bytes(data[data.index(b"moof") - 4 :])
    assert_refused(command, "inspect", path, folder=tmp_path, says="no container of one")


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\0\0\1\x40\1\x0c\1\xff", True),
        (b"\0\0\0\1\x40\1\x0c\1", True),
        (bytes(40) + b"\1\x40\1\x0c", True),
        (bytes(64), True),
        (b"\0\0\0\1mdat\0\0\0\0", False),
        (b"\0\0\1\x20free", False),
        (b"\0\0\0\x18ftypisom", False),
        (b"\x47\x40\x11\x10", False),
        (b"\0\1\0\0", False),
        (b"\0\0\1\xba\x44\0\4\0", False),  # a pack header
        (b"\0\0\1\xb3\x10\0\xf0\x23", False),  # a sequence header
    ],
)
def test_how_a_byte_stream_begins(head: bytes, expected: bool) -> None:
    assert begins_as_byte_stream(head) is expected


def test_a_byte_stream_with_a_header_like_letters(small_stream: Path, tmp_path: Path) -> None:
    """A start code and NAL unit header that could be a box; libavformat knows that it is none."""
    path = tmp_path / "odd.265"
    path.write_bytes(b"\0\0\0\1NAME" + b"\0\0\0\1" + small_stream.read_bytes())
    assert not is_container(path)
    with open_nal_units(path) as units:
        assert next(units).data == b"NAME"


def test_a_pipe_gives_a_byte_stream(small_stream: Path, tmp_path: Path) -> None:
    import os
    import threading

    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(small_stream.read_bytes()))
    writer.start()
    with open_nal_units(path) as units:
        assert list(units) == nal_units(small_stream)
    writer.join()


def mutated(data: bytes, seed: int) -> bytes:
    """An MP4 file with a few bytes changed (in its index, more often), cut out or put in."""
    chance = random.Random(seed)
    changed = bytearray(data)
    index = data.index(b"moov")
    match seed % 4:
        case 0:
            for _ in range(chance.randrange(1, 20)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
        case 1:
            for _ in range(chance.randrange(1, 10)):
                changed[chance.randrange(index, len(changed))] = chance.randrange(256)
        case 2:
            del changed[chance.randrange(len(changed)) :]
        case _:
            start = chance.randrange(len(changed))
            end = start + chance.randrange(1, 200)
            changed[start:end] = b"" if chance.random() < 0.5 else 2 * changed[start:end]
    return bytes(changed)


def test_damaged_files_are_read_or_refused_in_one_line(
    in_mp4: Path, tmp_path: Path, command: CommandLine
) -> None:
    data = in_mp4.read_bytes()
    path = tmp_path / "damaged.mp4"
    ends: Counter[int] = Counter()
    for seed in range(MUTATIONS):
        path.write_bytes(mutated(data, seed))
        outcome = command("inspect", path, "--json")
        ends[outcome.status] += 1
        assert outcome.status in (0, 1), seed
        # Notes are of edit lists, which hide what is read.
        lines = [line for line in outcome.err.splitlines() if not line.startswith("gfvc: ")]
        assert (outcome.status == 1) == (len(lines) == 1), (seed, lines)
        starts = ("gfvc inspect: ", f"error: {path}: ")
        assert all(line.startswith(starts) for line in lines), (seed, lines)
    assert ends[0] >= MUTATIONS // 8
    assert ends[1] >= MUTATIONS // 8


def test_damaged_files_are_decoded_or_refused_in_one_line(
    in_mp4: Path, tmp_path: Path, command: CommandLine
) -> None:
    data = in_mp4.read_bytes()
    path, output = tmp_path / "damaged.mp4", tmp_path / "out.y4m"
    for seed in range(0, MUTATIONS, 4):
        path.write_bytes(mutated(data, seed + seed // 4 % 4))
        outcome = command("decode", path, output, "--force")
        assert outcome.status in (0, 1), seed
        lines = outcome.err.splitlines()
        assert lines, seed
        assert all(line.startswith(("gfvc: ", "gfvc decode: ")) for line in lines), (seed, lines)
        assert output.exists() == (outcome.status == 0), seed
        output.unlink(missing_ok=True)


def test_a_track_of_an_unknown_codec(in_mp4: Path, tmp_path: Path, command: CommandLine) -> None:
    path = tmp_path / "unknown.mp4"
    path.write_bytes(in_mp4.read_bytes().replace(b"hvc1", b"zzzz"))
    assert_refused(command, "inspect", path, folder=tmp_path, says="no VVC, HEVC or H.264 video")


def in_program_stream(stream: Path, path: Path) -> Path:
    """A stream in a program stream whose map says that it is HEVC."""
    entry = b"\x24\xe0" + bytes(2)
    head = bytes((0xE0, 0xFF)) + bytes(2) + len(entry).to_bytes(2) + entry
    stream_map = head + bytes(4)
    pack = b"\0\0\1\xba\x44\0\4\0\4\1\0\0\3\xf8"
    stamps = b"\x80\xc0\x0a\x31\0\1\0\1\x11\0\1\0\1"
    data = stream.read_bytes()
    pieces = [data[at : at + 8000] for at in range(0, len(data), 8000)]
    path.write_bytes(
        pack
        + b"\0\0\1\xbc"
        + len(stream_map).to_bytes(2)
        + stream_map
        + b"".join(
            b"\0\0\1\xe0" + (len(piece) + len(start)).to_bytes(2) + start + piece
            for start, piece in zip([stamps, *[b"\x80\0\0"] * len(pieces)], pieces, strict=False)
        )
        + b"\0\0\1\xb9"
    )
    return path


def test_a_program_stream_is_a_container(small_stream: Path, tmp_path: Path) -> None:
    path = in_program_stream(small_stream, tmp_path / "program.mpg")
    assert is_container(path)
    with open_nal_units(path) as units:
        assert [unit.data for unit in units] == [unit.data for unit in nal_units(small_stream)]


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (b"\0\0\1\xba\x44", "is an MPEG program stream, which is read from a whole file alone"),
        (b"\0\0\1\xb3\x10", "is MPEG-1 or MPEG-2 video, not a VVC"),
    ],
)
@pytest.mark.parametrize("name", [None, "hevc"])
def test_start_codes_of_other_standards_are_no_nal_units(
    tmp_path: Path, command: CommandLine, first: bytes, says: str, name: str | None
) -> None:
    path = tmp_path / "odd.265"
    path.write_bytes(first)
    named = () if name is None else ("--codec", name)
    assert_refused(command, "inspect", path, *named, folder=tmp_path, says=says)


def test_a_track_tells_the_codec_whatever_is_named(
    in_mp4: Path, tmp_path: Path, command: CommandLine
) -> None:
    says = "its track is of hevc, and --codec says vvc; leave it out"
    assert_refused(command, "inspect", in_mp4, "--codec", "vvc", folder=tmp_path, says=says)
    assert command("inspect", in_mp4, "--codec", "hevc").status == 0


def test_a_byte_stream_whose_first_header_is_damaged(small_stream: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.265"
    data = bytearray(small_stream.read_bytes())
    data[data.index(b"\0\0\1") + 3] |= 0x80
    path.write_bytes(data)
    assert not is_container(path)


@pytest.fixture
def after_avc(in_mp4: Path, tmp_path: Path) -> Path:
    """The stream of twelve pictures as the second video track, behind one of H.264."""
    path = tmp_path / "second.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=s=64x64:d=0.48:r=25", "-i", in_mp4, "-map", "0", "-map", "1",
           "-c:v:0", "libx264", "-c:v:1", "copy", path)  # fmt: skip
    return path


def test_vvc_and_hevc_come_before_other_tracks(
    after_avc: Path, decoded_small: list[Picture]
) -> None:
    notes: list[str] = []
    decoded = decode_all(after_avc, notes.append)
    for ours, expected in zip(decoded, decoded_small, strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert notes == [
        f"{after_avc}: holds 2 video tracks; number 1 is read (hevc, 256x256), the others are left "
        "out"
    ]


def test_inspect_says_which_of_several_tracks_it_reads(
    in_mp4: Path, tmp_path: Path, command: CommandLine
) -> None:
    path = tmp_path / "two.mp4"
    ffmpeg("-i", in_mp4, "-i", in_mp4, "-map", "0", "-map", "1", "-c", "copy", path)
    outcome = command("inspect", path, "--summary")
    assert outcome.status == 0
    assert "holds 2 video tracks; number 0 is read (hevc" in outcome.err


def test_names_in_a_file_that_are_no_text(in_mp4: Path, tmp_path: Path) -> None:
    named, path = tmp_path / "named.mp4", tmp_path / "bytes.mp4"
    ffmpeg("-i", in_mp4, "-c", "copy", "-metadata", "title=TITLETITLE", named)
    path.write_bytes(named.read_bytes().replace(b"TITLETITLE", b"\xff\xfe\x80\x81TITLE\xff"))
    with open_nal_units(path) as units:
        assert len(list(units)) > 3


def test_what_is_neither(tmp_path: Path) -> None:
    path = tmp_path / "noise.bin"
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(InputError, match=r"no start code .* and no container of one"):
        is_container(path)
    assert not begins_as_byte_stream(io.BytesIO(b"GIF89a").read())


CENC = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76" * 16, "-encryption_kid",
        "a7" * 16)  # fmt: skip


@pytest.mark.parametrize("coder", ["libx265", "libx264"])
def test_encrypted_video_is_told(
    short_clip: Path, tmp_path: Path, command: CommandLine, coder: str
) -> None:
    path = tmp_path / "protected.mp4"
    ffmpeg("-i", short_clip, "-pix_fmt", "yuv420p", "-c:v", coder, *CENC, path)
    says = "protected.mp4: is encrypted"
    for name in ("decode", "encode"):
        output = tmp_path / ("out.mp4" if name == "decode" else "out.266")
        assert_refused(command, name, path, output, folder=tmp_path, says=says)
    outcome = command("inspect", path)
    assert outcome.status == 1
    assert says in outcome.err


def test_parameter_sets_that_may_be_lost_are_told(
    in_mp4: Path, small_stream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs that put containers together keep the sample entry of the first."""

    def fails(*_: object) -> Iterator[Picture]:
        yield from ()
        raise OutputInvalidError("ffmpeg: decoded 4 of 5 coded pictures")

    monkeypatch.setattr("gfvc.decoded_units.decode_base_layer", fails)
    with pytest.raises(StreamError, match=r"4 of 5 .*; where containers .* parameter sets are"):
        decode_all(in_mp4)
    with pytest.raises(StreamError, match=r"decoded 4 of 5 coded pictures$"):
        decode_all(small_stream)


@pytest.mark.parametrize("zeros", [1, 63, 64, 1000])
def test_zero_bytes_may_come_before_mpeg_ts(in_mp4: Path, tmp_path: Path, zeros: int) -> None:
    plain, path = tmp_path / "in.ts", tmp_path / "zeros.ts"
    ffmpeg("-i", in_mp4, "-c", "copy", plain)
    path.write_bytes(bytes(zeros) + plain.read_bytes())
    assert is_container(path)
    with open_nal_units(path) as units, open_nal_units(plain) as expected:
        assert [unit.data for unit in units] == [unit.data for unit in expected]
    with open_nal_units(in_mp4) as units:
        stream = join_annex_b(units)
    path.write_bytes(bytes(zeros + 2) + stream)
    assert not is_container(path)


def test_a_part_without_its_header_is_told_as_that(
    in_mp4: Path, tmp_path: Path, command: CommandLine
) -> None:
    whole, part = tmp_path / "whole.mp4", tmp_path / "part.m4s"
    flags = "+empty_moov+frag_keyframe+default_base_moof"
    ffmpeg("-i", in_mp4, "-c", "copy", "-movflags", flags, whole)
    data = whole.read_bytes()
    start = data.index(b"moof") - 4
    part.write_bytes(box(b"styp", 24) + data[start:])
    says = ["part of a stream (DASH, HLS) without the header", "cat INIT PART > WHOLE.mp4"]
    for name, output in [("decode", "out.mp4"), ("encode", "out.266")]:
        assert_refused(command, name, part, tmp_path / output, folder=tmp_path, says=says)
    whole.write_bytes(data[:start] + part.read_bytes())
    with open_nal_units(whole) as units, open_nal_units(in_mp4) as expected:
        assert [unit.data for unit in units] == [unit.data for unit in expected]
