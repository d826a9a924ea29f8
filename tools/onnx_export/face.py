"""The `face` network as ONNX graphs.

Graphs for decoders, the third for a network that draws from two references, and a fourth for
encoders when the network has a compact feature:

    encode_key     picture, landmarks ──► features             once per key picture
    draw           features, landmarks, flow, compact ──► picture
    locate_between features of two, landmarks, flows, rest motion, position, lead ──► where to read
    paint_between  what was read from both ──► picture
    analyse        driven picture, key picture, landmarks, flow ──► compact

`tools.onnx_export.face_graphs` has the shapes. Normalisations are folded and weights stored as
float16; the convolutions of what draws, which take most of a decoder's time, are computed in 8
bits.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from gfvc.demo_clip import demo_still
from models.contract import FloatArray
from models.face import MOTION_SIDE, lead_step
from models.face.motion import DETAIL_PARTS
from models.face.network import FaceNetwork
from models.face.onnx_rendering import (
    ANALYSE_FILE,
    BESIDE,
    DRAW_FILE,
    ENCODE_KEY_FILE,
    LOCATE_BETWEEN_FILE,
    OUTLINE,
    PAINT_BETWEEN_FILE,
    SAMPLED,
    SECOND,
    OnnxRenderer,
)
from models.face.renderer import Between
from models.face.torch_rendering import TorchRenderer, fold
from models.landmarks.flow import coarse_flow, plane, warp
from models.landmarks.fusing import reference_lead
from models.landmarks.tracking import FaceTracker
from models.onnx_graph import Array, OnnxGraph
from tools.onnx_export.comparison import Comparison, compare
from tools.onnx_export.eight_bits import moved_faces, write_in_eight_bits
from tools.onnx_export.face_graphs import (
    FEATURES,
    LOCATED,
    Analyse,
    Draw,
    EncodeKey,
    LocateBetween,
    PaintBetween,
)
from tools.onnx_export.writing import write_graph

SIZE = 256
"""Width and height of the pictures of the graphs that ship."""

PICTURE_LIMIT = 1
"""Most that a drawn sample may differ from torch's, of 255."""

COMPACT_LIMIT = 0.05
"""Most that a compact feature may differ from torch's, in quantisation steps."""

EIGHT_BITS_LIMIT = 1.2
"""Most that drawn pictures may differ in the root mean square from those of floats, of 255."""

_RUNS = 24
"""Pictures of which every other shows what the graph in 8 bits will meet; the rest check it."""

_EXACT = (
    "network.motion.out.weight",
    "network.motion.enter.conv.weight",
    "network.bottleneck.0.conv.weight",
)
"""What the names of weights of what stays in floats begin with.

A flow that is off by parts of a pixel shows at every edge. Values of the compact feature are much
larger than what they are joined with.
"""

_EXACT_FUSING = ("network.motion.", "network.fusing.")
"""The same of a network that draws from two references, whose pictures are sharper."""


