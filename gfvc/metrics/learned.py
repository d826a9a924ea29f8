"""LPIPS and DISTS, where their published weights are in the folder that a variable names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.contract import Picture
from models.forking import begin_threads

if TYPE_CHECKING:
    from torch import Tensor

VARIABLE = "GFVC_QUALITY_WEIGHTS"
"""Names the folder."""

# Names under which the weights are published: the network's own beneath that of its backbone.
WEIGHTS = {
    "lpips": ("alexnet-owt-7be5be79.pth", "alex.pth"),
    "dists": ("vgg16-397923af.pth", "weights.pt"),
}


@dataclass(frozen=True, slots=True)
class LearnedMeasure:
    """A network that measures a pair of pictures uint8 RGB [height, width, 3]."""

    name: str
    distance: Callable[[Tensor, Tensor], Tensor]

    def score(self, source: Picture, decoded: Picture) -> float:
        """The network's distance, 0 for equal pictures.

        Raises `ModelError` in a process that was forked after networks ran (`models.forking`).
        """
        begin_threads()
        import torch

        pair = [
            torch.tensor(picture).permute(2, 0, 1)[None].float() / 255
            for picture in (source, decoded)
        ]
        with torch.inference_mode():
            return float(self.distance(*pair))


def learned_measures_present(environment: Mapping[str, str] = os.environ) -> dict[str, list[Path]]:
    """Files of each network whose weights are all there, by its measure's name."""
    folder = environment.get(VARIABLE)
    if not folder:
        return {}
    paths = {name: [Path(folder, file) for file in files] for name, files in WEIGHTS.items()}
    return {name: of_name for name, of_name in paths.items() if all(p.is_file() for p in of_name)}


def learned_measures_absent(environment: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each network that cannot be used, saying which files it wants."""
    present = learned_measures_present(environment)
    return [
        f"{name.upper()} is left out: {VARIABLE} names no folder with {' and '.join(files)}"
        for name, files in WEIGHTS.items()
        if name not in present
    ]


def load_learned_measures(
    environment: Mapping[str, str] = os.environ,
) -> list[LearnedMeasure]:
    """The networks whose weights are there.

    Raises `CheckpointError` for weights that do not fit, `ModelError` as `LearnedMeasure.score`.
    """
    present = learned_measures_present(environment)
    if not present:
        return []
    begin_threads()
    from models.metrics.learned import load_dists, load_lpips

    load = {"lpips": load_lpips, "dists": load_dists}
    return [LearnedMeasure(name, load[name](*paths)) for name, paths in present.items()]
