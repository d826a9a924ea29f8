from __future__ import annotations

import contextlib
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.errors import StreamError
from gfvc.rectangle import Rectangle
from gfvc.stream.information import USER_DATA_UUID, StreamInformation
from gfvc.stream.schedule import MAX_PICTURES, PictureSchedule, RegularPictures
from gfvc.stream.sequence import MAX_LEADING, SequenceSchedule

INFORMATION = StreamInformation(Fraction(25), 256, 256, Rectangle(0, 0, 256, 256))


def through_the_stream(schedule: SequenceSchedule) -> SequenceSchedule | None:
    payload = replace(INFORMATION, sequence=schedule).to_payload()
    information = StreamInformation.from_payload(payload)
    assert information is not None
    return information.sequence


@st.composite
def schedules(draw: st.DrawFn) -> SequenceSchedule:
    driven = tuple(draw(st.lists(st.integers(0, 60), min_size=1, max_size=20)))
    pictures = sum(driven)
    sent = draw(st.sets(st.integers(1, pictures), max_size=30)) if pictures else set()
    leading = draw(st.integers(0, min(MAX_LEADING, driven[0])))
    drives = [n for n, count in enumerate(driven) if count > (0 if n else leading)]
    hidden = draw(st.sets(st.sampled_from(drives))) if drives else set()
    return SequenceSchedule(
        driven, tuple(sorted(sent)), leading, draw(st.booleans()), tuple(sorted(hidden))
    )


@given(schedules())
def test_round_trip(schedule: SequenceSchedule) -> None:
    assert through_the_stream(schedule) == schedule


@given(schedules())
def test_units_share_the_pictures_and_their_messages(schedule: SequenceSchedule) -> None:
    units = [schedule.unit(number) for number in range(len(schedule.driven))]
    assert schedule.drives == any(schedule.driven)
    assert sum(unit.pictures for unit in units) == schedule.pictures + len(schedule.hidden)
    hidden = [schedule.part(number).hidden for number in range(len(units))]
    assert [number for number, is_hidden in enumerate(hidden) if is_hidden] == [*schedule.hidden]
    start, sent = 0, []
    for driven, unit in zip(schedule.driven, units, strict=True):
        sent += [start + picture for picture in unit.sent]
        start += driven
    assert tuple(sent) == tuple(schedule.sent)
    bases = sum(schedule.has_messages(number) for number in range(len(units)))
    assert schedule.without_message == schedule.pictures - bases - len(sent)


def has_messages(schedule: SequenceSchedule) -> list[bool]:
    return [schedule.has_messages(number) for number in range(len(schedule.driven))]


def test_a_coded_picture_that_drives_nothing_has_no_messages() -> None:
    one = SequenceSchedule((3, 0, 0, 2), (1, 5))
    assert one.unit(3) == PictureSchedule(3, (2,))
    assert has_messages(one) == [True, False, False, True]
    assert has_messages(SequenceSchedule((0, 0))) == [False, False]


def test_nor_does_one_whose_pictures_go_straight_to_the_next() -> None:
    two = SequenceSchedule((3, 4, 2, 1, 5), (4, 5, 9), two_references=True)
    # The first names the model, the last has no next one, and the fourth sends nothing.
    assert has_messages(two) == [True, True, True, False, True]
    assert has_messages(replace(two, two_references=False)) == [True] * 5
    first = SequenceSchedule((0, 3, 0), two_references=True)
    assert has_messages(first) == [True, False, False]


def test_a_message_every_so_many_pictures_takes_a_few_bits() -> None:
    plain = SequenceSchedule((10,) * 20)
    regular = SequenceSchedule((10,) * 20, RegularPictures(201, 3))
    assert regular.unit(1) == PictureSchedule(11, (2, 5, 8))
    sizes = [len(replace(INFORMATION, sequence=s).to_payload()) for s in (plain, regular)]
    assert sizes[1] - sizes[0] <= 1
    assert through_the_stream(regular) == regular


@pytest.mark.parametrize(
    "fields",
    [
        {"driven": ()},
        {"driven": (3, -1)},
        {"driven": (3,), "sent": (4,)},
        {"driven": (3,), "sent": (2, 2)},
        {"driven": (3,), "leading": 4},
        {"driven": (90,), "leading": MAX_LEADING + 1},
        {"driven": (MAX_PICTURES,)},
        {"driven": (3, 0), "hidden": (1,)},
        {"driven": (3, 1), "hidden": (0,), "leading": 3},
        {"driven": (3, 1), "hidden": (1, 0)},
        {"driven": (3, 1), "hidden": (2,)},
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match=r"picture|sequence"):
        SequenceSchedule(**fields)  # type: ignore[arg-type]


def test_the_messages_are_of_as_many_pictures_as_are_driven() -> None:
    payload = replace(INFORMATION, sequence=SequenceSchedule((3, 0), (1,))).to_payload()
    damaged = bytearray(payload)
    # The count of driven pictures in the schedule of messages: 3 is 00100, after 21 fixed bytes
    # and 011 1 000000 0000 and two Rice codes.
    bits = f"{int.from_bytes(payload[16 + 21 :], 'big'):0{8 * (len(payload) - 37)}b}"
    place = bits.index("00100", 14)
    changed = bits[:place] + "00101" + bits[place + 5 :]
    damaged[37:] = int(changed, 2).to_bytes(len(changed) // 8, "big")
    with pytest.raises(StreamError, match="4 pictures in the schedule of messages where 3 are"):
        StreamInformation.from_payload(bytes(damaged))


@pytest.mark.parametrize("schedule", [SequenceSchedule((0,)), SequenceSchedule((1,), hidden=(0,))])
@given(data=st.binary(max_size=24))
def test_no_bytes_do_harm(schedule: SequenceSchedule, data: bytes) -> None:
    head = replace(INFORMATION, sequence=schedule).to_payload()[: 16 + 21]
    assert head.startswith(USER_DATA_UUID.bytes)
    with contextlib.suppress(StreamError):
        information = StreamInformation.from_payload(head + data)
        assert information is not None
        assert information.sequence is not None
        assert information.sequence.pictures <= MAX_PICTURES
