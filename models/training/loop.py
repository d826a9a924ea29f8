"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from models.training.average import WeightAverage
from models.training.configuration import TrainingConfiguration
from models.training.discriminator import PatchDiscriminator
from models.training.errors import TrainingError
from models.training.export import export_weights
from models.training.losses import (
    ADVERSARIAL_LOSSES,
    SHARED_LOSSES,
    discriminator_loss,
    feature_matching,
    shared_losses,
)
from models.training.pairs import PairSource, to_device
from models.training.state_file import (
    STATE_NAME,
    random_states,
    read_state,
    restore_random_states,
    write_state,
)
from models.training.table import Table
from models.training.task import Batch, Outputs, TrainingTask
from models.training.validation import SCORES, Validation, Validator, write_sheet

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What came of a training: steps done, pairs a second of this run, the last validation."""

    steps: int
    pairs_per_second: float
    validation: Validation


def learning_rate_share(step: int, progress: float, warm_up: int, final: float) -> float:
    """Warm-up over some steps, then half a cosine from 1 to `final` as progress goes 0 to 1."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return min(1.0, (step + 1) / max(warm_up, 1)) * (final + (1 - final) * cosine)


class Trainer:
    """A network, its average, its judge, and all that has to be kept to go on with them."""

    def __init__(
        self, configuration: TrainingConfiguration, task: TrainingTask, device: torch.device
    ) -> None:
        self.configuration = configuration
        self.task = task
        self.device = device
        torch.manual_seed(configuration.seed)
        layout = torch.channels_last
        # mypy does not know the overload of `to` for a memory format alone.
        self.network: nn.Module = task.build_network().to(device).to(memory_format=layout)  # type: ignore[call-overload]
        judge = PatchDiscriminator(configuration.discriminator_channels).to(device)
        self.discriminator: nn.Module = judge.to(memory_format=layout)  # type: ignore[call-overload]
        self.average = WeightAverage(self.network, configuration.average_decay)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            configuration.learning_rate,
            betas=(0.8, 0.99),
            weight_decay=configuration.weight_decay,
        )
        self.discriminator_optimiser = torch.optim.AdamW(
            self.discriminator.parameters(), configuration.discriminator_rate, betas=(0.0, 0.99)
        )
        self.step = 0
        self.elapsed = 0.0
        self.best = -math.inf

    @property
    def progress(self) -> float:
        """Share of the budget that is used up, from 0; 1 and more is the end."""
        configuration = self.configuration
        shares = [0.0]
        if configuration.steps is not None:
            shares.append(self.step / max(configuration.steps, 1))
        if configuration.minutes is not None:
            shares.append(self.elapsed / max(configuration.minutes * 60, 1e-9))
        return max(shares)

    @property
    def adversarial_share(self) -> float:
        """How far the judge takes part, 0 to 1."""
        start = self.configuration.adversarial_from
        if start is None or self.step < start:
            return 0.0
        return min(1.0, (self.step - start + 1) / max(self.configuration.adversarial_ramp, 1))

    def take_step(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from a batch; return the losses, detached."""
        configuration = self.configuration
        share = learning_rate_share(
            self.step, self.progress, configuration.warm_up, configuration.final_rate
        )
        for group in self.optimiser.param_groups:
            group["lr"] = configuration.learning_rate * share
        self.network.train()
        with self._autocast():
            outputs = self.task.forward(self.network, batch)
        losses = {**shared_losses(outputs, configuration.weights), **outputs.losses}
        judged: dict[str, Tensor] = {}
        if self.adversarial_share:
            judged = {"discriminator": self._judge(batch, outputs)}
            losses.update(self._convince(batch, outputs))
        total = torch.stack(list(losses.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), configuration.gradient_limit)
        if not torch.isfinite(norm):
            raise TrainingError(
                f"step {self.step}: the loss is no number any more; resume from the last state "
                "with a lower learning rate"
            )
        self.optimiser.step()
        self.step += 1
        self.average.update(self.network, self.step)
        return {name: loss.detach() for name, loss in {**losses, **judged, "total": total}.items()}

    def _autocast(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.configuration.half_precision
        )

    def _patches(self, batch: Batch, pictures: Tensor) -> Tensor:
        """The part that the judge sees, also of networks that draw whole pictures."""
        size = batch.driven.shape[-1]
        whole = batch.window is not None and pictures.shape[-1] == size
        if whole and batch.window is not None:
            pictures = batch.window.cut(pictures, size)
        return pictures.contiguous(memory_format=torch.channels_last)

    def _judge(self, batch: Batch, outputs: Outputs) -> Tensor:
        """Teach the judge."""
        self.discriminator.requires_grad_(True)
        with self._autocast():
            real, _ = self.discriminator(self._patches(batch, outputs.target))
            drawn, _ = self.discriminator(self._patches(batch, outputs.picture.detach()))
        loss = discriminator_loss(real, drawn)
        self.discriminator_optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.discriminator_optimiser.step()
        return loss

    def _convince(self, batch: Batch, outputs: Outputs) -> dict[str, Tensor]:
        """What the network has to learn from the judge."""
        weights = self.configuration.weights
        self.discriminator.requires_grad_(False)
        with self._autocast():
            verdict, features = self.discriminator(self._patches(batch, outputs.picture))
            with torch.no_grad():
                _, wanted = self.discriminator(self._patches(batch, outputs.target))
        share = self.adversarial_share
        return {
            "adversarial": -weights.adversarial * share * verdict.mean(),
            "features": weights.features * share * feature_matching(features, wanted),
        }

    def save(self, path: Path) -> None:
        """Write everything that a resume needs."""
        state = {
            "metadata": self.task.metadata(),
            "step": self.step,
            "elapsed": self.elapsed,
            "best": self.best,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "discriminator_optimiser": self.discriminator_optimiser.state_dict(),
            "random": random_states(self.device),
        }
        write_state(path, state)

    def restore(self, path: Path) -> None:
        """Go on from a state; raise `TrainingError` when it is damaged or of another network."""
        state = read_state(path)
        if state["metadata"] != self.task.metadata():
            raise TrainingError(f"{path}: is the state of another network: {state['metadata']}")
        try:
            self.network.load_state_dict(state["network"])
            self.average.network.load_state_dict(state["average"])
            self.discriminator.load_state_dict(state["discriminator"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.discriminator_optimiser.load_state_dict(state["discriminator_optimiser"])
            restore_random_states(state["random"], self.device)
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise TrainingError(f"{path}: does not fit this training ({reason})") from None
        self.step, self.elapsed, self.best = state["step"], state["elapsed"], state["best"]


class Recorder:
    """What a training leaves in its folder beside the state."""

    def __init__(self, trainer: Trainer, validator: Validator, report: Report) -> None:
        self._trainer = trainer
        self._validator = validator
        self._report = report
        self._out = trainer.configuration.out
        names = (*SHARED_LOSSES, *trainer.task.loss_names, *ADVERSARIAL_LOSSES)
        self._names = (*names, "discriminator", "total")
        self._losses = Table(
            self._out / "losses.csv",
            ("seconds", "pairs_per_second", "learning_rate", *self._names),
            trainer.step,
        )
        self._scores = Table(
            self._out / "validation.csv", ("seconds", "improved", *SCORES), trainer.step
        )
        self._sums: dict[str, Tensor] = {}
        self._count = 0
        self._since = time.monotonic()

    def note_losses(self, losses: dict[str, Tensor]) -> None:
        """Take in a step's losses; every `log_steps` write their means."""
        configuration = self._trainer.configuration
        # A judge that came in between counts from its first step on.
        if losses.keys() != self._sums.keys():
            self._sums, self._count, self._since = {}, 0, time.monotonic()
        for name, value in losses.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1
        if self._trainer.step % configuration.log_steps:
            return
        means = {name: float(value) / self._count for name, value in self._sums.items()}
        now = time.monotonic()
        speed = self._count * configuration.batch / max(now - self._since, 1e-9)
        rate = self._trainer.optimiser.param_groups[0]["lr"]
        self._losses.add(
            self._trainer.step,
            {
                "seconds": self._trainer.elapsed,
                "pairs_per_second": speed,
                "learning_rate": rate,
                **means,
            },
        )
        terms = " ".join(f"{name} {means[name]:.4f}" for name in self._names if name in means)
        self._report(
            f"step {self._trainer.step} ({self._trainer.progress:.1%}, "
            f"{self._trainer.elapsed:.0f} s, {speed:.1f} pairs/s): {terms}"
        )
        self._sums, self._count, self._since = {}, 0, now

    def validate(self) -> Validation:
        """Score the average network; export its weights, and again where it improved."""
        trainer = self._trainer
        began = time.monotonic()
        validation = self._validator.validate(trainer.average.network, trainer.device)
        improved = validation.scores["ms_ssim"] > trainer.best
        names = ["latest", "best"] if improved else ["latest"]
        for name in names:
            metadata = {
                **trainer.task.metadata(),
                "step": str(trainer.step),
                **{score: f"{value:.6g}" for score, value in validation.scores.items()},
            }
            export_weights(
                trainer.average.network,
                metadata,
                self._out / f"{trainer.task.name}-{name}.safetensors",
            )
        trainer.best = max(trainer.best, validation.scores["ms_ssim"])
        write_sheet(self._out / f"sheet-{trainer.step:07d}.png", validation.sheet)
        self._scores.add(
            trainer.step,
            {"seconds": trainer.elapsed, "improved": float(improved), **validation.scores},
        )
        scores = " ".join(f"{name} {value:.4f}" for name, value in validation.scores.items())
        self._report(f"validation at step {trainer.step}: {scores}")
        self._since += time.monotonic() - began
        return validation


def run_loop(
    trainer: Trainer, source: PairSource, validator: Validator, report: Report
) -> TrainingResult:
    """Train until the budget is used up; leave state, weights, tables and sheets in `out`."""
    configuration = trainer.configuration
    state = configuration.out / STATE_NAME
    recorder = Recorder(trainer, validator, report)
    first, clock = trainer.step, _Clock(trainer)
    validated, saved = trainer.elapsed, trainer.elapsed
    with source.batches(trainer.step, configuration.workers) as batches:
        for batch in _until_done(trainer, batches):
            losses = trainer.take_step(to_device(batch, trainer.device))
            clock.tick()
            recorder.note_losses(losses)
            if trainer.elapsed - validated >= configuration.validation_minutes * 60:
                recorder.validate()
                clock.tick()
                validated = trainer.elapsed
            if trainer.elapsed - saved >= configuration.checkpoint_minutes * 60:
                trainer.save(state)
                clock.tick()
                saved = trainer.elapsed
    speed = (trainer.step - first) * configuration.batch / max(clock.total, 1e-9)
    validation = recorder.validate()
    trainer.save(state)
    return TrainingResult(trainer.step, speed, validation)


def _until_done(trainer: Trainer, batches: Iterator[Batch]) -> Iterator[Batch]:
    while trainer.progress < 1:
        yield next(batches)


class _Clock:
    """Counts the time of this run into the trainer's."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._last = time.monotonic()
        self.total = 0.0

    def tick(self) -> None:
        now = time.monotonic()
        self._trainer.elapsed += now - self._last
        self.total += now - self._last
        self._last = now
