"""Streams in MP4 (ISO/IEC 14496-15), and out of the containers that libavformat knows.

A coded picture's access unit is a sample, with all face messages that belong to it, shown until
the next coded picture: a player without gfvc shows a slide show of coded pictures in true time.
Where pictures are coded in another order than they are shown in, samples have composition times,
and an edit list starts the track with the first picture.
The sample entry is hvc1 or vvc1, or hev1 or vvi1 where parameter sets change in the stream and so
must stand in the samples. Only what the sample entry holds is taken out of samples: video, sequence
and picture parameter sets; adaptation parameter sets (VVC) come with the pictures that use them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from base_codec_adapters.byte_stream import Codec as BaseCodec
from base_codec_adapters.picture_order import output_places
from gfvc.errors import InputError, OutputError, let_deadline_by
from gfvc.media_files import (
    STREAM_FORMATS,
    VIDEO_FORMATS,
    media_errors,
    open_media,
    refuse_encrypted,
)
from gfvc.media_files import reason as reason_of
from gfvc.media_packets import PacketBudget, demuxed
from gfvc.telling import Notes, unheard
from gfvc.video.behind import refuse_joined
from gfvc.video.sound import SoundCoding, SoundTrack
from sei import Codec, NalUnit, irap_delimiter, join_annex_b, split_annex_b

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_FORMATS = {"vvc": "vvc", "hevc": "hevc"}
_SAMPLE_ENTRIES = {"vvc": "vvc1", "hevc": "hvc1"}
_SAMPLE_ENTRIES_WITH_SETS = {"vvc": "vvi1", "hevc": "hev1"}
_CODECS = {"vvc": Codec.VVC, "hevc": Codec.HEVC, "h264": Codec.AVC}
_BASE_CODECS: dict[str, BaseCodec] = {"vvc": "vvc", "hevc": "hevc"}
_FILTERS = {"vvc": "vvc_mp4toannexb", "hevc": "hevc_mp4toannexb", "h264": "h264_mp4toannexb"}

# Containers that do not tell when pictures are shown.
WITH_DECODING_TIMES = {"avi"}

BIT_EXACT = {"fflags": "+bitexact"}
"""Options of a container: the same input gives the same file, no dates, no random identifiers."""

# Video, sequence and picture parameter sets.
_PARAMETER_SETS = {Codec.VVC: range(14, 17), Codec.HEVC: range(32, 35)}

# A NAL unit of so many bytes follows 00 00 01 xx in a sample. Where the first sample begins so,
# ffmpeg takes all for a byte stream: what it copies to one (-c copy OUT.265) is none.
_LIKE_A_START_CODE = range(0x100, 0x200)

# Pack header and sequence header; the first bit of a NAL unit is 0.
_OF_MPEG = {
    b"\1\xba": "an MPEG program stream, which is read from a whole file alone",
    b"\1\xb3": "MPEG-1 or MPEG-2 video",
}

_MOST_ZEROS = 2**20

HEAD_BYTES = 64
"""Bytes from the start of a file that `begins_as_byte_stream` wants to see."""


def begins_as_byte_stream(head: bytes) -> bool:
    """Whether a file's first bytes are zeros and a start code, as in Annex B, or no more than that.

    A start code of MPEG-1 and MPEG-2, whose next bit is forbidden in NAL units, does not count.
    Boxes of MP4 may begin so too, in their size: what looks like the name of a box after it does
    not count.
    """
    after_zeros = head.lstrip(b"\0")
    zeros = len(head) - len(after_zeros)
    if not after_zeros:
        return True
    is_box = len(head) >= 8 and head[4:8].isascii() and head[4:8].decode().isprintable()
    is_forbidden = len(after_zeros) > 1 and after_zeros[1] & 0x80
    return zeros >= 2 and after_zeros[0] == 1 and not is_box and not is_forbidden


def refuse_mpeg(source: str | Path, head: bytes) -> None:
    """Raise `InputError` where what is no container begins with a start code of MPEG-1 or MPEG-2.

    Others with that bit set may be damaged NAL units.
    """
    kind = _OF_MPEG.get(head.lstrip(b"\0")[:2])
    if kind is not None:
        raise InputError(f"{source}: is {kind}, not a VVC, HEVC or H.264 byte stream")


def refuse_container(source: str | Path, head: bytes) -> None:
    """Raise `InputError` for a pipe that begins with no start code, as of a container."""
    if not begins_as_byte_stream(head) and head.lstrip(b"\0")[:1] != b"\1":
        raise InputError(
            f"{source}: no start code 00 00 01 as at the start of a byte stream; a container "
            "(MP4, Matroska, MPEG-TS) is read from a file alone, so name the file"
        )


def open_container(path: Path, head: bytes) -> InputContainer | None:
    """Open a container by what libavformat says it is; None for a byte stream (Annex B).

    `head` are the first `HEAD_BYTES` of the file. Raises `InputError` when it is neither, or a
    container that is damaged or of another kind than `STREAM_FORMATS`, or several joined byte by
    byte, of which only the first would be read.
    """
    if begins_as_byte_stream(head if head.strip(b"\0") else _after_zeros(path)):
        return None
    try:
        container = open_media(path, STREAM_FORMATS, follow_edits=False)
    except InputError as error:
        if head.startswith((b"\0\0\1", b"\0\0\0\1")):
            refuse_mpeg(path, head)
            return None
        text = str(error).removeprefix(f"{path}: ")
        raise InputError(
            f"{path}: no start code 00 00 01 as at the start of a byte stream, and no container "
            f"of one: {text}"
        ) from None
    try:
        refuse_joined(path, container)
    except BaseException:  # whatever ends it, as a deadline
        container.close()
        raise
    return container


def _after_zeros(path: Path) -> bytes:
    """How a file of many zero bytes goes on, after some of them; MPEG-TS may begin so."""
    try:
        with path.open("rb") as file:
            seen = file.read(_MOST_ZEROS).lstrip(b"\0")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({reason_of(error)})") from None
    return bytes(HEAD_BYTES) + seen[:HEAD_BYTES]


def open_file_as_container(path: Path) -> InputContainer | None:
    """`open_container` of a file of which nothing was read yet.

    Raises `InputError` as that does, and when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        let_deadline_by(error)
        raise InputError(f"{path}: cannot be read ({reason_of(error)})") from error
    return open_container(path, head)


