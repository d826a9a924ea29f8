"""Sound that is copied from files that do not play from end to end."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av
import pytest

from gfvc.errors import InputError
from gfvc.media_files import VIDEO_FORMATS, open_media
from gfvc.video.sound import SoundTrack, check_sound, is_heard
from gfvc.video.sound_parts import adjoining_packets
from tests.gfvc.support import ffmpeg, no_notes, set_edits

NOISE = ("-f", "lavfi", "-i", "anoisesrc=d=1.2:r=48000:a=.5:seed=1")
RATE = 48000


def clip(path: Path, *coding: str) -> Path:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=1.2", *NOISE, "-c:v", "libx264",
           "-bf", "0", "-movie_timescale", "1000", *coding, path)  # fmt: skip
    return path


def packets(path: Path, *, follow_edits: bool = True) -> list[tuple[float, bytes]]:
    with open_media(path, VIDEO_FORMATS, follow_edits=follow_edits) as container:
        found = [p for p in container.demux(audio=0) if p.size]
        return [(float((p.pts or 0) * p.time_base), bytes(p)) for p in found]


def copied(path: Path) -> list[tuple[float, bytes]]:
    with (
        open_media(path, VIDEO_FORMATS) as source,
        av.open(io.BytesIO(), "w", format="mp4") as output,
    ):
        found = list(SoundTrack(path, source, output, "copy").packets())
        return [(float(p.pts * p.time_base), bytes(p)) for p in found]


CODINGS = [
    ("mp4", 1024, ("-c:a", "aac")),
    ("mp4", 960, ("-c:a", "libopus")),
    ("mp4", 1536, ("-c:a", "ac3")),
    ("mp4", 1152, ("-c:a", "libmp3lame")),
    ("mov", 1024, ("-c:a", "pcm_s16le")),
]
CUTS = [
    [(0.0, 0.3), (0.8, 0.3)],
    [(0.8, 0.3), (0.1, 0.4), (0.58, 0.2)],
    [(0.51, 0.3)],
]


@pytest.mark.parametrize(("suffix", "frame", "coding"), CODINGS)
@pytest.mark.parametrize("cuts", CUTS)
def test_what_an_edit_list_hides_is_not_copied(
    tmp_path: Path,
    suffix: str,
    frame: int,
    coding: tuple[str, ...],
    cuts: list[tuple[float, float]],
) -> None:
    path = clip(tmp_path / f"clip.{suffix}", *coding)
    whole = packets(path, follow_edits=False)
    first = next(time for time, data in packets(path) if data == whole[0][1])
    whole = [(time - whole[0][0] + first, data) for time, data in whole]
    primed = round(-first * RATE)
    for track in (0, 1):
        tick = (12800, RATE)[track]
        parts = [
            (round(lasts * 1000), round(start * tick) + primed * track, 1) for start, lasts in cuts
        ]
        set_edits(path, parts, track=track)
    check_sound(path, "copy")
    starts = [sum(lasts for _, lasts in cuts[:number]) for number in range(len(cuts))]
    a_packet = frame / RATE + 0.001
    heard = []
    for time, data in copied(path):
        was = next(when for when, same in whole if same == data)
        # In step, and of the part that is shown, but for a packet at its ends.
        start, lasts = next(
            cut
            for at, cut in zip(starts, cuts, strict=True)
            if abs(time - at - (was - cut[0])) <= a_packet
            and -a_packet <= max(time, 0) - at <= cut[1] + a_packet
        )
        if time >= 0:
            assert start - a_packet <= was <= start + lasts
            heard.append(time)
        else:
            assert start - 0.1 - a_packet <= was <= start
    assert heard[-1] + a_packet == pytest.approx(sum(lasts for _, lasts in cuts), abs=2 * a_packet)
    steps = [after - before for before, after in pairwise(heard)]
    assert min(steps) > 0.4 * frame / RATE or suffix == "mov"
    assert max(steps) < 2.1 * frame / RATE


def test_no_more_before_the_first_part_than_a_decoder_wants(tmp_path: Path) -> None:
    path = clip(tmp_path / "clip.mp4", "-c:a", "aac")
    for track in (0, 1):
        set_edits(path, [(300, (12800, RATE)[track] // 2, 1)], track=track)
    assert [time < 0 for time, _ in copied(path)].count(True) == 2 + 1
    # What would be heard is not copied at all.
    set_edits(path, [(300, -1, 1), (300, RATE // 2, 1)], track=1)
    assert copied(path)[0][0] == pytest.approx(0.3, abs=1024 / RATE)


class Packet(NamedTuple):
    """What is asked of a packet, in milliseconds."""

    dts: int
    duration: int
    time_base: Fraction = Fraction(1, 1000)


class Coding(NamedTuple):
    """What is asked of a decoder, which tells how long packets are where it knows."""

    name: str
    frame_size: int
    rate: int = RATE


STEADY = [Packet(round(number * 64 / 3), 21) for number in range(20)]
PACKETS = [
    # At 0.2 s the last packet that ends before; it and those before it are there, or not.
    ("aac", 1024, STEADY, [85, 107, 128, 149, 171, 192]),
    ("aac", 1024, STEADY[:9] + STEADY[10:], [213]),
    ("aac", 1024, STEADY[:7] + STEADY[8:], [171, 192]),
    ("aac", 1024, STEADY[:3] + STEADY[10:], [213]),
    # Of MP4, which has a packet last until the next one.
    ("aac", 1024, [Packet(171, 42), *STEADY[10:]], [213]),
    ("opus", 0, [Packet(140, 40), Packet(180, 40), Packet(220, 20), Packet(240, 20)], [220]),
    ("opus", 0, [Packet(160, 20), Packet(180, 20), Packet(200, 20)], [160, 180, 200]),
    # Its packets are of two lengths; in AVI and ASF some do not say.
    ("vorbis", 0, [Packet(170, 20), Packet(190, 3), Packet(193, 20)], [170, 190, 193]),
    ("mp3", 0, [Packet(150, 0), Packet(174, 0), Packet(198, 0), Packet(222, 0)], [150, 174, 198]),
    ("flac", 1024, STEADY, [192]),
    # Several at one time.
    ("aac", 1024, [Packet(number // 3 * 64, 21) for number in range(20)], [128, 128, 128, 192]),
    ("aac", 1024, STEADY[:10], [85]),
]


@pytest.mark.parametrize(("name", "frame", "given", "expected"), PACKETS)
def test_of_sound_before_the_first_picture_only_what_adjoins_is_copied(
    name: str, frame: int, given: list[Packet], expected: list[int]
) -> None:
    """Else players leave out what is to be heard: as much as the gap is long."""
    start = Fraction(1, 5)
    kept = list(adjoining_packets(given, Coding(name, frame), start))
    assert [packet.dts for packet in kept][: len(expected)] == expected
    assert kept[-1] == given[-1]


def test_a_packet_of_priming_that_is_stretched_is_not_copied(tmp_path: Path) -> None:
    """As ffmpeg writes it among fragments, where pictures are coded in another order."""
    whole = clip(tmp_path / "whole.mp4", "-c:a", "aac", "-bf", "2")
    path = tmp_path / "clip.mp4"
    ffmpeg("-i", whole, "-c", "copy", "-movflags", "frag_keyframe+empty_moov", path)
    times = [time for time, _ in packets(path)]
    with open_media(path, VIDEO_FORMATS) as container:
        start = next(container.decode(video=0)).time
    assert start is not None
    assert times[0] < times[1] - 0.05
    assert times[1] == pytest.approx(start, abs=0.001)
    assert [time for time, _ in copied(path)] == pytest.approx([time - start for time in times[1:]])
    # 0.08 s were said to lie before the first picture.
    assert is_heard(path, no_notes)


def test_uncompressed_sound_with_a_gap_is_not_copied(tmp_path: Path) -> None:
    """An MP4 file counts its samples, and has what follows a gap too early."""
    path = clip(tmp_path / "clip.mkv", "-af", "aselect='not(between(t,.3,.5))'",
                "-c:a", "pcm_s16le")  # fmt: skip
    says = r"its sound: has gaps or parts \(at 0\.\d+ s\), of which an MP4 file cannot tell"
    with pytest.raises(InputError, match=says):
        check_sound(path, "copy")
    check_sound(path, "aac")


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_sound_whose_clock_goes_back_is_not_copied(tmp_path: Path, suffix: str) -> None:
    path = clip(tmp_path / f"clip.{suffix}", "-c:a", "aac")
    check_sound(path, "copy")
    path.write_bytes(path.read_bytes() * 2)
    says = r"its sound: its clock goes back from \d\.\d\d s to -?\d\.\d\d s, as in files joined"
    with pytest.raises(InputError, match=says):
        check_sound(path, "copy")
    check_sound(path, "aac")


def test_packets_at_one_time_are_a_sample_apart(tmp_path: Path) -> None:
    """Times in MP4 are rounded to samples, of which MPEG-TS has several ticks."""
    path = clip(tmp_path / "clip.ts", "-c:a", "aac")
    with (
        open_media(path, VIDEO_FORMATS) as source,
        av.open(str(tmp_path / "out.mp4"), "w", format="mp4") as output,
    ):
        track = SoundTrack(path, source, output, "copy")
        demux = source.demux

        def doubled(stream: Any) -> Iterator[Any]:
            last = 0
            for number, packet in enumerate(demux(stream)):
                if number % 3 and packet.dts is not None:
                    packet.dts = packet.pts = last
                last = packet.dts
                yield packet

        class Doubled:
            def __getattr__(self, name: str) -> Any:
                return doubled if name == "demux" else getattr(source, name)

        track._source = Doubled()  # type: ignore[assignment]
        track.write(iter(()))
    times = [time for time, _ in packets(tmp_path / "out.mp4")]
    assert len(times) == len(packets(path))
    assert all(before < after for before, after in pairwise(times))


def test_a_packet_that_mp4_cannot_hold_is_no_fault_of_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = clip(tmp_path / "clip.mkv", "-c:a", "aac")
    with (
        open_media(path, VIDEO_FORMATS) as source,
        av.open(str(tmp_path / "out.mp4"), "w", format="mp4") as output,
    ):
        track = SoundTrack(path, source, output, "copy")

        def backwards(_: object, packet: Any) -> bool:
            packet.dts = packet.pts = -packet.pts
            return True

        monkeypatch.setattr("gfvc.video.sound_parts.CopiedClock.place", backwards)
        with pytest.raises(InputError, match=r"clip\.mkv: an MP4 file cannot hold its sound \("):
            track.write(iter(()))
