"""The animated head in three.js's GLTFLoader, drawn by headless Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import gfvc
from benchmarks import gltf_viewer
from benchmarks.gltf_viewer import Viewer
from models.contract import Picture
from tests.gfvc.conftest import CodeClip, CodedClip
from tests.gfvc.support import decode_all, mean_difference, no_notes

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.program

pytest.importorskip("pygltflib", reason="pygltflib is not installed; it comes with gfvc[avatar]")

# Pictures within which a slow head hardly moves.
NEARBY = 3
# Levels on the mean by which it may miss where a head turned there and back: one shape, the key
# picture's, stands for the faces of all coded pictures.
LITTLE = 2.5


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    reason = gltf_viewer.missing()
    if reason is not None:
        pytest.skip(reason)
    with gltf_viewer.browser() as started:
        yield started


@pytest.fixture(scope="module")
def coded(code_demo: CodeClip) -> CodedClip:
    return code_demo("ffmpeg-libx265")


@pytest.fixture
def viewer(
    browser: Browser, coded: CodedClip, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Viewer]:
    options = gfvc.ExportOptions(texture=getattr(request, "param", True))
    gfvc.export(coded.path, tmp_path / "head.glb", options, notes=no_notes)
    opened = Viewer(browser, tmp_path / "head.glb")
    yield opened
    opened.close()
    assert opened.complaints == []


def agree(viewer: Viewer, shown: list[Picture]) -> None:
    """The head moves as a decoder's pictures do."""
    for picture in (0, 9, 20, 28):
        drawn = viewer.show(picture / 25)
        face = drawn[..., 3] == 255
        assert 0.1 < face.mean() < 0.3
        apart = [mean_difference(drawn[face][:, :3], decoded[face]) for decoded in shown]
        assert apart[picture] < 10
        # It moves as the decoded face does: pictures of other times differ more.
        near = abs(int(np.argmin(apart)) - picture) <= NEARBY
        assert near or apart[picture] - min(apart) < LITTLE
        assert max(apart) > 2 * apart[picture]


def test_its_pictures_are_those_of_the_decoder(viewer: Viewer, coded: CodedClip) -> None:
    agree(viewer, coded.decoded)


@pytest.mark.parametrize("asked", [None, gfvc.FaceEdit(yaw=-6, open=0.04)])
def test_so_are_those_of_a_sequence_and_of_an_edited_one(
    browser: Browser, sequence: Path, tmp_path: Path, asked: gfvc.FaceEdit | None
) -> None:
    stream = sequence
    if asked is not None:
        stream = tmp_path / "edited.265"
        gfvc.edit(sequence, stream, asked, notes=no_notes)
    options = gfvc.ExportOptions(texture=True)
    gfvc.export(stream, tmp_path / "head.glb", options, notes=no_notes)
    viewer = Viewer(browser, tmp_path / "head.glb")
    agree(viewer, decode_all(stream))
    viewer.close()
    assert viewer.complaints == []


def test_it_is_read_as_it_was_meant(viewer: Viewer) -> None:
    assert viewer.tells("file.animations[0].duration") == pytest.approx(29 / 25)
    assert viewer.tells("file.scene.children.map((node) => node.name)") == ["head", "camera"]
    names = viewer.tells("Object.keys(file.scene.children[0].morphTargetDictionary)")
    assert names == [f"expression_{number}" for number in range(1, 9)]


@pytest.mark.parametrize("viewer", [False], indirect=True)
def test_a_head_of_clay_moves_too(viewer: Viewer) -> None:
    first, second = (viewer.show(time) for time in (0, 0.8))
    # A mouth is dark, eyes are bright; grey is all else.
    face = first[first[..., 3] == 255][:, :3]
    dark, median, bright = np.percentile(face.mean(axis=1), [0.5, 50, 99.5])
    assert dark < 0.5 * median
    assert bright > 1.1 * median
    assert (first[..., 3] != second[..., 3]).sum() > 100
