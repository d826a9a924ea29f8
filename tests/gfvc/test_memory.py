"""What a clip took is given back when it is done, without waiting for Python to look for cycles.

Python looks for cycles when many small objects were made. Pictures and networks are few and large:
programs that work on clip after clip grew by 30 to 135 MB a clip while they were parts of cycles.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gfvc import EncodeOptions, FaceEdit, decode, edit, encode
from gfvc.demo_clip import RATE
from gfvc.video_writer import write_video
from models.contract import Picture

LARGE = {"av", "onnxruntime", "torch", "models", "gfvc"}
"""Packages whose objects are pictures and networks, or keep them."""


@contextmanager
def garbage() -> Iterator[list[Any]]:
    """What is left to the search for cycles by what is done meanwhile; a list, full at the end."""
    left: list[Any] = []
    gc.collect()
    gc.disable()
    try:
        yield left
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left += gc.garbage
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def kinds_left_by(work: Callable[[], object]) -> set[str]:
    work()  # what is made once a process, such as tables
    with garbage() as left:
        work()
    kinds = [type(one) for one in left]
    left.clear()
    return {f"{kind.__module__}.{kind.__name__}" for kind in kinds if _is_large(kind)}


def _is_large(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in LARGE


def test_cycles_are_found() -> None:
    """The test itself finds what is kept by a cycle."""

    def tie() -> None:
        knot: list[object] = [EncodeOptions()]
        knot.append(knot)

    assert "gfvc.options.encoding.EncodeOptions" in kinds_left_by(tie)


@pytest.mark.program
@pytest.mark.parametrize(
    "options",
    [
        EncodeOptions(key_interval=3),
        EncodeOptions(key_interval=3, model="mesh", view="face"),
        EncodeOptions(low_delay=True, model="face-1"),
        EncodeOptions(fallback="always"),
    ],
    ids=["pairs", "mesh", "low-delay", "ordinary"],
)
def test_clips(tmp_path: Path, demo_pictures: list[Picture], options: EncodeOptions) -> None:
    clip = write_video(tmp_path / "clip.mkv", demo_pictures[:6], RATE)
    stream, decoded = tmp_path / "out.266", tmp_path / "out.mkv"
    assert kinds_left_by(lambda: encode(clip, stream, options, force=True)) == set()
    assert kinds_left_by(lambda: decode(stream, decoded, force=True)) == set()
    if options.fallback != "always":
        turned, edits = tmp_path / "edited.266", FaceEdit(yaw=5)
        assert kinds_left_by(lambda: edit(stream, turned, edits, force=True)) == set()
