"""What becomes of pictures, told in strings: a letter for each picture, before and after.

Before: f a face, g one that makes a better key picture, d one in the dark, x one that its coded
form does not show, - none where all else is as before, # something else; a capital starts a scene.
After: K a key picture, . driven, s standing still, R ordinary video that starts a sequence, o other
ordinary video.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.encoding.decisions import Decision, Driven, Key, Ordinary, PlanSettings, Still
from gfvc.encoding.planner import NEARER_BY, PicturePlanner

RATE = Fraction(25)

Measure = Callable[[int, int], float | None]


@dataclass
class Script:
    """Facts as written down; asking about a picture that is not there any more fails.

    `distance` is of a picture and a key picture, by number.
    """

    clip: str
    distance_of: Measure = lambda picture, key: 0.0
    there: set[int] = field(default_factory=set)
    keys: set[int] = field(default_factory=set)
    asked: int = 0

    def is_cut(self, picture: int) -> bool:
        assert picture in self.there
        return self.clip[picture].isupper()

    def shows_face(self, picture: int) -> bool:
        assert picture in self.there
        return self.clip[picture] not in "-#"

    def is_like(self, picture: int, other: int) -> bool:
        assert {picture, other} <= self.there | self.keys
        return (self.clip[picture] == "#") == (self.clip[other] == "#")

    def is_lit_like(self, picture: int, other: int) -> bool:
        assert {picture, other} <= self.there | self.keys
        return (self.clip[picture] == "d") == (self.clip[other] == "d")

    def can_be_key(self, picture: int) -> bool:
        assert self.shows_face(picture)
        if self.clip[picture].lower() == "x":
            return False
        self.keys.add(picture)
        return True

    def distance(self, picture: int, key: int) -> float | None:
        assert key in self.keys
        self.asked += 1
        return self.distance_of(picture, key) if self.shows_face(picture) else None

    def best_key(self, pictures: Sequence[int]) -> int:
        assert all(map(self.shows_face, pictures))
        assert list(pictures) == list(range(pictures[0], pictures[-1] + 1))
        return next((p for p in pictures if self.clip[p].lower() == "g"), pictures[0])


@dataclass
class Planned:
    """Decisions about a clip, and the greatest number of pictures that were held back."""

    decisions: list[Decision]
    held: int

    def __str__(self) -> str:
        return "".join(map(_letter, self.decisions))

    @property
    def keys(self) -> list[int]:
        """Numbers of the key pictures."""
        return [d.picture for d in self.decisions if isinstance(d, Key)]

    @property
    def driven_by(self) -> list[int]:
        """For each driven picture the number of its key picture."""
        return [d.key for d in self.decisions if isinstance(d, Driven)]


def _letter(decision: Decision) -> str:
    if isinstance(decision, Ordinary):
        return "R" if decision.starts else "o"
    return {Key: "K", Driven: ".", Still: "s"}[type(decision)]


def plan(facts: Script | str, **options: object) -> Planned:
    """Plan a clip picture by picture, as the encoder does."""
    script = Script(facts) if isinstance(facts, str) else facts
    settings = PlanSettings(**{"rate": RATE, **options})  # type: ignore[arg-type]
    planner = PicturePlanner(settings, script)
    decisions: list[Decision] = []
    held = 0
    for picture in range(len(script.clip)):
        script.there.add(picture)
        decisions += planner.take(picture)
        script.there = set(planner.held)
        script.keys = {*planner.shown, *(script.keys & script.there)}
        held = max(held, len(planner.held))
    return Planned([*decisions, *planner.finish()], held)


@pytest.mark.parametrize(
    ("clip", "sent"),
    [
        ("ffffff", "K....."),
        # A blink of the tracker costs nothing; what is lost for long is ordinary video.
        ("fff--ff---ff", "K..ss..sss.."),
        ("fff----f", "K..ssss."),
        ("fff-----fffff", "K..RooooK...."),
        # From its first picture, up to the first with the face again.
        ("fff--------ffffffff", "K..RoooooooK......."),
        # A face that is seen for a moment does not end it.
        ("fff-----ffff---fffff", "K..RoooooooooooK...."),
        # At the ends of a clip.
        ("-----ffffff", "RooooK....."),
        ("--fff", "Kss.."),
        ("ff----", "K.ssss"),
        ("ff-----", "K.Roooo"),
        ("ff-----ff", "K.Roooooo"),
        ("-------", "Roooooo"),
        ("--", "Ro"),
        # There a face does not stand in for something else.
        ("##fff", "RoK.."),
        ("#-fff", "RKs.."),
        ("-#fff", "RoK.."),
        ("ff####", "K.Rooo"),
        ("ff-#--", "K.sRoo"),
        # Between pictures of a face it does: that is a flash.
        ("ff##ff", "K.ss.."),
        # Not between two scenes.
        ("ff##Fff", "K.RoK.."),
        ("ff-#Fff", "K.sRK.."),
        ("ff--Fff", "K.ssK.."),
        # A coded key picture without a face is tried again after half a second.
        ("xxxxx", "Roooo"),
        ("xxfff", "Roooo"),
        ("x" * 5 + "f" * 16, "Roooo" + "K" + 15 * "."),
        ("fff" + 5 * "-" + 15 * "x" + 18 * "f", "K..Roooo" + 18 * "o" + "K" + 14 * "."),
    ],
)
def test_faces_lost_and_found(clip: str, sent: str) -> None:
    assert str(plan(clip)) == sent


@pytest.mark.parametrize(
    ("clip", "sent", "drawn_from"),
    [
        # Of five pictures the best: those before it are drawn from it.
        ("ffgfffff", "K.......", [2] * 7),
        ("ffffffgf", "K.......", [0] * 7),
        ("ff", "K.", [0]),
        # A blink, or the end of the clip, ends the choice.
        ("fg-gff", "K.s...", [1] * 4),
        ("fg", "K.", [1]),
        # At a cut, and not across it.
        ("fffffffFfgffff", "K......K......", [0] * 6 + [9] * 6),
        ("ffFgf", "K.K..", [0] + [3] * 2),
        ("ffFFgf", "K.KK..", [0] + [4] * 2),
        # A face that comes back.
        ("fff-----ffgff", "K..RooooK....", [0] * 2 + [10] * 4),
        # Pictures without a face before it stand still.
        ("--fgf", "Kss..", [3] * 2),
        # No face in the coded form.
        ("xxxxxxxffffffffffffffffffffff", None, None),
    ],
)
def test_the_best_of_some_pictures_becomes_the_key_picture(
    clip: str, sent: str | None, drawn_from: list[int] | None
) -> None:
    planned = plan(clip, look_ahead=4)
    assert sorted(d.picture for d in planned.decisions) == list(range(len(clip)))
    if sent is not None:
        assert (str(planned), planned.driven_by) == (sent, drawn_from)


def test_a_key_picture_by_the_clock_is_chosen_too() -> None:
    planned = plan("f" * 10 + "ffgff" + "f" * 5, look_ahead=4, key_interval=10)
    assert planned.keys == [0, 12]
    # Those before it are drawn from the key picture that they had.
    assert planned.driven_by == [0] * 11 + [12] * 7


@pytest.mark.parametrize(
    ("clip", "sent"),
    [
        ("---fff", "Ksss.."),
        ("fff" + "-" * 5 + "fff", "K..sssssK.."),
        ("fff" + "-" * 5 + "xff", "K..sssss..."),
        ("-----", ""),
        ("xxxxx", ""),
        ("x" + "f" * 15, "K" + "s" * 13 + ".."),
    ],
)
def test_without_ordinary_video(clip: str, sent: str) -> None:
    planned = plan(clip, fallback="never")
    assert str(planned) == sent
    # However long no face is seen, nothing is held back.
    assert planned.held == 0


def another(first: int) -> Measure:
    """The face is another's from a picture on."""
    return lambda picture, key: 0.0 if (picture < first) == (key < first) else None


