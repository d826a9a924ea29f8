"""A few pictures of a stream before and after an edit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gfvc.decoder import decode_pictures
from gfvc.options.editing import FaceEdit
from gfvc.picture_strip import spread, write_strip
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.reader import read_face_stream
from models import AnimationModel
from models.contract import Picture

PICTURES = 6


def write_preview(
    output: Path, source: Path, edited: Path, model: AnimationModel, edits: Sequence[FaceEdit]
) -> None:
    """Write a PNG of two rows: pictures of a stream, and the same ones of its edited form."""
    before, after = (read_face_stream(path, lambda text: None) for path in (source, edited))
    assert before.rate is not None
    rate = float(before.rate)
    start = min(edit.start or 0 for edit in edits)
    ends = [before.pictures if edit.end is None else edit.end * rate for edit in edits]
    last = min(before.pictures, int(max(ends)) + 1)
    numbers = spread(last, PICTURES, min(int(start * rate), last - 1))
    rows = {"before": (source, before), "edited": (edited, after)}
    write_strip(output, {name: list(_drawn(*of, model, numbers)) for name, of in rows.items()})


def _drawn(
    source: Path, stream: FaceStream, model: AnimationModel, numbers: list[int]
) -> Iterator[Picture]:
    for number, picture in enumerate(decode_pictures(source, stream, model)):
        if number in numbers:
            yield picture
        if number == numbers[-1]:
            return
