"""What becomes of each picture of a clip: a key picture, a driven picture, or ordinary video.

The planner knows pictures by their number. It asks for facts about them (`Facts`) and returns
decisions; it sees no picture and writes nothing. It may hold pictures back and decide about several
of them at once, as it does with pictures in which no face is found: what they are shows only later.

Picture by picture its word is the last. Segment by segment it is a plan: it says where a segment
starts and which of its pictures show no face. Which others are coded besides the key picture is
chosen when the segment is complete (`coded_choice`), and the segment becomes ordinary video where
its coded key picture shows no face, or where to code all pictures takes fewer bits (`segments`).

When the tracker loses a face for a moment, the face stands still. One that stays away
is ordinary video from the first picture without it, until it has been back for a while. A face
that is another's is not there, until a key picture shows it. Before the first key picture of a
scene and after the last driven picture, ordinary video is also what a face that stands still cannot
stand for, however short: black, a title, and what a fade shows.

See docs/decisions.md and docs/fallback.md.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gfvc.encoding.decisions import (
    Decision,
    Driven,
    Facts,
    Key,
    Ordinary,
    PlanSettings,
    Still,
)

# When the tracker loses a face for less than this, that is no new scene.
LOST_SECONDS = Fraction(1, 5)
# A face must be seen this long, within ordinary video, before a key picture is paid for.
FOUND_SECONDS = Fraction(1, 5)
# After a coded key picture in which no face was found, wait before paying for another.
RETRY_SECONDS = Fraction(1, 2)

# How often other key pictures of the pool are compared.
CHECKS_PER_SECOND = 5

# Another key picture of the pool is taken when its distance is at most this share of the current
# one's,
NEARER = 0.5
# and smaller by this much, in hundredths of the distance of the eyes,
NEARER_BY = 8.0
# and the last change is this many seconds old: a change costs some hundred bits, and is seen.
REFERENCE_SPACING_SECONDS = Fraction(1)


@dataclass(slots=True)
class _SinceKey:
    """Pictures since the last key picture, and since checks: made anew with each key picture."""

    pictures: int
    since_change: int
    sent: int = 1  # pictures of the access unit
    lost: int = 0  # without a face, with no more than blinks of a face between
    uncompared: int = 0  # since key pictures were compared


class PicturePlanner:
    """Takes the pictures of a clip by number, from 0 on, and returns decisions about them.

    Decisions come in the order of the stream: that of the pictures, but for pictures that are drawn
    from a later key picture, which follow it. `held` and `shown` say what is still needed then.
    """

    def __init__(self, settings: PlanSettings, facts: Facts) -> None:
        self._settings = settings
        self._facts = facts
        self._check_every = max(1, round(settings.rate / CHECKS_PER_SECOND))
        self._decided: list[Decision] = []
        # Pictures about which nothing is decided: in the order of the clip, one after the other.
        self._waiting: list[int] = []
        # Pictures of which one becomes a key picture, after those that wait.
        self._candidates: list[int] = []
        self._new_scene = False  # they have nothing to do with the key pictures before
        # Driving: the last key pictures (the last one first), and which of them is in use.
        self._since: _SinceKey | None = None  # None: there is none that pictures can be driven by
        self._keys: deque[int] = deque(maxlen=settings.pool)
        self._back = 0
        self._moved = 0  # the last picture that was driven, or a key picture
        self._retry = 0  # pictures before another key picture is tried
        # Ordinary video.
        self._in_ordinary = settings.fallback == "always"
        self._stay = 0  # pictures that are ordinary video in any case
        self._sequence = 0  # pictures of the open sequence

    @property
    def held(self) -> tuple[int, ...]:
        """Pictures that wait for a decision, and may become key pictures or ordinary video."""
        waiting = () if self._settings.fallback == "never" else self._waiting
        return (*waiting, *self._candidates)

    @property
    def shown(self) -> tuple[int, ...]:
        """Key pictures that may drive pictures to come, and what these are compared with."""
        return (*self._keys, self._moved)

    def take(self, picture: int) -> list[Decision]:
        """Take the next picture; what is decided now, about it and about those held back."""
        if self._settings.fallback == "always":
            self._send_ordinary([picture])
        elif self._candidates:
            self._go_on_choosing(picture)
        elif self._in_ordinary:
            self._go_on_with_ordinary(picture)
        else:
            self._generate(picture, cut=self._facts.is_cut(picture))
        return self._taken()

    def finish(self) -> list[Decision]:
        """End the clip: decide about the pictures that are held back.

        Where there is no key picture at all, they are ordinary video; with the policy "never"
        nothing is decided about them.
        """
        if self._candidates:
            self._choose_key()
        if self._since is not None:
            self._end_driving()
        elif self._settings.fallback != "never":
            self._send_ordinary(self._drain())
        return self._taken()

    def _taken(self) -> list[Decision]:
        decided, self._decided = self._decided, []
        return decided

    def _drain(self) -> list[int]:
        """The pictures that wait, which do so no more."""
        waiting, self._waiting = self._waiting, []
        return waiting

    # --- Key pictures and what they drive ---

    def _generate(self, picture: int, *, cut: bool) -> None:
        """Decide about a picture outside of ordinary video."""
        if (cut or self._key_is_due()) and self._facts.shows_face(picture):
            self._candidates = [picture]
            self._new_scene = cut or self._since is None or self._is_lost
            if not self._settings.look_ahead:
                self._choose_key()
            return
        self._drive_or_miss(picture)

    def _go_on_choosing(self, picture: int) -> None:
        """Look at a picture after the candidates for a key picture: one more, or their end."""
        cut = self._facts.is_cut(picture)
        if not cut and self._facts.shows_face(picture):
            self._candidates.append(picture)
            if len(self._candidates) > self._settings.look_ahead:
                self._choose_key()
            return
        self._choose_key()
        if self._in_ordinary:
            self._go_on_with_ordinary(picture)
        else:
            self._generate(picture, cut=cut)

    def _choose_key(self) -> None:
        """Make the best of the candidates a key picture, and decide about the others."""
        candidates, self._candidates = self._candidates, []
        best = self._facts.best_key(candidates) if len(candidates) > 1 else candidates[0]
        place = candidates.index(best)
        before, after = candidates[:place], candidates[place + 1 :]
        others = self._others(best, before) if self._new_scene else 0
        if others:
            # A cut that nobody saw: each person gets a key picture.
            self._candidates = candidates[:others]
            self._choose_key()
            self._candidates, self._new_scene = candidates[others:], True
            self._choose_key()
            return
        if not self._new_scene:
            for picture in before:
                self._drive_or_miss(picture)
            before = []
        if not self._key(best, before):
            after = [*before, best, *after]
        for picture in after:
            self._drive_or_miss(picture)

    def _others(self, key: int, before: Sequence[int]) -> int:
        """How many of the pictures before a key picture there are up to the last with another face.

        0 where the key picture can be none.
        """
        if not before or not self._facts.can_be_key(key):
            return 0
        shows_it = [self._facts.distance(picture, key) is not None for picture in before]
        return 0 if all(shows_it) else len(shows_it) - shows_it[::-1].index(False)

    def _drive_or_miss(self, picture: int) -> None:
        """Decide about a picture that is no key picture by the clock, nor at a cut."""
        found = self._since is not None and self._choose_reference(picture)
        self._retry = max(self._retry - 1, 0)
        if found:
            self._drive(picture)
        else:
            self._miss(picture)

    def _key_is_due(self) -> bool:
        """Whether the picture at hand becomes a key picture if it shows a face."""
        if self._retry:
            return False
        if self._since is None:
            return True
        return self._since.pictures >= self._settings.interval or self._is_lost

    @property
    def _is_lost(self) -> bool:
        """Whether the face has been away for so long that what comes is a new scene."""
        lost_for_long = self._settings.pictures(LOST_SECONDS)
        return self._since is not None and self._since.lost >= lost_for_long

    def _key(self, picture: int, before: Sequence[int] = ()) -> bool:
        """Make a picture a key picture; False when its coded form shows no face.

        Those of its scene with a face ``before`` it are drawn from it.
        """
        if not self._facts.can_be_key(picture):
            self._retry = self._settings.pictures(RETRY_SECONDS)
            return False
        if self._since is not None:
            if self._new_scene:
                self._end_driving()
            else:
                self._stand_still()
        before = self._without_others(picture, before)
        self._decided.append(Key(picture))
        # A key picture may have come by the clock: an earlier one may be taken at once.
        self._since = _SinceKey(1, self._settings.pictures(REFERENCE_SPACING_SECONDS))
        self._retry = 0
        self._keys.appendleft(picture)
        self._back = 0
        self._in_ordinary, self._sequence = False, 0
        self._moved = picture
        # What waits looks like the first of these: the face stands still until then.
        self._stand_still()
        for earlier in before:
            self._drive(earlier)
        self._moved = picture
        return True

    def _without_others(self, key: int, before: Sequence[int]) -> Sequence[int]:
        """Send what comes before a key picture and cannot be drawn from it; what is left of that.

        Those that wait stand still, so they must look like the first one that moves. The others
        must show the same face, in the same light.
        """
        if self._settings.fallback == "never":
            return before
        first = before[0] if before else key
        waiting = len(self._waiting)
        like = [self._facts.is_like(picture, first) for picture in self._waiting]
        like += [self._facts.is_lit_like(picture, key) for picture in before]
        others = self._others(key, before)
        like[waiting : waiting + others] = [False] * others
        if all(like):
            return before
        start = len(like) - like[::-1].index(False)
        self._send_ordinary([*self._waiting, *before][:start])
        self._waiting = self._waiting[start:]
        return before[max(0, start - waiting) :]

    def _end_driving(self) -> None:
        """The clip or scene ends: the face stands still in what waits, while that looks like it."""
        waiting = self._drain()
        others = len(waiting)
        if self._settings.fallback != "never":
            unlike = (
                place
                for place, picture in enumerate(waiting)
                if not self._facts.is_like(picture, self._moved)
            )
            others = next(unlike, others)
        self._waiting = waiting[:others]
        self._stand_still()
        self._send_ordinary(waiting[others:])

    def _drive(self, picture: int) -> None:
        assert self._since is not None
        since, lost_for_long = self._since, self._settings.pictures(LOST_SECONDS)
        self._moved = picture
        self._decided.append(Driven(picture, self._keys[self._back]))
        since.pictures += 1
        since.sent += 1
        if since.lost < lost_for_long:
            since.lost = 0

    def _miss(self, picture: int) -> None:
        """Hold back a picture that cannot be driven, or make it ordinary video with those held."""
        self._waiting.append(picture)
        if self._since is not None:
            self._since.pictures += 1
            self._since.lost += 1
        if self._settings.fallback == "never":
            if self._since is not None:
                self._stand_still()
        elif len(self._waiting) >= self._settings.pictures(LOST_SECONDS):
            self._begin_ordinary()

    def _stand_still(self) -> None:
        """The pictures that wait were blinks."""
        assert self._since is not None
        key = self._keys[self._back]
        for picture in self._drain():
            self._decided.append(Still(picture, key))
            self._since.sent += 1

    # --- Which of the last key pictures ---

    def _choose_reference(self, picture: int) -> bool:
        """Choose the key picture that drives a picture; False when it shows no face.

        What is drawn looks the worse the further the face lies from that of its key picture.
        """
        since, settings = self._since, self._settings
        assert since is not None
        distance = self._facts.distance(picture, self._keys[self._back])
        since.uncompared += 1
        since.since_change += 1
        if distance is None:
            return False
        self._stand_still()
        due = since.uncompared >= self._check_every and since.since_change >= settings.pictures(
            REFERENCE_SPACING_SECONDS
        )
        may_change = settings.longest_unit is None or since.sent < settings.longest_unit
        if len(self._keys) == 1 or not (due and may_change):
            return True
        since.uncompared = 0
        if distance >= NEARER_BY:
            self._turn_to_nearer(picture, distance)
        return True

    def _turn_to_nearer(self, picture: int, distance: float) -> None:
        """Turn to the nearest other key picture, if it is near enough."""
        assert self._since is not None
        nearest, limit = self._back, min(NEARER * distance, distance - NEARER_BY)
        for back, key in enumerate(self._keys):
            other = None if back == self._back else self._facts.distance(picture, key)
            if other is not None and other <= limit:
                nearest, limit = back, other
        if nearest != self._back:
            self._back, self._since.since_change = nearest, 0

    # --- Ordinary video ---

    def _begin_ordinary(self) -> None:
        """Make the pictures that wait ordinary video, and those that follow."""
        self._in_ordinary, self._stay = True, 0
        self._since, self._retry = None, 0
        self._send_ordinary(self._drain())

    def _go_on_with_ordinary(self, picture: int) -> None:
        """Decide about a picture within ordinary video: it ends where the face came back."""
        face = self._facts.shows_face(picture)
        self._waiting.append(picture)
        if self._stay or not face:
            self._stay = max(self._stay - 1, 0)
            self._send_ordinary(self._drain())
        elif len(self._waiting) >= self._settings.pictures(FOUND_SECONDS):
            self._try_to_end_ordinary()

    def _try_to_end_ordinary(self) -> None:
        waiting = self._drain()
        best = self._facts.best_key(waiting) if self._settings.look_ahead else waiting[0]
        place = waiting.index(best)
        if self._key(best, waiting[:place]):
            for picture in waiting[place + 1 :]:
                self._generate(picture, cut=False)
        else:
            self._stay = self._settings.pictures(RETRY_SECONDS)
            self._send_ordinary(waiting)

    def _send_ordinary(self, pictures: list[int]) -> None:
        longest = self._settings.longest_sequence or self._settings.interval
        for picture in pictures:
            starts = self._sequence in (0, longest)
            self._sequence = 1 if starts else self._sequence + 1
            self._decided.append(Ordinary(picture, starts))
