"""Damaged streams and files by the thousand, in search of one that ends badly.

    python -m benchmarks.reliability --mutations 5000 --decodes 50 --containers 30 --seed 1 --jobs 2

Small streams and files of our own are damaged by `tests.fuzz`, from a seed, and given to

- the `sei` package: split, inspected, printed, every face message read and written again;
- `gfvc decode`, with the real decoder of the base codec;
- `gfvc inspect`, `gfvc decode` and `gfvc encode`, as damaged MP4 files.

Each has to end in order: done, or refused with one line, exit status 1 and no output left. An
exception, a process that dies, another line, time or memory over the limits is told with its case,
which `--reproduce` runs again; the exit status is then 1.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from pathlib import Path

from benchmarks.command import command_parser
from gfvc import EncodeOptions, encode
from gfvc.cli.main import main as gfvc_main
from gfvc.demo_clip import RATE, make_demo_clip
from gfvc.video_writer import write_video
from tests import fuzz
from tests.conftest import find_shared

SECONDS = {"sei": 5.0, "decode": 60.0, "mp4": 60.0}
"""Processor seconds that one command may take for a damaged input of a few kilobytes."""

MEMORY = 2 << 30
"""Bytes that a process may take; the libraries alone take a quarter of that."""

PATIENCE = 10
"""Seconds on the clock for each processor second before a process is ended."""

PICTURES = 6
SIZE = 64


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended: "done", "refused" or "broken", and then what was wrong."""

    command: str
    end: str
    seconds: float = 0.0
    memory: int = 0
    text: str = ""


@dataclass(slots=True)
class Row:
    """What is printed of a command."""

    cases: int = 0
    done: int = 0
    refused: int = 0
    broken: list[tuple[int, str]] = field(default_factory=list)
    slowest: float = 0.0
    memory: int = 0

    def add(self, number: int, result: Result) -> None:
        """Count a result."""
        self.cases += 1
        self.done += result.end == "done"
        self.refused += result.end == "refused"
        if result.end == "broken":
            self.broken.append((number, result.text))
        self.slowest = max(self.slowest, result.seconds)
        self.memory = max(self.memory, result.memory)


def make_inputs(folder: Path) -> None:
    """Write the sound files that are damaged: streams of both codecs, MP4 files, a video."""
    video = write_video(folder / "talk.mp4", islice(make_demo_clip(1.0, 256), PICTURES), RATE)
    common = {"size": SIZE, "model": "mesh"}
    kinds: dict[str, dict[str, object]] = {
        "full.266": {"key_interval": 3, "symbol_rate": "full"},
        "some.265": {"key_interval": 4},
        "references.265": {"key_interval": 2, "reference_pool": 2},
        "video.265": {"fallback": "always"},
        "vvc.mp4": {"codec": "vvc", "key_interval": 3},
        "hevc.mp4": {"codec": "hevc", "key_interval": 3},
    }
    for name, options in kinds.items():
        encode(video, folder / name, EncodeOptions(**common, **options))  # type: ignore[arg-type]


def damaged_mp4(rng: random.Random, files: list[bytes]) -> bytes:
    """An MP4 file with damage: some bytes of the boxes that say where everything is, or anything.

    Most files keep their length, because one whose boxes no longer fit is refused at once.
    """
    content, other = rng.choice(files), rng.choice(files)
    boxes = content.find(b"moov")
    if boxes < 0 or rng.random() < 0.3:
        return fuzz.mutated(rng, content, other)
    damaged = bytearray(content)
    in_boxes = rng.random() < 0.7
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.randrange(boxes if in_boxes else 0, len(damaged))
        damaged[place] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(damaged)


