"""CSV in the layout of Live Link Face, and the rules of its face shapes."""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import gfvc
from gfvc.demo_clip import RATE, _blink, _speech
from gfvc.exporting.arkit import MEASURE_NAMES, MEASURES, RULED, SHAPES, blendshapes, measures
from gfvc.exporting.live_link import timecode
from models.contract import FloatArray
from models.landmarks import points as groups
from models.landmarks.face_space import FaceSpace, shipped_face_space
from models.published.cards import fv2v
from tests.conftest import REPOSITORY
from tests.gfvc.exporting.conftest import write_stream
from tests.gfvc.support import CommandLine, no_notes

HEADER = (
    "Timecode,BlendShapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,"
    "EyeLookUpLeft,EyeSquintLeft,EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,"
    "EyeLookOutRight,EyeLookUpRight,EyeSquintRight,EyeWideRight,JawForward,JawRight,JawLeft,"
    "JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,MouthSmileLeft,"
    "MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,"
    "MouthStretchLeft,MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,"
    "MouthShrugUpper,MouthPressLeft,MouthPressRight,MouthLowerDownLeft,MouthLowerDownRight,"
    "MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,BrowOuterUpLeft,"
    "BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,"
    "RightEyePitch,RightEyeRoll"
)


@pytest.fixture(scope="module")
def space() -> FaceSpace:
    return shipped_face_space()


