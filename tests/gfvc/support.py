"""Making videos and streams, good and bad, and looking at what commands leave behind."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, TypeVar

import av
import cv2
import numpy as np

from base_codec_adapters.ffmpeg import find_ffmpeg
from gfvc import decode
from gfvc.face_square import FaceSquare
from gfvc.rectangle import Rectangle
from gfvc.scaling import scale
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.information import StreamInformation, find_information
from gfvc.stream.picture_units import PictureUnit
from gfvc.stream.references import ReferenceRuns
from gfvc.stream.schedule import PictureSchedule
from gfvc.video_reader import read_pictures
from models.contract import Picture
from sei import (
    GENERATIVE_FACE_VIDEO,
    USER_DATA_UNREGISTERED,
    FaceValues,
    GenerativeFaceVideo,
    GfvState,
    NalUnit,
    NetworkUri,
    SeiMessage,
    join_annex_b,
    make_sei_nal_unit,
    read_sei,
    split_annex_b,
)
from sei.coder import UNREAD, Coder, Reader, Writer

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended: exit status, and all that it wrote."""

    status: int
    out: str
    err: str


class CommandLine(Protocol):
    def __call__(self, *arguments: str | Path) -> Outcome: ...


def no_notes(text: str) -> None:
    """For encoding and decoding where there is nothing to remark."""
    raise AssertionError(f"unexpected: {text}")


def ordinary_only(text: str) -> None:
    """For encoding ordinary video, where there is nothing else to remark."""
    assert text.endswith(" pictures are sent as ordinary video"), text


def decode_all(path: Path, notes: Callable[[str], None] = no_notes) -> list[Picture]:
    """All pictures of a stream, by way of a lossless video."""
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder, "decoded.mkv")
        summary = decode(path, video, notes=notes)
        pictures = read_all(video, summary.rate)
    assert len(pictures) == summary.frames
    return pictures


def read_all(path: Path, rate: Fraction) -> list[Picture]:
    """All pictures of a video at a rate."""
    return list(read_pictures(path, rate))


