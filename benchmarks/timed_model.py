"""One model under the clock, in a process of its own that takes its turns when it is told to.

So the load of the machine hits all models alike: a turn is every step of one model once, then
comes the next model, then the next turn. What is measured stands in `benchmarks.models_speed`.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from gfvc.demo_clip import demo_still
from models.contract import AnimationModel, FaceParameters, Reference
from models.face.card import CARD as FACE_CARD
from models.face.model import FaceModel
from models.face.onnx_rendering import OnnxRenderer
from models.face.torch_rendering import TorchRenderer, load_face_network
from models.family import imported_families
from models.landmarks.face_space import shipped_face_space
from models.mesh.model import MeshModel
from models.parallel import finish
from models.runtime import Runtime
from models.weights.loading import build_network
from tools.onnx_export.face import SIZE
from tools.parity.filling import synthetic_pictures
from tools.parity.weights import filled_weights, load_weights

NETWORKS = [card.name for network in imported_families().values() for card in network.cards()]
MODELS = ["mesh", "face-torch", "face-onnx", *NETWORKS]
IN_A_RUN = "in a run"
RUN_SECONDS = 2.0
RUN_PICTURES = (4, 64)
"""Least and most pictures in a run: its first and last are not drawn beside others."""

Steps = dict[str, Callable[[], object]]


@dataclass(frozen=True)
class Conditions:
    """How models run: `threads` of each library; the rest for the published networks alone."""

    threads: int
    bfloat16: bool = False
    channels_last: bool = False


@dataclass
class Times:
    """What was measured of a model: milliseconds of each step, a value a turn."""

    model: str
    parameters: int = 0
    gmac: dict[str, float] = field(default_factory=dict)
    peak_mib: float = 0.0
    milliseconds: dict[str, list[float]] = field(default_factory=dict)

    def typical(self, step: str) -> float:
        """The median of the turns."""
        return median(self.milliseconds[step])

    def times_faster(self, step: str, other: Times, of: str) -> float:
        """How many times faster `step` is than step `of` of `other`: the median of the turns."""
        pairs = zip(other.milliseconds[of], self.milliseconds[step], strict=True)
        return median(theirs / ours for theirs, ours in pairs)


class _Counter:
    """Counts the multiplications of convolutions and linear layers."""

    def __init__(self, network: nn.Module) -> None:
        self.count = 0
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Conv3d, nn.Linear)):
                module.register_forward_hook(self._add)

    def _add(self, module: Any, inputs: Any, output: Any) -> None:
        self.count += output.numel() * module.weight[0].numel()


@dataclass(frozen=True)
class _PictureRun:
    """Some seconds' worth of pictures, drawn as a decoder does."""

    reference: Reference
    parameters: FaceParameters
    length: int

    @classmethod
    def of(cls, reference: Reference, parameters: FaceParameters) -> _PictureRun:
        """A run as long as the time of a single picture suggests."""
        reference.animate(parameters)
        began = time.perf_counter()
        reference.animate(parameters)
        wanted = round(RUN_SECONDS / (time.perf_counter() - began))
        least, most = RUN_PICTURES
        return cls(reference, parameters, min(max(wanted, least), most))

    def draw(self) -> None:
        """Draw all pictures."""
        begun = self.reference.begin([self.parameters] * self.length)
        for _ in finish(begun, torch.get_num_threads()):  # As many as all libraries have.
            pass


class _TimedModel:
    """The steps of a model, what they cost, and the networks they run."""

    def __init__(self, steps: Steps, run: _PictureRun, networks: Sequence[nn.Module]) -> None:
        self._steps = {**steps, IN_A_RUN: run.draw}
        self._pictures = {IN_A_RUN: run.length}
        self._networks = networks

    def turn(self) -> dict[str, float]:
        """Milliseconds a picture of every step, done once."""
        taken = {}
        for step, run in self._steps.items():
            began = time.perf_counter()
            run()
            taken[step] = 1000 * (time.perf_counter() - began) / self._pictures.get(step, 1)
        return taken

    def count(self, times: Times) -> None:
        """Fill in what does not depend on time."""
        counters = [_Counter(network) for network in self._networks]
        for step, run in self._steps.items():
            for counter in counters:
                counter.count = 0
            run()
            count = sum(counter.count for counter in counters)
            times.gmac[step] = count / 1e9 / self._pictures.get(step, 1)
        weights = [weight for network in self._networks for weight in network.parameters()]
        times.parameters = sum(weight.numel() for weight in weights)
        times.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _timed(
    analyse: Callable[[], object],
    prepare: Callable[[], Reference],
    driven: FaceParameters,
    networks: Sequence[nn.Module],
) -> _TimedModel:
    """The steps of a model that analyses and prepares so, and then draws `driven`."""
    reference = prepare()
    steps: Steps = {
        "analyse": analyse,
        "prepare": prepare,
        "animate": lambda: reference.animate(driven),
        "re-encoding": lambda: prepare().animate(driven),
    }
    return _TimedModel(steps, _PictureRun.of(reference, driven), networks)


