"""Learning on a GPU, from coded pictures in its memory to weights.

The learning rate rises, then falls along half a cosine. What is kept is a moving average of the
weights.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from models.contract import Picture
from models.errors import TrainingError
from models.post_filter.network import PostFilterNetwork
from models.training.loop import deferred_interrupts
from models.training.losses import gradient_loss, ssim_loss, weighted_l1
from models.training.optimisation import (
    diverged,
    learning_rate_share,
    moving_average,
    set_rates,
    to_channels_last,
)
from models.training.saved import export_weights
from models.training.trunk import TrunkFeatures, trunk_loss
from models.training.validation import write_sheet
from tools.post_filter_training.data import CodedData, CutOuts
from tools.post_filter_training.settings import Settings

Report = Callable[[str], None]
WEIGHTS_FILE, SHEET_FILE = "post_filter.safetensors", "sheet.png"
_SHEET_ROWS = 8
# Mean absolute differences from what was coded, of 1: usual ones, and as small as is told apart.
_TYPICAL_ERROR, _LEAST_ERROR = 0.02, 0.004


def begin_with(network: PostFilterNetwork, weights: Path) -> None:
    """Give a network the weights of one of its shape.

    That may be one of before networks were told a quantisation parameter, which then changes
    nothing until that is learned.

    Raises:
        TrainingError: the file cannot be read, or is of another shape.
    """
    try:
        state = {name: tensor.float() for name, tensor in load_file(weights).items()}
        state.setdefault("told.weight", torch.zeros_like(network.told.weight))
        network.load_state_dict(state)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise TrainingError(f"{weights}: no weights of such a network ({error})") from None


class Learner:
    """The network and its average."""

    def __init__(
        self,
        network: PostFilterNetwork,
        trunk: TrunkFeatures | None,
        settings: Settings,
        device: torch.device,
    ) -> None:
        self.settings = settings
        self.device = device
        self.network = network.to(device)
        to_channels_last(self.network)
        self._average = moving_average(self.network, settings.average_decay)
        self.trunk = None if trunk is None else trunk.to(device)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            settings.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=settings.weight_decay,
        )
        self.step = 0

    @property
    def average(self) -> PostFilterNetwork:
        """The network with the moving average of its weights."""
        return cast(PostFilterNetwork, self._average.module)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16)

    def take_step(self, batch: CutOuts, progress: float) -> dict[str, Tensor]:
        """Learn from a batch at a progress of 0..1; return the weighted losses."""
        settings = self.settings
        share = learning_rate_share(self.step, progress, settings.warm_up, settings.final_rate)
        set_rates({self.optimiser: settings.learning_rate}, share)
        decoded = batch.decoded.contiguous(memory_format=torch.channels_last)
        with self._autocast():
            change = self.network.change(decoded, batch.qps)
        unfiltered = self.network.unfiltered(batch.decoded)
        picture = unfiltered + change.float()
        shares = _shares(unfiltered, batch.real)
        of_samples = shares[:, None, None, None]
        error, none = (picture - batch.real) * of_samples, torch.zeros_like(picture)
        losses = {
            "l1": settings.l1 * weighted_l1(error, none, batch.weights),
            "gradient": settings.gradient * gradient_loss(error, none),
            "ssim": settings.ssim * ssim_loss(picture, batch.real, shares),
        }
        if self.trunk is not None:
            with self._autocast():
                far = trunk_loss(self.trunk, picture, batch.real)
            losses["perceptual"] = settings.perceptual * far
        losses["total"] = torch.stack(list(losses.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        losses["total"].backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self._average.update_parameters(self.network)
        self.step += 1
        return {name: loss.detach() for name, loss in losses.items()}

    @torch.no_grad()
    def validate(self, data: CodedData) -> dict[str, float]:
        """Mean scores of decoded pictures, and of filtered ones; lower is better but in dB."""
        rows: dict[str, list[float]] = {}
        for whole in data.all():
            decoded = self.average.unfiltered(whole.decoded).clamp(0, 1)
            filtered = self.average(whole.decoded, whole.qps).clamp(0, 1)
            for name, pictures in (("decoded", decoded), ("filtered", filtered)):
                error = ((pictures - whole.real) ** 2).mean(dim=(1, 2, 3))
                rows.setdefault(f"{name}_psnr", []).append(float((-10 * error.log10()).mean()))
                ssim = float(ssim_loss(pictures, whole.real))
                rows.setdefault(f"{name}_ssim", []).append(ssim)
                if self.trunk is not None:
                    far = float(trunk_loss(self.trunk, pictures, whole.real))
                    rows.setdefault(f"{name}_trunk", []).append(far)
        return {name: float(np.mean(values)) for name, values in rows.items()}

    def save(self, out: Path) -> None:
        """Write the average weights into a folder."""
        metadata = {"configuration": json.dumps(asdict(self.network.configuration))}
        export_weights(self.average, metadata, out / WEIGHTS_FILE)


@torch.no_grad()
def _shares(unfiltered: Tensor, real: Tensor) -> Tensor:
    """How much cut-outs count [B], the more the finer they are coded: errors then weigh the same.

    Otherwise only coarse ones would be learned from.
    """
    errors = (unfiltered - real).abs().mean(dim=(1, 2, 3))
    return _TYPICAL_ERROR / errors.clamp(min=_LEAST_ERROR)


@torch.no_grad()
def sheet(network: PostFilterNetwork, data: CodedData) -> Picture:
    """Rows of a decoded, a filtered and a real picture; uint8 RGB, all of the first row's size."""
    rows: list[Tensor] = []
    for whole in data.all():
        last, qp = whole.decoded[-1:], whole.qps[-1:]
        filtered = network(last, qp).clamp(0, 1)
        shown = [network.unfiltered(last).clamp(0, 1), filtered, whole.real[-1:]]
        row = torch.cat(shown, dim=3)[0]
        if not rows or rows[0].shape == row.shape:
            rows.append(row)
        if len(rows) == _SHEET_ROWS:
            break
    pixels = torch.cat(rows, dim=1).permute(1, 2, 0).mul(255).round()
    return np.ascontiguousarray(pixels.byte().cpu().numpy())


