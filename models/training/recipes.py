"""From the name of a network and options to its training task.

Importing this needs neither PyTorch nor OpenCV.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from models.errors import TrainingError
from models.family import TaskOptions, trained_families

if TYPE_CHECKING:
    from models.training.task import TrainingTask


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
        model: one of `models.family.trained_families`.
        compact_features: values beside the landmarks, of `face`.
        values_sent: how many of them validation sends.
        variant: published copy whose conventions to follow, of the others; None for their first.
        weights: of the task's own losses by name, in place of its own.

    Raises:
        TrainingError: an option is not one of this network, or has no such value.
    """
    families = trained_families()
    if model not in families:
        raise TrainingError(
            f"no network {model!r} can be trained (there are: {', '.join(families)})"
        )
    family = families[model]
    recipe = family.recipe
    assert recipe is not None
    if not family.variants and variant is not None:
        raise TrainingError(f"{model} has no variants")
    if not recipe.compact and (compact_features or values_sent):
        raise TrainingError(f"{model} has no compact features to choose")
    if variant is not None and variant not in family.variants:
        raise TrainingError(
            f"{model} has no variant {variant!r} (there are: {', '.join(family.variants)})"
        )
    chosen = variant or (family.variants[0] if family.variants else "")
    options = TaskOptions(chosen, compact_features, values_sent)
    return _with_weights(recipe.task(options), weights or {})


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
