"""Speed of reading and writing face messages: ``python -m benchmarks.sei_speed [--json]``.

Ten minutes at 25 pictures/s: 15 000 messages of 60 matrix elements each, predicted, with a base
message every 30 s and 64 messages to an SEI NAL unit. Reading is ``python -m sei FILE --json`` as a
process of its own, start included; its peak memory is given for a tenth of the stream too.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from sei import (
    GENERATIVE_FACE_VIDEO,
    Codec,
    FaceValues,
    GfvState,
    MatrixType,
    MatrixValues,
    NalUnit,
    SeiMessage,
    make_sei_nal_unit,
)

MESSAGES = 15_000
ELEMENTS = 60
PRECISION_FACTOR = 6
KEY_INTERVAL = 750
MESSAGES_PER_NAL_UNIT = 64
# Headers of an IDR_N_LP slice that starts a picture; the picture data are of no interest here.
KEY_PICTURE = NalUnit(Codec.VVC, bytes.fromhex("0041 c4") + bytes(range(1, 250)) * 8)


def face_values(count: int, seed: int) -> Iterator[FaceValues]:
    """Slowly wandering parameters: deltas of a few steps, many of them zero."""
    rng = random.Random(seed)
    position, target = [0.0] * ELEMENTS, [0.0] * ELEMENTS
    for n in range(count):
        if n % 12 == 0:
            target = [rng.gauss(0, 24) for _ in range(ELEMENTS)]
        position = [p + 0.08 * (t - p) + rng.gauss(0, 0.3) for p, t in zip(position, target)]  # noqa: B905 - hot
        row = tuple(round(p) for p in position)
        yield FaceValues(
            matrices=(MatrixValues(MatrixType.COMPACT_FEATURE, PRECISION_FACTOR, ((row,),)),)
        )


def write_stream(path: Path, values: list[FaceValues]) -> float:
    """Write the stream; messages a second."""
    state = GfvState()
    start = time.perf_counter()
    with path.open("wb") as file:
        for key in range(0, len(values), KEY_INTERVAL):
            file.write(KEY_PICTURE.to_annex_b())
            messages = []
            for gfv_cnt, wanted in enumerate(values[key : key + KEY_INTERVAL]):
                message = state.predict(
                    wanted, gfv_id=1, gfv_cnt=gfv_cnt, base_picture_flag=gfv_cnt == 0
                )
                messages.append(SeiMessage(GENERATIVE_FACE_VIDEO, state.write(message)))
            for first in range(0, len(messages), MESSAGES_PER_NAL_UNIT):
                packed = messages[first : first + MESSAGES_PER_NAL_UNIT]
                file.write(make_sei_nal_unit(packed, Codec.VVC).to_annex_b())
    return len(values) / (time.perf_counter() - start)


# The peak of the process's own memory: rusage would count what it was forked from.
INSPECTOR = """
import re, sys, sei.__main__
status = sei.__main__.main(sys.argv[1:])
sys.stdout.flush()
peak = re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())
print(peak[1], file=sys.stderr)
sys.exit(status)
"""


def inspect(path: Path) -> tuple[float, float, float]:
    """Run the inspector: wall seconds, processor seconds, peak memory in MB."""
    start = time.perf_counter()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.run(
        [sys.executable, "-c", INSPECTOR, str(path), "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
        text=True,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, int(process.stderr) / 1024


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="runs whose median counts")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    values = list(face_values(MESSAGES, seed=1))
    with tempfile.TemporaryDirectory() as folder:
        whole, tenth = Path(folder, "whole.266"), Path(folder, "tenth.266")
        written = [write_stream(whole, values) for _ in range(args.runs)]
        write_stream(tenth, values[: MESSAGES // 10])
        size = whole.stat().st_size
        inspected = [inspect(whole) for _ in range(args.runs)]
        _, _, memory_tenth = inspect(tenth)
    report = {
        "messages": MESSAGES,
        "elements_per_message": ELEMENTS,
        "stream_bytes": size,
        "write_messages_per_second": round(median(written)),
        "inspect_seconds": round(median(wall for wall, _, _ in inspected), 2),
        "inspect_cpu_seconds": round(median(cpu for _, cpu, _ in inspected), 2),
        "inspect_peak_mb": round(max(memory for _, _, memory in inspected), 1),
        "inspect_peak_mb_of_a_tenth": round(memory_tenth, 1),
        "runs": args.runs,
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
    }
    if args.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name:28} {value}")


if __name__ == "__main__":
    main()
