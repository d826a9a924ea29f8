"""Which pictures of a segment are coded, with scripted distortions and with a clip."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from gfvc.demo_clip import make_demo_scene
from gfvc.encoding import coded_choice
from gfvc.encoding.coded_choice import bits_of_coded, by_content, choose_coded
from gfvc.encoding.picture_store import PictureStore
from gfvc.encoding.segments import Segment
from gfvc.encoding.sketches import mixing_errors
from gfvc.face_square import FaceSquare
from gfvc.rate_control.ladder import Coding, RateSettings, ladder
from gfvc.whole_pictures.model import of_whole_pictures
from models import default_registry
from models.contract import FloatArray, Picture
from tests.gfvc.support import coming_nearer

PLACES = 13
Script = Callable[[int, int], float]


def table(script: Script, count: int = PLACES) -> FloatArray:
    return np.array([[script(a, b) if a < b else 0.0 for b in range(count)] for a in range(count)])


def chosen(script: Script, price: float, most: int = 1000) -> list[int]:
    return choose_coded(table(script), np.full((PLACES, PLACES), price), script, most)


def still(earlier: int, later: int) -> float:
    return 0.0


def eventful(earlier: int, later: int) -> float:
    """Nothing but one moment, which no other picture shows."""
    return 10.0 if earlier < 5 < later else 0.0


def bad(earlier: int, later: int) -> float:
    return 5.0 * (later - earlier - 1)


def test_a_still_segment_has_its_ends_coded() -> None:
    assert chosen(still, price=1.0) == [0, 12]


def test_an_eventful_moment_is_coded_if_it_pays() -> None:
    assert chosen(eventful, price=1.0) == [0, 5, 12]
    assert chosen(eventful, price=20.0) == [0, 12]


def test_where_all_drawing_is_bad_all_are_coded() -> None:
    assert chosen(bad, price=1.0) == list(range(PLACES))


def test_what_is_measured_counts_not_what_was_estimated() -> None:
    costs = np.ones((PLACES, PLACES))
    estimates = table(lambda a, b: 0.3 * (b - a - 1) ** 2)
    assert choose_coded(estimates, costs, still, 0) == list(range(0, PLACES, 2))
    assert choose_coded(estimates, costs, still, 1000) == [0, 12]
    estimates = table(lambda a, b: 0.5 * eventful(a, b) + 0.01 * (b - a - 1))
    assert choose_coded(estimates, costs, eventful, 1000) == [0, 5, 12]


def test_a_step_that_cannot_be_is_not_taken() -> None:
    costs = np.ones((PLACES, PLACES))
    costs[:, 5] = np.inf
    assert 5 not in choose_coded(table(bad), costs, bad, 1000)


def test_few_steps_are_measured_each_once() -> None:
    asked: list[tuple[int, int]] = []

    def measure(earlier: int, later: int) -> float:
        asked.append((earlier, later))
        return eventful(earlier, later)

    choose_coded(table(bad), np.ones((PLACES, PLACES)), measure, 20)
    assert len(asked) == len(set(asked)) <= 20


def test_no_fewer_are_coded_the_less_they_cost() -> None:
    counts = [len(chosen(bad, price)) for price in (0.5, 2.0, 8.0, 32.0, 128.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == PLACES
    assert counts[-1] == 2


def test_errors_of_mixtures() -> None:
    rows = np.random.default_rng(1).normal(size=(9, 20))
    errors = mixing_errors(rows, [0, 3, 8])
    for n, start in enumerate((0, 3, 8)):
        for m, end in enumerate((0, 3, 8)):
            shares = [(k, (k - start) / (end - start)) for k in range(start + 1, end)]
            mixed = [(rows[k] - (1 - s) * rows[start] - s * rows[end]) ** 2 for k, s in shares]
            assert errors[n, m] == pytest.approx(sum(float(error.mean()) for error in mixed))


def test_bits_rise_with_change_and_fall_with_the_quantiser() -> None:
    changes = np.array([0.0, 10.0, 20.0])
    assert np.all(np.diff(bits_of_coded(changes, 40)) > 0)
    assert np.all(bits_of_coded(changes, 46) < bits_of_coded(changes, 40))


@pytest.fixture(scope="module")
def half_still(demo_pictures: list[Picture]) -> list[Picture]:
    return [*[demo_pictures[0]] * 30, *demo_pictures[:30]]


def choice(
    pictures: list[Picture],
    faceless: set[int],
    settings: RateSettings,
    square: FaceSquare | None = None,
) -> list[int]:
    squares = () if square is None else (square,)
    model = of_whole_pictures(default_registry().find("mesh").load(), squares)
    with PictureStore() as store, model.open_analyser() as analyser:
        for number, picture in enumerate(pictures):
            store.add(number, picture)
        choose = by_content(store, [analyser], Fraction(25), settings)
        return choose(Segment(0, list(range(len(pictures))), faceless))


def test_a_lively_half_has_more_coded_pictures_than_a_still_one(half_still: list[Picture]) -> None:
    settings = RateSettings(32, 0.05, 42, 0.48, 0.004)
    numbers = choice(half_still, set(), settings)
    assert numbers[0] == 0
    assert numbers[-1] == 59
    assert sum(number >= 30 for number in numbers) > 2 * sum(0 < number < 28 for number in numbers)


def test_whole_pictures_are_coded_no_more_rarely_the_coarser_they_are(
    demo_pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the face nothing is drawn: what is not coded is wrong nearly everywhere there."""
    # Something else is beside the head every third of the time.
    noise = np.random.default_rng(3).integers(100, 150, (3, 32, 32, 3), np.uint8)
    scenes = []
    for number, picture in enumerate(demo_pictures):
        scene = np.full((256, 448, 3), 120, np.uint8)
        scene[:, 96:352] = picture
        beside = noise[number // 10].repeat(8, 0).repeat(3, 1)
        scene[:, :96] = scene[:, 352:] = beside
        scenes.append(scene)
    square = FaceSquare(96, 0, 256)
    monkeypatch.setattr(coded_choice, "MOST_OF_WHOLES", 0.005)
    usual, coarse = (
        choice(scenes, set(), RateSettings(40, 0.2, 42, 0.48, price), square)
        for price in (0.005, 0.5)
    )
    assert usual == coarse
    assert len(usual) > 2
    # Of the face alone there are fewer, if each costs so much.
    assert len(choice(demo_pictures, set(), RateSettings(40, 0.2, 42, 0.48, 0.5))) == 2


def test_what_moves_beside_the_face_is_coded_at_the_coarsest_too(
    demo_pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound of the multiplier is where it is: a little higher, and nothing between would be."""
    noise = np.random.default_rng(3).integers(90, 160, (16, 16, 3), np.uint8)
    beside = noise.repeat(16, 0).repeat(6, 1)
    scenes = []
    for number, picture in enumerate(demo_pictures[:30]):
        moved = np.roll(beside, number, axis=0)
        scenes.append(np.concatenate([moved, picture, moved], axis=1))
    square, settings = FaceSquare(96, 0, 256), RateSettings(40, 0.2, 42, 0.48, 0.5)
    assert len(choice(scenes, set(), settings, square)) == 3
    monkeypatch.setattr(coded_choice, "MOST_OF_WHOLES", 0.08)
    assert choice(scenes, set(), settings, square) == [0, 29]


def test_pictures_without_a_face_are_not_coded(half_still: list[Picture]) -> None:
    settings = RateSettings(32, 0.05, 42, 0.48, 0.0005)
    faceless = set(range(35, 60))
    numbers = choice(half_still, faceless, settings)
    assert not faceless & set(numbers)
    assert choice(half_still[:1], set(), settings) == [0]


def test_a_face_that_comes_nearer_is_found_again_from_the_key_picture_on(
    demo_pictures: list[Picture],
) -> None:
    scenes = coming_nearer(demo_pictures[:12])
    settings = RateSettings(32, 0.05, 42, 0.48, 0.004)
    with (
        PictureStore() as store,
        default_registry().find("mesh").load().open_analyser() as analyser,
    ):
        for number, scene in enumerate(scenes):
            store.add(number, scene)
        segment = Segment(0, list(range(len(scenes))))
        choose = by_content(store, [analyser], Fraction(25), settings)
        assert all(analyser.finds_face(scene) for scene in scenes)
        assert analyser.landmarks(scenes[0]) is None, "another one than that at the end"
        numbers = choose(segment)
    assert (numbers[0], numbers[-1]) == (0, 11)
    assert len(numbers) > 2


def test_without_landmarks_of_the_key_picture_distances_are_equal() -> None:
    """Nothing can be sketched, which is no reason to draw all from one picture."""
    settings = RateSettings(32, 0.05, 42, 0.2, 0.004)
    assert choice([np.zeros((256, 256, 3), np.uint8)] * 11, set(), settings) == [0, 5, 10]


def test_the_multiplier_rises_along_the_ladder() -> None:
    prices = [step.coded_price for step in ladder(Coding("vvc", predicted=True))]
    assert prices == sorted(prices, key=lambda price: price or 0.0)
    assert all(step.coded_price is None for step in ladder(Coding("vvc")))


def test_pictures_on_both_sides_of_a_caption_are_coded() -> None:
    scenes = list(make_demo_scene(1.6))
    for scene in scenes[18:33]:
        scene[310:340, 100:500:12] = scene[310:340, 101:500:12] = 255
    square = FaceSquare(120, 0, 300)
    settings = RateSettings(32, 0.05, 42, 0.48, 0.004)
    assert {17, 18, 32, 33} <= set(choice(scenes, set(), settings, square))
    # One of two that shows no face cannot be coded: then the other need not be.
    numbers = choice(scenes, {17}, settings, square)
    assert 17 not in numbers
    assert {32, 33} <= set(numbers)
