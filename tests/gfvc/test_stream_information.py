from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.errors import StreamError
from gfvc.face_square import FaceSquare
from gfvc.rectangle import Rectangle
from gfvc.stream import picture_units
from gfvc.stream.documentation import user_data_document
from gfvc.stream.faces import FurtherFace
from gfvc.stream.information import USER_DATA_UUID, StreamInformation
from gfvc.stream.reader import read_face_stream
from gfvc.stream.references import ReferenceRuns
from gfvc.stream.schedule import PictureSchedule, picture_schedule
from gfvc.stream.sequence import SequenceSchedule
from sei import USER_DATA_UNREGISTERED, Codec, PayloadError
from sei.payload_kinds import decode_payload
from tests.gfvc.support import coded, decode_all, no_notes
from tests.golden.files import STREAMS

sides = st.integers(0, 0xFFFF)
rates = st.fractions(1, 240, max_denominator=1001)


@given(rates, st.tuples(*[sides] * 6))
def test_round_trip(rate: Fraction, numbers: tuple[int, ...]) -> None:
    width, height, *window = numbers
    information = StreamInformation(rate, width, height, Rectangle(*window))
    assert StreamInformation.from_payload(information.to_payload()) == information


def test_the_documented_bytes() -> None:
    information = StreamInformation(
        Fraction(30000, 1001), 1920, 1080, Rectangle(420, 0, 1080, 1080)
    )
    expected = bytes.fromhex(
        "81724027 6de0 5106 8f2e e2f1a0bb654f"  # UUID
        "01"  # version
        "00007530 03e9"  # 30000 / 1001
        "01"  # pictures per message
        "0780 0438"  # source size
        "01a4 0000 0438 0438"  # crop
    )
    assert information.to_payload() == expected


def test_other_user_data_is_not_ours() -> None:
    assert StreamInformation.from_payload(b"x264 - core 164") is None


def test_later_versions_may_append() -> None:
    information = StreamInformation(Fraction(25), 256, 256, Rectangle(0, 0, 256, 256))
    assert StreamInformation.from_payload(information.to_payload() + b"more") == information


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("01", "rate_numerator: 32 bits wanted"),
        ("01 00000000 0001 01 0100 0100 0000 0000 0100 0100", "rate_numerator is 0"),
        ("01 00000019 0000 01 0100 0100 0000 0000 0100 0100", "rate_denominator is 0"),
        ("01 00000019 0001 02 0100 0100 0000 0000 0100 0100", "pictures_per_message is 2"),
    ],
)
def test_damaged_information_is_refused(body: str, message: str) -> None:
    with pytest.raises(StreamError, match=message):
        StreamInformation.from_payload(USER_DATA_UUID.bytes + bytes.fromhex(body))


def test_a_schedule_makes_it_version_2() -> None:
    schedule = PictureSchedule(9, (2, 4, 6, 8))
    information = StreamInformation(
        Fraction(25), 256, 256, Rectangle(0, 0, 256, 256), schedule=schedule
    )
    payload = information.to_payload()
    assert payload[16] == 2
    assert payload[16 + 20 :] == bytes.fromhex("02") + coded(picture_schedule, schedule)
    assert StreamInformation.from_payload(payload) == information
    with pytest.raises(StreamError, match="pictures_minus1"):
        StreamInformation.from_payload(payload[: 16 + 21])


def test_the_page_of_the_syntax_is_fresh() -> None:
    page = Path(__file__).parents[2] / "docs" / "user_data_syntax.md"
    assert page.read_text(encoding="utf-8") == user_data_document(), (
        "run: python -m gfvc.stream.documentation docs/user_data_syntax.md"
    )


def test_the_inspector_shows_the_elements() -> None:
    schedule = PictureSchedule(9, (2, 3, 8))
    information = StreamInformation(
        Fraction(25), 320, 256, Rectangle(8, 0, 256, 256), schedule=schedule
    )
    shown = decode_payload(USER_DATA_UNREGISTERED, information.to_payload(), Codec.VVC)
    assert shown is not None
    assert shown["uuid_iso_iec_11578"] == USER_DATA_UUID.hex
    assert [shown[name] for name in ("rate_numerator", "source_width", "crop_left")] == [25, 320, 8]
    distances = [shown[f"distance_minus1[{i}]"] for i in range(3)]
    assert distances == [1, 0, 4]


