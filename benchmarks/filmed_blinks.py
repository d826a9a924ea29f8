"""What a face tracker measures of lids that are closed, and of lips that are shut, in filmed clips.

    python -m benchmarks.filmed_blinks CLIP... [--cache FOLDER]

A tracker hardly ever measures no opening at all. So this is what closed eyes and a shut mouth of an
edit (`benchmarks.face_edits`) are to be compared with. A blink is a time of at most half a second
in which lids are open less than half as far as they are in the middle of the clip. What it leaves
is the least that is measured in it, as a share of that; a camera of 25 pictures a second often
misses the moment in which they touch. Of clips with three blinks or more the blink that leaves
least is told apart. Of lips it is the least of each clip, in distances of the outer eye corners.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.command import command_parser
from models.contract import FloatArray
from models.landmarks.tracking import clip_landmarks
from models.metrics.openings import openings

LONGEST, BLINKS = 12, 3  # pictures; and so many, that one of them is likely to be seen closed

_SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


def opened(landmarks: FloatArray) -> FloatArray:
    """Openings of lids and lips [n, 2] of faces [n, 478, 3], NaN without one."""
    found = np.full((len(landmarks), 2), np.nan)
    for row, each in zip(found, landmarks, strict=True):
        if np.isfinite(each).all():
            opening = openings(each)
            row[:] = opening.lids, opening.lips
    return found


def blinks(lids: FloatArray) -> Iterator[float]:
    """What each blink leaves of the opening of the lids [n]."""
    usual = float(np.nanmedian(lids))
    narrow = np.concatenate([[0], lids < usual / 2, [0]]).astype(int)
    starts, ends = (np.flatnonzero(np.diff(narrow) == step) for step in (1, -1))
    for start, end in zip(starts, ends, strict=True):
        if start > 0 and end < len(lids) and end - start <= LONGEST:
            yield float(lids[start:end].min() / usual)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; see the module's docstring."""
    parser = command_parser("filmed_blinks", __doc__, clips=True)
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args(arguments)
    all_blinks: list[float] = []
    most_closed: list[float] = []
    shut: list[float] = []
    for path in options.clips:
        found = opened(clip_landmarks(path, options.cache))
        if np.isnan(found).all():
            continue
        left = list(blinks(found[:, 0]))
        all_blinks += left
        most_closed += [min(left)] if len(left) >= BLINKS else []
        shut.append(float(np.nanmin(found[:, 1])))
    lines = ["| share of them | " + " | ".join(f"{share:.0%}" for share in _SHARES) + " |"]
    lines.append("| --- " * (1 + len(_SHARES)) + "|")
    for name, numbers, digits in (
        ("left of lids, each blink", all_blinks, 2),
        (f"the most closed of {BLINKS} or more", most_closed, 2),
        ("lips, least of a clip", shut, 3),
    ):
        if numbers:
            quantiles = np.quantile(numbers, _SHARES)
            cells = " | ".join(f"{number:.{digits}f}" for number in quantiles)
            lines.append(f"| {name} ({len(numbers)}) | {cells} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
