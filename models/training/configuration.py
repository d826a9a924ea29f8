"""Everything that decides how a training runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from models.errors import TrainingError

SMALLEST_WINDOW = 64
"""The smallest of the four scales of the SSIM loss then still holds its window of 7 pixels."""


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each term of the loss counts, 0 or more; see `models.training.losses`.

    `perceptual` counts only where a training has weights of EfficientNet-Lite0, `adversarial` and
    `features` only once the discriminator takes part.
    """

    l1: float = 4.0
    gradient: float = 2.0
    ssim: float = 0.35
    perceptual: float = 0.15
    adversarial: float = 0.15
    features: float = 1.0

    def __post_init__(self) -> None:
        for item in fields(self):
            check_value(f"weight of {item.name}", getattr(self, item.name), 0.0)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Shares of pairs, 0..1, that are changed in each way, and how far.

    `smallest_crop` is the least width of a crop over the picture's width, 0.25..1.
    """

    crop: float = 0.8
    smallest_crop: float = 0.75
    colour: float = 0.7
    flip: float = 0.5
    key_coding: float = 0.7

    def __post_init__(self) -> None:
        for item in fields(self):
            lowest = 0.25 if item.name == "smallest_crop" else 0.0
            check_value(f"augmentation {item.name}", getattr(self, item.name), lowest, 1.0)


@dataclass(frozen=True, slots=True)
class TrainingConfiguration:
    """How a training runs.

    Attributes:
        data: folder of clips, split by `index` or by its folders `train` and `validation`.
        out: folder for states, weights, tables and sheets.
        index: CSV with the columns file, identity and split; None for sub-folders.
        cache: folder for decoded pictures and landmarks; None for `out/cache`.
        skip: names of clips to leave out, with or without folder and suffix.
        start_from: weights file to begin with, or None for random weights.
        size: width and height of pictures.
        window: width of the part that is drawn in a step by networks that can, and seen by the
            discriminator; a multiple of 32 from 64 up to `size`.
        batch: pairs in a step.
        minutes: time budget over all resumed runs together, or None.
        steps: step budget over all resumed runs together, or None; one of the two is wanted. 0
            validates and exports without a step.
        learning_rate: the highest, of AdamW.
        final_rate: share of it that is left at the end of the cosine.
        warm_up: steps over which it rises from 0.
        gradient_limit: norm that the gradient is clipped to.
        gradient_scales: resolutions at which gradients are compared, each half the last.
        average_decay: of the moving average of the weights, a step.
        trunk: file of weights of EfficientNet-Lite0 for the perceptual loss, or None to go without.
        adversarial_from: step from which the discriminator takes part, or None for never.
        adversarial_ramp: steps over which its part grows to the whole.
        checkpoint_minutes: time between states.
        validation_minutes: time between validations.
        validation_pictures: driven pictures of each validation clip.
        landmark_pictures: drawn validation pictures that are tracked for the landmark error.
        log_steps: steps whose mean makes a row of the table of losses.
        device: "cpu", "cuda" or "auto".
        half_precision: bfloat16 where PyTorch thinks it safe.
        threads: of PyTorch on the CPU, or None to leave them.
        workers: threads that prepare batches.

    Raises:
        TrainingError: a value makes no sense.
    """

    data: Path
    out: Path
    index: Path | None = None
    cache: Path | None = None
    skip: tuple[str, ...] = ()
    start_from: Path | None = None
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
    gradient_scales: int = 1
    average_decay: float = 0.998
    trunk: Path | None = None
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
        check_size(self.size)
        if self.window % 32 or not SMALLEST_WINDOW <= self.window <= self.size:
            raise TrainingError(
                f"window {self.window} is not a multiple of 32 from {SMALLEST_WINDOW} up to the "
                f"size, {self.size}"
            )
        for limits, names in _LIMITS.items():
            for name in names.split():
                check_value(name, getattr(self, name), *limits)

    @property
    def cache_folder(self) -> Path:
        """Where decoded pictures and landmarks are kept."""
        return self.cache or self.out / "cache"

    def as_record(self) -> dict[str, Any]:
        """All values as JSON has them."""
        return {
            name: str(value) if isinstance(value, Path) else value
            for name, value in asdict(self).items()
        }


# Least and greatest values of numbers.
_LIMITS: dict[tuple[float, ...], str] = {
    (1,): (
        "batch workers threads log_steps validation_pictures gradient_scales discriminator_channels"
    ),
    (0,): (
        "steps seed warm_up weight_decay adversarial_from adversarial_ramp checkpoint_minutes "
        "validation_minutes landmark_pictures"
    ),
    (0, 1): "final_rate average_decay",
    (1e-9,): "minutes learning_rate discriminator_rate gradient_limit",
}

_LARGEST_SIZE = 8192
_MOST = 1e12  # nobody means more


def check_size(size: int) -> None:
    """Raise `TrainingError` for a width of pictures that networks cannot be trained on."""
    check_value("size", size, SMALLEST_WINDOW, _LARGEST_SIZE)
    if size % 32:
        raise TrainingError(f"picture size {size} is not a multiple of 32")


def check_value(name: str, value: float | None, lowest: float, highest: float = _MOST) -> None:
    """Raise `TrainingError` for a number outside its range, and for what is no number."""
    if value is None or lowest <= value <= highest:
        return
    # A whole number may have more digits than a floating-point one can have.
    is_printable = isinstance(value, float) or value <= _MOST
    shown = f"{value:g}" if is_printable else f"more than {_MOST:g}"
    limit = "or more" if value < lowest and highest == _MOST else f"up to {highest:g}"
    raise TrainingError(f"{name.replace('_', ' ')} is {shown}; want {lowest:g} {limit}")
