"""The sound of a source in an MP4 file: as it is, or coded anew as AAC."""

from __future__ import annotations

import contextlib
import heapq
import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gfvc.errors import InputError
from gfvc.media_edits import hides_packets, refuse_edits
from gfvc.media_files import VIDEO_FORMATS, media_errors, open_media, reason
from gfvc.media_packets import packets_of
from gfvc.telling import NOTICED_SECONDS, Notes
from gfvc.video.beginning import first_stamp
from gfvc.video.sound_in_step import frames_in_step
from gfvc.video.sound_parts import (
    CopiedClock,
    JoinedPart,
    adjoining_packets,
    is_gap,
    shown_packets,
    sounding_seconds,
)
from gfvc.video.stream_choice import choose_stream

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer

SoundCoding = Literal["copy", "aac"]

# Sampling rates of AAC, ISO/IEC 14496-3, table 1.18.
_AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
_AAC_FRAME = 1024
_BITS_PER_CHANNEL = 64_000
_ADTS_HEADER = 7
# Enough for the muxer to see what the packets are.
_TRIED_PACKETS = 8


def sound_stream(container: InputContainer, path: Path) -> AudioStream:
    """The sound of a file that is open: the stream that is marked as default, or the first.

    Where it holds several programmes, one of that of its video, if that has any.
    """
    from av.stream import Disposition

    streams = list(container.streams.audio)
    if len(streams) > 1:
        streams = programme_sound(container, path) or streams
    return next((one for one in streams if one.disposition & Disposition.default), streams[0])


def programme_sound(container: InputContainer, path: Path) -> list[AudioStream]:
    """Sound streams that are of the programme of a file's video, as broadcasts name it.

    In other files all. Raises `InputError` where there is no video.
    """
    best = container.streams.best
    video = choose_stream(container, path).stream
    # The library does not tell programmes, but which video it takes for the best beside a stream.
    programme = best("video", video)
    streams = [one for one in container.streams.audio if best("video", one) is programme]
    if not streams:
        # Sound of several programmes counts as that of the first, but is found beside the video.
        beside = best("audio", video)
        streams = [one for one in container.streams.audio if one is beside]
    return streams


def check_sound(
    path: Path,
    coding: SoundCoding,
    start: Fraction | None = None,
    parts: Sequence[JoinedPart] = (),
) -> None:
    """Raise `InputError` when the sound of a video file cannot go into an MP4 file so.

    `start` and `parts` are those of the `SoundTrack`, which follows edits without a `start`.
    """
    import av

    with open_media(path, VIDEO_FORMATS, follow_edits=start is None) as source:
        sound = sound_stream(source, path)
        refuse_edits(path, source, sound.id, followed=start is None)
        context: Any = sound.codec_context
        if context is None:
            raise InputError(f"{path}: its sound is of a kind that is not read here")
        name = context.name
        adts = name == "aac" and not context.extradata
        with media_errors(f"{path}: its sound ({name})"):
            first = next(_decoded(path, source, strictly=coding == "aac"), None)
        if first is None:
            raise InputError(f"{path}: its sound ({name}) cannot be decoded")
        if coding == "aac" and not _can_be_resampled(first):
            raise InputError(
                f"{path}: its sound ({name}) has channels ({first.layout.name}) that cannot be "
                "made stereo; --audio copy keeps it as it is, --audio none leaves it out"
            )
    if coding == "aac":
        return
    with open_media(path, VIDEO_FORMATS, follow_edits=start is None) as source:
        try:
            with av.open(io.BytesIO(), "w", format="mp4") as trial:
                track = SoundTrack(path, source, trial, "copy", start, parts)
                changes = _AdtsChanges()
                # To the end, since times may go back anywhere.
                for number, packet in enumerate(track.packets()):
                    if adts and changes(bytes(packet)):
                        raise InputError(
                            f"{path}: its sound ({name}) changes its rate or channels in the "
                            "middle, which a copy cannot hold; --audio aac codes it anew"
                        )
                    if number < _TRIED_PACKETS:
                        trial.mux(packet)
        except (av.FFmpegError, ValueError):
            raise InputError(
                f"{path}: an MP4 file cannot hold its sound ({name}) as it is; --audio aac codes "
                "it anew"
            ) from None


def _can_be_resampled(frame: Any) -> bool:
    import av
    from av.audio.resampler import AudioResampler

    try:
        AudioResampler(format="fltp", layout="stereo", rate=frame.rate).resample(frame)
    except (av.FFmpegError, ValueError):
        return False
    return True


