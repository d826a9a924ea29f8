"""What a network keeps of a key picture serves every picture that is drawn from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from models.published.fomm.network import FommKeypoints
from tests.models.published.tiny import keypoints_of, pictures, tiny_cfte, tiny_fomm, tiny_fv2v


@dataclass(frozen=True)
class Clip:
    """A key picture with its parameters, those of driven pictures, and all these as one batch."""

    generator: Any
    source: Tensor
    of_source: Any
    of_driving: list[Any]
    batch: Any


def fomm() -> Clip:
    network, (source, *driving) = tiny_fomm(), pictures(128)
    of = [network.kp_detector(picture) for picture in driving]
    positions, jacobians = zip(*((k.positions, k.jacobians) for k in of), strict=True)
    batch = FommKeypoints(torch.cat(positions), torch.cat(jacobians))
    return Clip(network.generator, source, network.kp_detector(source), of, batch)


def cfte() -> Clip:
    network, (source, *driving) = tiny_cfte(), pictures(256)
    of = [network.kp_detector(picture) for picture in driving]
    return Clip(network.generator, source, network.kp_detector(source), of, torch.cat(of))


def fv2v() -> Clip:
    network, (source, *driving) = tiny_fv2v(), pictures(128)
    of_source, *of = keypoints_of(network, source, *driving)
    return Clip(network.generator, source, of_source, of, torch.cat(of))


networks = pytest.mark.parametrize("make", [fomm, cfte, fv2v])


@networks
def test_a_kept_source_gives_the_same_pictures(make: Callable[[], Clip]) -> None:
    clip = make()
    kept = clip.generator.encode_source(clip.source)
    for driving in (*clip.of_driving, clip.of_driving[0]):
        expected = clip.generator(clip.source, clip.of_source, driving)
        assert torch.equal(clip.generator.animate(kept, clip.of_source, driving), expected)


@networks
def test_one_source_serves_a_batch(make: Callable[[], Clip]) -> None:
    clip = make()
    kept = clip.generator.encode_source(clip.source)
    together = clip.generator.animate(kept, clip.of_source, clip.batch)
    alone = [clip.generator.animate(kept, clip.of_source, one) for one in clip.of_driving]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-5)
