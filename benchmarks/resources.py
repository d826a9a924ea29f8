"""Memory over the length of a clip, and the CPU time of commands that must answer at once.

    python -m benchmarks.resources CLIP [--minutes 1 10] [--json FILE]

The clip is looped to each length. Memory is the peak resident size of the largest process of
`gfvc encode` and `gfvc decode`; CPU time is user and system time, the median of 5 runs.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe

from benchmarks.command import command_parser, write_json

RUNS = 5


def _run(*arguments: str) -> tuple[float, float]:
    """Run `gfvc`; return CPU seconds and peak resident MiB."""
    with subprocess.Popen(
        [sys.executable, "-m", "gfvc", *arguments], stdout=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"gfvc {arguments[0]} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure_memory(clip: Path, minutes: int, folder: Path) -> tuple[float, float]:
    """Peak MiB of encoding and of decoding a clip looped to a length."""
    looped, stream, video = folder / "looped.mp4", folder / "looped.266", folder / "out.mp4"
    subprocess.run(
        [get_ffmpeg_exe(), "-y", "-v", "error", "-stream_loop", "-1", "-i", str(clip),
         "-t", str(60 * minutes), "-an", "-c", "copy", str(looped)],
        check=True,
    )  # fmt: skip
    _, encoding = _run("encode", str(looped), str(stream), "--force")
    _, decoding = _run("decode", str(stream), str(video), "--force")
    return encoding, decoding


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("resources", __doc__, json=True)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--minutes", type=int, nargs="+", default=[1, 10])
    options = parser.parse_args(arguments)
    memory = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = folder / "small.266"
        _run("encode", str(options.clip), str(small))
        cpu = {
            "gfvc --help": statistics.median(_run("--help")[0] for _ in range(RUNS)),
            "gfvc inspect": statistics.median(_run("inspect", str(small))[0] for _ in range(RUNS)),
        }
        for minutes in options.minutes:
            encoding, decoding = measure_memory(options.clip, minutes, folder)
            memory[minutes] = {"encode_mib": encoding, "decode_mib": decoding}
            print(
                f"{minutes} min: encode {encoding:.0f} MiB, decode {decoding:.0f} MiB", flush=True
            )
    first, last = memory[options.minutes[0]], memory[options.minutes[-1]]
    ratios = {key: last[key] / first[key] for key in first}
    for name, seconds in cpu.items():
        print(f"{name}: {seconds:.2f} s of CPU")
    for name, ratio in ratios.items():
        print(f"{name} {options.minutes[-1]} min over {options.minutes[0]} min: {ratio:.3f}")
    write_json(options.json, {"cpu_seconds": cpu, "peak_memory": memory, "ratios": ratios})


if __name__ == "__main__":
    main()
