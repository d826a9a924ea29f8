"""A small run of `gfvc bench` made by hand: pictures of the demo clip, scores made up."""

from __future__ import annotations

import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gfvc.bench.plan import Plan
from gfvc.bench.results import ClipResult, assemble
from gfvc.face_square import FaceSquare
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.bench.points import point

# Slow, so that thirty pictures play for three seconds.
RATE = Fraction(10)
PICTURES = 30
WORST_PICTURE = 17
HOSTILE = "<script>alert('&\"')</script>"

POINTS = [
    ("gfvc mesh", 2.0, 24.0),
    ("gfvc mesh", 5.0, 25.0),
    ("vvenc", 5.2, 27.0),
    ("vvenc", 12.0, 33.0),
    ("vvenc half size", 3.9, 22.0),
]


SQUARE = FaceSquare(80, 0, 96)
"""Where the face is in whole pictures of 256x112."""


@pytest.fixture(scope="session")
def bench_run(tmp_path_factory: pytest.TempPathFactory, demo_pictures: list[Picture]) -> Path:
    """The folder of a finished run of one clip; its name would be a script if not escaped."""
    folder = tmp_path_factory.mktemp("report") / "bench"
    small = [np.asarray(cv2.resize(picture, (96, 96)), np.uint8) for picture in demo_pictures]
    return _run_of(folder, small, Plan(size=96), None)


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory, demo_pictures: list[Picture]) -> Path:
    """The same of whole pictures, in which the face is a part."""
    wholes = []
    for picture in demo_pictures:
        whole = np.full((112, 256, 3), (30, 90, 160), np.uint8)
        whole[SQUARE.window] = cv2.resize(picture, (96, 96))
        wholes.append(whole)
    folder = tmp_path_factory.mktemp("report") / "whole"
    return _run_of(folder, wholes, Plan(view="whole"), SQUARE)


def _run_of(folder: Path, small: list[Picture], plan: Plan, square: FaceSquare | None) -> Path:
    (folder / "points").mkdir(parents=True)
    height, width = small[0].shape[:2]
    write_video(folder / "source.mp4", small, RATE)
    points = []
    for number, (curve, kbps, psnr) in enumerate(POINTS):
        decoded = [np.asarray(cv2.blur(p, (2 * number + 1,) * 2), np.uint8) for p in small]
        path = f"points/{number}.mp4"
        write_video(folder / path, decoded, RATE)
        points.append(_measured(point("one-1", curve, kbps, psnr, landmark_error=0.1 / kbps), path))
    clip = {
        "id": "one-1",
        "name": HOSTILE,
        "pictures": PICTURES,
        "fps": float(RATE),
        "width": width,
        "height": height,
        "face_square": None if square is None else asdict(square),
        "source": "source.mp4",
    }
    failure = {"clip": "two", "curve": "vvenc", "label": "QP 1", "reason": f"no {HOSTILE}"}
    results = assemble(plan, [ClipResult(clip, points, [failure])])
    (folder / "bench.json").write_text(json.dumps(results))
    return folder


def _measured(made_up: dict[str, Any], video: str) -> dict[str, Any]:
    errors: list[float | None] = [0.01 + 0.001 * number for number in range(PICTURES)]
    errors[WORST_PICTURE], errors[0] = 1.0, None
    coded, sent = (
        [4920, *[0] * (PICTURES - 1)],
        [80, *[80 + number for number in range(PICTURES - 1)]],
    )
    parts = {"base layer": coded, "SEI": sent} if made_up["codec"] == "gfvc" else {}
    return {
        **made_up,
        "picture_scores": {"landmark_error": errors, "face_ssim": [0.8] * PICTURES},
        "picture_bits": [sum(bits) for bits in zip(coded, sent, strict=True)],
        "picture_bits_of": parts,
        "files": {"stream": "points/none.266", "decoded": video},
    }


@pytest.fixture
def results(bench_run: Path) -> dict[str, Any]:
    """What bench.json of `bench_run` holds, to be changed."""
    loaded = json.loads((bench_run / "bench.json").read_text())
    assert isinstance(loaded, dict)
    return loaded
