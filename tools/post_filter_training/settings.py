"""How learning runs."""

from __future__ import annotations

from dataclasses import dataclass, fields

from models.training.configuration import check_value


@dataclass(frozen=True, slots=True)
class Settings:
    """How learning runs.

    Attributes:
        minutes: time budget.
        pictures: cut-outs in a batch.
        side: of a cut-out in pixels, a multiple of 8, 64 or more: SSIM is compared at an eighth.
        learning_rate, final_rate: the highest, and the share of it that is left at the end.
        warm_up: steps over which it rises.
        weight_decay: of AdamW.
        average_decay: of the moving average of the weights, a step.
        l1, gradient, ssim, perceptual: weights of terms of the loss.
        part_weight: how much more differences at mouth and eyes count.
        face_share: share of cut-outs, 0..1, that show a face.
        report_seconds, validation_seconds: time between lines, and between validations, after
            each of which weights are written.

    Raises:
        TrainingError: a value makes no sense.
    """

    minutes: float = 8.0
    pictures: int = 48
    side: int = 160
    learning_rate: float = 1.5e-3
    final_rate: float = 0.01
    warm_up: int = 200
    weight_decay: float = 0.01
    average_decay: float = 0.998
    l1: float = 5.0
    gradient: float = 2.0
    ssim: float = 1.0
    perceptual: float = 0.02
    part_weight: float = 2.0
    face_share: float = 0.7
    report_seconds: float = 15.0
    validation_seconds: float = 60.0
    seed: int = 1

    def __post_init__(self) -> None:
        for item in fields(self):
            check_value(item.name, getattr(self, item.name), *_LIMITS.get(item.name, (0,)))


_ABOVE_ZERO = 1e-9
_LIMITS: dict[str, tuple[float, ...]] = {
    "minutes": (_ABOVE_ZERO,),
    "pictures": (1,),
    "side": (64,),
    "learning_rate": (_ABOVE_ZERO,),
    "final_rate": (0, 1),
    "average_decay": (0, 1),
    "face_share": (0, 1),
}
"""The least and the most of settings that are not 0 or more."""
