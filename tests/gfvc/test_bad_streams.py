"""Streams that lie, lack something or are damaged: one line, nothing written, little memory."""

from __future__ import annotations

import contextlib
import resource
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bitstring import BitArray, pack
from hypothesis import given
from hypothesis import strategies as st

from gfvc import GfvcError, StreamError
from gfvc.parameter_coding import to_parameters
from gfvc.stream.information import USER_DATA_UUID
from gfvc.stream.reader import read_face_stream
from models import default_registry
from sei import (
    GENERATIVE_FACE_VIDEO,
    USER_DATA_UNREGISTERED,
    NalUnit,
    SeiMessage,
    join_annex_b,
    make_sei_nal_unit,
    read_sei,
)
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    face_values,
    ffmpeg,
    nal_units,
    no_notes,
    replace_messages,
    write_units,
)

URI = b"gfvc:mesh:1"
LITTLE = 128 * 2**20  # bytes


def payload(*parts: str) -> bytes:
    """Bytes of a message payload given as bitstring tokens, closed by its trailing bits."""
    bits = BitArray()
    for part in parts:
        bits += pack(part)
    if len(bits) % 8:
        bits += "0b1"
        bits += [0] * (-len(bits) % 8)
    return bits.tobytes()


def base_message(*parts: str, uri: bytes = URI) -> bytes:
    """A base message that names a model; `parts` start at the coordinate present flag.

    gfv_id 0, gfv_cnt 0, base, network, mode 1, then the two strings, no chroma key, confident.
    """
    network = "ue=0, ue=0, 0b1, 0b1, ue=1"
    zeros = -len(pack(network)) % 8
    strings = (b"tag:made\0" + uri + b"\0").hex()
    aligned = (f"uint:{zeros}=0",) if zeros else ()
    return payload(network, *aligned, f"0x{strings}", "0b0", "0b0", *parts)


ZEROS = ["ue=0, uint:8=0"] * 14
# matrix present, precision 8, one type: 7, 1 matrix, 14 wide, 1 high; an element is 0, 0.
MESH_MATRIX = ("0b0, 0b1, ue=7, ue=0, uint:6=7, ue=0, ue=13, ue=0", *ZEROS)
MESH_BASE = base_message(*MESH_MATRIX)
MESH_DRIVEN = "0b0, 0b0, 0b1, 0b1"  # confident, no coordinates, matrices, predicted
STILL = ["ue=0, ue=0"] * 14


def driven_message(count: int, *values: str) -> bytes:
    return payload(f"ue=0, ue={count}", MESH_DRIVEN, *(values or STILL))


def messages(*payloads: bytes) -> Callable[[list[NalUnit]], bytes]:
    """Make a stream of the first key picture and these messages."""
    made = [SeiMessage(GENERATIVE_FACE_VIDEO, data) for data in payloads]
    return lambda units: join_annex_b(replace_messages(units, made))


def without(keep: Callable[[NalUnit], bool]) -> Callable[[list[NalUnit]], bytes]:
    return lambda units: join_annex_b(unit for unit in units if keep(unit))


def second_picture_missing(units: list[NalUnit]) -> bytes:
    pictures = [index for index, unit in enumerate(units) if unit.is_vcl]
    return join_annex_b(units[: pictures[1]] + units[pictures[1] + 1 :])


def suffix_missing(units: list[NalUnit]) -> bytes:
    """Of three NAL units of messages after a key picture the second is lost."""
    [key, *driven] = read_sei(next(u for u in units if u.is_suffix_sei)).messages
    first = next(index for index, unit in enumerate(units) if unit.is_suffix_sei)
    groups = ([key, driven[0]], [driven[2]])
    made = [make_sei_nal_unit(group, units[0].codec) for group in groups]
    return join_annex_b([*units[:first], *made])


