"""A post-filter as an ONNX graph of pictures of any size whose sides are multiples of 8.

    decoded picture, QP ──► filtered picture

The pictures are uint8 [H, W, 3], the latter [2 H, 2 W, 3] if it enlarges; the quantisation
parameter that the former is coded by is a float32 [1]. Weights are stored as float16, and all is
computed in floats.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from gfvc.demo_clip import demo_still
from models.contract import Picture
from models.onnx_graph import OnnxGraph
from models.post_filter.network import PostFilterNetwork
from models.training.hevc_coding import code_hevc
from tools.onnx_export.comparison import Comparison, compare
from tools.onnx_export.writing import write_graph

SIZE = 256
"""Width and height of the pictures that the graph is made with and compared on."""

PICTURE_LIMIT = 1
"""Most that a sample may differ from torch's, of 255."""

QP = 37


class Filter(nn.Module):
    """The network from and to uint8."""

    def __init__(self, network: PostFilterNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor, qp: Tensor) -> Tensor:
        """[H, W, 3], coded by a QP [1], to the same, or twice as large."""
        planes = picture.permute(2, 0, 1)[None].float() / 255
        filtered: Tensor = self.network(planes, qp)[0].permute(1, 2, 0) * 255
        return filtered.round().clamp(0, 255).to(torch.uint8)


def export(network: PostFilterNetwork, path: Path, source: str) -> list[Comparison]:
    """Write the graph, and compare it with torch in two sizes.

    Args:
        network: with weights, in evaluation mode.
        path: of the graph; its folder is made when it is not there.
        source: sha256 of the file of weights, kept in the graph.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    module = Filter(network).eval()
    sides = {side: torch.export.Dim(side, min=2) * 8 for side in ("rows", "columns")}
    picture, qp = _coded_picture(), np.array([QP], np.float32)
    with TemporaryDirectory() as floats:
        write_graph(
            module,
            {"picture": torch.from_numpy(picture), "qp": torch.from_numpy(qp)},
            ["filtered"],
            Path(floats, path.name),
            {"weights": source},
            halved=path,
            dynamic={"picture": {0: sides["rows"], 1: sides["columns"]}, "qp": {}},
        )
    graph = OnnxGraph(path)
    rows = []
    for shown in (picture, np.ascontiguousarray(picture[: SIZE // 2, : SIZE - 8])):
        with torch.inference_mode():
            expected = module(torch.from_numpy(shown), torch.from_numpy(qp)).numpy()
        found = graph.run({"picture": shown, "qp": qp})["filtered"]
        size = "x".join(map(str, shown.shape[1::-1]))
        rows.append(compare(f"{path.name}, {size}", expected, found, PICTURE_LIMIT))
    return rows


def _coded_picture() -> Picture:
    """The demo's face as an encoder leaves it."""
    _, [coded] = code_hevc([demo_still(SIZE)], [QP])
    return np.ascontiguousarray(coded)
