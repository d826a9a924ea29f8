"""How networks run: on which device, by which library.

Parsers import this; PyTorch is loaded when a device of it is asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.errors import ModelError
from models.forking import begin_threads
from models.importing import load

if TYPE_CHECKING:
    import torch

DEVICE_VARIABLE = "GFVC_DEVICE"
"""Environment variable that names the device of networks, such as cpu or cuda:1."""

DEVICE_PATTERN = r"auto|cpu|cuda(:[0-9]+)?"
"""What a name of a device is as a whole."""

DEVICES = "auto, cpu, cuda, cuda:N"
"""The same for people."""

ENGINES = ("auto", "onnx", "torch")


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a user asks of the networks.

    Attributes:
        device: "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:N".
        engine: "onnx" for onnxruntime, "torch", or "auto": the faster one of those that a model
            has on that device.
        bfloat16: whether FOMM, CFTE and FV2V draw in bfloat16: faster on some processors and GPUs,
            and less exact. What they find in pictures stays as it is: bfloat16 is too
            coarse for positions.
    """

    device: str = "auto"
    engine: str = "auto"
    bfloat16: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.device, str):
            raise TypeError(f"device is to be text such as cpu or cuda:1, not {_kind(self.device)}")
        if not _names_device(self.device):
            raise ValueError(f"device is one of {DEVICES}, not {self.device!r}")
        if not isinstance(self.bfloat16, bool):
            raise TypeError(f"bfloat16 is to be True or False, not {_kind(self.bfloat16)}")
        if self.engine not in ENGINES:
            raise ValueError(f"engine is one of {', '.join(ENGINES)}, not {self.engine!r}")


def _kind(value: object) -> str:
    return f"of type {type(value).__module__}.{type(value).__name__}"


def _names_device(name: str) -> bool:
    # PyTorch has devices besides on which networks fail, such as meta and mps.
    return re.fullmatch(DEVICE_PATTERN, name) is not None


def named_device(wanted: str = "auto") -> tuple[str, str]:
    """The device asked for, "auto" for any, and what asked for it, for messages.

    `wanted` "auto" leaves it to the environment variable.

    Raises:
        ModelError: that is no name of a device.
    """
    name, origin = wanted, "device"
    if wanted == "auto":
        name, origin = os.environ.get(DEVICE_VARIABLE) or "auto", DEVICE_VARIABLE
    if not _names_device(name):
        raise ModelError(f"{origin}: {name!r} is not one of {DEVICES}")
    return name, origin


def torch_device(wanted: str = "auto") -> torch.device:
    """The device of PyTorch that `named_device` says; for "auto" a GPU if there is one.

    Raises:
        ModelError: the named device is not there, or none has that name.
    """
    name, origin = named_device(wanted)
    load("torch")
    import torch

    begin_threads()
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"{origin}={name}: no such device here ({reason})") from None
    return device


_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"


def onnx_providers(available: Collection[str], wanted: str = "auto") -> list[Any]:
    """Execution providers of onnxruntime for a device, the preferred one first.

    Args:
        available: those of the installed onnxruntime.
        wanted: as `named_device` has it: "cpu", "cuda", "cuda:N", or "auto" for a GPU where
            onnxruntime can use one.

    Raises:
        ModelError: the named device is not there, or none has that name.
    """
    name, origin = named_device(wanted)
    kind, _, number = name.partition(":")
    if kind == "cuda" and _CUDA not in available:
        raise ModelError(f"{origin}={name}: no such device here (this onnxruntime has no CUDA)")
    if kind == "cpu" or _CUDA not in available:
        return [_CPU]
    return [(_CUDA, {"device_id": number or "0"}), _CPU]
