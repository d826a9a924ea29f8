"""Editing a stream sequence by sequence: new messages in its access units, where numbers change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from gfvc.errors import StreamError
from gfvc.face_edits.clip_controls import ClipControls
from gfvc.face_edits.controls import FaceControls, Limited
from gfvc.face_edits.course import UnitRows, edited_units
from gfvc.face_edits.messages import (
    Coded,
    EditedMessages,
    base_like,
    edited_messages,
    finer,
)
from gfvc.face_edits.rewriting import CodedFaceReader, Inform, enhanced, rewritten
from gfvc.face_edits.seen import SeenClip, SeenUnit
from gfvc.face_edits.user_data import informing
from gfvc.options.editing import FaceEdit
from gfvc.parameter_rows import layout_of
from gfvc.stream.byte_stream import read_nal_units
from gfvc.stream.picture_units import PictureUnit
from models.contract import FloatArray
from sei import Codec, GenerativeFaceVideo, NalUnit, SeiError, access_units


@dataclass(slots=True)
class EditSummary:
    """What was edited.

    `edited_pictures` are those whose numbers changed, `hidden_coded_pictures` coded pictures in
    whose place a driven one is shown; `limited` tells what was held within what training saw, and
    in how many pictures. Bytes are those of the files.
    """

    pictures: int
    edited_pictures: int = 0
    hidden_coded_pictures: int = 0
    messages_before: int = 0
    messages_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    seconds: float = 0.0
    limited: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """The object that `gfvc edit --json` prints."""
        return asdict(self) | {"limited": dict(self.limited)}


@dataclass(frozen=True, slots=True)
class _Part:
    """An access unit, what a decoder has of it, and the messages that it has.

    `undrawn` is the gfv_id of a face that it has in place of the one that is drawn. `controls`
    are None where no face is known, and nothing is edited.
    """

    units: tuple[NalUnit, ...]
    unit: PictureUnit
    seen: SeenUnit
    faces: list[tuple[bytes, GenerativeFaceVideo]]
    controls: FaceControls | None
    undrawn: int | None = None

    @property
    def rows(self) -> FloatArray:
        """Numbers [pictures, size] of its output pictures."""
        assert self.seen.rows is not None
        return self.seen.rows

    def offset_of_next(self) -> FloatArray | None:
        """What the next coded picture's numbers are against the first of the sequence."""
        if self.controls is None or self.seen.end is None or self.seen.own is None:
            return None
        offset = np.zeros(len(self.seen.own)) + self.controls.offset
        relative = self.controls.relative
        offset[relative] += self.seen.end[relative] - self.seen.own[relative]
        return offset


def _by_number(
    parts: Sequence[_Part], new: Sequence[EditedMessages | None]
) -> list[EditedMessages | None]:
    """New messages of access units by the number in their sequence; None where one is missing."""
    result: list[EditedMessages | None] = []
    for part, messages in zip(parts, new, strict=True):
        if part.unit.part is not None:
            result += [None] * (part.unit.part.number - len(result))
        result.append(messages)
    return result


def _sequences(units: Sequence[PictureUnit]) -> Iterator[tuple[int, int]]:
    """The units of each sequence: the first, and after the last."""
    starts = [place for place, unit in enumerate(units) if place == 0 or unit.starts_sequence]
    yield from pairwise([*starts, len(units)])


