"""The `face` network as ONNX graphs.

Two graphs for decoders, and a third for encoders when the network has a compact feature:

    encode_key   picture, landmarks ──► features             once per key picture
    draw         features, landmarks, flow, compact ──► picture
    analyse      driven picture, key picture, landmarks, flow ──► compact

Pictures are uint8 [S, S, 3], landmarks [478, 2], flow [2, S, S] and compact features [K], all
float32. Normalisations are folded and weights stored as float16.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from models.face.network import FaceNetwork, KeyFeatures
from models.face.rendering import ANALYSE_FILE, DRAW_FILE, ENCODE_KEY_FILE, OnnxRenderer
from models.face.torch_rendering import fold
from models.onnx_graph import OnnxGraph
from tools.onnx_export.comparison import Comparison, compare
from tools.onnx_export.sampling import sample_rows, sampling_rows
from tools.onnx_export.writing import write_graph

SIZE = 256
"""Width and height of the pictures of the graphs that ship."""

PICTURE_LIMIT = 1
"""Most that a drawn sample may differ from torch's, of 255."""

COMPACT_LIMIT = 0.05
"""Most that a compact feature may differ from torch's, in quantisation steps."""

_FEATURES = KeyFeatures._fields

_SAMPLED = ("picture", "fine", "middle", "coarse")
"""Features that are sampled along the flow: they are kept in the order in which that is fast."""


def _sample_rows(rows: Tensor, grid: Tensor) -> Tensor:
    """`sample_at` of a square picture's rows; samples of 8 bits are taken as 0..1."""
    size = math.isqrt(len(rows))
    positions = grid.permute(0, 2, 3, 1) * 2 - 1
    sampled = sample_rows(rows, size, size, positions, align_corners=False)
    return sampled / 255 if rows.dtype == torch.uint8 else sampled


def _unit(picture: Tensor) -> Tensor:
    """Pixels [S, S, 3] of 8 bits as [1, 3, S, S] in 0..1."""
    return picture.permute(2, 0, 1).unsqueeze(0).float() / 255


class EncodeKey(nn.Module):
    """`FaceNetwork.encode_key` of one picture [S, S, 3]."""

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor, landmarks: Tensor) -> tuple[Tensor, ...]:
        """Features in the order of `KeyFeatures`: rows for `_SAMPLED`, else planes [1, C, H, W]."""
        features = self.network.encode_key(_unit(picture), landmarks.unsqueeze(0))
        sampled = {name: getattr(features, name) for name in _SAMPLED}
        # A quarter of the memory to look through; as exact as before.
        sampled["picture"] = picture.permute(2, 0, 1).unsqueeze(0)
        rows = {name: sampling_rows(planes).contiguous() for name, planes in sampled.items()}
        return tuple(features._replace(**rows))


class Draw(nn.Module):
    """`FaceNetwork.draw` of one picture, rounded to 8 bits."""

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor:
        """The picture [S, S, 3] of features, landmarks, flow and compact feature, if any."""
        features, rest = inputs[: len(_FEATURES)], inputs[len(_FEATURES) :]
        landmarks, flow, *compact = (values.unsqueeze(0) for values in rest)
        drawing = self.network.draw_polyphase(
            KeyFeatures(*features),
            landmarks,
            flow,
            compact[0] if compact else None,
            sample_key=_sample_rows,
        )
        picture = (drawing.picture[0] * 255 + 0.5).to(torch.uint8)
        # Two short moves instead of a long one: colours and columns, then rows.
        half = flow.shape[-1] // 2
        rows = picture.reshape(3, 2, 2, half * half).permute(1, 2, 0, 3).reshape(2, 6, -1)
        rows = rows.transpose(1, 2).reshape(2, half, 6 * half).transpose(0, 1)
        return rows.reshape(2 * half, 2 * half, 3)


class Analyse(nn.Module):
    """`FaceNetwork.analyse` of one picture [S, S, 3]."""

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, driven: Tensor, key: Tensor, landmarks: Tensor, flow: Tensor) -> Tensor:
        """Compact feature [K], in quantisation steps, not rounded; `key` is the key picture."""
        return self.network.analyse_against(
            _unit(driven), _unit(key), landmarks.unsqueeze(0), flow.unsqueeze(0)
        )[0]


