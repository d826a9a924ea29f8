"""How often a change of the person is missed, and how often one is seen that is none.

    python -m benchmarks.face_changes CLIP... [--pairs N] [--pictures N] [--seed N]
    python -m benchmarks.face_changes CLIP... --meshes

Clips, of square pictures, show a person each, and no two the same. Pictures are planned as for an
encoding with the default options, key pictures taken as they are in the source. First each clip is
planned alone, as it is and in light that becomes warmer: every key picture but the first, and all
ordinary video, are false alarms. Then pairs
of clips are joined, by a hard cut and by cross-fades: a picture is of the wrong person when what
drives it, or stands still in it, is mostly the other's face. `mixed keys` are key pictures within a
fade in which both have a quarter or more.

With `--meshes` pictures are turned, and covered in part, and it is counted how often landmarks are
found, how many of those are right, and how many of both are taken for a face.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from benchmarks.command import command_parser
from gfvc.base_layer import BaseLayerCoder, CodedSequence, SequenceQps
from gfvc.cli.console import print_table
from gfvc.colour import to_picture420
from gfvc.encoding.decisions import Decision, Driven, Key, Ordinary, PlanSettings
from gfvc.encoding.face_watch import FaceWatch
from gfvc.encoding.measured_facts import MeasuredFacts
from gfvc.encoding.planner import PicturePlanner
from gfvc.scaling import reduced
from gfvc.telling import Share, unheard
from gfvc.video_reader import read_pictures
from models import Analyser, AnimationModel, default_registry
from models.contract import FloatArray, Picture
from models.landmarks.face_space import shipped_face_space
from models.landmarks.plausibility import MeshJudge
from models.landmarks.points import LEFT_EYE_OUTER_CORNER, RIGHT_EYE_OUTER_CORNER
from models.landmarks.tracking import FaceTracker, landmark_box
from models.post_filter import ToldQps

RATE = Fraction(25)
JOINS = {"hard cut": 0, "fade of 0.4 s": 10, "fade of 1 s": 25, "fade of 2 s": 50}
# Pictures of a pair before the join, and after it.
BEFORE, AFTER = 30, 40
# By more than this share of the face a picture and what drives it are different people's.
WRONG = 0.5
MIXED = 0.25
# Red, green and blue in linear light when it has become warmer, and from which picture to which.
WARM, WARMING = np.array([1.2, 1.0, 0.75]), (30, 90)
SIDE = 256


class _Uncoded(BaseLayerCoder):
    """Key pictures as they are: what a base codec takes away is not measured here."""

    def code(
        self,
        pictures: Iterable[Picture],
        qps: SequenceQps,
        *,
        reordered: bool = False,
        tell: Share = unheard,
    ) -> CodedSequence:
        return CodedSequence(b"-", [to_picture420(picture) for picture in pictures], ToldQps(0, 0))


@dataclass
class Row:
    """What was planned for clips of a kind; `wrong` pictures are driven by another person's."""

    kind: str
    clips: int = 0
    touched: int = 0
    """Clips with a wrong picture, or, of clips alone, with a false alarm."""
    pictures: int = 0
    wrong: int = 0
    longest: int = 0
    keys: int = 0
    mixed_keys: int = 0
    ordinary: int = 0


def plan(pictures: Sequence[Picture], model: AnimationModel, analyser: Analyser) -> list[Decision]:
    """What becomes of pictures."""
    analyser.rewind()
    base = _Uncoded("vvc", RATE)
    facts = MeasuredFacts(model, analyser, base, SequenceQps(32), RATE, FaceWatch(RATE))
    planner = PicturePlanner(PlanSettings(RATE), facts)
    decisions = []
    for number, picture in enumerate(pictures):
        facts.add(number, picture)
        decisions += planner.take(number)
        facts.keep(planner.held, planner.shown)
    return decisions + planner.finish()


def warmed(pictures: Sequence[Picture]) -> list[Picture]:
    """Pictures in light that becomes warmer, as white balance that settles does it."""
    start, end = WARMING
    result = []
    for number, picture in enumerate(pictures):
        gains = WARM ** np.clip((number - start) / (end - start), 0.0, 1.0)
        linear = np.clip((picture / 255.0) ** 2.2 * gains, 0.0, 1.0)
        result.append(np.asarray(255 * linear ** (1 / 2.2) + 0.5, np.uint8))
    return result


