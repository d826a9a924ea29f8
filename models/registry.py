"""All models by name and by the URI that streams carry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.card import ModelCard
from models.contract import AnimationModel
from models.errors import UnknownModelError
from models.mesh.card import CARD as MESH_CARD


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A card, and how to load what it describes."""

    card: ModelCard
    load: Callable[[], AnimationModel]


class Registry:
    """Models by name and by URI; neither may stand for two models."""

    def __init__(self) -> None:
        self._models: dict[str, RegisteredModel] = {}

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
        known = ", ".join(model.card.uri for model in self._models.values()) or "none"
        raise UnknownModelError(f"no model has the URI {uri!r} (known: {known})")


def _load_mesh() -> AnimationModel:
    from models.mesh.face_space import load_face_space
    from models.mesh.model import MeshModel

    path = MESH_CARD.path
    assert path is not None
    return MeshModel(load_face_space(path, MESH_CARD.sha256))


def default_registry() -> Registry:
    """A registry of the models that come with the package."""
    registry = Registry()
    registry.register(RegisteredModel(MESH_CARD, _load_mesh))
    return registry
