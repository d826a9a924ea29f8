"""Editing the face of a stream: other numbers in its messages, the same coded pictures."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from gfvc.decoded_units import check_restrictions, decode_units, find_model
from gfvc.driven_pictures import base_parameters, parameters_of_pictures
from gfvc.errors import InputError, OutputError, StreamError
from gfvc.face_edits.controls import AS_ASKED, FaceControls, Response
from gfvc.face_edits.course import edited
from gfvc.face_edits.keypoint_controls import KeypointControls, RotationControls
from gfvc.face_edits.landmark_controls import LandmarkControls
from gfvc.face_edits.messages import EditedMessages, edited_messages, finer
from gfvc.face_edits.preview import write_preview
from gfvc.face_edits.response import Draw, ResponseFinder, mean_response
from gfvc.face_edits.rewriting import FaceReader, Inform, enhanced, rewritten
from gfvc.grey_pictures import prepare_key
from gfvc.options.decoding import BaseLayerOptions
from gfvc.options.editing import FaceEdit
from gfvc.output import check_writable, replaced_when_complete
from gfvc.parameter_rows import layout_of
from gfvc.stream.byte_stream import read_nal_units
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.marking import marked_again
from gfvc.stream.names import check_suffix
from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.reader import read_face_stream
from gfvc.stream.signatures import SignatureWatch
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

Notes = Callable[[str], None]
Progress = Callable[[int, "int | None"], None]

RESPONSES, PICTURES_LOOKED_AT = 2, 6
"""Access units, the first of a stream, and pictures of each, in which it is seen how much of an
edit shows."""

_SEEN = frozenset({"yaw", "pitch", "mouth", "open", "eyes", "blink"})
"""What key pictures are looked at for."""


@dataclass(slots=True)
class EditSummary:
    """What was edited.

    `edited_pictures` are those whose numbers changed, `hidden_key_pictures` key pictures in whose
    place a driven one is shown; `limited` tells of how many pictures what was held within what
    training saw. Bytes are those of the files.
    """

    pictures: int
    edited_pictures: int = 0
    hidden_key_pictures: int = 0
    messages_before: int = 0
    messages_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    seconds: float = 0.0
    limited: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        """The object that `gfvc edit --json` prints."""
        return asdict(self) | {"limited": dict(self.limited)}


def _ignore(*_: object) -> None:
    """Default for notes and progress."""


def edit(
    source: Path,
    output: Path,
    edits: FaceEdit | Sequence[FaceEdit],
    *,
    preview: Path | None = None,
    options: BaseLayerOptions = BaseLayerOptions(),
    force: bool = False,
    registry: Registry | None = None,
    notes: Notes = _ignore,
    progress: Progress = _ignore,
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
    if stream.pictures_as_coded:
        notes(
            f"{source}: {stream.pictures_as_coded} of {stream.pictures} pictures are ordinary "
            "video, and stay as they are"
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
    for unit in stream.units:
        if unit.part is not None:
            raise InputError(
                f"{source}: has coded pictures between key pictures, which show the face as "
                "it was filmed; encode with --key-pictures fixed to edit it"
            )
        if unit.references is not None:
            raise InputError(
                f"{source}: has pictures that are drawn from earlier key pictures; encode "
                "without --reference-pool to edit it"
            )


class _Editor:
    """Goes through a stream and edits access unit by access unit."""

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
        self._rate = float(options.rate or stream.rate)
        self._layout = layout
        self._edits = edits
        self._reference: FloatArray | None = None
        kind = _kind_of(layout)
        asked = [name for each in edits for name in each.asked]
        wrong = [name for name in asked if name not in kind.can]
        if wrong:
            raise InputError(f"{source}: {model} cannot do --{wrong[0]}: {kind.why_not}")
        self._kind = kind
        self._sees = kind is LandmarkControls and bool(_SEEN & set(asked))
        self._response = AS_ASKED
        if self._sees:
            self._response = self._find_response()
        self._mean_pose = self._find_mean_pose() if "pose" in asked else np.zeros(6)

    def access_units(self, summary: EditSummary) -> Iterator[tuple[tuple[NalUnit, ...], int]]:
        """Access units, edited, and the number of output pictures up to their end."""
        path = self._source
        coded = access_units(read_nal_units(path, Codec(self._stream.codec)))
        done = 0
        reader, pictures = FaceReader(), self._key_pictures()
        for unit in self._stream.units:
            units = next(coded, None)
            key = next(pictures)
            if units is None:
                raise StreamError(f"{path}: was changed while it was read")
            try:
                if enhanced(units):
                    raise StreamError(
                        "enhancement messages say more of pictures as they were; gfvc remove "
                        "--payload 224 takes them out"
                    )
                faces = reader.read(units)
                if len(faces) != len(unit.messages):
                    raise StreamError(
                        "face messages stand elsewhere than in the access unit of their picture"
                    )
                if not unit.is_alone:
                    start = done / self._rate
                    new = self._edited(unit, [face for _, face in faces], key, start, summary)
                    if new is not None:
                        old = [payload for payload, _ in faces]
                        units = tuple(rewritten(units, old, new.payloads, _informing(new)))
                done += unit.pictures
            except (StreamError, SeiError) as error:
                raise StreamError(f"{path}: access unit of picture {done}: {error}") from None
            yield units, done

    def _edited(
        self,
        unit: PictureUnit,
        coded: list[GenerativeFaceVideo],
        key: Picture | None,
        start: float,
        summary: EditSummary,
    ) -> EditedMessages | None:
        """New messages of an access unit that starts at a second; None: as they are."""
        rows = self._rows(unit)
        shown = rows[1:] if unit.hides_coded_picture else rows
        times = start + np.arange(len(shown)) / self._rate
        controls = self._controls(rows[0], key)
        result = edited(shown, times, self._edits, controls, self._mean_pose)
        layout = finer(layout_of(unit.messages[0].values))
        changed = (np.abs(result.rows - shown) * 2.0**layout.precisions >= 0.5).any(axis=1)
        summary.messages_before += len(coded)
        summary.edited_pictures += int(changed.sum())
        summary.limited.update(result.held)
        if not changed.any():
            summary.messages_after += len(coded)
            return None
        hides = unit.hides_coded_picture or bool(changed[0])
        numbered = np.concatenate([rows[:1], result.rows]) if hides else result.rows
        messages = edited_messages(unit, coded, numbered, hides=hides)
        summary.messages_after += len(messages.payloads)
        summary.hidden_key_pictures += hides
        return messages

    @cached_property
    def _face_space(self) -> FaceSpace:
        return shipped_face_space()

    def _rows(self, unit: PictureUnit) -> FloatArray:
        """Numbers [pictures, size] of all numbered pictures, as a decoder has them."""
        found = parameters_of_pictures(
            unit, self._layout, self._source, repack=self._stream.is_repacked
        )
        return np.stack([self._layout.flatten(parameters) for parameters in found])

    def _find_mean_pose(self) -> FloatArray:
        total, count = np.zeros(6), 0
        for unit in self._stream.units:
            if unit.is_alone:
                continue
            rows = self._rows(unit)
            shown = rows[unit.hides_coded_picture :]
            total += self._controls(rows[0], None).pose(shown).sum(axis=0)
            count += len(shown)
        return total / count

    def _controls(self, key: FloatArray, picture: Picture | None) -> FaceControls:
        """Controls of an access unit with the numbers of its base message."""
        if self._reference is None:
            self._reference = key
        if self._kind is KeypointControls:
            return KeypointControls(self._layout, self._reference, key)
        if self._kind is RotationControls:
            return RotationControls(key)
        if self._kind is not LandmarkControls:
            return FaceControls()
        rest = None
        if picture is not None:
            rest = find_rest_face(self._face_space, picture, key[:FACE_VALUES] * UNITS).rest
        return LandmarkControls(self._face_space, key, rest, self._response)

    @cached_property
    def model(self) -> AnimationModel:
        """The stream's model, loaded when it is asked for."""
        return self._registered.load(self._options.runtime)

    def _find_response(self) -> Response:
        """The mean response of the first access units."""
        finder = ResponseFinder(self._face_space, self._edits)
        found = []
        with closing(self._key_pictures()) as pictures:
            for unit, picture in zip(self._stream.units, pictures, strict=False):
                if unit.is_alone or picture is None:
                    continue
                response = finder.find(self._drawing(unit, picture))
                found += [] if response is None else [response]
                if len(found) == RESPONSES:
                    break
        return mean_response(found)

    def _drawing(self, unit: PictureUnit, picture: Picture) -> Draw:
        """Draws pictures of an access unit with an edit and a response."""
        path, layout = self._source, self._layout
        own = base_parameters(unit, layout, path, repack=self._stream.is_repacked)
        reference = prepare_key(self.model, picture, own)
        rows = self._rows(unit)
        chosen = rows[np.linspace(0, len(rows) - 1, PICTURES_LOOKED_AT + 1).astype(int)[:-1]]

        def draw(trial: FaceEdit | None, response: Response) -> list[Picture]:
            self._response = response
            drawn = chosen
            if trial is not None:
                controls = self._controls(rows[0], picture)
                drawn = edited(chosen, np.zeros(len(chosen)), [trial], controls, np.zeros(6)).rows
            return [reference.animate(layout.unflatten(row)) for row in drawn]

        return draw

    def _key_pictures(self) -> Generator[Picture | None, None, None]:
        """Decoded coded pictures, where openings are to be seen in them."""
        if self._sees:
            timeout, area = self._options.timeout, self._options.max_area
            for decoded in decode_units(self._source, self._stream, self.model, timeout, area=area):
                yield decoded.picture
        while True:
            yield None


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


def _informing(messages: EditedMessages) -> Inform:
    return lambda information: replace(
        information, schedule=messages.schedule, hides_coded_picture=messages.hides_coded_picture
    )
