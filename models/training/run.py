"""From a folder of clips to a trained network."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import torch

from models.errors import TrainingError
from models.runtime import torch_device
from models.training.augmentation import KeyCoding, code_key, landmark_mirror
from models.training.configuration import TrainingConfiguration
from models.training.footage import (
    SPLITS,
    Footage,
    TrainingClip,
    fill_cache,
    find_clips,
    load_footage,
    make_folder,
)
from models.training.hevc_coding import has_hevc_encoder
from models.training.loop import Progress, TrainingResult, no_progress, run_loop
from models.training.pairs import PairSource
from models.training.recorder import Report
from models.training.saved import STATE_NAME
from models.training.task import TrainingTask
from models.training.trainer import Trainer
from models.training.validation import Validator

_ALLOCATORS = ("tcmalloc", "jemalloc")


def allocator_hint(device: str) -> str | None:
    """Advise a faster memory allocator where training on a CPU runs without one."""
    maps = Path("/proc/self/maps")
    if device != "cpu" or not sys.platform.startswith("linux") or not maps.exists():
        return None
    loaded = maps.read_text(encoding="utf-8", errors="replace")
    if any(name in loaded for name in _ALLOCATORS):
        return None
    return (
        "hint: training on a CPU is up to twice as fast with LD_PRELOAD=libtcmalloc_minimal.so.4 "
        "(or libjemalloc.so.2); on Debian: apt-get install libtcmalloc-minimal4"
    )


def _silent(text: str) -> None:
    """Say nothing."""


Spread = Callable[[Callable[..., object], Sequence[tuple[object, ...]]], Iterable[object]]
"""Calls a function with each of some tuples of arguments, in processes of their own.

It goes on by one for each call that is done, in whatever order, and raises what a call raises.
"""


def load_all(
    clips: list[TrainingClip],
    configuration: TrainingConfiguration,
    report: Report,
    progress: Progress = no_progress,
    spread: Spread | None = None,
) -> dict[str, list[Footage]]:
    """Footage by split, decoded and tracked where the cache does not have it yet.

    With `spread` that is done for several clips at a time.
    """
    if spread is not None:
        places = configuration.size, configuration.cache_folder.absolute()
        calls = [(replace(clip, path=clip.path.absolute()), *places) for clip in clips]
        for number, _ in enumerate(spread(fill_cache, calls), 1):
            progress(number / len(clips), "tracking faces")
    footage: dict[str, list[Footage]] = {split: [] for split in SPLITS}
    for number, clip in enumerate(clips, 1):
        loaded = load_footage(clip, configuration.size, configuration.cache_folder)
        footage[clip.split].append(loaded)
        missing = len(loaded.pictures) - len(loaded.usable)
        note = f", {missing} without a face" if missing else ""
        report(f"{number}/{len(clips)} {loaded.name}: {len(loaded.pictures)} pictures{note}")
        progress(number / len(clips), "reading clips")
    return footage


def _check_kept(configuration: TrainingConfiguration) -> None:
    """Raise `TrainingError` for an input that the training itself would replace."""
    out = configuration.out
    replaced = [out / STATE_NAME, *out.glob("*.safetensors"), *out.glob("*.csv")]
    for given in (configuration.start_from, configuration.trunk, configuration.index):
        if given is not None and any(_is_same(given, path) for path in replaced):
            raise TrainingError(
                f"{given}: lies among the results in {out}, which are replaced; choose another "
                "folder for them, or copy the file"
            )


def _is_same(first: Path, second: Path) -> bool:
    return first.exists() and second.exists() and first.samefile(second)


def train(
    configuration: TrainingConfiguration,
    task: TrainingTask,
    *,
    resume: bool = False,
    key_coding: KeyCoding = code_key,
    report: Report = _silent,
    progress: Progress = no_progress,
    footage: dict[str, list[Footage]] | None = None,
    spread: Spread | None = None,
) -> TrainingResult:
    """Train a network.

    Args:
        configuration: how the training runs.
        task: the network and how it learns.
        resume: go on from the state in `configuration.out`; refused without one, and a folder
            with one is refused otherwise.
        key_coding: what happens to the share of key pictures that pass for coded; give one
            that calls another encoder to train on its artefacts.
        report: gets lines for people.
        progress: gets how far the reading of clips, then the training has come.
        footage: "train" and "validation" clips in memory, in place of `configuration.data`.
        spread: has several clips decoded and tracked at a time; None: one after the other.

    Raises:
        ModelError: clips, configuration or state cannot be used.
    """
    device = torch_device(configuration.device)
    # The pictures are small: OpenCV's own threads would only get in PyTorch's way.
    cv2.setNumThreads(1)
    if configuration.threads is not None:
        torch.set_num_threads(configuration.threads)
    state = configuration.out / STATE_NAME
    if resume and configuration.start_from is not None:
        raise TrainingError("a training that goes on has its weights: not --weights with --resume")
    if state.exists() and not resume:
        raise TrainingError(f"{state}: a training is there already; go on with --resume")
    _check_kept(configuration)
    task.check_size(configuration.size)
    clips: list[TrainingClip] = []
    if footage is None:
        clips = find_clips(configuration.data, configuration.index, configuration.skip)
    make_folder(configuration.out)
    trainer = Trainer(configuration, task, device)
    if resume:
        trainer.restore(state)
    if hint := allocator_hint(device.type):
        report(hint)
    if key_coding is code_key and not has_hevc_encoder():
        report("note: this PyAV cannot encode HEVC, so the coding of key pictures is imitated")
    if footage is None:
        footage = load_all(clips, configuration, report, progress, spread)
    source = PairSource(footage["train"], task, configuration, landmark_mirror(), key_coding)
    validator = Validator(
        footage["validation"],
        task,
        configuration.validation_pictures,
        configuration.landmark_pictures,
    )
    parameters = sum(parameter.numel() for parameter in trainer.network.parameters())
    pictures = {split: sum(len(clip.usable) for clip in footage[split]) for split in SPLITS}
    report(
        f"{task.name}: {parameters / 1e6:.2f} million parameters, {pictures['train']} pictures to "
        f"train on, {pictures['validation']} to validate, {device}, from step {trainer.step}"
    )
    result = run_loop(trainer, source, validator, report, progress)
    report(f"{result.steps} steps, {result.pairs_per_second:.1f} pairs/s in this run")
    return result
