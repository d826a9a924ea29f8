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
from gfvc.stream.control_grids import (
    FEW_GRIDS,
    MAX_NUMBERS,
    MOST_STEPS,
    GridShape,
    Nodes,
    SequenceGrids,
)
from gfvc.stream.information import USER_DATA_UUID, StreamInformation
from gfvc.stream.sequence import SequenceSchedule
from sei import USER_DATA_UNREGISTERED, Codec, PayloadError
from sei.payload_kinds import decode_payload

SHAPE = GridShape(3, 2, 1)
SEQUENCE = SequenceSchedule((4, 1, 6, 0), (2, 5), 1, two_references=True)


def nodes(start: int, shape: GridShape = SHAPE) -> Nodes:
    return tuple(range(start, start + shape.numbers))


GRIDS = SequenceGrids(SHAPE, ((nodes(-3),), (), (nodes(0), nodes(-20), nodes(7))))
MANY = SequenceGrids(SHAPE, ((nodes(-3),), (), tuple(nodes(start) for start in range(5))))


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
    driven = draw(st.lists(st.integers(0, 7), min_size=2, max_size=4))
    steps = st.integers(-MOST_STEPS, MOST_STEPS)
    most = draw(st.sampled_from([FEW_GRIDS, 7]))
    counts = [draw(st.integers(0, min(most, count))) for count in driven[:-1]]
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


def test_a_reader_that_knows_few_grids_has_all_but_many() -> None:
    """More than a few stand behind all else that it knows, with a flag of their own."""
    many = information(MANY, SEQUENCE).to_payload()
    none = information(None, SEQUENCE).to_payload()
    assert (many[16], none[16]) == (4, 2)
    assert many[17:].startswith(none[17:])
    behind = many[len(none) :]
    # No shown size, no post-filter; then the flag, and 7 bits that are for later.
    assert behind[:2] == b"\0\x80"
    assert StreamInformation.from_payload(many) == information(MANY, SEQUENCE)


def test_bits_that_are_for_later_are_ignored() -> None:
    payload = bytearray(information(MANY, SEQUENCE).to_payload())
    payload[len(information(None, SEQUENCE).to_payload()) + 1] |= 127
    assert StreamInformation.from_payload(bytes(payload)) == information(MANY, SEQUENCE)


def test_few_and_many_grids_of_one_sequence_are_refused() -> None:
    few = information(GRIDS, SEQUENCE).to_payload()
    many = information(MANY, SEQUENCE).to_payload()
    behind = many[len(information(None, SEQUENCE).to_payload()) :]
    both = few[:16] + b"\x04" + few[17:] + behind
    with pytest.raises(StreamError, match="a sequence without other ones"):
        StreamInformation.from_payload(both)


def test_more_grids_than_pictures_are_refused() -> None:
    """Codes of a few bits ask for 65535 grids, and get none."""
    with_one = information(MANY, SEQUENCE).to_payload()
    start = len(information(None, SEQUENCE).to_payload()) + 2
    # The shape is 10 bits; the first count follows, and two counts of 0.
    bits = (
        "".join(f"{byte:08b}" for byte in with_one[start:])[:10]
        + f"{1 << 16:033b}"
        + "11"
        + "0" * 64
    )
    asking = with_one[:start] + int(bits, 2).to_bytes(-(-len(bits) // 8), "big")
    with pytest.raises(StreamError, match="numbers of control grids, at most"):
        StreamInformation.from_payload(asking)


def test_the_inspector_shows_them() -> None:
    payload = information(GRIDS, SEQUENCE).to_payload()
    shown = decode_payload(USER_DATA_UNREGISTERED, payload, Codec.VVC)
    assert shown is not None
    assert shown["control_grids_flag"] == 1
    assert shown["grid_columns_minus2"] == 1
    assert shown["grid_rows_minus2"] == 0
    assert [shown[f"grids[{gap}]"] for gap in range(3)] == [1, 0, 3]
    assert shown["grid_difference[0]"] == 6  # -3, with its sign
    many = information(MANY, SEQUENCE).to_payload()
    shown = decode_payload(USER_DATA_UNREGISTERED, many, Codec.VVC)
    assert shown is not None
    assert (shown["control_grids_flag"], shown["many_control_grids_flag"]) == (0, 1)
    assert [shown[f"grids[{gap}]"] for gap in range(3)] == [1, 0, 5]


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


@pytest.mark.parametrize("grids", [GRIDS, MANY])
def test_damage_is_told_and_nothing_else_happens(grids: SequenceGrids) -> None:
    payload = information(grids, SEQUENCE).to_payload()
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
