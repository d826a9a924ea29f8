"""Preparing clips: coded pictures, and the values of the pictures between them.

References are drawn at random: pairs of them 4 to 50 pictures apart, as random access has them,
and single ones at any distance. They are coded at QP 27 to 45 by a real HEVC encoder, the later
one of a pair half of the time predicted from the earlier. What an encoder does then is done here:
the face is tracked in the coded picture, and the values of driven pictures are aligned with it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
import numpy.typing as npt

from models.contract import FloatArray, Picture
from models.landmarks.alignment import Alignment
from models.landmarks.face_space import FaceSpace, shipped_face_space
from models.landmarks.layout import FACE_VALUES
from models.landmarks.tracking import FaceTracker
from models.landmarks.values import RestFace, quantised, rest_face
from models.training.footage import Footage, TrainingClip, load_footage
from models.training.hevc_coding import code_hevc
from tools.face_training.prepared import NO_PICTURE, PreparedClip

NEAREST, FURTHEST = 4, 50
"""Pictures from one reference of a pair to the other."""
LOWEST_QP, HIGHEST_QP = 27, 45
PREDICTED_SHARE = 0.5
LARGEST_QP_STEP = 4
"""Later pictures of a sequence have a QP up to so much higher than its first."""


class Work(NamedTuple):
    """How much is made of a clip.

    Attributes:
        pairs: pairs of references.
        singles: references that stand alone.
        driven: neighbouring pairs of driven pictures of each.
        crf: at which the clip's own pictures are kept.
    """

    pairs: int = 13
    singles: int = 6
    driven: int = 5
    crf: int = 17


@dataclass(slots=True)
class _Collected:
    """What was made of a clip so far."""

    stream: bytearray = field(default_factory=bytearray)
    faces: list[FloatArray] = field(default_factory=list)
    later: list[FloatArray] = field(default_factory=list)
    references: list[tuple[int, int]] = field(default_factory=list)
    positions: list[float] = field(default_factory=list)
    driven: list[int] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)


class _Preparation:
    def __init__(self, footage: Footage, work: Work, random: np.random.Generator) -> None:
        self._footage = footage
        self._work = work
        self._random = random
        self._space: FaceSpace = shipped_face_space()
        self._tracker = FaceTracker()
        self._usable = {int(number) for number in footage.usable}
        # The first of two successive pictures.
        self._starts = [number for number in sorted(self._usable) if number + 1 in self._usable]
        self.collected = _Collected()

    def _code(self, numbers: list[int], qps: list[int]) -> tuple[bytes, list[Picture]]:
        pictures = [np.asarray(self._footage.pictures[number]) for number in numbers]
        if len(numbers) == 1 or self._random.random() < PREDICTED_SHARE:
            return code_hevc(pictures, qps)
        coded = [code_hevc([picture], [qp]) for picture, qp in zip(pictures, qps, strict=True)]
        return b"".join(stream for stream, _ in coded), [one for _, many in coded for one in many]

    def add(self, numbers: list[int], driven: list[tuple[int, float]]) -> None:
        """Add driven pictures, each with its position between the references `numbers`."""
        qp = int(self._random.integers(LOWEST_QP, HIGHEST_QP + 1))
        qps = [qp, qp + int(self._random.integers(0, LARGEST_QP_STEP + 1))][: len(numbers)]
        stream, pictures = self._code(numbers, qps)
        seen = [self._tracker.look(picture) for picture in pictures]
        faces: list[RestFace] = []
        for landmarks in seen:
            if landmarks is None:
                return
            faces.append(rest_face(self._space, landmarks)[0])
        # Without the tracker, which would take longer than all the rest.
        alignment = Alignment(self._space, pictures[0], faces[0], look=None)
        into = self.collected
        first = len(into.faces)
        into.stream += stream
        into.faces += [face.key_landmarks for face in faces]
        into.later += [np.zeros(FACE_VALUES)]
        if len(faces) > 1:
            into.later += [alignment.align(pictures[1], faces[1].key_landmarks)]
        for number, position in driven:
            picture = np.asarray(self._footage.pictures[number])
            tracked = self._footage.landmarks[number].astype(np.float64)
            into.values.append(quantised(alignment.align(picture, tracked)))
            into.references.append((first, first + 1 if len(faces) > 1 else NO_PICTURE))
            into.positions.append(position)
            into.driven.append(number)

    def add_pair(self) -> None:
        """Add two references and pictures between them."""
        count = len(self._footage.pictures)
        usable = self._footage.usable
        furthest = min(FURTHEST, count - 1)
        for _ in range(20):
            gap = round(float(np.exp(self._random.uniform(np.log(NEAREST), np.log(furthest)))))
            early = int(self._random.choice(usable))
            between = [n for n in self._starts if early < n < early + gap - 1]
            if early + gap in self._usable and between:
                break
        else:
            return
        chosen = self._random.permutation(between)[: self._work.driven]
        driven = [
            (int(number) + step, (int(number) + step - early) / gap)
            for number in sorted(chosen)
            for step in (0, 1)
        ]
        self.add([early, early + gap], driven)

    def add_single(self) -> None:
        """Add a reference and pictures at any distance."""
        if not self._starts:
            return
        key = int(self._random.choice(self._footage.usable))
        chosen = self._random.permutation(self._starts)[: self._work.driven]
        self.add([key], [(int(n) + step, 0.0) for n in sorted(chosen) for step in (0, 1)])

    def close(self) -> None:
        """Let the tracker go."""
        self._tracker.close()


def prepare_clip(clip: TrainingClip, size: int, cache: Path, out: Path, work: Work) -> str:
    """Prepare a clip in pictures of `size` pixels a side; tell what was made.

    Raises:
        ModelError: the clip cannot be used.
    """
    cv2.setNumThreads(1)
    done = out / f"{clip.path.stem}.npz"
    if done.exists():
        return f"{clip.path.stem}: there already"
    footage = load_footage(clip, size, cache)
    if len(footage.usable) < NEAREST + 1:
        return f"{clip.path.stem}: too few pictures with a face"
    random = np.random.default_rng(zlib.crc32(clip.path.stem.encode()))
    preparation = _Preparation(footage, work, random)
    try:
        for _ in range(work.pairs):
            preparation.add_pair()
        for _ in range(work.singles):
            preparation.add_single()
    finally:
        preparation.close()
    made = preparation.collected
    if not made.driven:
        return f"{clip.path.stem}: no face in coded pictures"
    (out / f"{clip.path.stem}.coded.hevc").write_bytes(bytes(made.stream))
    kept, driven = np.unique(made.driven, return_inverse=True)
    _keep(footage.pictures[kept], out / f"{clip.path.stem}.pictures.mkv", work.crf)
    PreparedClip(
        clip.identity,
        clip.split,
        np.stack(made.faces),
        np.stack(made.later),
        np.array(made.references, np.int32),
        np.array(made.positions),
        driven.astype(np.int32),
        np.stack(made.values),
    ).save(done)
    return f"{clip.path.stem}: {len(made.driven)} pictures from {len(made.faces)} coded ones"


def _keep(pictures: npt.NDArray[np.uint8], path: Path, crf: int) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=25)
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "fast", "crf": str(crf), "x265-params": "log-level=none"}
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
