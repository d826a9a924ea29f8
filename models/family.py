"""The families of models: a row for each network, all that the rest of the project knows of it.

A list of models, a parser or a registry must not wait for PyTorch or NumPy. So a row names its
functions by module, and they are imported when they are called; nothing here imports anything.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def later(target: str) -> Callable[..., Any]:
    """The function of a name "package.module:function", imported when it is called."""
    module, _, name = target.partition(":")

    def call(*arguments: Any, **named: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*arguments, **named)

    return call


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained unless told otherwise.

    Attributes:
        task: the `models.training.task.TrainingTask`, of a `TaskOptions`.
        learning_rate: the highest.
        window: width of the part that is drawn in a step, or None for whole pictures.
        gradient_scales: resolutions at which gradients are compared.
        compact: whether it has a compact feature beside the landmarks, of a width to choose.
    """

    task: Callable[..., Any]
    learning_rate: float
    window: int | None = None
    gradient_scales: int = 1
    compact: bool = False


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """What a user can ask of a network that is to be trained.

    Attributes:
        variant: published copy whose conventions to follow, one of the family's; "" without any.
        compact_features: values that the encoder measures beside the landmarks.
        values_sent: how many of them validation sends.
    """

    variant: str = ""
    compact_features: int = 0
    values_sent: int = 0


@dataclass(frozen=True, slots=True)
class Family:
    """A network, or a model without one, and the models of it.

    Of models that ship, or need no weights, `load` makes them. Of a network whose weights users
    import, `entries`, `variants`, `build` and `wrap` do, and `load` is None.

    Attributes:
        name: of the network; the names of its models begin with it.
        cards: () -> tuple of `ModelCard`, one for each layout; without weights where those are
            imported. Must not load PyTorch.
        load: (card, runtime) -> `AnimationModel`.
        entries: entries of a checkpoint that are needed.
        variants: published copies, which compute different things with the same weights, the
            default first.
        build: (variant, names of tensors) -> the network, on the device of the context.
        wrap: (network, card, runtime) -> `AnimationModel`.
        read: (file) -> the network in evaluation mode, where that is not `build` and the tensors
            of a checkpoint.
        recipe: how it is trained, if it can be.
        onnx: (network, folder, sha256 of the weights) -> list of
            `tools.onnx_export.comparison.Comparison`; writes graphs and compares them with torch.
        parity: (weights, pictures, scenario) -> `tools.parity.Observations`; its run for the
            comparison with a reference implementation.
    """

    name: str
    cards: Callable[[], Any]
    load: Callable[..., Any] | None = None
    entries: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    build: Callable[..., Any] | None = None
    wrap: Callable[..., Any] | None = None
    read: Callable[..., Any] | None = None
    recipe: Recipe | None = None
    onnx: Callable[..., Any] | None = None
    parity: Callable[..., Any] | None = None


def _published(name: str, entries: tuple[str, ...], variants: tuple[str, ...], wrap: str) -> Family:
    package = f"models.published.{name}"
    return Family(
        name,
        later(f"models.published.cards:{name}"),
        entries=entries,
        variants=variants,
        build=later(f"{package}.network:build"),
        wrap=later(f"{package}.model:{wrap}"),
        recipe=Recipe(
            later(f"{package}.training:task"),
            learning_rate=2e-4,
            gradient_scales=3,
        ),
        onnx=later(f"tools.onnx_export.graphs:export_{name}"),
        parity=later(f"tools.parity.{name}:observe"),
    )


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "face",
            later("models.face.card:cards"),
            load=later("models.face.model:load"),
            read=later("models.face.torch_rendering:load_face_network"),
            recipe=Recipe(
                later("models.face.training:task"), learning_rate=8e-4, window=128, compact=True
            ),
            onnx=later("tools.onnx_export.face:export"),
        ),
        Family("mesh", later("models.mesh.card:cards"), load=later("models.mesh.model:load")),
        _published(
            "fomm",
            ("kp_detector", "generator"),
            ("jvet_v2", "jvet_v1", "official", "official_before_torch_1_3", "goluck"),
            "FommModel",
        ),
        _published(
            "cfte", ("kp_detector", "generator"), ("jvet_v2", "jvet_v1", "goluck"), "CfteModel"
        ),
        _published(
            "fv2v",
            ("kp_detector", "he_estimator", "generator"),
            ("jvet_v2", "jvet_v1", "goluck"),
            "wrap",
        ),
    )
}
"""All families by name, in the order of lists. docs/adding_a_model.md says how to add one."""


def imported_families() -> dict[str, Family]:
    """The families whose weights users import, by name."""
    return {name: family for name, family in FAMILIES.items() if family.variants}


def trained_families() -> dict[str, Family]:
    """The families that can be trained, by name."""
    return {name: family for name, family in FAMILIES.items() if family.recipe}
