"""How the `face` model draws and measures, and by which library: onnxruntime here, PyTorch apart.

Nothing here loads PyTorch, which takes a second, unless it is to draw.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np

from models.contract import Picture
from models.errors import ModelError
from models.face.card import CARD
from models.files import read_checked
from models.landmarks.flow import Float32Array
from models.onnx_graph import Array, OnnxGraph
from models.runtime import Runtime, named_device, torch_device


class Draw(Protocol):
    """Draws pictures from one key picture."""

    def __call__(
        self, driven: Float32Array, flow: Float32Array, compact: Float32Array | None = None
    ) -> Picture:
        """The picture [S, S, 3] of landmarks [478, 2] and their coarse flow [2, S, S].

        `compact` [K] is the compact feature in quantisation steps, 0 where not sent; None stands
        for zeros.
        """


class Renderer(Protocol):
    """A `face` network with weights.

    Attributes:
        compact_features: how many values K the compact feature has.
        at_once: how many pictures are best drawn at the same time, each in a thread of its own.
    """

    at_once: int

    @property
    def compact_features(self) -> int:
        """How many values K the compact feature has."""

    def prepare(self, picture: Picture, landmarks: Float32Array) -> Draw:
        """Do once what a key picture [S, S, 3] with its landmarks [478, 2] needs."""

    def measure(
        self, driven: Picture, key: Picture, landmarks: Float32Array, flow: Float32Array
    ) -> Float32Array:
        """Compact feature [K] of a driven picture with its landmarks and their coarse flow.

        In quantisation steps, not rounded.
        """


RendererOf = Callable[[int], Renderer]
"""The renderer for pictures of a size; the same one for the same size."""

ENCODE_KEY_FILE = "encode_key.onnx"
DRAW_FILE = "draw.onnx"
ANALYSE_FILE = "analyse.onnx"


class OnnxRenderer:
    """Draws pictures with the graphs of `tools.onnx_export.face`.

    Attributes:
        size: width and height of the pictures, fixed in the graphs.
        compact_features: how many values the compact feature has, 0 for none.
    """

    def __init__(
        self,
        folder: Path,
        sha256: Mapping[str, str] | None = None,
        *,
        threads: int = 0,
        device: str = "auto",
        at_once: int = 1,
    ) -> None:
        """Load the graphs.

        Args:
            folder: with the files.
            sha256: of each file, by name; None for graphs that were made here and now.
            threads: of one run; 0 for as many as there are cores.
            device: "auto", "cpu", "cuda" or "cuda:N".
            at_once: how many pictures to draw at the same time.

        Raises:
            CheckpointError: a file is missing, altered or no graph that can be run.
            ModelError: the device is not there.
        """

        def load(name: str) -> OnnxGraph:
            expected = None if sha256 is None else sha256[name]
            return OnnxGraph(folder / name, expected, threads=threads, device=device)

        self.at_once = at_once
        self._encode_key, self._draw = load(ENCODE_KEY_FILE), load(DRAW_FILE)
        self._load_analysis = partial(load, ANALYSE_FILE)
        self._analysis: OnnxGraph | None = None
        self.size = self._encode_key.inputs["key"][0]
        self.compact_features = self._draw.inputs.get("compact", (0,))[0]

    def prepare(self, picture: Picture, landmarks: Float32Array) -> Draw:
        """Encode a key picture [S, S, 3] with its landmarks [478, 2] once.

        The result draws pictures [S, S, 3] of landmarks [478, 2], their coarse flow [2, S, S]
        and, if wanted, a compact feature [K] in quantisation steps.

        Raises:
            ModelError: the picture is not of the graphs' size.
        """
        height, width = picture.shape[:2]
        if (height, width) != (self.size, self.size):
            raise ModelError(
                f"{self._encode_key.name} is for pictures of {self.size}x{self.size}, not "
                f"{width}x{height}"
            )
        features = self._encode_key.run({"key": picture, "landmarks": landmarks})

        def draw(
            driven: Float32Array, flow: Float32Array, compact: Float32Array | None = None
        ) -> Picture:
            inputs = {**features, "landmarks": driven, "flow": flow}
            if self.compact_features:
                unsent = np.zeros(self.compact_features, np.float32)
                inputs["compact"] = unsent if compact is None else compact
            return self._draw.run(inputs)["drawn"]

        return draw

    def measure(
        self, driven: Picture, key: Picture, landmarks: Float32Array, flow: Float32Array
    ) -> Float32Array:
        """Compact feature [K] of a driven picture; only encoders load the graph for it."""
        if self._analysis is None:
            self._analysis = self._load_analysis()
        inputs: dict[str, Array] = {
            "driven": driven,
            "key": key,
            "landmarks": landmarks,
            "flow": flow,
        }
        return np.asarray(self._analysis.run(inputs)["compact"], np.float32)


GRAPH_SIZE = 256
"""Width and height of the pictures that the graphs are for; others are drawn by PyTorch."""

MOST_AT_ONCE = 8
"""Pictures drawn at the same time; each takes some 10 MB."""


def uses_onnx(runtime: Runtime, size: int) -> bool:
    """Whether pictures of a size are drawn by onnxruntime rather than PyTorch."""
    if runtime.engine != "auto":
        return runtime.engine == "onnx"
    if size != GRAPH_SIZE or find_spec("onnxruntime") is None:
        return False
    device, _ = named_device(runtime.device)
    # Asking PyTorch whether there is a GPU would cost a second where there is none.
    return device == "cpu" or (device == "auto" and shutil.which("nvidia-smi") is None)


def open_renderers(runtime: Runtime) -> RendererOf:
    """Renderers of the shipped network, loaded and checked when the first picture is drawn."""
    weights = CARD.path
    assert weights is not None

    @cache
    def renderer(onnx: bool) -> Renderer:
        return _onnx_renderer(weights, runtime) if onnx else _torch_renderer(weights, runtime)

    return lambda size: renderer(uses_onnx(runtime, size))


def _onnx_renderer(weights: Path, runtime: Runtime) -> Renderer:
    # Two pictures with a thread each are drawn sooner than one after the other with two threads.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    at_once = max(1, min(cores or 1, MOST_AT_ONCE))
    graphs = dict(CARD.graphs)
    return OnnxRenderer(weights.parent, graphs, threads=1, device=runtime.device, at_once=at_once)


def _torch_renderer(weights: Path, runtime: Runtime) -> Renderer:
    from models.face.torch_rendering import TorchRenderer, load_face_network

    read_checked(weights, CARD.sha256)
    return TorchRenderer(load_face_network(weights), torch_device(runtime.device))
