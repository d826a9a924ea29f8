"""Decisions: what they cost is what `sei` writes, and they are as good as all that can be tried."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gfvc.driven_parameters import parameters_of_pictures
from gfvc.encoding.face_units import DecidedUnits
from gfvc.parameter_rows import interpolated
from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.picture_units import FaceMessage, PictureUnit
from gfvc.stream.reader import read_face_stream
from gfvc.stream.writer import StreamWriter
from gfvc.symbol_decisions.access_unit import decide_unit
from gfvc.symbol_decisions.code_lengths import (
    coordinate_bits,
    header_bits,
    matrix_bits,
    message_bytes,
)
from gfvc.symbol_decisions.decision import (
    FULL_RATE,
    Switches,
    SymbolSettings,
    decide,
    total_cost,
)
from gfvc.symbol_decisions.parts import Part
from gfvc.symbol_decisions.trellis import REACH, best_values
from models import FaceParameters, MatrixShape, ParameterLayout
from sei import FaceValues, GfvState, MatrixValues, SeiMessage
from tests.gfvc.support import no_notes
from tests.gfvc.symbols.made_card import made_card

LAYOUT = ParameterLayout(
    keypoints=2,
    matrices=(MatrixShape(0, 2, 2, 2),),
    coordinate_precision=7,
    matrix_precision=5,
)


def make_part(targets: npt.NDArray[np.float64], weight: float = 1.0) -> Part:
    return Part(
        targets,
        np.rint(targets[0]).astype(np.int64),
        np.full(targets.shape[1], weight),
        coordinate_bits,
    )


def cost(part: Part, sent: list[int], values: npt.NDArray[np.int64], multiplier: float) -> float:
    """Distortion of all pictures, and the weighted bits of all differences."""
    drawn = interpolated(values.astype(np.float64), sent, part.pictures)
    distortion = ((drawn - part.targets) ** 2 @ part.weights)[1:].sum()
    return float(distortion + multiplier * part.code_length(np.diff(values, axis=0)).sum())


@given(st.lists(st.tuples(st.integers(-300, 300), st.integers(-9, 9)), min_size=1, max_size=8))
@settings(max_examples=50)
def test_code_lengths_are_those_of_the_syntax(pairs: list[tuple[int, int]]) -> None:
    points = tuple(pairs)
    elements = (tuple(pairs),)
    state = GfvState()
    zero = FaceValues(
        tuple((0, 0) for _ in points), 7, (MatrixValues(7, 5, (tuple((0, 0) for _ in points),)),)
    )
    state.write(state.predict(zero, gfv_id=0, gfv_cnt=0, base_picture_flag=True))
    for count in range(1, 4):
        state.write(state.predict(zero, gfv_id=0, gfv_cnt=count))
    moved = FaceValues(points, 7, (MatrixValues(7, 5, elements),))
    payload = state.write(state.predict(moved, gfv_id=0, gfv_cnt=4))
    numbers = np.array(points)
    bits = header_bits(4) + 2 + coordinate_bits(numbers).sum() + matrix_bits(numbers, 5).sum()
    assert len(SeiMessage(223, payload).to_bytes()) == message_bytes(int(bits))


@given(st.lists(st.floats(-6, 6), min_size=3, max_size=4), st.sampled_from([0.01, 0.3, 1.0, 4.0]))
@settings(max_examples=30)
def test_the_trellis_finds_the_best_of_all_values(targets: list[float], multiplier: float) -> None:
    part = make_part(np.array([[0.0], *([t] for t in targets)]))
    sent = [0, *range(2, part.pictures)]
    found = best_values(part, sent, multiplier)
    centres = [round(part.targets[picture, 0]) for picture in sent[1:]]
    ranges = [range(c - REACH, c + REACH + 1) for c in centres]
    best = min(
        cost(part, sent, np.array([[0], *([v] for v in values)]), multiplier)
        for values in itertools.product(*ranges)
    )
    assert cost(part, sent, found, multiplier) == pytest.approx(best)


def test_a_straight_line_needs_no_messages_between() -> None:
    part = make_part(np.arange(31.0)[:, None] * [2.0, -3.0])
    decided = decide([part], 0.1, Switches())
    assert decided.pictures == [0, 30]
    assert decided.values[0][-1].tolist() == [60, -90]


def test_a_face_that_stays_gets_no_message() -> None:
    assert decide([make_part(np.full((40, 3), 5.2))], 0.1, Switches()).pictures == [0]


def test_parts_go_their_own_ways() -> None:
    still = make_part(np.zeros((20, 4)))
    generator = np.random.default_rng(3)
    moving = make_part(np.cumsum(generator.normal(0, 6, (20, 2)), axis=0))
    decided = decide([still, moving], 0.05, Switches())
    assert decided.sent[0] == (0,)
    assert len(decided.sent[1]) > 10
    together = decide([still, moving], 0.05, Switches(separate_parts=False))
    assert together.sent[0] == together.sent[1]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_each_decision_lowers_what_it_is_to_lower(seed: int) -> None:
    generator = np.random.default_rng(seed)
    part = make_part(np.cumsum(generator.normal(0, 1.5, (30, 8)), axis=0))
    multiplier = 0.2

    def total(switches: Switches) -> float:
        decided = decide([part], multiplier, switches)
        sent, values = list(decided.sent[0]), decided.values[0]
        rows = part.code_length(np.diff(values, axis=0)).sum(axis=1)
        size = sum(message_bytes(header_bits(n) + 1 + int(b)) for n, b in enumerate(rows, 1))
        return cost(part, sent, values, 0.0) + 8 * multiplier * size

    full = total(FULL_RATE)
    assert full <= total(Switches(1, byte_filling=False)) + 1e-9
    assert (
        total(Switches(1, byte_filling=False))
        <= total(Switches(1, trellis=False, byte_filling=False)) + 8 * multiplier * 30
    )  # the trellis does not know of whole bytes
    assert total(Switches()) < full


@pytest.mark.parametrize("interval", [None, 1, 3])
@given(seed=st.integers(0, 2**32 - 1), pictures=st.integers(1, 40))
@settings(max_examples=15)
def test_what_is_read_is_what_was_decided(
    interval: int | None, seed: int, pictures: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    generator = np.random.default_rng(seed)
    steps = generator.normal(0, 0.02, (pictures, 12))
    walk = np.cumsum(steps, axis=0)
    faces: list[FaceParameters | None] = [LAYOUT.unflatten(row) for row in walk]
    for lost in generator.integers(1, 40, 4):
        if lost < pictures:
            faces[lost] = None
    settings_ = SymbolSettings(multiplier=0.05, switches=Switches(interval))
    path = tmp_path_factory.mktemp("made") / "made.266"
    # A VVC slice of an IDR picture, as far as anything here looks at it.
    coded = bytes.fromhex("000001 0041 c4")
    information = StreamInformation(Fraction(25), 64, 64, Rectangle(0, 0, 64, 64))
    with path.open("wb") as file:
        writer = StreamWriter(file, "vvc", information)
        units = DecidedUnits(LAYOUT, made_card(LAYOUT), writer, settings_)
        first, *others = faces
        assert first is not None
        units.begin(coded, first)
        for face in others:
            units.add(face)
        units.close()
        writer.close()
    stream = read_face_stream(path, no_notes)
    (unit,) = stream.units
    assert stream.pictures == pictures
    drawn = list(parameters_of_pictures(unit, LAYOUT, path, repack=False))
    assert len(drawn) == pictures
    received = list(unit.values())
    assert units.last_decided is not None
    (expected,) = units.last_decided.runs
    sent = expected.pictures
    assert len(received) == len(sent)
    for index, (values, scale) in enumerate(zip(expected.values, (2.0**-7, 2.0**-5), strict=True)):
        rows = interpolated(values * scale, expected.sent[index], pictures)
        for face, row in zip(drawn, rows, strict=True):
            got = face.keypoints if index == 0 else face.matrices[0][1]
            assert got is not None
            np.testing.assert_array_equal(np.ravel(got), row)


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 1]))
@settings(max_examples=10)
def test_the_cost_is_that_of_distortion_and_whole_bytes(seed: int, interval: int | None) -> None:
    generator = np.random.default_rng(seed)
    part = make_part(np.cumsum(generator.normal(0, 1.5, (20, 4)), axis=0))
    decided = decide([part], 0.2, Switches(interval))
    sent, values = list(decided.sent[0]), decided.values[0]
    rows = part.code_length(np.diff(values, axis=0)).sum(axis=1)
    size = sum(message_bytes(header_bits(n) + 1 + int(b)) for n, b in enumerate(rows, 1))
    key = (values[0] - part.targets[0]) ** 2 @ part.weights
    expected = cost(part, sent, values, 0.0) + key + 8 * 0.2 * size
    assert total_cost([part], decided, 0.2) == pytest.approx(expected)


@pytest.mark.parametrize(("multiplier", "precision"), [(1e-4, 6), (100.0, 5)])
def test_the_precision_that_costs_less_is_taken(
    multiplier: float, precision: int, tmp_path: Path
) -> None:
    layout = ParameterLayout(matrices=(MatrixShape(7, 1, 2, 2),), matrix_precision=5)
    # A walk whose own steps would lie between those of the layout's precision.
    walk = np.cumsum(np.random.default_rng(5).normal(0, 0.02, (30, 4)), axis=0)
    path = tmp_path / "made.266"
    with path.open("wb") as file:
        information = StreamInformation(Fraction(25), 64, 64, Rectangle(0, 0, 64, 64))
        writer = StreamWriter(file, "vvc", information)
        chosen = SymbolSettings(multiplier, Switches(1, precision=True))
        units = DecidedUnits(layout, made_card(layout), writer, chosen)
        for number, row in enumerate(walk):
            face = layout.unflatten(row)
            if number:
                units.add(face)
            else:
                units.begin(bytes.fromhex("000001 0041 c4"), face)
        units.close()
        writer.close()
    assert units.last_decided is not None
    assert units.last_decided.layout.matrix_precision == precision
    (unit,) = read_face_stream(path, no_notes).units
    assert {values.matrices[0].precision_factor for values in unit.values()} == {precision}
    drawn = list(parameters_of_pictures(unit, layout, path, repack=False))
    errors = [abs(layout.flatten(face) - row) for face, row in zip(drawn, walk, strict=True)]
    if precision == 6:
        assert np.max(errors) < 0.6 * 2.0**-layout.matrix_precision / 2


def test_an_access_unit_is_decided_by_itself() -> None:
    layout = ParameterLayout(matrices=(MatrixShape(7, 1, 1, 2),), matrix_precision=5)
    walk = np.cumsum(np.random.default_rng(5).normal(0, 0.1, (30, 2)), axis=0)
    runs = [[layout.unflatten(row) for row in walk], [layout.unflatten(row) for row in -walk]]
    both = decide_unit(runs, layout, [None, None], SymbolSettings())
    assert both.layout == layout
    assert [run.pictures[0] for run in both.runs] == [0, 0]
    # The run whose errors count for nothing gets no message but its first.
    first, second = decide_unit(runs, layout, [None, np.zeros(2)], SymbolSettings()).runs
    assert first.pictures == both.runs[0].pictures
    assert len(first.pictures) > 1
    np.testing.assert_array_equal(first.values[0], both.runs[0].values[0])
    assert second.pictures == [0]


def test_a_part_that_a_stream_leaves_out_stays_without_a_schedule() -> None:
    base = FaceValues(((1, 2), (3, 4)), 7, (MatrixValues(0, 5, (((1, 2), (3, 4)),) * 2),))
    later = FaceValues(((5, 6), (7, 8)), 7)
    unit = PictureUnit(messages=[FaceMessage(base, 9), FaceMessage(later, 4)])
    _, second = parameters_of_pictures(unit, LAYOUT, Path("made"), repack=False)
    assert second.keypoints is not None
    assert second.keypoints.tolist() == [[5 / 128, 6 / 128], [7 / 128, 8 / 128]]
    assert second.matrices[0][1][0].tolist() == [[1 / 32, 2 / 32], [3 / 32, 4 / 32]]
