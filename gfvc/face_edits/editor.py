"""Editing the face of a stream: other numbers in its messages, the same coded pictures."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from gfvc.contained_streams import ByteStream, as_byte_stream
from gfvc.decoded_units import check_restrictions, find_model
from gfvc.errors import InputError, OutputError
from gfvc.face_edits.clip_controls import ClipControls
from gfvc.face_edits.preview import write_preview
from gfvc.face_edits.seen import SeenClip
from gfvc.face_edits.sequence_editor import EditSummary, SequenceEditor
from gfvc.given import check_call, check_kinds, input_file, output_file
from gfvc.options.decoding import BaseLayerOptions
from gfvc.options.editing import FaceEdit
from gfvc.output import StrPath, check_writable, replaced_when_complete
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.marking import marked_again
from gfvc.stream.names import check_suffix
from gfvc.stream.reader import read_face_stream
from gfvc.stream.signatures import SignatureWatch
from gfvc.telling import Notes, Progress, passes_on, unheard
from models import Registry, default_registry
from sei import Codec, NalUnit

_RANGES_TOLD = 3


@passes_on
def edit(
    source: StrPath,
    output: StrPath,
    edits: FaceEdit | Sequence[FaceEdit],
    *,
    preview: StrPath | None = None,
    options: BaseLayerOptions = BaseLayerOptions(),
    force: bool = False,
    registry: Registry | None = None,
    notes: Notes = unheard,
    progress: Progress = unheard,
) -> EditSummary:
    """Edit the face of a stream, by one edit or several, one after the other.

    Coded pictures and all else stay as they are, but for our user data and the mark of the stream,
    which says afterwards that it was edited. Where no picture changes, `output` is a copy. The
    stream may be in a container; `output` may be an MP4 file then, with the sound of that.

    `preview` is a PNG file that gets pictures before and after; `options` say how the stream is
    read and its coded pictures are decoded. `force` replaces `output` and `preview` where they
    exist; models come from `registry`, those that are installed by default. `notes` is told what a
    user should know, `progress` the number of pictures done and the total.

    Raises `InputError` when `source` draws no picture, draws from earlier key
    pictures (`--reference-pool`) or states no picture rate, and when an edit cannot be done with
    its model, or there is no picture in its time; `StreamError` when it cannot be read, restricts
    such use or has enhancement messages; `OutputError`, `ModelError`, `BaseCodecError`. Then
    `output` and `preview` are as they were. `ValueError` where `edits` are none,
    `TypeError` for what is of another type.
    """
    started = time.perf_counter()
    source, output = input_file(source), output_file(output)
    preview = None if preview is None else output_file(preview)
    check_call((options, BaseLayerOptions), force, registry, notes=notes, progress=progress)
    chosen = tuple(edits) if isinstance(edits, Sequence) else (edits,)
    if not chosen:
        raise ValueError("no edits are given")
    for each in chosen:
        check_kinds(edits=(each, FaceEdit))
    for path in (output, *([] if preview is None else [preview])):
        check_writable(path, force=force, sources=[source])
    if preview is not None:
        if os.path.realpath(preview) == os.path.realpath(output):
            raise OutputError(f"{preview}: is the output itself; choose another name for it")
        if preview.suffix.lower() != ".png":
            raise OutputError(f"{preview}: a preview is a PNG file; give it a name on .png")
    models = registry or default_registry()
    codec = None if options.codec is None else Codec(options.codec)
    with as_byte_stream(source, codec, notes) as taken:
        summary = _edit(taken, source, output, chosen, preview, options, force, models, progress)
    summary.seconds = time.perf_counter() - started
    return summary


def _edit(
    taken: ByteStream,
    given: Path,
    output: Path,
    chosen: Sequence[FaceEdit],
    preview: Path | None,
    options: BaseLayerOptions,
    force: bool,
    models: Registry,
    progress: Progress,
) -> EditSummary:
    """Edit a byte stream, which is `given` or was taken out of that."""
    source, notes = taken.path, taken.notes
    taken.check_output(output)  # before all else, for it takes time to look through the clip
    stream = read_face_stream(source, notes, options.codec, options.max_pictures)
    check_suffix(output, stream.codec)
    _check_editable(source, stream, options)
    registered = find_model(source, stream, models)
    clip = SeenClip(source, stream, registered, options)
    _check_times(clip, chosen)
    controls = ClipControls(source, registered.card, chosen)
    controls.look_through(clip)
    editor = SequenceEditor(clip, controls, chosen)
    summary, signatures = EditSummary(stream.pictures), SignatureWatch()
    with taken.rewritten(output, force=force) as temporary:
        units = _told(editor.access_units(summary), progress, stream.pictures)
        with temporary.open("wb") as file:
            for unit in marked_again(signatures.passed(units)):
                file.write(unit.to_annex_b())
        if not summary.edited_pictures:
            shutil.copyfile(source, temporary)
        if summary.limited:
            what = ", ".join(f"{name} in {count}" for name, count in summary.limited.items())
            notes(f"{output}: held within what training saw: {what} of {stream.pictures} pictures")
        if editor.left:
            notes(f"{source}: {_stay(editor.left, clip)}")
        if summary.edited_pictures:
            signatures.tell(notes, source, output)
        else:
            notes(f"{output}: no picture changed; it is a copy of {source}, marked as that is")
        if preview is not None:
            with replaced_when_complete(preview, force=force, sources=[given]) as picture:
                write_preview(picture, source, temporary, clip.model, chosen, options)
        summary.bytes_after = temporary.stat().st_size
    summary.bytes_before = source.stat().st_size
    return summary


def _check_times(clip: SeenClip, edits: Sequence[FaceEdit]) -> None:
    """Raise `InputError` for an edit in whose time there is no picture."""
    times = np.arange(clip.stream.pictures) / clip.rate
    for number, each in enumerate(edits, 1):
        begin = 0.0 if each.start is None else each.start
        end = np.inf if each.end is None else each.end
        if not np.any((times >= begin) & (times <= end)):
            asked = [f"--from {begin:.10g}"] * (each.start is not None)
            asked += [f"--to {end:.10g}"] * (each.end is not None)
            which = f"edit {number}: " if len(edits) > 1 else ""
            raise InputError(
                f"{clip.source}: {which}there is no picture in {' '.join(asked)}; the clip is "
                f"{clip.stream.pictures / clip.rate:.2f} s long, {clip.rate:.4g} pictures a second"
            )


def _stay(left: Sequence[tuple[int, int]], clip: SeenClip) -> str:
    """What to say of ranges of pictures that were not edited."""
    count = sum(after - first for first, after in left)
    times = ", ".join(
        f"{first / clip.rate:.2f} to {after / clip.rate:.2f} s"
        for first, after in left[:_RANGES_TOLD]
    )
    further = ", …" if len(left) > _RANGES_TOLD else ""
    return (
        f"{count} of {clip.stream.pictures} pictures ({times}{further}) stay as filmed: "
        "they are ordinary video, or no face is known in them"
    )


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
        raise InputError(
            f"{source}: all its pictures are shown as coded, and no message tells of a face in "
            "them; there is none to edit"
        )
    check_restrictions(source, stream, options, "its face would be edited")
    if any(unit.references is not None for unit in stream.units):
        raise InputError(
            f"{source}: has pictures that are drawn from earlier key pictures; encode "
            "without --reference-pool to edit it"
        )
