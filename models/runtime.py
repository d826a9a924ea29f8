"""How networks run: on which device, by which library."""

from __future__ import annotations

from dataclasses import dataclass

DEVICE_VARIABLE = "GFVC_DEVICE"
"""Environment variable that names the device of networks, such as cpu or cuda:1."""

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
            coarse for places.
    """

    device: str = "auto"
    engine: str = "auto"
    bfloat16: bool = False

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ValueError(f"engine is one of {', '.join(ENGINES)}, not {self.engine!r}")
