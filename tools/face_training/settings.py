"""How learning runs."""

from __future__ import annotations

from dataclasses import dataclass, fields

from models.training.configuration import check_value


@dataclass(frozen=True, slots=True)
class Settings:
    """How learning runs.

    Attributes:
        minutes: time budget of all resumed runs together.
        pairs: pairs of successive pictures in a batch.
        learning_rate, final_rate: the highest, and the share of it that is left at the end.
        warm_up: steps over which it rises.
        discriminator_rate: the highest of the discriminators.
        adversarial_from, adversarial_ramp: shares of the time, 0..1, from which and over which the
            discriminators take part.
        average_decay: of the moving average of the weights, a step.
        l1, gradient, ssim, warp, perceptual, adversarial, features: weights of terms of the loss.
        part_adversarial, part_features: the same of mouth and eyes.
        temporal: of how differently drawn and real pictures change from one to the next.
        report_seconds, validation_seconds: time between lines, and between validations, after
            each of which weights and state are written.

    Raises:
        TrainingError: a value makes no sense.
    """

    minutes: float = 9.0
    pairs: int = 32
    learning_rate: float = 1e-3
    final_rate: float = 0.01
    warm_up: int = 150
    discriminator_rate: float = 4e-4
    adversarial_from: float = 0.15
    adversarial_ramp: float = 0.1
    average_decay: float = 0.998
    l1: float = 3.0
    gradient: float = 2.0
    ssim: float = 0.45
    warp: float = 1.0
    perceptual: float = 0.15
    adversarial: float = 0.06
    features: float = 0.5
    part_adversarial: float = 0.06
    part_features: float = 0.5
    temporal: float = 4.0
    report_seconds: float = 15.0
    validation_seconds: float = 120.0
    seed: int = 1

    def __post_init__(self) -> None:
        for item in fields(self):
            check_value(item.name, getattr(self, item.name), *_LIMITS.get(item.name, (0,)))


_ABOVE_ZERO = 1e-9
_LIMITS: dict[str, tuple[float, ...]] = {
    "minutes": (_ABOVE_ZERO,),
    "pairs": (1,),
    "learning_rate": (_ABOVE_ZERO,),
    "final_rate": (0, 1),
    "discriminator_rate": (_ABOVE_ZERO,),
    "adversarial_from": (0, 1),
    "adversarial_ramp": (_ABOVE_ZERO, 1),
    "average_decay": (0, 1),
}
"""The least and the most of settings that are not 0 or more."""
