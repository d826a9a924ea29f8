"""Importing a published checkpoint into the user's folder of weights."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from models.card import file_sha256
from models.checkpoints import loading
from models.checkpoints.architectures import Architecture
from models.checkpoints.reading import read_checkpoint
from models.checkpoints.store import WeightsCard, WeightsStore, check_name
from models.checkpoints.tensors import content_sha256, fit_tensors
from models.errors import CheckpointError
from models.registry import BUILT_IN_NAMES


def import_checkpoint(
    source: Path,
    architecture: Architecture,
    store: WeightsStore,
    *,
    variant: str | None = None,
    name: str | None = None,
    force: bool = False,
) -> WeightsCard:
    """Check a checkpoint file and keep its weights as safetensors.

    `variant` is one of the architecture's, the first by default; `name` what the weights go by, the
    architecture's name by default; `force` replaces weights of that name.

    Raises:
        CheckpointError: the file is no complete checkpoint of the architecture or is not safe to
            load, the name is taken, the same weights are there under another name, or the folder
            cannot be written. The folder is as it was then.
    """
    name = name or architecture.name
    variant = variant or architecture.variants[0]
    check_name(name)
    if variant not in architecture.variants:
        raise CheckpointError(
            f"{architecture.name} has no variant {variant!r} "
            f"(there are: {', '.join(architecture.variants)})"
        )
    if name != architecture.name and name in BUILT_IN_NAMES:
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
    tensors = read_checkpoint(source, architecture.entries)
    network = loading.build_network(architecture, variant, tensors.keys())
    try:
        fitted = fit_tensors(tensors, network)
    except CheckpointError as error:
        raise CheckpointError(f"{source}: not weights of {architecture.name}: {error}") from None
    content = content_sha256(fitted)
    for other in store.cards()[0]:
        if other.name != name and (other.content_sha256, other.variant) == (content, variant):
            raise CheckpointError(f"{source}: the same weights are there as {other.name!r}")
    now = datetime.now(timezone.utc).replace(microsecond=0).isoformat()
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
            architecture=architecture.name,
            variant=variant,
            content_sha256=content,
            weights=WeightsCard.file_name(name, content),
            sha256=sha256,
            source=source.name,
            source_sha256=source_sha256,
            imported=now,
        )

    return store.add(write, describe)
