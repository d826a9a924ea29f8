"""A clip coded once by `gfvc encode`, and what a model makes of the stream, picture by picture."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gfvc.base_layer import decode_base_layer
from gfvc.cli.console import note
from gfvc.driven_parameters import parameters_of_pictures
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.reader import read_face_stream
from gfvc.video_reader import read_pictures
from models import AnimationModel, FaceParameters, Reference
from models.contract import FloatArray, Picture
from models.landmarks.face_space import values_to_pose
from models.landmarks.layout import FACE_VALUES, POSE_VALUES
from models.landmarks.values import to_values


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A source picture, what became of it, and the decoded key picture that it was made from.

    `angle` says by how many degrees the head is turned against the key picture.
    """

    source: Picture
    decoded: Picture
    key: Picture
    angle: float


@dataclass(frozen=True, slots=True)
class CodedClip:
    """A square clip and its stream; `bits` are those of the whole file."""

    source: Path
    stream: Path
    bits: int
    face_stream: FaceStream

    @property
    def seconds(self) -> float:
        """Duration."""
        assert self.face_stream.rate is not None
        return self.face_stream.pictures / float(self.face_stream.rate)

    def pictures(self, model: AnimationModel, every: int = 1) -> Iterator[DrawnPicture]:
        """Every so many pictures of the clip as a model draws them; the others are not drawn."""
        stream = self.face_stream
        assert stream.rate is not None
        sources = enumerate(read_pictures(self.source, stream.rate))
        keys = decode_base_layer(stream.codec, stream.base_layer_parts())
        for unit, key in zip(stream.units, keys, strict=True):
            if not unit.messages:
                number, source = next(sources)
                if number % every == 0:
                    yield DrawnPicture(source, key, key, 0.0)
                continue
            reference: Reference | None = None
            key_rotation = np.eye(3)
            for parameters in parameters_of_pictures(unit, model.layout, self.stream, repack=False):
                number, source = next(sources)
                rotation = _rotation(parameters)
                if reference is None:
                    reference, key_rotation = model.prepare(key, parameters), rotation
                    decoded = key
                elif number % every == 0:
                    decoded = reference.animate(parameters)
                if number % every == 0:
                    yield DrawnPicture(source, decoded, key, _angle(key_rotation, rotation))


def _rotation(parameters: FaceParameters) -> FloatArray:
    """Rotation of the head [3, 3] in parameters of `mesh` or `face`."""
    further = parameters.matrices[0][1].size - FACE_VALUES
    values, _ = to_values(parameters, further)
    return values_to_pose(values[:POSE_VALUES]).rotation


def _angle(first: FloatArray, second: FloatArray) -> float:
    """Angle between two rotations in degrees."""
    cosine = (np.trace(first.T @ second) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def code_clip(source: Path, stream: Path, *options: str) -> CodedClip:
    """Run `gfvc encode` on a square clip; all is drawn from key pictures."""
    command = [sys.executable, "-m", "gfvc", "encode", str(source), str(stream), "--crop", "none"]
    command += ["--key-pictures", "fixed"]
    result = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(result.stderr.strip())
    face_stream = read_face_stream(stream, note)
    return CodedClip(source, stream, 8 * stream.stat().st_size, face_stream)