def picture_times(path: Path) -> list[float]:
    """Times in seconds at which the pictures of a video are shown."""
    with av.open(str(path)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


def ffmpeg(*arguments: str | Path, data: bytes | None = None) -> bytes:
    """Run the ffmpeg program; what it writes to its standard output."""
    program = str(find_ffmpeg())
    done = subprocess.run(
        [program, "-hide_banner", "-loglevel", "error", "-y", *map(str, arguments)],
        input=data,
        stdin=subprocess.DEVNULL if data is None else None,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert not done.stderr, done.stderr.decode()
    return done.stdout


def set_edits(
    path: Path, parts: Sequence[tuple[int, int, float]], *, track: int = 0, version: int = 0
) -> Path:
    """Give a track of an MP4 file, whose index comes last, another edit list.

    Of each part it has the milliseconds, the tick where it begins, and its speed.
    """
    data = bytearray(path.read_bytes())
    place = -1
    for _ in range(track + 1):
        place = data.index(b"elst", place + 1)
    place -= 4
    length = int.from_bytes(data[place : place + 4], "big")
    form = ">Qqi" if version else ">Iii"
    entries = [struct.pack(form, lasts, start, int(rate * 65536)) for lasts, start, rate in parts]
    box = b"elst" + struct.pack(">II", version << 24, len(parts)) + b"".join(entries)
    # The index comes last, so that no place of data moves.
    for kind in (b"edts", b"trak", b"moov"):
        at = data.rindex(kind, 0, place) - 4
        size = int.from_bytes(data[at : at + 4], "big") + len(box) + 4 - length
        data[at : at + 4] = size.to_bytes(4, "big")
    data[place : place + length] = struct.pack(">I", len(box) + 4) + box
    path.write_bytes(data)
    return path


def mean_difference(first: Picture, second: Picture) -> float:
    """Mean absolute difference of samples."""
    return float(np.abs(first.astype(np.int16) - second).mean())


def coming_nearer(pictures: Sequence[Picture]) -> list[Picture]:
    """The head goes from a corner to the other one, where it has five times its area."""
    scenes = []
    for number, picture in enumerate(pictures):
        share = number / (len(pictures) - 1)
        side = round(112 + 144 * share)
        place = round((320 - side) * share)
        scene = np.full((320, 320, 3), 120, np.uint8)
        scene[place : place + side, place : place + side] = scale(picture, (side, side))
        scenes.append(scene)
    return scenes


def listing(folder: Path) -> dict[str, bytes | None]:
    """Names beneath a folder, with the content of files: what a failed command must not change."""
    return {
        str(entry.relative_to(folder)): entry.read_bytes() if entry.is_file() else None
        for entry in folder.rglob("*")
    }


def assert_refused(
    command: CommandLine, *arguments: str | Path, folder: Path, says: str | Sequence[str]
) -> str:
    """The command fails with one line on stderr that says why, and leaves `folder` as it was."""
    before = listing(folder)
    outcome = command(*arguments)
    assert outcome.status == 1, outcome
    assert outcome.out == ""
    lines = outcome.err.splitlines()
    assert len(lines) == 1, outcome.err
    assert lines[0].startswith(f"gfvc {arguments[0]}: ")
    for part in [says] if isinstance(says, str) else says:
        assert part in lines[0]
    assert listing(folder) == before
    return lines[0]


def face_values(stream: FaceStream) -> list[list[FaceValues]]:
    """Received values by key picture: those of itself, then of the pictures that it drives."""
    return [list(unit.values()) for unit in stream.units]


def commands(path: Path, folder: Path) -> dict[str, tuple[str | Path, ...]]:
    """Arguments of those that draw from a stream, or refuse it, with all that they want."""
    return {
        "decode": (path, folder / "out.mkv"),
        "edit": (path, folder / f"out{path.suffix}", "--mouth", "0"),
        "export": (path, folder / "out.json"),
    }


def nal_units(path: Path) -> list[NalUnit]:
    """All NAL units of a stream."""
    return list(split_annex_b(path.read_bytes()))


def write_units(path: Path, units: Iterable[NalUnit]) -> Path:
    """A stream of these NAL units."""
    path.write_bytes(join_annex_b(units))
    return path


def without_pictures(whole: Path, path: Path, pictures: Collection[int]) -> Path:
    """A stream without some coded pictures, counted in its order, and their messages."""
    kept: list[NalUnit] = []
    number = -1
    for unit in nal_units(whole):
        number += unit.starts_picture
        if number not in pictures or not (unit.is_vcl or unit.is_suffix_sei):
            kept.append(unit)
    return write_units(path, kept)


def face_messages(unit: NalUnit) -> tuple[SeiMessage, ...]:
    """The SEI messages of a suffix SEI NAL unit; none of another NAL unit."""
    return read_sei(unit).messages if unit.is_suffix_sei else ()


def replace_messages(units: Iterable[NalUnit], replacement: Iterable[SeiMessage]) -> list[NalUnit]:
    """The NAL units up to the first suffix SEI NAL unit, then one with these messages."""
    kept: list[NalUnit] = []
    for unit in units:
        if unit.is_suffix_sei:
            return [*kept, make_sei_nal_unit(replacement, unit.codec)]
        kept.append(unit)
    raise AssertionError("the stream holds no suffix SEI NAL unit")


def hiding(unit: NalUnit) -> NalUnit:
    """A NAL unit with user data that hides the coded picture; another one as it is."""
    return stating(unit, hides_coded_picture=True)


def stating(unit: NalUnit, **changes: Any) -> NalUnit:
    """A NAL unit whose user data say something else; one without any as it is."""
    information = find_information(unit) if unit.is_sei and not unit.is_suffix_sei else None
    if information is None:
        return unit
    payload = replace(information, **changes).to_payload()
    message = SeiMessage(USER_DATA_UNREGISTERED, payload)
    return make_sei_nal_unit([message], unit.codec, suffix=False)


def of_network(unit: NalUnit, uri: str | None) -> NalUnit:
    """A NAL unit whose base messages name another network, or none."""
    network = None if uri is None else NetworkUri("tag:gfvc,2026:model", uri)
    return with_faces(
        unit, lambda face: replace(face, network=network) if face.base_picture_flag else face
    )


def with_faces(
    unit: NalUnit, change: Callable[[GenerativeFaceVideo], GenerativeFaceVideo]
) -> NalUnit:
    """A NAL unit whose face messages say something else."""
    if not unit.is_suffix_sei:
        return unit
    reader, writer, messages = GfvState(), GfvState(), []
    for message in read_sei(unit).messages:
        face = change(reader.read(message.payload))
        messages.append(SeiMessage(GENERATIVE_FACE_VIDEO, writer.write(face)))
    return make_sei_nal_unit(messages, unit.codec)


def announce(
    unit: PictureUnit,
    schedule: PictureSchedule | None = None,
    references: ReferenceRuns | None = None,
) -> None:
    """Have a picture's user data say which pictures have messages, and what drives them."""
    crop = Rectangle(0, 0, 64, 64)
    information = StreamInformation(Fraction(25), 64, 64, crop, False, schedule, references)
    unit.information = information.to_payload()
    unit.announced = None if schedule is None else schedule.pictures
    unit.announced_messages = None if schedule is None else len(schedule.sent)


HEADS = FaceSquare(24, 24, 176), FaceSquare(248, 24, 176)
"""Where `two_heads` puts them, in pictures of 448x224."""


def two_heads(pictures: Sequence[Picture], leaves: int | None = None) -> list[Picture]:
    """The demo's head twice before a wall, the second one moving backwards in time.

    From picture `leaves` on the second one is not there.
    """
    noise = np.random.default_rng(7).integers(70, 160, (7, 14, 3), np.uint8)
    wall = np.asarray(cv2.resize(noise, (448, 224), interpolation=cv2.INTER_CUBIC), np.uint8)
    scenes = []
    for number, both in enumerate(zip(pictures, reversed(pictures), strict=True)):
        scene = wall.copy()
        for place, head in zip(HEADS, both, strict=True):
            if place == HEADS[0] or leaves is None or number < leaves:
                scene[place.window] = scale(head, (place.side, place.side))
        scenes.append(scene)
    return scenes


def coded(syntax: Callable[[Coder, Part], Part], part: Part) -> bytes:
    """A part of our user data as its syntax function writes it."""
    writer = Writer()
    syntax(writer, part)
    return writer.to_bytes()


def read_coded(syntax: Callable[[Coder, Part], Part], data: bytes) -> Part:
    """What a syntax function reads."""
    return syntax(Reader(data), UNREAD)