def join(
    one: Sequence[Picture], other: Sequence[Picture], fade: int
) -> tuple[list[Picture], FloatArray]:
    """One clip and then another, over a fade of so many pictures; the share of the other's face."""
    count = BEFORE + fade + AFTER
    # The first clip runs on under the fade, the second begins with it.
    shares = np.clip((np.arange(count) - BEFORE + 1) / (fade + 1), 0.0, 1.0)
    joined = []
    for number, share in enumerate(shares):
        first = one[min(number, len(one) - 1)]
        second = other[min(max(number - BEFORE, 0), len(other) - 1)]
        joined.append(cv2.addWeighted(first, 1 - share, second, share, 0).astype(np.uint8))
    return joined, shares


def count(row: Row, decisions: Sequence[Decision], shares: FloatArray) -> None:
    """Add what was decided about a clip in which pictures have so much of another's face."""
    wrong = [
        decision.picture
        for decision in decisions
        if not isinstance(decision, Key | Ordinary)
        and abs(shares[decision.picture] - shares[decision.key]) > WRONG
    ]
    keys = [decision.picture for decision in decisions if isinstance(decision, Key)]
    ordinary = sum(isinstance(decision, Ordinary) for decision in decisions)
    alone = not shares.any()
    row.clips += 1
    row.pictures += len(decisions)
    row.touched += bool(wrong) or (alone and (len(keys) > 1 or ordinary > 0))
    row.wrong += len(wrong)
    row.longest = max(row.longest, len(wrong))
    row.keys += len(keys)
    row.mixed_keys += sum(MIXED <= shares[key] <= 1 - MIXED for key in keys)
    row.ordinary += ordinary


def measure_changes(
    clips: dict[str, list[Picture]], pairs: int, seed: int, *, tell: Callable[[str], None]
) -> list[Row]:
    """Rows of the clips alone and of pairs of them."""
    model = default_registry().find("mesh").load()
    alone, warmer = Row("clips alone"), Row("in warmer light")
    rows = {kind: Row(kind) for kind in JOINS}
    random = np.random.default_rng(seed)
    with model.open_analyser() as analyser:
        for name, pictures in clips.items():
            before = alone.touched
            decisions = plan(pictures, model, analyser)
            count(alone, decisions, np.zeros(len(pictures)))
            if alone.touched > before:
                tell(f"{name}: {story(decisions)}")
            before = warmer.touched
            decisions = plan(warmed(pictures), model, analyser)
            count(warmer, decisions, np.zeros(len(pictures)))
            if warmer.touched > before:
                tell(f"{name} in warmer light: {story(decisions)}")
        for _ in range(pairs if len(clips) > 1 else 0):
            one, other = random.choice(list(clips), 2, replace=False)
            for kind, fade in JOINS.items():
                pictures, shares = join(clips[one], clips[other], fade)
                decisions, before = plan(pictures, model, analyser), rows[kind].wrong
                count(rows[kind], decisions, shares)
                if rows[kind].wrong > before:
                    tell(f"{kind}, {one} to {other}: {story(decisions)}")
    return [alone, warmer, *rows.values()]


def story(decisions: Sequence[Decision]) -> str:
    """A letter for each picture: K key, . driven, s standing still, o ordinary video."""
    letters: dict[type, str] = {Key: "K", Driven: ".", Ordinary: "o"}
    shown = {decision.picture: letters.get(type(decision), "s") for decision in decisions}
    return "".join(letter for _, letter in sorted(shown.items()))


# --- Meshes -----------------------------------------------------------------------------------

TURNS = (0, 30, 45, 60, 75, 90, -90, 120, 150, 180)
# Rows and columns of the face that are covered, as shares of its height and width.
PARTS = {
    "lower half": ((0.5, 1.0), (0.0, 1.0)),
    "one side": ((0.0, 1.0), (0.0, 0.5)),
    "eyes": ((0.15, 0.5), (0.0, 1.0)),
    "all but the brow": ((0.25, 1.0), (0.0, 1.0)),
}
# Landmarks that lie this share of the eyes' distance from where they should be are wrong.
OFF = 0.15


