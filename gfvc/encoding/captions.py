"""Where a caption comes or goes: what stands still before and after, and is another.

Between two coded pictures it would be half there. So the pictures on both sides are coded.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from gfvc.scaling import reduced
from models.contract import Picture

# Pictures are looked at in grey, no larger than this.
WORKING_SIZE = 320
# A pixel changes by more levels than the first from one picture to the next, and by fewer than the
# second in the two pictures before that and after.
CHANGE_LEVELS, STILL_LEVELS = 40, 10
# Shares of the picture. Captions change 0.5 to 1.1 % of it, a hand-held camera or a person's
# gestures less than 0.4 % within one picture.
LEAST_SHARE = 0.004
_AROUND = 2


def caption_changes(pictures: Iterable[Picture], *, at_rims: bool = False) -> list[int]:
    """Places of the first pictures with a caption, or without one, rising.

    Next to the first picture and the last it is not known what stays. There is none there, or, with
    `at_rims`, where what is known says so: a hand that stops may be taken for one.
    """
    grey = [_small_grey(picture) for picture in pictures]
    count = len(grey)
    changes = []
    for place in range(1, count):
        before, after = grey[max(0, place - 1 - _AROUND) : place - 1], grey[place + 1 :][:_AROUND]
        known = len(before), len(after)
        if (max(known) if at_rims else min(known)) < _AROUND:
            continue
        stays = np.ones(grey[0].shape, bool)
        for here, around in ((grey[place - 1], before), (grey[place], after)):
            for there in around:
                stays &= cv2.absdiff(here, there) < STILL_LEVELS
        changed = cv2.absdiff(grey[place], grey[place - 1]) > CHANGE_LEVELS
        if (changed & stays).mean() > LEAST_SHARE:
            changes.append(place)
    return changes


def _small_grey(picture: Picture) -> Picture:
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    return reduced(grey, WORKING_SIZE)
