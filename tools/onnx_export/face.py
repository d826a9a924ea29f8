"""The `face` network as ONNX graphs.

Two graphs for decoders, and a third for encoders when the network has a compact feature:

    encode_key   picture, landmarks ──► features             once per key picture
    draw         features, landmarks, flow, compact ──► picture
    analyse      driven picture, key picture, landmarks, flow ──► compact

Pictures are uint8 [S, S, 3], landmarks [478, 2], flow [2, S, S] and compact features [K], all
float32. Normalisations are folded and weights stored as float16; the convolutions of `draw`, which
take most of a decoder's time, are computed in 8 bits.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from gfvc.demo_clip import demo_still
from models.face.network import FaceNetwork, KeyFeatures
from models.face.onnx_rendering import ANALYSE_FILE, DRAW_FILE, ENCODE_KEY_FILE, OnnxRenderer
from models.face.torch_rendering import fold
from models.landmarks.flow import plane
from models.landmarks.tracking import FaceTracker
from models.onnx_graph import Array, OnnxGraph
from tools.onnx_export.comparison import Comparison, compare
from tools.onnx_export.eight_bits import moved_faces, write_in_eight_bits
from tools.onnx_export.sampling import sample_rows, sampling_rows
from tools.onnx_export.writing import write_graph

SIZE = 256
"""Width and height of the pictures of the graphs that ship."""

PICTURE_LIMIT = 1
"""Most that a drawn sample may differ from torch's, of 255."""

COMPACT_LIMIT = 0.05
"""Most that a compact feature may differ from torch's, in quantisation steps."""

EIGHT_BITS_LIMIT = 1.0
"""Most that drawn pictures may differ in the root mean square from those of floats, of 255."""

_RUNS = 24
"""Pictures of which every other shows what the graph in 8 bits will meet; the rest check it."""

_EXACT = (
    "network.motion.out.weight",
    "network.motion.enter.conv.weight",
    "network.bottleneck.0.conv.weight",
)
"""Weights of what stays in floats.

A flow that is off by parts of a pixel shows at every edge. Values of the compact feature are much
larger than what they are joined with.
"""

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


def export_face(
    network: FaceNetwork, folder: Path, source: str, size: int, *, half_weights: bool = True
) -> list[Path]:
    """Write the graphs of a network into a folder, in floats; the network stays as it is.

    Args:
        network: with weights.
        folder: made when it is not there; files of the same names are replaced.
        source: sha256 of the file that the weights are from, kept in the graphs.
        size: width and height of the pictures, a multiple of 32.
        half_weights: whether weights are stored as float16.
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
            module.eval(),
            inputs,
            outputs,
            folder / name,
            {"weights": source},
            half_weights=half_weights,
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


def export_in_eight_bits(network: FaceNetwork, folder: Path, source: str, size: int) -> Comparison:
    """Write `draw` into a folder that has `encode_key`, in 8 bits, and compare it with floats."""
    with TemporaryDirectory() as floats:
        export_face(network, Path(floats), source, size, half_weights=False)
        runs = list(_drawings(folder, size))
        graph = Path(floats, DRAW_FILE)
        if network.analysis is not None:
            unsent = np.zeros(network.configuration.compact_features, np.float32)
            sent = sample_inputs(network, size)["compact"].numpy()
            runs = [
                {**run, "compact": sent if number % 4 < 2 else unsent}
                for number, run in enumerate(runs)
            ]
        write_in_eight_bits(graph, runs[::2], folder / DRAW_FILE, {"weights": source}, exact=_EXACT)
        drawn = [
            np.stack([OnnxGraph(path).run(run)["drawn"] for run in runs[1::2]])
            for path in (graph, folder / DRAW_FILE)
        ]
    apart = np.subtract(*drawn, dtype=np.float64)
    error = float(np.sqrt(np.square(apart).mean()))
    return Comparison(f"{DRAW_FILE}, 8 bits, root mean square", error, EIGHT_BITS_LIMIT)


def _drawings(folder: Path, size: int) -> Iterator[dict[str, Array]]:
    """What `draw` is given for pictures of the demo's face, which moves."""
    with FaceTracker() as tracker:
        landmarks = tracker.look(demo_still(256))
    assert landmarks is not None
    key: dict[str, Array] = {"key": demo_still(size), "landmarks": plane(landmarks)}
    features = OnnxGraph(folder / ENCODE_KEY_FILE).run(key)
    for driven, flow in moved_faces(landmarks, size, _RUNS):
        yield {**features, "landmarks": driven, "flow": flow}


def export(network: FaceNetwork, folder: Path, source: str, size: int = SIZE) -> list[Comparison]:
    """Write the graphs of a network, and compare them with torch."""
    export_face(network, folder, source, size)
    rows = check_face(network, folder, size)
    return [*rows, export_in_eight_bits(network, folder, source, size)]
