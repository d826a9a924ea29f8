"""What holds for each network: conventions change what is drawn, and names are strict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.published.cfte.configuration import CfteConventions
from models.published.cfte.network import Cfte
from models.published.fomm.configuration import FommConventions
from models.published.fomm.network import Fomm
from models.published.fv2v.configuration import Fv2vConventions
from models.published.fv2v.network import Fv2v
from tests.models.published.tiny import (
    TINY_CFTE,
    TINY_FOMM,
    TINY_FV2V,
    keypoints_of,
    large_motion,
    pictures,
    tiny_cfte,
    tiny_fomm,
    tiny_fv2v,
)


def drawn_by_fomm(conventions: FommConventions) -> Tensor:
    picture: Tensor = tiny_fomm(conventions).generator(pictures(128)[0], *large_motion())
    return picture


def drawn_by_cfte(conventions: CfteConventions) -> Tensor:
    network, (source, driving, _) = tiny_cfte(conventions), pictures(256)
    picture: Tensor = network.generator(
        source, network.kp_detector(source), network.kp_detector(driving)
    )
    return picture


def drawn_by_fv2v(conventions: Fv2vConventions) -> Tensor:
    network, (source, driving, _) = tiny_fv2v(conventions), pictures(128)
    picture: Tensor = network.generator(source, *keypoints_of(network, source, driving))
    return picture


CONVENTIONS: list[tuple[Callable[[Any], Tensor], Any]] = [
    (drawn_by_fomm, FommConventions()),
    (drawn_by_cfte, CfteConventions()),
    (drawn_by_fv2v, Fv2vConventions()),
]


@pytest.mark.parametrize(
    ("draw", "conventions", "choice"),
    [(draw, chosen, item.name) for draw, chosen in CONVENTIONS for item in fields(chosen)],
)
def test_every_convention_changes_the_picture(
    draw: Callable[[Any], Tensor], conventions: Any, choice: str
) -> None:
    other = replace(conventions, **{choice: not getattr(conventions, choice)})
    assert (draw(conventions) - draw(other)).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("network", "part", "name"),
    [
        (Fomm(TINY_FOMM), "generator", "dense_motion_network.occlusion.bias"),
        (Cfte(TINY_CFTE), "kp_detector", "gdn3.gamma"),
        (Fv2v(TINY_FV2V), "he_estimator", "block4.skip.bias"),
    ],
)
def test_names_are_strict(network: nn.Module, part: str, name: str) -> None:
    module = network.get_submodule(part)
    state = module.state_dict()
    with pytest.raises(RuntimeError, match=r"Unexpected key.*surplus"):
        module.load_state_dict({**state, "surplus": torch.zeros(1)})
    del state[name]
    with pytest.raises(RuntimeError, match=rf"Missing key.*{name}"):
        module.load_state_dict(state)