def read(path: Path) -> tuple[list[str], dict[str, FloatArray]]:
    """Time codes and the other columns of a file."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    codes = [row.pop("Timecode") for row in rows]
    return codes, {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def columns(hevc_stream: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, FloatArray]:
    path = tmp_path_factory.mktemp("csv") / "demo.csv"
    gfvc.export(hevc_stream, path, notes=no_notes)
    assert path.read_text().splitlines()[0] == HEADER
    codes, found = read(path)
    assert codes[:2] == ["00:00:00:00.000", "00:00:00:01.000"]
    assert codes[-1] == "00:00:01:04.000"
    return found


def test_what_the_demo_does_is_told(columns: dict[str, FloatArray]) -> None:
    times = [float(picture / RATE) for picture in range(30)]
    blinks, speech = np.array([(_blink(time), _speech(time)) for time in times]).T
    for side in ("Left", "Right"):
        shut = columns[f"EyeBlink{side}"]
        assert shut[blinks > 0.9].min() > 0.35
        assert shut[:20].max() < 0.25
    assert np.corrcoef(columns["JawOpen"], speech)[0, 1] > 0.9
    # The demo turns towards the person's right, by 0.2 radians in a quarter of 4.3 seconds.
    yaw = columns["HeadYaw"]
    assert yaw[0] - yaw[27] == pytest.approx(0.2, rel=0.25)
    assert (columns["BlendShapeCount"] == 61).all()


def test_shapes_without_a_rule_are_0(columns: dict[str, FloatArray]) -> None:
    for name in set(SHAPES) - RULED:
        assert not columns[name].any(), name
    for name in RULED:
        assert columns[name].min() >= 0
        assert columns[name].max() <= 1
    assert not any(columns[f"{eye}EyeYaw"].any() for eye in ("Left", "Right"))


def test_the_page_tells_the_rule_of_each_shape() -> None:
    page = (REPOSITORY / "docs/export.md").read_text(encoding="utf-8")
    table = page.split("## Face shapes")[1].split("\n## ")[0]
    told = {
        f"{shape}{side}"
        for name in re.findall(r"`(\w+(?: L/R)?)`", table)
        for shape, _, both in [name.partition(" ")]
        for side in (("Left", "Right") if both else ("",))
    }
    assert told & set(SHAPES) == RULED


def test_the_summary_lists_what_is_0(
    hevc_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    outcome = command("export", hevc_stream, tmp_path / "out.csv")
    assert outcome.status == 0
    assert "CheekPuff" in outcome.err
    assert "JawOpen" not in outcome.err


def opened(shape: FloatArray, lower: list[int], by: float) -> FloatArray:
    moved = shape.copy()
    moved[lower, 1] += by
    return moved


def test_lengths_do_not_change_with_size(space: FaceSpace) -> None:
    own = measures(space.mean)
    assert len(own) == MEASURES
    assert measures(3 * space.mean) == pytest.approx(own)
    by_name = dict(zip(MEASURE_NAMES, own, strict=True))
    # The average face is its own mirror image.
    assert by_name["left lids"] == pytest.approx(by_name["right lids"], rel=1e-4)
    assert by_name["mouth side"] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("moved", "by", "names"),
    [
        ([291], (0.1, 0), {"MouthSmileLeft"}),
        ([61], (-0.1, 0), {"MouthSmileRight"}),
        ([*groups.LIPS_OUTER], (0.1, 0), {"MouthLeft", "MouthSmileLeft"}),
        ([336, 285], (0, -0.1), {"BrowInnerUp"}),
        ([285, 336], (0, 0.1), {"BrowDownLeft"}),
        ([300, 293], (0, -0.1), {"BrowOuterUpLeft"}),
        ([386, 385, 387], (0, 0.12), {"EyeBlinkLeft"}),
        ([159, 158, 160], (0, -0.1), {"EyeWideRight"}),
        ([14, 87, 317], (0, 0.2), {"JawOpen"}),
    ],
)
def test_a_rule_answers_to_its_points_alone(
    space: FaceSpace, moved: list[int], by: tuple[float, float], names: set[str]
) -> None:
    shape = space.mean.copy()
    shape[moved, :2] += by
    # The face is at rest in most pictures.
    rows = np.stack([measures(space.mean)] * 4 + [measures(shape)])
    found = blendshapes(rows)
    assert {name for name, values in found.items() if values[4] > values[0] + 0.05} == names


def test_a_pursed_mouth_is_a_funnel_when_it_is_open(space: FaceSpace) -> None:
    narrow = space.mean.copy()
    narrow[[291, 61], 0] *= 0.6
    wide_open = narrow.copy()
    wide_open[[14, 87, 317], 1] += 0.4
    narrow[[14, 87, 317], 1] = narrow[[13, 82, 312], 1]
    found = blendshapes(np.stack([measures(s) for s in (*[space.mean] * 3, narrow, wide_open)]))
    assert found["MouthPucker"][3] > 0.8
    assert found["MouthFunnel"][3] < 0.2
    assert found["MouthFunnel"][4] == 1
    assert found["MouthPucker"][4] == 0


def test_eyes_that_stay_shut_are_no_reason_to_fail(space: FaceSpace) -> None:
    shut = space.mean.copy()
    for upper, lower in ((386, 374), (385, 380), (387, 373)):
        shut[upper] = shut[lower]
    found = blendshapes(np.stack([measures(shut)] * 3))
    assert found["EyeBlinkLeft"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("picture", "rate", "code"),
    [
        (0, Fraction(25), "00:00:00:00.000"),
        (24, Fraction(25), "00:00:00:24.000"),
        (25 * 3671 + 7, Fraction(25), "01:01:11:07.000"),
        (30, Fraction(30000, 1001), "00:00:01:00.030"),
        (3, Fraction(1), "00:00:03:00.000"),
    ],
)
def test_time_codes(picture: int, rate: Fraction, code: str) -> None:
    assert timecode(picture, rate) == code
    _, _, seconds, frames = code.split(":")
    assert int(seconds) % 60 + float(frames) / round(rate) == pytest.approx(
        float(picture / rate) % 60, abs=1e-3
    )


def test_pictures_without_message_lie_on_a_straight_line(sequence: Path, tmp_path: Path) -> None:
    options = gfvc.ExportOptions(messages_only=True)
    gfvc.export(sequence, tmp_path / "alone.csv", options)
    gfvc.export(sequence, tmp_path / "values.npz", options)
    known = np.flatnonzero(np.isfinite(np.load(tmp_path / "values.npz")["values"][:, 0]))
    _, found = read(tmp_path / "alone.csv")
    jaw = found["JawOpen"]
    straight = np.interp(np.arange(len(jaw)), known, jaw[known])
    assert jaw == pytest.approx(straight, abs=1e-6)


def test_a_model_of_pose_alone_has_angles_and_no_shapes(tmp_path: Path) -> None:
    card = fv2v()[0]
    rows = np.zeros((2, card.layout.size))
    # A quarter of a turn about y, which quantisation spoils a little.
    rows[:, :9] = np.eye(3).ravel(), [0.25, 0, -0.96875, 0, 1, 0, 0.96875, 0, 0.25]
    path = write_stream(tmp_path / "made.266", card, rows)
    summary = gfvc.export(path, tmp_path / "out.csv", notes=no_notes)
    assert summary.shapes == ()
    assert summary.without_rule == SHAPES
    _, found = read(tmp_path / "out.csv")
    assert found["HeadYaw"] == pytest.approx([0, np.arctan2(0.96875, 0.25)], abs=1e-5)
    assert not any(found[name].any() for name in SHAPES)
