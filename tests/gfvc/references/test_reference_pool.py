"""Earlier key pictures as references: chosen, written, read and drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gfvc import EncodeOptions, encode
from gfvc.decoded_pool import CodedPicture, DecodedPool
from gfvc.driven_parameters import base_parameters, parameters_of_pictures
from gfvc.encoding.face_units import DecidedUnits
from gfvc.encoding.measured_facts import face_distance
from gfvc.encoding.planner import NEARER_BY
from gfvc.errors import StreamError
from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.picture_units import FaceMessage, PictureUnit
from gfvc.stream.reader import read_face_stream
from gfvc.stream.references import ReferenceRuns
from gfvc.stream.schedule import PictureSchedule
from gfvc.stream.writer import StreamWriter
from gfvc.symbol_decisions.decision import Switches, SymbolSettings
from models import (
    Analyser,
    AnimationModel,
    FaceParameters,
    MatrixShape,
    ParameterLayout,
    Reference,
)
from models.contract import Picture
from sei import USER_DATA_UNREGISTERED, FaceValues, read_sei
from tests.gfvc.conftest import CodeClip
from tests.gfvc.support import (
    CommandLine,
    announce,
    assert_refused,
    decode_all,
    nal_units,
    no_notes,
    write_units,
)
from tests.gfvc.symbols.made_card import made_card

LAYOUT = ParameterLayout(matrices=(MatrixShape(7, 1, 1, 2),), matrix_precision=5)
# A VVC slice of an IDR picture, as far as anything here looks at it.
CODED = bytes.fromhex("000001 0041 c4")
RATE = Fraction(25)


def face(*values: float) -> FaceParameters:
    return LAYOUT.unflatten(np.array(values, np.float64))


class Stamp(Reference):
    """Draws a picture that says which key picture it was made from, and with what value."""

    def __init__(self, key_picture: Picture) -> None:
        self._key = int(key_picture[0, 0, 0])

    def animate(self, parameters: FaceParameters) -> Picture:
        value = round(float(parameters.matrices[0][1][0, 0, 0]))
        return np.array([[[self._key, value, 0]]], np.uint8)


class StampModel(AnimationModel):
    """Draws stamps; it sees nothing."""

    @property
    def layout(self) -> ParameterLayout:
        return LAYOUT

    def open_analyser(self, align: bool | None = None) -> Analyser:
        raise NotImplementedError

    def prepare(self, key_picture: Picture, key_parameters: FaceParameters | None) -> Reference:
        return Stamp(key_picture)


def shown(value: int) -> Picture:
    # Coloured: from a grey key picture only grey is drawn.
    return np.array([[[value, 0, 255]]], np.uint8)


def write_made(path: Path, units: Sequence[Sequence[tuple[int, float]]], pool: int) -> Path:
    """A stream of access units: for each picture the key pictures back, and a value."""
    with path.open("wb") as file:
        writer = StreamWriter(file, "vvc", StreamInformation(RATE, 64, 64, Rectangle(0, 0, 64, 64)))
        decided = DecidedUnits(
            LAYOUT, made_card(LAYOUT), writer, SymbolSettings(1e-3, Switches()), pool
        )
        for unit in units:
            decided.begin(CODED, face(unit[0][1], 0.5))
            for back, value in unit[1:]:
                decided.add(face(value, 0.5), back)
        decided.close()
        writer.close()
    return path


def stamps(path: Path) -> tuple[list[tuple[int, int]], int]:
    """The driven pictures' key pictures and values, and how many lack their reference."""
    pool = DecodedPool(StampModel())
    found: list[tuple[int, int]] = []
    for number, unit in enumerate(read_face_stream(path, no_notes).units):
        own = base_parameters(unit, LAYOUT, path, repack=False)
        parameters_of = partial(parameters_of_pictures, unit, LAYOUT, path, repack=False)
        _, *drawn = pool.draw(CodedPicture(unit, shown(number), own), parameters_of)
        found += [(int(picture[0, 0, 0]), int(picture[0, 0, 1])) for picture in drawn]
    return found, pool.missing


UNITS = [
    [(0, 10.0), (0, 12.0), (0, 14.0)],
    [(0, 50.0), (0, 52.0), (1, 14.0), (1, 12.0), (0, 52.0)],
    [(0, 90.0), (2, 10.0), (2, 11.0), (1, 52.0)],
]


def test_each_picture_is_drawn_from_its_own_reference(tmp_path: Path) -> None:
    found, missing = stamps(write_made(tmp_path / "made.266", UNITS, pool=3))
    expected = [
        (number - back, round(value))
        for number, unit in enumerate(UNITS)
        for back, value in unit[1:]
    ]
    assert found == expected
    assert not missing


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 200)), min_size=1, max_size=12),
        min_size=1,
        max_size=4,
    ),
    st.integers(3, 5),
)
@settings(max_examples=25)
def test_whatever_was_chosen_is_drawn(
    tmp_path_factory: pytest.TempPathFactory, units: list[list[tuple[int, int]]], pool: int
) -> None:
    made = [
        [(min(back, number), float(value)) for back, value in unit]
        for number, unit in enumerate(units)
    ]
    path = write_made(tmp_path_factory.mktemp("made") / "made.266", made, pool)
    found, missing = stamps(path)
    assert not missing
    expected = [(number - b, v) for number, unit in enumerate(made) for b, v in unit[1:]]
    assert [key for key, _ in found] == [key for key, _ in expected]
    errors = [abs(value - v) for (_, value), (_, v) in zip(found, expected, strict=True)]
    assert max(errors, default=0) <= 1.5


