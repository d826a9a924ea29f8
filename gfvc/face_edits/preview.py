"""A few pictures of a stream before and after an edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gfvc.decoded_pool import FromOne
from gfvc.decoded_units import decode_units
from gfvc.options.decoding import BaseLayerOptions
from gfvc.options.editing import FaceEdit
from gfvc.picture_strip import spread, write_strip
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.reader import read_face_stream
from models import AnimationModel
from models.contract import Picture

PICTURES = 6


def write_preview(
    output: Path,
    source: Path,
    edited: Path,
    model: AnimationModel,
    edits: Sequence[FaceEdit],
    options: BaseLayerOptions,
) -> None:
    """Write a PNG of two rows: pictures of a stream, and the same ones of its edited form.

    They are spread over the time of the edits.
    """
    before, after = (
        read_face_stream(path, lambda text: None, options.codec, options.limits)
        for path in (source, edited)
    )
    rate = float(options.rate or before.rate or 1)
    start = min(edit.start or 0 for edit in edits)
    ends = [before.pictures if edit.end is None else edit.end * rate for edit in edits]
    last = min(before.pictures, int(max(ends)) + 1)
    numbers = spread(last, PICTURES, min(int(start * rate), last - 1))
    rows = {"before": (source, before), "edited": (edited, after)}
    write_strip(
        output, {name: list(_drawn(*of, model, numbers, options)) for name, of in rows.items()}
    )


def _drawn(
    source: Path,
    stream: FaceStream,
    model: AnimationModel,
    numbers: Sequence[int],
    options: BaseLayerOptions,
) -> Iterator[Picture]:
    """The pictures of some numbers; others are not drawn."""
    number = 0
    for decoded in decode_units(source, stream, model, options.timeout, area=options.max_area):
        for span in decoded.spans:
            if isinstance(span, FromOne):
                parameters = list(span.parameters)
                chosen = [each for at, each in enumerate(parameters, number) if at in numbers]
                yield from span.reference.animate_many(chosen)
                number += len(parameters)
                continue
            for picture in span.draw():
                if number in numbers:
                    yield picture
                number += 1
        if number > numbers[-1]:
            return
