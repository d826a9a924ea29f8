"""Where the time of decoding goes: CPU milliseconds a picture of each step, by the step's thread.

    python -m benchmarks.decoding_time STREAM [--json FILE]

The stream is decoded once, as `gfvc decode` does into an MP4 file, with a clock around each step
that tells of the thread that runs it: threads of libraries are in the whole alone, as are what
lies between the steps and starting. Steps that others are part of are told without them.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.command import command_parser, write_json
from gfvc import decoder
from gfvc.options.decoding import DecodeOptions
from gfvc.video_writer import VideoFileWriter
from gfvc.whole_pictures import model as whole_pictures
from gfvc.whole_pictures.surroundings import Surroundings
from models.face import model as face
from models.face.onnx_rendering import OnnxDraw, OnnxDrawBetween
from models.landmarks import pairs
from models.landmarks.alignment import Alignment
from models.landmarks.flow import BackwardFlows
from models.onnx_graph import OnnxGraph

STEPS: tuple[tuple[str, Any, str], ...] = (
    ("load graphs", OnnxGraph, "__init__"),
    ("prepare a coded picture", face.FaceModel, "prepare"),
    ("pair two: align the later face", Alignment, "align"),
    ("pair two: rest motion", pairs.PairFlow, "__init__"),
    ("flows of the landmarks", BackwardFlows, "dense"),
    ("lead", pairs, "reference_lead"),
    ("place a picture, all else", pairs.PairFlow, "place"),
    ("flows for the network", face, "_between"),
    ("network: run graphs", OnnxGraph, "run"),
    ("network: read both references", OnnxDrawBetween, "read"),
    ("network: draw from one, all else", OnnxDraw, "__call__"),
    ("sharpen", face, "restore_detail"),
    ("surroundings: of two coded pictures", Surroundings, "__init__"),
    ("surroundings: of a picture", Surroundings, "at"),
    ("lay the face over them", whole_pictures, "lay_over"),
    ("write: bring to 4:2:0", VideoFileWriter, "_frame"),
    ("write: code video", VideoFileWriter, "write"),
)


class Clocks:
    """CPU seconds of steps, each without the steps within it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._running = threading.local()
        self._lock = threading.Lock()

    def around(self, step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Work that is clocked; it does what it did."""

        def clocked(*arguments: Any, **named: Any) -> Any:
            outer = getattr(self._running, "within", None)
            self._running.within = within = [0.0]
            began = time.thread_time()
            try:
                return work(*arguments, **named)
            finally:
                taken = time.thread_time() - began
                self._running.within = outer
                if outer is not None:
                    outer[0] += taken
                with self._lock:
                    self.seconds[step] += taken - within[0]

        return clocked


def measure(stream: Path) -> dict[str, float]:
    """Milliseconds a picture of each step; `all` is the process, `wall` what a clock shows."""
    clocks = Clocks()
    for step, owner, name in STEPS:
        setattr(owner, name, clocks.around(step, getattr(owner, name)))
    with tempfile.TemporaryDirectory() as folder:
        cpu, wall = time.process_time(), time.perf_counter()
        summary = decoder.decode(stream, Path(folder, "out.mp4"), DecodeOptions())
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    seconds = {step: clocks.seconds[step] for step, _, _ in STEPS if step in clocks.seconds}
    rest = {"all": cpu, "wall": wall}
    return {step: 1000 * taken / summary.frames for step, taken in (seconds | rest).items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Decode and print."""
    parser = command_parser("decoding_time", __doc__, json=True)
    parser.add_argument("stream", type=Path, metavar="STREAM")
    options = parser.parse_args(arguments)
    found = measure(options.stream)
    for step, milliseconds in found.items():
        print(f"{step:36} {milliseconds:7.2f}")
    write_json(options.json, found)


if __name__ == "__main__":
    main()
