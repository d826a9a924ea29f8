from __future__ import annotations

import contextlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.stream.schedule import (
    MAX_PICTURES,
    PictureSchedule,
    RegularPictures,
    picture_schedule,
)
from sei import PayloadError
from sei.bits import BitWriter
from tests.gfvc.support import coded, read_coded

distances = st.lists(st.integers(1, 300), max_size=60)


@given(distances, st.integers(0, 50))
def test_round_trip(steps: list[int], tail: int) -> None:
    sent = tuple(sum(steps[: i + 1]) for i in range(len(steps)))
    schedule = PictureSchedule((0, *sent)[-1] + 1 + tail, sent)
    assert read_coded(picture_schedule, coded(picture_schedule, schedule)) == schedule


@given(st.integers(1, 400), st.integers(1, 50))
def test_regular_schedules_take_a_few_bytes(pictures: int, interval: int) -> None:
    schedule = PictureSchedule(pictures, RegularPictures(pictures, interval))
    assert len(coded(picture_schedule, schedule)) <= 4
    assert read_coded(picture_schedule, coded(picture_schedule, schedule)) == schedule
    assert schedule.without_message == pictures - 1 - len(schedule.sent)


@pytest.mark.parametrize("sent", [(0, 1), (2, 2), (3, 1), (5,)])
def test_what_cannot_be_is_refused(sent: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="picture"):
        PictureSchedule(5, sent)


def test_the_coded_bits() -> None:
    # pictures - 1 = 6: 00111; irregular 0; 2 messages: 011; k = 0: 000; distances 1 and 4.
    bits = coded(picture_schedule, PictureSchedule(7, (1, 5)))
    assert f"{int.from_bytes(bits, 'big'):024b}" == "00111" + "0011000" + "011100" + 6 * "0"


@given(st.binary(max_size=12))
def test_no_bytes_do_harm(data: bytes) -> None:
    with contextlib.suppress(PayloadError):
        assert read_coded(picture_schedule, data).pictures <= 1 << 16


def test_a_cut_leaves_what_arrived() -> None:
    assert PictureSchedule(9, (2, 4, 8)).cut(2) == PictureSchedule(5, (2, 4))
    assert PictureSchedule(9, (2, 4, 8)).cut(0) == PictureSchedule(1, ())


@given(st.integers(1, 60), st.integers(1, 70))
def test_regular_pictures_are_a_sequence(pictures: int, interval: int) -> None:
    expected = list(range(interval, pictures, interval))
    if pictures > 1 and pictures - 1 not in expected:
        expected.append(pictures - 1)
    regular = RegularPictures(pictures, interval)
    assert list(regular) == expected
    assert regular == tuple(expected)
    assert len(regular) == len(expected)
    assert [regular[i] for i in range(-len(expected), len(expected))] == expected * 2
    assert regular[:3] == tuple(expected[:3])
    assert [p for p in range(-1, pictures + 2) if p in regular] == expected
    for index in (len(expected), -len(expected) - 1):
        with pytest.raises(IndexError):
            regular[index]


def test_a_regular_schedule_takes_no_memory_for_its_pictures() -> None:
    regular = PictureSchedule(MAX_PICTURES, RegularPictures(MAX_PICTURES, 1))
    data = coded(picture_schedule, regular)
    read_coded(picture_schedule, data)
    tracemalloc.start()
    try:
        schedules = [read_coded(picture_schedule, data) for _ in range(100)]
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(schedules[0].sent) == MAX_PICTURES - 1
    assert kept < most < 1 << 20


@pytest.mark.parametrize("shift", range(8))
def test_a_long_list_of_one_bits_is_refused_without_reading_it(shift: int) -> None:
    """Four megabytes that say nothing but "further on"."""
    writer = BitWriter()
    writer.exp_golomb(MAX_PICTURES - 1)
    writer.unsigned(0, 1)
    writer.exp_golomb(1)
    writer.unsigned(shift, 3)
    data = writer.to_bytes()
    data = data[:-1] + bytes([data[-1] | (1 << -writer.position % 8) - 1])
    tracemalloc.start()
    try:
        with pytest.raises(PayloadError, match="distance_minus1"):
            read_coded(picture_schedule, data + b"\xff" * (4 << 20))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 12 << 20


@pytest.mark.parametrize("shift", range(8))
def test_the_longest_lists_are_read(shift: int) -> None:
    step = (1 << shift) + 1
    further = {1, 2, MAX_PICTURES - 2, MAX_PICTURES - 1}
    sent = tuple(sorted(further.union(range(step, MAX_PICTURES, step))))
    schedule = PictureSchedule(MAX_PICTURES, sent)
    assert read_coded(picture_schedule, coded(picture_schedule, schedule)) == schedule
