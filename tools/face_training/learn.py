"""Learning on a GPU, from placed clips in its memory to weights.

Everything is drawn whole, in batches of pairs of successive pictures. The learning rate rises, then
falls along half a cosine; the discriminators, one for whole pictures and one for mouth and eyes,
take part from a share of the time on. What is kept is a moving average of the weights.

The state that learning goes on from lies in three files, `NAME-STEP.pt`, none of which is larger
than 16 MiB for the network that ships, so that they are easily carried elsewhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from models.contract import Picture
from models.errors import TrainingError
from models.face.blocks import FoldableResidualBlock
from models.face.motion import DETAIL_PARTS, INPUTS
from models.face.network import FaceNetwork
from models.face.training import importance
from models.files import MAX_TENSOR_FILE, check_tensor_file
from models.landmarks import points as groups
from models.training.adversary import Adversary
from models.training.loop import deferred_interrupts
from models.training.losses import gradient_loss, luma, ssim_loss, weighted_l1
from models.training.optimisation import (
    diverged,
    learning_rate_share,
    moving_average,
    set_rates,
    to_channels_last,
)
from models.training.saved import export_weights, fitting, read_state, write_state
from models.training.trunk import TrunkFeatures, trunk_loss
from models.training.validation import to_picture, write_sheet
from tools.face_training.data import Augmenter, PairBatch, PairData
from tools.face_training.settings import Settings

Report = Callable[[str], None]
WEIGHTS_FILE, SHEET_FILE = "face.safetensors", "sheet.png"
_DISCRIMINATOR_CHANNELS = 48
_DETAIL_WEIGHT = 3.0
PART_SIDE = 64
# Sides of the squares around mouth and eyes, in distances of the outer eye corners.
_MOUTH, _EYE = 1.0, 0.55
_STATE: dict[str, dict[str, type]] = {
    "network": {"step": int, "elapsed": float, "network": dict, "average": dict},
    "optimiser": {"optimiser": dict},
    "discriminators": {"whole": dict, "parts": dict, "optimiser": dict},
}
"""The files of a state and their entries."""


def start_from(network: FaceNetwork, weights: dict[str, Tensor]) -> list[str]:
    """Take over the weights of the first network, `face-1`, or of another; tell what stayed new.

    Inputs that it does not have, of the rest motion and of where references disagree, get no
    weight; its compact feature is left out.
    """
    fine, middle, coarse = network.configuration.channels
    trusted = DETAIL_PARTS + 2
    # Inputs that the two share: from the start, and from the end.
    shared = {
        "motion.enter.conv.weight": (INPUTS, 0),
        "bottleneck.0.conv.weight": (coarse + trusted, 0),
        "middle.0.conv.weight": (coarse + middle + trusted, 0),
        "fine.0.conv.weight": (middle + fine + trusted, 3 * 4),
    }
    new = []
    state = network.state_dict()
    for name, wanted in state.items():
        given = weights.get(name)
        if given is None:
            new.append(name)
        elif given.shape == wanted.shape:
            state[name] = given.to(wanted.dtype)
        elif name in shared:
            first, last = shared[name]
            state[name] = torch.zeros_like(wanted)
            state[name][:, :first] = given[:, :first]
            if last:
                state[name][:, -last:] = given[:, -last:]
        else:
            new.append(name)
    network.load_state_dict(state)
    return new


def quiet_new_blocks(network: FaceNetwork, new: list[str]) -> None:
    """Make residual blocks without weights pass on what they get."""
    for name in new:
        if name.endswith(".norm.weight") and ".first." not in name:
            block = network.get_submodule(name.removesuffix(".norm.weight"))
            if isinstance(block, FoldableResidualBlock):
                nn.init.zeros_(block.norm.weight)


class Learner:
    """The network, its average, and two discriminators."""

    def __init__(
        self,
        network: FaceNetwork,
        trunk: TrunkFeatures,
        settings: Settings,
        device: torch.device,
    ) -> None:
        self.settings = settings
        self.device = device
        self.network = network.to(device)
        to_channels_last(self.network)
        self._average = moving_average(self.network, settings.average_decay)
        self.trunk = trunk.to(device)
        to_channels_last(self.trunk)
        self.adversary = Adversary(
            ("whole", "parts"),
            _DISCRIMINATOR_CHANNELS,
            settings.discriminator_rate,
            device,
            self._autocast,
        )
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), settings.learning_rate, betas=(0.8, 0.99), weight_decay=1e-4
        )
        self._rates: dict[Optimizer, float] = {
            self.optimiser: settings.learning_rate,
            self.adversary.optimiser: settings.discriminator_rate,
        }
        self.step = 0
        self.elapsed = 0.0

    @property
    def average(self) -> FaceNetwork:
        """The network with the moving average of its weights."""
        return cast(FaceNetwork, self._average.module)

    def take_step(self, batch: PairBatch, progress: float) -> dict[str, Tensor]:
        """Learn from a batch at a progress of 0..1; return the weighted losses."""
        settings = self.settings
        share = learning_rate_share(self.step, progress, settings.warm_up, settings.final_rate)
        set_rates(self._rates, share)
        self.network.train()
        with self._autocast():
            picture, warped = batch.draw(self.network)
        picture, target = picture.contiguous(), batch.target.contiguous()
        weights = importance(batch.landmarks, target.shape[-1], _DETAIL_WEIGHT)
        losses = {
            "l1": settings.l1 * weighted_l1(picture, target, weights),
            "gradient": settings.gradient * gradient_loss(picture, target),
            "ssim": settings.ssim * ssim_loss(picture, target),
            "warp": settings.warp * (warped - target).abs().mean(),
            "temporal": settings.temporal * temporal_loss(picture, target),
        }
        with self._autocast():
            losses["trunk"] = settings.perceptual * trunk_loss(self.trunk, picture, target)
        strength = min(1.0, (progress - settings.adversarial_from) / settings.adversarial_ramp)
        of_discriminators: dict[str, Tensor] = {}
        if strength > 0:
            grids = parts(batch.landmarks)
            real = {"whole": target, "parts": cut_parts(target, grids)}
            drawn = {"whole": picture, "parts": cut_parts(picture, grids)}
            of_discriminators = {"discriminator": self.adversary.teach(real, drawn)}
            weights_of = {
                "whole": (settings.adversarial, settings.features),
                "parts": (settings.part_adversarial, settings.part_features),
            }
            for name, verdict in self.adversary.ask(real, drawn).items():
                adversarial, features = weights_of[name]
                losses[f"adversarial_{name}"] = adversarial * strength * verdict.adversarial
                losses[f"features_{name}"] = features * strength * verdict.features
        total = torch.stack(list(losses.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self._average.update_parameters(self.network)
        losses = {**losses, **of_discriminators, "total": total}
        return {name: loss.detach() for name, loss in losses.items()}

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16)

    @torch.no_grad()
    def validate(self, batches: Iterable[PairBatch]) -> dict[str, float]:
        """Mean scores of the average over validation clips."""
        rows: dict[str, list[float]] = {}
        for batch in batches:
            picture, warped = batch.draw(self.average)
            grids = parts(batch.landmarks)
            shown = [cut_parts(pictures, grids) for pictures in (picture, batch.target)]
            scores = {
                "l1": (picture - batch.target).abs().mean(),
                "ssim": ssim_loss(picture, batch.target),
                "part_ssim": ssim_loss(*shown),
                "trunk": trunk_loss(self.trunk, picture, batch.target),
                "part_trunk": trunk_loss(self.trunk, *shown),
                "warped_ssim": ssim_loss(warped, batch.target),
                "temporal": temporal_loss(picture, batch.target),
                "sharpness": _detail(picture) / _detail(batch.target),
            }
            for name, score in scores.items():
                rows.setdefault(name, []).append(float(score))
        return {name: float(np.mean(values)) for name, values in rows.items()}

    def save(self, out: Path) -> None:
        """Write the average weights and the state into a folder; an older state is removed last."""
        metadata = {"configuration": json.dumps(asdict(self.network.configuration))}
        export_weights(self.average, metadata, out / WEIGHTS_FILE)
        content: dict[str, dict[str, Any]] = {
            "network": {
                "step": self.step,
                "elapsed": self.elapsed,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
            },
            "optimiser": {"optimiser": self.optimiser.state_dict()},
            "discriminators": {
                **{name: seen.state_dict() for name, seen in self.adversary.networks.items()},
                "optimiser": self.adversary.optimiser.state_dict(),
            },
        }
        paths = _files(out, self.step)
        for path, entries in zip(paths, content.values(), strict=True):
            write_state(path, entries)
        for path in {older for name in _STATE for older in out.glob(f"{name}-*.pt")} - {*paths}:
            path.unlink()

    def restore(self, out: Path) -> None:
        """Go on from the state in a folder.

        Raises:
            TrainingError: there is none, or it is damaged or of another network.
        """
        there = states(out)
        if not there:
            raise TrainingError(f"{out}: no state to go on from")
        paths = _files(out, there[-1])
        network, optimiser, discriminators = (
            read_state(path, entries) for path, entries in zip(paths, _STATE.values(), strict=True)
        )
        with fitting(paths[0]):
            self.network.load_state_dict(network["network"])
            self.average.load_state_dict(network["average"])
        with fitting(paths[1]):
            self.optimiser.load_state_dict(optimiser["optimiser"])
        with fitting(paths[2]):
            for name, seen in self.adversary.networks.items():
                seen.load_state_dict(discriminators[name])
            self.adversary.optimiser.load_state_dict(discriminators["optimiser"])
        self.step, self.elapsed = network["step"], network["elapsed"]
        self._average.n_averaged.fill_(self.step + 1)


def _files(out: Path, step: int) -> list[Path]:
    return [out / f"{name}-{step}.pt" for name in _STATE]


def states(out: Path) -> list[int]:
    """The steps of which a folder has the whole state, the last one last."""
    steps = [path.stem.removeprefix("network-") for path in out.glob("network-*.pt")]
    numbers = sorted(int(step) for step in steps if step.isdecimal())
    return [step for step in numbers if all(path.exists() for path in _files(out, step))]


def _detail(pictures: Tensor) -> Tensor:
    """Mean variance of the Laplacian of luma."""
    grey = luma(pictures)
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], device=grey.device)
    edges = nn.functional.conv2d(grey, kernel[None, None])
    return edges.var(dim=(1, 2, 3)).mean()


@torch.no_grad()
def sheet(network: FaceNetwork, batches: Iterable[PairBatch]) -> Picture:
    """A row for each batch: references, fused references, drawn and real picture; uint8 RGB."""
    rows = []
    for batch in batches:
        picture, warped = batch.draw(network)
        shown = (batch.first, batch.second, warped, picture, batch.target)
        middle = len(picture) // 4 * 2
        rows.append(to_picture(torch.cat([pictures[middle] for pictures in shown], dim=2).cpu()))
    return np.concatenate(rows)


def learn(
    learner: Learner,
    data: PairData,
    validation: PairData,
    out: Path,
    report: Report,
) -> None:
    """Learn until the time is used up; leave weights, state and a sheet in the folder `out`.

    Ctrl-C and termination end the step that runs, leave weights and state, and then have their
    usual effect.

    Raises:
        TrainingError: the loss is no number any more, or a file cannot be written.
    """
    settings = learner.settings
    budget = settings.minutes * 60
    augment = Augmenter(learner.device)
    reported = validated = time.monotonic()
    begun, steps = reported - learner.elapsed, learner.step

    def elapsed() -> float:
        learner.elapsed = time.monotonic() - begun
        return learner.elapsed

    with deferred_interrupts() as interrupted:
        while elapsed() < budget and not interrupted():
            random = np.random.default_rng((settings.seed, learner.step))
            batch = augment(data.batch(settings.pairs, random), random)
            losses = learner.take_step(batch, learner.elapsed / budget)
            now = time.monotonic()
            if now - reported >= settings.report_seconds:
                speed = (learner.step - steps) / (now - reported)
                steps, reported = learner.step, now
                report(f"{learner.elapsed:.0f} s, {speed:.1f} steps/s, {_losses(learner, losses)}")
            if now - validated >= settings.validation_seconds:
                validated = now
                report(f"validation: {_text(learner.validate(validation.all()))}")
                learner.save(out)
        learner.save(out)
        if interrupted():
            report(f"stopped after step {learner.step}; --resume goes on from there")
    report(f"validation: {_text(learner.validate(validation.all()))}")
    write_sheet(out / SHEET_FILE, sheet(learner.average, validation.all()))


def _losses(learner: Learner, losses: dict[str, Tensor]) -> str:
    if not torch.isfinite(losses["total"]):
        raise diverged(learner.step)
    shown = " ".join(f"{name} {float(loss):.4f}" for name, loss in losses.items())
    return f"step {learner.step}: {shown}"


def _text(scores: dict[str, float]) -> str:
    return " ".join(f"{name} {score:.5f}" for name, score in scores.items())


def load_start(network: FaceNetwork, path: Path, report: Report) -> None:
    """Begin with the weights of a file, as far as they fit.

    Raises:
        TrainingError: the file cannot be read, or nothing in it is of this network.
    """
    try:
        check_tensor_file(path, MAX_TENSOR_FILE)
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"{path}: weights cannot be read ({error})") from None
    if not weights.keys() & network.state_dict().keys():
        raise TrainingError(f"{path}: not weights of the network of face")
    new = start_from(network, weights)
    quiet_new_blocks(network, new)
    report(f"{path.name}: {len(new)} tensors of {len(network.state_dict())} are not in it")


def parts(landmarks: Tensor) -> Tensor:
    """Sampling grids [3B, 64, 64, 2] of mouth, right and left eye, -1..1 in the picture."""
    corners = [groups.RIGHT_EYE_OUTER_CORNER, groups.LEFT_EYE_OUTER_CORNER]
    apart = landmarks[:, corners[1]] - landmarks[:, corners[0]]
    distance = apart.norm(dim=1).clamp(min=0.02)
    places = [
        (landmarks[:, list(points)].mean(dim=1), share * distance)
        for points, share in (
            (groups.LIPS_OUTER, _MOUTH),
            (groups.RIGHT_EYE, _EYE),
            (groups.LEFT_EYE, _EYE),
        )
    ]
    steps = (torch.arange(PART_SIDE, device=landmarks.device) + 0.5) / PART_SIDE - 0.5
    square = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
    grids = [middle[:, None, None] + side[:, None, None, None] * square for middle, side in places]
    return torch.cat(grids) * 2 - 1


def cut_parts(pictures: Tensor, grids: Tensor) -> Tensor:
    """The parts of pictures [B, 3, S, S]: [3B, 3, 64, 64]."""
    thrice = pictures.float().repeat(3, 1, 1, 1)
    return functional.grid_sample(thrice, grids, padding_mode="border", align_corners=False)


def temporal_loss(picture: Tensor, target: Tensor) -> Tensor:
    """How differently drawn and real pictures change from row 2i to row 2i + 1."""
    changes = [pictures[1::2] - pictures[::2] for pictures in (picture, target)]
    return (changes[0] - changes[1]).abs().mean()
