"""Damage within a video, which its decoder conceals: told with its place, and only where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path

import av
import pytest

from gfvc import InputError
from gfvc.bench.source_video import prepare_reference
from gfvc.options.encoding import SourceOptions
from gfvc.video.damage import Damage
from gfvc.video.file_end import ends_amid_packet
from gfvc.video.frames import decoded_frames
from tests.gfvc.support import ffmpeg, no_notes

TS_PACKET = 188


def made(path: Path, *coding: str) -> Path:
    """Thirty pictures at 25 a second."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=1.2", "-pix_fmt", "yuv420p", *coding,
           path)  # fmt: skip
    return path


def without(path: Path, *numbers: int, size: int = 1) -> Path:
    """A transport stream that lost some bytes of the middle of those of its video packets."""
    with av.open(str(path)) as container:
        places = [p.pos or 0 for p in container.demux(video=0) if p.size]
    data = path.read_bytes()
    for number in sorted(numbers, reverse=True):
        at = places[number] + TS_PACKET
        data = data[:at] + data[at + size * TS_PACKET :]
    lossy = path.with_stem("lossy")
    lossy.write_bytes(data)
    return lossy


def told(path: Path, pictures: int | None = None) -> list[str]:
    notes: list[str] = []
    frames = decoded_frames(path, notes.append)
    count = len(list(islice(frames, pictures)))
    frames.close()
    assert count
    assert all(note.startswith(f"{path}: ") for note in notes)
    return [note.removeprefix(f"{path}: ") for note in notes]


TORN = "may be torn, up to the next one that refers to none before it"


@pytest.mark.parametrize(
    "coding",
    [
        ("-c:v", "libx264", "-bf", "0", "-qp", "8"),
        ("-c:v", "libx265", "-x265-params", "log-level=0:bframes=0:qp=8"),
        ("-c:v", "mpeg2video", "-q:v", "2"),
    ],
    ids=["h264", "hevc", "mpeg2"],
)
def test_packets_that_a_transport_stream_lost_are_told(
    coding: tuple[str, ...], tmp_path: Path
) -> None:
    path = made(tmp_path / "clip.ts", *coding)
    assert told(path) == []
    assert told(without(path, 10)) == [f"damaged at about 0.36 s: pictures from there on {TORN}"]
    # Of a part that is read, what is in it.
    assert told(without(path, 10), 15) == [
        f"damaged at about 0.36 s: pictures from there on {TORN}"
    ]
    assert told(without(path, 10), 5) == []
    assert told(without(path, 10, 25)) == [
        f"damaged in 2 places, first at about 0.36 s: pictures from each on {TORN}"
    ]


@pytest.mark.parametrize("lasting", [(b"", b""), (b"time", b""), (b"", bytes(16))])
@pytest.mark.parametrize(
    "coding",
    [
        ("-c:v", "libx264", "-qp", "8"),
        ("-c:v", "libx265", "-x265-params", "log-level=0:bframes=0:qp=8"),
        ("-c:v", "mpeg2video", "-q:v", "2", "-g", "8"),
    ],
    ids=["h264", "hevc", "mpeg2"],
)
def test_whole_transport_streams_that_are_joined_are_not_damaged(
    coding: tuple[str, ...], lasting: tuple[bytes, bytes], tmp_path: Path
) -> None:
    """Their packets are counted anew; where the end of the first is missing, that is told."""
    first = made(tmp_path / "first.ts", *coding)
    second = tmp_path / "second.ts"
    ffmpeg("-i", first, "-c", "copy", "-output_ts_offset", "1.2", second)
    packets = [
        [path.read_bytes()[at : at + TS_PACKET] for at in range(0, path.stat().st_size, TS_PACKET)]
        for path in (first, second)
    ]
    before, behind = lasting
    path = tmp_path / "joined.ts"

    def told_of(*parts: list[bytes]) -> list[str]:
        path.write_bytes(b"".join(before + one + behind for part in parts for one in part))
        return told(path)

    whole, further = packets
    assert told_of(whole, further) == []
    # Without the end of the last picture, and with a loss in the second file.
    (note,) = told_of(whole[:-1], further)
    assert note.startswith("damaged at about 1.")
    (note,) = told_of(whole, further[:40], further[41:])
    assert note.startswith("damaged at about 1.")


