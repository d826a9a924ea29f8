"""A face message that stands in a stream twice, one right after the other, counts once."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from gfvc.plotting import collect_curves
from gfvc.stream.reader import read_face_stream
from sei import NalUnit
from sei.inspection import inspect_units
from tests.gfvc.support import CommandLine, face_values, nal_units, no_notes, write_units
from tests.golden.files import STREAMS

PLAIN = STREAMS / "vvc_mesh_low_delay.266"
"""Each message has a NAL unit of its own, and is coded by differences."""


@pytest.fixture
def units() -> list[NalUnit]:
    """NAL units with each message but the base messages twice."""
    result: list[NalUnit] = []
    after_picture = 0
    for unit in nal_units(PLAIN):
        after_picture = after_picture + 1 if unit.is_suffix_sei else 0
        result += [unit] * (2 if after_picture > 1 else 1)
    return result


@pytest.fixture
def repeated(units: list[NalUnit], tmp_path: Path) -> Path:
    return write_units(tmp_path / "repeated.266", units)


def test_it_is_read_once(repeated: Path) -> None:
    read, plain = read_face_stream(repeated, no_notes), read_face_stream(PLAIN, no_notes)
    assert face_values(read) == face_values(plain)
    assert read.pictures == plain.pictures


def test_inspect_shows_it_with_the_values_it_had(repeated: Path, command: CommandLine) -> None:
    values = {
        path: [
            json.loads(line)["values"]
            for line in command("inspect", path, "--json", "--payload", "223").out.splitlines()
        ]
        for path in (repeated, PLAIN)
    }
    assert len(values[repeated]) > len(values[PLAIN])
    without_runs = [[value for value, _ in groupby(of_file)] for of_file in values.values()]
    assert without_runs[0] == without_runs[1]


def test_curves_have_it_once(units: list[NalUnit]) -> None:
    drawn, plain = (collect_curves(inspect_units(of)) for of in (units, nal_units(PLAIN)))
    assert drawn.pictures == plain.pictures
    assert all(map(np.array_equal, drawn.matrices.curve(0), plain.matrices.curve(0)))


def test_verify_takes_it_for_lawful(repeated: Path, command: CommandLine) -> None:
    verified = command("verify", repeated)
    assert verified.status == 0
    assert "is repeated" in verified.out


@pytest.mark.parametrize(
    "arguments", [("transcode", "--precision", "6"), ("edit", "--yaw", "3")], ids=lambda a: a[0]
)
def test_what_is_written_anew_has_it_once(
    arguments: tuple[str, ...], repeated: Path, tmp_path: Path, command: CommandLine
) -> None:
    verb, *options = arguments
    written: list[bytes] = []
    for path in (repeated, PLAIN):
        output = tmp_path / f"{len(written)}.266"
        assert command(verb, path, output, *options).status == 0
        written.append(output.read_bytes())
    assert written[0] == written[1]


def test_editing_goes_round(repeated: Path, tmp_path: Path, command: CommandLine) -> None:
    messages, base, again = (tmp_path / name for name in ("m.jsonl", "base.266", "again.266"))
    assert command("extract", repeated, messages).status == 0
    assert command("remove", repeated, base).status == 0
    assert command("inject", base, messages, again).status == 0
    assert again.read_bytes() == repeated.read_bytes()
