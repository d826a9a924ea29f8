"""From a stream to a file that other software reads, by the file's suffix."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gfvc.decoded_units import check_restrictions, check_undecoded, picture_rate
from gfvc.editing.cutting import MessageSelection
from gfvc.editing.extraction import extract_messages
from gfvc.errors import InputError, OutputError, StreamError
from gfvc.exporting.arkit import RULED, SHAPES
from gfvc.exporting.bvh import write_bvh
from gfvc.exporting.gltf import load_library, write_glb
from gfvc.exporting.live_link import write_live_link
from gfvc.exporting.motion import Motion, gather, has_face, has_head
from gfvc.exporting.numbers import write_json, write_npz
from gfvc.exporting.reading import (
    HIDDEN,
    ORDINARY,
    SeenFace,
    decoded_faces,
    needs_pictures,
    stated_faces,
)
from gfvc.given import check_call, input_file, output_file
from gfvc.options.exporting import ExportOptions
from gfvc.output import StrPath, check_writable, replaced_when_complete
from gfvc.parameter_rows import layout_of
from gfvc.stream.containers import is_container
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.kept import KeptLines
from gfvc.stream.names import model_uri
from gfvc.stream.reader import read_face_stream
from gfvc.telling import Notes, Progress, passes_on, unheard
from models import (
    ParameterLayout,
    RegisteredModel,
    Registry,
    UnknownModelError,
    default_registry,
)
from models.landmarks.face_space import shipped_face_space
from sei import Codec

CSV, GLB, BVH, JSON, NPZ = SUFFIXES = (".csv", ".glb", ".bvh", ".json", ".npz")
_OF_A_HEAD = (CSV, GLB, BVH)

_NOTHING = "holds no face messages, so there is no motion to export"


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """What was exported.

    `unknown` counts the pictures of which nothing is known, ordinary video among them. `decoded`
    says that coded pictures were decoded for it. `shapes` are the ARKit shapes that a .csv has
    values of, `without_rule` those that are 0 in it; `key_frames` those of a .glb.
    """

    pictures: int
    unknown: int
    model: str | None
    decoded: bool
    shapes: tuple[str, ...] = ()
    without_rule: tuple[str, ...] = ()
    key_frames: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The object that `gfvc export --json` prints."""
        lists = {"shapes": list(self.shapes), "without_rule": list(self.without_rule)}
        return asdict(self) | lists


@passes_on
def export(
    source: StrPath,
    output: StrPath,
    options: ExportOptions = ExportOptions(),
    *,
    force: bool = False,
    registry: Registry | None = None,
    notes: Notes = unheard,
    progress: Progress = unheard,
) -> ExportSummary:
    """Write the motion in a stream for other software.

    The suffix of `output` says how: .csv in the layout of Live Link Face, .glb an animated head,
    .bvh its pose, .json and .npz all values by picture. `force` replaces `output` where it exists;
    models come from `registry`, those that are installed by default. `notes` is told what a user
    should know, such as what is missing; `progress` gets the number of pictures done and the total.
    Raises `GfvcError`, `SeiError`, `ModelError` or `BaseCodecError`, and `TypeError` for what is
    none of these; then `output` is as it was.
    """
    source, output = input_file(source), output_file(output)
    check_call((options, ExportOptions), force, registry, notes=notes, progress=progress)
    suffix = output.suffix.lower()
    if suffix not in SUFFIXES:
        raise OutputError(f"{output}: no suffix of an export; use one of {', '.join(SUFFIXES)}")
    if options.texture and suffix != GLB:
        raise OutputError(f"{output}: only a .glb has a texture; leave out --texture")
    check_writable(output, force=force, sources=[source])
    stream = read_face_stream(source, notes, options.codec, options.max_pictures)
    if not stream.draws:
        raise StreamError(f"{source}: {_NOTHING}")
    check_restrictions(source, stream, options, "its motion would drive faces drawn so")
    registered = _model(source, stream, registry or default_registry())
    layout = _layout(source, stream, registered)
    _check_layout(source, layout, registered, suffix, options)
    if suffix == GLB:
        load_library(output)  # rather now than when all is decoded
    decodes = _decodes(stream, layout, registered, suffix, options)
    if decodes:
        assert registered is not None
        model = registered.load(options.runtime)
        faces = decoded_faces(source, stream, model, options, notes)
    else:
        if not options.messages_only:
            check_undecoded(source, stream, registered)
        repack = stream.is_repacked and registered is not None
        faces = stated_faces(source, stream.units, layout, repack=repack)
    motion = gather(
        _counted(faces, stream.pictures, progress),
        picture_rate(source, stream, options.rate, notes),
        None if registered is None else registered.card.name,
        layout,
        shipped_face_space(),
    )
    _tell_unknown(source, motion, suffix, notes)
    summary = ExportSummary(len(motion.kinds), motion.unknown, motion.model, decodes)
    with replaced_when_complete(output, force=force, sources=[source]) as temporary:
        return _write(source, temporary, motion, summary, options, notes)


