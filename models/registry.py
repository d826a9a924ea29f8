"""All models by name and by the URI that streams carry.

Nothing here loads torch: models whose weights the user imported are found by their cards.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from models.card import ModelCard
from models.contract import AnimationModel
from models.errors import CheckpointError, UnknownModelError
from models.family import FAMILIES, Family, imported_families
from models.importing import load
from models.runtime import Runtime
from models.weights.store import (
    FINGERPRINT_DIGITS,
    NoFolderError,
    WeightsCard,
    WeightsStore,
    weights_folder,
)

_WEIGHTS_URI = re.compile(
    rf"(?P<prefix>.+):(?P<variant>[a-z0-9_]+):(?P<weights>[0-9a-f]{{{FINGERPRINT_DIGITS}}})"
)


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
            raise UnknownModelError(self._unknown(name)) from None

    def _unknown(self, name: str) -> str:
        """What to say of a name that no model has; `mesh+3` is that of 3 features with mesh."""
        plain, _, features = name.rpartition("+")
        if features.isdigit() and plain in self._models:
            able = dict.fromkeys(each.rpartition("+")[0] for each in self._models if "+" in each)
            return f"{plain} takes no --features {features}: leave it out" + (
                f", or take {' or '.join(able)} as --model" if plain not in able else ""
            )
        known = ", ".join(self._models) or "none"
        asked = plain if plain and features.isdigit() else name
        return f"no model is named {asked!r} (there are: {known})"

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


def import_hint(uri: str) -> str | None:
    """How to get the weights that a URI asks for; None for a URI of no network here."""
    match = _WEIGHTS_URI.fullmatch(uri)
    if match is None:
        return None
    for family in imported_families().values():
        if any(card.uri == match["prefix"] for card in family.cards()):
            return (
                f"it needs the {family.name} weights {match['weights']}: "
                f"gfvc models import {family.name} FILE --variant {match['variant']}"
            )
    return None


def _load_imported(
    family: Family, variant: str, card: ModelCard, runtime: Runtime
) -> AnimationModel:
    load("torch")
    from models.weights.loading import load_network_model

    return load_network_model(family, variant, card, runtime)


def _refuse_without_weights(family: Family, card: ModelCard, _: Runtime) -> AnimationModel:
    raise CheckpointError(
        f"{card.name} has no weights: none come with gfvc; import a published checkpoint first, "
        f"gfvc models import {family.name} FILE (docs/checkpoints.md)"
    )


def _with_weights(card: ModelCard, family: Family, weights: WeightsCard, path: Path) -> ModelCard:
    """The card of a family with weights, under the name that these were imported as."""
    return replace(
        card,
        name=weights.name + card.name.removeprefix(family.name),
        uri=f"{card.uri}:{weights.variant}:{weights.content_sha256[:FINGERPRINT_DIGITS]}",
        data=str(path),
        sha256=weights.sha256,
    )


def _users_store() -> WeightsStore | None:
    """What the user imported; None where no folder for it is known."""
    try:
        return WeightsStore(weights_folder())
    except NoFolderError:
        return None


def _register_imported(registry: Registry, store: WeightsStore | None) -> None:
    """Register every import, and networks without one as models that cannot be loaded."""
    store = store or _users_store()
    imported, problems = ([], []) if store is None else store.cards()
    folder = Path() if store is None else store.folder.absolute()
    registry.problems += problems
    for family in imported_families().values():
        weights_of_this = [card for card in imported if card.architecture == family.name]
        for weights in weights_of_this:
            for template in family.cards():
                card = _with_weights(template, family, weights, folder / weights.weights)
                loader = partial(_load_imported, family, weights.variant, card)
                try:
                    registry.register(RegisteredModel(card, loader))
                except ValueError as error:
                    registry.problems.append(f"{weights.name}: {error}")
        if all(weights.name != family.name for weights in weights_of_this):
            for card in family.cards():
                refuse = partial(_refuse_without_weights, family, card)
                registry.register(RegisteredModel(card, refuse))


def default_registry(store: WeightsStore | None = None) -> Registry:
    """The models that come with the package, and those whose weights the user imported.

    `store` is the folder of imported weights, by default the one of `weights_folder`; where there
    is no such folder nothing was imported. Raises `CheckpointError` where GFVC_MODELS names what is
    no folder, for then nobody knows which models there would be.
    """
    registry = Registry()
    for family in FAMILIES.values():
        if family.load is not None:
            for card in family.cards():
                load = partial(family.load, card)
                registry.register(RegisteredModel(card, load))
    _register_imported(registry, store)
    return registry
