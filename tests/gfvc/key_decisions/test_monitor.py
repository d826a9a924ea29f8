"""The decision on a new key picture, without and with real pictures."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gfvc import EncodeOptions, EncodeSummary, encode
from gfvc.demo_clip import RATE
from gfvc.key_decisions.monitor import FLOOR, MARGIN, PRICE, Debt, Verdict
from gfvc.key_decisions.quality import FaceQuality
from gfvc.video_reader import Picture
from tests.gfvc.fallback.test_fallback import kinds
from tests.gfvc.support import write_video

STEP = 0.2
BITS = 10_000


def run(debt: Debt, qualities: Sequence[float]) -> list[Verdict]:
    return [debt.judge(quality, STEP) for quality in qualities]


def after_key(bits: int = BITS) -> Debt:
    debt = Debt()
    debt.key_sent(bits)
    return debt


def first_key(debt: Debt, quality: float, steps: int = 200) -> int | None:
    """After how many checks a key picture is sent, when quality falls from 0.9 and stays."""
    verdicts = run(debt, [0.9, *[quality] * steps])
    return verdicts.index(Verdict.NEW_KEY) if Verdict.NEW_KEY in verdicts else None


def test_a_key_picture_comes_when_its_price_is_paid() -> None:
    price = PRICE * BITS / 1000
    assert first_key(after_key(), 0.7) == pytest.approx(price / 0.2 / STEP, abs=1)
    slow, fast = first_key(after_key(), 0.75), first_key(after_key(), 0.6)
    assert slow is not None
    assert fast is not None
    assert fast < slow
    cheap, dear = first_key(after_key(BITS // 2), 0.7), first_key(after_key(2 * BITS), 0.7)
    assert cheap is not None
    assert dear is not None
    assert dear == pytest.approx(4 * cheap, abs=4)


def test_a_small_loss_is_never_worth_it() -> None:
    assert first_key(after_key(), 0.9 - MARGIN / 2) is None


def test_a_debt_does_not_buy_while_the_face_is_drawn_well() -> None:
    debt = after_key()
    # Turned away in short moments, which add up; the key picture comes in such a moment.
    verdicts = run(debt, [0.9, 0.88, 0.65] * 20)
    assert verdicts.index(Verdict.NEW_KEY) % 3 == 2


def test_key_pictures_keep_a_distance() -> None:
    assert first_key(after_key(100), 0.5) == 4


def test_a_key_picture_that_gains_nothing_makes_the_next_dearer() -> None:
    debt = after_key()
    first = first_key(debt, 0.7)
    debt.improve_on(0.89)
    debt.judge(0.9, STEP)
    debt.key_sent(BITS)
    second = first_key(debt, 0.7)
    debt.improve_on(0.7)
    debt.key_sent(BITS)
    assert first is not None
    assert second is not None
    assert second == pytest.approx(2 * first, abs=2)


def test_a_face_that_no_key_picture_helps_is_given_up() -> None:
    debt = after_key()
    assert run(debt, [0.8, FLOOR - 0.1]) == [Verdict.DRIVE, Verdict.NEW_KEY]
    debt.key_sent(BITS)
    assert run(debt, [FLOOR - 0.1]) == [Verdict.GIVE_UP]


def test_quality_sees_blur_and_another_expression(demo_pictures: list[Picture]) -> None:
    source, other = demo_pictures[0], demo_pictures[20]
    with FaceQuality() as quality:
        blurred = np.asarray(cv2.GaussianBlur(source, (0, 0), 3), np.uint8)
        exact = quality.measure(source, source)
        assert exact == pytest.approx(1, abs=0.01)
        for worse in (blurred, other, np.zeros_like(source)):
            found = quality.measure(source, worse)
            assert found is not None
            assert exact is not None
            assert found < exact - 0.1
        assert quality.measure(np.zeros_like(source), source) is None


def encode_clip(
    pictures: list[Picture], folder: Path, **options: object
) -> tuple[str, EncodeSummary]:
    clip = write_video(folder / "clip.mkv", pictures, RATE)
    chosen: dict[str, Any] = {"key_pictures": "auto", "symbol_rate": "full"} | options
    settings = EncodeOptions(**chosen)
    summary = encode(clip, folder / "out.265", settings, force=True)
    return kinds(folder / "out.265"), summary


def covered(picture: Picture, time: int) -> Picture:
    """A cloth that moves before the lower face; the tracker still sees a face above it."""
    cloth = np.random.default_rng(time).integers(40, 220, (8, 10, 3), np.uint8)
    result = picture.copy()
    result[105:235, 50:210] = cv2.resize(cloth, (160, 130), interpolation=cv2.INTER_CUBIC)
    return result


def test_a_scene_cut_gets_a_key_picture_at_once(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    other = [np.ascontiguousarray(p[:, ::-1] // 2) for p in demo_pictures[:4]]
    clip = [*demo_pictures[:4], *other]
    text, _ = encode_clip(clip, tmp_path)
    assert text == "KdddKddd"
    text, _ = encode_clip(clip, tmp_path, key_pictures="fixed")
    assert text == "Kddddddd"


def test_a_talking_head_is_left_alone(demo_pictures: list[Picture], tmp_path: Path) -> None:
    text, _ = encode_clip(demo_pictures[:15], tmp_path)
    assert text == "K" + "d" * 14


def test_the_checks_are_few() -> None:
    from gfvc.key_decisions.monitor import CHECKS_PER_SECOND

    assert Fraction(CHECKS_PER_SECOND) <= RATE / 5


def test_what_covers_the_face_becomes_ordinary_video(
    demo_pictures: list[Picture], tmp_path: Path
) -> None:
    cloth = [covered(picture, time) for time, picture in enumerate(demo_pictures[6:24])]
    clip = [*demo_pictures[:6], *cloth]
    text, summary = encode_clip(clip, tmp_path)
    assert summary.fallback_pictures > 6
    assert text.startswith("Kdddd")
    text, summary = encode_clip(clip, tmp_path, fallback="never")
    assert summary.fallback_pictures == 0
