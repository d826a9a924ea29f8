"""Many clips: how fast with one and two processes and on a cluster, and what sharing out costs.

    python -m benchmarks.batch [--clips N] [--seconds S] [--rounds N] [--tiny N] [--json FILE]

Three tables:

- Clips a minute that `gfvc batch` encodes with its defaults, by one local process, by two, and by
  two worker processes of a Dask cluster on this machine, set up as docs/batch.md says and with
  Dask's own default, which is to give memory back as soon as it is free. Clips are those of the
  demo, each a few pictures longer than the one before. Engines take turns for `--rounds` rounds;
  each is told with its median. The wall time has the start of the processes in it.
  Processor time is that of the workers and their programs, a second of video. Others are the cores
  that other programs of this machine kept busy meanwhile: ratios count where these are few.
- What an engine costs a task, with a function that does nothing.
- What a batch costs a clip, and memory in MB of the process that shares out and of the one that
  works, after a tenth of the clips and after all. Clips are texts that are copied, and clips of
  three pictures that are encoded by a model and a base codec that take no time.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from gfvc.batch.engine import EngineChoice, Task, completed, open_engine
from gfvc.batch.folder import opened_folder
from gfvc.batch.jobs import Naming, Options, find_jobs
from gfvc.batch.run import PartDone, run_batch
from gfvc.batch.work import Answer, Performed
from gfvc.cli.batch_craft import CommandCraft
from gfvc.demo_clip import RATE, make_demo_clip
from gfvc.video_writer import write_video
from tests.gfvc.batch.fake_model import (
    HARMLESS,
    OPTIONS,
    FakeModelCraft,
    process_megabytes,
    write_clip,
)

LONGER = 3
"""Pictures by which each clip is longer than the one before: no two are the same."""


@contextlib.contextmanager
def dask(workers: int, *, trim: bool) -> Iterator[EngineChoice]:
    """Worker processes of a cluster on this machine.

    With `trim`, as is Dask's default, they give memory back as soon as it is free.
    """
    import dask
    from distributed import LocalCluster

    settings = {} if trim else {"distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as cluster,
    ):
        yield EngineChoice("dask", scheduler=cluster.scheduler_address)


ENGINES: dict[str, Callable[[], contextlib.AbstractContextManager[EngineChoice]]] = {
    "local, 1 process": lambda: contextlib.nullcontext(EngineChoice(workers=1)),
    "local, 2 processes": lambda: contextlib.nullcontext(EngineChoice(workers=2)),
    "dask, 2 workers": lambda: dask(2, trim=False),
    "dask, 2 workers that trim": lambda: dask(2, trim=True),
}


@dataclass(frozen=True, slots=True)
class Throughput:
    """A batch of clips: clips a minute and the ratio to one process, and where time went."""

    engine: str
    clips_a_minute: float
    ratio: float
    processor_seconds: float
    others: float
    peak_megabytes: float


@dataclass(frozen=True, slots=True)
class Overhead:
    """Milliseconds that a task takes which does nothing."""

    engine: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Flatness:
    """Milliseconds a clip, and memory in MB after a tenth of the clips and after all."""

    clips: int
    work: str
    milliseconds: float
    sharing: tuple[float, float]
    working: tuple[float, float]


def make_clips(folder: Path, count: int, seconds: float) -> float:
    """Clips of the demo; how many seconds they are together."""
    pictures = list(make_demo_clip(seconds + count * LONGER / float(RATE)))
    shortest = round(seconds * RATE)
    for number in range(count):
        path = folder / f"clip{number:03}.mkv"
        write_video(path, pictures[: shortest + number * LONGER], RATE)
    return sum(shortest + number * LONGER for number in range(count)) / float(RATE)


class Peaks:
    """Takes note of the most memory that a process has had."""

    def __init__(self) -> None:
        self.most = 0.0

    def __call__(self, ended: Answer | PartDone, done: int, total: int) -> None:
        """Look at what came of a clip."""
        if isinstance(ended, Answer):
            self.most = max(self.most, ended.record["peak_megabytes"])


def throughput(clips: Path, video_seconds: float, rounds: int) -> list[Throughput]:
    """A row for each engine: of the round that is the median of its rounds by their ratio."""
    rows = [list(one_round(clips, video_seconds)) for _ in range(rounds)]
    return [
        sorted(of_engine, key=lambda row: row.ratio)[rounds // 2]
        for of_engine in zip(*rows, strict=True)
    ]


def one_round(clips: Path, video_seconds: float) -> Iterator[Throughput]:
    """A row for each engine."""
    first: float | None = None
    for name, opened in ENGINES.items():
        with tempfile.TemporaryDirectory() as out:
            peaks = Peaks()
            craft = CommandCraft("encode")
            jobs = find_jobs([clips], Path(out), craft.naming)
            busy, processor, began = _busy_seconds(), _children_seconds(), time.perf_counter()
            with opened() as choice, opened_folder(Path(out)) as folder:
                started = time.perf_counter()
                totals = run_batch(jobs, folder, craft, choice, progress=peaks)
                wall = time.perf_counter() - started
            processor = _children_seconds() - processor
            others = (_busy_seconds() - busy - processor) / (time.perf_counter() - began)
        assert totals.done == len(jobs)
        first = wall if first is None else first
        yield Throughput(
            name,
            60 * len(jobs) / wall,
            first / wall,
            processor / video_seconds,
            max(0.0, others),
            peaks.most,
        )


def overhead(tasks: int) -> Iterator[Overhead]:
    """A row for each engine."""
    for name, opened in ENGINES.items():
        with opened() as choice, open_engine(choice) as engine:
            for count in (2, tasks):  # the first two start processes
                started = time.perf_counter()
                for _, future in completed(
                    engine, (Task(number, _nothing, ()) for number in range(count))
                ):
                    future.result()
            yield Overhead(name, 1000 * (time.perf_counter() - started) / tasks)


def _nothing() -> None:
    """What a task does."""


@dataclass(frozen=True, slots=True)
class CopyingCraft:
    """Copies a file, so that a batch's own work is all there is."""

    verb: str = "copy"
    naming: ClassVar[Naming] = Naming(frozenset({".txt"}), lambda *_: ".out")

    def versions(self, options: Options) -> dict[str, str]:
        """None that change anything."""
        return {}

    def meaning(self, options: Options) -> dict[str, object]:
        """Nothing."""
        return {}

    def product(self, output: Path) -> Path:
        """The output itself."""
        return output

    def is_whole(self, output: Path) -> bool:
        """All of it, in one file."""
        return True

    def perform(self, source: Path, output: Path, options: Options, *, force: bool) -> Performed:
        """Copy; the result is the memory that this process has at the moment."""
        output.write_bytes(source.read_bytes())
        return Performed({"megabytes": process_megabytes()})