@pytest.mark.parametrize("fallback", ["auto", "never"])
def test_nobody_is_drawn_from_a_later_key_picture_of_another(fallback: str) -> None:
    """The cut is seen by the face alone, and the best key picture is the other person's."""
    planned = plan(Script("ffffffgfff", distance_of=another(4)), look_ahead=8, fallback=fallback)
    assert str(planned) == "K...K....."
    assert planned.keys == [0, 6]
    assert planned.driven_by == [0] * 3 + [6] * 5
    planned = plan(
        Script("fff" + "Fffffgfff", distance_of=another(6)), look_ahead=8, fallback=fallback
    )
    assert planned.keys == [0, 3, 8]


@pytest.mark.parametrize(
    ("clip", "sent"),
    [
        ("ddfgff", "RoK..."),
        ("#ddfgff", "RooK..."),
        # Up to the last one that is in the dark.
        ("fdfgff", "RoK..."),
        ("--ddgff", "RoooK.."),
        ("-----ddffgffff", "R" + 6 * "o" + "K......"),
        ("fffDdfgffff", "K..RoK....."),
        # With no key picture later than they are, they are like any others.
        ("dddfff", "K....."),
    ],
)
def test_what_a_fade_shows_is_not_drawn_from_after_it(clip: str, sent: str) -> None:
    assert str(plan(clip, look_ahead=4)) == sent
    assert "R" not in str(plan(clip, look_ahead=4, fallback="never"))


