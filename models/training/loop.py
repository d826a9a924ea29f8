"""The training loop, which stops between two steps, where a state can be saved."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from models.training.pairs import PairSource, to_device
from models.training.recorder import Recorder, Report
from models.training.saved import STATE_NAME
from models.training.trainer import Trainer
from models.training.validation import Validation, Validator


@contextmanager
def deferred_interrupts() -> Iterator[Callable[[], bool]]:
    """While the block runs, note Ctrl-C and termination; then let them have their usual effect.

    Yields a function that tells whether one has come. A second one is not held back. Outside of the
    main thread, which alone gets signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        restore()

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: bool(came)
    finally:
        restore()
    if came:
        signal.raise_signal(came[0])


Progress = Callable[[float, str], None]
"""Gets the share 0..1 of the work that is done, and what is being done."""


def no_progress(share: float, doing: str) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What came of a training: steps done, pairs a second of this run, the last validation."""

    steps: int
    pairs_per_second: float
    validation: Validation


def run_loop(
    trainer: Trainer,
    source: PairSource,
    validator: Validator,
    report: Report,
    progress: Progress = no_progress,
) -> TrainingResult:
    """Train until the budget is used up; leave state, weights, tables and sheets in `out`.

    Ctrl-C and termination end the step that runs, leave a state, and then have their usual effect.
    """
    configuration = trainer.configuration
    state = configuration.out / STATE_NAME
    recorder = Recorder(trainer, validator, report)
    first, clock = trainer.step, _Clock(trainer)
    validated, saved = trainer.elapsed, trainer.elapsed
    with deferred_interrupts() as interrupted:
        with source.batches(trainer.step, configuration.workers) as batches:
            while trainer.progress < 1 and not interrupted():
                losses = trainer.take_step(to_device(next(batches), trainer.device))
                clock.tick()
                recorder.note_losses(losses)
                progress(trainer.progress, f"step {trainer.step}")
                validate = trainer.elapsed - validated >= configuration.validation_minutes * 60
                if validate and trainer.progress < 1:
                    recorder.validate()
                    clock.tick()
                    validated = trainer.elapsed
                # After a validation too, so that a state never knows less than the weights show.
                if validate or trainer.elapsed - saved >= configuration.checkpoint_minutes * 60:
                    trainer.save(state)
                    clock.tick()
                    saved = trainer.elapsed
        recorder.write_losses()
        trainer.save(state)
        if interrupted():
            report(f"stopped after step {trainer.step}; --resume goes on from there")
    speed = (trainer.step - first) * configuration.batch / max(clock.total, 1e-9)
    validation = recorder.validate()
    trainer.save(state)
    return TrainingResult(trainer.step, speed, validation)


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
