"""A clip coded once by `gfvc encode`, and what a model makes of the stream, picture by picture."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gfvc.cli.console import note
from gfvc.decoder import decode_pictures
from gfvc.metrics import Picture
from gfvc.parameter_coding import to_parameters
from gfvc.stream_reader import FaceStream, read_face_stream
from gfvc.video_reader import read_pictures
from models import AnimationModel
from models.contract import FloatArray
from models.mesh.parameters import to_values
from models.mesh.shape import values_to_pose


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
        """Every so many pictures of the clip as a model draws them."""
        assert self.face_stream.rate is not None
        sources = read_pictures(self.source, self.face_stream.rate)
        drawn = decode_pictures(self.stream, self.face_stream, model)
        key: Picture | None = None
        triples = zip(sources, drawn, self._angles(model), strict=True)
        for number, (source, decoded, (is_key, angle)) in enumerate(triples):
            if is_key:
                key = decoded
            assert key is not None
            if number % every == 0:
                yield DrawnPicture(source, decoded, key, angle)

    def _angles(self, model: AnimationModel) -> Iterator[tuple[bool, float]]:
        """Whether each picture is a key picture, and how far its head is turned from it."""
        for unit in self.face_stream.picture_units:
            key: FloatArray | None = None
            for values in unit.values():
                parameters = to_parameters(values, model.layout, self.stream)
                rotation = values_to_pose(to_values(parameters)[0][:6]).rotation
                if key is None:
                    key = rotation
                    yield True, 0.0
                    continue
                cosine = (np.trace(key.T @ rotation) - 1) / 2
                yield False, float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def code_clip(source: Path, stream: Path, *options: str) -> CodedClip:
    """Run `gfvc encode` on a square clip."""
    command = [sys.executable, "-m", "gfvc", "encode", str(source), str(stream), "--crop", "none"]
    result = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(result.stderr.strip())
    face_stream = read_face_stream(stream, note)
    return CodedClip(source, stream, 8 * stream.stat().st_size, face_stream)
