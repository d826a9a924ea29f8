"""A few pictures of a stream before and after an edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from gfvc.decoded_pool import AsCoded, FromOne, FromTwo, Span
from gfvc.decoded_units import DecodedUnit, decode_units
from gfvc.face_square import FaceSquare
from gfvc.options.decoding import BaseLayerOptions
from gfvc.options.editing import FaceEdit
from gfvc.picture_strip import spread, write_strip
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.reader import read_face_stream
from models import AnimationModel
from models.contract import Picture

T = TypeVar("T")

PICTURES = 6


class _Shown(NamedTuple):
    """An output picture, and the square of its first face; None where it has none."""

    picture: Picture
    square: FaceSquare | None


def write_preview(
    output: Path,
    source: Path,
    edited: Path,
    model: AnimationModel,
    edits: Sequence[FaceEdit],
    options: BaseLayerOptions,
) -> None:
    """Write a PNG of two rows: pictures of a stream, and the same ones of its edited form.

    They are spread over the time of the edits. Of whole pictures the face squares are shown, too.
    """
    before, after = (
        read_face_stream(path, lambda text: None, options.codec, options.max_pictures)
        for path in (source, edited)
    )
    rate = float(options.rate or before.rate or 1)
    start = min(edit.start or 0 for edit in edits)
    ends = [before.pictures if edit.end is None else edit.end * rate for edit in edits]
    # Of a damaged stream, a last picture of which nothing is known is left out of each reading.
    last = min(before.pictures, after.pictures, int(max(ends)) + 1)
    numbers = spread(last, PICTURES, min(int(start * rate), last - 1))
    drawn = {
        name: list(_drawn(*of, model, numbers, options))
        for name, of in {"before": (source, before), "edited": (edited, after)}.items()
    }
    known = [shown.square for shown in drawn["before"]]
    some = next((square for square in known if square is not None), None)
    squares = None if some is None else [square or some for square in known]
    rows = {name: [shown.picture for shown in each] for name, each in drawn.items()}
    write_strip(output, rows, squares)


def _drawn(
    source: Path,
    stream: FaceStream,
    model: AnimationModel,
    numbers: Sequence[int],
    options: BaseLayerOptions,
) -> Iterator[_Shown]:
    """The pictures of some numbers; others are not drawn."""
    number = 0
    for decoded in decode_units(source, stream, model, options.timeout, area=options.max_area):
        for picture in _some(decoded, [each - number for each in numbers]):
            if picture is not None:
                yield _Shown(picture, decoded.unit.face_square)
            number += 1
        if number > numbers[-1]:
            return


def _some(decoded: DecodedUnit, places: Sequence[int]) -> Iterator[Picture | None]:
    """Output pictures of a unit, with all faces, as a decoder has them; None but at some places."""
    first = 0
    for span in decoded.spans:
        of_span = [place - first for place in places]
        chosen, count = _only(span, of_span)
        begun = chosen.begin()
        for place in range(count):
            if place in of_span:
                whole = next(begun)
                for face in decoded.over:
                    whole = face.over(whole)
                yield whole()
            else:
                for face in decoded.over:
                    face.skip()
                yield None
        first += count


def _only(span: Span, places: Sequence[int]) -> tuple[Span, int]:
    """A span of some of the pictures of another, and how many that has."""
    if isinstance(span, FromOne):
        parameters = list(span.parameters)
        return replace(span, parameters=_at(parameters, places)), len(parameters)
    if isinstance(span, FromTwo):
        placed = list(span.placed)
        return replace(span, placed=_at(placed, places)), len(placed)
    assert isinstance(span, AsCoded)
    return replace(span, pictures=len(_at(range(span.pictures), places))), span.pictures


def _at(items: Sequence[T], places: Sequence[int]) -> list[T]:
    return [items[place] for place in places if 0 <= place < len(items)]