def is_container(path: Path) -> bool:
    """Whether a file is a container by what libavformat says, be it a damaged one.

    Raises `InputError` when it is neither that nor a byte stream, or cannot be read.
    """
    container = open_file_as_container(path)
    if container is None:
        return False
    container.close()
    return True


def write_mp4(
    output: Path,
    access_units: Sequence[Sequence[NalUnit]],
    pictures: Sequence[int],
    rate: Fraction,
    audio_source: Path | None = None,
    coding: SoundCoding = "copy",
) -> None:
    """Write access units as samples of an MP4 file.

    `pictures` says how many output pictures each stands for, which is its duration at `rate`
    pictures per second; they are shown in the order of their picture order counts. The sound of
    `audio_source`, a video file, goes with them as `coding` says. Raises `OutputError` when the
    file cannot be written, `InputError` for damaged sound, `BaseCodecError` where the order of
    pictures cannot be read.
    """
    codec = access_units[0][0].codec.value
    places = output_places(_joined(access_units), _BASE_CODECS[codec])
    times = sample_times(places, pictures, [_is_entry(units) for units in access_units])
    write_samples(output, access_units, times, 1 / rate, audio_source, coding)


def write_samples(
    output: Path,
    access_units: Sequence[Sequence[NalUnit]],
    times: Sequence[SampleTimes],
    time_base: Fraction,
    audio_source: Path | None = None,
    coding: SoundCoding = "copy",
    start: Fraction | None = None,
) -> None:
    """Write access units as samples of an MP4 file, at times in units of `time_base` seconds.

    The sound of `audio_source` goes with them; `start` is when its first picture is shown, what
    players make of it unless that is given. Raises `OutputError` when the file cannot be written,
    `InputError` for damaged sound.
    """
    import av

    codec = access_units[0][0].codec.value
    sets_change = _parameter_sets_change(access_units)
    entries = _SAMPLE_ENTRIES_WITH_SETS if sets_change else _SAMPLE_ENTRIES
    try:
        with av.open(str(output), "w", format="mp4", options=BIT_EXACT) as container:
            with _elementary(_tightly_joined(access_units[0]), codec) as template:
                stream: Any = container.add_stream_from_template(
                    template.streams.video[0], opaque=True
                )
                entry = template.streams.video[0].codec_context.extradata or b""
            stream.codec_context.codec_tag = entries[codec]
            stream.time_base = time_base
            samples = _samples(access_units, b"" if sets_change else entry)
            packets = _video_packets(stream, samples, times, time_base)
            with contextlib.ExitStack() as stack:
                if audio_source is not None:
                    follows = start is None
                    source = stack.enter_context(
                        open_media(audio_source, VIDEO_FORMATS, follow_edits=follows)
                    )
                    track = SoundTrack(audio_source, source, container, coding, start)
                    track.write(packets)
                else:
                    for packet in packets:
                        container.mux(packet)
    except (av.FFmpegError, OSError, ValueError) as error:
        let_deadline_by(error)
        raise OutputError(f"{output}: cannot be written ({reason_of(error)})") from error