def test_elements_that_do_not_go_together_are_a_damaged_payload() -> None:
    """Whatever a bit is turned into, the inspector reads the payload or says why it cannot."""
    plain = StreamInformation(Fraction(25), 320, 256, Rectangle(0, 0, 320, 256))
    refused = set()
    for information in (
        replace(plain, schedule=PictureSchedule(9, (2, 3, 8))),
        replace(plain, face_square=FaceSquare(4, 8, 64), sequence=SequenceSchedule((3, 0), (1,))),
    ):
        payload = information.to_payload()
        for bit in range(8 * 17, 8 * len(payload)):
            damaged = bytearray(payload)
            damaged[bit // 8] ^= 128 >> bit % 8
            try:
                decode_payload(USER_DATA_UNREGISTERED, bytes(damaged), Codec.VVC)
            except PayloadError as error:
                refused.add(str(error).partition(" (at bit")[0])
    assert any("in the schedule of messages where" in reason for reason in refused)


SEQUENCE = SequenceSchedule((4, 0, 6, 2), (2, 5, 9), 1, two_references=True)
FACES = (
    FurtherFace(FaceSquare(40, 8, 96), (True, False, True, False), replace(SEQUENCE, sent=(3, 7))),
    FurtherFace(FaceSquare(300, 20, 64), (False,) * 4, replace(SEQUENCE, sent=())),
)


def of_faces(*faces: FurtherFace) -> StreamInformation:
    return StreamInformation(
        Fraction(25),
        640,
        360,
        Rectangle(0, 0, 640, 360),
        sequence=SEQUENCE,
        face_square=FaceSquare(0, 0, 128),
        further_faces=faces,
    )


def test_a_sequence_says_all_of_its_messages() -> None:
    both = replace(of_faces(), schedule=PictureSchedule(9, (2, 3, 8)))
    with pytest.raises(StreamError, match="has a sequence and a schedule"):
        StreamInformation.from_payload(both.to_payload())


def test_a_sequence_says_all_of_its_references() -> None:
    both = replace(of_faces(), references=ReferenceRuns(2, 0, (1,), (1,)))
    with pytest.raises(StreamError, match="has a sequence and references"):
        StreamInformation.from_payload(both.to_payload())


def test_further_faces_come_back() -> None:
    for faces in (FACES, FACES[:1], FACES[1:], (*FACES, FACES[0])):
        information = of_faces(*faces)
        assert StreamInformation.from_payload(information.to_payload()) == information
    assert of_faces(*FACES).face_squares == (
        FaceSquare(0, 0, 128),
        FaceSquare(40, 8, 96),
        FaceSquare(300, 20, 64),
    )


def test_which_coded_pictures_have_messages_of_a_further_face() -> None:
    """The first that draws it names the model; one that goes straight to the next has none."""
    face, absent = FACES
    assert [face.has_messages(number) for number in range(4)] == [True, False, True, False]
    straight = replace(face, schedule=replace(SEQUENCE, sent=(3,)))
    assert [straight.has_messages(number) for number in range(4)] == [True, False, False, False]
    last = replace(straight, drawn=(True, False, True, True))
    assert [last.has_messages(number) for number in range(4)] == [True, False, False, True]
    assert not any(absent.has_messages(number) for number in range(4))
    assert face.part(2).schedule == PictureSchedule(7, (3,))
    assert face.part(2).has_messages


@pytest.mark.parametrize(
    ("drawn", "sent", "reason"),
    [
        ((True, False, True), (), "of each coded picture it must be said"),
        ((True, True, True, False), (), "drawn by a coded picture that drives none"),
        ((True, False, False, False), (3, 7), "of a further face that is not drawn"),
        ((False, False, False, True), (10,), "of a further face that is not drawn"),
        ((True, False, True, True), (13,), "13 is not among"),
    ],
)
def test_further_faces_that_cannot_be(
    drawn: tuple[bool, ...], sent: tuple[int, ...], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        FurtherFace(FaceSquare(0, 0, 64), drawn, replace(SEQUENCE, sent=sent))


def test_damaged_further_faces_are_refused() -> None:
    payload = of_faces(*FACES).to_payload()
    for length in range(len(payload) - 24, len(payload)):
        with pytest.raises(StreamError, match="user data message is damaged"):
            StreamInformation.from_payload(payload[:length])
    # Five faces cannot be: two bits count those beside the first.
    with pytest.raises(PayloadError, match="further faces want a first one's square"):
        replace(of_faces(FACES[0]), face_square=None).to_payload()


def test_what_many_further_faces_cost_is_bounded() -> None:
    """The longest schedules that a message can have are read in the time that its bytes take."""
    coded = 65000
    sequence = SequenceSchedule((1, *[0] * (coded - 1)))
    drawn = (True, *[False] * (coded - 1))
    faces = [FurtherFace(FaceSquare(0, 0, 64), drawn, sequence)] * 3
    information = replace(of_faces(*faces), sequence=sequence)
    payload = information.to_payload()
    assert len(payload) > 3 * coded / 8
    assert StreamInformation.from_payload(payload) == information


def test_what_a_unit_states_is_parsed_once_where_it_is_read_and_once_where_it_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: Counter[bytes] = Counter()
    read = StreamInformation.from_payload

    def counted(payload: bytes) -> StreamInformation | None:
        parsed[payload] += 1
        return read(payload)

    monkeypatch.setattr(StreamInformation, "from_payload", counted)
    picture_units._parsed.cache_clear()
    path = STREAMS / "vvc_mesh_pool.266"
    stated = [unit.information for unit in read_face_stream(path, no_notes).units]
    assert len(set(stated)) == len(stated) == 3
    assert max(parsed.values()) == 1
    parsed.clear()
    decode_all(path, no_notes)
    assert list(parsed) == stated
    assert set(parsed.values()) == {2}
