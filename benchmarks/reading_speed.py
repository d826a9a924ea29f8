"""How fast the commands read the contents that cost most: ``python -m benchmarks.reading_speed``.

Streams of one kind of content each, made to cost as much a byte as can be: arrays of the shortest
codes, messages and NAL units of a few bytes, emulation prevention everywhere, runs in user data,
sizes of ff bytes. Each is given to the commands that read streams, in a process of its own that has
all libraries loaded before; ``decode`` is its reading of messages and user data alone. Printed are
MB/s and, in parentheses, processor seconds. What counts is what is read (by `inject`, two files),
and of ``inspect``, ``verify`` and ``extract``, which print many bytes for each that they read, what
is written too. A stream that is refused, marked ``!``, counts with all its bytes: what is wanted
is that none keeps a command busy. ``verify`` and ``decode`` mark streams without a face, too.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, islice, repeat
from pathlib import Path

from benchmarks.command import command_parser
from gfvc.cli.main import main as gfvc_main
from gfvc.errors import GfvcError
from gfvc.rectangle import Rectangle
from gfvc.stream.information import StreamInformation
from gfvc.stream.reader import read_face_stream
from gfvc.stream.references import ReferenceRuns
from gfvc.stream.schedule import PictureSchedule
from sei import (
    GENERATIVE_FACE_VIDEO,
    Codec,
    CoordinateLayout,
    Coordinates,
    GenerativeFaceVideo,
    GfvState,
    Matrices,
    MatrixElement,
    MatrixLayout,
    MatrixShape,
    NalUnit,
    SeiMessage,
    make_sei_nal_unit,
)
from sei.content_messages import AI_USAGE_RESTRICTIONS, Restriction, UsageRestrictions

HEAD = [
    NalUnit(Codec.VVC, bytes.fromhex(unit)) for unit in ("0079000d02", "00810080", "0041c40243")
]
ARRAY = 60_000
"""Values of a message that holds as many as can be, about."""

Values = Callable[[int], Iterable[int]]


def zeros(count: int) -> Iterable[int]:
    """The shortest codes."""
    return repeat(0, count)


def noise(count: int) -> Iterable[int]:
    """Codes as they come: most are 3 to 9 bits long."""
    rng = random.Random(1)
    return (int(rng.gauss(0, 8)) for _ in range(count))


def keypoint_messages(count: int, values: Values) -> Iterator[SeiMessage]:
    """A base message with ``count`` keypoints, then predicted ones."""
    state = GfvState()
    number = 0
    while True:
        numbers = list(values(2 * count))
        keypoints = tuple(zip(numbers[::2], numbers[1::2], strict=True))
        layout = CoordinateLayout(8, count) if number == 0 else None
        message = GenerativeFaceVideo(
            1, number, number == 0, coordinates=Coordinates(keypoints, True, layout)
        )
        yield SeiMessage(GENERATIVE_FACE_VIDEO, state.write(message))
        number += 1


def matrix_messages(
    rows: int, columns: int, values: Values, *, predicted: bool, precision: int = 1
) -> Iterator[SeiMessage]:
    """A base message with a matrix, then ones with their own or, predicted, with differences."""
    state = GfvState()
    mask = (1 << precision) - 1
    number = 0
    while True:
        elements = tuple(
            MatrixElement(abs(n) >> precision, abs(n) & mask, n < 0) for n in values(rows * columns)
        )
        layout = MatrixLayout(precision, (MatrixShape(7, 1, rows, columns),))
        inherits = predicted and number > 0
        matrices = Matrices(elements, inherits, None if inherits else layout)
        message = GenerativeFaceVideo(1, number, number == 0, matrices=matrices)
        yield SeiMessage(GENERATIVE_FACE_VIDEO, state.write(message))
        number += 1


def same(data: bytes, payload_type: int = 5) -> Iterator[SeiMessage]:
    """One message again and again."""
    return repeat(SeiMessage(payload_type, data))


def user_data(*, runs: bool) -> bytes:
    """User data of our own with as many runs, or distances, as there can be."""
    pictures = 1 << 16
    schedule = PictureSchedule(pictures, tuple(range(1, pictures, 2)))
    starts = tuple(range(1, pictures - 1))
    references = ReferenceRuns(8, 0, starts, tuple(start % 8 for start in starts))
    return StreamInformation(
        Fraction(25),
        256,
        256,
        Rectangle(0, 0, 256, 256),
        schedule=None if runs else schedule,
        references=references if runs else None,
    ).to_payload()


def restrictions() -> Iterator[SeiMessage]:
    """Messages that are not alike, each of as many restrictions as fit into some kilobytes."""
    for number in count():
        one = Restriction(0)
        payload = UsageRestrictions((one,) * (ARRAY // 4 + number % 2)).to_payload()
        yield SeiMessage(AI_USAGE_RESTRICTIONS, payload)


def signed_content(substreams: int) -> bytes:
    """Signed content of so many substreams, of which each refers to all before it."""
    number = f"{substreams:b}"
    flags = "1" * (substreams * (substreams - 1) // 2)
    bits = "0" * 16 + "10" + "0" * (len(number) - 1) + number + flags + "000"
    bits += "0" * (-len(bits) % 8) + f"{ord('k'):08b}{0:08b}"
    return int(bits, 2).to_bytes(len(bits) // 8)


def packed(messages: Iterator[SeiMessage], each: int, *, suffix: bool = True) -> Iterator[NalUnit]:
    """SEI NAL units with so many messages each."""
    while True:
        yield make_sei_nal_unit(islice(messages, each), Codec.VVC, suffix=suffix)


def _unit(text: str, body: bytes = b"") -> NalUnit:
    return NalUnit(Codec.VVC, bytes.fromhex(text) + body)


KINDS: dict[str, Callable[[], Iterator[NalUnit]]] = {
    "keypoints, all 0": lambda: packed(keypoint_messages(ARRAY, zeros), 1),
    "keypoints, any": lambda: packed(keypoint_messages(ARRAY, noise), 1),
    "matrices u(v), all 0": lambda: packed(matrix_messages(240, 250, zeros, predicted=False), 1),
    "matrices u(v), any": lambda: packed(
        matrix_messages(240, 250, noise, predicted=False, precision=3), 1
    ),
    "matrices ue(v), all 0": lambda: packed(matrix_messages(240, 250, zeros, predicted=True), 1),
    "matrices ue(v), any": lambda: packed(
        matrix_messages(240, 250, noise, predicted=True, precision=3), 1
    ),
    "messages of 60 keypoints": lambda: packed(keypoint_messages(60, noise), 64),
    "messages of a 4x15 matrix": lambda: packed(
        matrix_messages(4, 15, noise, predicted=True, precision=3), 64
    ),
    "messages of a keypoint": lambda: packed(keypoint_messages(1, zeros), 64),
    "face messages of a byte": lambda: packed(same(b"\x80", 223), 60_000),
    "other messages of 0 bytes": lambda: packed(same(b"", 3), 60_000),
    "other messages of 20 bytes": lambda: packed(same(bytes(range(1, 21)), 4), 1000),
    "restrictions of use": lambda: packed(restrictions(), 1, suffix=False),
    "signed content": lambda: packed(same(signed_content(255), 220), 1, suffix=False),
    "user data of others": lambda: packed(same(bytes(range(1, 41))), 1, suffix=False),
    "user data with runs": lambda: packed(same(user_data(runs=True)), 1, suffix=False),
    "user data with distances": lambda: packed(same(user_data(runs=False)), 1, suffix=False),
    "NAL units of 2 bytes": lambda: repeat(_unit("00c9")),
    "NAL units of 6 bytes": lambda: repeat(_unit("0001", b"\x01\x02\x03\x04")),
    "NAL units of 40 bytes": lambda: repeat(_unit("0001", b"\x01" * 38)),
    "NAL units of 1000 bytes": lambda: repeat(_unit("0001", b"\x01" * 998)),
    "slices that start pictures": lambda: repeat(_unit("0001", b"\x81\x02\x03\x04\x05\x06")),
    "emulation prevention": lambda: packed(same(bytes(100_000), 4), 1),
    "face messages of zero bytes": lambda: packed(same(bytes(100_000), 223), 1),
    "sizes of ff bytes": lambda: repeat(_unit("00c104", b"\xff" * 100_000)),
    "zero bytes between": lambda: repeat(NalUnit(Codec.VVC, b"\0\1\1", trailing_zeros=1000)),
}


def write_stream(path: Path, units: Iterator[NalUnit], size: int) -> None:
    """Write a stream of about ``size`` bytes."""
    left = size
    with path.open("wb") as file:
        for unit in HEAD:
            file.write(unit.to_annex_b())
        for unit in units:
            left -= file.write(unit.to_annex_b())
            if left <= 0:
                return


@dataclass(frozen=True, slots=True)
class Measured:
    """Processor seconds, bytes that count, and whether the stream was refused."""

    seconds: float
    size: int
    refused: bool

    @property
    def rate(self) -> float:
        """MB/s."""
        return self.size / 1e6 / max(self.seconds, 1e-3)


def _decode(path: Path) -> int:
    """What ``decode`` reads of a stream: all user data and messages."""
    try:
        stream = read_face_stream(path, lambda text: None)
        for unit in stream.units:
            for _ in unit.values():
                pass
    except GfvcError:
        return 1
    return 0


COMMANDS = ("inspect", "json", "summary", "verify", "extract", "remove", "inject", "decode")


def run(command: str, path: Path, folder: Path) -> Measured:
    """Run a command in this process, its output going into files."""
    out, err = folder / "out", folder / "err"
    lines, base, made = folder / "lines", folder / "base.266", folder / "made"
    read, counts_output = [path], command in ("inspect", "json", "verify", "extract")
    if command == "inject":
        for first, made_by_it in (("extract", lines), ("remove", base)):
            if not made_by_it.exists():
                run(first, path, folder)
        # A stream that neither of them takes is given as it is.
        read = [base, lines] if base.exists() and lines.exists() else [path, path]
    arguments = {
        "inspect": ["inspect", path],
        "json": ["inspect", path, "--json"],
        "summary": ["inspect", path, "--summary", "--bits"],
        "verify": ["verify", path],
        "extract": ["extract", path, lines],
        "remove": ["remove", path, base],
        "inject": ["inject", *read, made],
    }.get(command)
    with out.open("w") as stdout, err.open("w") as stderr:
        os.dup2(stdout.fileno(), 1)
        os.dup2(stderr.fileno(), 2)
        start = time.process_time()
        status = _decode(path) if arguments is None else gfvc_main([str(a) for a in arguments])
        sys.stdout.flush()
        seconds = time.process_time() - start
    size = sum(file.stat().st_size for file in read)
    if counts_output:
        size += (lines if command == "extract" and lines.exists() else out).stat().st_size
    return Measured(seconds, size, status != 0)


def measure(command: str, path: Path, folder: Path) -> Measured:
    """The same in a process that ends with it."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as process:
        return process.submit(run, command, path, folder).result()


