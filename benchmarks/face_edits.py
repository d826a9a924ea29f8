"""What edits of faces move, and a drawing of them.

    python -m benchmarks.face_edits [CLIP...] [--model NAME] [--key-pictures KIND] [--seconds S]
        [--sheet FILE.png]
    python -m benchmarks.face_edits --drawing FILE.png

Clips are square; without any it is the demo clip. Each is encoded, edited in several ways and
decoded; the table has what was asked for, and by how much pose, lids and lips of the decoded
pictures changed on the mean, as the face tracker measures them. Pictures do not count in which the
head is turned further than training saw, or would be: there an edit is held. `left` is what closed
lids still measure, as a share of what was filmed, where eyes were open as usual; and shut lips,
where they were open at all. `python -m benchmarks.filmed_blinks` prints what filmed ones leave. Of
several clips a table of their means follows. `--sheet` shows decoded pictures of the last clip, a
row for each edit.

With `--drawing` the average face, which is nobody's, is drawn as it is and with each edit.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.command import command_parser
from gfvc import DecodeOptions, EncodeOptions, FaceEdit, edit, encode
from gfvc.decoded_units import find_model
from gfvc.decoder import decode_pictures
from gfvc.demo_clip import RATE, make_demo_clip
from gfvc.face_edits.course import edited
from gfvc.face_edits.landmark_controls import LandmarkControls
from gfvc.picture_strip import png, write_strip, write_text
from gfvc.stream.reader import read_face_stream
from gfvc.video_reader import read_pictures
from gfvc.video_writer import write_video
from models import default_registry
from models.contract import FloatArray, Picture
from models.landmarks import points as groups
from models.landmarks.face_space import shipped_face_space
from models.landmarks.plausibility import MeshJudge
from models.landmarks.ranges import FACING
from models.landmarks.tracking import FaceTracker
from models.landmarks.values import UNITS, RestFace
from models.metrics.openings import openings

EDITS: dict[str, FaceEdit] = {
    "yaw 10": FaceEdit(yaw=10),
    "pitch 6": FaceEdit(pitch=6),
    "roll 10": FaceEdit(roll=10),
    "open 0.1": FaceEdit(open=0.1),
    "mouth 0": FaceEdit(mouth=0),
    "eyes 0.7": FaceEdit(eyes=0.7),
    "blink 0.5": FaceEdit(blink=0.5),
    "blink 1": FaceEdit(blink=1),
    "smile 1": FaceEdit(smile=1),
    "smile -1": FaceEdit(smile=-1),
}
EVERY = 5  # pictures, of which one is measured
SHOWN = 6
OPEN_LIPS = 0.02  # eye distances, from which on lips are open

_LIDS, _LIPS = 3, 4
_SIDE, _IN_A_ROW = 240, 4
_STRAIGHT = np.array([0, 0, 0, 0.5, 0.52, np.log(0.21), *[0.0] * 8]) / UNITS
_CLOSED = (
    groups.FACE_OVAL,
    groups.LIPS_OUTER,
    groups.LIPS_INNER,
    groups.RIGHT_EYE,
    groups.LEFT_EYE,
)
_BROWS = (groups.RIGHT_BROW[:5], groups.LEFT_BROW[:5])
_NOSE = ((168, 6, 197, 195, 5, 4), (98, 97, 2, 326, 327))


@dataclass(frozen=True, slots=True)
class Row:
    """An edit of a clip, and the mean changes of yaw, pitch, roll, lids and lips.

    They are of a share of the pictures that were looked at. `left` is what closed lids or shut lips
    measure, as a share of what was filmed; NaN for other edits.
    """

    name: str
    change: FloatArray
    pictures: float
    left: float = np.nan


def measured(pictures: Sequence[Picture]) -> FloatArray:
    """Yaw, pitch and roll in degrees, lids and lips in eye distances: [pictures, 5]."""
    judge = MeshJudge(shipped_face_space())
    rows = []
    with FaceTracker() as tracker:
        for picture in pictures:
            landmarks = tracker.look(picture)
            if landmarks is None:
                rows.append([np.nan] * 5)
                continue
            mesh, opened = judge.measure(landmarks), openings(landmarks)
            rows.append([-mesh.yaw, mesh.pitch, -mesh.roll, opened.lids, opened.lips])
    return np.array(rows)


def _decoded(path: Path) -> list[Picture]:
    """Every so many pictures of a stream."""
    stream = read_face_stream(path, lambda text: None)
    model = find_model(path, stream, default_registry()).load(DecodeOptions().runtime)
    return list(islice(decode_pictures(path, stream, model), 0, None, EVERY))


def edit_clip(
    source: Path, options: EncodeOptions, folder: Path
) -> tuple[list[Row], dict[str, list[Picture]]]:
    """Changes by each edit, and the decoded pictures."""
    stream, output = folder / "clip.266", folder / "edited.266"
    encode(source, stream, options, force=True)
    pictures = {"as filmed": _decoded(stream)}
    before = measured(pictures["as filmed"])
    facing = _facing(before)
    rows = [Row("as filmed", before[facing].mean(axis=0), float(facing.mean()))]
    for name, asked in EDITS.items():
        edit(stream, output, asked, force=True)
        pictures[name] = _decoded(output)
        after = measured(pictures[name])
        counts = facing & _facing(before, asked.yaw or 0, asked.pitch or 0)
        counts &= np.isfinite(after[:, 0])
        change = (after - before)[counts].mean(axis=0) if counts.any() else np.full(5, np.nan)
        left = _left(asked, before[counts], after[counts])
        rows.append(Row(name, change, float(counts.mean()), left))
    return rows, pictures


def _facing(rows: FloatArray, yaw: float = 0, pitch: float = 0) -> npt.NDArray[np.bool_]:
    """The pictures [n] in which a head is turned no further than training saw, turned by so much.

    `rows` [n, 5] are what is measured; none of those without a face.
    """
    facing: npt.NDArray[np.bool_] = (np.abs(rows[:, :2] + (yaw, pitch)) <= FACING).all(axis=1)
    return facing


def _left(asked: FaceEdit, before: FloatArray, after: FloatArray) -> float:
    """What is left of an opening that an edit closes; NaN where it closes none."""
    if asked.blink == 1:
        opened, closed = before[:, _LIDS], after[:, _LIDS]
        usual = opened >= np.median(opened) / 2
    elif asked.mouth == 0:
        opened, closed = before[:, _LIPS], after[:, _LIPS]
        usual = opened >= OPEN_LIPS
    else:
        return np.nan
    return float(closed[usual].mean() / opened[usual].mean()) if usual.any() else np.nan


def _known_mean(rows: Sequence[FloatArray]) -> FloatArray:
    """The mean of rows that are known; NaN if none is."""
    known = [row for row in rows if not np.isnan(row).any()]
    mean: FloatArray = np.mean(known, axis=0) if known else np.full_like(rows[0], np.nan)
    return mean


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| edit | pictures | yaw | pitch | roll | lids | lips | left |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for row in rows:
        angles = " | ".join(f"{number:.1f}" for number in row.change[:3])
        openings_changed = f"{row.change[_LIDS]:.3f} | {row.change[_LIPS]:.3f}"
        left = "" if np.isnan(row.left) else f"{row.left:.2f}"
        yield f"| {row.name} | {row.pictures:.0%} | {angles} | {openings_changed} | {left} |"


def drawing() -> Picture:
    """The average face as it is, then with each edit, in rows of four."""
    space = shipped_face_space()
    controls = LandmarkControls(space, _STRAIGHT, space.mean)
    face = RestFace(space.mean, space.mean)
    tiles = [_drawn("as filmed", face.landmarks(space, _STRAIGHT * UNITS))]
    for name, asked in EDITS.items():
        row = edited(_STRAIGHT[None], np.zeros(1), [asked], controls, np.zeros(6)).rows[0]
        tiles.append(_drawn(name, face.landmarks(space, row * UNITS)))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % _IN_A_ROW)
    starts = range(0, len(tiles), _IN_A_ROW)
    rows = [np.concatenate(tiles[start : start + _IN_A_ROW], axis=1) for start in starts]
    return np.concatenate(rows)


def _drawn(name: str, landmarks: FloatArray) -> Picture:
    tile = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
    points = np.rint(landmarks[:, :2] * _SIDE * 16).astype(np.int32)
    lines = [(line, True) for line in _CLOSED] + [(line, False) for line in _BROWS + _NOSE]
    for line, closed in lines:
        cv2.polylines(tile, [points[list(line)]], closed, (60, 60, 60), 1, cv2.LINE_AA, 4)
    write_text(tile, name, (8, _SIDE - 8))
    return tile


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; see the module's docstring."""
    parser = command_parser("face_edits", __doc__)
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP")
    parser.add_argument("--model", default="face")
    parser.add_argument("--key-pictures", default="auto", choices=("auto", "fixed"))
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--drawing", type=Path)
    options = parser.parse_args(arguments)
    if options.drawing is not None:
        options.drawing.write_bytes(png(drawing()))
        return
    tables: list[list[Row]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for clip in options.clips or [None]:
            source = folder / "clip.mkv"
            pictures = (
                make_demo_clip(options.seconds) if clip is None else read_pictures(clip, RATE)
            )
            write_video(source, islice(pictures, round(options.seconds * RATE)), RATE)
            coding = EncodeOptions(
                model=options.model, crop="none", key_pictures=options.key_pictures
            )
            rows, shown = edit_clip(source, coding, folder)
            sys.stdout.write(f"{'the demo clip' if clip is None else clip.name}\n")
            sys.stdout.write("\n".join(_table(rows)) + "\n")
            sys.stdout.flush()
            tables.append(rows)
    if len(tables) > 1:
        means = [
            Row(
                each[0].name,
                _known_mean([row.change for row in each]),
                float(np.mean([row.pictures for row in each])),
                float(_known_mean([np.array(row.left) for row in each])),
            )
            for each in zip(*tables, strict=True)
        ]
        sys.stdout.write(f"mean of {len(tables)} clips\n")
        sys.stdout.write("\n".join(_table(means)) + "\n")
    if options.sheet is not None:
        chosen = np.linspace(0, len(shown["as filmed"]) - 1, SHOWN).astype(int)
        write_strip(
            options.sheet, {key: [each[at] for at in chosen] for key, each in shown.items()}
        )


if __name__ == "__main__":
    main()