def _counted(faces: Iterator[SeenFace], total: int, progress: Progress) -> Iterator[SeenFace]:
    done = 0
    for face in faces:
        yield face
        done += face.kind != HIDDEN
        progress(done, total)


def _model(source: Path, stream: FaceStream, registry: Registry) -> RegisteredModel | None:
    """The model of a stream; None where it is not installed: its values can still be told."""
    if stream.model_uri is None:
        return None
    try:
        return registry.find_uri(model_uri(stream.model_uri))
    except UnknownModelError:
        return None


def _layout(
    source: Path, stream: FaceStream, registered: RegisteredModel | None
) -> ParameterLayout:
    if registered is not None:
        return registered.card.layout
    unit = next((unit for unit in stream.units if unit.messages), None)
    if unit is None:
        raise StreamError(f"{source}: {_NOTHING}")
    return layout_of(next(unit.values()))


def _check_layout(
    source: Path,
    layout: ParameterLayout,
    registered: RegisteredModel | None,
    suffix: str,
    options: ExportOptions,
) -> None:
    """Raise `InputError` for an export that the parameters of a model cannot fill."""
    name = "its model" if registered is None else registered.card.name
    if suffix in _OF_A_HEAD and not has_head(layout):
        raise InputError(
            f"{source}: the parameters of {name} do not say how the head is turned; its values can "
            f"be had as {JSON} or {NPZ}"
        )
    if options.texture and not has_face(layout):
        raise InputError(
            f"{source}: {name} knows no landmarks to lay a picture on; leave out --texture"
        )


def _decodes(
    stream: FaceStream,
    layout: ParameterLayout,
    registered: RegisteredModel | None,
    suffix: str,
    options: ExportOptions,
) -> bool:
    """Whether coded pictures are to be decoded."""
    if options.messages_only or registered is None:
        return False
    return (suffix in (CSV, GLB) and has_face(layout)) or needs_pictures(stream)


def _tell_unknown(source: Path, motion: Motion, suffix: str, notes: Notes) -> None:
    """Say of which pictures nothing is known, and why."""
    ordinary = motion.kinds.count(ORDINARY)
    unsaid = motion.unknown - ordinary
    if motion.unknown == len(motion.kinds):
        raise StreamError(f"{source}: no message tells of a face")
    means = "; a straight line stands in" if suffix in _OF_A_HEAD else ""
    if ordinary:
        notes(f"{source}: {ordinary} pictures are ordinary video, without a known face{means}")
    if unsaid:
        notes(
            f"{source}: {unsaid} pictures have no message, and their face is known by decoded "
            f"coded pictures only{means}"
        )


def _write(
    source: Path,
    path: Path,
    motion: Motion,
    summary: ExportSummary,
    options: ExportOptions,
    notes: Notes,
) -> ExportSummary:
    suffix, head = path.suffix.lower(), motion.head
    if suffix == JSON:
        codec = None if options.codec is None else Codec(options.codec)
        with _messages(source, codec, notes) as (stream, messages):
            write_json(path, motion, stream, messages)
        return summary
    if suffix == NPZ:
        write_npz(path, motion)
        return summary
    assert head is not None
    if suffix == BVH:
        write_bvh(path, head, motion.rate)
        return summary
    if suffix == CSV:
        write_live_link(path, head, motion.rate)
        ruled = RULED if head.measures.shape[1] else frozenset()
        return replace(
            summary,
            shapes=tuple(name for name in SHAPES if name in ruled),
            without_rule=tuple(name for name in SHAPES if name not in ruled),
        )
    frames = write_glb(path, motion, head, shipped_face_space(), texture=options.texture)
    return replace(summary, key_frames=frames)


@contextlib.contextmanager
def _messages(
    source: Path, codec: Codec | None, notes: Notes
) -> Iterator[tuple[dict[str, Any] | None, Iterator[dict[str, Any]]]]:
    """What a stream is, and its face messages: the lines of docs/messages_jsonl.md."""
    if is_container(source):
        notes(f"{source}: is a container, into which no messages are put back; they are left out")
        yield None, iter(())
        return
    with KeptLines() as lines:
        extract_messages(source, lines.write, MessageSelection(), codec, notes=notes)
        objects = map(json.loads, lines)
        yield next(objects), objects
