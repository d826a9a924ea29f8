"""Streams in MP4 (ISO/IEC 14496-15), and out of MP4, QuickTime and Matroska files.

A key picture's access unit is a sample, with all face messages that belong to it, shown until
the next coded picture: a player without gfvc shows a slide show of key pictures in true time.
The sample entry is hvc1 or vvc1, or hev1 or vvi1 where parameter sets change in the stream and so
must stand in the samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from gfvc.errors import InputError, OutputError
from sei import Codec, NalUnit, join_annex_b, split_annex_b

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer

MP4_SUFFIX = ".mp4"
_FORMATS = {"vvc": "vvc", "hevc": "hevc"}
_SAMPLE_ENTRIES = {"vvc": "vvc1", "hevc": "hvc1"}
_SAMPLE_ENTRIES_WITH_SETS = {"vvc": "vvi1", "hevc": "hev1"}
_CODECS = {"vvc": Codec.VVC, "hevc": Codec.HEVC, "h264": Codec.AVC}
_FILTERS = {"vvc": "vvc_mp4toannexb", "hevc": "hevc_mp4toannexb", "h264": "h264_mp4toannexb"}

_ISO_BASE_MEDIA = b"ftyp"
_MATROSKA = bytes.fromhex("1a45dfa3")
# The same input gives the same file: no dates, no random identifiers.
_BIT_EXACT = {"fflags": "+bitexact"}
_PARAMETER_SETS = {Codec.VVC: range(12, 18), Codec.HEVC: range(32, 35)}


def is_container(head: bytes) -> bool:
    """Tell from a file's first bytes whether it is an MP4, QuickTime or Matroska file."""
    return head[4:8] in (_ISO_BASE_MEDIA, b"moov", b"mdat", b"wide") or head[:4] == _MATROSKA


def write_mp4(
    output: Path,
    access_units: Sequence[Sequence[NalUnit]],
    pictures: Sequence[int],
    rate: Fraction,
    audio_source: Path | None = None,
) -> None:
    """Write access units as samples of an MP4 file.

    `pictures` says how many output pictures each stands for, which is its duration at `rate`
    pictures per second. The sound of `audio_source`, a video file, is copied as it is. Raises
    `OutputError` when the file cannot be written.
    """
    import av

    codec = access_units[0][0].codec.value
    sets_change = _parameter_sets_change(access_units)
    entries = _SAMPLE_ENTRIES_WITH_SETS if sets_change else _SAMPLE_ENTRIES
    samples = _samples(access_units, keep_sets=sets_change)
    time_base = 1 / rate
    try:
        with av.open(str(output), "w", format="mp4", options=_BIT_EXACT) as container:
            with _elementary(join_annex_b(access_units[0]), codec) as template:
                stream: Any = container.add_stream_from_template(
                    template.streams.video[0], opaque=True
                )
            stream.codec_context.codec_tag = entries[codec]
            stream.time_base = time_base
            if audio_source is None:
                _mux_video(container, stream, samples, pictures, time_base)
            else:
                with av.open(str(audio_source.absolute())) as source:
                    _mux_with_audio(container, stream, samples, pictures, time_base, source)
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{output}: cannot be written ({reason})") from None


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


def _samples(access_units: Sequence[Sequence[NalUnit]], *, keep_sets: bool) -> list[_Sample]:
    """Access units, without the parameter sets that the sample entry holds unless told so."""
    left_out = frozenset() if keep_sets else _parameter_sets(access_units[0])
    return [
        _Sample(
            join_annex_b(unit for unit in units if unit.data not in left_out),
            any(unit.is_irap for unit in units),
        )
        for units in access_units
    ]


def _video_packets(
    stream: Any, samples: Sequence[_Sample], pictures: Sequence[int], time_base: Fraction
) -> Iterator[Any]:
    import av

    time = 0
    for sample, count in zip(samples, pictures, strict=True):
        packet = av.Packet(sample.data)
        packet.stream = stream
        packet.time_base = time_base
        packet.pts = packet.dts = time
        packet.duration = count
        packet.is_keyframe = sample.is_entry
        time += count
        yield packet


def _mux_video(
    container: OutputContainer,
    stream: Any,
    samples: Sequence[_Sample],
    pictures: Sequence[int],
    time_base: Fraction,
) -> None:
    for packet in _video_packets(stream, samples, pictures, time_base):
        container.mux(packet)


def _mux_with_audio(
    container: OutputContainer,
    stream: Any,
    samples: Sequence[_Sample],
    pictures: Sequence[int],
    time_base: Fraction,
    source: InputContainer,
) -> None:
    """Interleave the sound, moved so that the first picture of the source is at time 0."""
    source_audio = source.streams.audio[0]
    audio: Any = container.add_stream_from_template(source_audio)
    video = source.streams.video[0]
    start = Fraction(0)
    if video.start_time is not None and video.time_base is not None:
        start = video.start_time * video.time_base
    waiting = list(_video_packets(stream, samples, pictures, time_base))
    for packet in source.demux(source_audio):
        if packet.dts is None or packet.time_base is None:
            continue
        shift = round(start / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.dts -= shift
        while waiting and waiting[0].pts * time_base <= packet.dts * packet.time_base:
            container.mux(waiting.pop(0))
        packet.stream = audio
        container.mux(packet)
    for left in waiting:
        container.mux(left)


def read_container(path: Path) -> Iterator[NalUnit]:
    """NAL units of the first video track; offsets are those of the byte stream it stands for.

    Parameter sets that the file keeps apart come first. Raises `InputError` when the file is
    damaged or holds no VVC, HEVC or H.264 video.
    """
    import av

    try:
        container = av.open(str(path.absolute()))
    except (av.FFmpegError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({_reason(error)})") from None
    with container:
        name = container.streams.video[0].codec_context.name if container.streams.video else ""
        if name not in _CODECS:
            raise InputError(f"{path}: holds no VVC, HEVC or H.264 video")
        yield from split_annex_b(
            cast("BinaryIO", _AnnexBReader(path, container, name)), _CODECS[name]
        )


class _AnnexBReader:
    """Gives a container's video track as a byte stream, piece by piece."""

    def __init__(self, path: Path, container: InputContainer, name: str) -> None:
        from av.bitstream import BitStreamFilterContext

        stream = container.streams.video[0]
        self._path = path
        self._filter = BitStreamFilterContext(_FILTERS[name], stream)
        self._packets = container.demux(stream)
        self._buffer = b""

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        import av

        try:
            while not self._buffer:
                packet = next(self._packets, None)
                if packet is None:
                    return b""
                given = packet if packet.size else None
                self._buffer = b"".join(bytes(part) for part in self._filter.filter(given))
                if given is None:
                    break
        except av.FFmpegError as error:
            raise InputError(f"{self._path}: damaged ({_reason(error)})") from None
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