def driven_only(units: list[NalUnit]) -> bytes:
    """The base message is gone, what follows predicts from it."""
    [_, *driven] = read_sei(next(u for u in units if u.is_suffix_sei)).messages
    return join_annex_b(replace_messages(units, driven))


def damaged_message(units: list[NalUnit]) -> bytes:
    """The second of four messages lost its last bytes."""
    key, second, *others = read_sei(next(u for u in units if u.is_suffix_sei)).messages
    short = SeiMessage(second.payload_type, second.payload[:2])
    return join_annex_b(replace_messages(units, [key, short, *others]))


def payload_size(stated: bytes) -> Callable[[list[NalUnit]], bytes]:
    """A message in the middle of the stream states another payloadSize than it has."""

    def make(units: list[NalUnit]) -> bytes:
        first = next(index for index, unit in enumerate(units) if unit.is_suffix_sei)
        data = units[first].data[:2] + bytes([GENERATIVE_FACE_VIDEO]) + stated + MESH_BASE + b"\x80"
        return join_annex_b([*units[:first], NalUnit(units[0].codec, data), *units[first + 1 :]])

    return make


def user_data(body: bytes) -> Callable[[list[NalUnit]], bytes]:
    """The first key picture, with another user data message of ours."""

    def make(units: list[NalUnit]) -> bytes:
        ours = SeiMessage(USER_DATA_UNREGISTERED, USER_DATA_UUID.bytes + body)
        unit = make_sei_nal_unit([ours], units[0].codec, suffix=False)
        return join_annex_b(unit if u.is_prefix_sei else u for u in units)

    return make


def message_first(units: list[NalUnit]) -> bytes:
    pictures = [unit for unit in units if not unit.is_suffix_sei]
    return join_annex_b([*(u for u in units if u.is_suffix_sei), *pictures])


