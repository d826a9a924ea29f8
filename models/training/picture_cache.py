"""Clips decoded and tracked once, and then read from memory-mapped arrays.

In the cache folder a clip has `HASH-SIZE.npy`, its pictures as uint8 [N, size, size, 3], beside the
landmarks of `models.landmarks.tracking`; the hash is of the clip's bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from models.card import file_sha256
from models.landmarks.points import ALL_POINTS
from models.landmarks.tracking import clip_landmarks
from models.training.clips import Clip
from models.training.errors import TrainingError

Pictures = npt.NDArray[np.uint8]
Landmarks = npt.NDArray[np.float32]

# Of a clip; a longer one is another kind of data.
MAX_PICTURES = 100_000


@dataclass(frozen=True, slots=True)
class Footage:
    """Pictures uint8 [N, S, S, 3] of one person, and landmarks float32 [N, 478, 3].

    Landmarks of a picture without a face are NaN.
    """

    name: str
    identity: str
    pictures: Pictures
    landmarks: Landmarks

    def __post_init__(self) -> None:
        if self.landmarks.shape != (len(self.pictures), ALL_POINTS, 3):
            raise TrainingError(
                f"{self.name}: {len(self.pictures)} pictures, but landmarks of shape "
                f"{self.landmarks.shape}; empty the cache folder"
            )

    @property
    def usable(self) -> npt.NDArray[np.intp]:
        """Numbers of the pictures that show a face."""
        return np.flatnonzero(np.isfinite(self.landmarks[:, 0, 0]))


def load_footage(clip: Clip, size: int, cache: Path) -> Footage:
    """Pictures and landmarks of a clip, from the cache where it has them.

    Raises:
        ModelError: the clip is no video, not square, or too long, or its cached file is damaged.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{cache}: cannot be made ({error.strerror})") from None
    landmarks = clip_landmarks(clip.path, cache).astype(np.float32)
    kept = cache / f"{file_sha256(clip.path)[:24]}-{size}.npy"
    if not kept.exists():
        _decode(clip.path, len(landmarks), size, kept)
    try:
        pictures = np.load(kept, mmap_mode="r")
    except (OSError, EOFError, ValueError) as error:
        raise TrainingError(f"{kept}: damaged, delete it ({error})") from None
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (size, size, 3):
        raise TrainingError(f"{kept}: holds no pictures of width {size}, delete it")
    return Footage(clip.path.stem, clip.identity, pictures, landmarks)


def _decode(path: Path, count: int, size: int, kept: Path) -> None:
    if not 0 < count <= MAX_PICTURES:
        raise TrainingError(f"{path}: {count} pictures; want 1 to {MAX_PICTURES}")
    temporary = kept.with_suffix(".tmp.npy")
    try:
        pictures = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
            temporary, mode="w+", dtype=np.uint8, shape=(count, size, size, 3)
        )
        _fill(path, count, size, pictures)
        pictures.flush()
        temporary.replace(kept)
    except OSError as error:
        raise TrainingError(f"{kept}: cannot be written ({error.strerror or error})") from None
    finally:
        temporary.unlink(missing_ok=True)


def _fill(path: Path, count: int, size: int, pictures: Pictures) -> None:
    number = -1
    try:
        with av.open(str(path)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                if number == count:
                    break
                height, width = picture.shape[:2]
                if height != width:
                    raise TrainingError(
                        f"{path}: is {width} by {height}; crop it to a square first"
                    )
                if width != size:
                    way = cv2.INTER_AREA if width > size else cv2.INTER_CUBIC
                    resized = cv2.resize(picture, (size, size), interpolation=way)
                    picture = np.asarray(resized, np.uint8)
                pictures[number] = picture
    except (av.FFmpegError, IndexError) as error:
        raise TrainingError(f"{path}: not a video that can be read ({error})") from None
    if number + 1 != count:
        raise TrainingError(f"{path}: landmarks are of {count} pictures, but there are others")
