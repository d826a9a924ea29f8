"""All scores of a clip at once."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from gfvc.face_square import FaceSquare
from gfvc.metrics import MEASURES, PICTURE_MEASURES, ClipMeasure, ClipScores, PictureScores
from gfvc.metrics.clip_measure import MAX_PSNR
from models.contract import FloatArray, Picture
from models.metrics.similarity import ms_ssim, psnr

BLANK = np.full((256, 256, 3), 90, np.uint8)
RATE = Fraction(25)


class CountDifferences:
    name = "lpips"

    def score(self, source: Picture, decoded: Picture) -> float:
        return float((source != decoded).sum())


@pytest.mark.program
def test_every_measure_of_a_clip(demo_pictures: list[Picture]) -> None:
    sources = [*demo_pictures[:2], BLANK, demo_pictures[3]]
    blurred = np.asarray(cv2.GaussianBlur(demo_pictures[1], (0, 0), 2), np.uint8)
    decoded = [sources[0], blurred, BLANK, BLANK]
    with ClipMeasure(RATE, networks=[CountDifferences()]) as measure:
        for pair in zip(sources, decoded, strict=True):
            measure.add(*pair, sources[0])
        scores = measure.finish()
    perfect, soft, faceless, lost = scores.pictures
    assert (perfect.psnr, perfect.landmark_error, perfect.sharpness) == (MAX_PSNR, 0, 1)
    assert (perfect.flicker, perfect.lpips, perfect.dists) == (None, 0, None)
    assert perfect.cw_ssim == pytest.approx(1, abs=1e-6)
    assert soft.ms_ssim == ms_ssim(sources[1], blurred)
    assert soft.sharpness is not None
    assert soft.sharpness < 0.2
    assert soft.mouth_ssim is not None
    assert soft.mouth_ssim < 0.99
    assert soft.vmaf is not None
    assert perfect.vmaf is not None
    assert soft.vmaf < perfect.vmaf - 10
    assert (faceless.landmark_error, faceless.mouth_ssim, faceless.face_lost) == (None, None, False)
    assert (lost.landmark_error, lost.face_lost) == (1.0, True)
    assert (scores.faces_lost, scores.faces_skipped) == (1, 1)
    assert (lost.lid_error, lost.lip_error, faceless.lid_error) == (1.0, 1.0, None)
    assert (perfect.lid_error, perfect.lip_error, perfect.source_sharpness) == (0, 0, 1)
    assert soft.source_sharpness is not None
    assert soft.source_sharpness < 0.2
    of_clip = scores.of_clip()
    assert list(of_clip) == list(MEASURES)
    assert of_clip["dists"] is None
    assert of_clip["psnr"] == pytest.approx(np.mean([one.psnr for one in scores.pictures]))


def test_faces_of_whole_pictures_are_measured_in_their_square(
    demo_pictures: list[Picture],
) -> None:
    """What is decoded worse beside the square spoils the picture, and no face; and vice versa."""
    square = FaceSquare(200, 40, 256)
    source = np.random.default_rng(3).integers(60, 180, (320, 640, 3), np.uint8)
    source = np.asarray(cv2.GaussianBlur(source, (0, 0), 4), np.uint8)
    source[square.window] = demo_pictures[0]
    beside = source.copy()
    beside[:, :150] = 255 - beside[:, :150]
    blurred = source.copy()
    blurred[square.window] = cv2.GaussianBlur(demo_pictures[0], (0, 0), 3)
    brighter = source.copy()
    brighter[square.window] = np.clip(demo_pictures[0].astype(int) + 40, 0, 255)
    with ClipMeasure(RATE, square=square, vmaf=False) as measure:
        same, spoiled, soft = (
            measure.add(source, decoded, source) for decoded in (source, beside, blurred)
        )
        assert measure.finish().seam == pytest.approx(1, abs=0.2)
    with ClipMeasure(RATE, vmaf=False) as alone:
        face = alone.add(demo_pictures[0], blurred[square.window], demo_pictures[0])
        assert alone.finish().seam is None
    assert spoiled.psnr == pytest.approx(psnr(source, beside))
    assert spoiled.ms_ssim == ms_ssim(source, beside)
    for name in ("landmark_error", "lid_error", "face_ssim", "mouth_ssim", "sharpness"):
        assert getattr(spoiled, name) == getattr(same, name)
        assert getattr(soft, name) == getattr(face, name)
    assert soft.landmark_error is not None
    assert soft.landmark_error > 0
    assert soft.psnr > face.psnr + 3
    with ClipMeasure(RATE, square=square, vmaf=False) as measure:
        measure.add(source, brighter, source)
        assert (measure.finish().of_clip()["seam"] or 0) > 1.3


def test_landmarks_of_the_source_are_looked_for_once(demo_pictures: list[Picture]) -> None:
    pictures = demo_pictures[:2]
    with ClipMeasure(RATE, vmaf=False) as first:
        for picture in pictures:
            first.add(picture, pictures[0], pictures[0])
        expected = first.finish()
    with ClipMeasure(RATE, vmaf=False, source_landmarks=first.source_landmarks) as second:
        for picture in pictures:
            second.add(picture, pictures[0], pictures[0])
        assert second.finish() == expected
    assert expected.pictures[0].vmaf is None
    moved = [None if found is None else found + 0.1 for found in first.source_landmarks]
    with ClipMeasure(RATE, vmaf=False, source_landmarks=moved) as third:
        assert third.add(pictures[0], pictures[0], pictures[0]).landmark_error != 0


def test_a_key_picture_without_face_has_no_sharpness(demo_pictures: list[Picture]) -> None:
    with ClipMeasure(RATE, vmaf=False) as measure:
        assert measure.add(demo_pictures[0], demo_pictures[0], BLANK).sharpness is None


def test_sizes_must_agree(demo_pictures: list[Picture]) -> None:
    small = demo_pictures[0][:128, :128]
    with (
        ClipMeasure(RATE, vmaf=False) as measure,
        pytest.raises(ValueError, match=r"picture 0: .* differ in size"),
    ):
        measure.add(demo_pictures[0], small, demo_pictures[0])


def test_a_measure_that_no_picture_has_is_no_number() -> None:
    scores = ClipScores((PictureScores(30.0, 0.9, 0.9, 0.9, face_lost=False),))
    assert scores.mean("vmaf") is None
    assert scores.faces_skipped == 1
    assert ClipScores(()).mean("psnr") is None


def test_openings_are_followed_over_a_clip(demo_pictures: list[Picture]) -> None:
    """The demo clip's lids and lips move; a repeated first picture follows nothing."""
    pictures = demo_pictures[::3]
    with ClipMeasure(RATE, vmaf=False) as measure:
        for picture in pictures:
            measure.add(picture, picture, pictures[0])
        same = measure.finish()
        found = measure.source_landmarks
    assert [same.lid_correlation, same.lip_correlation] == pytest.approx([1, 1])
    assert same.mean("lid_error") == same.mean("lip_error") == 0
    assert "lid_correlation" not in PICTURE_MEASURES
    with ClipMeasure(RATE, vmaf=False, source_landmarks=found) as measure:
        for picture in pictures:
            measure.add(picture, pictures[0], pictures[0])
        still = measure.finish().of_clip()
    assert (still["lid_correlation"], still["lip_correlation"]) == (0, 0)
    assert (still["lip_error"] or 0) > 0.01
    with ClipMeasure(RATE, vmaf=False) as measure:
        for picture in pictures[:3]:
            measure.add(pictures[0], picture, pictures[0])
        unmoved = measure.finish()
    assert (unmoved.lid_correlation, unmoved.lip_correlation) == (None, None)


