"""Streams in containers, such as an MP4 file of `gfvc encode`: taken out, and put back rewritten.

What rewrites a stream reads a byte stream, and reads it several times. So that of a container is
taken out first. Where the output is an MP4 file, what was rewritten goes into one, picture by
picture at the times that it had, with the sound.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple

from base_codec_adapters.temporary import temporary_folder
from gfvc.decoded_sound import sound_to_keep
from gfvc.errors import GfvcError, InputError
from gfvc.media_files import media_errors
from gfvc.media_packets import packets_of
from gfvc.output import replaced_when_complete
from gfvc.stream.byte_stream import read_head
from gfvc.stream.containers import (
    SampleTimes,
    coded_track,
    decoding_times,
    is_container,
    open_file_as_container,
    write_samples,
)
from gfvc.stream.edit_lists import pictures_start
from gfvc.stream.nal_source import open_nal_units
from gfvc.stream.names import (
    CODEC_OF_SUFFIX,
    MP4_SUFFIX,
    is_mp4,
    mp4_of_byte_stream,
)
from gfvc.stream.shown_shape import tell_of_shape
from gfvc.telling import Notes, unheard
from gfvc.video.left_out import tell_of_other_sound, tell_of_the_rest
from gfvc.video.sound import SoundCoding
from sei import Codec, NalUnit, access_units, split_annex_b

_OR_A_STREAM = "name a byte stream (.266 or .265)"
# What commands with that option are told of sound.
_ADVICE = re.compile(r"; --audio [^;]*")
# Characters of a container's name that the stream's has too, lest it get too long.
_MOST_OF_NAME = 60
_SUFFIXES = {Codec.VVC: ".266", Codec.HEVC: ".265", Codec.AVC: ".264"}


@dataclass(frozen=True, slots=True)
class ByteStream:
    """A byte stream in a file, and the `container` that it was taken out of, if it was."""

    path: Path
    notes: Notes
    container: Path | None = None

    def check_output(self, output: Path) -> None:
        """Raise `OutputError` or `InputError` where `output` is to be an MP4 file and cannot be."""
        if is_mp4(output):
            self._times(output)

    def _times(self, output: Path) -> _Times:
        """The times of the coded pictures in an MP4 file; raises as `check_output`."""
        if self.container is None:
            raise mp4_of_byte_stream(output)
        if _codec_of(self.path) is Codec.AVC:
            raise InputError(
                f"{self.container}: its video is H.264; only VVC and HEVC, as gfvc encode writes, "
                f"are put into {MP4_SUFFIX} files here"
            )
        found = _times_of(self.container)
        coded = len(_access_units(self.path))
        if len(found.samples) != coded:
            raise InputError(
                f"{self.container}: has {len(found.samples)} samples for {coded} coded pictures, "
                f"which then have no times in an {MP4_SUFFIX} file; {_OR_A_STREAM}"
            )
        return found

    def _sound_for(self, output: Path) -> SoundCoding | None:
        """How the container's sound goes into the output; tells what else of it does not."""
        path = self.container
        if path is None:
            return None

        def notes(text: str) -> None:
            self.notes(_ADVICE.sub("", text))

        sound = sound_to_keep(path, output, None, notes, in_time=True)
        if sound is not None:
            tell_of_other_sound(path, notes)
        tell_of_the_rest(path, notes)
        codec = CODEC_OF_SUFFIX.get(self.path.suffix)
        if codec is not None:
            tell_of_shape(path, codec, notes)
        return sound

    @contextlib.contextmanager
    def rewritten(
        self, output: Path, *, force: bool, sources: Collection[Path] = ()
    ) -> Iterator[Path]:
        """A path for the byte stream that `output` is made of when the block ends without an error.

        It has the same pictures. Raises as `replaced_when_complete` does, and `OutputError` or
        `InputError` where no MP4 file can be made.
        """
        sources = [self.container or self.path, *sources]
        with replaced_when_complete(output, force=force, sources=sources) as temporary:
            times = self._times(output) if is_mp4(output) else None
            sound = self._sound_for(output)
            if times is None:
                yield temporary
                return
            with temporary_folder("gfvc-stream-") as folder:
                stream = folder / self.path.name
                yield stream
                units = _access_units(stream)
            if sound is None or self.container is None:
                write_samples(temporary, units, *times)
                return
            start = pictures_start(self.container)
            try:
                write_samples(temporary, units, *times, self.container, sound, start)
            except InputError as error:
                text, removed = _ADVICE.subn("", str(error))
                if not removed:
                    raise
                raise InputError(f"{text}; {_OR_A_STREAM}, which has no sound") from None