BAD_STREAMS: dict[str, tuple[Callable[[list[NalUnit]], bytes], str]] = {
    "no messages": (without(lambda unit: not unit.is_suffix_sei), "no generative face video"),
    "no pictures": (without(lambda unit: not unit.is_vcl), "before any coded picture"),
    "messages before the first picture": (message_first, "before any coded picture"),
    "no parameter sets": (
        without(lambda unit: unit.is_vcl or unit.is_sei),
        "no SPS and no PPS comes before the first of them, at byte",
    ),
    "a key picture missing": (second_picture_missing, "its coded picture is missing"),
    "messages missing": (suffix_missing, "number 3 of its key picture where number 2 is due"),
    "base message missing": (driven_only, "start at a base message"),
    "base message twice": (messages(MESH_BASE, MESH_BASE), "a second base message"),
    "messages in the wrong order": (
        messages(MESH_BASE, driven_message(2), driven_message(1)),
        "number 2 of its key picture where number 1 is due",
    ),
    "driven picture first": (
        messages(payload("ue=0, ue=1, 0b0, 0b0, 0b1, 0b0, ue=7, ue=0, uint:6=7, ue=0, ue=0, ue=0",
                         "ue=0, uint:8=0")),
        "no base message",
    ),
    "damaged message": (damaged_message, "message 1 (NAL unit at byte"),
    "empty message": (messages(MESH_BASE, b""), "message 1"),
    "size past the end": (payload_size(b"\x7f"), "payloadSize 127 of payloadType 223 is more"),
    "huge size": (payload_size(b"\xff" * 3000 + b"\x01"), "payloadSize 765001"),
    "size without end": (payload_size(b"\xff" * 5000), "is more than"),
    "no model named": (
        messages(payload("ue=0, ue=0, 0b1, 0b0, 0b0, 0b0", *MESH_MATRIX)),
        "names no model",
    ),
    "unknown model": (
        messages(base_message(*MESH_MATRIX, uri=b"https://example.org/model")),
        "no model has the URI 'https://example.org/model'",
    ),
    "URI that is no UTF-8": (
        messages(base_message(*MESH_MATRIX, uri=b"gfvc:\xff\xfe:1")),
        "UTF-8",
    ),
    "URI without end": (
        messages(payload("ue=0, ue=0, 0b1, 0b1, ue=1, uint:1=0", "0x" + b"x".hex() * 3000)),
        "message 0",
    ),
    "URI with line breaks": (
        messages(base_message(*MESH_MATRIX, uri=b"a\nTraceback\x1b[31m")),
        r"'a\nTraceback\x1b[31m'",
    ),
    "layout of another model": (
        messages(
            base_message("0b0, 0b1, ue=7, ue=0, uint:6=7, ue=0, ue=1, ue=0", *ZEROS[:2])
        ),
        "its model wants 0 keypoints and [(7, 1, 1, 14)]",
    ),
    "keypoints where the model has none": (
        messages(base_message("0b1, 0b0, ue=7, ue=0, 0b0, ue=0, ue=0, 0b0")),
        "carries 1 keypoints",
    ),
    "a layout that changes": (
        messages(
            MESH_BASE,
            payload("ue=0, ue=1, 0b0, 0b0, 0b1, 0b0, ue=7, ue=0, uint:6=9, ue=0, ue=0, ue=0",
                    "ue=0, uint:8=0"),
        ),
        "[(9, 1, 1, 1)]",
    ),
    "keypoints by the milliard": (
        messages(base_message("0b1, 0b0, ue=7, ue=4294967294, 0b0, ue=0, ue=0")),
        "message 0",
    ),
    "keypoints by the million": (
        messages(base_message("0b1, 0b0, ue=7, ue=1000000, 0b0", "ue=0, ue=0")),
        "message 0",
    ),
    "matrices of 2^30 elements": (
        messages(
            base_message("0b0, 0b1, ue=7, ue=0, uint:6=7, ue=1023, ue=1023, ue=1023", "ue=0")
        ),
        "message 0",
    ),
    "64 types of 2^30 elements": (
        messages(
            base_message(
                "0b0, 0b1, ue=7, ue=63", *["uint:6=9, ue=1023, ue=1023, ue=1023"] * 64, "ue=0"
            )
        ),
        "message 0",
    ),
    "matrix types by the milliard": (
        messages(base_message("0b0, 0b1, ue=7, ue=4294967294")),
        "message 0",
    ),
    "an Exp-Golomb code of zeros": (messages(bytes(400)), "message 0"),
    "user data cut short": (user_data(b"\1\0\0"), "rate_numerator: 32 bits wanted"),
    "a picture rate of 0": (
        user_data(bytes.fromhex("01 00000000 0001 01 0100 0100 0000 0000 0100 0100")),
        "rate_numerator is 0",
    ),
    "several pictures a message": (
        user_data(bytes.fromhex("01 00000019 0001 05 0100 0100 0000 0000 0100 0100")),
        "pictures_per_message is 5",
    ),
}  # fmt: skip


