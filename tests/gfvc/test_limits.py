"""What a few bytes may ask for: pictures, area, output and memory are bounded."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from base_codec_adapters import Codec, EncodeRequest, LimitExceededError, find_encoder
from gfvc import DecodeOptions, decode, limits
from gfvc.base_layer import decode_base_layer
from gfvc.colour import to_picture420
from gfvc.errors import OutputError, StreamError
from gfvc.limits import (
    FREE_PICTURES,
    MAX_PICTURES,
    MAX_SIDE,
    MAX_SOURCE_AREA,
    PICTURES_PER_BYTE,
    excess_samples,
    most_pictures,
)
from gfvc.rectangle import Rectangle
from gfvc.stream.face_stream import PART_PICTURES
from gfvc.stream.information import StreamInformation
from gfvc.stream.reader import read_face_stream
from gfvc.stream.references import ReferenceRuns
from gfvc.stream.schedule import PictureSchedule, RegularPictures
from gfvc.stream.sequence import SequenceSchedule
from gfvc.stream.writer import StreamWriter
from sei import GENERATIVE_FACE_VIDEO, GfvState, SeiMessage, make_sei_nal_unit
from sei import Codec as SeiCodec
from tests.base_codec_adapters.streams import Sps, make_stream
from tests.gfvc.support import (
    CommandLine,
    assert_refused,
    face_messages,
    ffmpeg,
    listing,
    nal_units,
    no_notes,
    read_all,
)

MOST = 1 << 16
INFORMATION = StreamInformation(Fraction(25), 256, 256, Rectangle(0, 0, 256, 256))
# A VVC slice of an IDR picture, as far as the reader looks at it.
TINY = bytes.fromhex("000001 0041 c4")


@pytest.fixture(scope="module")
def messages(small_stream: Path) -> tuple[SeiMessage, SeiMessage]:
    """A base message, and one of a driven picture."""
    found = [
        message
        for unit in nal_units(small_stream)
        for message in face_messages(unit)
        if message.payload_type == GENERATIVE_FACE_VIDEO
    ]
    return found[0], found[1]


@pytest.fixture(scope="module")
def key_picture(small_stream: Path) -> bytes:
    """A coded key picture with its parameter sets."""
    data = b""
    for unit in nal_units(small_stream):
        if unit.is_suffix_sei:
            return data
        if not unit.is_sei:
            data += unit.to_annex_b()
    raise AssertionError("no suffix SEI")


def asking(
    path: Path,
    messages: tuple[SeiMessage, SeiMessage],
    coded: bytes,
    codec: Codec,
    units: int = 1,
    pictures: int = MOST,
    references: ReferenceRuns | None = None,
) -> Path:
    """A stream whose access units have two messages each for `pictures` pictures."""
    schedule = PictureSchedule(pictures, RegularPictures(pictures, pictures - 1))
    with path.open("wb") as file:
        writer = StreamWriter(file, codec, INFORMATION)
        for _ in range(units):
            writer.begin_picture(coded, messages[0], schedule, references)
            writer.add_message(messages[1])
        writer.close()
    return path


def test_a_small_stream_cannot_ask_for_hours(
    tmp_path: Path,
    messages: tuple[SeiMessage, SeiMessage],
    key_picture: bytes,
    command: CommandLine,
) -> None:
    path = asking(tmp_path / "much.265", messages, key_picture, "hevc")
    assert path.stat().st_size < 4000
    output = tmp_path / "out.mkv"
    most = FREE_PICTURES + PICTURES_PER_BYTE * path.stat().st_size
    says = [f"more than {most} pictures", "--max-pictures"]
    assert_refused(command, "decode", path, output, folder=tmp_path, says=says)
    assert_refused(
        command, "inspect", path, "--plot", tmp_path / "p.png", folder=tmp_path, says=says
    )


def test_more_pictures_are_a_matter_of_asking(
    tmp_path: Path,
    messages: tuple[SeiMessage, SeiMessage],
    key_picture: bytes,
    command: CommandLine,
) -> None:
    path = asking(tmp_path / "ten.265", messages, key_picture, "hevc", pictures=10)
    output = tmp_path / "out.mkv"
    says = ["more than 9 pictures", "--max-pictures"]
    assert_refused(
        command, "decode", path, output, "--max-pictures", "9", folder=tmp_path, says=says
    )
    outcome = command("decode", path, output, "--max-pictures", "10")
    assert outcome.status == 0
    assert len(read_all(output, Fraction(25))) == 10
    plot = ("inspect", path, "--plot", tmp_path / "p.png", "--max-pictures")
    assert_refused(command, *plot, "9", folder=tmp_path, says=says)
    assert command(*plot, "10").status == 0


def test_messages_without_a_schedule_count(small_stream: Path) -> None:
    stream = read_face_stream(small_stream, no_notes, max_pictures=12)
    assert stream.pictures == 12
    with pytest.raises(StreamError, match=r"small\.265: .* more than 11 pictures"):
        read_face_stream(small_stream, no_notes, max_pictures=11)


def test_pictures_of_all_access_units_count(
    tmp_path: Path, messages: tuple[SeiMessage, SeiMessage]
) -> None:
    path = asking(tmp_path / "many.266", messages, TINY, "vvc", units=5, pictures=10)
    assert read_face_stream(path, no_notes, max_pictures=50).pictures == 50
    with pytest.raises(StreamError, match="more than 49 pictures"):
        read_face_stream(path, no_notes, max_pictures=49)


def test_usual_clips_are_within_the_limits() -> None:
    half_an_hour, bits_per_second = 30 * 60, 600
    # At 60 pictures a second and fewer bits than anything has that moves.
    assert most_pictures(None, half_an_hour * bits_per_second // 8) >= half_an_hour * 60
    assert most_pictures(None, 10**9) == MAX_PICTURES
    two_hours = 2 * 60 * 60 * 60
    assert most_pictures(two_hours, 10) == two_hours


@pytest.mark.parametrize("name", ["SAMPLES_PER_BYTE", "CODED_SAMPLES_PER_BYTE"])
@pytest.mark.parametrize("verb", ["decode", "export", "edit"])
def test_the_size_of_many_pictures_counts(
    small_stream: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: CommandLine,
    name: str,
    verb: str,
) -> None:
    monkeypatch.setattr(limits, "FREE_SAMPLES", 1000)
    monkeypatch.setattr(limits, name, 1)
    output = tmp_path / ("out.csv" if verb == "export" else "out.265")
    output = output.with_suffix(".mkv") if verb == "decode" else output
    edit = ("--smile", "1") if verb == "edit" else ()
    arguments: tuple[str | Path, ...] = (verb, small_stream, output, *edit)
    says = ["million luma samples together; if that is meant, say with --max-pictures"]
    assert_refused(command, *arguments, folder=tmp_path, says=says)
    assert command(*arguments, "--max-pictures", "12").status == 0


def test_samples_of_usual_clips_are_within_the_limits() -> None:
    """Half an hour of 1280x720 and 1920x1080 at 30 pictures a second, all coded at 20 kbit/s.

    Also where nothing moves, and a coded picture has 10 bytes, or one that is drawn 2.
    """
    pictures, bytes_ = 30 * 60 * 30, 30 * 60 * 20_000 // 8
    for area in (1280 * 720, 1920 * 1080):
        samples = pictures * area
        assert excess_samples(samples, samples, None, bytes_) is None
    still = pictures * 1280 * 720
    assert excess_samples(still, still, None, pictures * 10) is None
    assert excess_samples(0, still, None, pictures * 2) is None


def test_large_pictures_in_few_bytes_are_not() -> None:
    samples = 7200 * 3072 * 3072
    assert excess_samples(0, samples, None, 81_047) is not None
    assert excess_samples(samples, 0, None, 81_047) is not None
    assert excess_samples(samples, samples, 7200, 81_047) is None


def memory_for(path: Path) -> tuple[int, int]:
    """Bytes that are taken at most to read a stream and go through its units, and their number."""
    tracemalloc.start()
    try:
        stream = read_face_stream(path, no_notes, max_pictures=1 << 40)
        for unit in stream.units:
            for _ in unit.values():
                pass
        return tracemalloc.get_traced_memory()[1], len(stream.units)
    finally:
        tracemalloc.stop()


def test_memory_is_flat_in_access_units(
    tmp_path: Path, messages: tuple[SeiMessage, SeiMessage]
) -> None:
    """Each announces 65536 pictures, a message for each, and as many references as there may be."""
    references = ReferenceRuns(2, 0, (MOST - 1,), (1,))
    taken = {}
    for units in (150, 600):
        path = asking(tmp_path / f"{units}.266", messages, TINY, "vvc", units, MOST, references)
        taken[units], seen = memory_for(path)
        assert seen == units
    assert taken[600] < taken[150] + (1 << 20)
    assert taken[600] < 8 << 20


def test_memory_is_flat_in_sequences(
    tmp_path: Path, messages: tuple[SeiMessage, SeiMessage]
) -> None:
    """Each announces thousands of coded pictures, of which the first comes.

    All are decoded at once, for such a stream can only be entered at its start.
    """
    sequence = SequenceSchedule((0, *(0, 1) * 3_000), tuple(range(1, 3_001)))
    payload = replace(INFORMATION, sequence=sequence).to_payload()
    user_data = make_sei_nal_unit([SeiMessage(5, payload)], SeiCodec.VVC, suffix=False)
    face = make_sei_nal_unit(messages[:1], SeiCodec.VVC, suffix=True)
    unit = user_data.to_annex_b() + TINY + face.to_annex_b()
    taken = {}
    for count in (70, 140):
        path = tmp_path / f"{count}.266"
        path.write_bytes(unit * count)
        notes: list[str] = []
        tracemalloc.start()
        stream = read_face_stream(path, notes.append, "vvc")
        parts = [pictures for _, pictures in stream.base_layer_parts()]
        taken[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert parts == [count]
        assert len(notes) == 1, "one for all pictures that are missing"
    assert taken[140] < taken[70] + (1 << 20)


def test_memory_is_flat_in_messages(
    tmp_path: Path, small_stream: Path, messages: tuple[SeiMessage, SeiMessage]
) -> None:
    """Many messages of pictures, and NAL units of no use between them."""
    data = small_stream.read_bytes()
    filler = bytes.fromhex("000001 4c01 80") * 2_000  # filler data, HEVC type 38
    taken = []
    for copies in (2, 10):
        path = tmp_path / f"{copies}.265"
        path.write_bytes((data + filler) * copies)
        most, units = memory_for(path)
        assert units == 3 * copies
        taken.append(most)
    assert taken[1] < taken[0] + (1 << 20)


def test_memory_is_nearly_flat_in_messages_of_a_picture(
    tmp_path: Path, messages: tuple[SeiMessage, SeiMessage]
) -> None:
    taken = {}
    for count in (500, 10_000):
        path = tmp_path / f"{count}.266"
        state = GfvState()
        base = state.read(messages[0].payload)
        with path.open("wb") as file:
            writer = StreamWriter(file, "vvc", INFORMATION)
            writer.begin_picture(TINY, messages[0])
            for number in range(1, count):
                face = state.predict(state.values, gfv_id=base.gfv_id, gfv_cnt=number)
                writer.add_message(SeiMessage(GENERATIVE_FACE_VIDEO, state.write(face)))
            writer.close()
        taken[count], units = memory_for(path)
        assert units == 1
    assert taken[10_000] < taken[500] + 64 * 10_000


def test_an_output_larger_than_allowed(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    for name in ("out.y4m", "out.mkv", "out", "out.mp4"):
        says = [f"{name}: takes more than 2048 bytes", "--max-size"]
        output = tmp_path / name
        assert_refused(
            command, "decode", small_stream, output, "--max-size", "2k", folder=tmp_path, says=says
        )
    raw = 12 * 256 * 256 * 3 // 2
    outcome = command("decode", small_stream, tmp_path / "raw.y4m", "--max-size", str(raw + 1000))
    assert outcome.status == 0
    assert raw < (tmp_path / "raw.y4m").stat().st_size <= raw + 1000


def test_raw_output_is_refused_before_it_is_written(small_stream: Path, tmp_path: Path) -> None:
    seen: list[int] = []
    with pytest.raises(OutputError, match="--max-size"):
        decode(
            small_stream,
            tmp_path / "out.y4m",
            DecodeOptions(max_size=11 * 256 * 256 * 3 // 2),
            progress=lambda done, total: seen.append(done),
        )
    assert seen == []


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5.2G", "G", "nan", "inf", "9e99"])
def test_sizes_that_are_none(
    small_stream: Path, tmp_path: Path, command: CommandLine, text: str
) -> None:
    outcome = command("decode", small_stream, tmp_path / "o.mkv", f"--max-size={text}")
    assert outcome.status == 2
    assert "is not a whole number of bytes such as 500M or 20G" in outcome.err


def test_the_area_of_coded_pictures(
    small_stream: Path, tmp_path: Path, command: CommandLine
) -> None:
    area = 256 * 256
    output = tmp_path / "out.mkv"
    arguments = ("decode", small_stream, output, "--max-area")
    says = ["256x256", "--max-area"]
    assert command(*arguments, str(area)).status == 0
    output.unlink()
    assert_refused(command, *arguments, str(128 * 128), folder=tmp_path, says=says)


def test_the_sides_of_coded_pictures() -> None:
    """However few samples they have."""
    margin = 64  # what may be cropped off
    coded = make_stream("hevc", 1, Sps(MAX_SIDE + margin + 2, 64))
    with pytest.raises(LimitExceededError, match=f"the limit of {MAX_SIDE}x{MAX_SIDE}"):
        list(decode_base_layer("hevc", [(coded, 1)]))


def test_a_long_side_of_a_video_is_refused(tmp_path: Path, command: CommandLine) -> None:
    wide = tmp_path / "wide.mkv"
    source = ("-f", "lavfi", "-i", f"color=gray:s={MAX_SIDE + 2}x64:r=25", "-frames:v", "1")
    ffmpeg(*source, "-c:v", "ffv1", wide)
    says = f"wide.mkv: {MAX_SIDE + 2}x64 is larger than {MAX_SIDE} a side"
    assert_refused(command, "encode", wide, tmp_path / "wide.266", folder=tmp_path, says=says)


def grey_pictures(codec: Codec, size: int, count: int) -> Iterator[bytes]:
    """Coded pictures of one colour."""
    picture = np.full((size, size, 3), 90, np.uint8)
    coded = find_encoder(codec).encode(EncodeRequest((to_picture420(picture),), qp=40)).stream
    for _ in range(count):
        yield coded


@pytest.mark.parametrize("at", [2, PART_PICTURES + 3])
def test_pictures_that_change_their_size_are_refused(
    tmp_path: Path, command: CommandLine, at: int
) -> None:
    path = tmp_path / "sizes.265"
    with path.open("wb") as file:
        writer = StreamWriter(file, "hevc", INFORMATION)
        for coded in (*grey_pictures("hevc", 64, at), *grey_pictures("hevc", 128, 5)):
            writer.write_as_coded(coded)
        writer.close()
    before = listing(tmp_path)
    for name in ("out.mkv", "out.mp4", "pictures"):
        outcome = command("decode", path, tmp_path / name)
        assert outcome.status == 1
        line = outcome.err.splitlines()[-1]
        assert "64x64" in line
        assert "128x128" in line
        assert listing(tmp_path) == before


def test_very_large_pictures_of_a_video_are_refused(tmp_path: Path, command: CommandLine) -> None:
    """A file of some kilobytes would take gigabytes of memory."""
    large = tmp_path / "large.mkv"
    source = ("-f", "lavfi", "-i", "color=gray:s=10240x4096:r=25", "-frames:v", "1")
    ffmpeg(*source, "-c:v", "libx264", "-preset", "ultrafast", large)
    assert large.stat().st_size < 200_000
    says = ("large.mkv: is 10240x4096", f"{MAX_SOURCE_AREA} samples")
    assert_refused(command, "encode", large, tmp_path / "large.266", folder=tmp_path, says=says)


def test_pictures_of_a_codec_that_nobody_knows_are_refused(
    tmp_path: Path, command: CommandLine
) -> None:
    """They have no size that could be too large."""
    video = tmp_path / "video.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=gray:s=128x128:r=25", "-frames:v", "3", video)
    data = video.read_bytes()
    assert data.count(b"avc1") > 0
    video.write_bytes(data.replace(b"avc1", b"zzz1"))
    output = tmp_path / "out.266"
    says = "video.mp4: its pictures are of a codec that is not decoded here; convert it first"
    assert_refused(command, "encode", video, output, folder=tmp_path, says=says)