def flatness(count: int, *, copied: bool) -> Flatness:
    """A batch of tiny clips by one process; they are copied, or encoded."""
    craft = CopyingCraft() if copied else FakeModelCraft("encode")
    with tempfile.TemporaryDirectory() as parent:
        source, out = Path(parent, "in"), Path(parent, "out")
        source.mkdir()
        for number in range(count):
            if copied:
                (source / f"{number}.txt").write_text(str(number))
            else:
                write_clip(source / f"{number}.mkv", HARMLESS + number)
        sharing: list[float] = []
        working: list[float] = []

        def note(ended: Answer | PartDone, done: int, total: int) -> None:
            assert isinstance(ended, Answer)
            if done in (max(1, count // 10), count):
                sharing.append(process_megabytes())
                working.append(ended.record["result"]["megabytes"])

        jobs = find_jobs([source], out, craft.naming, () if copied else OPTIONS)
        with opened_folder(out) as folder:
            started = time.perf_counter()
            totals = run_batch(jobs, folder, craft, EngineChoice(workers=1), progress=note)
            seconds = time.perf_counter() - started
        assert totals.done == count
        return Flatness(
            count,
            "copied" if copied else "encoded",
            1000 * seconds / count,
            (sharing[0], sharing[-1]),
            (working[0], working[-1]),
        )


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _busy_seconds() -> float:
    """Processor time of all programs of the machine so far."""
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    user, nice, system, _idle, _waiting, *interrupts = map(int, fields[:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--clips", type=int, default=8, help="clips to encode (default: 8)")
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="length of the shortest (default: 4)"
    )
    parser.add_argument("--rounds", type=int, default=1, help="rounds of these (default: 1)")
    parser.add_argument("--tiny", type=int, default=1000, help="tasks and tiny clips")
    parser.add_argument("--json", type=Path, help="write all figures to a file, too")
    options = parser.parse_args(arguments)
    cores = len(os.sched_getaffinity(0))
    print(f"{cores} cores, {os.getloadavg()[0]:.1f} processes waiting for them or running")
    figures: dict[str, object] = {"cores": cores}
    with tempfile.TemporaryDirectory() as folder:
        seconds = make_clips(Path(folder), options.clips, options.seconds)
        print(f"\n{options.clips} clips, {seconds:.0f} s together")
        print("| engine | clips a minute | ratio | processor, s | others, cores | peak, MB |")
        print("| --- | ---: | ---: | ---: | ---: | ---: |")
        rows = throughput(Path(folder), seconds, options.rounds)
        for row in rows:
            print(
                f"| {row.engine} | {row.clips_a_minute:.1f} | {row.ratio:.2f} | "
                f"{row.processor_seconds:.2f} | {row.others:.2f} | {row.peak_megabytes:.0f} |"
            )
        figures["throughput"] = [dataclasses.asdict(row) for row in rows]
    print(f"\n{options.tiny} tasks\n| engine | ms a task |\n| --- | ---: |")
    costs = list(overhead(options.tiny))
    for cost in costs:
        print(f"| {cost.engine} | {cost.milliseconds:.2f} |")
    figures["overhead"] = [dataclasses.asdict(cost) for cost in costs]
    print("\n| clips | ms a clip | sharing out, MB | working, MB |\n| --- | ---: | ---: | ---: |")
    flats: list[dict[str, object]] = []
    for copied in (True, False):
        flat = flatness(options.tiny, copied=copied)
        memory = (f"{first:.1f}, {last:.1f}" for first, last in (flat.sharing, flat.working))
        print(
            f"| {flat.clips} {flat.work} | {flat.milliseconds:.1f} | {' | '.join(memory)} |",
            flush=True,
        )
        flats.append(dataclasses.asdict(flat))
    figures["flatness"] = flats
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
