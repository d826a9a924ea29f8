"""Which library draws pictures of a shipped `face` network: onnxruntime or PyTorch.

Nothing here loads PyTorch, which takes a second, unless it is to draw.
"""

from __future__ import annotations

import shutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from models.card import ModelCard
from models.face.onnx_rendering import OnnxRenderer
from models.face.renderer import OpenRenderer, Renderer
from models.files import read_checked
from models.importing import load
from models.runtime import Runtime, named_device, torch_device


def uses_onnx(runtime: Runtime) -> bool:
    """Whether pictures are drawn by onnxruntime rather than PyTorch."""
    if runtime.engine != "auto":
        return runtime.engine == "onnx"
    if find_spec("onnxruntime") is None:
        return False
    device, _ = named_device(runtime.device)
    # Asking PyTorch whether there is a GPU would cost a second where there is none.
    return device == "cpu" or (device == "auto" and shutil.which("nvidia-smi") is None)


def open_renderer(card: ModelCard, runtime: Runtime) -> OpenRenderer:
    """The renderer of the network of a card."""

    @cache
    def renderer() -> Renderer:
        make = _onnx_renderer if uses_onnx(runtime) else _torch_renderer
        return make(card, runtime)

    return renderer


def _onnx_renderer(card: ModelCard, runtime: Runtime) -> Renderer:
    # Two pictures with a thread each are drawn sooner than one after the other with two threads.
    folder = _weights(card).parent
    return OnnxRenderer(folder, dict(card.graphs), threads=1, device=runtime.device)


def _torch_renderer(card: ModelCard, runtime: Runtime) -> Renderer:
    load("torch")
    from models.face.torch_rendering import TorchRenderer, load_face_network

    weights = _weights(card)
    read_checked(weights, card.sha256)
    return TorchRenderer(load_face_network(weights), torch_device(runtime.device))


def _weights(card: ModelCard) -> Path:
    weights = card.path
    assert weights is not None
    return weights