class Cases:
    """The cases of a kind: "sei", "decode" or "mp4", by number."""

    def __init__(self, kind: str, seed: int, inputs: Path) -> None:
        self._seed = seed
        self._kind = kind
        names = {"sei": (), "decode": ("*.26?",), "mp4": ("*.mp4",)}[kind]
        self._paths = sorted(path for name in names for path in inputs.glob(name))
        self._files = [path.read_bytes() for path in self._paths]
        self._streams = fuzz.seeds(find_shared()) if kind == "sei" else []

    def damaged(self, number: int, folder: Path) -> Path:
        """Write the damaged file of a case."""
        rng = random.Random(f"{self._kind}/{self._seed}/{number}")
        if self._kind == "mp4":
            path, content = folder / "in.mp4", damaged_mp4(rng, self._files)
        else:
            path, content = folder / "in.bin", fuzz.damaged_stream(rng, self._files)
        path.write_bytes(content)
        return path

    def run(self, number: int) -> Iterator[Result]:
        """Run the commands of a case."""
        if self._kind == "sei":
            yield _measured("sei", lambda: self._sei(number), SECONDS["sei"])
            return
        limit = SECONDS[self._kind]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            source = self.damaged(number, folder)
            if self._kind == "mp4":
                yield _measured("inspect", lambda: _command(folder, "inspect", source), limit)
            out = folder / ("out.mkv" if number % 2 else "out.mp4")
            yield _measured("decode", lambda: _command(folder, "decode", source, out), limit)
            out.unlink(missing_ok=True)
            if self._kind == "mp4":
                arguments = ("encode", source, folder / "out.265", "--model", "mesh")
                size = ("--size", str(SIZE))
                yield _measured("encode", lambda: _command(folder, *arguments, *size), limit)

    def _sei(self, number: int) -> tuple[str, str]:
        fuzz.run_case(number, self._seed, self._streams)
        return "done", ""


def _command(folder: Path, name: str, *arguments: str | Path) -> tuple[str, str]:
    """Run a command in this process: how it ended, and what is wrong with that."""
    before = set(folder.iterdir())
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = gfvc_main([name, *map(str, arguments)])
    if status == 0:
        return "done", ""
    lines = err.getvalue().splitlines()
    damaged = any(line.startswith("error: ") for line in lines)
    if name == "inspect" and status == 1 and out.getvalue() and damaged:
        # What can be read is shown, damage included; the status says that there is some.
        return "done", ""
    told = [line for line in lines if line.startswith(f"gfvc {name}: ")]
    if status != 1 or len(told) != 1 or lines[-1] != told[0]:
        return "broken", f"exit status {status}, stderr {lines[-3:]}"
    if left := {path.name for path in set(folder.iterdir()) - before}:
        return "broken", f"left {sorted(left)} behind: {told[0]}"
    if name != "inspect" and out.getvalue():
        return "broken", f"wrote to stdout: {told[0]}"
    return "refused", told[0]


def _measured(command: str, run: Callable[[], tuple[str, str]], limit: float) -> Result:
    start = _spent()
    try:
        end, text = run()
    # What escapes is what is looked for; SystemExit of the command line's parser included.
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        end, text = "broken", f"{type(error).__name__} at {place}: {str(error)[:200]}"
    seconds, memory = _spent() - start, _peak()
    if end != "broken" and seconds > limit:
        end, text = "broken", f"took {seconds:.0f} s of processor time"
    if end != "broken" and memory > MEMORY:
        end, text = "broken", f"took {memory >> 20} MiB of memory"
    return Result(command, end, seconds, memory, text)


def _spent() -> float:
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _peak() -> int:
    # The ru_maxrss of a process counts the one that started it, too.
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    own = int(status.partition("VmHWM:")[2].split()[0])
    return 1024 * max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


def work(kind: str, seed: int, inputs: Path, numbers: Sequence[int], channel: Connection) -> None:
    """Run cases in this process, telling each number before it and the results after it."""
    cases = Cases(kind, seed, inputs)
    for number in numbers:
        channel.send(number)
        results = list(cases.run(number))
        channel.send(results)
        # Memory is measured as the most that the process ever had: it ends with a bad case.
        if any(result.memory > MEMORY for result in results):
            return
    channel.send(None)


