"""Editing the face of a stream: other numbers in its messages, the same coded pictures."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gfvc.decoded_units import check_restrictions, find_model
from gfvc.errors import InputError, OutputError, StreamError
from gfvc.face_edits.controls import AS_ASKED, NO_PUPILS, FaceControls, Limited, Response
from gfvc.face_edits.course import Stretch, edited, edited_stretches, strengths
from gfvc.face_edits.keypoint_controls import KeypointControls, RotationControls
from gfvc.face_edits.landmark_controls import LandmarkControls
from gfvc.face_edits.messages import (
    Coded,
    EditedMessages,
    base_like,
    edited_messages,
    finer,
)
from gfvc.face_edits.preview import write_preview
from gfvc.face_edits.response import ResponseFinder, TrialDraw
from gfvc.face_edits.rewriting import FaceReader, Inform, enhanced, rewritten
from gfvc.face_edits.seen import Draw, SeenUnit, decoded_units, stated_units
from gfvc.options.decoding import BaseLayerOptions
from gfvc.options.editing import FaceEdit
from gfvc.output import check_writable, replaced_when_complete
from gfvc.parameter_rows import layout_of
from gfvc.stream.byte_stream import read_nal_units
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.information import StreamInformation
from gfvc.stream.marking import marked_again
from gfvc.stream.names import check_suffix
from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.reader import read_face_stream
from gfvc.stream.schedule import PictureSchedule
from gfvc.stream.sequence import SequenceSchedule
from gfvc.stream.signatures import SignatureWatch
from gfvc.telling import Notes, Progress, unheard
from models import (
    AnimationModel,
    ParameterLayout,
    RegisteredModel,
    Registry,
    default_registry,
)
from models.contract import HEAD_ROTATION, FloatArray, Picture
from models.landmarks.face_space import FaceSpace, shipped_face_space
from models.landmarks.layout import FACE_VALUES, face_layout
from models.landmarks.values import UNITS, find_rest_face
from sei import Codec, GenerativeFaceVideo, NalUnit, SeiError, access_units

PICTURES_LOOKED_AT, LOOKED_AT_SECONDS, STRONG = 12, 10, 0.5
"""Pictures in which it is seen how much of an edit shows: so many, spread over so many seconds from
the first in which an edit is so strong."""

_RANGES_TOLD = 3

_SEEN = frozenset({"yaw", "pitch", "mouth", "open", "eyes", "blink"})
"""What key pictures are looked at for."""


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


def edit(
    source: Path,
    output: Path,
    edits: FaceEdit | Sequence[FaceEdit],
    *,
    preview: Path | None = None,
    options: BaseLayerOptions = BaseLayerOptions(),
    force: bool = False,
    registry: Registry | None = None,
    notes: Notes = unheard,
    progress: Progress = unheard,
) -> EditSummary:
    """Edit the face of a byte stream, by one edit or several, one after the other.

    Coded pictures and all else stay as they are, but for our user data and the mark of the stream,
    which says afterwards that it was edited.

    `preview` is a PNG file that gets pictures before and after; `options` say how the stream is
    read and its key pictures are decoded. `notes` is told what a user should know, `progress` the
    number of pictures done and the total.

    Raises `InputError` when an edit cannot be done with the stream's model, or the stream's coded
    pictures show the face beside its messages; `StreamError` when it cannot be read; `OutputError`,
    `ModelError`, `BaseCodecError`. Then `output` and `preview` are as they were.
    """
    started = time.perf_counter()
    chosen = (edits,) if isinstance(edits, FaceEdit) else tuple(edits)
    if not chosen:
        raise ValueError("no edits are given")
    for path in (output, *([] if preview is None else [preview])):
        check_writable(path, force=force, sources=[source])
    if preview is not None:
        if os.path.realpath(preview) == os.path.realpath(output):
            raise OutputError(f"{preview}: is the output itself; choose another name for it")
        if preview.suffix.lower() != ".png":
            raise OutputError(f"{preview}: a preview is a PNG file; give it a name on .png")
    stream = read_face_stream(source, notes, options.codec, options.limits)
    check_suffix(output, stream.codec)
    _check_editable(source, stream, options)
    registered = find_model(source, stream, registry or default_registry())
    editor = _Editor(source, stream, registered, chosen, options)
    summary, signatures = EditSummary(stream.pictures), SignatureWatch()
    with (
        replaced_when_complete(output, force=force, sources=[source]) as temporary,
        temporary.open("wb") as file,
    ):
        units = _told(editor.access_units(summary), progress, stream.pictures)
        for unit in marked_again(signatures.passed(units)):
            file.write(unit.to_annex_b())
        file.flush()
        if preview is not None:
            with replaced_when_complete(preview, force=force, sources=[source]) as picture:
                write_preview(picture, source, temporary, editor.model, chosen, options)
        summary.bytes_after = temporary.stat().st_size
    summary.bytes_before = source.stat().st_size
    if summary.limited:
        what = ", ".join(f"{name} in {count}" for name, count in summary.limited.items())
        notes(f"{output}: held within what training saw: {what} of {stream.pictures} pictures")
    if editor.left:
        count = sum(after - first for first, after in editor.left)
        times = ", ".join(
            f"{first / editor.rate:.2f} to {after / editor.rate:.2f} s"
            for first, after in editor.left[:_RANGES_TOLD]
        )
        further = ", …" if len(editor.left) > _RANGES_TOLD else ""
        notes(
            f"{source}: {count} of {stream.pictures} pictures ({times}{further}) stay as filmed: "
            "they are ordinary video, or no face is known in them"
        )
    broken = signatures.broken(source, output)
    if broken is not None:
        notes(broken)
    summary.seconds = time.perf_counter() - started
    return summary


def _told(
    access_units: Iterator[tuple[tuple[NalUnit, ...], int]], progress: Progress, total: int
) -> Iterator[NalUnit]:
    """The NAL units; `progress` is told of each access unit."""
    for units, done in access_units:
        yield from units
        progress(done, total)


def _check_editable(source: Path, stream: FaceStream, options: BaseLayerOptions) -> None:
    """Raise `InputError` where a face is seen beside messages, `StreamError` for restrictions."""
    if not stream.draws:
        raise InputError(f"{source}: all of it is ordinary video; there is no face to edit")
    check_restrictions(source, stream, options, "its face would be edited")
    if any(unit.references is not None for unit in stream.units):
        raise InputError(
            f"{source}: has pictures that are drawn from earlier key pictures; encode "
            "without --reference-pool to edit it"
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """An access unit, what a decoder has of it, and the messages that it has.

    `controls` are None where no face is known, and nothing is edited.
    """

    units: tuple[NalUnit, ...]
    unit: PictureUnit
    seen: SeenUnit
    faces: list[tuple[bytes, GenerativeFaceVideo]]
    controls: FaceControls | None

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


class _Editor:
    """Goes through a stream and edits sequence by sequence."""

    def __init__(
        self,
        source: Path,
        stream: FaceStream,
        registered: RegisteredModel,
        edits: tuple[FaceEdit, ...],
        options: BaseLayerOptions,
    ) -> None:
        self._registered = registered
        self._options = options
        self._source = source
        model, layout = registered.card.name, registered.card.layout
        if stream.rate is None:
            raise InputError(
                f"{source}: states no picture rate; only streams of gfvc's own are edited"
            )
        self._stream = stream
        self.rate = float(options.rate or stream.rate)
        self.left: list[tuple[int, int]] = []  # first and after the last picture that is not edited
        self._layout = layout
        self._edits = edits
        self._reference: FloatArray | None = None
        self._like: Coded | None = None  # the last base message that named the network
        kind = _kind_of(layout)
        asked = [name for each in edits for name in each.asked]
        wrong = [name for name in asked if name not in kind.can]
        if wrong:
            why = NO_PUPILS if wrong[0] == "gaze" else kind.why_not
            raise InputError(f"{source}: {model} cannot do --{wrong[0]}: {why}")
        self._kind = kind
        self._sees = kind is LandmarkControls and bool(_SEEN & set(asked))
        self._decodes = self._sees or any(unit.part is not None for unit in stream.units)
        self._response = AS_ASKED
        if self._sees:
            self._response = self._find_response()
        self._mean_pose = self._find_mean_pose() if "pose" in asked else np.zeros(6)

    def access_units(self, summary: EditSummary) -> Iterator[tuple[tuple[NalUnit, ...], int]]:
        """Access units, edited, and the number of output pictures up to their end."""
        path = self._source
        coded = access_units(read_nal_units(path, Codec(self._stream.codec)))
        done, reader = 0, FaceReader()
        waiting: list[_Part] = []
        with closing(self._seen_units()) as seen_units:
            for seen in seen_units:
                if waiting and not waiting[-1].unit.is_followed_by(seen.unit):
                    yield from self._edited(waiting, done, summary)
                    done += sum(part.unit.pictures for part in waiting)
                    waiting = []
                units = next(coded, None)
                if units is None:
                    raise StreamError(f"{path}: was changed while it was read")
                at = done + sum(part.unit.pictures for part in waiting)
                with _placed(path, at):
                    waiting.append(self._part(seen, units, reader, waiting))
        yield from self._edited(waiting, done, summary)

    def _part(
        self,
        seen: SeenUnit,
        units: tuple[NalUnit, ...],
        reader: FaceReader,
        before: Sequence[_Part],
    ) -> _Part:
        """The next access unit; `before` are those of its sequence before it."""
        if enhanced(units):
            raise StreamError(
                "enhancement messages say more of pictures as they were; gfvc remove "
                "--payload 224 takes them out"
            )
        unit = seen.unit
        faces = reader.read(units)
        if len(faces) != len(unit.messages):
            raise StreamError(
                "face messages stand elsewhere than in the access unit of their picture"
            )
        if faces and (self._like is None or faces[0][1].network is not None):
            self._like = faces[0][1], unit.messages[0].values
        controls = None
        if seen.own is not None and self._like is not None:
            offset = before[-1].offset_of_next() if before else None
            controls = self._controls(seen.own, seen.picture, offset)
        return _Part(units, unit, replace(seen, picture=None, draw=None), faces, controls)

    def _edited(
        self, parts: Sequence[_Part], start: int, summary: EditSummary
    ) -> Iterator[tuple[tuple[NalUnit, ...], int]]:
        """The access units of a sequence, which starts at an output picture, with their edits."""
        with _placed(self._source, start):
            new = self._new_messages(parts, start, summary)
            changes: list[Inform | None] = [None] * len(parts)
            if any(each is not None for each in new):
                changes[0] = _informing(parts, new)
            done = start
            for part, messages, inform in zip(parts, new, changes, strict=True):
                units, done = part.units, done + part.unit.pictures
                if messages is not None or inform is not None:
                    old = [payload for payload, _ in part.faces]
                    payloads = old if messages is None else messages.payloads
                    units = tuple(rewritten(units, old, payloads, inform))
                yield units, done

    def _new_messages(
        self, parts: Sequence[_Part], start: int, summary: EditSummary
    ) -> list[EditedMessages | None]:
        """New messages of the access units of a sequence; None: as they are."""
        bounds = list(accumulate((part.unit.pictures for part in parts), initial=start))
        stretches, times = [], []
        for part, (first, after) in zip(parts, pairwise(bounds), strict=True):
            if part.controls is None:
                self._leave(first, after)
            else:
                stretches.append(Stretch(part.rows, part.controls))
                times.append(np.arange(first, after) / self.rate)
        summary.messages_before += sum(len(part.faces) for part in parts)
        results: Iterator[Limited] = iter(())
        if stretches:
            all_times = np.concatenate(times)
            results = iter(edited_stretches(stretches, all_times, self._edits, self._mean_pose))
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

    @cached_property
    def _face_space(self) -> FaceSpace:
        return shipped_face_space()

    def _find_mean_pose(self) -> FloatArray:
        total, count = np.zeros(6), 0
        with closing(self._seen_units()) as units:
            for seen in units:
                if seen.own is None or seen.rows is None:
                    continue
                poses = self._controls(seen.own, None, None).pose(seen.rows)
                total += poses.sum(axis=0)
                count += len(poses)
        return total / max(1, count)

    def _controls(
        self, own: FloatArray, picture: Picture | None, offset: FloatArray | None
    ) -> FaceControls:
        """Controls of an access unit with the numbers of its coded picture."""
        if self._reference is None:
            self._reference = own
        if self._kind is KeypointControls:
            return KeypointControls(self._layout, self._reference, own)
        if self._kind is RotationControls:
            return RotationControls(own)
        if self._kind is not LandmarkControls:
            return FaceControls()
        rest = None
        if picture is not None and self._sees:
            rest = find_rest_face(self._face_space, picture, own[:FACE_VALUES] * UNITS).rest
        return LandmarkControls(self._face_space, own, rest, self._response, offset)

    @cached_property
    def model(self) -> AnimationModel:
        """The stream's model, loaded when it is asked for."""
        return self._registered.load(self._options.runtime)

    def _find_response(self) -> Response:
        """The mean response of pictures within the time of the edits."""
        finder = ResponseFinder(self._face_space, self._edits)
        numbers = self._pictures_looked_at()
        done = 0
        with closing(self._seen_units()) as units:
            for seen in units if numbers else ():
                first, done = done, done + seen.unit.pictures
                places = [number - first for number in numbers if first <= number < done]
                if places and seen.draw is not None and seen.rows is not None:
                    finder.look(self._drawing(seen, seen.rows, places, seen.draw))
                if done > numbers[-1]:
                    break
        return finder.response()

    def _pictures_looked_at(self) -> list[int]:
        """Numbers of a few output pictures in which edits of what is looked at are strong."""
        times = np.arange(self._stream.pictures) / self.rate
        seen = [strengths(edit, times) for edit in self._edits if edit.asked.keys() & _SEEN]
        strong = np.flatnonzero(np.max(seen, axis=0) >= STRONG)
        strong = strong[: max(1, round(LOOKED_AT_SECONDS * self.rate))]
        places = np.linspace(0, len(strong), PICTURES_LOOKED_AT, endpoint=False).astype(int)
        return sorted({int(number) for number in strong[places]}) if len(strong) else []

    def _drawing(
        self, seen: SeenUnit, rows: FloatArray, places: list[int], drawn: Draw
    ) -> TrialDraw:
        """Draws some pictures of an access unit with an edit and a response."""
        own = seen.own
        assert own is not None
        count, chosen = len(places), rows[places]

        def draw(
            trial: FaceEdit | None, response: Response
        ) -> tuple[list[Picture], npt.NDArray[np.bool_]]:
            self._response = response
            result = Limited(chosen, {})
            if trial is not None:
                controls = self._controls(own, seen.picture, None)
                result = edited(chosen, np.zeros(count), [trial], controls, np.zeros(6))
            return drawn(places, result.rows), result.as_asked

        return draw

    def _seen_units(self) -> Generator[SeenUnit, None, None]:
        """The units, decoded where something is to be seen in coded pictures."""
        if self._decodes:
            yield from decoded_units(self._source, self._stream, self.model, self._options)
        else:
            yield from stated_units(self._source, self._stream, self._layout)


