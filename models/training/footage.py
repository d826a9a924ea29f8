"""Clips to learn from: whom they show, which are for validation, and their pictures in memory.

A clip is decoded and tracked once, and then read from memory-mapped arrays. In the cache folder it
has `HASH-SIZE.npy`, its pictures as uint8 [N, size, size, 3], beside the landmarks of
`models.landmarks.tracking.clip_landmarks`; the hash is of the clip's bytes.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.errors import TrainingError
from models.files import file_sha256, written_whole
from models.landmarks.points import ALL_POINTS
from models.landmarks.tracking import clip_landmarks

SPLITS = ("train", "validation")
SUFFIXES = frozenset({".mp4", ".mkv", ".mov", ".avi", ".webm"})


@dataclass(frozen=True, slots=True)
class TrainingClip:
    """A video of one face, the label of whose face it is, and "train" or "validation"."""

    path: Path
    identity: str
    split: str


def find_clips(data: Path, index: Path | None, skip: Collection[str]) -> list[TrainingClip]:
    """Clips of a folder, those to skip left out; other splits of the index are left alone.

    Without an index, clips lie in the sub-folders `train` and `validation`, and each is taken
    for another person.

    Raises:
        TrainingError: no folder, no clip for a split, a name to skip that is not there, an index
            without its columns or with a clip that is missing, double or outside the folder, or
            a person in two splits.
    """
    if not data.is_dir():
        raise TrainingError(f"{data}: is no folder")
    clips = _from_index(data, index) if index is not None else _from_folders(data)
    names = {name for clip in clips for name in _names(clip, data)}
    if unknown := sorted(set(skip) - names):
        raise TrainingError(f"{data}: no clip to skip is named {', '.join(unknown)}")
    kept = [clip for clip in clips if not _names(clip, data) & set(skip)]
    for split in SPLITS:
        if not any(clip.split == split for clip in kept):
            where = index if index is not None else data / split
            raise TrainingError(f"{where}: no clip for {split}")
    people = [{clip.identity for clip in kept if clip.split == split} for split in SPLITS]
    if shared := sorted(people[0] & people[1]):
        raise TrainingError(f"{index}: {shared[0]} is in both train and validation")
    return kept


def _names(clip: TrainingClip, data: Path) -> set[str]:
    relative = clip.path.relative_to(data)
    return {
        relative.as_posix(),
        relative.with_suffix("").as_posix(),
        clip.path.name,
        clip.path.stem,
    }


def _from_folders(data: Path) -> list[TrainingClip]:
    return [
        TrainingClip(path, path.relative_to(data).as_posix(), split)
        for split in SPLITS
        for path in sorted((data / split).glob("*"))
        if path.suffix.lower() in SUFFIXES
    ]


_COLUMNS = ("file", "identity", "split")


def _from_index(data: Path, index: Path) -> list[TrainingClip]:
    try:
        # Spreadsheets put a mark of UTF-8 before what they save.
        with index.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in _COLUMNS if name not in (reader.fieldnames or ())]:
                raise TrainingError(
                    f"{index}: its first line names no column {', '.join(missing)}; wanted are "
                    f"{', '.join(_COLUMNS)}, with commas between them"
                )
            rows = [row for row in reader if row["split"] in SPLITS]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(f"{index}: not a CSV file that can be read ({error})") from None
    clips: list[TrainingClip] = []
    for row in rows:
        if not row["file"] or not row["identity"]:
            raise TrainingError(f"{index}: a row for {row['split']} lacks its file or identity")
        path = data / row["file"]
        if path.suffix.lower() not in SUFFIXES:
            continue
        if Path(row["file"]).is_absolute() or ".." in Path(row["file"]).parts:
            raise TrainingError(f"{index}: {row['file']} is outside {data}")
        if not path.is_file():
            raise TrainingError(f"{index}: {path} is not there")
        if any(clip.path == path for clip in clips):
            raise TrainingError(f"{index}: {row['file']} is there twice")
        clips.append(TrainingClip(path, row["identity"], row["split"]))
    return clips


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


def make_folder(folder: Path) -> None:
    """Make a folder that is not there; raise `TrainingError` where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(f"{folder}: cannot be made ({error.strerror})") from None


def load_footage(clip: TrainingClip, size: int, cache: Path) -> Footage:
    """Pictures and landmarks of a clip, from the cache where it has them.

    Raises:
        ModelError: the clip is no video, not square, or too long, or its cached file is damaged.
    """
    make_folder(cache)
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


def fill_cache(clip: TrainingClip, size: int, cache: Path) -> None:
    """Do all that takes time about `load_footage`, whoever wants the footage.

    Raises `ModelError` as that does.
    """
    load_footage(clip, size, cache)


def _decode(path: Path, count: int, size: int, kept: Path) -> None:
    if not 0 < count <= MAX_PICTURES:
        raise TrainingError(f"{path}: {count} pictures; want 1 to {MAX_PICTURES}")
    try:
        with written_whole(kept) as temporary:
            pictures = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]
                temporary, mode="w+", dtype=np.uint8, shape=(count, size, size, 3)
            )
            _fill(path, count, size, pictures)
            pictures.flush()
    except OSError as error:
        raise TrainingError(f"{kept}: cannot be written ({error.strerror or error})") from None


def _fill(path: Path, count: int, size: int, pictures: Pictures) -> None:
    import av

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
