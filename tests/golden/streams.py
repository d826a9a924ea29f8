"""Small streams of the demo head as they were written once, and what is read from them.

The streams themselves are kept, because another version of a base encoder or of a tracker writes
others: what was written must still be read. Most are without marks, as streams were before these.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from gfvc import EncodeOptions, FaceEdit, decode, edit, encode
from gfvc.cli.main import main
from gfvc.demo_clip import RATE, make_demo_clip
from gfvc.driven_parameters import parameters_of_pictures
from gfvc.stream.names import model_uri
from gfvc.stream.reader import read_face_stream
from gfvc.transcoding import transcode
from gfvc.video_writer import write_video
from models import FaceParameters, default_registry
from models.contract import Picture
from tests.gfvc.support import two_heads
from tests.golden.files import STREAMS

_AWAY = 6


@dataclass(frozen=True)
class Recipe:
    """How a stream was made of the demo head: encoded, or from another golden.

    `away` puts pictures without a face into the middle of the clip; `two_heads` are whole
    pictures of two people; with `swings` the camera goes to one side and back again. There are so
    many `pictures` of the head.
    """

    options: dict[str, Any] = field(default_factory=dict)
    size: int = 64
    away: bool = False
    two_heads: bool = False
    swings: bool = False
    pictures: int = 12
    transcoded_from: str | None = None
    layout: str = "same"
    precision: int | None = None
    edited_from: str | None = None
    edit: FaceEdit | None = None


_SEQUENCE = {"key_pictures": "auto", "coded_interval": 0.16}
_ANY_ORDER = {"key_pictures": "auto", "coded_interval": 0.08, "reorder": True, "symbol_price": 1e-3}
_FULL = {"symbol_rate": "full"}
_USUAL: dict[str, Any] = {"key_pictures": "fixed", "no_marking": True}
_MARKED = {"no_marking": False}

RECIPES: dict[str, Recipe] = {
    "vvc_face.266": Recipe({"model": "face"}),
    "vvc_face_full.266": Recipe({"model": "face", **_FULL}),
    "vvc_mesh.266": Recipe({"model": "mesh"}, size=72),
    "vvc_mesh_low_delay.266": Recipe({"model": "mesh", "low_delay": True}),
    "vvc_mesh_interval.266": Recipe({"model": "mesh", "symbol_rate": Fraction(25, 3)}),
    "vvc_mesh_pool.266": Recipe({"model": "mesh", "key_interval": 4, "reference_pool": 3}),
    "vvc_face_fallback.266": Recipe({"model": "face"}, away=True),
    "vvc_face_fallback.mp4": Recipe({"model": "face", "codec": "vvc"}, away=True),
    "hevc_face.265": Recipe({"model": "face"}, size=96),
    "hevc_face_features.265": Recipe({"model": "face", "features": 3}),
    "hevc_mesh_low_delay.265": Recipe({"model": "mesh", "low_delay": True}),
    "hevc_mesh_full_keys.265": Recipe({"model": "mesh", "key_interval": 5, **_FULL}),
    "hevc_fallback_always.265": Recipe({"fallback": "always", "key_interval": 7}),
    "hevc_mesh_fallback.265": Recipe({"model": "mesh"}, away=True),
    "hevc_mesh_keys.mp4": Recipe({"model": "mesh", "codec": "hevc", "key_interval": 5}),
    "hevc_mesh_keypoints.265": Recipe(
        transcoded_from="hevc_mesh_full_keys.265", layout="keypoints"
    ),
    "vvc_mesh_sequence.266": Recipe({"model": "mesh", **_SEQUENCE}),
    "vvc_face_sequence.mp4": Recipe({"model": "face", "codec": "vvc", **_SEQUENCE}, away=True),
    "hevc_mesh_sequence.265": Recipe(
        {"model": "mesh", "key_interval": 7, "symbol_price": 0.001, **_SEQUENCE}
    ),
    "vvc_mesh_two.266": Recipe(
        {"model": "mesh", "key_pictures": "auto", "coded_interval": 0.24}, size=224, two_heads=True
    ),
    "vvc_mesh_grids.266": Recipe(
        {"model": "mesh", "key_pictures": "auto", "coded_interval": 0.24}, size=128, swings=True
    ),
    "vvc_mesh_many_grids.266": Recipe(
        {"model": "mesh", "key_pictures": "auto", "coded_interval": 1.32},
        size=128,
        swings=True,
        pictures=34,
    ),
    "vvc_mesh_coarse.266": Recipe(transcoded_from="vvc_mesh.266", precision=5),
    "vvc_mesh_marked.266": Recipe({"model": "mesh", **_SEQUENCE, **_MARKED}, away=True),
    "hevc_mesh_marked.265": Recipe({"model": "mesh", "key_interval": 5, **_MARKED}),
    # Ordinary video of all streams above was coded in output order when they were made; of these it
    # is reordered.
    "vvc_mesh_reordered.mp4": Recipe({"model": "mesh", "codec": "vvc"}, away=True),
    "hevc_reordered.265": Recipe({"fallback": "always", "key_interval": 7}),
    # Coded pictures are hidden: all that show a face, and one in the middle.
    "vvc_mesh_edited.266": Recipe(
        edited_from="vvc_mesh_marked.266", edit=FaceEdit(roll=5, shift=(0.02, 0), zoom=1.1)
    ),
    # Coded pictures that others are drawn from are reordered.
    "vvc_mesh_any_order.266": Recipe(
        {"model": "mesh", **_ANY_ORDER, **_MARKED}, size=128, swings=True
    ),
    "hevc_mesh_any_order.265": Recipe({"model": "mesh", **_ANY_ORDER}, size=128, swings=True),
    "vvc_mesh_any_order_edited.266": Recipe(
        edited_from="vvc_mesh_any_order.266",
        edit=FaceEdit(roll=-8, start=0.12, end=0.3, soft=0.04),
    ),
    "hevc_mesh_edited.265": Recipe(
        edited_from="hevc_mesh_sequence.265",
        edit=FaceEdit(roll=-8, smile=1, start=0.12, end=0.26, soft=0.04),
    ),
}


def names() -> list[str]:
    """Names of all files of the goldens of streams."""
    return [name + suffix for name in RECIPES for suffix in ("", ".jsonl", ".txt")]


def write_stream(name: str) -> None:
    """Make the stream of a recipe anew, with what is installed."""
    recipe, path = RECIPES[name], STREAMS / name
    if recipe.transcoded_from is not None:
        source = STREAMS / recipe.transcoded_from
        transcode(source, path, recipe.layout, precision=recipe.precision, force=True)
        return
    if recipe.edited_from is not None:
        assert recipe.edit is not None
        edit(STREAMS / recipe.edited_from, path, recipe.edit, force=True)
        return
    with tempfile.TemporaryDirectory() as folder:
        clip = write_video(Path(folder, "clip.mkv"), source_pictures(recipe), RATE)
        view: dict[str, Any] = {} if recipe.two_heads else {"crop": "none"}
        options = EncodeOptions(size=recipe.size, **(_USUAL | view | recipe.options))
        encode(clip, path, options, force=True)


def source_pictures(recipe: Recipe) -> list[Picture]:
    """The pictures that a stream was coded from."""
    pictures = list(make_demo_clip(float(recipe.pictures / RATE), recipe.size))
    if recipe.two_heads:
        return two_heads(pictures)
    if recipe.swings:
        return [
            np.roll(picture, round(6 * np.sin(np.pi * number / 6)), axis=1)
            for number, picture in enumerate(pictures)
        ]
    if not recipe.away:
        return pictures
    slope = np.arange(recipe.size, dtype=np.uint8)
    away = np.stack([np.add.outer(slope, k * slope) % 200 for k in (1, 2, 3)], axis=2)
    middle = recipe.pictures // 2
    return [*pictures[:middle], *[away.astype(np.uint8)] * _AWAY, *pictures[middle:]]


def inspected(path: Path) -> str:
    """What `inspect --json` prints of a stream."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert main(["inspect", str(path), "--json"]) == 0
    return printed.getvalue()


