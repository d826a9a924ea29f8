"""From shipped weights to the `face` model, by the library that draws faster."""

from __future__ import annotations

import os
import shutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from models.card import ModelCard, read_checked
from models.face.card import CARD
from models.face.model import FaceModel
from models.face.rendering import Renderer
from models.landmarks.face_space import load_face_space
from models.mesh.card import CARD as MESH_CARD
from models.runtime import DEVICE_VARIABLE, Runtime

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
    device = runtime.device
    if device == "auto":
        device = os.environ.get(DEVICE_VARIABLE) or "auto"
    # Asking PyTorch whether there is a GPU would cost a second where there is none.
    return device == "cpu" or (device == "auto" and shutil.which("nvidia-smi") is None)


def load_face_model(card: ModelCard, features: int, runtime: Runtime) -> FaceModel:
    """The model, its weights checked when the first picture is drawn.

    Raises:
        CheckpointError: a file is missing or altered.
    """
    space_path, weights = MESH_CARD.path, CARD.path
    assert space_path is not None
    assert weights is not None

    @cache
    def renderer(onnx: bool) -> Renderer:
        return _onnx_renderer(weights, runtime) if onnx else _torch_renderer(weights, runtime)

    def renderer_of(size: int) -> Renderer:
        return renderer(uses_onnx(runtime, size))

    space = load_face_space(space_path, MESH_CARD.sha256)
    return FaceModel(space, renderer_of, card.layout, features)


def _onnx_renderer(weights: Path, runtime: Runtime) -> Renderer:
    from models.face.onnx_rendering import OnnxRenderer

    # Two pictures with a thread each are drawn sooner than one after the other with two threads.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    at_once = max(1, min(cores or 1, MOST_AT_ONCE))
    graphs = dict(CARD.graphs)
    return OnnxRenderer(weights.parent, graphs, threads=1, device=runtime.device, at_once=at_once)


def _torch_renderer(weights: Path, runtime: Runtime) -> Renderer:
    from models.face.torch_rendering import TorchRenderer
    from models.face.weights import load_face_network
    from models.network_model import choose_device

    read_checked(weights, CARD.sha256)
    return TorchRenderer(load_face_network(weights), choose_device(runtime.device))