def test_a_transport_stream_goes_on_behind_bytes_that_make_no_sense(tmp_path: Path) -> None:
    path = made(tmp_path / "clip.ts", "-c:v", "libx264", "-bf", "0", "-qp", "0", "-g", "10")
    data = path.read_bytes()
    middle = len(data) // 2 // TS_PACKET * TS_PACKET
    # Passed over in several steps, at which libavformat may lose a packet.
    for missing, other in ((0, bytes(3000)), (0, bytes(300_000)), (70_000, bytes(70_000))):
        path.write_bytes(data[:middle] + other + data[middle + missing :])
        notes = told(path)
        assert len(notes) == (len(other) > 3000)
        assert all(note.startswith("damaged at about 0.") for note in notes)
        pictures = len(list(decoded_frames(path, lambda _: None)))
        assert 10 <= pictures < 30 if missing else pictures == 30


@pytest.mark.parametrize(
    ("codecs", "names"),
    [
        (("libx264", "libx265"), ("h264", "hevc")),
        (("libx264", "mpeg2video"), ("h264", "mpeg2video")),
        # The second of which its decoder takes half of the pictures.
        (("mpeg2video", "libx264"), ("mpeg2video", "h264")),
    ],
)
def test_another_codec_in_the_middle_is_no_damage(
    codecs: tuple[str, str], names: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "joined.ts"
    parts = []
    for number, codec in enumerate(codecs):
        quiet = ("-x265-params", "log-level=0") if codec == "libx265" else ()
        shift = ("-output_ts_offset", str(1.2 * number))
        parts.append(made(tmp_path / "part.ts", "-c:v", codec, *quiet, *shift).read_bytes())
    path.write_bytes(b"".join(parts))
    says = f"joined.ts: its codec changes from {names[0]} to {names[1]} after picture .*; convert"
    with pytest.raises(InputError, match=says):
        told(path)


def test_pictures_that_a_decoder_conceals_are_told(tmp_path: Path) -> None:
    """Of containers that do not tell; MJPEG in one thread, at all packets."""
    for name, *coding in (
        ("clip.avi", "-c:v", "mjpeg", "-q:v", "2"),
        ("clip.m4v", "-c:v", "mpeg4", "-q:v", "2", "-f", "mp4"),
    ):
        path = made(tmp_path / name, *coding)
        assert told(path) == []
        with av.open(str(path)) as container:
            packet = [p for p in container.demux(video=0) if p.size][15]
        data = bytearray(path.read_bytes())
        assert packet.pos is not None
        middle = packet.pos + packet.size // 2
        data[middle : middle + 80] = bytes(range(7, 247, 3))
        path.write_bytes(data)
        assert told(path) == [f"damaged at about 0.60 s: pictures from there on {TORN}"]
        assert len(list(decoded_frames(path, lambda _: None))) == 30


@pytest.mark.parametrize(
    "coding",
    [
        ("-c:v", "libx264", "-g", "8", "-bf", "3", "-x264-params", "open-gop=1"),
        ("-c:v", "libx265", "-x265-params", "log-level=0:keyint=8:open-gop=1"),
        ("-c:v", "mpeg2video", "-g", "8", "-bf", "2"),
    ],
    ids=["h264", "hevc", "mpeg2"],
)
def test_a_recording_that_begins_anywhere_is_not_damaged(
    coding: tuple[str, ...], tmp_path: Path
) -> None:
    data = made(tmp_path / "clip.ts", *coding).read_bytes()
    for share in (0.1, 0.23):
        path = tmp_path / "cut.ts"
        path.write_bytes(data[int(share * len(data)) :])
        for note in told(path):
            assert "of pictures at its start cannot be decoded" in note


def test_a_benchmark_tells_of_its_clips(short_clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "clip.ts"
    ffmpeg("-i", short_clip, "-c:v", "libx264", "-bf", "0", "-qp", "8", "-pix_fmt", "yuv420p", path)
    outputs = tmp_path / "lossless.mkv", tmp_path / "shown.mp4"
    for seconds, expected in ((None, ["0.16"]), (0.32, ["0.16"]), (0.12, [])):
        notes: list[str] = []
        source = SourceOptions(view="face", size=128)
        prepare_reference(without(path, 5), *outputs, source, seconds, notes.append)
        assert [note.split("damaged at about ")[1][:4] for note in notes] == expected
    prepare_reference(path, *outputs, source, None, no_notes)


CUT = "its last picture, as a recording that was broken off or still goes on; that picture is left"


@pytest.mark.parametrize(
    ("coding", "end"),
    [
        (("-c:v", "libx264", "-qp", "8"), "is damaged in"),
        (("-c:v", "mpeg2video", "-q:v", "2"), "is damaged in"),
        # Its decoder does not tell.
        (("-c:v", "libx265", "-x265-params", "log-level=0:qp=8"), "is cut off amid"),
    ],
    ids=["h264", "mpeg2", "hevc"],
)
def test_a_last_picture_that_was_cut_off_is_left_out(
    coding: tuple[str, ...], end: str, tmp_path: Path
) -> None:
    path = made(tmp_path / "clip.ts", *coding)
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    data = path.read_bytes()
    for number in (11, 12, 13, 14, 29):
        packet = packets[number]
        path.write_bytes(data[: (packet.pos or 0) + packet.size // 2 // TS_PACKET * TS_PACKET + 50])
        before = {p.pts for p in packets[:number]}
        for _ in range(3):
            notes: list[str] = []
            frames = [timed.frame for timed in decoded_frames(path, notes.append)]
            assert {frame.pts for frame in frames} == before
            assert notes == [f"{path}: {end} {CUT} out"]


def test_a_lone_torn_picture_is_kept(tmp_path: Path) -> None:
    path = made(tmp_path / "clip.264", "-c:v", "libx264", "-qp", "8", "-frames:v", "1")
    path.write_bytes(path.read_bytes()[:-3000])
    assert told(path) == [f"damaged at about 0.00 s: pictures from there on {TORN}"]


@dataclass
class Packet:
    """A packet of a transport stream, and the frame that its decoder gives for it."""

    pts: int
    is_corrupt: bool = False
    size: int = 1
    is_discard: bool = False
    pos: int | None = None

    def decode(self) -> list[Frame]:
        return [Frame(self.pts)] if self.size else []


@dataclass
class Frame:
    pts: int
    is_corrupt: bool = False


@pytest.fixture
def damage(tmp_path: Path) -> Iterator[Damage]:
    path = made(tmp_path / "clip.ts", "-c:v", "mpeg2video")
    with av.open(str(path)) as container:
        yield Damage(path, container, container.streams.video[0])


def test_packets_of_one_time_stamp_do_not_gather(damage: Damage) -> None:
    counts = [len(damage.decode(Packet(5, is_corrupt=number == 3))) for number in range(200)]
    given = list(accumulate(counts))
    assert all(number <= count + 1 for number, count in enumerate(given, 1))
    assert sum(counts) + len(damage.decode(Packet(5, size=0))) == 199  # a torn one comes last


def test_marks_of_pictures_that_do_not_come_are_bounded(damage: Damage) -> None:
    """Those beyond count at the next picture, so that all damage is told."""
    far = 10**9
    for number in range(5000):
        damage.decode(Packet(far + number, is_corrupt=True))
    assert len(damage._marked) <= 1000
    notes: list[str] = []
    damage.see(Frame(0), 0.0)  # type: ignore[arg-type]
    damage.see(Frame(1), 1.0)  # type: ignore[arg-type]
    damage.decode(Packet(2, is_corrupt=True))
    damage.see(Frame(2), 2.0)  # type: ignore[arg-type]
    damage.tell(notes.append)
    assert len(notes) == 1
    assert "damaged in 2 places, first at about 0.00 s" in notes[0]


def test_where_transport_streams_end_amid_a_packet(tmp_path: Path) -> None:
    path = made(tmp_path / "clip.ts", "-c:v", "mpeg2video")
    data = path.read_bytes()
    packets = [data[at : at + TS_PACKET] for at in range(0, len(data), TS_PACKET)]
    for before, behind, zeros in ((b"", b"", b""), (b"time", b"", b""), (b"", bytes(16), bytes(9))):
        whole = zeros + b"".join(before + packet + behind for packet in packets)
        path.write_bytes(whole)
        assert not ends_amid_packet(path)
        for missing in (1, 100, 187):
            path.write_bytes(whole[:-missing])
            assert ends_amid_packet(path)
        path.write_bytes(whole + b"other bytes")
        assert not ends_amid_packet(path)
    path.write_bytes(bytes(9000))
    assert not ends_amid_packet(path)
