"""Control grids in the user data: what is written is read, and what cannot be is refused."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gfvc.errors import StreamError
from gfvc.rectangle import Rectangle
from gfvc.stream import control_grids
from gfvc.stream.control_grids import MAX_NUMBERS, MOST_STEPS, GridShape, Nodes, SequenceGrids
from gfvc.stream.information import USER_DATA_UUID, StreamInformation
from gfvc.stream.sequence import SequenceSchedule
from sei import USER_DATA_UNREGISTERED, Codec, PayloadError
from sei.payload_kinds import decode_payload

SHAPE = GridShape(3, 2, 1)
SEQUENCE = SequenceSchedule((4, 1, 6, 0), (2, 5), 1, two_references=True)


def nodes(start: int, shape: GridShape = SHAPE) -> Nodes:
    return tuple(range(start, start + shape.numbers))


GRIDS = SequenceGrids(SHAPE, ((nodes(-3),), (), (nodes(0), nodes(-20), nodes(7))))


def information(grids: SequenceGrids | None, sequence: SequenceSchedule) -> StreamInformation:
    return StreamInformation(
        Fraction(25),
        640,
        360,
        Rectangle(0, 0, 640, 360),
        sequence=sequence,
        control_grids=grids,
    )


def test_grids_come_back() -> None:
    stated = information(GRIDS, SEQUENCE)
    assert StreamInformation.from_payload(stated.to_payload()) == stated
    found = [GRIDS.of_unit(number) for number in range(4)]
    assert [None if grids is None else len(grids.grids) for grids in found] == [1, None, 3, None]


@st.composite
def sequences_of_grids(draw: st.DrawFn) -> tuple[SequenceGrids, SequenceSchedule]:
    sides = st.integers(2, 17)
    shape = GridShape(draw(sides), draw(sides), draw(st.integers(0, 3)))
    driven = draw(st.lists(st.integers(0, 5), min_size=2, max_size=4))
    steps = st.integers(-MOST_STEPS, MOST_STEPS)
    counts = [draw(st.integers(0, min(3, count))) for count in driven[:-1]]
    between = tuple(
        tuple(
            tuple(draw(st.lists(steps, min_size=shape.numbers, max_size=shape.numbers)))
            for _ in range(count)
        )
        for count in counts
    )
    return SequenceGrids(shape, between), SequenceSchedule(tuple(driven), two_references=True)


@settings(max_examples=30)
@given(sequences_of_grids())
def test_any_grids_come_back(given_grids: tuple[SequenceGrids, SequenceSchedule]) -> None:
    stated = information(*given_grids)
    assert StreamInformation.from_payload(stated.to_payload()) == stated


def test_equal_nodes_take_a_bit_each() -> None:
    """To move all of a picture is cheap: all nodes but the first are as their neighbour."""
    shape = GridShape(6, 4, 1)
    still = SequenceGrids(shape, (((0,) * shape.numbers,),))
    assert still.rice_parameter == 0
    assert still.bits == shape.numbers
    panned = SequenceGrids(shape, (((5, -2) * (shape.numbers // 2),),))
    assert panned.bits == shape.numbers + 9 + 4


def test_an_older_reader_has_all_else() -> None:
    """They stand last, and a reader ignores what follows the elements that it knows."""
    with_grids = information(GRIDS, SEQUENCE).to_payload()
    without = information(None, SEQUENCE).to_payload()
    flags = 16 + 20
    assert with_grids[flags] == without[flags] | 128
    assert with_grids[flags + 1 :].startswith(without[flags + 1 :])


def test_the_inspector_shows_them() -> None:
    payload = information(GRIDS, SEQUENCE).to_payload()
    shown = decode_payload(USER_DATA_UNREGISTERED, payload, Codec.VVC)
    assert shown is not None
    assert shown["control_grids_flag"] == 1
    assert shown["grid_columns_minus2"] == 1
    assert shown["grid_rows_minus2"] == 0
    assert [shown[f"grids[{gap}]"] for gap in range(3)] == [1, 0, 3]
    assert shown["grid_difference[0]"] == 6  # -3, with its sign


@pytest.mark.parametrize(
    ("between", "sequence", "reason"),
    [
        (((nodes(0),),), SEQUENCE, "one list for each pair"),
        (GRIDS.between, replace(SEQUENCE, two_references=False), "want two references"),
        (((nodes(0),) * 3, (nodes(0),) * 2, ()), SEQUENCE, "2 control grids for 1 pictures"),
        (((), (nodes(0),), ()), replace(SEQUENCE, hidden=(1,)), "1 control grids for 0 pictures"),
    ],
)
def test_grids_of_no_pictures_are_refused(
    between: tuple[tuple[Nodes, ...], ...], sequence: SequenceSchedule, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        SequenceGrids(SHAPE, between).check(sequence)


@pytest.mark.parametrize(
    ("grids", "reason"),
    [
        ((nodes(0),) * 4, "4 control grids between"),
        ((nodes(0)[:-1],), "a control grid of 11 numbers"),
        (((MOST_STEPS + 1,) * 12,), "longer than 1023 steps"),
    ],
)
def test_grids_that_cannot_be(grids: tuple[Nodes, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        SequenceGrids(SHAPE, (grids,))


@pytest.mark.parametrize("shape", [(1, 4, 0), (4, 18, 0), (4, 4, 4)])
def test_shapes_that_cannot_be(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="grid"):
        GridShape(*shape)


def test_damage_is_told_and_nothing_else_happens() -> None:
    payload = information(GRIDS, SEQUENCE).to_payload()
    for length in range(len(payload) - 20, len(payload)):
        with pytest.raises(StreamError, match="user data message is damaged"):
            StreamInformation.from_payload(payload[:length])
    refused = 0
    for bit in range(8 * len(USER_DATA_UUID.bytes), 8 * len(payload)):
        damaged = bytearray(payload)
        damaged[bit // 8] ^= 128 >> bit % 8
        with contextlib.suppress(StreamError):
            StreamInformation.from_payload(bytes(damaged))
            continue
        refused += 1
    assert refused > 50


def test_displacements_that_add_up_too_far_are_refused() -> None:
    """Differences are small, and what they sum up to is not."""
    shape = GridShape(17, 2, 0)
    steep = tuple(100 * column for _ in range(2) for column in range(17) for _ in range(2))
    with pytest.raises(ValueError, match="longer than 1023"):
        SequenceGrids(shape, ((steep,),))
    allowed = tuple(min(value, MOST_STEPS) for value in steep)
    sequence = SequenceSchedule((2, 0), two_references=True)
    payload = bytearray(information(SequenceGrids(shape, ((allowed,),)), sequence).to_payload())
    refused = set()
    for bit in range(8 * 60, 8 * len(payload)):
        payload[bit // 8] ^= 128 >> bit % 8
        try:
            StreamInformation.from_payload(bytes(payload))
        except StreamError as error:
            refused.add(str(error).rpartition(": ")[2])
        payload[bit // 8] ^= 128 >> bit % 8
    assert "a displacement is longer than 1023 steps" in refused


def test_how_many_numbers_a_message_may_ask_for_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shape = GridShape(17, 17, 0)
    gaps = 1 + MAX_NUMBERS // (3 * shape.numbers)
    grids = SequenceGrids(shape, (((0,) * shape.numbers,) * 3,) * gaps)
    sequence = SequenceSchedule((3,) * gaps + (0,), two_references=True)
    stated = information(grids, sequence)
    with pytest.raises(PayloadError, match=f"at most {MAX_NUMBERS} are read"):
        stated.to_payload()
    with monkeypatch.context() as context:
        context.setattr(control_grids, "MAX_NUMBERS", 2 * MAX_NUMBERS)
        payload = stated.to_payload()
    assert len(payload) < MAX_NUMBERS / 4
    with pytest.raises(StreamError, match=f"at most {MAX_NUMBERS} are read"):
        StreamInformation.from_payload(payload)
