"""The semantic stream alone, for avatars: its rate without any picture, and how true it is.

    python -m benchmarks.semantic_stream CLIP... [--multipliers X,X...] [--json FILE]

Square clips with a face throughout are coded with key pictures alone, of QP 32, at several
Lagrangian multipliers, without a mark. Nothing is drawn. Printed are means over clips: kbit/s of
the face messages (all SEI NAL units), kbit/s of the whole stream, the landmark error of the
exported landmarks against those tracked in the source (in distances of the eyes), errors of yaw,
pitch and roll in degrees, and how the exported ARKit shapes follow those of the source's own
landmarks: Pearson's correlation over a clip, of clips in which a shape moves (standard deviation of
0.05 at least).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.command import command_parser, write_json
from benchmarks.rate_split import numbers, open_clip
from gfvc.encoding.clip import Clip
from gfvc.encoding.coding_pass import REMEMBERED_PICTURES, code_clip
from gfvc.exporting.arkit import SHAPES, blendshapes, measures
from gfvc.exporting.motion import gather
from gfvc.exporting.reading import decoded_faces
from gfvc.options.exporting import ExportOptions
from gfvc.rate_control.ladder import RateSettings
from gfvc.stream.reader import read_face_stream
from gfvc.video_reader import read_pictures
from models import Analyser
from models.contract import FloatArray
from models.landmarks.face_space import FaceSpace, shipped_face_space, values_to_pose
from models.landmarks.head_angles import head_angles
from models.landmarks.layout import POSE_VALUES
from models.landmarks.tracking import FaceTracker
from models.landmarks.values import rest_face
from models.metrics.face import landmark_distance

MULTIPLIERS = (0.0125, 0.05, 0.2, 0.8)
KEY_QP = 32
MOVES = 0.05


@dataclass(frozen=True, slots=True)
class Point:
    """A clip at a Lagrangian multiplier; `follows` has the shapes that move in the clip."""

    clip: str
    multiplier: float
    semantic_kbps: float
    whole_kbps: float
    landmark_error: float
    angle_errors: tuple[float, ...]
    follows: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Source:
    """What the source shows: landmarks by picture, and what follows from them."""

    landmarks: list[FloatArray | None]
    angles: FloatArray
    shapes: dict[str, FloatArray]


def look_at(clip: Clip, space: FaceSpace) -> _Source:
    """Track the face of a clip, and describe it as an export does, without any coding."""
    with FaceTracker() as tracker:
        landmarks = [tracker.look(picture) for picture in read_pictures(clip.source, clip.rate)]
    face, _ = rest_face(space, next(found for found in landmarks if found is not None))
    poses, lengths = [], []
    for found in landmarks:
        if found is None:
            continue
        values = face.values(space, found)
        poses.append(values[:POSE_VALUES])
        lengths.append(measures(values_to_pose(values[:POSE_VALUES]).remove(found)))
    return _Source(landmarks, head_angles(np.stack(poses)[:, :3]), blendshapes(np.stack(lengths)))


def measure(
    clip: Clip, source: _Source, multiplier: float, analyser: Analyser, space: FaceSpace
) -> Point:
    """Code a clip, export it, and compare."""
    with tempfile.TemporaryDirectory() as folder:
        analyser.rewind()
        path = Path(folder, "clip.266")
        coded = code_clip(clip, RateSettings(KEY_QP, multiplier), path, analyser, lambda *_: None)
        size = coded.stream.stat().st_size
        stream = read_face_stream(coded.stream, lambda _: None)
        faces = list(
            decoded_faces(coded.stream, stream, clip.model, ExportOptions(), lambda _: None)
        )
    kbps = 8 * float(clip.rate) / coded.part.tally.frames / 1000
    together = zip(faces, source.landmarks, strict=True)
    seen = [(face, found) for face, found in together if found is not None]
    errors = [
        landmark_distance(found, face.landmarks)
        for face, found in seen
        if face.landmarks is not None
    ]
    motion = gather([face for face, _ in seen], clip.rate, None, clip.model.layout, space)
    assert motion.head is not None
    shapes = blendshapes(motion.head.measures)
    moving = [name for name, row in source.shapes.items() if row.std() >= MOVES]
    turned = np.abs(head_angles(motion.head.pose[:, :3]) - source.angles).mean(axis=0)
    return Point(
        clip.source.stem,
        multiplier,
        coded.part.sei_bytes * kbps,
        size * kbps,
        float(np.mean(errors)),
        tuple(turned.tolist()),
        {name: _follows(source.shapes[name], shapes[name]) for name in moving},
    )


def _follows(wanted: FloatArray, told: FloatArray) -> float:
    """Pearson's correlation; what stands still follows nothing."""
    if told.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(wanted, told)[0, 1])


def _print_tables(points: Sequence[Point], multipliers: Sequence[float]) -> None:
    print("| multiplier | kbit/s, messages alone | kbit/s, whole stream | landmark error |", end="")
    print(" yaw, pitch, roll error (degrees) |")
    print("| ---: | ---: | ---: | ---: | --- |")
    for multiplier in multipliers:
        row = [point for point in points if point.multiplier == multiplier]
        alone, whole, error = (
            float(np.mean([getattr(point, name) for point in row]))
            for name in ("semantic_kbps", "whole_kbps", "landmark_error")
        )
        turned = np.mean([point.angle_errors for point in row], axis=0)
        told = ", ".join(f"{angle:.1f}" for angle in turned)
        print(f"| {multiplier:g} | {alone:.2f} | {whole:.2f} | {error:.4f} | {told} |")
    print("\n| shape | clips in which it moves |", end="")
    print("".join(f" follows at {multiplier:g} |" for multiplier in multipliers))
    print("| --- | ---: |" + " ---: |" * len(multipliers))
    for name in SHAPES:
        found = [
            [p.follows[name] for p in points if p.multiplier == multiplier and name in p.follows]
            for multiplier in multipliers
        ]
        if found[0]:
            cells = "".join(f" {np.mean(row):.2f} |" for row in found)
            print(f"| {name} | {len(found[0])} |{cells}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("semantic_stream", __doc__, clips=True, raw=True, json=True)
    parser.add_argument("--multipliers", type=numbers, default=MULTIPLIERS, metavar="X,X...")
    options = parser.parse_args(arguments)
    space = shipped_face_space()
    points: list[Point] = []
    for path in options.clips:
        clip = open_clip(path)
        # The mark is about pictures that are drawn, and none are.
        clip = replace(clip, options=replace(clip.options, no_marking=True))
        source = look_at(clip, space)
        with clip.model.open_analyser() as analyser:
            analyser.remember(REMEMBERED_PICTURES)
            for multiplier in options.multipliers:
                points.append(measure(clip, source, multiplier, analyser, space))
                sys.stderr.write(f"{points[-1]}\n")
    _print_tables(points, options.multipliers)
    write_json(options.json, [asdict(point) for point in points])


if __name__ == "__main__":
    main()
