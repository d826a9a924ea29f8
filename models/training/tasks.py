"""The networks that can be trained, by name, with what each wants unless told otherwise.

Importing this needs neither PyTorch nor OpenCV.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from models.training.errors import TrainingError

if TYPE_CHECKING:
    from models.training.task import TrainingTask


@dataclass(frozen=True, slots=True)
class Defaults:
    """Options of a training that depend on the network.

    Attributes:
        learning_rate: the highest.
        window: width of the part that is drawn in a step, or None for whole pictures.
        gradient_scales: resolutions at which gradients are compared.
    """

    learning_rate: float
    window: int | None
    gradient_scales: int


_NETWORK = Defaults(learning_rate=2e-4, window=None, gradient_scales=3)
MODELS: Mapping[str, Defaults] = MappingProxyType(
    {
        "face": Defaults(learning_rate=8e-4, window=128, gradient_scales=1),
        "fomm": _NETWORK,
        "cfte": _NETWORK,
        "fv2v": _NETWORK,
    }
)
"""Names of the networks that can be trained."""


def build_task(
    model: str,
    *,
    compact_features: int = 0,
    values_sent: int = 0,
    variant: str | None = None,
    weights: Mapping[str, float] | None = None,
) -> TrainingTask:
    """The task of a network.

    Args:
        model: one of `MODELS`.
        compact_features: values beside the landmarks, of `face`.
        values_sent: how many of them validation sends.
        variant: published copy whose conventions to follow, of the others; None for their first.
        weights: of the task's own losses by name, in place of its own.

    Raises:
        TrainingError: an option is not one of this network, or has no such value.
    """
    if model not in MODELS:
        raise TrainingError(f"no network {model!r} can be trained (there are: {', '.join(MODELS)})")
    if model == "face":
        if variant is not None:
            raise TrainingError("face has no variants")
        task = _face(compact_features, values_sent)
    else:
        if compact_features or values_sent:
            raise TrainingError(f"{model} has no compact features to choose")
        task = _published(model, variant)
    return _with_weights(task, weights or {})


def _face(compact_features: int, values_sent: int) -> Any:
    from models.face.blocks import FaceConfiguration
    from models.face.training import FaceTask

    try:
        configuration = FaceConfiguration(compact_features=compact_features)
    except ValueError as error:
        raise TrainingError(str(error)) from None
    return FaceTask(configuration, values_sent=values_sent)


def _published(model: str, variant: str | None) -> Any:
    from models.checkpoints.architectures import ARCHITECTURES

    variants = ARCHITECTURES[model].variants
    variant = variant or variants[0]
    if variant not in variants:
        raise TrainingError(
            f"{model} has no variant {variant!r} (there are: {', '.join(variants)})"
        )
    if model == "fomm":
        from models.published.fomm.configuration import FOMM_CONVENTIONS, FommConfiguration
        from models.published.fomm.training import FommTask

        return FommTask(FommConfiguration(conventions=FOMM_CONVENTIONS[variant]))
    if model == "cfte":
        from models.published.cfte.configuration import CFTE_CONVENTIONS, CfteConfiguration
        from models.published.cfte.training import CfteTask

        return CfteTask(CfteConfiguration(conventions=CFTE_CONVENTIONS[variant]))
    from models.published.fv2v.configuration import FV2V_CONVENTIONS, Fv2vConfiguration
    from models.published.fv2v.training import Fv2vTask

    # As its authors train it: on whole pictures the keypoint detector needs 16 times the memory.
    return Fv2vTask(
        Fv2vConfiguration(conventions=FV2V_CONVENTIONS[variant], detector_reduces_picture=True)
    )


def _with_weights(task: Any, weights: Mapping[str, float]) -> TrainingTask:
    """Losses of the task are fields that end in `_weight`."""
    known = {
        item.name.removesuffix("_weight") for item in fields(task) if item.name.endswith("_weight")
    }
    if unknown := sorted(weights.keys() - known):
        names = ", ".join(sorted(known)) or "none"
        raise TrainingError(f"{task.name} has no loss {unknown[0]!r} (its own are: {names})")
    if bad := sorted(name for name, weight in weights.items() if not 0 <= weight < float("inf")):
        raise TrainingError(f"the weight of {bad[0]} is {weights[bad[0]]:g}; want 0 or more")
    changed: TrainingTask = replace(
        task, **{f"{name}_weight": weight for name, weight in weights.items()}
    )
    return changed