@contextlib.contextmanager
def as_byte_stream(
    source: Path, codec: Codec | None = None, notes: Notes = unheard
) -> Iterator[ByteStream]:
    """A file's stream as a byte stream: the file itself, or what is taken out of a container.

    That is gone when the block ends; what errors and notes of the block say of it, they say of the
    container. Raises `InputError` where the file cannot be read, or is neither.
    """
    read_head(source)
    if not is_container(source):
        yield ByteStream(source, notes)
        return
    with temporary_folder("gfvc-stream-") as folder:
        stream = take_out(source, folder, codec, notes)
        assert stream is not None
        with naming(source, stream):
            yield ByteStream(
                stream, lambda text: notes(text.replace(str(stream), str(source))), source
            )


@contextlib.contextmanager
def naming(source: Path, taken: Path) -> Iterator[None]:
    """Have errors of the block name a container instead of the stream that was taken out of it."""
    try:
        yield
    except GfvcError as error:
        if str(taken) not in str(error):
            raise
        raise type(error)(str(error).replace(str(taken), str(source))) from None


def take_out(
    source: Path,
    folder: Path,
    codec: Codec | None,
    notes: Notes,
    refused: Collection[Codec] = (),
) -> Path | None:
    """Write the stream of a container into a file of a folder; None where it is of a `refused` one.

    The file is called as the container is, if that is not long, with the suffix of its codec.
    Raises `InputError` as `open_nal_units` does.
    """
    with open_nal_units(source, None if codec is None else codec.value, notes) as units:
        first = next(units)
        if first.codec in refused:
            return None
        stream = folder / (source.stem[:_MOST_OF_NAME] + _SUFFIXES[first.codec])
        with stream.open("wb") as file:
            for unit in chain([first], units):
                file.write(unit.to_annex_b())
    return stream


class _Times(NamedTuple):
    """When samples are decoded and shown, in units of so many seconds; the first is shown at 0."""

    samples: list[SampleTimes]
    unit: Fraction


def _times_of(path: Path) -> _Times:
    """The times of the samples of a container; raises `InputError` where one has none."""
    container = open_file_as_container(path)
    assert container is not None
    with container:
        track = coded_track(path, container)
        assert track.time_base is not None
        with media_errors(str(path)):
            packets = [
                (packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe)
                for packet in packets_of(path, container, track)
                if packet.size
            ]
        unit = Fraction(track.time_base)
    given = [pts for pts, *_ in packets if pts is not None]
    if not packets or len(given) != len(packets):
        raise InputError(
            f"{path}: does not say when all pictures are shown, as an {MP4_SUFFIX} file has to; "
            f"{_OR_A_STREAM}"
        )
    first = min(given)
    shown = [time - first for time in given]
    decoded = [dts - first for _, dts, *_ in packets if dts is not None]
    in_order = all(one < other for one, other in pairwise(decoded))
    if len(decoded) != len(packets) or not in_order:
        # As Matroska tells none, and what is damaged wrong ones.
        decoded = decoding_times(shown, [True, *(is_entry for *_, is_entry in packets[1:])])
    lengths = [length for _, _, length, _ in packets]
    return _Times(list(map(SampleTimes, decoded, shown, lengths)), unit)


def _access_units(stream: Path) -> list[tuple[NalUnit, ...]]:
    with stream.open("rb") as file:
        return list(access_units(split_annex_b(file, _codec_of(stream))))


def _codec_of(taken: Path) -> Codec:
    """The codec of a stream that was taken out, by the suffix that it was given."""
    return next(codec for codec, suffix in _SUFFIXES.items() if suffix == taken.suffix)
