"""Cost of the networks: ``python -m benchmarks.models_speed [--model NAME ...] [--json FILE]``.

Full-size networks with synthetic weights, `mesh`, and `face` with random weights run by torch
(`face-torch`) and by onnxruntime (`face-onnx`), all with the same number of threads in one run: the
median time of each step, multiplications of its convolutions and linear layers, parameters, and
the peak memory of a process of its own.

`animate` is one picture, from the call to its end. `in a run` is what a picture takes when many are
drawn one after the other, as in decoding: the time of `Reference.animate_many` for some seconds'
worth of them (4 to 64), divided by their number. There each model uses the threads as it does by
default: those run by torch draw a picture with all of them, `face-onnx` draws as many pictures at
the same time as there are threads, each with one; its single `animate` so has one thread.
`re-encoding` is a picture without anything kept of the key picture (for fv2v that includes the
canonical keypoints); `gain` is how much faster a picture is with the source prepared once.

``--bfloat16`` and ``--channels-last`` change how the published networks run in torch, which
changes what they draw. Analysis of `mesh` and `face` includes Face Mesh, that of the others no face
tracker. What onnxruntime multiplies is not counted: `face-onnx` is the network of `face-torch`.
The last lines compare the drawing of pictures in a run by FOMM and by `face`.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from gfvc.demo_clip import demo_still
from models.checkpoints import ARCHITECTURES
from models.checkpoints.loading import build_network, wrap_network
from models.contract import AnimationModel, FaceParameters, Reference
from models.face.card import CARD as FACE_CARD
from models.face.model import FaceModel
from models.face.network import FaceNetwork
from models.face.onnx_export import SIZE, export_face
from models.face.onnx_rendering import OnnxRenderer
from models.face.torch_rendering import TorchRenderer
from models.mesh.model import MeshModel
from models.parity import filled_weights, load_weights, synthetic_pictures
from models.training.mesh_space import load_mesh_space

NETWORKS = [card.name for network in ARCHITECTURES.values() for card in network.cards]
MODELS = [*NETWORKS, "mesh", "face-torch", "face-onnx"]
IN_A_RUN = "in a run"
RUN_SECONDS = 2.0
RUN_PICTURES = (4, 64)
"""Least and most pictures in a run: its first and last are not drawn beside others."""


class _Counter:
    """Counts the multiplications of convolutions and linear layers."""

    def __init__(self, network: nn.Module) -> None:
        self.count = 0
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Conv3d, nn.Linear)):
                module.register_forward_hook(self._add)

    def _add(self, module: Any, inputs: Any, output: Any) -> None:
        self.count += output.numel() * module.weight[0].numel()


def _timed(steps: dict[str, Callable[[], object]], runs: int) -> dict[str, list[float]]:
    """Milliseconds of runs after a warm-up; steps take turns, so that load hits all alike."""
    times: dict[str, list[float]] = {step: [] for step in steps}
    for turn in range(runs + 1):
        for step, run in steps.items():
            started = time.perf_counter()
            run()
            if turn:
                times[step].append(1000 * (time.perf_counter() - started))
    return times


def limit_threads(threads: int) -> None:
    """Let every library have so many threads at most, for the rest of the process."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    threadpool_limits(threads)


@dataclass(frozen=True)
class PictureRun:
    """Some seconds' worth of pictures, drawn as a decoder does."""

    reference: Reference
    parameters: FaceParameters
    length: int

    @classmethod
    def of(cls, reference: Reference, parameters: FaceParameters) -> PictureRun:
        """A run as long as the time of a single picture suggests."""
        reference.animate(parameters)
        began = time.perf_counter()
        reference.animate(parameters)
        wanted = round(RUN_SECONDS / (time.perf_counter() - began))
        least, most = RUN_PICTURES
        return cls(reference, parameters, min(max(wanted, least), most))

    def draw(self) -> None:
        """Draw all pictures."""
        for _ in self.reference.animate_many([self.parameters] * self.length):
            pass


def _face_model(name: str, threads: int) -> tuple[AnimationModel, list[nn.Module]]:
    """`mesh` or `face`, and the networks to count in."""
    space = load_mesh_space()
    if name == "mesh":
        return MeshModel(space), []
    torch.manual_seed(0)
    network = FaceNetwork().eval()
    if name == "face-torch":
        renderer = TorchRenderer(network, torch.device("cpu"))
        return FaceModel(space, lambda _: renderer, FACE_CARD.layout), [network]  # folded in place
    with TemporaryDirectory() as folder:
        export_face(network, Path(folder), "random", SIZE)
        graphs = OnnxRenderer(Path(folder), threads=1, device="cpu", at_once=threads)
        return FaceModel(space, lambda _: graphs, FACE_CARD.layout), []


def measure_face_model(name: str, threads: int, runs: int) -> Any:
    """All figures of `mesh` or of `face`."""
    limit_threads(threads)
    model, networks = _face_model(name, threads)
    still = demo_still(SIZE)
    moved = np.ascontiguousarray(np.roll(still, 6, axis=1))
    with model.open_analyser() as analyser:
        key = analyser.analyse_key(still)
        assert key is not None
        analysis = analyser.analyse(moved, key)
        assert analysis is not None
        driven, described = analysis.parameters, key
        reference = model.prepare(still, key.parameters)
        run = PictureRun.of(reference, driven)
        steps: dict[str, Callable[[], object]] = {
            "analyse": lambda: analyser.analyse(moved, described),
            "prepare": lambda: model.prepare(still, described.parameters),
            "animate": lambda: reference.animate(driven),
            IN_A_RUN: run.draw,
            "re-encoding": lambda: model.prepare(still, described.parameters).animate(driven),
        }
        return _figures(name, steps, networks, runs, run.length)


