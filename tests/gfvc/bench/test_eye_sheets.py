"""Sheets for the eye: which moments are shown, within which rate, and how they are laid out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import eye_sheets
from benchmarks.eye_sheets import Row, choose_moments, differences, draw_sheet, row_of_peer
from gfvc.bench.source_video import SourceVideo
from gfvc.demo_clip import RATE
from gfvc.video_writer import write_video
from models.contract import FloatArray, Picture
from models.landmarks.tracking import FaceTracker
from tests.gfvc.support import mean_difference


def test_moments_of_the_greatest_change_in_order_of_time() -> None:
    changes = {
        "lids": [0.0, 0.1, 0.2, 0.9, 0.8, 0.1, 0.1, 0.1],
        "lips": [0.0, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0, 0.5],
        "pose": [9.0, 1.0, 1.0, 1.0, 1.0, 5.0, 1.0, 1.0],
    }
    moments = choose_moments(changes, 4, 2)
    assert [(moment.number, moment.reason) for moment in moments] == [
        (0, "first"), (3, "lids"), (5, "pose"), (7, "lips"),
    ]  # fmt: skip
    assert [moment.number for moment in choose_moments(changes, 2, 2)] == [0, 3]
    assert [moment.number for moment in choose_moments(changes, 99, 3)] == [0, 3, 7]
    assert len(choose_moments({"lids": [0.0]}, 5, 1)) == 1


def test_what_moves_is_what_differs(demo_pictures: list[Picture]) -> None:
    with FaceTracker() as tracker:
        found = tracker.look(demo_pictures[0])
    assert found is not None
    closed, open_mouth, turned = found.copy(), found.copy(), _turned(found, 20.0)
    closed[[160, 159, 158, 387, 386, 385]] = closed[[144, 145, 153, 373, 374, 380]]
    open_mouth[[87, 14, 317], 1] += 0.05
    changes = differences([None, found, closed, open_mouth, turned, None])
    assert {kind: int(np.argmax(values)) for kind, values in changes.items()} == {
        "lids": 2, "lips": 3, "pose": 4,
    }  # fmt: skip
    assert changes["pose"][4] == pytest.approx(20, abs=0.01)
    assert all(values[number] == 0 for values in changes.values() for number in (0, 5))


def _turned(landmarks: FloatArray, degrees: float) -> FloatArray:
    rotation = cv2.Rodrigues(np.array([0.0, np.radians(degrees), 0.0]))[0]
    turned: FloatArray = (landmarks - landmarks.mean(axis=0)) @ rotation.T + 0.5
    return turned


def test_rows_stand_below_their_columns() -> None:
    pictures = [np.full((64, 64, 3), level, np.uint8) for level in (10, 20)]
    rows = [Row(("source",), pictures), Row(("gfvc 2 kbit/s", "cannot be reached"), None)]
    sheet = draw_sheet("clip \N{GREEK SMALL LETTER ALPHA}", ["first", "0.4 s"], rows, 64)
    top, left = sheet.shape[0] - 128, sheet.shape[1] - 128
    assert (sheet[top : top + 64, left : left + 64] == 10).all()
    assert (sheet[top : top + 64, left + 64 :] == 20).all()
    assert len(np.unique(sheet[top + 64 :, left:])) == 1
    labels = sheet[top + 64 :, :left]
    assert (labels < 100).any()
    assert (sheet[:top, left:] < 100).any()


@pytest.fixture
def reference(tmp_path: Path, demo_pictures: list[Picture]) -> SourceVideo:
    small = [np.asarray(cv2.resize(p, (64, 64)), np.uint8) for p in demo_pictures[:6]]
    return SourceVideo(write_video(tmp_path / "source.mkv", small, RATE), RATE, 6, (64, 64))


@pytest.mark.program
def test_the_peer_is_the_finest_within_the_rate(reference: SourceVideo) -> None:
    row = row_of_peer(reference, 60.0, [0, 5])
    title, rate, *_ = row.label
    assert title == "VVenC 60 kbit/s"
    assert 40 < float(rate.split()[1]) <= 60
    assert row.pictures is not None
    sources = list(reference.read())
    for number, picture in zip((0, 5), row.pictures, strict=True):
        assert mean_difference(picture, sources[number]) < 15
    assert row_of_peer(reference, 0.1, [0, 5]).pictures is None


@pytest.mark.program
def test_a_sheet_of_a_short_clip(
    tmp_path: Path, short_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rates far from those of a talking head of half a second: one is reached, one is not."""
    monkeypatch.setattr(eye_sheets, "PEER_SIZES", (4,))
    arguments = ["--rates", "0.2,30", "--peer-rate", "60", "--size", "128", "--columns", "2"]
    arguments += ["--model", "mesh", "--out", str(tmp_path)]
    assert eye_sheets.main([str(short_clip), *arguments]) == 0
    (path,) = tmp_path.glob("*.png")
    sheet = np.asarray(cv2.imread(str(path)), np.uint8)
    rows = [sheet[-128 * (4 - number) :][:128, -256:] for number in range(4)]
    source, none, ours, peer = rows
    assert len(np.unique(none)) == 1
    assert mean_difference(ours, source) < 30
    assert mean_difference(peer, source) < 30


def test_what_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "none.mp4"
    with pytest.raises(SystemExit, match=r"none\.mp4: no such file"):
        eye_sheets.main([str(missing), "--out", str(tmp_path / "out")])
    missing.write_bytes(b"nothing")
    assert eye_sheets.main([str(missing), "--out", str(tmp_path / "out")]) == 1
    assert "none.mp4" in capsys.readouterr().err
