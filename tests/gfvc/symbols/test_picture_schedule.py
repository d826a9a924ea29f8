from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.errors import StreamError
from gfvc.picture_schedule import PictureSchedule, regular_pictures

distances = st.lists(st.integers(1, 300), max_size=60)


@given(distances, st.integers(0, 50))
def test_round_trip(steps: list[int], tail: int) -> None:
    sent = tuple(sum(steps[: i + 1]) for i in range(len(steps)))
    schedule = PictureSchedule((0, *sent)[-1] + 1 + tail, sent)
    assert PictureSchedule.from_bytes(schedule.to_bytes()) == schedule


@given(st.integers(1, 400), st.integers(1, 50))
def test_regular_schedules_take_a_few_bytes(pictures: int, interval: int) -> None:
    schedule = PictureSchedule(pictures, regular_pictures(pictures, interval))
    assert len(schedule.to_bytes()) <= 4
    assert PictureSchedule.from_bytes(schedule.to_bytes()) == schedule
    assert schedule.without_message == pictures - 1 - len(schedule.sent)


@pytest.mark.parametrize("sent", [(0, 1), (2, 2), (3, 1), (5,)])
def test_what_cannot_be_is_refused(sent: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="picture"):
        PictureSchedule(5, sent)


def test_the_coded_bits() -> None:
    # pictures - 1 = 6: 00111; irregular 0; 2 messages: 011; k = 0: 000; distances 1 and 4.
    coded = PictureSchedule(7, (1, 5)).to_bytes()
    assert f"{int.from_bytes(coded, 'big'):024b}" == "00111" + "0011000" + "011100" + 6 * "0"


@given(st.binary(max_size=12))
def test_no_bytes_do_harm(data: bytes) -> None:
    with contextlib.suppress(StreamError):
        assert PictureSchedule.from_bytes(data).pictures <= 1 << 16


def test_a_cut_leaves_what_arrived() -> None:
    assert PictureSchedule(9, (2, 4, 8)).cut(2) == PictureSchedule(5, (2, 4))
    assert PictureSchedule(9, (2, 4, 8)).cut(0) == PictureSchedule(1, ())
