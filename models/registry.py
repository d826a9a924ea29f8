"""All models by name and by the URI that streams carry.

Nothing here loads torch: models whose weights the user imported are found by their cards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from models.card import ModelCard
from models.checkpoints import (
    ARCHITECTURES,
    Architecture,
    WeightsStore,
    import_hint,
    weights_folder,
)
from models.contract import AnimationModel
from models.errors import CheckpointError, UnknownModelError
from models.face import MAX_FEATURES
from models.face.card import with_features
from models.mesh.card import CARD as MESH_CARD
from models.runtime import Runtime

BUILT_IN_NAMES = frozenset(
    {MESH_CARD.name}
    | {with_features(count).name for count in range(MAX_FEATURES + 1)}
    | {card.name for architecture in ARCHITECTURES.values() for card in architecture.cards}
)
"""Names that imported weights cannot choose, each its own network's excepted."""


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A card, and how to load what it describes."""

    card: ModelCard
    loader: Callable[[Runtime], AnimationModel]

    def load(self, runtime: Runtime = Runtime()) -> AnimationModel:
        """Load the model; raise `ModelError` when its weights or the device are not there."""
        return self.loader(runtime)


class Registry:
    """Models by name and by URI; neither may stand for two models.

    `problems` has a line for each imported model that cannot be registered.
    """

    def __init__(self) -> None:
        self._models: dict[str, RegisteredModel] = {}
        self.problems: list[str] = []

    def register(self, model: RegisteredModel) -> None:
        """Add a model; raise `ValueError` when its name or URI is taken."""
        card = model.card
        if card.name in self._models:
            raise ValueError(f"a model named {card.name!r} is registered already")
        if any(other.card.uri == card.uri for other in self._models.values()):
            raise ValueError(f"a model with the URI {card.uri!r} is registered already")
        self._models[card.name] = model

    def cards(self) -> list[ModelCard]:
        """Cards of all models, in order of registration."""
        return [model.card for model in self._models.values()]

    def find(self, name: str) -> RegisteredModel:
        """The model of a name; raise `UnknownModelError` with the names there are."""
        try:
            return self._models[name]
        except KeyError:
            known = ", ".join(self._models) or "none"
            raise UnknownModelError(f"no model is named {name!r} (there are: {known})") from None

    def find_uri(self, uri: str) -> RegisteredModel:
        """The model that a stream asks for by URI; raise `UnknownModelError`."""
        for model in self._models.values():
            if model.card.uri == uri:
                return model
        hint = import_hint(uri)
        if hint is not None:
            raise UnknownModelError(f"no model has the URI {uri!r}; {hint}")
        known = ", ".join(model.card.uri for model in self._models.values()) or "none"
        raise UnknownModelError(f"no model has the URI {uri!r} (known: {known})")


def _load_mesh(_: Runtime) -> AnimationModel:
    from models.landmarks.face_space import shipped_face_space
    from models.mesh.model import MeshModel

    return MeshModel(shipped_face_space())


def _load_face(card: ModelCard, features: int, runtime: Runtime) -> AnimationModel:
    from models.face.model import FaceModel
    from models.face.rendering import open_renderers
    from models.landmarks.face_space import shipped_face_space

    return FaceModel(shipped_face_space(), open_renderers(runtime), card.layout, features)


def _load_imported(
    architecture: Architecture, variant: str, card: ModelCard, runtime: Runtime
) -> AnimationModel:
    from models.checkpoints.loading import load_network_model

    return load_network_model(architecture, variant, card, runtime)


def _refuse_without_weights(
    architecture: Architecture, card: ModelCard, _: Runtime
) -> AnimationModel:
    raise CheckpointError(
        f"{card.name} has no weights: none come with gfvc; import a published checkpoint first, "
        f"gfvc models import {architecture.name} FILE (docs/checkpoints.md)"
    )


def _users_store() -> WeightsStore | None:
    """What the user imported; None where no folder for it is known."""
    try:
        return WeightsStore(weights_folder())
    except CheckpointError:
        return None


def _register_networks(registry: Registry, store: WeightsStore | None) -> None:
    """Register every import, and architectures without one as models that cannot be loaded."""
    store = store or _users_store()
    imported, problems = ([], []) if store is None else store.cards()
    folder = Path() if store is None else store.folder.absolute()
    registry.problems += problems
    for architecture in ARCHITECTURES.values():
        weights_of_this = [card for card in imported if card.architecture == architecture.name]
        for weights in weights_of_this:
            for card in architecture.with_weights(
                weights.name,
                weights.variant,
                weights.content_sha256,
                str(folder / weights.weights),
                weights.sha256,
            ):
                load = partial(_load_imported, architecture, weights.variant, card)
                try:
                    registry.register(RegisteredModel(card, load))
                except ValueError as error:
                    registry.problems.append(f"{weights.name}: {error}")
        if all(weights.name != architecture.name for weights in weights_of_this):
            for card in architecture.cards:
                registry.register(
                    RegisteredModel(card, partial(_refuse_without_weights, architecture, card))
                )


def default_registry(store: WeightsStore | None = None) -> Registry:
    """The models that come with the package, and those whose weights the user imported.

    `store` is the folder of imported weights, by default the one of `weights_folder`; where there
    is no such folder nothing was imported.
    """
    registry = Registry()
    for features in range(MAX_FEATURES + 1):
        card = with_features(features)
        registry.register(RegisteredModel(card, partial(_load_face, card, features)))
    registry.register(RegisteredModel(MESH_CARD, _load_mesh))
    _register_networks(registry, store)
    return registry
