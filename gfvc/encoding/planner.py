"""What becomes of each picture of a clip: a key picture, a driven picture, or ordinary video.

All of these decisions are taken here and nowhere else. The planner knows pictures by their number.
It asks for facts about them (`Facts`) and returns decisions; it sees no picture and writes nothing.
It may hold pictures back and decide about several of them at once, as it does with pictures in
which no face is found: what they are shows only later.

When the tracker loses a face for a moment, the face stands still. One that stays away
is ordinary video from the first picture without it, until it has been back for a while. A face
that is another's is not there, until a key picture shows it.

See docs/decisions.md and docs/fallback.md.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from gfvc.encoding.debt import Debt, Verdict
from gfvc.options.encoding import FallbackPolicy, KeyPicturePolicy

# Without an interval there is a key picture every 30 s, so that access units stay bounded and
# seeking works.
AUTOMATIC_SECONDS = 30
# When the tracker loses a face for less than this, that is no new scene.
LOST_SECONDS = Fraction(1, 5)
# A face must be seen this long, within ordinary video, before a key picture is paid for.
FOUND_SECONDS = Fraction(1, 5)
# After a coded key picture in which no face was found, wait before paying for another.
RETRY_SECONDS = Fraction(1, 2)

# How often a face is drawn to see how good it is, and other key pictures are compared.
CHECKS_PER_SECOND = 5

# How long ordinary video lasts at least where generation failed, in seconds; doubled each time
# that it fails again.
SHORTEST_STRETCH_SECONDS = 1
LONGEST_STRETCH_SECONDS = 16

# Another key picture of the pool is taken when its distance is at most this share of the current
# one's,
NEARER = 0.5
# and smaller by this much, in hundredths of the distance of the eyes,
NEARER_BY = 8.0
# and the last change is this many seconds old: a change costs some hundred bits, and is seen.
REFERENCE_SPACING_SECONDS = Fraction(1)


@dataclass(frozen=True, slots=True)
class Key:
    """A key picture."""

    picture: int


@dataclass(frozen=True, slots=True)
class Driven:
    """Drawn from its face parameters and the key picture of a number."""

    picture: int
    key: int


@dataclass(frozen=True, slots=True)
class Still:
    """Shows no face: the face of the picture before stands still, drawn from the same key picture.

    Where that is a later picture, the face stands still before it moves for the first time.
    """

    picture: int
    key: int


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Ordinary video, shown as coded; `starts` a sequence of it, which decoding can start at."""

    picture: int
    starts: bool


Decision = Key | Driven | Still | Ordinary


class Facts(Protocol):
    """What is asked about pictures that are held back or at hand; answers may take long to find.

    Key pictures are the last ones, as many as the pool holds, and pictures that have a size as key
    pictures, whether that is decided already or not.
    """

    def is_cut(self, picture: int) -> bool:
        """Whether a new scene starts with it."""

    def shows_face(self, picture: int) -> bool:
        """Whether it shows a face that a key picture can be made of."""

    def key_bits(self, picture: int) -> int | None:
        """Its size as a key picture; None when its coded form shows no face."""

    def distance(self, picture: int, key: int) -> float | None:
        """How far its face lies from that of a key picture; None when it does not show that face.

        In hundredths of the distance of the eyes.
        """

    def quality(self, picture: int, key: int) -> float | None:
        """How well it is drawn from a key picture, at most 1; None when that cannot be told."""


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """What to plan for.

    `rate` is in pictures per second. A key picture comes `key_interval` pictures after the last one
    at most (None: 30 s). `pool` key pictures may drive a picture, `longest_unit` pictures belong to
    one of them before references cannot change any more, and a sequence of ordinary video has
    `longest_sequence` pictures at most (None: as from key picture to key picture).
    """

    rate: Fraction
    key_interval: int | None = None
    key_pictures: KeyPicturePolicy = "fixed"
    fallback: FallbackPolicy = "auto"
    pool: int = 1
    longest_unit: int | None = None
    longest_sequence: int | None = None

    def pictures(self, seconds: Fraction | int) -> int:
        """Whole pictures that a time takes at least."""
        return math.ceil(seconds * self.rate)

    @property
    def interval(self) -> int:
        """Pictures from key picture to key picture."""
        return self.key_interval or self.pictures(AUTOMATIC_SECONDS)


