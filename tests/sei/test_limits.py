"""What a small file may cost: bounds on messages, elements and NAL units, and flat memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest
from bitstring import pack

from sei import Codec, NalUnit, SeiMessage, StreamError, make_sei_nal_unit, read_sei
from sei.__main__ import main
from sei.coder import UNREAD, Reader
from sei.elements import u
from sei.inspection import InspectedMessage, InspectedUnit, inspect_units
from sei.limits import ELEMENTS_PER_MESSAGE, LEAST_ELEMENTS, LimitError, ReadingLimit
from sei.nal import add_emulation_prevention
from sei.payload_kinds import _USER_DATA
from sei.rbsp import USER_DATA_UNREGISTERED, iterate_sei_messages
from sei.stream_summary import StreamSummary

HEADER = bytes.fromhex("5001")  # suffix SEI
TINY = NalUnit(Codec.HEVC, bytes.fromhex("0201 80"))
USUAL = NalUnit(Codec.HEVC, bytes.fromhex("0201 80") + bytes(range(1, 200)))
# A base message of a face: 100 keypoints at 0.
KEYPOINTS = pack("ue=0, ue=0, 0b1, 0b0, 0b0, 0b0, 0b1, 0b0, ue=5, ue=99, 0b0")
FACE = SeiMessage(223, (KEYPOINTS + [1] * 200 + [0, 1]).tobytes())
ELEMENTS_OF_FACE = 12 + 200


def filler_units(messages: int, each: int = 100) -> Iterator[NalUnit]:
    unit = make_sei_nal_unit([SeiMessage(3, b"")] * each, Codec.HEVC)
    return iter(repeat(unit, messages // each))


def messages_read(units: Iterator[NalUnit], limit: ReadingLimit) -> int:
    """Messages that were read before the limit ended it."""
    seen: list[InspectedUnit | InspectedMessage] = []
    with pytest.raises(LimitError, match=r"the rest is not read \(--max-messages raises"):
        seen.extend(inspect_units(units, limit=limit))
    return sum(isinstance(inspected, InspectedMessage) for inspected in seen)


def test_messages_are_limited() -> None:
    # Of 2 bytes each, and in NAL units of 203: 1000, and one for each 8 of the bytes so far.
    read = messages_read(filler_units(2000), ReadingLimit(1000))
    assert read == 1000 + 203 * 14 // 8
    assert len(list(inspect_units(filler_units(1000), limit=ReadingLimit(1000)))) == 1010


def test_messages_of_the_usual_size_are_not_limited() -> None:
    unit = make_sei_nal_unit([SeiMessage(4, bytes(range(1, 12)))] * 50, Codec.HEVC)
    seen = sum(1 for _ in inspect_units(repeat(unit, 100), limit=ReadingLimit(10)))
    assert seen == 100 * 51


def test_elements_are_limited() -> None:
    units = repeat(make_sei_nal_unit([FACE] * 10, Codec.HEVC))
    read = messages_read(iter(units), ReadingLimit(1000))
    assert read == 1000 * ELEMENTS_PER_MESSAGE // ELEMENTS_OF_FACE + 1


def test_elements_of_other_messages_are_limited_where_there_are_very_many() -> None:
    def read(c: Reader, given: object) -> None:
        c.array((u("number", 8),), UNREAD, 1000, lambda: ((i,) for i in range(1000)))

    uuid = bytes(range(16))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(_USER_DATA, uuid, read)
        message = SeiMessage(USER_DATA_UNREGISTERED, uuid + bytes(range(1, 101)) * 10)
        units = repeat(make_sei_nal_unit([message] * 10, Codec.HEVC))
        found = messages_read(iter(units), ReadingLimit(1000))
    assert found == 1000 * ELEMENTS_PER_MESSAGE // (1 + 1000 - LEAST_ELEMENTS) + 1
    short = SeiMessage(USER_DATA_UNREGISTERED, bytes(range(1, 101)))
    usual = repeat(make_sei_nal_unit([short] * 10, Codec.HEVC), 5000)
    assert sum(1 for _ in inspect_units(usual, limit=ReadingLimit(1000))) == 5000 * 11


def test_face_messages_of_few_elements_are_limited_in_number() -> None:
    """A message costs more than its elements; so the time that a file takes is bounded."""
    one_keypoint = pack("ue=0, ue=0, 0b1, 0b0, 0b0, 0b0, 0b1, 0b0, ue=5, ue=0, 0b0, 0b11, 0b01")
    short = SeiMessage(223, one_keypoint.tobytes() + bytes(range(1, 9)) + b"\x80")
    read = messages_read(repeat(make_sei_nal_unit([short] * 10, Codec.HEVC)), ReadingLimit(1000))
    assert read == 1000 * ELEMENTS_PER_MESSAGE // LEAST_ELEMENTS + 1


def test_very_small_nal_units_are_limited_and_usual_ones_are_not() -> None:
    assert messages_read(iter(repeat(TINY)), ReadingLimit(1000)) == 0
    count = sum(1 for _ in inspect_units(repeat(USUAL, 5000), limit=ReadingLimit(10)))
    assert count == 5000


@pytest.mark.parametrize("kind", ["messages", "faces", "NAL units"])
def test_memory_does_not_grow_with_the_stream(kind: str) -> None:
    def peak(count: int) -> int:
        units = {
            "messages": filler_units(count),
            "faces": repeat(make_sei_nal_unit([FACE], Codec.HEVC), count // 10),
            "NAL units": repeat(TINY, count),
        }[kind]
        summary = StreamSummary()
        tracemalloc.start()
        for inspected in inspect_units(units, limit=ReadingLimit()):
            summary.add(inspected)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1000)
    assert peak(20_000) < peak(2_000) + 100_000


def test_a_nal_unit_of_ever_so_many_messages_is_not_held() -> None:
    data = HEADER + b"\x03\x00" * 1_000_000 + b"\x80"
    unit = NalUnit(Codec.HEVC, data)
    tracemalloc.start()
    with pytest.raises(StreamError, match="more than 65536 messages"):
        read_sei(unit)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40_000_000


@pytest.mark.parametrize("start", [b"", b"\xdf", b"\x05"], ids=["type", "face size", "user size"])
def test_one_bits_take_no_time(start: bytes) -> None:
    rbsp = start + b"\xff" * 16_000_000
    begun = time.process_time()
    assert list(_until_damage(rbsp)) == []
    assert time.process_time() - begun < 2  # a loop over its bytes takes more


def _until_damage(rbsp: bytes) -> Iterator[SeiMessage]:
    with pytest.raises(ValueError, match="runs past the end"):
        yield from iterate_sei_messages(rbsp)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "many.265"
    rbsp = SeiMessage(3, b"").to_bytes() * 500 + b"\x80"
    path.write_bytes(b"\0\0\1" + HEADER + add_emulation_prevention(rbsp))
    arguments = [str(path), "--codec", "hevc", "--summary"]
    # 1003 bytes: 125 messages besides.
    assert main([*arguments, "--max-messages", "375"]) == 0
    assert "filler_payload (3)" in capsys.readouterr().out
    assert main([*arguments, "--max-messages", "374"]) == 1
    printed = capsys.readouterr()
    assert "│    499 │" in printed.out  # what was read is shown
    assert printed.err.count("\n") == 1
    assert printed.err.startswith(
        f"error: {path}: more than 374 very small SEI messages: the rest is not read"
    )
