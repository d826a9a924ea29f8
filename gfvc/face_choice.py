"""Which of the faces that a clip shows are driven: they are followed, and some are taken.

The one that is seen most and largest is first, but not one that never moves, as in a poster, where
another does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np

from models.contract import Picture
from models.landmarks.tracking import FaceBox

# A face whose place shows the same within so many levels, from first to last, never moves.
STILL_LEVELS = 3.0
# Faces seen in fewer of the looks than this share are not told of: most are none.
_OFTEN = 0.2
_PATCH = (24, 24)
# Neither of two faces is larger than the other by more than this factor, if they are the same from
# look to look. What a zoom changes more than that is driven in another square.
LIKE_SIZES = 1.5


@dataclass(eq=False)
class FaceTrack:
    """One face, as far as it overlaps with itself from look to look, and is as large.

    `looks` are the numbers of the looks in which it was seen, `boxes` where. `change` is by how
    many levels of 255 its first place has looked different since, at most.
    """

    looks: list[int] = field(default_factory=list)
    boxes: list[FaceBox] = field(default_factory=list)
    change: float = 0.0
    _first: Picture | None = field(default=None, repr=False)

    @property
    def weight(self) -> float:
        """How much there is of it: the sum of its areas."""
        return sum(box.area for box in self.boxes)

    @property
    def stands_still(self) -> bool:
        """Whether it never moves."""
        return self.change <= STILL_LEVELS

    @property
    def centre(self) -> tuple[int, int]:
        """Where it is, in pixels: the middle of the places that it is seen at."""
        x, y = np.median([box.centre for box in self.boxes], axis=0)
        return round(x), round(y)

    @property
    def side(self) -> float:
        """How wide or high it usually is, in pixels."""
        return float(np.median([_side(box) for box in self.boxes]))

    def covers(self, x: float, y: float) -> bool:
        """Whether it has been at a place, in pixels."""
        return any(
            box.left <= x <= box.left + box.width and box.top <= y <= box.top + box.height
            for box in self.boxes
        )

    def see(self, look: int, box: FaceBox) -> None:
        """Take down that it was seen in a look."""
        self.looks.append(look)
        self.boxes.append(box)

    def compare(self, picture: Picture) -> None:
        """See whether its first place looks different."""
        height, width = picture.shape[:2]
        box = self.boxes[0]
        left = int(np.clip(box.left, 0, width - 2))
        top = int(np.clip(box.top, 0, height - 2))
        part = picture[top : top + max(2, int(box.height)), left : left + max(2, int(box.width))]
        grey = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2GRAY)
        patch = np.asarray(cv2.resize(grey, _PATCH, interpolation=cv2.INTER_AREA), np.uint8)
        if self._first is None:
            self._first = patch
        self.change = max(self.change, float(cv2.absdiff(patch, self._first).mean()))


class FaceTracks:
    """Follows all faces of a clip from look to look.

    Attributes:
        tracks: the faces.
        looks: how often was looked.
    """

    def __init__(self) -> None:
        self.tracks: list[FaceTrack] = []
        self.looks = 0

    def look(self, picture: Picture, boxes: Iterable[FaceBox]) -> None:
        """Take down the faces that a picture [H, W, 3] shows."""
        free = list(self.tracks)
        for box in boxes:
            like = (track for track in free if _alike(_side(track.boxes[-1]), _side(box)))
            track = max(like, key=lambda track: track.boxes[-1].overlap(box), default=None)
            if track is None or track.boxes[-1].overlap(box) == 0:
                track = FaceTrack()
                self.tracks.append(track)
            else:
                free.remove(track)
            track.see(self.looks, box)
        for track in self.tracks:
            track.compare(picture)
        self.looks += 1

    def choose(self, face_at: tuple[float, float] | None = None) -> FaceTrack | None:
        """The face to drive; None where there is none, or none at the place asked for."""
        found = self.tracks
        if face_at is not None:
            found = [track for track in found if track.covers(*face_at)]
        elif any(not track.stands_still for track in self.told()):
            found = [track for track in found if not track.stands_still]
        return max(found, key=lambda track: track.weight, default=None)

    def others(self, chosen: FaceTrack, reach: float) -> list[FaceTrack]:
        """Other faces to drive, those that there is most of first.

        They move, and are at other places: what `with_successors` takes for a face is no other.
        """
        taken = [chosen]
        for track in self.told():
            known = track in taken or any(_succeeds(track, other, reach) for other in taken)
            if not known and not track.stands_still:
                taken.append(track)
        return taken[1:]

    def told(self) -> list[FaceTrack]:
        """The faces that are seen often, those that there is most of first."""
        often = [track for track in self.tracks if len(track.looks) >= _OFTEN * self.looks]
        return sorted(often, key=lambda track: -track.weight)

    def with_successors(self, chosen: FaceTrack, reach: float) -> list[FaceBox]:
        """Places of a face, and of those that are only seen when it is not.

        After a cut the same person is elsewhere, and overlaps with nothing. Those are left out
        that are more than `reach` sides of the face away, or much larger or smaller; but none
        where that is infinite.
        """
        boxes = dict(zip(chosen.looks, chosen.boxes, strict=True))
        for track in sorted(self.tracks, key=lambda track: -track.weight):
            if _succeeds(track, chosen, reach) and boxes.keys().isdisjoint(track.looks):
                boxes.update(zip(track.looks, track.boxes, strict=True))
        return [boxes[look] for look in sorted(boxes)]


def _succeeds(track: FaceTrack, other: FaceTrack, reach: float) -> bool:
    """Whether a face is seen only when another is not, and as if it were that one after a cut."""
    if not set(track.looks).isdisjoint(other.looks):
        return False
    if math.isinf(reach):
        return True
    away = np.abs(np.array(track.centre) - np.array(other.centre)).max()
    return bool(away <= reach * other.side and _alike(track.side, other.side))


def _side(box: FaceBox) -> float:
    return max(box.width, box.height)


def _alike(one: float, other: float) -> bool:
    """Whether faces of these sides may be the same from one look to the next."""
    return max(one, other) <= LIKE_SIZES * min(one, other)