@contextmanager
def _placed(source: Path, picture: int) -> Iterator[None]:
    """Errors within say where they are."""
    try:
        yield
    except (StreamError, SeiError) as error:
        raise StreamError(f"{source}: access unit of picture {picture}: {error}") from None


def _kind_of(layout: ParameterLayout) -> type[FaceControls]:
    """What is known of the numbers of a model with this layout."""
    further = layout.size - FACE_VALUES
    if further >= 0 and layout == face_layout(further):
        return LandmarkControls
    if layout.keypoints:
        return KeypointControls
    if [matrix.matrix_type for matrix in layout.matrices][:1] == [HEAD_ROTATION]:
        return RotationControls
    return FaceControls


def _informing(parts: Sequence[_Part], new: Sequence[EditedMessages | None]) -> Inform:
    """Changes user data as the new messages of a sequence, or of a lone picture, want it."""
    (unit, messages), *_ = pairs = [
        (part.unit, messages) for part, messages in zip(parts, new, strict=True)
    ]

    def inform(information: StreamInformation) -> StreamInformation:
        if unit.part is None:
            assert messages is not None
            schedule = None
            if unit.schedule is not None:
                schedule = PictureSchedule(messages.pictures, messages.sent)
            hides = messages.hides_coded_picture
            return replace(information, schedule=schedule, hides_coded_picture=hides)
        if information.sequence is None:
            return information
        return replace(information, sequence=_changed_schedule(information.sequence, pairs))

    return inform


def _changed_schedule(
    schedule: SequenceSchedule, pairs: Sequence[tuple[PictureUnit, EditedMessages | None]]
) -> SequenceSchedule:
    """The schedule of a sequence with new messages of some of its coded pictures."""
    driven: list[int] = []
    sent: list[int] = []
    hidden: list[int] = []
    start = 0
    for number in range(len(schedule.driven)):
        # Those that a stream lacks that was cut off stay.
        messages = pairs[number][1] if number < len(pairs) else None
        if messages is None:
            of_unit = schedule.unit(number)
            count, numbers, hides = of_unit.pictures, of_unit.sent, schedule.is_hidden(number)
        else:
            count, numbers = messages.pictures, messages.sent
            hides = messages.hides_coded_picture
        driven.append(count - 1)
        sent += [start + picture for picture in numbers]
        hidden += [number] if hides else []
        start += count - 1
    try:
        return replace(schedule, driven=tuple(driven), sent=tuple(sent), hidden=tuple(hidden))
    except ValueError as error:
        raise StreamError(f"its schedule has no room for the edit: {error}") from None