def _face_model(name: str) -> tuple[AnimationModel, list[nn.Module]]:
    """`mesh` or `face`, and the networks to count in."""
    space = shipped_face_space()
    if name == "mesh":
        return MeshModel(space), []
    weights = FACE_CARD.path
    assert weights is not None
    if name == "face-torch":
        network = load_face_network(weights)
        renderer = TorchRenderer(network, torch.device("cpu"))
        return FaceModel(space, lambda: renderer, FACE_CARD.layout), [network]  # folded in place
    graphs = OnnxRenderer(weights.parent, dict(FACE_CARD.graphs), threads=1, device="cpu")
    return FaceModel(space, lambda: graphs, FACE_CARD.layout), []


def _open_face_model(name: str, stack: ExitStack) -> _TimedModel:
    model, networks = _face_model(name)
    still = demo_still(SIZE)
    moved = np.ascontiguousarray(np.roll(still, 6, axis=1))
    analyser = stack.enter_context(model.open_analyser())
    key = analyser.analyse_key(still)
    assert key is not None
    analysis = analyser.analyse(moved, key)
    assert analysis is not None
    driven = analysis.parameters
    return _timed(
        lambda: analyser.analyse(moved, key),
        lambda: model.prepare(still, key.parameters),
        driven,
        networks,
    )


def _open_network(name: str, conditions: Conditions) -> _TimedModel:
    """One of the published networks, with synthetic weights."""
    family, card = next(
        (a, c) for a in imported_families().values() for c in a.cards() if c.name == name
    )
    network = build_network(family, family.variants[0], [])
    load_weights(network, filled_weights(network))
    if conditions.channels_last:
        for weights in network.parameters():
            if weights.ndim == 4:
                weights.data = weights.data.contiguous(memory_format=torch.channels_last)
    assert family.wrap is not None
    model = family.wrap(network, card, Runtime(bfloat16=conditions.bfloat16))
    key, picture = (np.ascontiguousarray(p.transpose(1, 2, 0)) for p in synthetic_pictures()[:2])
    described_key = model.describe(key, None)
    driven = model.describe(picture, described_key).parameters
    return _timed(
        lambda: model.describe(picture, described_key),
        lambda: model.prepare(key, described_key.parameters),
        driven,
        [network],
    )


def _serve(name: str, conditions: Conditions, connection: Connection) -> None:
    """Take a turn for every True received; then send what was measured, and end."""
    # No library has more threads, for the rest of the process.
    for limit in (torch.set_num_threads, cv2.setNumThreads, threadpool_limits):
        limit(conditions.threads)
    with ExitStack() as stack:
        timed = (
            _open_network(name, conditions) if name in NETWORKS else _open_face_model(name, stack)
        )
        times = Times(name)
        timed.turn()  # warms up
        connection.send(None)
        while connection.recv():
            for step, taken in timed.turn().items():
                times.milliseconds.setdefault(step, []).append(taken)
            connection.send(None)
        timed.count(times)
        connection.send(times)


@contextmanager
def _worker(name: str, conditions: Conditions) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(name, conditions, theirs))
    process.start()
    theirs.close()  # or its end would never be noticed
    try:
        yield ours
        process.join()
    finally:
        process.kill()


def measure(names: Sequence[str], conditions: Conditions, turns: int) -> list[Times]:
    """Time models turn by turn; raises EOFError when the process of one ends early."""
    with ExitStack() as stack:
        workers = []
        for name in names:
            workers.append(stack.enter_context(_worker(name, conditions)))
            workers[-1].recv()  # warm before the next one starts
        for _ in range(turns):
            for worker in workers:
                worker.send(True)
                worker.recv()
        measured = []
        for worker in workers:
            worker.send(False)
            measured.append(worker.recv())
        return measured
