"""A stream that was read: what a decoder needs of it, picture unit by picture unit."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import overload

from base_codec_adapters import Codec
from gfvc.stream.kept import KeepingFile, Kept
from gfvc.stream.names import is_repacked
from gfvc.stream.picture_units import FaceMessage, PictureUnit
from gfvc.stream.shown_size import ShownSize

# Coded pictures are decoded by this many at least, where the stream can be entered: not all are
# held at once, and the decoder program is not started for each.
PART_PICTURES = 64


class KeptUnits(Sequence[PictureUnit]):
    """Picture units in a file, in order, their messages each by itself.

    Raises `TemporaryFolderError` when there is no room for it.
    """

    def __init__(self) -> None:
        self._file = KeepingFile()
        self._units: Kept[tuple[PictureUnit, list[array[int]]]] = Kept(self._file)

    def in_order(self, order: Sequence[int]) -> KeptUnits:
        """The same units in another order, which has the place of each among these."""
        other = copy(self)
        places = self._units.places
        other._units = Kept(self._file, array("q", (places[place] for place in order)))
        return other

    def messages(self) -> Kept[FaceMessage]:
        """A list for the messages of a unit."""
        return Kept(self._file)

    def append(self, unit: PictureUnit) -> None:
        """Keep a unit, whose messages, and those of its further faces, are lists of `messages`."""
        places: list[array[int]] = []

        def bare(of_face: PictureUnit) -> PictureUnit:
            assert isinstance(of_face.messages, Kept)
            places.append(of_face.messages.places)
            return replace(of_face, messages=())

        kept = bare(unit)
        kept.further = tuple(replace(face, unit=bare(face.unit)) for face in unit.further)
        self._units.append((kept, places))

    def __len__(self) -> int:
        return len(self._units)

    @overload
    def __getitem__(self, index: int) -> PictureUnit: ...
    @overload
    def __getitem__(self, index: slice) -> list[PictureUnit]: ...
    def __getitem__(self, index: int | slice) -> PictureUnit | list[PictureUnit]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        unit, places = self._units[index]
        faces = (unit, *(face.unit for face in unit.further))
        for each, of_face in zip(faces, places, strict=True):
            each.messages = Kept(self._file, of_face)
        return unit


@dataclass(frozen=True, slots=True)
class RateChange:
    """Where a stream first states another rate: output picture, and byte of the access unit."""

    rate: Fraction
    picture: int
    at: int | None


@dataclass(frozen=True, slots=True)
class ShownSizeChange:
    """Where a stream first states another size to show pictures at: byte of the access unit."""

    size: ShownSize | None
    at: int | None

    def told(self, before: ShownSize | None) -> str:
        """What changes, from the size before on."""
        sizes = [size or "the size that they are coded at" for size in (before, self.size)]
        return f"from {sizes[0]} to {sizes[1]} with the access unit at byte {self.at}"


@dataclass(frozen=True, slots=True)
class FaceStream:
    """What a decoder needs of a stream. `rate` and `model_uri` are None when not stated.

    `rate` is the first that is stated, `rate_change` tells of another one.

    `units` are its coded pictures with their messages, of which `pictures_as_coded` are ordinary
    video, without: they are shown as they are. Those of a sequence that draws others are in output
    order; `coded_units` are all in the order of the stream. `pictures` are all output pictures.
    """

    codec: Codec
    rate: Fraction | None
    model_uri: str | None
    units: KeptUnits
    pictures_as_coded: int
    pictures: int
    draws: bool
    """Whether there are face messages, or pictures that are drawn without."""
    mark: str | None = None
    """What its marks say of generated pictures, fit to be printed; None without any."""
    restricted_uses: tuple[int, ...] = ()
    """Kinds of use by artificial intelligence that are restricted, and in no context allowed."""
    rate_change: RateChange | None = None
    fault: str | None = None
    """Why the coded pictures cannot be decoded, by their sequence parameter sets, and where."""
    lacking: str | None = None
    """Why they may not be: which parameter sets are missing."""
    lost: str | None = None
    """Where the first coded picture is missing between others, which may refer to it."""
    video_sets: bytes = b""
    """VPS for those that none comes with, before their first use or after it."""
    coding_order: Sequence[int] | None = None
    """Places in `units` of the coded pictures in the order of the stream; None: they rise."""
    shown_size: ShownSize | None = None
    """At which size its pictures are shown, by the first of them; None: as they are coded."""
    shown_size_change: ShownSizeChange | None = None

    @property
    def is_repacked(self) -> bool:
        """Whether its numbers stand in another layout than its model's."""
        return self.model_uri is not None and is_repacked(self.model_uri)

    @property
    def coded_units(self) -> KeptUnits:
        """The coded pictures in the order of the stream, which is that of decoding."""
        return self.units if self.coding_order is None else self.units.in_order(self.coding_order)

    def base_layer_parts(self) -> Iterator[tuple[bytes, int]]:
        """The base layer in streams that can be decoded one by one, and their coded pictures."""
        part: list[bytearray] = []
        for unit in self.coded_units:
            if len(part) >= PART_PICTURES and unit.can_be_entered:
                yield self.video_sets + b"".join(part), len(part)
                part = []
            part.append(unit.coded)
        if part:
            yield self.video_sets + b"".join(part), len(part)

    @property
    def base_layer(self) -> bytes:
        """The coded pictures as an Annex B stream of their own."""
        return self.video_sets + b"".join(unit.coded for unit in self.coded_units)
