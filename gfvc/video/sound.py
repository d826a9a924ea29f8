"""The sound of a source in an MP4 file: as it is, or coded anew as AAC."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gfvc.errors import InputError
from gfvc.media_files import VIDEO_FORMATS, media_errors, open_media
from gfvc.video.stream_choice import choose_stream

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer

SoundCoding = Literal["copy", "aac"]

# Sampling rates of AAC, ISO/IEC 14496-3, table 1.18.
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_AAC_FRAME = 1024
_BITS_PER_CHANNEL = 64_000
# Enough for the muxer to see what the packets are.
_TRIED_PACKETS = 8


def sound_stream(container: InputContainer) -> AudioStream:
    """The sound of a file: the stream that is marked as default, or the first."""
    from av.stream import Disposition

    streams = list(container.streams.audio)
    return next((one for one in streams if one.disposition & Disposition.default), streams[0])


def check_sound(path: Path, coding: SoundCoding) -> None:
    """Raise `InputError` when the sound of a video file cannot go into an MP4 file so."""
    import av

    with open_media(path, VIDEO_FORMATS) as source:
        name = sound_stream(source).codec_context.name
        if coding == "aac":
            with media_errors(f"{path}: its sound ({name})"):
                if next(_decoded(source), None) is None:
                    raise InputError(f"{path}: its sound ({name}) cannot be decoded")
            return
        try:
            with av.open(io.BytesIO(), "w", format="mp4") as trial:
                track = SoundTrack(path, source, trial, "copy")
                for packet in islice(track.packets(), _TRIED_PACKETS):
                    trial.mux(packet)
        except (av.FFmpegError, ValueError):
            raise InputError(
                f"{path}: an MP4 file cannot hold its sound ({name}) as it is; --audio aac codes "
                "it anew"
            ) from None


def _decoded(source: InputContainer) -> Iterator[Any]:
    for packet in source.demux(sound_stream(source)):
        yield from packet.decode()


class SoundTrack:
    """A track of an MP4 file with the sound of a source, which both stay open.

    Raises `ValueError` or `av.FFmpegError` when the sound cannot go into the file.
    """

    def __init__(
        self, path: Path, source: InputContainer, output: OutputContainer, coding: SoundCoding
    ) -> None:
        self._path = path
        self._source = source
        self._from = sound_stream(source)
        video = choose_stream(source, path).stream
        self._start = Fraction(0)  # of the video, which is time 0 of the output
        if video.start_time is not None and video.time_base is not None:
            self._start = video.start_time * video.time_base
        self._coding = coding
        if coding == "copy":
            self._track: Any = output.add_stream_from_template(self._from)
        else:
            self._track = self._add_aac(output)

    def _add_aac(self, output: OutputContainer) -> Any:
        context = self._from.codec_context
        rate = min(_AAC_RATES, key=lambda known: (known < context.rate, abs(known - context.rate)))
        if context.rate > _AAC_RATES[-1]:
            rate = _AAC_RATES[-1]
        track: Any = output.add_stream("aac", rate=rate)
        channels = 1 if context.channels == 1 else 2
        track.codec_context.layout = "mono" if channels == 1 else "stereo"
        track.codec_context.format = "fltp"
        track.codec_context.bit_rate = _BITS_PER_CHANNEL * channels
        track.codec_context.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT: the same file each time
        return track

    def packets(self) -> Iterator[Any]:
        """The packets for the output, in order, timed from the first picture.

        Raises `InputError` when the sound is damaged.
        """
        with media_errors(f"{self._path}: its sound"):
            yield from self._copied() if self._coding == "copy" else self._coded()

    def _copied(self) -> Iterator[Any]:
        for packet in self._source.demux(self._from):
            if packet.dts is None or packet.time_base is None:
                continue
            shift = round(self._start / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts -= shift
            packet.stream = self._track
            yield packet

    def _coded(self) -> Iterator[Any]:
        from av.audio.resampler import AudioResampler

        context = self._track.codec_context
        resampler = AudioResampler(
            format="fltp", layout=context.layout, rate=context.rate, frame_size=_AAC_FRAME
        )
        for frame in self._frames():
            for ready in resampler.resample(frame):
                yield from self._track.encode(ready)
        yield from self._track.encode(None)

    def _frames(self) -> Iterator[Any]:
        """Decoded frames with their times moved, then None."""
        for packet in self._source.demux(self._from):
            for frame in packet.decode():
                if frame.pts is not None and frame.time_base is not None:
                    frame.pts -= round(self._start / frame.time_base)
                yield frame
        yield None
