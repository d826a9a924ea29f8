"""How far lids are open in pictures drawn from two references: in the source, as asked, as drawn.

    python -m benchmarks.drawn_lids CLIP... [--models face-1 face] [--step N] [--pictures N]
        [--further SHARE]

Clips are coded and drawn as by `benchmarks.reference_pairs`. Of the pictures between coded ones,
those count as closed whose lids are open by less than 0.6 of the clip's median, the others as open,
of which every fourth is drawn. Openings are those of docs/measures.md, mean of both eyes: of the
source, of the landmarks that the stream asks for, and of what is drawn. SSIM is of luma around the
eyes. All are means over the pictures of all clips. `--further` draws with another
`models.landmarks.lids.FURTHER`, which was chosen so.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from benchmarks.command import command_parser
from benchmarks.reference_pairs import RATE, code, intervals
from gfvc.video_reader import read_pictures
from models import AnimationModel, default_registry
from models.contract import FloatArray, Picture
from models.landmarks import lids
from models.landmarks import points as groups
from models.landmarks.tracking import FaceTracker
from models.metrics.openings import lid_error, openings
from models.metrics.similarity import ssim_map

CLOSED = 0.6
OPEN_ONES = 4  # of which one is drawn
_EYES = (groups.RIGHT_EYE, groups.LEFT_EYE)
_COLUMNS = ("source", "asked", "drawn", "lid error", "SSIM of eyes")


def _eyes_ssim(source: Picture, drawn: Picture, landmarks: FloatArray) -> float:
    """Mean over both eyes of SSIM in a box half as wide again as the eye, and as high as that."""
    size = np.array(source.shape[1::-1])
    similarity = ssim_map(source, drawn)
    means = []
    for eye in _EYES:
        points = landmarks[list(eye), :2] * size
        reach = float(np.ptp(points[:, 0])) * np.array((0.75, 0.5))
        low = np.maximum(points.mean(axis=0) - reach, 0).astype(int)
        high = np.ceil(points.mean(axis=0) + reach).astype(int)
        means.append(similarity[low[1] : high[1], low[0] : high[0]].mean())
    return float(np.mean(means))


def drawn_lids(
    model: AnimationModel, pictures: Sequence[Picture], coded: Sequence[Picture], step: int
) -> Iterator[tuple[bool, FloatArray]]:
    """Of each picture that is drawn whether eyes are closed, and its row of numbers [5]."""
    with FaceTracker() as tracker:
        tracked = [tracker.look(picture) for picture in pictures]
        usual = np.median([openings(each).lids for each in tracked if each is not None])
        for interval in intervals(model, pictures, coded, step):
            for at in interval.pictures:
                source = tracked[at.number]
                if source is None:
                    continue
                closed = bool(openings(source).lids < CLOSED * usual)
                if not closed and at.number % OPEN_ONES:
                    continue
                picture = interval.pair.animate(at.against_earlier, at.position)
                asked = interval.pair.landmarks(at.against_earlier, at.position)
                drawn = tracker.look(picture)
                if asked is None or drawn is None:
                    continue
                found = [openings(each) for each in (source, asked, drawn)]
                error = lid_error(found[0], found[2])
                similarity = _eyes_ssim(pictures[at.number], picture, source)
                yield closed, np.array([*(each.lids for each in found), error, similarity])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; see the module's docstring."""
    parser = command_parser("drawn_lids", __doc__, clips=True)
    parser.add_argument("--models", nargs="+", default=["face-1", "face"], metavar="NAME")
    parser.add_argument("--step", type=int, default=12)
    parser.add_argument("--pictures", type=int, default=97, help="use the first N of each clip")
    parser.add_argument("--further", type=float, default=lids.FURTHER)
    options = parser.parse_args(arguments)
    lids.FURTHER = options.further
    rows: dict[tuple[str, bool], list[FloatArray]] = defaultdict(list)
    models = {name: default_registry().find(name).load() for name in options.models}
    for path in options.clips:
        pictures = list(islice(read_pictures(path, RATE), options.pictures))
        coded, _ = code(pictures[:: options.step], 42, 32)
        for name, model in models.items():
            for closed, row in drawn_lids(model, pictures, coded, options.step):
                rows[name, closed].append(row)
        sys.stderr.write(f"{path.stem}\n")
    print("| model | eyes | pictures | " + " | ".join(_COLUMNS) + " |")
    print("| --- " * (3 + len(_COLUMNS)) + "|")
    for (name, closed), found in sorted(rows.items(), reverse=True):
        cells = [f"{number:.4f}" for number in np.mean(found, axis=0)]
        state = "closed" if closed else "open"
        print(f"| {name} | {state} | {len(found)} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