@dataclass(slots=True)
class _KeyPicture:
    number: int
    best: float = -math.inf
    """The best quality that it gave, while another key picture is in use."""


@dataclass(slots=True)
class _SinceKey:
    """Pictures since the last key picture, and since checks: made anew with each key picture."""

    pictures: int
    since_change: int
    sent: int = 1  # pictures of the access unit
    lost: int = 0  # without a face, with no more than blinks of a face between
    unchecked: int = 0  # since quality was measured
    uncompared: int = 0  # since key pictures were compared


class PicturePlanner:
    """Takes the pictures of a clip by number, from 0 on, and returns decisions about them.

    Decisions come in the order of the stream: that of the pictures, but for pictures before the
    first key picture, which follow it. `held` and `keys` say what is still needed after that.
    """

    def __init__(self, settings: PlanSettings, facts: Facts) -> None:
        self._settings = settings
        self._facts = facts
        self._check_every = max(1, round(settings.rate / CHECKS_PER_SECOND))
        self._decided: list[Decision] = []
        # Pictures about which nothing is decided: in the order of the clip, one after the other.
        self._waiting: list[int] = []
        # Driving: the last key pictures (the last one first), and which of them is in use.
        self._since: _SinceKey | None = None  # None: there is none that pictures can be driven by
        self._keys: deque[_KeyPicture] = deque(maxlen=settings.pool)
        self._back = 0
        self._retry = 0  # pictures before another key picture is tried
        # Quality.
        self._debt = Debt()
        self._measured_back = 0
        self._stretch_seconds = SHORTEST_STRETCH_SECONDS
        # Ordinary video.
        self._in_stretch = settings.fallback == "always"
        self._stay = 0  # pictures that are ordinary video in any case
        self._sequence = 0  # pictures of the open sequence

    @property
    def held(self) -> tuple[int, ...]:
        """Pictures that wait for a decision, and may become key pictures or ordinary video."""
        return () if self._settings.fallback == "never" else tuple(self._waiting)

    @property
    def keys(self) -> tuple[int, ...]:
        """Key pictures that may drive pictures to come, the last one first."""
        return tuple(key.number for key in self._keys)

    def take(self, picture: int) -> list[Decision]:
        """Take the next picture; what is decided now, about it and about those held back."""
        if self._settings.fallback == "always":
            self._send_ordinary([picture])
        elif self._in_stretch:
            self._go_on_with_stretch(picture)
        else:
            self._generate(picture, cut=self._facts.is_cut(picture))
        return self._taken()

    def finish(self) -> list[Decision]:
        """End the clip: decide about the pictures that are held back.

        Where there is no key picture at all, they are ordinary video; with the policy "never"
        nothing is decided about them.
        """
        if self._since is not None:
            self._stand_still()
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
        if (cut or self._key_is_due()) and self._facts.shows_face(picture) and self._key(picture):
            return
        found = self._since is not None and self._choose_reference(picture)
        if found and self._is_better_coded(picture):
            return
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
        lost_for_long = self._settings.pictures(LOST_SECONDS)
        return self._since.pictures >= self._settings.interval or self._since.lost >= lost_for_long

    def _key(self, picture: int) -> bool:
        """Make a picture a key picture; False when its coded form shows no face."""
        bits = self._facts.key_bits(picture)
        if bits is None:
            self._retry = self._settings.pictures(RETRY_SECONDS)
            return False
        if self._since is not None:
            self._stand_still()
        self._decided.append(Key(picture))
        # A key picture may have come by the clock: an earlier one may be taken at once.
        self._since = _SinceKey(1, self._settings.pictures(REFERENCE_SPACING_SECONDS))
        self._retry = 0
        self._measure_by(0)
        self._keys.appendleft(_KeyPicture(picture))
        self._back = 0
        self._debt.key_sent(bits)
        self._in_stretch, self._sequence = False, 0
        # Pictures before the first key picture look like it: the face stands still until then.
        self._stand_still()
        return True

    def _drive(self, picture: int) -> None:
        assert self._since is not None
        since, lost_for_long = self._since, self._settings.pictures(LOST_SECONDS)
        self._decided.append(Driven(picture, self._keys[self._back].number))
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
            self._open_stretch()

    def _stand_still(self) -> None:
        """The pictures that wait were blinks."""
        assert self._since is not None
        key = self._keys[self._back].number
        for picture in self._drain():
            self._decided.append(Still(picture, key))
            self._since.sent += 1

    # --- Which of the last key pictures ---

    def _choose_reference(self, picture: int) -> bool:
        """Choose the key picture that drives a picture; False when it shows no face.

        Quality falls with the distance between the driven face and that of its key picture.
        """
        since, settings = self._since, self._settings
        assert since is not None
        distance = self._facts.distance(picture, self._keys[self._back].number)
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
            other = None if back == self._back else self._facts.distance(picture, key.number)
            if other is not None and other <= limit:
                nearest, limit = back, other
        if nearest != self._back:
            self._back, self._since.since_change = nearest, 0

    # --- Whether generation is good enough ---

    def _is_better_coded(self, picture: int) -> bool:
        """Make a picture that can be driven a key picture, or ordinary video, where that pays."""
        verdict = self._judge(picture)
        if verdict is Verdict.GIVE_UP and self._settings.fallback != "never":
            at_least = self._settings.pictures(self._stretch_seconds)
            self._stretch_seconds = min(2 * self._stretch_seconds, LONGEST_STRETCH_SECONDS)
            self._waiting.append(picture)
            self._open_stretch(at_least - 1)
            return True
        return verdict is Verdict.NEW_KEY and self._key(picture)

    def _judge(self, picture: int) -> Verdict:
        """What a receiver would see of a picture, now and then, and what that means."""
        since = self._since
        assert since is not None
        since.unchecked += 1
        if self._settings.key_pictures != "auto" or since.unchecked < self._check_every:
            return Verdict.DRIVE
        self._measure_by(self._back)
        seconds, since.unchecked = float(since.unchecked / self._settings.rate), 0
        quality = self._facts.quality(picture, self._keys[self._back].number)
        if quality is None:
            return Verdict.DRIVE
        verdict = self._debt.judge(quality, seconds)
        if verdict is Verdict.NEW_KEY:
            self._debt.improve_on(quality)
        elif verdict is Verdict.DRIVE:
            self._stretch_seconds = SHORTEST_STRETCH_SECONDS
        return verdict

    def _measure_by(self, back: int) -> None:
        """Measure what is lost against the best that the key picture in use gave."""
        if self._keys and back != self._measured_back:
            self._keys[self._measured_back].best = self._debt.best
            self._debt.best = self._keys[back].best
        self._measured_back = back

    # --- Ordinary video ---

    def _open_stretch(self, at_least: int = 0) -> None:
        """Make the pictures that wait ordinary video, and so many more."""
        self._in_stretch, self._stay = True, at_least
        self._since, self._retry = None, 0
        self._send_ordinary(self._drain())

    def _go_on_with_stretch(self, picture: int) -> None:
        """Decide about a picture within ordinary video: it ends where the face came back."""
        face = self._facts.shows_face(picture)
        self._waiting.append(picture)
        if self._stay or not face:
            self._stay = max(self._stay - 1, 0)
            self._send_ordinary(self._drain())
        elif len(self._waiting) >= self._settings.pictures(FOUND_SECONDS):
            self._try_to_end_stretch()

    def _try_to_end_stretch(self) -> None:
        first, *others = self._drain()
        if self._key(first):
            for picture in others:
                self._generate(picture, cut=False)
        else:
            self._stay = self._settings.pictures(RETRY_SECONDS)
            self._send_ordinary([first, *others])

    def _send_ordinary(self, pictures: list[int]) -> None:
        longest = self._settings.longest_sequence or self._settings.interval
        for picture in pictures:
            starts = self._sequence in (0, longest)
            self._sequence = 1 if starts else self._sequence + 1
            self._decided.append(Ordinary(picture, starts))