class Worker:
    """A process that runs cases one after the other, and is replaced when it dies."""

    def __init__(self, kind: str, seed: int, inputs: Path, numbers: Sequence[int]) -> None:
        self._arguments = kind, seed, inputs
        self.left = list(numbers)
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.channel, far = context.Pipe(duplex=False)
        arguments = (*self._arguments, self.left, far)
        self._process = context.Process(target=work, args=arguments, daemon=False)
        self._process.start()
        far.close()
        self.is_over = not self.left
        self._since = time.monotonic()

    @property
    def process_id(self) -> int:
        """Of the process that runs now."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_late(self) -> bool:
        """Whether the case that runs takes far too long on the clock."""
        return time.monotonic() - self._since > PATIENCE * SECONDS[self._arguments[0]]

    def take(self) -> tuple[int, list[Result]] | None:
        """What the process says next: the results of a case, or nothing to count."""
        try:
            said = self.channel.recv()
        except EOFError:
            self._process.join()
            return self._died(f"the process died with exit code {self._process.exitcode}")
        self._since = time.monotonic()
        if said is None:
            self._process.join()
            self.is_over = True
        if not isinstance(said, list):
            return None
        return self.left.pop(0), said

    def end(self) -> tuple[int, list[Result]] | None:
        """End a process that is late, and go on after its case."""
        self.stop()
        return self._died(f"took more than {PATIENCE} times its time on the clock")

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()

    def _died(self, text: str) -> tuple[int, list[Result]] | None:
        # A process that ended by itself after a case that took much memory has told of it.
        told = self._process.exitcode == 0
        lost = None if told else (self.left.pop(0), [Result("process", "broken", text=text)])
        self._start()
        return lost


def campaign(kind: str, count: int, seed: int, inputs: Path, jobs: int) -> dict[str, Row]:
    """Run the cases of a kind in some processes; rows by command."""
    rows: dict[str, Row] = {}
    workers = [Worker(kind, seed, inputs, range(job, count, jobs)) for job in range(jobs)]
    while running := [worker for worker in workers if not worker.is_over]:
        ready = wait([worker.channel for worker in running], timeout=1)
        for worker in running:
            if worker.channel in ready:
                taken = worker.take()
            elif worker.is_late:
                taken = worker.end()
            else:
                continue
            if taken is not None:
                number, results = taken
                for result in results:
                    rows.setdefault(f"{kind}: {result.command}", Row()).add(number, result)
    return rows


def reproduce(case: str, seed: int, inputs: Path) -> int:
    """Run one case in this process, and keep its damaged file."""
    kind, _, number = case.partition("/")
    cases = Cases(kind, seed, inputs)
    if kind != "sei":
        with tempfile.TemporaryDirectory() as name:
            damaged = cases.damaged(int(number), Path(name))
            kept = Path(f"reliability-{kind}-{seed}-{number}{damaged.suffix}")
            shutil.copyfile(damaged, kept)
            print(f"the damaged file: {kept}")
    results = list(cases.run(int(number)))
    for result in results:
        print(f"{result.command}: {result.end} in {result.seconds:.2f} s: {result.text}")
    return int(any(result.end == "broken" for result in results))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = command_parser("reliability", __doc__, raw=True)
    parser.add_argument("--mutations", type=int, default=5000, metavar="N", help="through sei")
    parser.add_argument("--decodes", type=int, default=50, metavar="N", help="through gfvc decode")
    parser.add_argument("--containers", type=int, default=30, metavar="N", help="MP4 files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--reproduce",
        metavar="KIND/NUMBER",
        help="run one case, such as decode/17, and keep its damaged file here",
    )
    options = parser.parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        inputs = Path(name)
        make_inputs(inputs)
        if options.reproduce:
            return reproduce(options.reproduce, options.seed, inputs)
        rows: dict[str, Row] = {}
        counts = {"sei": options.mutations, "decode": options.decodes, "mp4": options.containers}
        for kind, count in counts.items():
            if count:
                rows |= campaign(kind, count, options.seed, inputs, max(1, options.jobs))
    _print(rows, options.seed, as_json=options.json)
    return int(any(row.broken for row in rows.values()))


def _print(rows: dict[str, Row], seed: int, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"seed": seed, "rows": {k: _cells(row) for k, row in rows.items()}}))
    else:
        print("| damaged | runs | done | refused in a line | bad | slowest, s | peak, MiB |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for name, row in rows.items():
            print(f"| {name} | " + " | ".join(str(cell) for cell in _cells(row).values()) + " |")
    for name, row in rows.items():
        for number, text in row.broken:
            kind = name.partition(":")[0]
            print(f"{name}: --seed {seed} --reproduce {kind}/{number}: {text}", file=sys.stderr)


def _cells(row: Row) -> dict[str, int | float]:
    return {
        "runs": row.cases,
        "done": row.done,
        "refused": row.refused,
        "bad": len(row.broken),
        "seconds": round(row.slowest, 1),
        "mebibytes": row.memory >> 20,
    }


if __name__ == "__main__":
    sys.exit(main())
