"""Whatever is given to what the package exports: an error of the package, in one line, or right."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sei
from sei import (
    AccessUnitBoundaries,
    ArgumentError,
    ChromaKey,
    Codec,
    Coordinates,
    FaceValues,
    GenerativeFaceVideo,
    GenerativeFaceVideoEnhancement,
    GfveState,
    GfvState,
    Matrices,
    MatrixElement,
    MatrixLayout,
    MatrixShape,
    MatrixType,
    MatrixValues,
    MessageError,
    NalUnit,
    NetworkPayload,
    NetworkUri,
    Pupils,
    SeiError,
    SeiMessage,
    SeiRbsp,
    StreamError,
)
from sei.content_messages import Restriction, TextDescription, UsageRestrictions
from sei.nal import nal_unit_header

STREAM = bytes.fromhex("00000001 0079 000d02 00000001 0081 80 000001 0041 c40243")
UNIT = NalUnit(Codec.VVC, bytes.fromhex("00c1 df 02 abcd 80"))
BASE: Any = {"gfv_id": 0, "gfv_cnt": 0, "base_picture_flag": True}
OTHER: Any = {"gfve_id": 0, "gfv_id": 0, "gfv_cnt": 0, "base_picture_flag": True}
VALUES = FaceValues(
    keypoints=((1, 2), (3, 4)),
    keypoint_precision_factor=8,
    matrices=(MatrixValues(MatrixType.COMPACT_FEATURE, 8, (((1, 2),),)),),
)
EYES = FaceValues(pupils=((1, 2), (3, 4)), pupil_precision_factor=8)
NETWORK = NetworkUri("tag:example.org,2026:face", "https://example.org/face")


Call = Callable[[], Any]


class Odd:
    """Of no kind that anything takes."""

    __hash__ = None  # type: ignore[assignment]


ODD: list[Any] = [
    *(None, True, -1, 10**30, 2.5, float("nan"), "x", b"x", (), [], {}, [None], ((1, 2),), [[]]),
    *(Odd(), Odd, Path("x"), np.zeros((2, 2)), np.zeros(3), io.StringIO("x"), Codec.VVC, UNIT),
    *("\ud800", "a\0b", SeiMessage(5, b""), VALUES, EYES, NETWORK, memoryview(b"ab")),
]


def message() -> GenerativeFaceVideo:
    return GfvState().predict(VALUES, **BASE, network=NETWORK, chroma_key=ChromaKey())


def enhancement() -> GenerativeFaceVideoEnhancement:
    return GfveState().predict(EYES, **OTHER)


def with_odd(given: Any, name: str, make: Call) -> Any:
    """The same with another part."""
    return replace(given, **{name: make()})


def altered(given: Any) -> Iterator[Call]:
    """Something with each of its parts, however deep, made odd."""
    for name in (field.name for field in fields(given) if field.init):
        for odd in ODD:
            yield partial(with_odd, given, name, partial(itself, odd))
        part = getattr(given, name)
        if is_dataclass(part):
            for make in altered(part):
                yield partial(with_odd, given, name, make)


def itself(odd: Any) -> Any:
    return odd


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "split": lambda x: list(sei.split_annex_b(x, Codec.VVC)),
    "split codec": lambda x: list(sei.split_annex_b(STREAM, x)),
    "split named": lambda x: list(sei.split_annex_b(STREAM, named=x)),
    "join": sei.join_annex_b,
    "guess": sei.guess_codec,
    "guess named": lambda x: sei.guess_codec([b"\0\x79\0\x0d\2"], x),
    "access units": lambda x: list(sei.access_units(x)),
    "boundaries": lambda x: AccessUnitBoundaries().starts_here(x),
    "base layer": lambda x: AccessUnitBoundaries().in_base_layer(x),
    "prevention": sei.add_emulation_prevention,
    "no prevention": sei.remove_emulation_prevention,
    "end": sei.end_of_sequence,
    "delimiter": sei.irap_delimiter,
    "messages": lambda x: list(sei.iterate_sei_messages(x)),
    "read_sei": sei.read_sei,
    "printable": sei.printable,
    "make": lambda x: sei.make_sei_nal_unit(x, Codec.VVC),
    "make one": lambda x: sei.make_sei_nal_unit([x], Codec.VVC),
    "make codec": lambda x: sei.make_sei_nal_unit([SeiMessage(5, b"")], x),
    "payload": lambda x: sei.make_sei_nal_unit([SeiMessage(5, x)], Codec.VVC),
    "type": lambda x: sei.make_sei_nal_unit([SeiMessage(x, b"")], Codec.VVC),
    "rbsp": lambda x: sei.make_sei_nal_unit(SeiRbsp(x), Codec.VVC),
    "trailing": lambda x: sei.make_sei_nal_unit(SeiRbsp((SeiMessage(5, b""),), x), Codec.VVC),
    "read": lambda x: GfvState().read(x),
    "trace": lambda x: GfvState().read(GfvState().write(message()), x),
    "read enhancement": lambda x: GfveState().read(x),
    "restrictions": UsageRestrictions.from_payload,
    "text": TextDescription.from_payload,
}


def make_with(name: str, odd: Any) -> bytes:
    return sei.make_sei_nal_unit([SeiMessage(5, b"")], Codec.VVC, **{name: odd}).to_annex_b()


def write_face(values: Any, **changed: Any) -> bytes:
    return GfvState().write(GfvState().predict(values, **(BASE | changed)))


def write_eyes(values: Any, **changed: Any) -> bytes:
    return GfveState().write(GfveState().predict(values, **(OTHER | changed)))


def write_matrix(matrix: Any) -> bytes:
    return write_face(replace(VALUES, matrices=(matrix,)))


def of_made(function: Callable[[Any], Any], make: Call) -> Any:
    return function(make())


def calls() -> Iterator[tuple[str, Call]]:
    for odd in ODD:
        for name, function in FUNCTIONS.items():
            yield name, partial(function, odd)
        for function in (GfvState().write, GfveState().write, write_face, write_eyes):
            yield str(function), partial(function, odd)
        for name in ("layer_id", "temporal_id", "start_code_size"):
            yield name, partial(make_with, name, odd)
        for name in ("gfv_id", "gfv_cnt", "base_picture_flag", "network"):
            yield name, partial(write_face, VALUES, **{name: odd})
            yield name, partial(write_eyes, EYES, **{name: odd})
        for name in ("z_max_value", "chroma_key", "predict_keypoints"):
            yield name, partial(write_face, VALUES, **{name: odd})
    kinds: list[tuple[Callable[[Any], Any], Any]] = [
        (write_face, VALUES),
        (write_matrix, VALUES.matrices[0]),
        (write_eyes, EYES),
        (GfvState().write, message()),
        (GfveState().write, enhancement()),
        (NalUnit.to_annex_b, UNIT),
        (TextDescription.to_payload, TextDescription(2, texts=(("en", "text"),))),
        (UsageRestrictions.to_payload, UsageRestrictions((Restriction(1),))),
    ]
    for function, given in kinds:
        for make in altered(given):
            yield type(given).__name__, partial(of_made, function, make)


def what_comes_out(name: str, call: Call) -> str | None:
    """The error of the package, if one comes out; another one fails."""
    try:
        call()
    except SeiError as error:
        return str(error)
    except Exception as error:
        raise AssertionError(f"{name}: {type(error).__name__}: {error}, by {call}") from error
    return None


def test_only_errors_of_the_package_come_out() -> None:
    errors = [what_comes_out(name, call) for name, call in calls()]
    texts = [text for text in errors if text is not None]
    assert len(texts) > 1000
    for text in texts:
        assert text
        assert "\n" not in text


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: list(sei.split_annex_b("talk.266")), r"source must be .*open\(path, 'rb'\)"),  # type: ignore[arg-type]
        (lambda: list(sei.split_annex_b(io.StringIO("x"))), "what the file gives must be bytes"),  # type: ignore[arg-type]
        (lambda: list(sei.split_annex_b(STREAM, "vvc")), "codec must be a sei.Codec"),  # type: ignore[arg-type]
        (lambda: sei.read_sei(None), "a NAL unit must be a sei.NalUnit, not NoneType"),  # type: ignore[arg-type]
        (lambda: SeiMessage(5, "text"), "an SEI payload must be bytes, not str"),  # type: ignore[arg-type]
        (lambda: SeiMessage(5.0, b""), "payloadType must be an integer, not float"),  # type: ignore[arg-type]
        (lambda: GfvState().write(enhancement()), "must be a sei.GenerativeFaceVideo, not"),  # type: ignore[arg-type]
        (lambda: sei.add_emulation_prevention(np.zeros(2)), "not items of 8 bytes"),  # type: ignore[arg-type]
    ],
)
def test_what_is_of_the_wrong_kind_is_told(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(ArgumentError, match=says) as raised:
        call()
    assert isinstance(raised.value, TypeError)


def as_array(data: bytes) -> Any:
    return np.frombuffer(data, np.uint8)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, as_array])
def test_bytes_of_any_kind_are_taken(kind: Callable[[bytes], Any]) -> None:
    assert list(sei.split_annex_b(kind(STREAM))) == list(sei.split_annex_b(STREAM))
    payload = GfvState().write(message())
    assert GfvState().read(kind(payload)) == GfvState().read(payload)
    made = SeiMessage(5, kind(b"ab"))
    assert made == SeiMessage(5, b"ab")
    assert type(made.payload) is bytes
    unit = NalUnit(Codec.VVC, kind(UNIT.data))
    assert unit == UNIT
    assert hash(unit) == hash(UNIT)
    assert sei.remove_emulation_prevention(kind(b"\0\0\3\1")) == b"\0\0\1"
    if kind is as_array:
        return  # messages are compared, which arrays do not allow
    network = NetworkPayload(kind(b"\1\2"))
    written = GfvState().write(replace(message(), network=network))
    assert GfvState().read(written).network == NetworkPayload(b"\1\2")


def test_numbers_of_numpy_are_taken() -> None:
    keypoints, matrices = np.array([[1, 2], [3, 4]]), np.array([[[1, 2]]])
    of_arrays = replace(
        VALUES,
        keypoints=keypoints,  # type: ignore[arg-type]
        matrices=(MatrixValues(MatrixType.COMPACT_FEATURE, 8, matrices),),  # type: ignore[arg-type]
    )
    predicted = GfvState().predict(of_arrays, **BASE)
    assert GfvState().write(predicted) == GfvState().write(GfvState().predict(VALUES, **BASE))


@pytest.mark.parametrize("p", [-1, 0, 33, None, 8.0, "8", 10**12])
def test_precision_factors_are_checked_before_they_shift(p: Any) -> None:
    matrices = (replace(VALUES.matrices[0], precision_factor=p),)
    for values in (
        replace(VALUES, keypoint_precision_factor=p),
        replace(VALUES, keypoints=None, matrices=matrices),
    ):
        with pytest.raises(MessageError, match="precision factor"):
            GfvState().predict(values, **BASE)
    with pytest.raises(MessageError, match="precision factor"):
        GfveState().predict(replace(EYES, pupil_precision_factor=p), **OTHER)


def test_what_is_written_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MessageError, match=r"70000 messages, at most 65536 .* make several"):
        sei.make_sei_nal_unit([SeiMessage(5, b"")] * 70_000, Codec.VVC)
    with pytest.raises(MessageError, match="at most 16777216 are read: make several"):
        sei.make_sei_nal_unit([SeiMessage(5, b"x" * (17 << 20))], Codec.VVC)
    with pytest.raises(MessageError, match="payloadType 1099511627776 must be within"):
        SeiMessage(2**40, b"")
    with pytest.raises(MessageError, match="trailing must be the byte 80"):
        sei.make_sei_nal_unit(SeiRbsp((SeiMessage(5, b""),), b"\x40"), Codec.VVC)
    with pytest.raises(StreamError, match="must not hold 00 00 01"):
        NalUnit(Codec.HEVC, b"\x4e\1\0\0\1\x80").to_annex_b()
    monkeypatch.setattr("sei.nal.MAX_NAL_UNIT_SIZE", 4)
    with pytest.raises(StreamError, match="at most 4 are read"):
        UNIT.to_annex_b()


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("payload", [b"\0", b"\0\0", b"\x80\0", bytes(5), b"", b"\x80"])
def test_zero_bytes_at_the_end_are_not_written(codec: Codec, payload: bytes) -> None:
    for header in (nal_unit_header(codec, 1), bytes(1 if codec is Codec.AVC else 2)):
        unit = NalUnit(codec, header + payload)
        if unit.data[-1]:
            written = unit.to_annex_b()
            assert [each.data for each in sei.split_annex_b(written, codec)] == [unit.data]
            continue
        for write in (unit.to_annex_b, lambda unit=unit: sei.join_annex_b([unit])):
            with pytest.raises(StreamError, match=r"must not (end in a zero byte|hold 00 00 01)"):
                write()


@pytest.mark.parametrize("zeros", range(7))
def test_zero_bytes_after_the_trailing_bits_come_in_pairs(zeros: int) -> None:
    rbsp = SeiRbsp((SeiMessage(5, bytes(16)),), b"\x80" + bytes(zeros))
    if zeros % 2:
        with pytest.raises(MessageError, match="pairs of zero bytes"):
            sei.make_sei_nal_unit(rbsp, Codec.VVC)
        return
    written = sei.make_sei_nal_unit(rbsp, Codec.VVC).to_annex_b()
    (unit,) = sei.split_annex_b(written, Codec.VVC)
    assert sei.read_sei(unit) == rbsp


@pytest.mark.parametrize(
    "kind", [{"start_code_size": 2}, {"leading_zeros": -1}, {"trailing_zeros": -1}]
)
def test_what_stands_around_a_nal_unit_is_checked(kind: dict[str, int]) -> None:
    with pytest.raises(StreamError, match=rf"{next(iter(kind))} is -?\d, must be"):
        NalUnit(Codec.VVC, UNIT.data, **kind)


def test_files_that_give_nothing_yet_are_no_end() -> None:
    class Waiting(io.BytesIO):
        def read(self, size: int | None = -1) -> Any:
            return super().read(size) or None

    with pytest.raises(StreamError, match="let it block"):
        list(sei.split_annex_b(Waiting(STREAM)))


def test_a_state_stays_as_it_was() -> None:
    state = GfvState()
    state.write(message())
    before = state.values
    with pytest.raises(SeiError):
        state.write(replace(message(), coordinates=Coordinates((("x",),), False, None)))  # type: ignore[arg-type]
    element = MatrixElement(1, 2)
    matrices = Matrices((element,), False, MatrixLayout(8, (MatrixShape(7, 1, 1, None),)))  # type: ignore[arg-type]
    with pytest.raises(SeiError):
        state.write(replace(message(), matrices=matrices))
    with pytest.raises(SeiError):
        GfveState().write(replace(enhancement(), pupils=Pupils((1,), None, 8)))  # type: ignore[arg-type]
    assert state.values == before