class SequenceEditor:
    """Goes through a clip and edits sequence by sequence.

    `left` are the ranges of output pictures that were not edited: first and after the last.
    """

    def __init__(self, clip: SeenClip, controls: ClipControls, edits: Sequence[FaceEdit]) -> None:
        self._clip = clip
        self._controls = controls
        self._edits = edits
        self.left: list[tuple[int, int]] = []
        self._like: Coded | None = None  # the last base message that named the network

    def access_units(self, summary: EditSummary) -> Iterator[tuple[tuple[NalUnit, ...], int]]:
        """Access units, edited, and how many output pictures they and those before have."""
        stream = self._clip.stream
        coded = self._coded_access_units()
        order = iter(stream.coding_order or range(len(stream.units)))
        done, reader = 0, CodedFaceReader()
        with closing(self._clip.units(looks=self._controls.looks)) as seen_units:
            for first, after in _sequences(stream.units):
                # Their places in output order, in which they are seen and edited.
                places = [place - first for place in islice(order, after - first)]
                by_place = dict(zip(places, islice(coded, after - first), strict=True))
                waiting: list[_Part] = []
                at = done
                for place, seen in enumerate(islice(seen_units, after - first)):
                    with _placed(self._clip.source, at):
                        waiting.append(self._part(seen, by_place[place], reader, waiting))
                    at += seen.unit.pictures
                edited = list(self._edited(waiting, done, summary))
                for place in places:
                    done += waiting[place].unit.pictures
                    yield edited[place], done

    def _coded_access_units(self) -> Iterator[tuple[NalUnit, ...]]:
        """Access units as they are, in the order of the stream."""
        path = self._clip.source
        try:
            yield from access_units(read_nal_units(path, Codec(self._clip.stream.codec)))
        except SeiError as error:
            raise StreamError(f"{path}: {error}") from None
        raise StreamError(f"{path}: was changed while it was read")

    def _part(
        self,
        seen: SeenUnit,
        units: tuple[NalUnit, ...],
        reader: CodedFaceReader,
        before: Sequence[_Part],
    ) -> _Part:
        """The next access unit; `before` are those of its sequence before it."""
        if enhanced(units):
            raise StreamError(
                "enhancement messages say more of pictures as they were; gfvc remove "
                "--payload 224 takes them out"
            )
        unit = seen.unit
        further = {face.gfv_id for face in unit.further}
        faces = reader.read(units, further)
        if len(faces) != len(unit.messages):
            raise StreamError(
                "face messages stand elsewhere than in the access unit of their picture"
            )
        if faces and (self._like is None or faces[0][1].network is not None):
            self._like = faces[0][1], unit.messages[0].values
        others = reader.others - further
        undrawn = min(others) if others and not faces else None
        controls = None
        if seen.own is not None and self._like is not None:
            offset = before[-1].offset_of_next() if before else None
            controls = self._controls.of(seen.own, seen.picture, offset, seen.shown)
        return _Part(
            units,
            unit,
            replace(seen, shown=None, picture=None, draw=None),
            faces,
            controls,
            undrawn,
        )

    def _edited(
        self, parts: Sequence[_Part], start: int, summary: EditSummary
    ) -> Iterator[tuple[NalUnit, ...]]:
        """The access units of a sequence, which starts at an output picture, with their edits."""
        with _placed(self._clip.source, start):
            new = self._new_messages(parts, start, summary)
            changes: list[Inform | None] = [None] * len(parts)
            if any(each is not None for each in new):
                changes[0] = informing(parts[0].unit, _by_number(parts, new))
            for part, messages, inform in zip(parts, new, changes, strict=True):
                units = part.units
                if messages is not None and part.undrawn is not None:
                    raise StreamError(
                        f"its face has gfv_id {part.undrawn}, and not that of the face that is "
                        "drawn and edited; leave its time out with --from and --to"
                    )
                if messages is not None or inform is not None:
                    old = [payload for payload, _ in part.faces]
                    payloads = old if messages is None else messages.payloads
                    units = tuple(rewritten(units, old, payloads, inform))
                yield units

    def _new_messages(
        self, parts: Sequence[_Part], start: int, summary: EditSummary
    ) -> list[EditedMessages | None]:
        """New messages of the access units of a sequence; None: as they are."""
        bounds = list(accumulate((part.unit.pictures for part in parts), initial=start))
        edited, times = [], []
        for part, (first, after) in zip(parts, pairwise(bounds), strict=True):
            if part.controls is None:
                self._leave(first, after)
            else:
                edited.append(UnitRows(part.rows, part.controls))
                times.append(np.arange(first, after) / self._clip.rate)
        summary.messages_before += sum(len(part.faces) for part in parts)
        results: Iterator[Limited] = iter(())
        if edited:
            all_times = np.concatenate(times)
            results = iter(edited_units(edited, all_times, self._edits, self._controls.mean_pose))
        new = [
            None if part.controls is None else self._messages(part, next(results), summary)
            for part in parts
        ]
        if any(each is not None for each in new) and new[0] is None and not parts[0].faces:
            # The first coded picture names the network, if any picture of its sequence is drawn.
            own = parts[0].seen.own
            if own is None:
                raise StreamError("shows no face, and those after it cannot be drawn")
            new[0] = EditedMessages([base_like(self._base_like(), own)], 1, (), False)
        summary.messages_after += sum(
            len(part.faces if messages is None else messages.payloads)
            for part, messages in zip(parts, new, strict=True)
        )
        return new

    def _messages(
        self, part: _Part, result: Limited, summary: EditSummary
    ) -> EditedMessages | None:
        """New messages of an access unit with other numbers; None where they are the same."""
        unit, seen = part.unit, part.seen
        assert seen.own is not None
        like = self._base_like()
        layout = finer(layout_of(unit.messages[0].values if unit.messages else like[1]))
        shown = part.rows
        changed = (np.abs(result.rows - shown) * 2.0**layout.precisions >= 0.5).any(axis=1)
        summary.edited_pictures += int(changed.sum())
        summary.limited.update(result.counts)
        if not changed.any():
            return None
        leading = unit.leading
        hides = unit.hides_coded_picture or bool(changed[leading])
        # Leading pictures are numbered backwards from the coded one.
        numbered = np.concatenate(
            [
                seen.own[None],
                result.rows[:leading][::-1],
                result.rows[leading if hides else leading + 1 :],
            ]
        )
        if not unit.can_be_entered:
            like = replace(like[0], network=None, extension=None), like[1]
        coded = [face for _, face in part.faces]
        messages = edited_messages(unit, coded, like, numbered, seen.end, hides=hides)
        if not messages.sent and not coded and unit.has_later_reference:
            return None  # So little that it is not told: a base message would stand for nothing.
        summary.hidden_coded_pictures += hides
        return messages

    def _leave(self, first: int, after: int) -> None:
        """Remember that some pictures are not edited."""
        if self.left and self.left[-1][1] == first:
            first = self.left.pop()[0]
        self.left.append((first, after))

    def _base_like(self) -> Coded:
        """A base message that names the network."""
        assert self._like is not None
        return self._like


@contextmanager
def _placed(source: Path, picture: int) -> Iterator[None]:
    """Errors within say where they are."""
    try:
        yield
    except (StreamError, SeiError) as error:
        raise StreamError(f"{source}: access unit of picture {picture}: {error}") from None