@pytest.fixture(params=BAD_STREAMS)
def bad_stream(
    request: pytest.FixtureRequest, small_stream: Path, tmp_path: Path
) -> tuple[Path, str]:
    make, says = BAD_STREAMS[request.param]
    path = tmp_path / "bad.265"
    path.write_bytes(make(nal_units(small_stream)))
    return path, says


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """Let the process take `LITTLE` bytes more than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + LITTLE
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_a_bad_stream_is_refused_in_one_line(
    bad_stream: tuple[Path, str], tmp_path: Path, command: CommandLine
) -> None:
    path, says = bad_stream
    line = assert_refused(command, "decode", path, tmp_path / "out.mkv", folder=tmp_path, says=says)
    assert str(path) in line


def test_a_bad_stream_takes_little_memory(bad_stream: tuple[Path, str]) -> None:
    path, _ = bad_stream
    with little_memory(), contextlib.suppress(StreamError):
        read_face_stream(path, no_notes)


def test_made_messages_are_as_the_decoder_wants_them(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    """The bad streams above are bad for the one reason that they are made for."""
    stream = tmp_path / "good.265"
    make = messages(MESH_BASE, driven_message(1), driven_message(2))
    stream.write_bytes(make(nal_units(small_stream)))
    outcome = command("decode", stream, tmp_path / "out.mkv", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    assert '"frames": 3' in outcome.out


def test_extreme_values_are_drawn_or_refused(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    stream = tmp_path / "far.265"
    far = ["ue=2000000, ue=0, 0b1"] * 14
    farther = ["ue=4294967293, ue=4294967293, 0b0"] * 14
    make = messages(MESH_BASE, driven_message(1, *far), driven_message(2, *farther))
    stream.write_bytes(make(nal_units(small_stream)))
    outcome = command("decode", stream, tmp_path / "out.mkv")
    assert outcome.status in (0, 1)
    assert outcome.err.count("\n") == 1
    assert "Traceback" not in outcome.err


@given(
    damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=4),
    lost=st.floats(0, 0.2),
)
def test_any_damage_to_messages_is_read_or_refused(
    small_stream: Path, damage: list[tuple[float, int]], lost: float
) -> None:
    units = nal_units(small_stream)
    first = next(index for index, unit in enumerate(units) if unit.is_suffix_sei)
    data = bytearray(units[first].data[: round((1 - lost) * units[first].size)])
    for place, value in damage:
        data[2 + int(place * (len(data) - 3))] = value
    data[-1] = data[-1] or 0x80  # a NAL unit that ends in a zero byte cannot be told from others
    damaged = NalUnit(units[0].codec, bytes(data))
    layout = default_registry().find("mesh").card.layout
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(GfvcError):
        path = write_units(Path(folder, "x.265"), [*units[:first], damaged, *units[first + 1 :]])
        stream = read_face_stream(path, lambda text: None)
        # A coded picture that lost its messages is shown as it is.
        assert stream.pictures == sum(max(1, len(of_key)) for of_key in face_values(stream))
        for values in face_values(stream)[0]:
            assert to_parameters(values, layout, path).matrices[0][1].shape == (1, 1, 14)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_damaged_key_picture_is_drawn_or_refused(
    small_stream: Path, tmp_path: Path, command: CommandLine, place: float
) -> None:
    units = nal_units(small_stream)
    index = next(index for index, unit in enumerate(units) if unit.is_vcl)
    data = bytearray(units[index].data)
    data[int(place * len(data))] ^= 0x5A
    units[index] = NalUnit(units[index].codec, bytes(data))
    stream = write_units(tmp_path / "damaged.265", units)
    outcome = command("decode", stream, tmp_path / "out.mkv")
    assert outcome.status in (0, 1)
    assert outcome.err.count("\n") == 1
    assert (tmp_path / "out.mkv").exists() == (outcome.status == 0)


def test_reserved_and_other_faces_are_passed_over(small_stream: Path, tmp_path: Path) -> None:
    stream = tmp_path / "several.265"
    reserved = payload("ue=300", "0b10101010")
    other = payload("ue=5, ue=0, 0b1, 0b0, 0b0, 0b0", *MESH_MATRIX)
    make = messages(reserved, MESH_BASE, other, driven_message(1))
    stream.write_bytes(make(nal_units(small_stream)))
    notes: list[str] = []
    assert read_face_stream(stream, notes.append).pictures == 2
    assert notes == [f"{stream}: carries several faces; only gfv_id 0 is drawn"]


def not_a_stream(folder: Path, clip: Path) -> Path:
    path = folder / "in.265"
    path.write_text("VVC is a video codec.\n" * 100)
    return path


def empty(folder: Path, clip: Path) -> Path:
    path = folder / "in.265"
    path.write_bytes(b"")
    return path


def zeros(folder: Path, clip: Path) -> Path:
    path = folder / "in.265"
    path.write_bytes(bytes(10_000))
    return path


def start_codes(folder: Path, clip: Path) -> Path:
    path = folder / "in.265"
    path.write_bytes(b"\0\0\1" * 1000)
    return path


def a_folder(folder: Path, clip: Path) -> Path:
    path = folder / "in.265"
    path.mkdir()
    return path


def missing(folder: Path, clip: Path) -> Path:
    return folder / "in.265"


def h264(folder: Path, clip: Path) -> Path:
    path = folder / "in.264"
    ffmpeg("-i", clip, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-f", "h264", path)
    return path


def a_video(folder: Path, clip: Path) -> Path:
    path = folder / "in.mp4"
    ffmpeg("-i", clip, "-c:v", "libx264", "-pix_fmt", "yuv420p", path)
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (not_a_stream, "no start code"),
        (empty, "is empty"),
        (zeros, "in.265: "),
        (start_codes, "in.265: "),
        (a_folder, "is a folder"),
        (missing, "no such file"),
        (h264, "an AVC stream; VVC or HEVC is wanted"),
        (a_video, "VVC or HEVC is wanted"),
    ],
)
def test_what_is_no_stream_is_refused(
    make: Callable[[Path, Path], Path],
    says: str,
    short_clip: Path,
    tmp_path: Path,
    command: CommandLine,
) -> None:
    path = make(tmp_path, short_clip)
    assert_refused(command, "decode", path, tmp_path / "out.mkv", folder=tmp_path, says=says)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "is a folder, not a file"),
        ("/dev/null", "is not a file but a device or a socket"),
        ("missing.265", "no such file"),
        ("missing/in.265", "no such file"),
    ],
)
@pytest.mark.parametrize(
    "arguments",
    [
        *(
            "encode IN out.265",
            "decode IN out.mkv",
            "inspect IN",
            "extract IN",
            "remove IN out.265",
        ),
        *("inject a.265 IN out.265", "edit IN out.265 --yaw 1"),
        *("edit a.265 out.265 --script IN", "transcode IN out.265 --precision 5"),
        *("export IN out.csv", "verify IN"),
    ],
)
def test_what_is_no_file_is_told_in_the_same_words(
    tmp_path: Path,
    command: CommandLine,
    arguments: str,
    name: str,
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    verb, *given = (str(path) if word == "IN" else word for word in arguments.split())
    outcome = command(verb, *given)
    assert outcome.status == 1
    assert outcome.err == f"gfvc {verb}: {path}: {says}\n"


@pytest.mark.parametrize("action", ["inspect", "verify"])
@pytest.mark.parametrize(
    ("make", "says"),
    [(not_a_stream, "no start code"), (empty, "is empty"), (zeros, ""), (start_codes, "--codec")],
)
def test_nothing_is_shown_of_what_is_no_stream(
    make: Callable[[Path, Path], Path],
    says: str,
    action: str,
    tmp_path: Path,
    command: CommandLine,
) -> None:
    path = make(tmp_path, tmp_path)
    assert_refused(command, action, path, folder=tmp_path, says=[f"{path}: ", says])


def test_foreign_sei_messages_do_no_harm(small_stream: Path, tmp_path: Path) -> None:
    units = nal_units(small_stream)
    foreign = make_sei_nal_unit(
        [SeiMessage(USER_DATA_UNREGISTERED, bytes(16) + b"x264"), SeiMessage(400, b"\1\2")],
        units[0].codec,
        suffix=False,
    )
    mixed = [part for unit in units for part in ((foreign, unit) if unit.is_vcl else (unit,))]
    stream = write_units(tmp_path / "foreign.265", mixed)
    expected = read_face_stream(small_stream, no_notes)
    got = read_face_stream(stream, no_notes)
    assert got.pictures == expected.pictures
    assert got.base_layer == expected.base_layer
    assert got.rate == expected.rate