def learn(
    learner: Learner, data: CodedData, validation: CodedData, out: Path, report: Report
) -> None:
    """Learn until the time is used up; leave weights and a sheet in the folder `out`.

    Ctrl-C and termination end the step that runs, leave the weights, and then have their usual
    effect.

    Raises:
        TrainingError: the loss is no number any more, or a file cannot be written.
    """
    settings = learner.settings
    budget = settings.minutes * 60
    begun = reported = validated = time.monotonic()
    steps = 0
    with deferred_interrupts() as interrupted:
        while (elapsed := time.monotonic() - begun) < budget and not interrupted():
            random = np.random.default_rng((settings.seed, learner.step))
            batch = data.batch(
                settings.pictures,
                settings.side,
                settings.face_share,
                settings.part_weight,
                random,
            )
            losses = learner.take_step(batch, elapsed / budget)
            now = time.monotonic()
            if now - reported >= settings.report_seconds:
                if not torch.isfinite(losses["total"]):
                    raise diverged(learner.step)
                speed = (learner.step - steps) / (now - reported)
                steps, reported = learner.step, now
                text = " ".join(f"{name} {float(loss):.4f}" for name, loss in losses.items())
                report(f"{elapsed:.0f} s, step {learner.step}, {speed:.1f} steps/s, {text}")
            if now - validated >= settings.validation_seconds:
                validated = now
                _validate(learner, validation, report)
                learner.save(out)
        learner.save(out)
    _validate(learner, validation, report)
    write_sheet(out / SHEET_FILE, sheet(learner.average, validation))


def _validate(learner: Learner, data: CodedData, report: Report) -> None:
    scores = learner.validate(data)
    text = " ".join(f"{name} {score:.5f}" for name, score in scores.items())
    report(f"validation at step {learner.step}: {text}")
