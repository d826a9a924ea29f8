"""LPIPS and DISTS with random weights: files, formulas, and what does not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gfvc.metrics.learned import (
    VARIABLE,
    WEIGHTS,
    learned_measures_absent,
    learned_measures_present,
    load_learned_measures,
)
from models.contract import Picture
from models.errors import CheckpointError
from models.forking import FORKED
from models.metrics.learned import Dists, Lpips
from tests.models.reading import reading_here


def random_weights(network: nn.Module) -> dict[str, Tensor]:
    """Positive for what weighs differences, as trained ones are."""
    generator = torch.Generator().manual_seed(0)
    return {
        name: torch.rand(tensor.shape, generator=generator)
        if not name.startswith("features.")
        else 0.1 * torch.randn(tensor.shape, generator=generator)
        for name, tensor in network.state_dict().items()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights as they are published: backbones with classifiers, the rest apart."""
    folder = tmp_path_factory.mktemp("weights")
    for network, backbone, own in (
        (Lpips(), "alexnet-owt-7be5be79.pth", "alex.pth"),
        (Dists(), "vgg16-397923af.pth", "weights.pt"),
    ):
        tensors = random_weights(network)
        features = {name: t for name, t in tensors.items() if name.startswith("features.")}
        rest = {name: t for name, t in tensors.items() if name not in features}
        torch.save({**features, "classifier.1.weight": torch.zeros(2, 2)}, folder / backbone)
        torch.save(rest, folder / own)
    return folder


def test_equal_pictures_are_at_no_distance(folder: Path, demo_pictures: list[Picture]) -> None:
    one, other = (picture[96:160, 96:160] for picture in (demo_pictures[0], demo_pictures[9]))
    far = one[::-1].copy()
    with reading_here():
        measures = load_learned_measures({VARIABLE: str(folder)})
    assert [measure.name for measure in measures] == ["lpips", "dists"]
    for measure in measures:
        assert measure.score(one, one) == pytest.approx(0, abs=1e-5)
        assert 0 < measure.score(one, other) < measure.score(one, far)
        assert measure.score(one, far) == pytest.approx(measure.score(far, one), rel=1e-4)


def test_names_and_shapes_are_the_published_ones() -> None:
    lpips, dists = Lpips().state_dict(), Dists().state_dict()
    assert [n for n in lpips if n.startswith("lin")] == [f"lin{i}.model.1.weight" for i in range(5)]
    assert lpips["features.10.weight"].shape == (256, 256, 3, 3)
    assert lpips["lin2.model.1.weight"].shape == (1, 384, 1, 1)
    assert dists["alpha"].shape == (1, 1475, 1, 1)
    assert dists["features.28.weight"].shape == (512, 512, 3, 3)
    assert len([n for n in dists if n.endswith("bias")]) == 13


def test_lpips_of_one_layer_by_hand() -> None:
    network = Lpips()
    tensors = {name: torch.zeros_like(t) for name, t in network.state_dict().items()}
    # The first layer answers (1, 0) to black and (1, 1) / sqrt(2) to white in two channels.
    tensors["features.0.bias"][0] = 1
    tensors["features.0.bias"][1] = 0.5
    scaled = (torch.tensor([-1.0, 1.0]) + 0.030) / 0.458
    tensors["features.0.weight"][1, 0, 5, 5] = 0.5 / (scaled[1] - scaled[0])
    tensors["features.0.bias"][1] = 0.5 - tensors["features.0.weight"][1, 0, 5, 5] * scaled[1] + 0.5
    tensors["lin0.model.1.weight"][0, :2] = torch.tensor([2.0, 3.0]).reshape(2, 1, 1)
    network.load_state_dict(tensors)
    black, white = torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64)
    first = torch.tensor([1.0, 0.5]) / torch.tensor(1.25).sqrt()
    second = torch.tensor([1.0, 1.0]) / torch.tensor(2.0).sqrt()
    expected = float((torch.tensor([2.0, 3.0]) * (first - second) ** 2).sum())
    with torch.no_grad():
        assert float(network(black, white)) == pytest.approx(expected, rel=1e-4)


def test_what_is_absent_is_said(folder: Path, tmp_path: Path) -> None:
    assert learned_measures_absent({VARIABLE: str(folder)}) == []
    assert load_learned_measures({}) == []
    (sentence, other) = learned_measures_absent({})
    assert "LPIPS is left out" in sentence
    assert "vgg16-397923af.pth and weights.pt" in other
    (tmp_path / "alex.pth").touch()
    assert learned_measures_present({VARIABLE: str(tmp_path)}) == {}


def test_weights_of_another_network_are_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("vgg16-397923af.pth", "weights.pt"):
        (tmp_path / name).write_bytes((folder / "alexnet-owt-7be5be79.pth").read_bytes())
    with reading_here(), pytest.raises(CheckpointError, match="has no entry alpha, beta"):
        load_learned_measures({VARIABLE: str(tmp_path)})
    (tmp_path / "weights.pt").write_bytes((folder / "weights.pt").read_bytes())
    with reading_here(), pytest.raises(CheckpointError, match="missing"):
        load_learned_measures({VARIABLE: str(tmp_path)})


_FORKED = """
import multiprocessing
from fractions import Fraction
import numpy as np
from gfvc.metrics import ClipMeasure
from gfvc.metrics.learned import load_learned_measures
from models import ModelError

pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)

def call(kind):
    try:
        if kind == "clip":
            with clip:
                return clip.add(*pictures, pictures[0]).face_lost
        loaded = measures if kind == "score" else load_learned_measures()
        return len([measure.score(*pictures) for measure in loaded])
    except ModelError as error:
        return str(error)

def in_fork(kind):
    # A process that waits for ever must not be waited for so.
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply_async(call, [kind]).get(60)

measures = load_learned_measures()
print(call("score"))
clip = ClipMeasure(Fraction(25), vmaf=False)
clip.add(*pictures, pictures[0])
print(*map(in_fork, ("load", "score", "clip")), sep="\\n")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_forked_process_is_told(folder: Path, tmp_path: Path) -> None:
    """It would wait for ever for threads that only its parent has."""
    for name in WEIGHTS["lpips"]:
        (tmp_path / name).symlink_to(folder / name)
    ended = subprocess.run(
        [sys.executable, "-c", _FORKED],
        env={**os.environ, VARIABLE: str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ended.stdout.splitlines() == ["1", *[FORKED] * 3], ended.stderr[-2000:]
