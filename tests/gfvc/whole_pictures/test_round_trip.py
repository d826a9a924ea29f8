"""Whole pictures through encoder and decoder: a face beside other things, as a user films it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, encode
from gfvc.demo_clip import RATE
from gfvc.face_square import FaceSquare
from gfvc.scaling import scale
from gfvc.stream.reader import read_face_stream
from gfvc.verification.findings import Severity
from gfvc.verification.verifier import verify_stream
from gfvc.video_writer import write_video
from models.contract import Picture
from models.metrics.similarity import psnr
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    decode_all,
    nal_units,
    no_notes,
    of_network,
    stating,
    write_units,
)
from tests.gfvc.whole_pictures.conftest import HEIGHT, PLACE, SIDE, WIDTH

SCENES = 30


@pytest.fixture(scope="session")
def scene_clip(tmp_path_factory: pytest.TempPathFactory, scenes: list[Picture]) -> Path:
    return write_video(tmp_path_factory.mktemp("scene") / "scene.mkv", scenes, RATE)


@pytest.fixture(scope="session")
def scene_stream(tmp_path_factory: pytest.TempPathFactory, scene_clip: Path) -> Path:
    """The scene as a VVC stream, face drawn by `mesh`."""
    path = tmp_path_factory.mktemp("scene") / "scene.266"
    summary = encode(scene_clip, path, EncodeOptions(view="whole", model="mesh"))
    assert (summary.width, summary.height) == (WIDTH, HEIGHT)
    assert summary.tally.coded_pictures < summary.frames == SCENES
    return path


@pytest.fixture(scope="session")
def decoded_scene(scene_stream: Path) -> list[Picture]:
    decoded = decode_all(scene_stream)
    assert len(decoded) == SCENES
    return decoded


def quality(decoded: Sequence[Picture], sources: Sequence[Picture]) -> float:
    """Mean PSNR in dB."""
    return float(np.mean([psnr(a, b) for a, b in zip(sources, decoded, strict=True)]))


def test_all_of_the_picture_comes_back(decoded_scene: list[Picture], scenes: list[Picture]) -> None:
    decoded = decoded_scene
    assert decoded[0].shape == (HEIGHT, WIDTH, 3)
    assert quality(decoded, scenes) > 26
    # The face moves as in the source, and so does what is beside it.
    frozen = [decoded[0]] * len(scenes)
    for part in (PLACE.window, (slice(0, HEIGHT), slice(0, 80))):
        moving, still = (
            quality([p[part] for p in pictures], [p[part] for p in scenes])
            for pictures in (decoded, frozen)
        )
        assert moving > still + 2


def test_the_square_is_around_the_face(scene_stream: Path) -> None:
    stream = read_face_stream(scene_stream, no_notes)
    [square] = {unit.face_square for unit in stream.units}
    assert square is not None
    assert square.fits(WIDTH, HEIGHT)
    middle = square.left + square.side / 2
    assert abs(middle - (PLACE.left + SIDE / 2)) < 24
    assert 100 < square.side <= HEIGHT


def test_beside_the_square_nothing_is_drawn(decoded_scene: list[Picture]) -> None:
    """What stands still there is as in the coded pictures."""
    wall = (slice(0, HEIGHT), slice(300, WIDTH))
    steps = [
        np.abs(a[wall].astype(int) - b[wall].astype(int)).max() for a, b in pairwise(decoded_scene)
    ]
    assert max(steps) <= 24
    assert np.mean(steps) < 8


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".265", EncodeOptions(model="mesh", key_pictures="fixed", key_interval=10)),
        (".266", EncodeOptions(model="mesh", low_delay=True)),
        (".265", EncodeOptions(model="mesh", reference_pool=2, key_interval=10)),
        (".mp4", EncodeOptions(view="whole", model="mesh", size=128, codec="hevc")),
        (".266", EncodeOptions(view="whole", size=(200, 200))),
        (".265", EncodeOptions(fallback="always")),
    ],
    ids=["key pictures", "low delay", "pool", "mp4", "face", "ordinary video"],
)
def test_with_all_kinds_of_options(
    suffix: str, options: EncodeOptions, scene_clip: Path, scenes: list[Picture], tmp_path: Path
) -> None:
    short = write_video(tmp_path / "short.mkv", scenes[:14], RATE)
    out = tmp_path / f"out{suffix}"
    summary = encode(short, out, replace(options, view="whole"))
    decoded = decode_all(out, lambda note: None)
    assert len(decoded) == 14
    size = summary.width, summary.height
    wanted: dict[object, tuple[int, int]] = {128: (214, 128), (200, 200): (200, 120)}
    assert size == wanted.get(options.size, (WIDTH, HEIGHT))
    smaller = [scale(scene, size) for scene in scenes[:14]]
    assert quality(decoded, smaller) > 26


def test_pictures_several_times_as_wide_as_high(scenes: list[Picture], tmp_path: Path) -> None:
    pictures = [np.pad(scene, ((0, 0), (320, 320), (0, 0)), mode="edge") for scene in scenes[:6]]
    source = write_video(tmp_path / "wide.mkv", pictures, RATE)
    out = tmp_path / "out.265"
    assert encode(source, out, EncodeOptions(view="whole", model="mesh")).tally.key_pictures == 1
    assert [picture.shape for picture in decode_all(out)] == [(192, 960, 3)] * 6


def test_a_square_outside_of_the_picture_is_refused(
    scene_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    square = FaceSquare(200, 60, 150)
    units = [stating(unit, face_square=square) for unit in nal_units(scene_stream)]
    wrong = write_units(tmp_path / "wrong.266", units)
    out = tmp_path / "out.mkv"
    says = "face square, 150x150 at 200, 60, lies outside of its pictures of 320x192"
    assert_refused(command, "decode", wrong, out, folder=tmp_path, says=says)
    found = [finding.text for finding in verify_stream(wrong)]
    assert "150x150 at 200, 60, lies outside of the pictures of 320x192" in found
    assert not [found for found in verify_stream(scene_stream) if found.check == "face square"]


@pytest.mark.parametrize("model", ["mesh", "face"])
@pytest.mark.parametrize("loses_all", [False, True], ids=["its square", "all user data"])
def test_whole_pictures_that_lost_their_square_are_refused(
    model: str, loses_all: bool, scene_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    """Else the face would be taken to fill them. Whose model it is does not matter."""
    units = [stating(unit, face_square=None) for unit in nal_units(scene_stream)]
    if loses_all:
        units = [unit for unit in units if unit.is_suffix_sei or not unit.is_sei]
    if model == "face":
        units = [of_network(unit, "gfvc:face:2") for unit in units]
    wrong = write_units(tmp_path / "wrong.266", units)
    says = "coded pictures of 320x192 drive a face, and no user data of gfvc say in which square"
    for verb, name in (("decode", "out.mkv"), ("export", "out.csv")):
        outcome = command(verb, wrong, tmp_path / name)
        assert outcome.status == 1
        line = outcome.err.splitlines()[-1]
        assert line.startswith(f"gfvc {verb}: {wrong}: {says}")
        assert "gfvc inject" in line
        assert not (tmp_path / name).exists()
    [found] = [finding for finding in verify_stream(wrong) if finding.check == "face square"]
    assert found.severity is Severity.WARNING
    assert says in found.text
    assert found.place.picture == 0


def test_ordinary_video_wants_no_square(scenes: list[Picture], tmp_path: Path) -> None:
    clip = write_video(tmp_path / "short.mkv", scenes[:3], RATE)
    encode(clip, tmp_path / "plain.266", EncodeOptions(view="whole", fallback="always"))
    units = [stating(unit, face_square=None) for unit in nal_units(tmp_path / "plain.266")]
    path = write_units(tmp_path / "plain.266", units)
    assert not [found for found in verify_stream(path) if found.check == "face square"]
    assert len(decode_all(path, lambda note: None)) == 3


def test_inspect_shows_the_square(scene_stream: Path, command: CommandLine) -> None:
    shown = command("inspect", scene_stream, "--json").out
    for name in ("face_square_left", "face_square_top", "face_square_side"):
        assert f'"{name}"' in shown