@dataclass
class MeshRow:
    """Pictures of a kind: whether landmarks were found, right, and taken for a face."""

    kind: str
    pictures: int = 0
    found: int = 0
    right: int = 0
    right_kept: int = 0
    wrong_kept: int = 0


def _turned(picture: Picture, landmarks: FloatArray, degrees: int) -> tuple[Picture, FloatArray]:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    turned = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    points = landmarks[:, :2] * (width, height) @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(turned, np.uint8), points / (width, height)


def _covered(picture: Picture, landmarks: FloatArray, part: str) -> tuple[Picture, FloatArray]:
    """A hand's colour over a part of the face."""
    height, width = picture.shape[:2]
    box = landmark_box(landmarks, width, height)
    left, top, across, down = box.left, box.top, box.width, box.height
    rows, columns = PARTS[part]
    y = [max(0, round(top + share * down)) for share in rows]
    x = [max(0, round(left + share * across)) for share in columns]
    covered = picture.copy()
    covered[y[0] : y[1], x[0] : x[1]] = (190, 140, 120)
    return covered, landmarks[:, :2]


def measure_meshes(clips: dict[str, list[Picture]]) -> list[MeshRow]:
    """Rows of pictures turned and covered; one in twenty-five of each clip."""
    judge = MeshJudge(shipped_face_space())
    ways: dict[str, Callable[[Picture, FloatArray], tuple[Picture, FloatArray]]] = {}
    for degrees in TURNS:
        ways[f"turned by {degrees}"] = partial(_turned, degrees=degrees)
    for part in PARTS:
        ways[f"covered: {part}"] = partial(_covered, part=part)
    rows = {kind: MeshRow(kind) for kind in ways}
    with FaceTracker() as tracker:
        for picture in (p for pictures in clips.values() for p in pictures[::25]):
            upright = tracker.look(picture)
            if upright is None:
                continue
            for kind, way in ways.items():
                changed, expected = way(picture, upright)
                _judge(rows[kind], judge, tracker.look(changed), expected)
    return list(rows.values())


def _judge(row: MeshRow, judge: MeshJudge, found: FloatArray | None, expected: FloatArray) -> None:
    row.pictures += 1
    if found is None:
        return
    eyes = np.linalg.norm(expected[LEFT_EYE_OUTER_CORNER] - expected[RIGHT_EYE_OUTER_CORNER])
    off = np.linalg.norm(found[:, :2] - expected, axis=1).mean() / eyes
    kept = judge.is_face(found)
    row.found += 1
    row.right += bool(off <= OFF)
    row.right_kept += kept and bool(off <= OFF)
    row.wrong_kept += kept and bool(off > OFF)


# --- The command ------------------------------------------------------------------------------


def read_clips(paths: Sequence[Path], pictures: int) -> Iterator[tuple[str, list[Picture]]]:
    """The first pictures of each clip, by its name; smaller where they are large."""
    for path in paths:
        yield path.stem, [reduced(p, SIDE) for p in islice(read_pictures(path, RATE), pictures)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("face_changes", __doc__, clips=True, raw=True)
    parser.add_argument("--pairs", type=int, default=20, metavar="N", help="pairs of clips (20)")
    parser.add_argument("--pictures", type=int, default=125, metavar="N", help="of each clip (125)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the choice of pairs")
    parser.add_argument("--meshes", action="store_true", help="measure landmarks instead")
    options = parser.parse_args(arguments)
    clips = dict(read_clips(options.clips, options.pictures))
    if options.meshes:
        _print_table("landmarks", measure_meshes(clips))
        return
    tell = partial(print, file=sys.stderr)
    rows = measure_changes(clips, options.pairs, options.seed, tell=tell)
    _print_table("changes of the face", rows)


def _print_table(title: str, rows: Sequence[Row] | Sequence[MeshRow]) -> None:
    columns = (name.replace("_", " ") for name in vars(rows[0]))
    print_table(title, columns, (vars(row).values() for row in rows), width=120)


if __name__ == "__main__":
    main()
