"""Coding successive pictures of a clip as if they were all of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO

from gfvc.encoding.clip import Clip
from gfvc.encoding.executor import Tally
from gfvc.encoding.passes import open_pass
from gfvc.encoding.work_done import WorkDone
from gfvc.errors import InputError
from gfvc.json_checking import CheckedObject
from gfvc.rate_control.ladder import RateSettings
from gfvc.stream.marking import mark_message
from gfvc.stream.writer import StreamWriter
from gfvc.telling import unheard
from models import Analyser
from models.contract import Picture
from models.parallel import map_in_order, one_blas_thread


@dataclass(frozen=True, slots=True)
class CodedPart:
    """What became of the pictures of a part.

    `tally` of pictures by kind, output `pictures_of_units` of each coded picture, bytes of face
    parameters and user data, seconds that programs of the base codec took, and how many coded key
    pictures showed no face.
    """

    tally: Tally
    pictures_of_units: tuple[int, ...]
    sei_bytes: int
    base_codec_seconds: float
    lost_keys: int

    def to_json(self) -> dict[str, Any]:
        """A JSON object that `from_json` reads."""
        return {**asdict(self), "pictures_of_units": list(self.pictures_of_units)}

    @staticmethod
    def from_json(value: object, source: Path) -> CodedPart:
        """The part that `to_json` of it says; `source` is the file that said so.

        Raises `InputError` for anything else.
        """
        item = CheckedObject(value, source)
        tally = item.object("tally")
        units = item.whole_numbers("pictures_of_units")
        return CodedPart(
            Tally(**{field.name: tally.whole(field.name) for field in fields(Tally)}),
            units,
            item.whole("sei_bytes"),
            item.number("base_codec_seconds"),
            item.whole("lost_keys") if item.has("lost_keys") else 0,  # unsaid by earlier versions
        )


def code_part(
    clip: Clip,
    settings: RateSettings,
    pictures: Iterable[Picture],
    file: BinaryIO,
    analyser: Analyser,
    done: Callable[[int], None] = unheard,
) -> CodedPart | None:
    """Code pictures of a clip, and write them; `analyser` is new, or rewound.

    Nothing of it depends on what comes before or after, so that parts that are coded apart and
    joined are what they are when coded one after the other. `done` is told how many pictures are,
    as work on them goes on. None when there is no picture. Raises `GfvcError`, `ModelError` or
    `BaseCodecError`.
    """
    with contextlib.ExitStack() as stack:
        writer = StreamWriter(
            file,
            clip.codec,
            clip.stated(settings),
            low_delay=clip.options.low_delay,
            mark=None if clip.options.no_marking else mark_message(),
        )
        # Linear algebra is of small matrices, for which threads would only wait.
        stack.enter_context(one_blas_thread())
        seen_is_all = not clip.codes_sequences and clip.options.fallback != "always"
        work = WorkDone(done, seen_is_all=seen_is_all)
        coding = stack.enter_context(open_pass(clip, settings, writer, analyser, work))
        if clip.codes_sequences:  # others ask for a picture as it comes
            pictures = stack.enter_context(contextlib.closing(_expected(pictures, analyser)))
        count = 0
        for number, picture in enumerate(pictures):
            coding.take(number, picture)
            count = number + 1
            work.see(coding.executor.tally.frames)
        if not count:
            return None
        coding.finish()
        work.finish()
        writer.close()
    if not coding.executor.pictures_of_units:
        raise _nothing_sent(clip, count, coding.executor.lost_keys)
    return CodedPart(
        tally=coding.executor.tally,
        pictures_of_units=tuple(coding.executor.pictures_of_units),
        sei_bytes=writer.sei_bytes,
        base_codec_seconds=coding.base.seconds,
        lost_keys=coding.executor.lost_keys,
    )


def _expected(pictures: Iterable[Picture], analyser: Analyser) -> Generator[Picture, None, None]:
    """The pictures; other threads have the analyser look at some before their turn."""

    def look(picture: Picture) -> Picture:
        analyser.expect(picture)
        return picture

    return map_in_order(look, pictures)


def joined(parts: Sequence[CodedPart]) -> CodedPart:
    """What became of the pictures of successive parts together."""
    tally = Tally()
    for field in fields(Tally):
        total = sum(getattr(part.tally, field.name) for part in parts)
        setattr(tally, field.name, total)
    return CodedPart(
        tally,
        tuple(pictures for part in parts for pictures in part.pictures_of_units),
        sum(part.sei_bytes for part in parts),
        sum(part.base_codec_seconds for part in parts),
        sum(part.lost_keys for part in parts),
    )


def _nothing_sent(clip: Clip, pictures: int, lost_keys: int) -> InputError:
    """Why a clip is refused."""
    if lost_keys:
        return clip.too_coarse()
    part = " of a part" if clip.options.restarts else ""
    return InputError(
        f"{clip.source}: shows no face in any of its {pictures} pictures{part}; "
        "a face must be in view, and not much smaller than a tenth of the picture; "
        "--fallback auto sends such a clip as ordinary video"
    )