def _load_libraries(folder: Path) -> None:
    """Run everything once in this process, from which the others are made."""
    path = folder / "first.266"
    write_stream(path, KINDS["messages of 60 keypoints"](), 10_000)
    own = [os.dup(1), os.dup(2)]
    for command in COMMANDS:
        run(command, path, folder)
    for number, descriptor in enumerate(own, 1):
        os.dup2(descriptor, number)
    for file in folder.iterdir():
        file.unlink()


def main() -> None:
    """Measure and print."""
    parser = command_parser("reading_speed", __doc__, raw=True)
    parser.add_argument("--size", type=float, default=1.0, metavar="MB", help="of each stream")
    parser.add_argument("--kinds", default="", metavar="TEXT", help="those whose name has TEXT")
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=COMMANDS)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    rows: dict[str, dict[str, Measured]] = {}
    with tempfile.TemporaryDirectory() as name:
        _load_libraries(Path(name))
    if not options.json:
        print("| content | " + " | ".join(options.commands) + " |")
        print("| --- |" + " ---: |" * len(options.commands))
    for kind, units in KINDS.items():
        if options.kinds not in kind:
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            path = folder / "in.266"
            write_stream(path, units(), int(1e6 * options.size))
            row = {command: measure(command, path, folder) for command in options.commands}
        rows[kind] = row
        if not options.json:
            cells = (f"{m.rate:.1f} ({m.seconds:.2f}){'!' * m.refused}" for m in row.values())
            print(f"| {kind} | " + " | ".join(cells) + " |", flush=True)
    if options.json:
        print(
            json.dumps(
                {
                    kind: {
                        command: {
                            "mb_per_second": round(m.rate, 2),
                            "seconds": round(m.seconds, 3),
                            "refused": m.refused,
                        }
                        for command, m in row.items()
                    }
                    for kind, row in rows.items()
                }
            )
        )


if __name__ == "__main__":
    main()
