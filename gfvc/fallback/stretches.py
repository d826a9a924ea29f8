"""Where generation gives way to ordinary video, and where it comes back.

A face that is missed for a moment is a blink of the tracker: the face stands still. One that
stays away opens a stretch of ordinary video, from the first picture without it. The stretch ends
when the face has been back for a while, at the first picture with it. So a few pictures are held
back until it is known what they are.
"""

from __future__ import annotations

import math
from fractions import Fraction

from gfvc.fallback.coding import SequenceCoder
from gfvc.key_pictures import LOST_SECONDS
from gfvc.options.encoding import FallbackPolicy
from gfvc.video_reader import Picture

# A face must be seen this long before a key picture is paid for.
FOUND_SECONDS = Fraction(1, 5)


class Stretches:
    """Holds pictures without a face back, and sends stretches of ordinary video.

    `rate` is in pictures per second. With the policy "never" no stretch opens, and pictures are
    counted only.
    """

    def __init__(self, policy: FallbackPolicy, rate: Fraction, coder: SequenceCoder) -> None:
        self._never = policy == "never"
        self._coder = coder
        self._lost_for_long = math.ceil(LOST_SECONDS * rate)
        self._found_for_long = math.ceil(FOUND_SECONDS * rate)
        self._held: list[Picture] = []
        self._missed = 0
        self._stay = 0
        self.active = False

    @property
    def pictures(self) -> int:
        """Pictures sent as ordinary video so far."""
        return self._coder.pictures

    def miss(self, picture: Picture) -> bool:
        """Take a picture without a face, outside of a stretch; whether that opens one."""
        self._missed += 1
        if self._never:
            return False
        self._held.append(picture)
        if len(self._held) < self._lost_for_long:
            return False
        self.open()
        return True

    def settle(self) -> int:
        """How many pictures were missed and are not part of a stretch; they are forgotten."""
        missed, self._missed = self._missed, 0
        self._held = []
        return missed

    def open(self, at_least: int = 0) -> None:
        """Open a stretch with the pictures that are held, of `at_least` more pictures."""
        for picture in self._held:
            self._coder.add(picture)
        self._held, self._missed = [], 0
        self._stay = at_least
        self.active = True

    def add(self, picture: Picture, *, face: bool) -> bool:
        """Take a picture within a stretch; whether the face has been back for long enough."""
        if self._stay or not face:
            self.stay(0)
            self._coder.add(picture)
            self._stay = max(self._stay - 1, 0)
            return False
        self._held.append(picture)
        return len(self._held) >= self._found_for_long

    @property
    def back(self) -> tuple[Picture, ...]:
        """The latest pictures of a stretch, all with a face: generation may start with them."""
        return tuple(self._held)

    def stay(self, at_least: int) -> None:
        """Keep the stretch, with the pictures that are held, for `at_least` more pictures."""
        for picture in self._held:
            self._coder.add(picture)
        self._held = []
        self._stay = max(self._stay, at_least)

    def leave(self) -> None:
        """End the stretch before the pictures that are held, and forget these."""
        self._held = []
        self._coder.finish()
        self.active = False

    def finish(self, *, generated: bool) -> int:
        """End the clip; how many pictures stand still at its end.

        Where nothing was `generated` there is no face to stand still: the few pictures at hand
        are ordinary video, or with the policy "never" nothing at all.
        """
        if self.active:
            self.stay(0)
        elif not (generated or self._never):
            self.open()
        self._coder.finish()
        missed = self.settle()
        return missed if generated else 0
