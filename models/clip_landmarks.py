"""Landmarks of whole clips, tracked once and kept."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import av
import numpy as np

from models.contract import FloatArray
from models.errors import ModelError
from models.face_tracking import FaceTracker
from models.landmarks import ALL_POINTS


def clip_landmarks(path: Path, cache: Path | None = None) -> FloatArray:
    """Landmarks [pictures, 478, 3] of a clip; rows of a picture without a face are NaN.

    With `cache`, a folder, they are kept there under the hash of the clip's bytes.
    Raises `ModelError` when the file is no video.
    """
    kept = None
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        kept = cache / f"{_content_hash(path)}.npy"
        # A file that was cut off or damaged is made anew.
        with contextlib.suppress(FileNotFoundError, EOFError, ValueError):
            return np.asarray(np.load(kept), np.float64)
    rows = []
    try:
        with av.open(str(path)) as container, FaceTracker() as tracker:
            for frame in container.decode(video=0):
                found = tracker.track(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
                rows.append(np.full((ALL_POINTS, 3), np.nan) if found is None else found)
    except (av.FFmpegError, IndexError) as error:
        raise ModelError(f"{path}: not a video that can be read ({error})") from None
    landmarks = np.array(rows, np.float32).reshape(-1, ALL_POINTS, 3)
    if kept is not None:
        temporary = kept.with_suffix(".tmp.npy")
        np.save(temporary, landmarks)
        temporary.rename(kept)
    return landmarks.astype(np.float64)


def _content_hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:24]
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror})") from None
