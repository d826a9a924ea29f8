"""What a training writes down: tables that survive a resume, sheets and weights."""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import Tensor

from models.errors import TrainingError
from models.files import written_whole
from models.training.losses import ADVERSARIAL_LOSSES, PERCEPTUAL_LOSS, SHARED_LOSSES
from models.training.saved import export_weights
from models.training.trainer import Trainer
from models.training.validation import SCORES, Validation, Validator, write_sheet


class Table:
    """Rows of numbers with a first column `step`; rows after a step are dropped on a resume.

    A last row that was cut off is dropped too. Raises `TrainingError` when the file cannot be
    read or written.
    """

    def __init__(self, path: Path, columns: Sequence[str], step: int) -> None:
        self._path = path
        self._columns = ("step", *columns)
        try:
            rows = _kept_rows(path, step) if step and path.exists() else []
            with (
                written_whole(path) as temporary,
                temporary.open("w", newline="", encoding="utf-8") as file,
            ):
                writer = csv.DictWriter(file, self._columns, extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise TrainingError(f"{path}: cannot be read and written ({error})") from None

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Append a row; columns without a value stay empty."""
        cells = {name: f"{value:.6g}" for name, value in values.items()}
        try:
            with self._path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, self._columns).writerow({"step": step, **cells})
        except OSError as error:
            raise TrainingError(f"{self._path}: cannot be written ({error})") from None


def _kept_rows(path: Path, step: int) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [
            row
            for row in csv.DictReader(file)
            # A row that was cut off lacks its last cells.
            if None not in row.values()
            and (number := row.get("step", "")).isdigit()
            and int(number) <= step
        ]


Report = Callable[[str], None]
RUNS_NAME = "runs.jsonl"


class Recorder:
    """Tables of losses and scores, sheets, weights, and a line for each run."""

    def __init__(self, trainer: Trainer, validator: Validator, report: Report) -> None:
        self._trainer = trainer
        self._validator = validator
        self._report = report
        self._out = trainer.configuration.out
        names = (*SHARED_LOSSES, PERCEPTUAL_LOSS, *trainer.task.loss_names, *ADVERSARIAL_LOSSES)
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
        self._note_run()

    def _note_run(self) -> None:
        """Add the date, the first step and all options of this run to `runs.jsonl`."""
        trainer = self._trainer
        run = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "first_step": trainer.step,
            "model": trainer.task.name,
            "torch": torch.__version__,
            "device": str(trainer.device),
            "task": trainer.task.metadata(),
            "configuration": trainer.configuration.as_record(),
        }
        path = self._out / RUNS_NAME
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(run) + "\n")
        except OSError as error:
            raise TrainingError(f"{path}: cannot be written ({error})") from None

    def note_losses(self, losses: dict[str, Tensor]) -> None:
        """Take in a step's losses; every `log_steps` write their means."""
        configuration = self._trainer.configuration
        # A discriminator that came in between counts from its first step on.
        if losses.keys() != self._sums.keys():
            self._sums, self._count, self._since = {}, 0, time.monotonic()
        for name, value in losses.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1
        if self._trainer.step % configuration.log_steps == 0:
            self.write_losses()

    def write_losses(self) -> None:
        """Write the means of the steps since the last row, if there were any."""
        if not self._count:
            return
        configuration = self._trainer.configuration
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
        """Score the average network; export its weights, and again where it is the best so far.

        The discriminator makes pictures sharper and hardly better in MS-SSIM. Once it takes part
        fully, the search for the best starts anew, and the blurred ones from before are out.
        """
        trainer = self._trainer
        began = time.monotonic()
        validation = self._validator.validate(trainer.average.module, trainer.device)
        adversarial = trainer.adversarial_share == 1
        if adversarial and not trainer.best_is_adversarial:
            trainer.best, trainer.best_is_adversarial = -math.inf, True
        improved = validation.scores["ms_ssim"] > trainer.best
        names = ["latest", "best"] if improved else ["latest"]
        metadata = {
            **trainer.task.metadata(),
            "step": str(trainer.step),
            **{score: f"{value:.6g}" for score, value in validation.scores.items()},
        }
        for name in names:
            path = self._out / f"{trainer.task.name}-{name}.safetensors"
            export_weights(trainer.average.module, metadata, path)
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