def _tightly_joined(units: Sequence[NalUnit]) -> bytes:
    """A byte stream of NAL units with as few zero bytes as can be.

    libavformat counts those before the start code of 00 00 01 to the NAL unit before, and sample
    entries would hold parameter sets that grow by one each time.
    """
    return b"\0" + b"".join(b"\0\0\1" + unit.data for unit in units)


def _elementary(data: bytes, codec: str) -> InputContainer:
    import io

    import av

    return av.open(io.BytesIO(data), "r", format=_FORMATS[codec])


@dataclass(frozen=True, slots=True)
class _Sample:
    data: bytes
    is_entry: bool  # decoding can start here


def _parameter_sets(units: Sequence[NalUnit]) -> frozenset[bytes]:
    return frozenset(u.data for u in units if u.nal_unit_type in _PARAMETER_SETS[u.codec])


def _parameter_sets_change(access_units: Sequence[Sequence[NalUnit]]) -> bool:
    """Whether there are other parameter sets than those of the first access unit."""
    first = _parameter_sets(access_units[0])
    return any(not _parameter_sets(units) <= first for units in access_units)


def _is_entry(access_unit: Sequence[NalUnit]) -> bool:
    """Whether decoding can start at an access unit."""
    return any(unit.is_irap for unit in access_unit)


def _samples(access_units: Sequence[Sequence[NalUnit]], entry: bytes) -> list[_Sample]:
    """Access units, without the parameter sets that the sample entry holds.

    `entry` is what the sample entry is made of, a byte stream, or nothing where all stay.
    """
    held = _parameter_sets(list(split_annex_b(entry, access_units[0][0].codec)))
    samples = []
    for units in access_units:
        is_entry = _is_entry(units)
        kept = [unit for unit in units if unit.data not in held]
        if is_entry and len(kept[0].data) in _LIKE_A_START_CODE:
            kept.insert(0, irap_delimiter(kept[0].codec))
        samples.append(_Sample(join_annex_b(kept), is_entry))
    return samples


@dataclass(frozen=True, slots=True)
class SampleTimes:
    """When a sample is decoded, when it is shown, and for how long, in pictures or other units."""

    decoded: int
    shown: int
    duration: int


def sample_times(
    places: Sequence[int], pictures: Sequence[int], entries: Sequence[bool]
) -> list[SampleTimes]:
    """Times of samples that stand for so many output pictures each.

    `places` are theirs in output order; `entries` says where decoding can start, with which the
    first sample begins. The first picture is shown at 0. Samples are decoded in their order, a
    picture apart at least, each as late as lets none be shown before it is decoded: from 0 on,
    where decoding order is output order. Where decoding can start, that is so many pictures before
    it is shown as at the first sample, since players find a time by decoding times of such samples
    and take that difference for granted.
    """
    in_order = sorted(range(len(places)), key=places.__getitem__)
    starts = [0, *accumulate(pictures[number] for number in in_order)]
    shown = [starts[place] for place in places]
    return list(map(SampleTimes, decoding_times(shown, entries), shown, pictures))


def decoding_times(shown: Sequence[int], entries: Sequence[bool]) -> list[int]:
    """Times of decoding, as of `sample_times`, of samples that are shown at some times."""
    latest = _in_order(shown)
    ahead = max(time - at for time, at, entry in zip(shown, latest, entries, strict=True) if entry)
    return _in_order([time - ahead * entry for time, entry in zip(shown, entries, strict=True)])