def sample_inputs(network: FaceNetwork, size: int) -> dict[str, Tensor]:
    """Made-up inputs of all graphs: smooth pictures, a face's worth of points, flows."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(2, 3, size // 16, size // 16, generator=generator)
    smooth = nn.functional.interpolate(coarse, size=(size, size), mode="bicubic")
    pictures = (smooth.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
    points = torch.rand(2, 478, 2, generator=generator) * 0.5 + 0.25
    flow = 0.1 * (torch.rand(3, 2, 8, 8, generator=generator) - 0.5)
    flows = nn.functional.interpolate(flow, size=(size, size), mode="bicubic")
    return {
        "key": pictures[0].contiguous(),
        "driven": pictures[1].contiguous(),
        "key_landmarks": points[0],
        "landmarks": points[1],
        "flow": flows[0],
        "compact": 20 * torch.randn(network.configuration.compact_features, generator=generator),
        f"{SECOND}flow": flows[1],
        "rest": flows[2] / 4,
        "position": torch.tensor([0.25]),
        "lead": 4 * torch.randn(MOTION_SIDE, MOTION_SIDE, generator=generator),
    }


_BETWEEN = ("landmarks", "flow", f"{SECOND}flow", "rest", "position", "lead")


def _read_inputs(network: FaceNetwork, size: int) -> dict[str, Tensor]:
    """Made-up inputs of the graph that paints between two references."""
    generator = torch.Generator().manual_seed(2)
    channels = network.configuration.channels
    inputs = {"picture": 255 * torch.rand(2 * size, size // 2, 3, generator=generator)}
    for level, (name, count) in enumerate(zip(SAMPLED[1:], channels, strict=True), 1):
        side = size >> level
        inputs[name] = torch.rand(side, side, count, generator=generator)
    beside = torch.rand(1, DETAIL_PARTS + 3, size // 4, size // 4, generator=generator)
    return {**inputs, BESIDE: beside}


def export_face(
    network: FaceNetwork, folder: Path, floats: Path, source: str, size: int
) -> list[Path]:
    """Write the graphs of a network into two folders, in floats; the network stays as it is.

    Args:
        network: with weights.
        folder: for graphs whose weights are stored as float16; made when it is not there, and
            files of the same names are replaced.
        floats: for the same graphs with weights as float32, which `export_in_eight_bits` starts
            from; as `folder`.
        source: sha256 of the file that the weights are from, kept in the graphs.
        size: width and height of the pictures, a multiple of 32.

    Returns:
        The files in `folder`.
    """
    folded = fold(copy.deepcopy(network)).requires_grad_(False)
    sample = sample_inputs(folded, size)
    driving = {name: sample[name] for name in ("landmarks", "flow")}
    encode = EncodeKey(folded)
    key = {"key": sample["key"], "landmarks": sample["key_landmarks"]}
    features = dict(zip(FEATURES, encode(*key.values()), strict=True))
    drawing = {**features, **driving}
    if folded.analysis is not None:
        drawing["compact"] = sample["compact"]
    graphs: dict[str, tuple[nn.Module, dict[str, Tensor], Sequence[str]]] = {
        ENCODE_KEY_FILE: (encode, key, FEATURES),
        DRAW_FILE: (Draw(folded), drawing, ["drawn"]),
    }
    if folded.fusing is not None:
        others = dict(zip(FEATURES, encode(sample["driven"], sample["landmarks"]), strict=True))
        outlines = {
            f"{prefix}{name}": planes[name]
            for prefix, planes in (("", features), (SECOND, others))
            for name in OUTLINE
        }
        between = {**outlines, **{name: sample[name] for name in _BETWEEN}}
        graphs[LOCATE_BETWEEN_FILE] = (LocateBetween(folded), between, LOCATED)
        graphs[PAINT_BETWEEN_FILE] = (PaintBetween(folded), _read_inputs(folded, size), ["drawn"])
    if folded.analysis is not None:
        measuring = {"driven": sample["driven"], "key": sample["key"], **driving}
        graphs[ANALYSE_FILE] = (Analyse(folded), measuring, ["compact"])
    for made in (folder, floats):
        made.mkdir(parents=True, exist_ok=True)
    for name, (module, inputs, outputs) in graphs.items():
        write_graph(
            module.eval(),
            inputs,
            outputs,
            floats / name,
            {"weights": source},
            halved=folder / name,
        )
    return [folder / name for name in graphs]


def check_face(network: FaceNetwork, folder: Path, size: int) -> list[Comparison]:
    """Compare graphs in a folder with a network in torch, on made-up inputs."""
    sample = sample_inputs(network, size)
    arrays = {name: values.numpy() for name, values in sample.items()}
    renderer = OnnxRenderer(folder)
    first = renderer.prepare(arrays["key"], arrays["key_landmarks"])
    onnx_drawn = first(arrays["landmarks"], arrays["flow"], arrays["compact"])
    network = network.eval()
    with torch.inference_mode():
        encode = EncodeKey(network)
        features = encode(sample["key"], sample["key_landmarks"])
        driving = [sample["landmarks"], sample["flow"]]
        compact = [sample["compact"]] if network.analysis is not None else []
        drawn = Draw(network)(*features, *driving, *compact).numpy()
        results = [compare(DRAW_FILE, drawn, onnx_drawn, PICTURE_LIMIT)]
        if network.fusing is not None:
            second = renderer.prepare(arrays["driven"], arrays["landmarks"])
            place = Between(
                arrays["landmarks"],
                (arrays["flow"], arrays[f"{SECOND}flow"]),
                arrays["rest"],
                float(arrays["position"][0]),
                arrays["lead"],
            )
            keys = sample["key"].numpy(), sample["driven"].numpy()
            of_both = arrays["key_landmarks"], arrays["landmarks"]
            torch_renderer = TorchRenderer(copy.deepcopy(network), torch.device("cpu"))
            drawn = torch_renderer.pair(*map(torch_renderer.prepare, keys, of_both))(place)
            onnx_drawn = renderer.pair(first, second)(place)
            results.append(compare(PAINT_BETWEEN_FILE, drawn, onnx_drawn, PICTURE_LIMIT))
        if compact:
            measured = Analyse(network)(sample["driven"], sample["key"], *driving).numpy()
            found = OnnxGraph(folder / ANALYSE_FILE).run(
                {name: arrays[name] for name in ("driven", "key", "landmarks", "flow")}
            )
            results.append(compare(ANALYSE_FILE, measured, found["compact"], COMPACT_LIMIT))
    return results


def export_in_eight_bits(
    network: FaceNetwork, folder: Path, floats: Path, source: str, size: int
) -> list[Comparison]:
    """Write what draws in 8 bits, and compare it with floats.

    Args:
        network: whose graphs `export_face` has written.
        folder: that has `encode_key`; what draws is replaced there.
        floats: the same graphs with whole weights.
        source: as `export_face` takes it.
        size: likewise.
    """
    runs_of = {DRAW_FILE: list(_drawings(folder, size))}
    if network.analysis is not None:
        unsent = np.zeros(network.configuration.compact_features, np.float32)
        sent = sample_inputs(network, size)["compact"].numpy()
        runs_of[DRAW_FILE] = [
            {**run, "compact": sent if number % 4 < 2 else unsent}
            for number, run in enumerate(runs_of[DRAW_FILE])
        ]
    if network.fusing is not None:
        runs_of[PAINT_BETWEEN_FILE] = list(_paintings_between(floats, size))
    exact = _EXACT if network.fusing is None else _EXACT_FUSING
    rows = []
    for name, runs in runs_of.items():
        graph = floats / name
        write_in_eight_bits(graph, runs[::2], folder / name, {"weights": source}, exact=exact)
        drawn = [
            np.stack([OnnxGraph(path).run(run)["drawn"] for run in runs[1::2]])
            for path in (graph, folder / name)
        ]
        apart = np.subtract(*drawn, dtype=np.float64)
        error = float(np.sqrt(np.square(apart).mean()))
        about = f"{name}, 8 bits, root mean square"
        rows.append(Comparison(about, error, EIGHT_BITS_LIMIT))
    return rows


def _demo_face() -> FloatArray:
    with FaceTracker() as tracker:
        landmarks = tracker.look(demo_still(256))
    assert landmarks is not None
    return landmarks


def _drawings(folder: Path, size: int) -> Iterator[dict[str, Array]]:
    """What `draw` is given for pictures of the demo's face, which moves."""
    landmarks = _demo_face()
    key: dict[str, Array] = {"key": demo_still(size), "landmarks": plane(landmarks)}
    features = OnnxGraph(folder / ENCODE_KEY_FILE).run(key)
    for driven, flow in moved_faces(landmarks, size, _RUNS):
        yield {**features, "landmarks": driven, "flow": flow}