class _AdtsChanges:
    """Whether packets with ADTS headers have come to another rate or other channels.

    An MP4 file says both once, and has no such headers, so the rest could not be decoded.
    """

    def __init__(self) -> None:
        self._first: tuple[int, int] | None = None
        self._last: tuple[int, int] | None = None

    def __call__(self, data: bytes) -> bool:
        """Look at the next packet."""
        if len(data) < _ADTS_HEADER or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
            return False
        # Index of the rate and upper bit of the channels, then their other bits.
        says = (data[2] & 0x3D, data[3] & 0xC0)
        self._first = self._first or says
        # Two in a row: what looks like a header amid damage does not change the sound.
        changed = says == self._last != self._first
        self._last = says
        return changed


def _decoded(path: Path, source: InputContainer, *, strictly: bool) -> Iterator[Any]:
    """Decoded frames; without `strictly`, of those packets that are whole."""
    import av

    for packet in packets_of(path, source, sound_stream(source, path)):
        with contextlib.nullcontext() if strictly else contextlib.suppress(av.FFmpegError):
            yield from packet.decode()


def is_heard(path: Path, notes: Notes, start: Fraction | None = None) -> bool:
    """Whether some sound of a video file is left when it starts with the first picture.

    That is the picture that players show first, or that at `start` in the file without edits.
    `notes` is told how much lies before that. Raises `InputError` when the file is damaged.
    """
    with open_media(path, VIDEO_FORMATS, follow_edits=start is None) as source:
        sound = sound_stream(source, path)
        start = _video_start(path, source) if start is None else start
        begin = start if sound.start_time is None else _seconds(sound.start_time, sound)
        end, lasts = begin, Fraction(0)
        with media_errors(f"{path}: its sound"):
            packets = (
                packet
                for packet in packets_of(path, source, sound)
                if packet.size and not packet.is_discard
            )
            for packet, following in pairwise(chain(packets, (None,))):
                stamp = packet.dts if packet.pts is None else packet.pts
                if stamp is None:
                    return True
                time = _seconds(stamp, packet)
                ends = time + sounding_seconds(packet, sound.codec_context, following)
                if is_gap(time - end):
                    end = time
                lasts += max(min(ends, start) - min(end, start), Fraction(0))
                if ends > start:
                    if lasts >= NOTICED_SECONDS:
                        notes(
                            f"{path}: {float(lasts):.2f} s of its sound lie before the first "
                            "picture and are left out"
                        )
                    return True
                end = max(end, ends)
    notes(
        f"{path}: its sound is left out, for all of it ({float(lasts):.2f} s) lies before the "
        "first picture"
    )
    return False


