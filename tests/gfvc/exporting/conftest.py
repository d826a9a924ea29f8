"""Fixtures: streams to export, and streams of models that know no face."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, encode
from gfvc.encoding.face_units import ImmediateUnits
from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.writer import StreamWriter
from models import FaceParameters, ModelCard
from models.contract import FloatArray

# A VVC slice of an IDR picture, as far as anything here looks at it.
CODED = bytes.fromhex("000001 0041 c4")


@pytest.fixture(scope="session")
def sequence(tmp_path_factory: pytest.TempPathFactory, demo_clip: Path) -> Path:
    """The demo clip with predicted coded pictures, between which much goes straight."""
    path = tmp_path_factory.mktemp("sequence") / "demo.265"
    options = EncodeOptions(
        model="mesh", crop="none", key_pictures="auto", coded_interval=0.2, symbol_price=0.5
    )
    encode(demo_clip, path, options)
    return path


def write_stream(path: Path, card: ModelCard, rows: FloatArray) -> Path:
    """A stream of one key picture, with a message for each row [n] of a model's values."""
    whole = StreamInformation(Fraction(25), 256, 256, Rectangle(0, 0, 256, 256))
    with path.open("wb") as file:
        writer = StreamWriter(file, "vvc", whole)
        units = ImmediateUnits(card.layout, card, writer)
        faces: list[FaceParameters] = [card.layout.unflatten(row) for row in rows]
        units.begin(CODED, faces[0])
        for face in faces[1:]:
            units.add(face)
        units.close()
        writer.close()
    return path


def steps(card: ModelCard, pictures: int) -> FloatArray:
    """Values [pictures, n] that a layout holds exactly, others in each picture."""
    numbers = np.random.default_rng(1).integers(-8, 8, (pictures, card.layout.size))
    return numbers * 2.0**-card.layout.precisions