def _paintings_between(folder: Path, size: int) -> Iterator[dict[str, Array]]:
    """What `paint_between` is given: the demo's face, and the same moved, for one that moves on."""
    still = demo_still(size)
    landmarks = _demo_face()
    renderer = OnnxRenderer(folder)
    first = renderer.prepare(still, plane(landmarks))
    random = np.random.default_rng(2)
    moved = list(moved_faces(landmarks, size, 2 * _RUNS))
    for (driven, flow), (later, bend) in zip(moved[::2], moved[1::2], strict=True):
        picture = warp(still, np.ascontiguousarray(bend.transpose(1, 2, 0)))
        second = renderer.prepare(picture, later)
        other_flow = coarse_flow(later, driven, size)
        position = float(random.random())
        flows = [np.ascontiguousarray(planes.transpose(1, 2, 0)) for planes in (flow, other_flow)]
        keys = plane(landmarks), later
        lead = reference_lead(driven, keys, (flows[0], flows[1]), position, lead_step(size))
        rest = cv2.resize(random.normal(0, 0.005, (4, 4, 2)), (size, size))
        place = Between(
            driven,
            (flow, other_flow),
            np.ascontiguousarray(rest.transpose(2, 0, 1).astype(np.float32)),
            position,
            np.asarray(
                cv2.resize(lead, (MOTION_SIDE, MOTION_SIDE), interpolation=cv2.INTER_AREA),
                np.float32,
            ),
        )
        yield renderer.pair(first, second).read(place)


def export(network: FaceNetwork, folder: Path, source: str, size: int = SIZE) -> list[Comparison]:
    """Write the graphs of a network, and compare them with torch."""
    with TemporaryDirectory() as floats:
        export_face(network, folder, Path(floats), source, size)
        rows = check_face(network, folder, size)
        return [*rows, *export_in_eight_bits(network, folder, Path(floats), source, size)]
