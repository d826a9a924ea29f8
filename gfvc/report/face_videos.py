"""Videos of the face squares of whole pictures, for a page that shows faces alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gfvc.bench.records import MeasuredClip
from gfvc.errors import InputError
from gfvc.face_square import FaceSquare
from gfvc.video_reader import read_pictures
from gfvc.video_writer import write_video
from gfvc.whole_pictures.compositing import cut_face
from models.contract import Picture


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
    """Makes them in a folder, each when it is first asked for."""

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
