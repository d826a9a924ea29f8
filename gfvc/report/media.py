"""What a page shows of videos: data URIs of these and of pictures, and videos of faces alone."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np

from gfvc.bench.records import MeasuredClip
from gfvc.errors import InputError
from gfvc.face_square import FaceSquare
from gfvc.picture_strip import png
from gfvc.scaling import reduced
from gfvc.video_reader import read_pictures
from gfvc.video_writer import write_video
from gfvc.whole_pictures.compositing import cut_face
from models.contract import Picture

_VIDEO_PREFIX = "data:video/mp4;base64,"
_PICTURE_PREFIX = "data:image/png;base64,"
# Where an MP4 file says what it is, ISO/IEC 14496-12, 4.3.
_FILE_TYPE_BOX = slice(4, 8)
MAX_PICTURE_SIDE = 512


class Media:
    """The videos of a page, each once, and the room that is left for more.

    `limit` bounds the characters of all data URIs, of videos and of pictures.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._names: dict[Path, str] = {}
        self._videos: dict[str, str] = {}

    @property
    def videos(self) -> Mapping[str, str]:
        """Data URIs by name."""
        return self._videos

    def add_videos(self, paths: Collection[Path]) -> str | None:
        """Take all of these MP4 files or none; return why not, None when they are in."""
        new = [path for path in dict.fromkeys(paths) if path not in self._names]
        try:
            for path in new:
                if not path.is_file():
                    return f"{path.name} is not there"
            needed = sum(_uri_length(_VIDEO_PREFIX, path.stat().st_size) for path in new)
            if needed > self._left:
                return "over the page's size limit"
            contents = [path.read_bytes() for path in new]
        except OSError as error:
            return f"cannot be read ({error.strerror})"
        for path, content in zip(new, contents, strict=True):
            if content[_FILE_TYPE_BOX] != b"ftyp":
                return f"{path.name} is not an MP4 file"
        for path, content in zip(new, contents, strict=True):
            self._names[path] = name = f"video{len(self._names)}"
            self._videos[name] = self._uri(_VIDEO_PREFIX, content)
        return None

    def video(self, path: Path) -> str:
        """The name of a video that is in."""
        return self._names[path]

    def add_pictures(self, pictures: Collection[Picture]) -> list[str] | None:
        """PNG files of all of these RGB pictures as data URIs; None when they do not fit."""
        contents = [png(reduced(picture, MAX_PICTURE_SIDE)) for picture in pictures]
        if sum(_uri_length(_PICTURE_PREFIX, len(content)) for content in contents) > self._left:
            return None
        return [self._uri(_PICTURE_PREFIX, content) for content in contents]

    def _uri(self, prefix: str, content: bytes) -> str:
        uri = prefix + base64.b64encode(content).decode("ascii")
        self._left -= len(uri)
        return uri


def _uri_length(prefix: str, size: int) -> int:
    return len(prefix) + 4 * -(-size // 3)


def pictures_at(path: Path, rate: Fraction, numbers: Collection[int]) -> dict[int, Picture]:
    """Some pictures of a video by number; raise `InputError` when it lacks one."""
    found: dict[int, Picture] = {}
    last = max(numbers, default=-1)
    if last >= 0:
        for number, picture in enumerate(read_pictures(path, rate)):
            if number in numbers:
                found[number] = np.asarray(picture)
            if number == last:
                break
    lacking = sorted(set(numbers) - set(found))
    if lacking:
        raise InputError(f"{path}: has no picture {lacking[0]}")
    return found


def cut_faces(
    pictures: Iterable[Picture], square: FaceSquare | None, video: Path
) -> Iterator[Picture]:
    """Cut the face square out of each picture of a video; without a square they are kept.

    Raises `InputError` for a picture that has no place for the square.
    """
    for picture in pictures:
        height, width = picture.shape[:2]
        if square is not None and not square.fits(width, height):
            raise InputError(f"{video}: is smaller than the face square")
        yield picture if square is None else cut_face(picture, square)


class FaceVideos:
    """Makes videos of face squares in a folder, each when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[Path, Path] = {}

    def of(self, video: Path, clip: MeasuredClip, mark: str | None) -> Path:
        """An MP4 file of the face square of one of a clip's videos.

        `mark` is what it says of itself, as the video does. A clip whose pictures are all face has
        no square, and is shown as it is. Raises `InputError` for a video that cannot be read, or
        has no place for the square.
        """
        if clip.square is None:
            return video
        if video not in self._made:
            path = self._folder / f"{len(self._made)}.mp4"
            pictures = cut_faces(read_pictures(video, clip.rate), clip.square, video)
            self._made[video] = write_video(path, pictures, clip.rate, mark)
        return self._made[video]
