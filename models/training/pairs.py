"""Batches of pairs: each a pure function of the seed and the step, so that a resume is exact."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from models.errors import TrainingError
from models.training.augmentation import (
    KeyCoding,
    MirrorOrder,
    Pair,
    augment,
)
from models.training.configuration import TrainingConfiguration
from models.training.footage import Footage
from models.training.task import Batch, TrainingTask, Window

_WINDOW_STEP = 32
_BATCHES_AHEAD = 2


class PairSource:
    """Draws pairs: a person first, so that all count the same, then a clip, then two pictures."""

    def __init__(
        self,
        footage: Sequence[Footage],
        task: TrainingTask,
        configuration: TrainingConfiguration,
        order: MirrorOrder,
        key_coding: KeyCoding,
    ) -> None:
        people: dict[str, list[Footage]] = {}
        for clip in footage:
            if len(clip.usable) > 1:
                people.setdefault(clip.identity, []).append(clip)
        if not people:
            raise TrainingError("no clip to train on shows a face in two pictures")
        self._people = list(people.values())
        self._usable = {id(clip): clip.usable for clips in self._people for clip in clips}
        self._task = task
        self._configuration = configuration
        self._order = order
        self._key_coding = key_coding

    def pair(self, random: np.random.Generator) -> Pair:
        """Draw a pair as it was filmed."""
        clips = self._people[random.integers(len(self._people))]
        clip = clips[random.integers(len(clips))]
        key, driven = random.choice(self._usable[id(clip)], 2, replace=False)
        return make_pair(clip, int(key), int(driven), previous=self._task.codes_differences)

    def batch(self, step: int) -> Batch:
        """The batch of a step, on the CPU."""
        configuration = self._configuration
        random = np.random.default_rng([configuration.seed, step])
        pairs = []
        extras = []
        for _ in range(configuration.batch):
            pair = augment(
                self.pair(random),
                configuration.augmentation,
                self._order,
                self._key_coding,
                random,
            )
            pairs.append(pair)
            extras.append(self._task.prepare(pair, random))
        places = (configuration.size - configuration.window) // _WINDOW_STEP + 1
        x, y = (int(place) * _WINDOW_STEP for place in random.integers(0, places, 2))
        return stack_pairs(pairs, extras, Window(x, y, configuration.window))

    @contextmanager
    def batches(self, first: int, workers: int) -> Iterator[Iterator[Batch]]:
        """An endless iterator over batches from step `first` on, prepared by `workers` threads."""
        pool = ThreadPoolExecutor(workers, thread_name_prefix="pairs")
        ahead: deque[Future[Batch]] = deque()

        def endless() -> Iterator[Batch]:
            step = first
            while True:
                while len(ahead) < workers + _BATCHES_AHEAD:
                    ahead.append(pool.submit(self.batch, step))
                    step += 1
                yield ahead.popleft().result()

        try:
            yield endless()
        finally:
            pool.shutdown(cancel_futures=True)


def make_pair(clip: Footage, key: int, driven: int, *, previous: bool = False) -> Pair:
    """Two pictures of a clip by number, on request with the one before the driven one.

    Where there is none, or no face in it, the driven picture stands for it.
    """
    pair = Pair(
        np.array(clip.pictures[key]),
        np.array(clip.pictures[driven]),
        clip.landmarks[key],
        clip.landmarks[driven],
    )
    if not previous:
        return pair
    before = max(driven - 1, 0)
    if not np.isfinite(clip.landmarks[before, 0, 0]):
        before = driven
    return replace(
        pair,
        previous=np.array(clip.pictures[before]),
        previous_landmarks=clip.landmarks[before],
    )


def stack_pairs(
    pairs: Sequence[Pair],
    extras: Sequence[dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]],
    window: Window | None = None,
) -> Batch:
    """Pairs and what the task prepared for them as one batch on the CPU."""

    def pictures(name: str) -> Tensor:
        stacked = torch.from_numpy(np.stack([getattr(pair, name) for pair in pairs]))
        # A permuted [B, H, W, 3] array is channels_last already.
        return stacked.permute(0, 3, 1, 2).float().div_(255)

    with_previous = pairs[0].previous is not None

    def landmarks(name: str) -> Tensor:
        return torch.from_numpy(np.stack([getattr(pair, name) for pair in pairs]))

    return Batch(
        pictures("key"),
        pictures("driven"),
        landmarks("key_landmarks"),
        landmarks("driven_landmarks"),
        {name: torch.from_numpy(np.stack([e[name] for e in extras])) for name in extras[0]},
        window,
        pictures("previous") if with_previous else None,
    )


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device."""
    if device.type == "cpu":
        return batch

    def move(tensor: Tensor) -> Tensor:
        return tensor.pin_memory().to(device, non_blocking=True)

    return Batch(
        move(batch.key),
        move(batch.driven),
        move(batch.key_landmarks),
        move(batch.driven_landmarks),
        {name: move(tensor) for name, tensor in batch.extras.items()},
        batch.window,
        None if batch.previous is None else move(batch.previous),
    )
