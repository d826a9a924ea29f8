"""Models that are networks, on their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models import Analysis, FaceParameters, ModelError
from models.contract import Picture
from models.published.fomm.configuration import FOMM_CONVENTIONS
from models.published.fomm.model import FommModel
from models.published.fomm.network import Fomm
from models.published.model import NetworkModel
from models.runtime import Runtime, torch_device
from tests.models.published.tiny import CARDS, TINY_FOMM, filled, tiny_model
from tools.parity.filling import synthetic_pictures


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Key picture and driven picture, of a face-like pattern."""
    planar = synthetic_pictures("tiny")
    return [np.ascontiguousarray(picture.transpose(1, 2, 0)) for picture in planar[:2]]


def described(model: NetworkModel, pictures: list[Picture]) -> tuple[Analysis, Analysis]:
    key = model.describe(pictures[0], None)
    return key, model.describe(pictures[1], key)


def test_parameters_have_the_layout_of_the_card(
    name: str, model: NetworkModel, pictures: list[Picture]
) -> None:
    assert model.layout == CARDS[name].layout
    for analysis in described(model, pictures):
        model.check_layout(analysis.parameters)
        points = analysis.parameters.keypoints
        arrays = [values for _, values in analysis.parameters.matrices]
        for array in arrays if points is None else [points, *arrays]:
            assert array.dtype == np.float64


def test_pictures_follow_the_parameters(model: NetworkModel, pictures: list[Picture]) -> None:
    key, driven = described(model, pictures)
    reference = model.prepare(pictures[0], key.parameters)
    still, moved = (reference.animate(analysis.parameters) for analysis in (key, driven))
    assert still.shape == moved.shape == (256, 256, 3)
    assert still.dtype == moved.dtype == np.uint8
    assert not np.array_equal(still, moved)
    assert np.array_equal(reference.animate(driven.parameters), moved)


def test_the_picture_is_the_truncated_prediction_of_the_network(pictures: list[Picture]) -> None:
    network = filled(Fomm(replace(TINY_FOMM, keypoints=10)))
    model = FommModel(network, CARDS["fomm"])
    key, driven = described(model, pictures)
    ours = model.prepare(pictures[0], key.parameters).animate(driven.parameters)
    with torch.inference_mode():
        tensors = [torch.from_numpy(p.transpose(2, 0, 1)[None] / np.float32(255)) for p in pictures]
        keypoints = [network.kp_detector(tensor) for tensor in tensors]
        prediction = network.generator(tensors[0], *keypoints)[0].numpy()
    theirs = np.floor(255 * prediction).astype(np.uint8).transpose(1, 2, 0)
    difference = np.abs(ours.astype(int) - theirs)
    # A prediction next to a whole number may fall on its other side.
    assert difference.max() <= 1
    assert np.count_nonzero(difference) < difference.size / 1000


def test_both_layouts_of_fv2v_draw_the_same(pictures: list[Picture]) -> None:
    drawn = []
    for name in ("fv2v", "fv2v-keypoints"):
        model = tiny_model(CARDS[name])
        key, driven = described(model, pictures)
        drawn.append(model.prepare(pictures[0], key.parameters).animate(driven.parameters))
    assert np.abs(drawn[0].astype(int) - drawn[1]).max() <= 1


def singular(analysis: Analysis, keypoint: int) -> FaceParameters:
    ((kind, jacobians),) = analysis.parameters.matrices
    jacobians = jacobians.copy()
    jacobians[keypoint] = [[1, 2], [2, 4]]
    return FaceParameters(analysis.parameters.keypoints, ((kind, jacobians),))


def test_a_singular_jacobian_is_an_error(pictures: list[Picture]) -> None:
    model = tiny_model(CARDS["fomm"])
    key, driven = described(model, pictures)
    reference = model.prepare(pictures[0], key.parameters)
    with pytest.raises(ModelError, match="Jacobian of keypoint 7 is singular"):
        reference.animate(singular(driven, 7))
    reference.animate(driven.parameters)


def test_variants_without_jacobians_do_not_mind_singular_ones(pictures: list[Picture]) -> None:
    conventions = FOMM_CONVENTIONS["jvet_v1"]
    network = filled(Fomm(replace(TINY_FOMM, keypoints=10, conventions=conventions)))
    model = FommModel(network, CARDS["fomm"])
    key, driven = described(model, pictures)
    reference = model.prepare(pictures[0], singular(key, 0))
    assert np.array_equal(
        reference.animate(singular(driven, 0)), reference.animate(driven.parameters)
    )


def test_values_out_of_all_proportion_are_an_error(pictures: list[Picture]) -> None:
    model = tiny_model(CARDS["cfte"])
    key, _ = described(model, pictures)
    reference = model.prepare(pictures[0], key.parameters)
    with pytest.raises(ModelError, match="no finite picture"):
        reference.animate(FaceParameters(matrices=((7, np.full((1, 4, 4), 1e39)),)))


def test_other_layouts_are_refused(name: str, model: NetworkModel, pictures: list[Picture]) -> None:
    key, _ = described(model, pictures)
    reference = model.prepare(pictures[0], key.parameters)
    wrong = FaceParameters(matrices=((7, np.zeros((1, 2, 2))),))
    for use in (lambda: model.prepare(pictures[0], wrong), lambda: reference.animate(wrong)):
        with pytest.raises(ModelError, match=f"{name} parameters are keypoints"):
            use()


def test_an_analysis_that_is_not_finite_is_an_error(pictures: list[Picture]) -> None:
    network = filled(Fomm(replace(TINY_FOMM, keypoints=10)))
    network.kp_detector.kp.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="not finite"):
        FommModel(network, CARDS["fomm"]).describe(pictures[0], None)


def test_the_device_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert torch_device() == torch.device("cpu")
    monkeypatch.setenv("GFVC_DEVICE", "cuda:99")
    with pytest.raises(ModelError, match="GFVC_DEVICE=cuda:99: no such device") as caught:
        torch_device()
    assert "\n" not in str(caught.value)


def test_bfloat16_draws_nearly_the_same_from_the_same_parameters(
    name: str, model: NetworkModel, pictures: list[Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    if name.startswith("fv2v"):
        # Most processors take half a minute to convolve volumes in bfloat16 at the whole size.
        monkeypatch.setattr("models.published.model.PICTURE_SIZE", 128)
        pictures = [np.ascontiguousarray(picture[::2, ::2]) for picture in pictures]
    coarse = tiny_model(CARDS[name], Runtime(bfloat16=True))
    (key, driven), (coarse_key, coarse_driven) = (described(m, pictures) for m in (model, coarse))
    for one, other in ((key, coarse_key), (driven, coarse_driven)):
        for (_, mine), (_, theirs) in zip(
            one.parameters.matrices, other.parameters.matrices, strict=True
        ):
            assert np.array_equal(mine, theirs)
    drawn, coarsely = (
        m.prepare(pictures[0], key.parameters).animate(driven.parameters).astype(float)
        for m in (model, coarse)
    )
    assert np.abs(drawn - coarsely).max() > 0
    assert np.abs(drawn - coarsely).mean() < 4
