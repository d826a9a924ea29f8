"""Coded pictures that are not shown, because the first driven picture stands in their place."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc.bench.coding import BASE_LAYER, SEI, bits_of_pictures
from gfvc.errors import StreamError
from gfvc.plotting import collect_curves
from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.reader import read_face_stream
from gfvc.stream.references import ReferenceRuns
from gfvc.stream.sequence import SequenceSchedule
from gfvc.verification import Severity, verify_stream
from models.contract import Picture
from sei import make_sei_nal_unit
from sei.inspection import inspect_units
from tests.gfvc.support import (
    CommandLine,
    decode_all,
    face_messages,
    hiding,
    nal_units,
    no_notes,
    write_units,
)
from tests.golden.files import STREAMS


@pytest.fixture(scope="module")
def hidden_stream(small_stream: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures, of which each fourth, a key picture, is hidden."""
    path = tmp_path_factory.mktemp("hidden") / "hidden.265"
    return write_units(path, map(hiding, nal_units(small_stream)))


def test_all_but_the_coded_pictures_are_shown(
    hidden_stream: Path, decoded_small: list[Picture]
) -> None:
    decoded = decode_all(hidden_stream)
    shown = [number for number in range(12) if number % 4]
    assert len(decoded) == read_face_stream(hidden_stream, no_notes).pictures == len(shown)
    for picture, number in zip(decoded, shown, strict=True):
        assert np.array_equal(picture, decoded_small[number])


def test_inspector_and_plot_count_shown_pictures(hidden_stream: Path, command: CommandLine) -> None:
    outcome = command("inspect", hidden_stream, "--summary", "--json")
    assert json.loads(outcome.out)["pictures"] == 9
    units = nal_units(hidden_stream)
    curves = collect_curves(inspect_units(units))
    assert list(curves.pictures) == list(range(9))
    assert list(curves.key_pictures) == [0, 3, 6]
    assert sum(curves.face_bits) == sum(
        8 * len(message.to_bytes()) for unit in units for message in face_messages(unit)
    )


@pytest.mark.parametrize("name", ["hevc_mesh_edited.265", None])
def test_bits_of_hidden_pictures_count_where_others_are_shown(
    name: str | None, hidden_stream: Path
) -> None:
    path = hidden_stream if name is None else STREAMS / name
    stream, units = read_face_stream(path, no_notes), nal_units(path)
    assert any(unit.hides_coded_picture for unit in stream.units)
    bits, curves = bits_of_pictures(stream, stream.pictures), collect_curves(inspect_units(units))
    base, messages = bits[BASE_LAYER], bits[SEI]
    assert len(base) == len(messages) == stream.pictures
    assert sum(base) == 8 * sum(len(unit.coded) for unit in stream.units)
    assert sum(messages) == 8 * sum(
        message.size for unit in stream.units for message in unit.messages
    )
    # The plot finds the same places by another way.
    assert {place for place, size in enumerate(messages) if size} == set(curves.pictures)
    assert {place for place, size in enumerate(base) if size} >= set(curves.key_pictures)


def found(path: Path) -> list[str]:
    """What verification finds wrong."""
    findings = verify_stream(path)
    return [each.text for each in findings if each.severity is not Severity.INFORMATION]


def test_verify_takes_it_and_misses_the_picture_in_its_place(
    hidden_stream: Path, tmp_path: Path
) -> None:
    assert found(hidden_stream) == []
    units = nal_units(hidden_stream)
    kept = [
        make_sei_nal_unit(face_messages(unit)[:1], unit.codec) if unit.is_suffix_sei else unit
        for unit in units
    ]
    alone = write_units(tmp_path / "alone.265", kept)
    assert found(alone) == ["its user data hides the coded picture, and drives none"] * 3
    assert len(decode_all(alone)) == 3, "it is shown after all"


def test_it_goes_not_with_references_and_a_sequence_tells_of_each() -> None:
    plain = StreamInformation(Fraction(25), 64, 64, Rectangle(0, 0, 64, 64))
    hidden = replace(plain, hides_coded_picture=True)
    assert StreamInformation.from_payload(hidden.to_payload()) == hidden
    wrong = replace(hidden, references=ReferenceRuns(2, 0))
    with pytest.raises(StreamError, match="hides a coded picture"):
        StreamInformation.from_payload(wrong.to_payload())
    for numbers in ((), (0, 2)):
        of_sequence = replace(plain, sequence=SequenceSchedule((3, 0, 1), hidden=numbers))
        assert StreamInformation.from_payload(of_sequence.to_payload()) == of_sequence
