"""Containers that hand out many times their own bytes are refused, by whatever reads them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from gfvc import media_packets
from gfvc.errors import InputError
from gfvc.media_files import VIDEO_FORMATS, open_media
from gfvc.media_packets import packets_of
from gfvc.stream.containers import annex_b_packets, coded_track
from gfvc.stream.last_sample import last_sample_is_whole
from gfvc.stream.nal_source import open_nal_units
from gfvc.video.brightness import is_bright
from gfvc.video.frames import decoded_frames
from gfvc.video.sound import SoundLength, SoundTrack, check_sound
from tests.gfvc.support import CommandLine, assert_refused, ffmpeg, no_notes
from tests.golden.files import STREAMS

STREAM = STREAMS / "hevc_fallback_always.265"
# What a sample is filled with, and how many there are: some 30 MB of 100 kB.
FILLING, SAMPLES = 100_000, 300
FILLER = bytes([38 << 1, 1]) + b"\xff" * FILLING + b"\x80"
REFUSED = r"in\.\w+: has \d+ bytes, and its packets come to \d+ by number \d+, at .* s: "

PARENTS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}


def boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 0
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        found.append((kind, data[place + 8 : place + size]))
        place += size
    return found


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def repeating(path: Path, track: bytes, filling: bytes, samples: int = SAMPLES) -> Path:
    """An MP4 file whose track of a kind (vide, soun) has its first sample again and again."""
    data = path.read_bytes()
    *rest, (last, moov) = boxes(data)
    assert last == b"moov"
    start = data.index(b"mdat") + 4
    tracks = [content for kind, content in boxes(moov) if kind == b"trak"]
    chosen = next(content for content in tracks if track in content)
    table = chosen[chosen.index(b"stsz") + 4 :]
    fixed, size = struct.unpack_from(">I4xI", table, 4)
    (offset,) = struct.unpack_from(">I", chosen, chosen.index(b"stco") + 12)
    sample = data[offset : offset + (fixed or size)] + filling
    assert offset >= start
    before = b"".join(box(kind, content) for kind, content in rest)
    place = len(before) + 8
    tables = {
        b"stts": struct.pack(">4I", 0, 1, samples, 512),
        b"stsz": struct.pack(">3I", 0, len(sample), samples),
        b"stsc": struct.pack(">5I", 0, 1, 1, 1, 1),
        b"stco": struct.pack(">2I", 0, samples) + struct.pack(">I", place) * samples,
    }

    def changed(content: bytes, inside: bool) -> bytes:
        made = b""
        for kind, old in boxes(content):
            if kind in PARENTS:
                made += box(kind, changed(old, inside or old is chosen or old == chosen))
            elif inside and kind in tables:
                made += box(kind, tables[kind])
            elif not (inside and kind in {b"stss", b"ctts", b"sgpd", b"sbgp", b"edts"}):
                made += box(kind, old)
        return made

    path.write_bytes(before + box(b"mdat", sample) + box(b"moov", changed(moov, False)))
    return path


def element(name: str, *content: bytes | int) -> bytes:
    """An element of Matroska."""
    data = b"".join(bytes([part]) if isinstance(part, int) else part for part in content)
    return bytes.fromhex(name) + struct.pack(">Q", len(data) | 1 << 56) + data


def compressed(source: Path, path: Path, blocks: int) -> Path:
    """A Matroska file of the first picture, as often, with filler data, compressed."""
    with av.open(str(source)) as container:
        track = container.streams.video[0]
        sets = bytes(track.codec_context.extradata or b"")
        first = bytes(next(packet for packet in container.demux(track) if packet.size))
    block = zlib.compress(first + struct.pack(">I", len(FILLER)) + FILLER)
    coding = element(
        "6D80", element("6240", element("5031", 0), element("5034", element("4254", 0)))
    )
    entry = element(
        "AE",
        *(element("D7", 1), element("73C5", 1), element("83", 1)),
        *(element("86", b"V_MPEGH/ISO/HEVC"), element("63A2", sets), coding),
        element("E0", element("B0", b"\1\0"), element("BA", b"\1\0")),
    )
    clusters = b"".join(
        element(
            "1F43B675",
            element("E7", struct.pack(">I", number * 40)),
            element("A3", b"\x81\0\0\x80", block),
        )
        for number in range(blocks)
    )
    head = element("1A45DFA3", element("4282", b"matroska"), element("4287", 4), element("4285", 2))
    tracks = element("1654AE6B", entry)
    path.write_bytes(head + element("18538067", tracks, clusters))
    return path


def read_units(path: Path) -> None:
    with open_nal_units(path) as units:
        for _ in units:
            pass


def read_frames(path: Path) -> None:
    for _ in decoded_frames(path, no_notes):
        pass


READERS: list[Callable[[Path], object]] = [
    read_units,
    read_frames,
    last_sample_is_whole,
    is_bright,
]


@pytest.fixture(params=["samples", "compressed"])
def bomb(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "in.mp4"
    ffmpeg("-i", STREAM, "-c", "copy", "-frames:v", "1", path)
    if request.param == "compressed":
        return compressed(path, tmp_path / "in.mkv", SAMPLES)
    return repeating(path, b"vide", struct.pack(">I", len(FILLER)) + FILLER)


@pytest.mark.parametrize("read", READERS)
def test_pictures(bomb: Path, read: Callable[[Path], object]) -> None:
    assert bomb.stat().st_size < 4 * FILLING
    with pytest.raises(InputError, match=REFUSED):
        read(bomb)


@pytest.mark.parametrize("name", ["inspect", "decode"])
def test_commands(bomb: Path, tmp_path: Path, command: CommandLine, name: str) -> None:
    output = [tmp_path / "out.mp4"] if name == "decode" else []
    says = ["packets come to", "ffmpeg -i IN -c copy OUT"]
    assert_refused(command, name, bomb, *output, folder=tmp_path, says=says)


def test_sound(tmp_path: Path) -> None:
    path = tmp_path / "in.mp4"
    sine = ("-f", "lavfi", "-i", "sine=duration=1")
    ffmpeg("-i", STREAM, *sine, "-c:v", "copy", "-c:a", "aac", path)
    repeating(path, b"soun", bytes(FILLING))
    with pytest.raises(InputError, match=REFUSED):
        SoundLength(path).end  # noqa: B018
    with pytest.raises(InputError, match=REFUSED):
        check_sound(path, "copy")
    with (
        open_media(path, VIDEO_FORMATS) as source,
        av.open(io.BytesIO(), "w", format="mp4") as output,
        pytest.raises(InputError, match=REFUSED),
    ):
        for _ in SoundTrack(path, source, output, "copy").packets():
            pass
    with pytest.raises(InputError, match=REFUSED):
        read_frames(path)


def test_parameter_sets_before_each_picture_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand in the file once, however large, and in the byte stream of it many times."""
    path = tmp_path / "in.mp4"
    ffmpeg("-i", STREAM, "-c", "copy", path)
    with open_media(path, VIDEO_FORMATS) as container:
        total = sum(packet.size for packet in packets_of(path, container))
    monkeypatch.setattr(media_packets, "PACKET_GROWTH", 0)
    monkeypatch.setattr(media_packets, "FREE_PACKET_BYTES", total)
    with open_media(path, VIDEO_FORMATS) as container:
        assert sum(packet.size for packet in packets_of(path, container)) == total
        container.seek(0)
        with pytest.raises(InputError, match=REFUSED):
            for _ in annex_b_packets(path, container, coded_track(path, container)):
                pass


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi", ".flv"])
def test_other_containers_hand_out_their_own_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"in{suffix}"
    sound = ("-f", "lavfi", "-i", "sine=duration=2", "-c:a", "aac", "-shortest")
    tag = ("-tag:v", "HEVC") if suffix == ".avi" else ()
    ffmpeg("-i", STREAM, *sound, "-c:v", "copy", *tag, path)
    monkeypatch.setattr(media_packets, "PACKET_GROWTH", 1)
    monkeypatch.setattr(media_packets, "FREE_PACKET_BYTES", 0)
    read_units(path)
    with open_media(path, VIDEO_FORMATS) as container:
        assert sum(1 for _ in packets_of(path, container))