def test_ordinary_video_only() -> None:
    script = Script("ffFf-xf")
    assert str(plan(script, fallback="always", key_interval=3)) == "RooRooR"
    assert not script.asked


def test_a_key_picture_comes_by_the_clock() -> None:
    assert str(plan("f" * 10, key_interval=4)) == "K...K...K."
    assert str(plan("fff--ff", key_interval=4)) == "K..ssK."
    assert plan("f" * 125, rate=Fraction(2)).keys == [0, 60, 120]


def test_a_sequence_of_ordinary_video_is_split() -> None:
    clip = "f" + "-" * 8 + "f" * 5 + "-" * 7
    assert str(plan(clip, key_interval=20, longest_sequence=3)) == "KRooRooRoK....RooRooR"
    assert str(plan("-" * 9, key_interval=4)) == "RoooRoooR"


def test_a_key_picture_at_a_cut() -> None:
    assert str(plan("fffFffff")) == "K..K...."
    # Not without a face, and not in ordinary video.
    assert str(plan("fffXf")) == "K...."
    assert str(plan("ff-----FfFfffF")) == "K.RooooK.....K"


def test_another_face_is_not_driven_by_the_key_picture() -> None:
    """It is missed until a key picture shows it: for a moment, or with ordinary video between."""

    def until(first: int) -> Measure:
        return lambda picture, key: 0.0 if (picture < first) == (key < first) else None

    clip = "f" * 16
    assert str(plan(Script(clip, distance_of=until(4)))) == "K...RooooK......"
    assert str(plan(Script(clip, distance_of=until(4)), fallback="never")) == "K...sssssK......"
    blip: Measure = lambda picture, key: None if picture in (4, 5) else 0.0  # noqa: E731
    assert str(plan(Script(clip, distance_of=blip))) == "K...ss.........."