def told(path: Path) -> str:
    """What a decoder makes of a stream, as far as that is the same on every machine.

    The picture count and size, and the face parameters of each driven picture, which are integers
    or interpolated from them.
    """
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        summary = decode(path, Path(folder, "decoded.mkv"), notes=notes.append).to_json()
    del summary["seconds"]
    lines = [*(f"{name} {value}" for name, value in summary.items())]
    lines += [f"note {note.replace(str(path), 'STREAM')}" for note in notes]
    return "\n".join([*lines, *_parameters(path)]) + "\n"


def _parameters(path: Path) -> Iterator[str]:
    stream = read_face_stream(path, lambda _: None)
    picture = 0
    for unit in stream.units:
        if not unit.messages:
            yield f"{picture} as coded"
            yield from (f"{picture + place} between" for place in range(1, unit.pictures))
            picture += unit.pictures
            continue
        assert stream.model_uri is not None
        card = default_registry().find_uri(model_uri(stream.model_uri)).card
        backs = [back for start, end, back in unit.reference_spans for _ in range(start, end)]
        parameters = parameters_of_pictures(unit, card.layout, path, repack=stream.is_repacked)
        for place, (back, face) in enumerate(zip(backs, parameters, strict=True)):
            kind = "driven" if place else "key"
            yield f"{picture} {kind} back {back}: {' '.join(_numbers(face))}"
            picture += 1


def _numbers(face: FaceParameters) -> Iterator[str]:
    parts: Sequence[Any] = [] if face.keypoints is None else [face.keypoints]
    for values in [*parts, *(values for _, values in face.matrices)]:
        yield from (f"{value:.9g}" for value in values.ravel())
