"""Pictures that are coded smaller than they come out: decoders enlarge what they have drawn."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gfvc import EncodeOptions, decode, encode
from gfvc.bench.coding import coded
from gfvc.bench.plan import GfvcSettings
from gfvc.bench.source_video import SourceVideo
from gfvc.demo_clip import RATE
from gfvc.encoding.reduced_size import reduce
from gfvc.errors import InputError, StreamError
from gfvc.face_square import FaceSquare
from gfvc.framing import Framing
from gfvc.options.decoding import DecodeOptions
from gfvc.rectangle import Rectangle
from gfvc.scaling import Size, enlarged
from gfvc.stream.information import StreamInformation
from gfvc.stream.reader import read_face_stream
from gfvc.stream.shown_size import ShownSize
from gfvc.verification import Finding, Severity, verify_stream
from gfvc.video_writer import write_video
from models.contract import Picture
from models.metrics.similarity import psnr
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    commands,
    decode_all,
    ffmpeg,
    nal_units,
    no_notes,
    stating,
    write_units,
)
from tests.gfvc.whole_pictures.conftest import HEIGHT, WIDTH
from tests.golden.files import STREAMS

MESH, KEYS = STREAMS / "vvc_mesh_sequence.266", STREAMS / "hevc_mesh_full_keys.265"


def framed(size: Size, side: int) -> Framing:
    """Pictures of a size with one face."""
    return Framing(Rectangle(0, 0, *size), size, (FaceSquare(0, 0, side),))


@pytest.mark.parametrize(
    ("size", "side", "options", "coded_size"),
    [
        ((1280, 720), 500, {}, (640, 360)),
        ((720, 1280), 500, {}, (360, 640)),
        ((1440, 720), 500, {}, (720, 360)),
        ((960, 700), 400, {}, (960, 700)),
        ((640, 360), 300, {}, (640, 360)),
        ((1280, 720), 250, {}, (1280, 720)),  # the face would be too small
        ((1280, 720), 500, {"quality": "high"}, (640, 360)),
        ((1280, 720), 500, {"quality": "best"}, (1280, 720)),
        ((1280, 720), 500, {"key_qp": 23}, (1280, 720)),
        ((1280, 720), 500, {"bitrate": 40_000.0}, (640, 360)),
        ((1280, 720), 500, {"bitrate": 43_000.0}, (1280, 720)),
        ((1280, 720), 500, {"coded_size": "full"}, (1280, 720)),
        ((1280, 720), 500, {"key_pictures": "fixed"}, (1280, 720)),
        ((1280, 720), 500, {"low_delay": True}, (1280, 720)),
        ((1280, 720), 500, {"fallback": "always"}, (1280, 720)),
        # Asked for, whatever the rest.
        ((1280, 720), 100, {"coded_size": 360, "quality": "best"}, (640, 360)),
        ((640, 360), 300, {"coded_size": 180, "low_delay": True}, (320, 180)),
        ((638, 358), 300, {"coded_size": 180}, (320, 180)),
        ((1280, 720), 500, {"coded_size": 720}, (1280, 720)),
        ((1924, 1082), 900, {}, (960, 540)),
    ],
)
def test_large_pictures_are_coded_smaller_for_few_bits(
    size: Size, side: int, options: dict[str, object], coded_size: Size
) -> None:
    told: list[str] = []
    asked = EncodeOptions(**options)  # type: ignore[arg-type]
    reduced = reduce(Path("clip"), framed(size, side), asked, told.append)
    assert reduced.size == coded_size
    if coded_size == size:
        assert (reduced, told) == (framed(size, side), [])
        return
    assert reduced.shown_size == size
    assert reduced.square is not None
    assert reduced.square.side == round(side * coded_size[0] / size[0])
    by_itself = asked.coded_side is None
    assert told == by_itself * [
        f"clip: is coded as {coded_size[0]}x{coded_size[1]}, which decoders enlarge to "
        f"{size[0]}x{size[1]}; --coded-size full takes more bits"
    ]


def test_the_face_alone_is_not_reduced() -> None:
    face = Framing(Rectangle(0, 0, 512, 512), (512, 512))
    assert reduce(Path("clip"), face, EncodeOptions(view="face", size=512), no_notes) == face
    with pytest.raises(ValueError, match="codes the face at its size; leave out coded_size"):
        EncodeOptions(view="face", coded_size=128)


@pytest.mark.parametrize(
    ("size", "side", "least"),
    [((320, 120), 130, 64), ((1280, 720), 100, 180), ((604, 340), 85, 86), ((642, 360), 90, 91)],
)
def test_a_side_out_of_reach_is_refused(size: Size, side: int, least: int) -> None:
    reason = rf"cannot be coded with a shorter side of {side} \(--coded-size\): take {least} to "
    with pytest.raises(InputError, match=reason + str(size[1])):
        reduce(Path("clip"), framed(size, 100), EncodeOptions(coded_size=side), no_notes)


def test_the_size_makes_it_version_3() -> None:
    plain = StreamInformation(Fraction(25), 1280, 720, Rectangle(0, 0, 1280, 720))
    smaller = StreamInformation(
        Fraction(25), 1280, 720, Rectangle(0, 0, 1280, 720), shown_size=ShownSize(1280, 720)
    )
    payload = smaller.to_payload()
    assert payload[16] == 3
    # Flags, none of them set; one for the size, with no post-filter; the size.
    assert payload[17:] == plain.to_payload()[17:] + bytes.fromhex("00 80 0500 02d0")
    assert StreamInformation.from_payload(payload) == smaller
    for damaged in (payload[:-1], payload[:-4] + bytes(2) + payload[-2:]):
        with pytest.raises(StreamError, match="shown_"):
            StreamInformation.from_payload(damaged)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, scenes: list[Picture]) -> Path:
    return write_video(tmp_path_factory.mktemp("scene") / "scene.mkv", scenes[:14], RATE)


@pytest.fixture(scope="module")
def halved(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Path:
    """The scene, coded in half its width and height."""
    path = tmp_path_factory.mktemp("scene") / "half.266"
    summary = encode(clip, path, EncodeOptions(model="mesh", coded_size=HEIGHT // 2))
    assert summary.size == (WIDTH // 2, HEIGHT // 2)
    assert summary.shown_size == (WIDTH, HEIGHT)
    described = summary.to_json()
    assert (described["shown_width"], described["shown_height"]) == (WIDTH, HEIGHT)
    return path


def test_what_is_coded_smaller_comes_out_as_large_as_the_source(
    halved: Path, scenes: list[Picture], tmp_path: Path
) -> None:
    decoded = decode_all(halved)
    assert [picture.shape for picture in decoded] == [(HEIGHT, WIDTH, 3)] * 14
    assert np.mean([psnr(a, b) for a, b in zip(scenes, decoded, strict=False)]) > 24
    # Without what our user data say of it all is as before, and as large as it is coded.
    bare = write_units(
        tmp_path / "bare.266", [stating(unit, shown_size=None) for unit in nal_units(halved)]
    )
    small = decode_all(bare)
    for before, after in zip(small, decoded, strict=True):
        assert np.array_equal(enlarged(before, (WIDTH, HEIGHT)), after)
    summary = decode(halved, tmp_path / "out.mp4")
    assert (summary.width, summary.height) == (WIDTH, HEIGHT)


@pytest.mark.program
def test_other_decoders_show_the_coded_pictures(halved: Path) -> None:
    pictures = ffmpeg("-i", halved, "-f", "rawvideo", "-pix_fmt", "gray", "-")
    coded_pictures = read_face_stream(halved, no_notes).coded_units
    assert len(pictures) == len(coded_pictures) * (WIDTH // 2) * (HEIGHT // 2)


def test_ordinary_video_is_enlarged_too(clip: Path, scenes: list[Picture], tmp_path: Path) -> None:
    stream = tmp_path / "out.265"
    encode(clip, stream, EncodeOptions(fallback="always", coded_size=HEIGHT // 2))
    decoded = decode_all(stream, lambda note: None)
    assert [picture.shape for picture in decoded] == [(HEIGHT, WIDTH, 3)] * 14
    assert np.mean([psnr(a, b) for a, b in zip(scenes, decoded, strict=False)]) > 24


def test_a_benchmark_measures_what_comes_out(
    clip: Path, scenes: list[Picture], tmp_path: Path
) -> None:
    reference = SourceVideo(clip, RATE, 14, (WIDTH, HEIGHT), "whole")
    settings = GfvcSettings("mesh", 32, "half", (("coded_size", HEIGHT // 2),))
    with coded(settings, reference, tmp_path) as result:
        pairs = list(result.pictures)
    assert {picture.shape for pair in pairs for picture in pair} == {(HEIGHT, WIDTH, 3)}
    # The first picture is a coded one.
    assert np.array_equal(*pairs[0])


def errors(path: Path) -> list[Finding]:
    return [found for found in verify_stream(path) if found.severity is Severity.ERROR]


@pytest.mark.parametrize("size", [(62, 64), (64, 62), (258, 64), (64, 258), (127, 128)])
@pytest.mark.parametrize("name", ["decode", "edit", "export"])
def test_a_size_that_cannot_be_shown_is_refused(
    name: str, size: Size, tmp_path: Path, command: CommandLine
) -> None:
    shown = ShownSize(*size)
    units = [stating(unit, shown_size=shown) for unit in nal_units(MESH)]
    path = write_units(tmp_path / "wrong.266", units)
    says = [f"coded pictures of 64x64 shown at {shown}; a decoder enlarges them to even sides"]
    assert_refused(command, name, *commands(path, tmp_path)[name], folder=tmp_path, says=says)
    (found,) = errors(path)
    assert (found.check, found.text) == (
        "shown size",
        f"its user data have {says[0]}, up to 4 times as long and 16384",
    )
    assert found.place.offset is not None


@pytest.mark.parametrize("name", ["decode", "edit", "export"])
@pytest.mark.parametrize("first", [None, ShownSize(128, 128)])
def test_a_change_of_the_size_is_refused_with_its_place(
    first: ShownSize | None, name: str, tmp_path: Path, command: CommandLine
) -> None:
    other = None if first else ShownSize(128, 128)
    parts = [
        [stating(unit, shown_size=size) for unit in nal_units(MESH)] for size in (first, other)
    ]
    path = write_units(tmp_path / "two.266", [unit for part in parts for unit in part])
    at = write_units(tmp_path / "first", parts[0]).stat().st_size
    (tmp_path / "first").unlink()
    as_coded = "the size that they are coded at"
    says = [
        f"from {first or as_coded} to {other or as_coded} with the access unit at byte {at}",
        "split it there",
    ]
    assert_refused(command, name, *commands(path, tmp_path)[name], folder=tmp_path, says=says)
    (found,) = errors(path)
    assert found.check == "shown size"
    assert says[0] in found.text
    # Split where it says, each part decodes.
    data = path.read_bytes()
    for part, size in ((data[:at], first), (data[at:], other)):
        path.write_bytes(part)
        assert read_face_stream(path, no_notes).shown_size == size
        assert decode_all(path)[0].shape[:2] == ((128, 128) if size else (64, 64))


@pytest.mark.parametrize("lacks", ["first", "second"])
def test_pictures_before_the_first_user_data_are_shown_as_they_are_coded(
    lacks: str, tmp_path: Path, command: CommandLine
) -> None:
    """Else they would come out larger than they count for, and than anything says of them."""
    whole = [stating(unit, shown_size=ShownSize(128, 128)) for unit in nal_units(KEYS)]
    bare = [unit for unit in whole if not unit.is_prefix_sei]
    path = write_units(tmp_path / "two.265", bare + whole if lacks == "first" else whole + bare)
    if lacks == "second":
        assert {picture.shape for picture in decode_all(path, lambda _: None)} == {(128, 128, 3)}
        assert not errors(path)
        return
    at = write_units(tmp_path / "first", bare).stat().st_size
    says = f"from the size that they are coded at to 128x128 with the access unit at byte {at}"
    outcome = command("decode", path, tmp_path / "out.mkv")
    assert outcome.status == 1
    assert says in outcome.err
    (found,) = errors(path)
    assert says in found.text


def test_sizes_count_as_what_is_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = [stating(unit, shown_size=ShownSize(256, 256)) for unit in nal_units(MESH)]
    path = write_units(tmp_path / "large.266", units)
    with pytest.raises(StreamError, match=r"256x256, more than 60000 luma .*--max-area"):
        decode(path, tmp_path / "out.mkv", DecodeOptions(max_area=60_000))
    pictures = read_face_stream(path, no_notes).pictures
    monkeypatch.setattr("gfvc.limits.SAMPLES_PER_BYTE", 0)
    monkeypatch.setattr("gfvc.limits.FREE_SAMPLES", pictures << 16)
    read_face_stream(path, no_notes)
    monkeypatch.setattr("gfvc.limits.FREE_SAMPLES", (pictures << 16) - 1)
    with pytest.raises(StreamError, match="luma samples together"):
        read_face_stream(path, no_notes)
