"""From a published checkpoint to weights of ours, and from those to a model."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import nn

from models.card import ModelCard
from models.contract import AnimationModel
from models.errors import CheckpointError
from models.family import FAMILIES, Family
from models.files import file_sha256
from models.runtime import Runtime
from models.weights.reading import read_checkpoint
from models.weights.store import WeightsCard, WeightsStore, check_name
from models.weights.tensors import content_sha256, fit_tensors


def build_network(family: Family, variant: str, names: Collection[str]) -> nn.Module:
    """The network that tensors of these names belong to, without memory for its own.

    The names matter where one is present in some checkpoints only, and says how the network works.
    """
    assert family.build is not None
    with torch.device("meta"):
        network: nn.Module = family.build(variant, names)
    return network


def read_network(path: Path, family: Family, variant: str) -> nn.Module:
    """The network of a checkpoint, in evaluation mode.

    Raises:
        CheckpointError: the file is missing, damaged, or not of this network.
    """
    network, tensors = _read_fitting(path, family, variant)
    network.load_state_dict(tensors, strict=True, assign=True)
    return network.eval()


def _read_fitting(
    path: Path, family: Family, variant: str
) -> tuple[nn.Module, dict[str, torch.Tensor]]:
    """An empty network, and the tensors for it from a checkpoint."""
    tensors = read_checkpoint(path, family.entries)
    network = build_network(family, variant, tensors.keys())
    try:
        return network, fit_tensors(tensors, network)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: not weights of {family.name}: {error}") from None


def load_network_model(
    family: Family, variant: str, card: ModelCard, runtime: Runtime = Runtime()
) -> AnimationModel:
    """A model of imported weights.

    Raises:
        CheckpointError: the file of weights is missing, altered, or not of this network.
    """
    path = card.path
    assert path is not None
    assert family.wrap is not None
    if file_sha256(path) != card.sha256:
        raise CheckpointError(
            f"{path}: differs from its card; import the weights again with gfvc models import "
            f"{family.name} FILE"
        )
    model: AnimationModel = family.wrap(read_network(path, family, variant), card, runtime)
    return model


def built_in_names() -> frozenset[str]:
    """Names that imported weights cannot choose, each its own network's excepted."""
    return frozenset(card.name for family in FAMILIES.values() for card in family.cards())


def import_checkpoint(
    source: Path,
    family: Family,
    store: WeightsStore,
    *,
    variant: str | None = None,
    name: str | None = None,
    force: bool = False,
) -> WeightsCard:
    """Check a checkpoint file and keep its weights as safetensors.

    `variant` is one of the family's, the first by default; `name` what the weights go by, the
    architecture's name by default; `force` replaces weights of that name.

    Raises:
        CheckpointError: the file is no complete checkpoint of the network or is not safe to
            load, the name is taken, the same weights are there under another name, or the folder
            cannot be written. The folder is as it was then.
    """
    name = family.name if name is None else name
    variant = family.variants[0] if variant is None else variant
    check_name(name)
    if variant not in family.variants:
        raise CheckpointError(
            f"{family.name} has no variant {variant!r} (there are: {', '.join(family.variants)})"
        )
    if name != family.name and name in built_in_names():
        raise CheckpointError(f"{name!r} is the name of another model; choose another")
    if (store.folder / f"{name}.json").exists() and not force:
        raise CheckpointError(
            f"weights were imported as {name!r} already; use --force to replace them, or --as NAME "
            "to keep both"
        )
    if store.holds(source, name):
        raise CheckpointError(
            f"{source}: is the file that would be replaced; import it from outside {store.folder}"
        )
    _, fitted = _read_fitting(source, family, variant)
    content = content_sha256(fitted)
    for other in store.cards()[0]:
        if other.name != name and (other.content_sha256, other.variant) == (content, variant):
            raise CheckpointError(f"{source}: the same weights are there as {other.name!r}")
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    source_sha256 = file_sha256(source)

    def write(path: Path) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        try:
            # Copies, because tensors of a checkpoint may share memory, and of a mapped one all do.
            save_file({name: tensor.clone() for name, tensor in fitted.items()}, path)
        except SafetensorError as error:
            raise CheckpointError(f"{store.folder}: cannot be written ({error})") from None

    def describe(sha256: str) -> WeightsCard:
        return WeightsCard(
            name=name,
            architecture=family.name,
            variant=variant,
            content_sha256=content,
            weights=WeightsCard.file_name(name, content),
            sha256=sha256,
            source=source.name,
            source_sha256=source_sha256,
            imported=now,
        )

    return store.add(write, describe)
