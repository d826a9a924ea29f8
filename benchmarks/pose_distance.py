"""Quality against the angle between the driven head and that of the key picture.

    python -m benchmarks.pose_distance CLIP... [--model NAME] [--every N] [--plot FILE.png]

Each square clip is coded once, with one key picture at its start. Pictures of all clips are sorted
by the angle in degrees by which the head is turned against the key picture; a bin counts every
clip that has pictures in it the same.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.coded_clip import code_clip
from benchmarks.command import command_parser
from gfvc.figures import drawing
from gfvc.metrics import ClipMeasure
from models import default_registry

BINS = (0.0, 3.0, 6.0, 9.0, 12.0, 16.0, 20.0, 25.0, 30.0, 90.0)
MEASURES = ("face_ssim", "mouth_ssim", "ms_ssim", "landmark_error", "sharpness")
LONGEST_INTERVAL = "100000"

Samples = dict[int, dict[str, list[float]]]


def measure_clip(path: Path, name: str, every: int) -> Samples:
    """Scores of a clip's pictures by bin and measure."""
    model = default_registry().find(name).load()
    samples: Samples = defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as folder:
        clip = code_clip(
            path, Path(folder, "clip.266"), "--model", name, "--key-interval", LONGEST_INTERVAL
        )
        assert clip.face_stream.rate is not None
        with ClipMeasure(clip.face_stream.rate, vmaf=False) as measure:
            for picture in clip.pictures(model, every):
                scores = measure.add(picture.source, picture.decoded, picture.key)
                place = int(np.searchsorted(BINS, picture.angle, side="right")) - 1
                for kind in MEASURES:
                    value = getattr(scores, kind)
                    if value is not None:
                        samples[place][kind].append(value)
    return samples


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("pose_distance", __doc__, clips=True)
    parser.add_argument("--model", default="face", metavar="NAME")
    parser.add_argument(
        "--every", type=int, default=5, metavar="N", help="measure every N pictures"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the curves as a picture")
    options = parser.parse_args(arguments)
    clips: list[Samples] = []
    for path in options.clips:
        clips.append(measure_clip(path, options.model, options.every))
        sys.stderr.write(f"{path.stem}\n")
    rows: list[tuple[str, int, int, list[float]]] = []
    for place, (low, high) in enumerate(itertools.pairwise(BINS)):
        inside = [clip[place] for clip in clips if place in clip]
        if inside:
            means = [
                float(np.mean([np.mean(clip[kind]) for clip in inside if kind in clip]))
                for kind in MEASURES
            ]
            count = sum(len(clip["ms_ssim"]) for clip in inside)
            rows.append((f"{low:g} to {high:g}", len(inside), count, means))
    print("degrees\tclips\tpictures\t" + "\t".join(MEASURES))
    for title, number, count, means in rows:
        cells = "\t".join(f"{mean:.4f}" for mean in means)
        print(f"{title}\t{number}\t{count}\t{cells}")
    if options.plot:
        _plot(rows, options.plot)


def _plot(rows: Sequence[tuple[str, int, int, list[float]]], path: Path) -> None:
    with drawing() as pyplot:
        figure, axes = pyplot.subplots(1, len(MEASURES), figsize=(3.2 * len(MEASURES), 3))
        for number, (kind, panel) in enumerate(zip(MEASURES, axes, strict=True)):
            panel.plot([row[0] for row in rows], [row[3][number] for row in rows], marker="o")
            panel.set_title(kind.replace("_", " "))
            panel.set_xlabel("head turned by, degrees")
            panel.tick_params(axis="x", rotation=60)
            panel.grid(alpha=0.3)
        figure.tight_layout()
        figure.savefig(path, dpi=110)
        pyplot.close(figure)


if __name__ == "__main__":
    main()
