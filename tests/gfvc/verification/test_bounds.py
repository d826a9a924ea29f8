"""What a verification may cost, whatever the stream."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.references import ReferenceRuns
from gfvc.verification import Severity, verify_stream
from gfvc.verification.verifier import MAX_FACES
from sei import (
    GENERATIVE_FACE_VIDEO,
    USER_DATA_UNREGISTERED,
    Codec,
    NalUnit,
    SeiMessage,
    make_sei_nal_unit,
)
from tests.gfvc.editing.streams import Faces, parameter_sets, slice_unit
from tests.gfvc.support import CommandLine


def faces(count: int) -> list[SeiMessage]:
    """A base message of each of many faces."""
    ids = (number for number in range(count + 256) if not 256 <= number < 512)
    return [Faces().gfv(0, gfv_id=number) for number in ids]


def stream_of(path: Path, messages: list[SeiMessage], pictures: int = 1) -> Path:
    def units() -> Iterator[NalUnit]:
        for number in range(pictures):
            yield from parameter_sets(Codec.VVC)
            yield slice_unit(Codec.VVC)
            share = messages[number::pictures]
            for start in range(0, len(share), 64):
                yield make_sei_nal_unit(share[start : start + 64], Codec.VVC)

    path.write_bytes(b"".join(unit.to_annex_b() for unit in units()))
    return path


def test_faces_are_counted_and_no_more_of_them_compared(tmp_path: Path) -> None:
    path = stream_of(tmp_path / "in.266", faces(MAX_FACES + 50))
    errors = [f for f in verify_stream(path) if f.severity is Severity.ERROR]
    assert [f.text for f in errors] == [
        "more than 1024 faces: this one and further ones are not checked"
    ]
    just = stream_of(tmp_path / "just.266", faces(MAX_FACES))
    assert not [f for f in verify_stream(just) if f.severity is Severity.ERROR]


def test_a_key_picture_that_is_missing_is_told_once(tmp_path: Path) -> None:
    """However often user data goes back to it: two bytes could ask for a line each."""
    starts = tuple(range(1, 1000))
    references = ReferenceRuns(8, 5, starts, tuple((start + 1) % 3 for start in starts))
    information = StreamInformation(
        Fraction(25), 256, 256, Rectangle(0, 0, 256, 256), references=references
    )
    message = SeiMessage(USER_DATA_UNREGISTERED, information.to_payload())
    units = [
        *parameter_sets(Codec.VVC),
        make_sei_nal_unit([message], Codec.VVC, suffix=False),
        slice_unit(Codec.VVC),
    ]
    path = tmp_path / "in.266"
    path.write_bytes(b"".join(unit.to_annex_b() for unit in units))
    missing = [f.text for f in verify_stream(path) if "is missing" in f.text]
    assert missing == [
        f"from picture {start} on key picture {number} is the reference, {5 - number} before this "
        "one, which is missing"
        for start, number in ((1, 3), (3, 4))
    ]


def peak_of(path: Path) -> int:
    """Most bytes that Python holds while a stream is verified."""
    gc.collect()
    tracemalloc.start()
    for _ in verify_stream(path):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def test_memory_does_not_grow_with_faces_and_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sei.state.MAX_NUMBERS", 2**16)  # 500 faces

    def peak(count: int, pictures: int) -> int:
        path = stream_of(tmp_path / "in.266", faces(count), pictures)
        return peak_of(path)

    peak(MAX_FACES, 4)
    # Were anything kept of each face or picture, it would be four times as much.
    assert peak(4 * MAX_FACES, 16) < 2 * peak(MAX_FACES + 10, 4)


def test_messages_beyond_the_limit_are_a_finding(tmp_path: Path, command: CommandLine) -> None:
    filler = [SeiMessage(3, b"")] * 300
    path = stream_of(tmp_path / "in.266", [Faces().gfv(0), *filler])
    assert command("verify", path, "--max-messages", "240").status == 0
    limited = command("verify", path, "--max-messages", "200")
    assert limited.status == 1
    errors = [line for line in limited.out.splitlines() if line.startswith("error")]
    assert len(errors) == 1
    assert (
        "more than 200 very small SEI messages: the rest is not read (--max-messages" in errors[0]
    )


def test_a_great_message_number_costs_nothing(tmp_path: Path) -> None:
    message = SeiMessage(GENERATIVE_FACE_VIDEO, b"\xff" * 200_000)
    tracemalloc.start()
    findings = list(verify_stream(stream_of(tmp_path / "in.266", [message])))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert any(finding.check == "damage" for finding in findings)
    assert most < 20_000_000


def test_large_parameter_sets_and_slices_are_not_kept(tmp_path: Path) -> None:
    """Their colours are compared, for which the beginning is enough."""

    def peak(sets: int) -> int:
        own = parameter_sets(Codec.VVC)
        large = [NalUnit(Codec.VVC, unit.data + b"\1" * 100_000) for unit in own]
        path = tmp_path / "in.266"
        units = [*own, *large * sets, *[slice_unit(Codec.VVC)] * 2]
        path.write_bytes(b"".join(unit.to_annex_b() for unit in units))
        return peak_of(path)

    peak(1)
    assert peak(40) < peak(4) + 1_000_000


def test_user_data_is_read_once_for_all_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few bytes of it can state 65 536 numbers."""
    information = StreamInformation(Fraction(25), 256, 256, Rectangle(0, 0, 256, 256))
    message = SeiMessage(USER_DATA_UNREGISTERED, information.to_payload())
    damaged = SeiMessage(USER_DATA_UNREGISTERED, message.payload[:-1])
    units = [
        *parameter_sets(Codec.VVC),
        make_sei_nal_unit([message, damaged, message], Codec.VVC, suffix=False),
        slice_unit(Codec.VVC),
    ]
    path = tmp_path / "in.266"
    path.write_bytes(b"".join(unit.to_annex_b() for unit in units))
    read: list[bytes] = []
    from_payload = StreamInformation.from_payload

    def counted(payload: bytes) -> StreamInformation | None:
        read.append(payload)
        return from_payload(payload)

    monkeypatch.setattr(StreamInformation, "from_payload", counted)
    findings = verify_stream(path)
    assert [f.text for f in findings if f.check == "user data" and "is damaged" in f.text]
    assert read == [message.payload, damaged.payload, message.payload]
