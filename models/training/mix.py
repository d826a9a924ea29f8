"""Weights between those of two moments of one training.

    python -m models.training.mix FIRST SECOND --share X --out FILE

Each weight is (1 − X) times that of FIRST and X times that of SECOND. Networks of one training lie
in one valley of the loss, where such a mean is as good as either (Izmailov et al., "Averaging
weights leads to wider optima and better generalization", 2018); between the weights before and
after the adversarial part it chooses how much of it to keep.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from models.errors import CheckpointError, TrainingError
from models.files import read_weights
from models.training.saved import write_weights


def mix(first: Path, second: Path, share: float, out: Path) -> None:
    """Write the weights `share` (0..1) of the way from `first` to `second`, as float16.

    The file takes over what SECOND says of itself.

    Raises:
        TrainingError: a file is missing or damaged, they are of different networks, `out` exists
            or cannot be written, or the share is not 0..1.
    """
    if not 0 <= share <= 1:
        raise TrainingError(f"share {share} is not 0 to 1")
    if out.exists():
        raise TrainingError(f"{out}: exists already; name another file")
    try:
        (before, _), (after, metadata) = read_weights(first), read_weights(second)
    except CheckpointError as error:
        raise TrainingError(str(error)) from None
    shapes = [{name: value.shape for name, value in part.items()} for part in (before, after)]
    if shapes[0] != shapes[1]:
        raise TrainingError(f"{second}: weights of another network than those of {first}")
    mixed = {}
    for name, value in after.items():
        if value.is_floating_point():
            mean = torch.lerp(before[name].float(), value.float(), share)
            mixed[name] = mean.to(value.dtype)
        else:
            mixed[name] = value
    write_weights(mixed, metadata, out)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.mix",
        description="Write weights between those of two moments of one training.",
    )
    parser.add_argument("first", type=Path, metavar="FIRST", help="exported weights")
    parser.add_argument("second", type=Path, metavar="SECOND", help="later ones")
    parser.add_argument(
        "--share", type=float, default=0.5, metavar="X", help="of SECOND, 0..1 (default: 0.5)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write")
    options = parser.parse_args(arguments)
    try:
        mix(options.first, options.second, options.share, options.out)
    except TrainingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