def test_nothing_is_interpolated_from_one_reference_to_another(tmp_path: Path) -> None:
    unit = [(0, 0.0), *[(0, 8.0)] * 9, *[(1, 200.0)] * 9]
    found, _ = stamps(write_made(tmp_path / "made.266", [[(0, 200.0)], unit], pool=2))
    assert {value for key, value in found if key == 1} <= {7, 8, 9}
    assert {value for key, value in found if key == 0} == {200}


def test_without_a_pool_the_stream_is_what_it_was(tmp_path: Path) -> None:
    units = [[(0, value) for _, value in unit] for unit in UNITS]
    one = write_made(tmp_path / "one.266", units, pool=1)
    assert all(unit.references is None for unit in read_face_stream(one, no_notes).units)
    four = write_made(tmp_path / "four.266", units, pool=4)
    # Flags may be new (2 bytes with them), and 2 bytes say that nothing changes.
    assert 0 < four.stat().st_size - one.stat().st_size <= 3 * len(units)


def test_the_last_key_picture_stands_in_for_a_missing_one(tmp_path: Path) -> None:
    path = write_made(tmp_path / "made.266", UNITS, pool=3)
    units = nal_units(path)
    starts = [n for n, unit in enumerate(units) if unit.is_sei and not unit.is_suffix_sei]
    found, missing = stamps(write_units(tmp_path / "tail.266", units[starts[1] :]))
    assert missing == 4
    # Key pictures count from 0 again: the two of the second access unit, then the third's.
    assert [key for key, _ in found] == [0, 0, 0, 0, 1, 1, 0]


def test_a_decoder_keeps_no_more_than_the_stream_says(tmp_path: Path) -> None:
    pool = DecodedPool(StampModel())
    for number in range(600):
        unit = PictureUnit(messages=[FaceMessage(FaceValues(), 0)])
        announce(unit, references=ReferenceRuns(3, number % 256))
        key = CodedPicture(unit, shown(number % 200), face(0, 0))
        list(pool.draw(key, lambda end: iter([face(0, 0)])))
        assert len(pool._kept) <= 3


def test_a_reference_needs_all_parameters_at_its_start(tmp_path: Path) -> None:
    path = write_made(tmp_path / "made.266", UNITS, pool=3)
    unit = read_face_stream(path, no_notes).units[1]
    announce(unit, PictureSchedule(5, (1, 2, 3, 4)), unit.references)
    unit.messages = unit.messages[:2]
    with pytest.raises(StreamError, match="its reference is another"):
        list(parameters_of_pictures(unit, LAYOUT, path, repack=False))


def test_distance_is_weighted() -> None:
    weights: npt.NDArray[np.float64] = np.array([4.0, 0.0])
    assert face_distance(np.array([2.0, 9.0]), weights) == pytest.approx(4.0)
    assert face_distance(np.array([NEARER_BY, 0.0]), None) > NEARER_BY


def test_the_encoder_takes_an_earlier_key_picture(
    tmp_path: Path, short_clip: Path, command: CommandLine
) -> None:
    path = tmp_path / "pool.265"
    options = EncodeOptions(model="mesh", key_interval=4, reference_pool=3)
    summary = encode(short_clip, path, options)
    assert summary.key_pictures == 3
    stream = read_face_stream(path, no_notes)
    assert [unit.references.number for unit in stream.units if unit.references] == [0, 1, 2]
    assert len(decode_all(path)) == 12
    outcome = command("inspect", path, "--summary")
    assert "reference pool: the last 3 key pictures" in outcome.out
    assert command("verify", path).status == 0


def test_one_picture_of_a_pool_is_what_it_was(code_demo: CodeClip, tmp_path: Path) -> None:
    coded = code_demo("ffmpeg-libx265")
    for unit in nal_units(coded.path):
        if not unit.is_sei:
            continue
        for message in read_sei(unit).messages:
            if message.payload_type == USER_DATA_UNREGISTERED:
                # Version 1, of 20 bytes: nothing of what came later is in it.
                assert message.payload[16] == 1
                assert len(message.payload) == 36


def test_low_delay_knows_no_pool(command: CommandLine, short_clip: Path, tmp_path: Path) -> None:
    assert_refused(
        command,
        "encode",
        short_clip,
        tmp_path / "out.266",
        "--low-delay",
        "--reference-pool",
        "2",
        folder=tmp_path,
        says="leave out --reference-pool",
    )
