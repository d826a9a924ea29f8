"""Faces that are larger in the picture than models see them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gfvc.colour import is_grey, without_colour
from gfvc.decoded_pool import CodedPicture
from gfvc.demo_clip import demo_still
from gfvc.face_square import DRAWN_SIDE, FaceSquare
from gfvc.grey_pictures import pair_keys, prepare_key
from gfvc.scaling import scale
from gfvc.stream.picture_units import PictureUnit
from gfvc.whole_pictures.compositing import cut_face, fine_face
from gfvc.whole_pictures.model import WholePictures
from models import default_registry
from models.contract import Picture
from models.metrics.similarity import psnr, ssim

SIDE = 2 * DRAWN_SIDE
SQUARE = FaceSquare(40, 16, SIDE)
# Of the square, where it is not mixed with what is beside it.
INNER = (slice(16 + 90, 16 + SIDE - 90), slice(40 + 90, 40 + SIDE - 90))


@pytest.fixture(scope="module")
def scene() -> Picture:
    picture = np.full((SIDE + 32, SIDE + 80, 3), 90, np.uint8)
    # The demo's picture has no more pixels than models see: skin gets its grain here.
    noise = np.random.default_rng(7).normal(0, 12, (SIDE, SIDE, 1))
    grain = cv2.GaussianBlur(noise, (0, 0), 0.7)[..., None]
    picture[SQUARE.window] = np.clip(demo_still(SIDE) + grain, 0, 255)
    return picture


@pytest.mark.parametrize("name", ["mesh", "face", "face-1"])
@pytest.mark.parametrize("references", [1, 2])
@pytest.mark.parametrize("colour", [True, False])
def test_they_are_as_sharp_as_their_references(
    name: str, references: int, colour: bool, scene: Picture
) -> None:
    model = WholePictures(default_registry().find(name).load(), (SQUARE,))
    picture = scene if colour else without_colour(scene)
    with model.open_analyser() as analyser:
        analysis = analyser.analyse_key(picture)
    assert analysis is not None
    reference = prepare_key(model, picture, analysis.parameters)
    if references == 1:
        drawn = reference.animate(analysis.parameters)
    else:
        pair = pair_keys(model, reference, prepare_key(model, picture, analysis.parameters))
        drawn = pair.animate(analysis.parameters, 0.4)
    assert is_grey(drawn) != colour
    # What models see, enlarged, is the best that there was without.
    seen = scale(scale(picture[SQUARE.window], (DRAWN_SIDE, DRAWN_SIDE)), (SIDE, SIDE))
    soft = picture.copy()
    soft[SQUARE.window] = seen
    found, source, blurred = (np.ascontiguousarray(p[INNER]) for p in (drawn, picture, soft))
    assert ssim(found, source) > ssim(blurred, source)
    assert psnr(found, source) > 28


def test_squares_of_further_faces_are_drawn_in_full_too(scene: Picture) -> None:
    model = default_registry().find("mesh").load()
    seen = cut_face(scene, SQUARE)
    with model.open_analyser() as analyser:
        analysis = analyser.analyse_key(seen)
    assert analysis is not None
    parameters, fine = analysis.parameters, fine_face(scene, SQUARE)
    face = CodedPicture(PictureUnit(), seen, parameters, fine=fine)
    drawn = face.prepared(model).animate(parameters)
    assert ssim(drawn, scene[SQUARE.window]) > 0.9
    alone = CodedPicture(PictureUnit(), seen, parameters).prepared(model).animate(parameters)
    assert alone.shape == (DRAWN_SIDE, DRAWN_SIDE, 3)


@pytest.mark.parametrize("name", ["mesh", "face"])
def test_references_in_different_sizes_are_drawn_as_models_see_them(
    name: str, scene: Picture
) -> None:
    """A stream may say of a further face that its square is another in the next coded picture."""
    model = default_registry().find(name).load()
    seen = cut_face(scene, SQUARE)
    with model.open_analyser() as analyser:
        analysis = analyser.analyse_key(seen)
    assert analysis is not None
    one, other, plain = (model.prepare(seen, analysis.parameters) for _ in range(3))
    one.refine(demo_still(SIDE))
    other.refine(demo_still(SIDE - 40))
    for later in (other, plain):
        drawn = model.pair(one, later).animate(analysis.parameters, 0.5)
        assert drawn.shape == seen.shape