def _in_order(bounds: Sequence[int]) -> list[int]:
    """The latest times that grow by 1 at least, each at most its bound."""
    return list(accumulate(reversed(bounds), lambda later, bound: min(later - 1, bound)))[::-1]


def _joined(access_units: Sequence[Sequence[NalUnit]]) -> bytes:
    return b"".join(map(join_annex_b, access_units))


def _video_packets(
    stream: Any, samples: Sequence[_Sample], times: Sequence[SampleTimes], time_base: Fraction
) -> Iterator[Any]:
    import av

    for sample, time in zip(samples, times, strict=True):
        packet = av.Packet(sample.data)
        packet.stream = stream
        packet.time_base = time_base
        packet.pts, packet.dts = time.shown, time.decoded
        packet.duration = time.duration
        packet.is_keyframe = sample.is_entry
        yield packet


def read_opened(path: Path, container: InputContainer, notes: Notes) -> Iterator[NalUnit]:
    """NAL units of the `coded_track`; offsets are those of the byte stream it stands for.

    Parameter sets that the file keeps apart come first. Raises `InputError` when the file is
    damaged or holds no VVC, HEVC or H.264 video.
    """
    yield from nal_units_of(path, container, coded_track(path, container, notes))


def nal_units_of(path: Path, container: InputContainer, stream: VideoStream) -> Iterator[NalUnit]:
    """NAL units of a track of VVC, HEVC or H.264; raises as `read_opened`."""
    name = stream.codec_context.name
    yield from split_annex_b(
        cast("BinaryIO", _AnnexBReader(path, container, stream)), _CODECS[name]
    )


def coded_track(path: Path, container: InputContainer, notes: Notes = unheard) -> VideoStream:
    """The first VVC or HEVC track of a container, or else of H.264; covers are none.

    `notes` is told which it is where there are several. Raises `InputError` where there is none.
    """
    from av.stream import Disposition

    tracks: list[VideoStream] = []
    for stream in container.streams.video:
        # There is none where the library does not know the codec at all.
        context: Any = stream.codec_context
        if context is None or stream.disposition & Disposition.attached_pic:
            continue
        if context.name in _CODECS:
            tracks.append(stream)
    if not tracks:
        raise InputError(f"{path}: holds no VVC, HEVC or H.264 video, or does not say so")
    chosen = next((track for track in tracks if track.codec_context.name in _FORMATS), tracks[0])
    if len(tracks) > 1:
        context = chosen.codec_context
        notes(
            f"{path}: holds {len(tracks)} video tracks; number {chosen.index} is read "
            f"({context.name}, {context.width}x{context.height}), the others are left out"
        )
    return chosen


def annex_b_packets(
    path: Path, container: InputContainer, stream: VideoStream
) -> Iterator[tuple[int | None, bytes]]:
    """The packets of a track of VVC, HEVC or H.264 as pieces of a byte stream.

    With each goes the time that it is shown at, in the time base of the track, where it has one;
    from containers that tell when pictures are decoded alone, that time. Raises `InputError` when
    the file is damaged.
    """
    from av.bitstream import BitStreamFilterContext

    # The times of showing that libavformat makes up for these are those of the next picture.
    is_decoding_time = container.format.name in WITH_DECODING_TIMES
    with media_errors(str(path)):
        as_annex_b = BitStreamFilterContext(_FILTERS[stream.codec_context.name], stream)
        packets = demuxed(container, stream)
    budget = PacketBudget(path)
    while True:
        with media_errors(str(path)):
            packet = next(packets, None)
            if packet is None:
                return
            refuse_encrypted(path, packet)
            budget.take(packet)
            size = packet.size  # the filter takes the content
            given = packet if size else None
            time = packet.dts if is_decoding_time else packet.pts
            data = b"".join(bytes(part) for part in as_annex_b.filter(given))
        # Parameter sets were put before pictures, however large they are.
        budget.add(max(0, len(data) - size))
        if data:
            yield time, data
        if given is None:
            return


class _AnnexBReader:
    """Gives a video track as a byte stream, piece by piece."""

    def __init__(self, path: Path, container: InputContainer, stream: VideoStream) -> None:
        self._packets = annex_b_packets(path, container, stream)
        self._buffer = b""

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        if not self._buffer:
            _, self._buffer = next(self._packets, (None, b""))
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data
