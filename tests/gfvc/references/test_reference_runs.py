"""How the references of an access unit are coded."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.errors import StreamError
from gfvc.options.encoding import MAX_POOL
from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.references import ReferenceRuns, reference_runs
from gfvc.stream.schedule import PictureSchedule, picture_schedule
from sei import PayloadError
from tests.gfvc.support import coded, read_coded

INFORMATION = StreamInformation(Fraction(25), 256, 256, Rectangle(0, 0, 256, 256))
FIXED_BYTES = 16 + 20


@st.composite
def some_runs(draw: st.DrawFn) -> ReferenceRuns:
    pool = draw(st.integers(2, MAX_POOL))
    starts = sorted(draw(st.sets(st.integers(1, 9000), max_size=6)))
    backs = [draw(st.integers(0, pool - 1)) for _ in starts]
    return ReferenceRuns(pool, draw(st.integers(0, 255)), tuple(starts), tuple(backs))


@given(some_runs())
def test_round_trip(references: ReferenceRuns) -> None:
    assert read_coded(reference_runs, coded(reference_runs, references)) == references


def test_the_documented_bits() -> None:
    bits = coded(reference_runs, ReferenceRuns(4, 9, (5, 7), (1, 0)))
    elements = "011" + "00001001" + "011" + "00101" + "001" + "010" + "000"
    assert f"{int.from_bytes(bits, 'big'):032b}" == elements.ljust(32, "0")


@given(st.binary(max_size=40))
def test_whatever_is_read_is_bounded(data: bytes) -> None:
    try:
        references = read_coded(reference_runs, data)
    except (PayloadError, ValueError):
        return
    assert references.pool <= MAX_POOL
    assert len(references.starts) <= 2 * len(data)


@pytest.mark.parametrize(
    ("pool", "number", "starts", "backs", "problem"),
    [
        (1, 0, (), (), "a pool of 1 key"),
        (9, 0, (), (), "a pool of 9 key"),
        (2, 256, (), (), "number 256"),
        (2, 0, (0,), (1,), "at picture 0"),
        (2, 0, (1,), (2,), "2 key pictures back"),
        (2, 0, (4, 4), (1, 0), "at picture 4"),
        (2, 0, (1 << 16,), (1,), "at picture 65536"),
        (2, 0, (4, 5), (1,), "2 runs start, and 1"),
    ],
)
def test_what_cannot_be_is_refused(
    pool: int, number: int, starts: tuple[int, ...], backs: tuple[int, ...], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        ReferenceRuns(pool, number, starts, backs)


def test_spans_end_where_a_stream_was_cut() -> None:
    references = ReferenceRuns(3, 0, (4, 9), (2, 0))
    assert references.spans(12) == [(0, 4, 0), (4, 9, 2), (9, 12, 0)]
    assert references.spans(9) == [(0, 4, 0), (4, 9, 2)]
    assert references.spans(2) == [(0, 2, 0)]


def test_references_stand_behind_the_schedule_which_an_older_reader_knows() -> None:
    schedule = PictureSchedule(10, (4, 6, 9))
    references = ReferenceRuns(2, 1, (6,), (1,))
    whole = StreamInformation(
        INFORMATION.rate, 256, 256, INFORMATION.crop, schedule=schedule, references=references
    )
    payload = whole.to_payload()
    assert StreamInformation.from_payload(payload) == whole
    assert payload[FIXED_BYTES] == 2 | 4
    # What a reader does that does not know of references.
    assert read_coded(picture_schedule, payload[FIXED_BYTES + 1 :]) == schedule


def test_a_reference_starts_at_a_picture_with_a_message() -> None:
    whole = StreamInformation(
        INFORMATION.rate,
        256,
        256,
        INFORMATION.crop,
        schedule=PictureSchedule(10, (4, 6, 9)),
        references=ReferenceRuns(2, 1, (5,), (1,)),
    )
    with pytest.raises(StreamError, match="picture 5, which has no message"):
        StreamInformation.from_payload(whole.to_payload())


def test_damaged_references_are_refused() -> None:
    whole = StreamInformation(
        INFORMATION.rate, 256, 256, INFORMATION.crop, references=ReferenceRuns(2, 1, (5,), (1,))
    )
    with pytest.raises(StreamError, match="key_picture_number"):
        StreamInformation.from_payload(whole.to_payload()[: FIXED_BYTES + 2])