class TestReferences:
    """Which of the last key pictures drives a picture: faces lie on a line."""

    def driven_by(
        self, places: Sequence[int], keys: Sequence[int], **options: object
    ) -> tuple[list[int], Script]:
        """Key pictures at `keys`, each in a scene of its own, then pictures at `places`.

        For each of the pictures, which of `keys` drives it.
        """
        line = [*keys, *places]
        script = Script(
            "F" * len(keys) + "f" * len(places), lambda picture, key: abs(line[picture] - line[key])
        )
        options = {"pool": 4, "key_interval": 1000, **options}
        planned = plan(script, **options)
        assert planned.keys == list(range(len(keys)))
        return [line[key] for key in planned.driven_by], script

    def test_the_nearest_is_taken(self) -> None:
        driven, _ = self.driven_by([64] * 10 + [12] * 40 + [198] * 40, [10, 60, 200])
        assert (driven[9], driven[49], driven[89]) == (60, 10, 200)

    def test_those_that_left_the_pool_are_not(self) -> None:
        driven, _ = self.driven_by([12] * 60, [10, 60, 200], pool=2)
        assert driven[-1] == 60

    def test_without_a_pool_it_is_the_last(self) -> None:
        driven, _ = self.driven_by([12] * 60, [10, 60, 200], pool=1)
        assert set(driven) == {200}

    def test_between_two_it_does_not_flicker(self) -> None:
        driven, _ = self.driven_by([33, 37] * 100, [10, 60])
        assert set(driven) == {60}

    def test_one_that_is_little_nearer_is_not_taken(self) -> None:
        near = round(NEARER_BY) - 1
        driven, _ = self.driven_by([0] * 60, [0, near])
        assert set(driven) == {near}

    def test_changes_keep_a_distance(self) -> None:
        driven, _ = self.driven_by([*[10] * 5, *[200] * 5] * 30, [10, 200])
        changes = [n for n in range(1, len(driven)) if driven[n] != driven[n - 1]]
        assert changes
        assert min(b - a for a, b in pairwise(changes)) >= 25

    def test_others_are_looked_at_only_when_the_face_is_far(self) -> None:
        _, script = self.driven_by([60] * 100, [10, 60])
        assert script.asked == 100

    def test_not_once_the_access_unit_is_written(self) -> None:
        driven, _ = self.driven_by([200] * 30 + [10] * 90, [10, 200], longest_unit=20)
        assert set(driven) == {200}

    def test_a_face_that_is_missed_keeps_its_key_picture(self) -> None:
        line = [10, 200, *[10] * 30]
        script = Script("FF" + "f" * 10 + "--" + "f" * 18, lambda p, k: abs(line[p] - line[k]))
        planned = plan(script, pool=2)
        assert [d.key for d in planned.decisions if isinstance(d, Still)] == [0, 0]


@given(
    clip=st.text("ffff---x#dFX", max_size=90),
    look_ahead=st.sampled_from([0, 3, 12]),
    fallback=st.sampled_from(["auto", "never", "always"]),
    key_interval=st.sampled_from([None, 1, 7]),
    pool=st.integers(1, 3),
    rate=st.sampled_from([1, 5, 25]),
    numbers=st.integers(0, 2**32),
    cuts=st.sets(st.integers(1, 89), max_size=4),
)
def test_every_picture_is_decided_about_once(
    clip: str,
    look_ahead: int,
    fallback: str,
    key_interval: int | None,
    pool: int,
    rate: int,
    numbers: int,
    cuts: set[int],
) -> None:
    """In order, by what is there, and with few pictures held back; never by another person."""

    def distance_of(picture: int, key: int) -> float | None:
        if any(min(picture, key) < cut <= max(picture, key) for cut in cuts):
            return None
        return float(numbers * (picture + 1) * (key + 7) % 41)

    script = Script(clip, distance_of=distance_of)
    planned = plan(
        script,
        look_ahead=look_ahead,
        fallback=fallback,
        key_interval=key_interval,
        pool=pool,
        rate=Fraction(rate),
    )
    decided = [decision.picture for decision in planned.decisions]
    if fallback == "never" and not planned.keys:
        assert decided == []
        return
    assert sorted(decided) == list(range(len(clip)))
    # Only what is drawn from a later key picture follows it.
    backwards = [d.picture for d in planned.decisions if getattr(d, "key", -1) > d.picture]
    late = [n for n in decided if n not in backwards]
    assert late == sorted(late)
    assert planned.held < max(1, rate // 5) + look_ahead + 1
    keys: list[int] = []
    for before, decision in zip([None, *planned.decisions], planned.decisions, strict=False):
        letter = clip[decision.picture].lower()
        if isinstance(decision, Key):
            assert letter in "fd"
            keys = [decision.picture, *keys][:pool]
        elif isinstance(decision, Ordinary):
            assert fallback != "never"
            assert decision.starts or isinstance(before, Ordinary)
        else:
            assert decision.key in keys
            if isinstance(decision, Driven):
                assert distance_of(decision.picture, decision.key) is not None
            assert letter not in "-#" or isinstance(decision, Still)
            assert not isinstance(before, Ordinary)