def measure(name: str, threads: int, runs: int, *, bfloat16: bool, channels_last: bool) -> Any:
    """All figures of one of the published networks."""
    limit_threads(threads)
    architecture, card = next(
        (a, c) for a in ARCHITECTURES.values() for c in a.cards if c.name == name
    )
    network = build_network(architecture, architecture.variants[0], [])
    load_weights(network, filled_weights(network))
    if channels_last:
        for weights in network.parameters():
            if weights.ndim == 4:
                weights.data = weights.data.contiguous(memory_format=torch.channels_last)
    model = wrap_network(network, card)
    key, picture = (np.ascontiguousarray(p.transpose(1, 2, 0)) for p in synthetic_pictures()[:2])
    with torch.autocast(model.device.type, torch.bfloat16, enabled=bfloat16):
        described_key = model.describe(key, None)
        driven = model.describe(picture, described_key).parameters
        reference = model.prepare(key, described_key.parameters)
        run = PictureRun.of(reference, driven)
        steps: dict[str, Callable[[], object]] = {
            "analyse": lambda: model.describe(picture, described_key),
            "prepare": lambda: model.prepare(key, described_key.parameters),
            "animate": lambda: reference.animate(driven),
            IN_A_RUN: run.draw,
            "re-encoding": lambda: model.prepare(key, described_key.parameters).animate(driven),
        }
        return _figures(name, steps, [network], runs, run.length)


def _figures(
    name: str,
    steps: dict[str, Callable[[], object]],
    networks: Sequence[nn.Module],
    runs: int,
    length: int,
) -> Any:
    """The figures of one model; `length` pictures are in a run."""
    times = _timed(steps, runs)
    times[IN_A_RUN] = [taken / length for taken in times[IN_A_RUN]]
    counters = [_Counter(network) for network in networks]
    multiplications = {}
    for step, run in steps.items():
        for counter in counters:
            counter.count = 0
        run()
        pictures = length if step == IN_A_RUN else 1
        multiplications[step] = sum(counter.count for counter in counters) / 1e9 / pictures
    weights = [weight for network in networks for weight in network.parameters()]
    return {
        "model": name,
        "parameters": sum(weight.numel() for weight in weights),
        "milliseconds": {step: median(taken) for step, taken in times.items()},
        "gmac": multiplications,
        "gain": median(
            whole / part for whole, part in zip(times["re-encoding"], times["animate"], strict=True)
        ),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _comparisons(rows: Sequence[Any]) -> list[str]:
    """How many times faster `face` draws a picture than FOMM, for each way of running it."""
    drawing = {row["model"]: row["milliseconds"][IN_A_RUN] for row in rows}
    faces = [name for name in drawing if name.startswith("face-")]
    if "fomm" in drawing:
        gain = next(row["gain"] for row in rows if row["model"] == "fomm")
        lines = [f"fomm, source prepared once: {gain:.2f} times faster"]
        return lines + [
            f"{name}: a picture in a run {drawing['fomm'] / drawing[name]:.1f} times faster"
            for name in faces
        ]
    return []


def _in_own_process(name: str, arguments: Sequence[str]) -> Any:
    command = [sys.executable, "-m", "benchmarks.models_speed", "--one", name, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def main() -> int:
    """Measure, print a table, write JSON when asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bfloat16", action="store_true", help="autocast to bfloat16")
    parser.add_argument("--channels-last", action="store_true", help="weights in channels_last")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--one", choices=MODELS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one and options.one not in NETWORKS:
        print(json.dumps(measure_face_model(options.one, options.threads, options.runs)))
        return 0
    if options.one:
        figures = measure(
            options.one,
            options.threads,
            options.runs,
            bfloat16=options.bfloat16,
            channels_last=options.channels_last,
        )
        print(json.dumps(figures))
        return 0
    passed = ["--threads", str(options.threads), "--runs", str(options.runs)]
    passed += ["--bfloat16"] * options.bfloat16 + ["--channels-last"] * options.channels_last
    rows = [_in_own_process(name, passed) for name in options.model]
    conditions = {
        "processor": platform.processor() or platform.machine(),
        "threads": options.threads,
        "runs": options.runs,
        "torch": torch.__version__,
        "bfloat16": options.bfloat16,
        "channels_last": options.channels_last,
    }
    print(", ".join(f"{key} {value}" for key, value in conditions.items()))
    steps = list(rows[0]["milliseconds"])
    print("model".ljust(16) + "".join(f"{step + ' ms':>16}{'GMAC':>8}" for step in steps), end="")
    print(f"{'gain':>7}{'M params':>10}{'MiB':>7}")
    for row in rows:
        print(row["model"].ljust(16), end="")
        for step in steps:
            print(f"{row['milliseconds'][step]:16.1f}{row['gmac'][step]:8.2f}", end="")
        print(f"{row['gain']:7.2f}{row['parameters'] / 1e6:10.1f}{row['peak_mib']:7.0f}")
    for line in _comparisons(rows):
        print(line)
    if options.json:
        options.json.write_text(json.dumps({"conditions": conditions, "models": rows}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
