"""Preparing clips for the post-filter: pictures of them, and what the base codec makes of these.

Pictures far apart are coded as the coded pictures of a sequence are, each predicted from those
before; successive ones as ordinary video is, with reordering. Quantisation parameters are drawn at
random over what `gfvc encode` takes, those of predicted pictures as far from the key picture's as
there. Stills make for more people: they are seen by a camera that drifts. What is to be enlarged is
coded at half the width and height, and finer.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np
import numpy.typing as npt

from base_codec_adapters import Codec, EncodeRequest, Structure, find_encoder
from gfvc.colour import to_picture420
from gfvc.halving import FINER, halved
from models.contract import Picture
from models.errors import TrainingError
from models.landmarks import points as groups
from models.landmarks.tracking import FaceTracker
from models.training.footage import TrainingClip
from tools.face_training.places import read_pictures
from tools.post_filter_training.prepared import PARTS, CodedStream, CodedVideo

SPARSE, DENSE = 12, 8
"""Pictures of a clip that lie far apart, and that follow each other."""
FURTHEST = 16
"""Pictures from one of the first to the next, at most."""
LOWEST_QP, HIGHEST_QP = 24, 42
_COARSEST, _JITTER = 42, 2
_CRF = "15"
# Sides of the squares around mouth and eyes, in distances of the outer eye corners.
_MOUTH, _EYE = 1.0, 0.55


class Form(NamedTuple):
    """How pictures are prepared: rows at most, and whether they are coded at half the size."""

    rows: int
    halved: bool = False

    @property
    def step(self) -> int:
        """What sides of pictures are multiples of, so that those of coded ones are even."""
        return 4 if self.halved else 2


class _Sequence(NamedTuple):
    codec: Codec
    structure: Structure
    dense: bool


SEQUENCES = (
    _Sequence("vvc", "low_delay", dense=False),
    _Sequence("vvc", "low_delay", dense=False),
    _Sequence("vvc", "low_delay", dense=False),
    _Sequence("vvc", "random_access", dense=True),
    _Sequence("vvc", "random_access", dense=True),
    _Sequence("hevc", "low_delay", dense=False),
    _Sequence("hevc", "random_access", dense=True),
)
"""How the pictures of each clip are coded, each time with other quantisation parameters."""

SEQUENCES_OF_STILLS = (SEQUENCES[0], SEQUENCES[3], SEQUENCES[5])
"""The same of stills."""

STILL_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
# How far the camera drifts over a still at most: shares of its width, of its size, and degrees.
_SHIFT, _ZOOM, _TURN = 0.06, 0.08, 4.0


def _read(path: Path, form: Form) -> list[Picture]:
    """The sampled pictures of a clip."""
    try:
        with av.open(str(path)) as container:
            count = sum(1 for _ in container.decode(video=0))
        gap = max(1, min(FURTHEST, (count - DENSE) // SPARSE))
        first = SPARSE * gap
        wanted = {*range(0, first, gap), *range(first, first + DENSE)}
        pictures = []
        with av.open(str(path)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number in wanted:
                    pictures.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    except av.FFmpegError as error:
        raise TrainingError(f"{path}: not a video that can be read ({error})") from None
    if len(pictures) != SPARSE + DENSE:
        raise TrainingError(f"{path}: {count} pictures are too few")
    return [_reduced(picture, form) for picture in pictures]


def find_stills(folder: Path) -> list[Path]:
    """The pictures of a folder; raise `TrainingError` where there are none."""
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in STILL_SUFFIXES)
    if not found:
        known = ", ".join(sorted(STILL_SUFFIXES))
        raise TrainingError(f"{folder}: has no stills ({known})")
    return found


def _drift(path: Path, form: Form, random: np.random.Generator) -> list[Picture]:
    """As many pictures as a clip has of a still, over which a camera drifts to and fro."""
    still = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if still is None:
        raise TrainingError(f"{path}: not a picture that can be read")
    picture = np.asarray(cv2.cvtColor(still, cv2.COLOR_BGR2RGB), np.uint8)
    height, width = picture.shape[:2]
    reach = random.uniform(-1, 1, (4, 2)) * np.array([[_SHIFT], [_SHIFT], [_ZOOM], [_TURN]])
    pictures = []
    for number in range(SPARSE + DENSE):
        phase = 2 * np.pi * number / SPARSE / (1 if number < SPARSE else 8)
        across, down, zoom, turn = reach @ (np.sin(phase), np.cos(phase))
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1 + zoom)
        matrix = matrix + np.array([[0, 0, across * width], [0, 0, down * height]])
        moved = cv2.warpAffine(
            picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        pictures.append(_reduced(np.asarray(moved, np.uint8), form))
    return pictures


def _reduced(picture: Picture, form: Form) -> Picture:
    """A picture of up to so many rows."""
    height, width = picture.shape[:2]
    scale = min(1.0, form.rows / height)
    size = (
        round(width * scale / form.step) * form.step,
        round(height * scale / form.step) * form.step,
    )
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _keep(pictures: list[Picture], path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=25)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "slow", "crf": _CRF, "x265-params": "log-level=none"}
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _qps(random: np.random.Generator, sequence: _Sequence, finer: int) -> tuple[int, int]:
    """Of the key picture and of the others, finer by so many steps."""
    key = int(random.integers(LOWEST_QP, HIGHEST_QP + 1))
    usual = min(round(1.5 * key - 6), max(key, _COARSEST))
    others = usual + int(random.integers(-_JITTER, _JITTER + 1)) + sequence.dense
    return key - finer, max(key, others) - finer


def _parts(pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """See `CodedVideo.parts`."""
    squares = np.full((len(pictures), PARTS, 3), np.nan, np.float32)
    tracker = FaceTracker()
    try:
        for number, picture in enumerate(pictures):
            landmarks = tracker.look(picture)
            if landmarks is None:
                continue
            height, width = picture.shape[:2]
            at = landmarks[:, :2] * (width, height)
            corners = at[[groups.RIGHT_EYE_OUTER_CORNER, groups.LEFT_EYE_OUTER_CORNER]]
            apart = float(np.linalg.norm(corners[1] - corners[0]))
            for part, (outline, share) in enumerate(
                ((groups.LIPS_OUTER, _MOUTH), (groups.RIGHT_EYE, _EYE), (groups.LEFT_EYE, _EYE))
            ):
                middle = at[list(outline)].mean(axis=0) / (width, height)
                squares[number, part] = *middle, share * apart / width
    finally:
        tracker.close()
    return squares


def prepare_video(clip: TrainingClip, out: Path, form: Form) -> str:
    """Prepare a clip; tell what was made.

    Raises:
        ModelError: the clip cannot be used.
        BaseCodecError: its pictures cannot be coded.
    """
    cv2.setNumThreads(1)
    name = clip.path.stem
    if (out / f"{name}.npz").exists():
        return f"{name}: there already"
    return _prepare(name, clip.split, _read(clip.path, form), SEQUENCES, out, form)


def prepare_still(path: Path, out: Path, form: Form) -> str:
    """Prepare a still to learn from; as `prepare_video`."""
    cv2.setNumThreads(1)
    name = f"still_{path.stem}"
    if (out / f"{name}.npz").exists():
        return f"{name}: there already"
    pictures = _drift(path, form, np.random.default_rng(zlib.crc32(name.encode())))
    return _prepare(name, "train", pictures, SEQUENCES_OF_STILLS, out, form)


def _prepare(
    name: str,
    split: str,
    taken: list[Picture],
    sequences: Sequence[_Sequence],
    out: Path,
    form: Form,
) -> str:
    video = f"{split}/{name}.mkv"
    (out / split).mkdir(exist_ok=True)
    _keep(taken, out / video)
    # As the other side will have them.
    pictures = read_pictures(out / video)
    random = np.random.default_rng(zlib.crc32(name.encode()))
    coded = [halved(picture) for picture in pictures] if form.halved else pictures
    streams = []
    for number, sequence in enumerate(sequences):
        places = np.arange(SPARSE, SPARSE + DENSE) if sequence.dense else np.arange(SPARSE)
        key, others = _qps(random, sequence, FINER if form.halved else 0)
        request = EncodeRequest(
            tuple(to_picture420(coded[place]) for place in places),
            others,
            structure=sequence.structure,
            key_qp=key,
        )
        stream = f"{name}.{number}.{sequence.codec}"
        result = find_encoder(sequence.codec).encode(request)
        (out / stream).write_bytes(result.stream)
        numbers = places.astype(np.int32)
        streams.append(CodedStream(stream, sequence.codec, numbers, (key, others)))
    CodedVideo(video, _parts(pictures), tuple(streams)).save(out / f"{name}.npz")
    return f"{name}: {len(pictures)} pictures, {len(streams)} sequences of them"