def sample_inputs(network: FaceNetwork, size: int) -> dict[str, Tensor]:
    """Made-up inputs of all graphs: a smooth picture, another, a face's worth of points, a flow."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(2, 3, size // 16, size // 16, generator=generator)
    smooth = nn.functional.interpolate(coarse, size=(size, size), mode="bicubic")
    pictures = (smooth.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
    points = torch.rand(2, 478, 2, generator=generator) * 0.5 + 0.25
    flow = 0.1 * (torch.rand(1, 2, 8, 8, generator=generator) - 0.5)
    return {
        "key": pictures[0].contiguous(),
        "driven": pictures[1].contiguous(),
        "key_landmarks": points[0],
        "landmarks": points[1],
        "flow": nn.functional.interpolate(flow, size=(size, size), mode="bicubic")[0],
        "compact": 20 * torch.randn(network.configuration.compact_features, generator=generator),
    }


def export_face(network: FaceNetwork, folder: Path, source: str, size: int) -> list[Path]:
    """Write the graphs of a network into a folder; the network itself stays as it is.

    Args:
        network: with weights.
        folder: made when it is not there; files of the same names are replaced.
        source: sha256 of the file that the weights are from, kept in the graphs.
        size: width and height of the pictures, a multiple of 32.
    """
    folded = fold(copy.deepcopy(network)).requires_grad_(False)
    sample = sample_inputs(folded, size)
    driving = {name: sample[name] for name in ("landmarks", "flow")}
    encode = EncodeKey(folded)
    features = encode(sample["key"], sample["key_landmarks"])
    drawing = {**dict(zip(_FEATURES, features, strict=True)), **driving}
    if folded.analysis is not None:
        drawing["compact"] = sample["compact"]
    key = {"key": sample["key"], "landmarks": sample["key_landmarks"]}
    graphs: dict[str, tuple[nn.Module, dict[str, Tensor], Sequence[str]]] = {
        ENCODE_KEY_FILE: (encode, key, _FEATURES),
        DRAW_FILE: (Draw(folded), drawing, ["drawn"]),
    }
    if folded.analysis is not None:
        measuring = {"driven": sample["driven"], "key": sample["key"], **driving}
        graphs[ANALYSE_FILE] = (Analyse(folded), measuring, ["compact"])
    folder.mkdir(parents=True, exist_ok=True)
    for name, (module, inputs, outputs) in graphs.items():
        write_graph(
            module.eval(), inputs, outputs, folder / name, {"weights": source}, half_weights=True
        )
    return [folder / name for name in graphs]


def check_face(network: FaceNetwork, folder: Path, size: int) -> list[Comparison]:
    """Compare graphs in a folder with a network in torch, on made-up inputs."""
    sample = sample_inputs(network, size)
    arrays = {name: values.numpy() for name, values in sample.items()}
    renderer = OnnxRenderer(folder)
    onnx_drawn = renderer.prepare(arrays["key"], arrays["key_landmarks"])(
        arrays["landmarks"], arrays["flow"], arrays["compact"]
    )
    network = network.eval()
    with torch.inference_mode():
        features = EncodeKey(network)(sample["key"], sample["key_landmarks"])
        driving = [sample["landmarks"], sample["flow"]]
        compact = [sample["compact"]] if network.analysis is not None else []
        drawn = Draw(network)(*features, *driving, *compact).numpy()
        results = [compare(DRAW_FILE, drawn, onnx_drawn, PICTURE_LIMIT)]
        if compact:
            measured = Analyse(network)(sample["driven"], sample["key"], *driving).numpy()
            found = OnnxGraph(folder / ANALYSE_FILE).run(
                {name: arrays[name] for name in ("driven", "key", "landmarks", "flow")}
            )
            results.append(compare(ANALYSE_FILE, measured, found["compact"], COMPACT_LIMIT))
    return results


def export(network: FaceNetwork, folder: Path, source: str, size: int = SIZE) -> list[Comparison]:
    """Write the graphs of a network, and compare them with torch."""
    export_face(network, folder, source, size)
    return check_face(network, folder, size)
