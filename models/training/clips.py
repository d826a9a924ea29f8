"""Which clips there are to learn from, whom they show, and which are kept for validation."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from models.training.errors import TrainingError

SPLITS = ("train", "validation")
SUFFIXES = frozenset({".mp4", ".mkv", ".mov", ".avi", ".webm"})


@dataclass(frozen=True, slots=True)
class Clip:
    """A video of one face, the label of whose face it is, and "train" or "validation"."""

    path: Path
    identity: str
    split: str


def find_clips(data: Path, index: Path | None, skip: Collection[str]) -> list[Clip]:
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


def _names(clip: Clip, data: Path) -> set[str]:
    relative = clip.path.relative_to(data)
    return {
        relative.as_posix(),
        relative.with_suffix("").as_posix(),
        clip.path.name,
        clip.path.stem,
    }


def _from_folders(data: Path) -> list[Clip]:
    return [
        Clip(path, path.relative_to(data).as_posix(), split)
        for split in SPLITS
        for path in sorted((data / split).glob("*"))
        if path.suffix.lower() in SUFFIXES
    ]


def _from_index(data: Path, index: Path) -> list[Clip]:
    try:
        with index.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if missing := {"file", "identity", "split"} - set(reader.fieldnames or ()):
                raise TrainingError(f"{index}: has no column {', '.join(sorted(missing))}")
            rows = [row for row in reader if row["split"] in SPLITS]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainingError(f"{index}: not a CSV file that can be read ({error})") from None
    clips: list[Clip] = []
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
        clips.append(Clip(path, row["identity"], row["split"]))
    return clips
