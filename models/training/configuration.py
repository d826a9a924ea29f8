"""Everything that decides how a training runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from models.training.errors import TrainingError


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each term of the loss counts; see `models.training.losses`."""

    l1: float = 4.0
    gradient: float = 2.0
    ssim: float = 0.35
    adversarial: float = 0.15
    features: float = 1.0


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Shares of pairs, 0..1, that are changed in each way, and how far.

    `smallest_crop` is the least width of a crop over the picture's width.
    """

    crop: float = 0.8
    smallest_crop: float = 0.75
    colour: float = 0.7
    flip: float = 0.5
    key_coding: float = 0.7


@dataclass(frozen=True, slots=True)
class TrainingConfiguration:
    """How a training runs.

    Attributes:
        data: folder of clips, split by `index` or by its folders `train` and `validation`.
        out: folder for states, weights, tables and sheets.
        index: CSV with the columns file, identity and split; None for sub-folders.
        cache: folder for decoded pictures and landmarks; None for `out/cache`.
        skip: names of clips to leave out, with or without folder and suffix.
        size: width and height of pictures.
        window: width of the part that is drawn in a step; a multiple of 32 up to `size`.
        batch: pairs in a step.
        minutes: time budget over all resumed runs together, or None.
        steps: step budget over all resumed runs together, or None; one of the two is wanted.
        adversarial_from: step from which the discriminator takes part, or None for never.
        checkpoint_minutes: time between states.
        validation_minutes: time between validations.
        validation_pictures: driven pictures of each validation clip.
        landmark_pictures: drawn validation pictures that are tracked for the landmark error.
        device: "cpu", "cuda" or "auto".
        half_precision: bfloat16 where PyTorch thinks it safe.
        threads: of PyTorch on the CPU, or None to leave them.
        workers: threads that prepare batches.
    """

    data: Path
    out: Path
    index: Path | None = None
    cache: Path | None = None
    skip: tuple[str, ...] = ()
    size: int = 256
    window: int = 128
    batch: int = 8
    minutes: float | None = None
    steps: int | None = None
    seed: int = 0
    learning_rate: float = 8e-4
    final_rate: float = 0.02
    warm_up: int = 200
    weight_decay: float = 1e-4
    gradient_limit: float = 1.0
    average_decay: float = 0.998
    discriminator_rate: float = 4e-4
    discriminator_channels: int = 32
    adversarial_from: int | None = None
    adversarial_ramp: int = 400
    weights: LossWeights = field(default_factory=LossWeights)
    augmentation: Augmentation = field(default_factory=Augmentation)
    checkpoint_minutes: float = 10.0
    validation_minutes: float = 20.0
    validation_pictures: int = 4
    landmark_pictures: int = 8
    log_steps: int = 50
    device: str = "auto"
    half_precision: bool = True
    threads: int | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        if self.minutes is None and self.steps is None:
            raise TrainingError("training has no end: give a number of minutes or of steps")
        if self.size % 32 or self.size < 64:
            raise TrainingError(f"picture size {self.size} is not a multiple of 32 from 64 on")
        if self.window % 32 or not 32 <= self.window <= self.size:
            raise TrainingError(f"window {self.window} is not a multiple of 32 up to {self.size}")
        for name in ("batch", "workers", "log_steps", "validation_pictures"):
            if getattr(self, name) < 1:
                raise TrainingError(f"{name} is {getattr(self, name)}; want 1 or more")

    @property
    def cache_folder(self) -> Path:
        """Where decoded pictures and landmarks are kept."""
        return self.cache or self.out / "cache"