def test_a_blur_of_known_effect_on_sharpness(landmarks: FloatArray) -> None:
    """A Gaussian of deviation s leaves exp(-(w s)²/2) of a wave of w radians a sample.

    Energy is its square. Noise of the source that is not decoded lowers sharpness over the source.
    """
    frequency, deviation, size = 0.5, 1.2, 128
    wave = np.sin(frequency * np.arange(size))[None, :, None] * np.ones((size, 1, 3))
    left = np.exp(-((frequency * deviation) ** 2) / 2)
    source, blurred = (np.rint(128 + 100 * gain * wave).astype(np.uint8) for gain in (1.0, left))
    noise = np.random.default_rng(0).normal(0, 5, source.shape[:2])[..., None]
    noisy = np.clip(np.rint(source + noise), 0, 255).astype(np.uint8)
    with ClipMeasure(RATE, vmaf=False, source_landmarks=[landmarks] * 3) as measure:
        same, soft, clean = (
            measure.add(*pair, source)
            for pair in ((source, source), (source, blurred), (noisy, source))
        )
    assert same.source_sharpness == 1
    assert soft.source_sharpness == pytest.approx(left**2, rel=0.02)
    assert soft.sharpness is None  # no face in the key picture, which that is over
    # Variances add: of the wave 100²/2 (2 - 2 cos w)², of white noise 20 times its own.
    detail = 100**2 / 2 * (2 - 2 * np.cos(frequency)) ** 2
    assert clean.source_sharpness == pytest.approx(detail / (detail + 20 * 5**2), rel=0.1)