class SoundLength:
    """How far the sound of a file goes; packets are read to its end when this is asked first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: tuple[float, float] | None = None

    @property
    def end(self) -> float:
        """When it ends, in seconds by its time stamps; minus infinity where there is none."""
        return self._measured()[0]

    @property
    def seconds(self) -> float:
        """How much there is of it. Stamps may lie; a packet counts for a second at most."""
        return self._measured()[1]

    def _measured(self) -> tuple[float, float]:
        if self._found is None:
            end, seconds = float("-inf"), 0.0
            with open_media(self._path, VIDEO_FORMATS) as source:
                if source.streams.audio:
                    with media_errors(f"{self._path}: its sound"):
                        sound = sound_stream(source, self._path)
                        for packet in packets_of(self._path, source, sound):
                            ends = _end(packet) if packet.size and not packet.is_discard else None
                            if ends is not None:
                                end = max(end, float(ends))
                                lasts = float(_seconds(packet.duration or 0, packet))
                                seconds += min(max(lasts, 0.0), 1.0)
            self._found = end, seconds
        return self._found


def _video_start(path: Path, source: InputContainer) -> Fraction:
    """When the first picture is shown, in seconds; time 0 of the output.

    That is the first that can be decoded, which in files cut anywhere is not the first that is
    there.
    """
    stamp = first_stamp(path)
    if stamp is not None:
        return stamp
    video = choose_stream(source, path).stream
    return Fraction(0) if video.start_time is None else _seconds(video.start_time, video)


def _seconds(stamp: int, timed: Any) -> Fraction:
    return stamp * (timed.time_base or Fraction(0))


def _end(packet: Any) -> Fraction | None:
    """When a packet of sound ends, in seconds, or None where it does not say."""
    stamp = packet.dts if packet.pts is None else packet.pts
    return None if stamp is None else _seconds(stamp + (packet.duration or 0), packet)


class SoundTrack:
    """A track of an MP4 file with the sound of a source, which both stay open.

    `start` is when the first picture is shown, that of what players show unless it is given.
    `parts` are those that files joined byte by byte go on with, for a copy.
    Raises `ValueError` or `av.FFmpegError` when the sound cannot go into the file.
    """

    def __init__(
        self,
        path: Path,
        source: InputContainer,
        output: OutputContainer,
        coding: SoundCoding,
        start: Fraction | None = None,
        parts: Sequence[JoinedPart] = (),
    ) -> None:
        from av.codec.context import Flags2

        self._path = path
        self._source = source
        self._from = sound_stream(source, path)
        if start is not None:
            # Else the decoder leaves out as much as the edit list does.
            self._from.codec_context.flags2 |= Flags2.skip_manual
        self._start = _video_start(path, source) if start is None else start
        self._follows_edits = start is None
        self._parts = parts
        self._coding = coding
        self._output = output
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

    def write(self, packets: Iterator[Any]) -> None:
        """Write the sound among the packets of the video, by the times of decoding.

        Raises as `packets` does, `InputError` where an MP4 file cannot hold a packet of sound, and
        `av.FFmpegError` or `OSError` when the output cannot be written.
        """
        import av

        for packet in heapq.merge(packets, self.packets(), key=lambda one: one.dts * one.time_base):
            try:
                self._output.mux(packet)
            except (av.ArgumentError, av.InvalidDataError) as error:
                # What comes of the system, as a full disk, is not of these.
                if packet.stream is not self._track:
                    raise
                raise InputError(
                    f"{self._path}: an MP4 file cannot hold its sound ({reason(error)}); --audio "
                    "aac codes it anew, --audio none leaves it out"
                ) from error

    def packets(self) -> Iterator[Any]:
        """The packets for the output, in order, timed from the first picture.

        Sound that lies before it is left out, but for what a decoder needs; of that, and of a
        packet that begins before it, players hear nothing.

        Raises `InputError` when the sound is damaged.
        """
        with media_errors(f"{self._path}: its sound"):
            yield from self._copied() if self._coding == "copy" else self._coded()

    def _copied(self) -> Iterator[Any]:
        context = self._from.codec_context
        clock = CopiedClock(f"{self._path}: its sound", context, self._start, self._parts)
        timed: Iterator[Any] = (
            packet
            for packet in packets_of(self._path, self._source, self._from)
            if packet.dts is not None and packet.time_base is not None
        )
        if self._follows_edits and hides_packets(self._path, self._source):
            timed = shown_packets(timed, context, self._start)
        for packet in adjoining_packets(timed, context, self._start):
            if clock.place(packet):
                packet.stream = self._track
                yield packet
        clock.end()

    def _coded(self) -> Iterator[Any]:
        from av.audio.resampler import AudioResampler

        context = self._track.codec_context
        # By itself, since the encoder takes one shorter frame only, and each change may end in one.
        parts = AudioResampler(
            format="fltp", layout=context.layout, rate=context.rate, frame_size=_AAC_FRAME
        )
        for frame in self._resampled(context.layout, context.rate):
            for ready in parts.resample(frame):
                yield from self._track.encode(ready)
        yield from self._track.encode(None)

    def _resampled(self, layout: Any, rate: int) -> Iterator[Any]:
        """The frames in the format, layout and rate of the output, then None."""
        from av.audio.resampler import AudioResampler

        resampler, kind = AudioResampler(), None
        for frame in chain(self._frames(), (None,)):
            came = frame and (frame.format.name, frame.layout.name, frame.rate)
            if came != kind:
                # Broadcasts change between mono and stereo; a resampler is bound to one kind.
                yield from filter(None, resampler.resample(None))
                resampler, kind = AudioResampler(format="fltp", layout=layout, rate=rate), came
            if frame:
                yield from resampler.resample(frame)
        yield None

    def _frames(self) -> Iterator[Any]:
        """Decoded frames from the first picture on, with their times moved and in samples."""
        packets = packets_of(self._path, self._source, self._from)
        decoded = (frame for packet in packets for frame in packet.decode())
        yield from frames_in_step(decoded, self._start, self._parts)
