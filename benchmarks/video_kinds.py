"""Whether videos of many kinds are read picture by picture: ``python -m benchmarks.video_kinds``.

Clips of numbered pictures are made in every container by every codec that ffmpeg puts there, at
some rates, and copied from container to container without coding them anew, also from amid a clip
or later in time. Each is read at the rate that is found for it. It is right where that is the rate
it was made with, and each picture comes once and in order; of what begins amid a clip, all that
ffmpeg gives. Files of which ffmpeg itself does not give all pictures, or of those that begin amid a
clip the last ones, say nothing, and are left out.

``--only TEXT`` makes those with the text in their names alone.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np

from base_codec_adapters.ffmpeg import find_ffmpeg
from benchmarks.command import command_parser
from gfvc.cli.console import print_table
from gfvc.errors import InputError
from gfvc.video_reader import probe_video, read_pictures
from models.contract import Picture

RATES = ("15", "24000/1001", "25", "30000/1001", "60")
PICTURES = 80
"""More than are looked at to tell how the stamps of a file are meant."""

BITS, CELL = 8, 16
HEIGHT, WIDTH = 4 * CELL, BITS * CELL
DARK, LIGHT = 25, 230
# Of a clip that is cut, at the least.
LEAST = 20

H264 = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 12"
HEVC = "-c:v libx265 -preset ultrafast -x265-params log-level=error"
CODECS = {
    "H.264": f"{H264} -bf 0",
    "H.264 B": f"{H264} -bf 2 -b_strategy 0",
    "H.264 B pyramid": f"{H264} -bf 4 -x264-params b-pyramid=normal:b-adapt=0:ref=4",
    "HEVC": f"{HEVC}:bframes=0",
    "HEVC B": f"{HEVC}:bframes=4:b-adapt=0",
    "VVC": "-c:v libvvenc -preset faster",
    "AV1": "-c:v libaom-av1 -cpu-used 8 -lag-in-frames 8",
    "VP8": "-c:v libvpx -b:v 500k",
    "VP9": "-c:v libvpx-vp9 -b:v 500k -cpu-used 5 -auto-alt-ref 1 -lag-in-frames 16",
    "MPEG-4": "-c:v mpeg4 -q:v 3",
    "MPEG-4 B": "-c:v mpeg4 -q:v 3 -bf 2",
    "MPEG-2": "-c:v mpeg2video -q:v 3",
    "MPEG-2 B": "-c:v mpeg2video -q:v 3 -bf 2",
    "MPEG-1": "-c:v mpeg1video -q:v 3",
    "MPEG-1 B": "-c:v mpeg1video -q:v 3 -bf 2",
    "WMV": "-c:v wmv2 -q:v 3",
    "FLV": "-c:v flv -q:v 3",
    "Theora": "-c:v libtheora -q:v 9",
    "MJPEG": "-c:v mjpeg -q:v 3 -pix_fmt yuvj420p",
    "ProRes": "-c:v prores_ks",
    "FFV1": "-c:v ffv1",
    "Ut Video": "-c:v utvideo -pix_fmt yuv420p",
    "PNG": "-c:v png -pix_fmt rgb24",
    "GIF": "-c:v gif",
}
CONTAINERS = {
    "mp4": "",
    "fragmented.mp4": "-movflags +frag_keyframe+empty_moov+default_base_moof",
    "milliseconds.mp4": "-video_track_timescale 1000",
    "late.mp4": "-output_ts_offset 3.7",
    "mov": "",
    "3gp": "",
    "mkv": "",
    "late.mkv": "-output_ts_offset 3.7",
    "webm": "",
    "avi": "",
    "ts": "",
    "late.ts": "-output_ts_offset 90000",
    "m2ts": "",
    "mpg": "",
    "vob": "",
    "flv": "",
    "wmv": "",
    "mxf": "",
    "nut": "",
    "ogv": "",
    "gif": "",
}
RAW = {
    "264": "H.264",
    "265": "HEVC",
    "266": "VVC",
    "m2v": "MPEG-2",
    "m1v": "MPEG-1",
    "m4v": "MPEG-4",
}
"""Suffixes of streams without a container, and how the names of their codecs begin."""

COPIED = ("H.264", "H.264 B", "HEVC B", "MPEG-2 B", "MPEG-4 B", "VP9")
COPIES = ("mp4", "mov", "mkv", "avi", "ts", "mpg", "flv", "wmv", "mxf", "nut")
WAYS = {"whole": "", "cut": "-ss 0.9", "moved": "-itsoffset 2.3"}


def picture(number: int) -> Picture:
    """A grey picture [H, W] that shows the bits of a number, and below them their opposites."""
    bits = np.array([number >> bit & 1 for bit in range(BITS)])
    rows = np.stack([bits, 1 - bits]).repeat(HEIGHT // 2, axis=0).repeat(CELL, axis=1)
    return np.asarray(np.where(rows, LIGHT, DARK), np.uint8)


def number_of(shown: Picture) -> int | None:
    """The number that a picture [H, W, 3] shows, None where it cannot be read."""
    cells = shown.mean(axis=2).reshape(2, HEIGHT // 2, BITS, CELL)
    above, below = cells[:, CELL // 2 : -CELL // 2, :, CELL // 4 : -CELL // 4].mean(axis=(1, 3))
    if (np.abs(above - below) < (LIGHT - DARK) / 4).any():
        return None
    return int(((above > below) << np.arange(BITS)).sum())


@dataclass(frozen=True, slots=True)
class Kind:
    """A file to be made: its codec, its container, its rate and how it is copied, if it is."""

    codec: str
    container: str
    rate: str
    copy: str | None = None
    way: str = "whole"

    @property
    def name(self) -> str:
        """What it is, in words."""
        copied = "" if self.copy is None else f" -> {self.way} {self.copy}"
        return f"{self.codec} in {self.container}{copied}, {self.rate}/s"

    @property
    def last_container(self) -> str:
        """The one that is read."""
        return self.copy or self.container


def kinds() -> Iterator[Kind]:
    """All of them; not all can be made."""
    for container, codec, rate in product(CONTAINERS, CODECS, RATES):
        yield Kind(codec, container, rate)
    for suffix, rate in product(RAW, RATES):
        for codec in CODECS:
            if codec.startswith(RAW[suffix]):
                yield Kind(codec, suffix, rate)
    for codec, container, copy, way in product(COPIED, COPIES, COPIES, WAYS):
        yield Kind(codec, container, "25", copy, way)


class Maker:
    """Makes files in a folder, with the last one that was coded kept for its copies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = str(find_ffmpeg())
        self._source = b"".join(picture(number).tobytes() for number in range(PICTURES))
        self._coded: tuple[Kind, Path | None] | None = None

    def make(self, kind: Kind) -> Path | None:
        """The file of a kind, None where ffmpeg does not make it."""
        original = Kind(kind.codec, kind.container, kind.rate)
        if self._coded is None or self._coded[0] != original:
            self._coded = original, self._code(original)
        coded = self._coded[1]
        if kind.copy is None or coded is None:
            return coded
        path = self._folder / f"copy.{kind.copy}"
        return self._written(path, *WAYS[kind.way].split(), "-i", coded, "-c", "copy")

    def _code(self, kind: Kind) -> Path | None:
        size = f"{WIDTH}x{HEIGHT}"
        source = "-f", "rawvideo", "-pix_fmt", "gray", "-s", size, "-r", kind.rate, "-i", "-"
        options = [*CODECS[kind.codec].split(), *CONTAINERS.get(kind.container, "").split()]
        if "-pix_fmt" not in options and kind.codec != "GIF":
            options += ["-vf", "format=yuv420p"]
        path = self._folder / f"coded.{kind.container}"
        return self._written(path, *source, *options, "-threads", "1", data=self._source)

    def _written(self, path: Path, *options: str | Path, data: bytes = b"") -> Path | None:
        path.unlink(missing_ok=True)
        command = [self._program, "-v", "quiet", "-y", *options, path]
        status = subprocess.run(command, input=data, check=False).returncode
        return path if status == 0 and path.exists() and path.stat().st_size else None

    def shown_by_ffmpeg(self, path: Path) -> list[int | None]:
        """Numbers of all pictures that ffmpeg gives of a file, whenever it shows them."""
        options = "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"
        command = [self._program, "-v", "quiet", "-i", str(path), "-map", "0:v:0", *options]
        output = subprocess.run(command, capture_output=True, check=False).stdout
        data = np.frombuffer(output, np.uint8)
        size = HEIGHT * WIDTH * 3
        pictures = data[: len(data) // size * size].reshape(-1, HEIGHT, WIDTH, 3)
        return [number_of(one) for one in pictures]


def what_comes(path: Path, kind: Kind, held: set[int]) -> str:
    """What is wrong with what is read of a file that holds some pictures; nothing where all is.

    Where one is missing in the file, another stands in its place.
    """
    try:
        rate = probe_video(path).rate
        numbers = [number_of(one) for one in read_pictures(path, rate)]
    except InputError as error:
        return f"refused: {error}".replace(str(path), "IN")
    wrong = []
    meant = Fraction(kind.rate)
    # Stamps in whole milliseconds, and few of them, do not say it better.
    if abs(rate - meant) > meant / 300:
        wrong.append(f"{float(rate):.5g} a second")
    known = [number for number in numbers if number is not None]
    if len(known) < len(numbers):
        wrong.append(f"{len(numbers) - len(known)} that cannot be told")
    first = known[0] if known and kind.way == "cut" else 0
    lost = len({number for number in held if number >= first} - set(known))
    if lost:
        wrong.append(f"{lost} lost")
    if len(known) > PICTURES - first - lost:
        wrong.append(f"{len(known) - (PICTURES - first - lost)} too many")
    if known != sorted(known):
        wrong.append("out of order")
    return ", ".join(wrong)


def main() -> int:
    """Print a table by container, and the files that are not read rightly."""
    parser = command_parser("video_kinds", __doc__, raw=True)
    parser.add_argument("--only", default="", metavar="TEXT", help="those with it in their names")
    only = parser.parse_args().only
    made, right = Counter[str](), Counter[str]()
    wrong: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        maker = Maker(Path(folder))
        for kind in kinds():
            path = maker.make(kind) if only in kind.name else None
            if path is None:
                continue
            held = {number for number in maker.shown_by_ffmpeg(path) if number is not None}
            wanted = set(range(PICTURES - LEAST if kind.way == "cut" else 0, PICTURES))
            if not held >= wanted:
                continue
            made[kind.last_container] += 1
            what = what_comes(path, kind, held)
            if what:
                wrong.append((kind.name, what))
            else:
                right[kind.last_container] += 1
    for name, what in wrong:
        print(f"{name}: {what}")
    rows = [[container, str(count), str(right[container])] for container, count in made.items()]
    rows.append(["all", str(made.total()), str(right.total())])
    print_table("", ["container", "files", "read rightly"], rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
