"""Learning on a GPU, from placed clips in its memory to weights.

Everything is drawn whole, in batches of pairs of successive pictures. The learning rate rises, then
falls along half a cosine; the discriminators, one for whole pictures and one for mouth and eyes,
take part from a share of the time on. What is kept is a moving average of the weights.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from models.contract import Picture
from models.face.blocks import FoldableResidualBlock
from models.face.motion import DETAIL_PARTS, INPUTS
from models.face.network import FaceNetwork
from models.face.training import importance
from models.training.export import write_weights
from models.training.losses import (
    PatchDiscriminator,
    discriminator_loss,
    feature_matching,
    gradient_loss,
    luma,
    ssim_loss,
    weighted_l1,
)
from models.training.trainer import to_channels_last
from models.training.trunk import TrunkFeatures, trunk_loss
from models.training.validation import to_picture, write_sheet
from tools.face_training.data import Augmenter, PairBatch, PairData
from tools.face_training.losses import cut_parts, parts, temporal_loss
from tools.face_training.settings import Settings

Report = Callable[[str], None]
WEIGHTS_FILE, SHEET_FILE = "face.safetensors", "sheet.png"
_JUDGE_CHANNELS = 48
_DETAIL_WEIGHT = 3.0


def start_from(network: FaceNetwork, weights: dict[str, Tensor]) -> list[str]:
    """Take over the weights of a network of the first generation; tell what stayed new.

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
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.trunk = trunk.to(device)
        to_channels_last(self.trunk)
        self.whole = to_channels_last(PatchDiscriminator(_JUDGE_CHANNELS).to(device))
        self.parts = to_channels_last(PatchDiscriminator(_JUDGE_CHANNELS).to(device))
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), settings.learning_rate, betas=(0.8, 0.99), weight_decay=1e-4
        )
        self.judges = torch.optim.AdamW(
            [*self.whole.parameters(), *self.parts.parameters()],
            settings.discriminator_rate,
            betas=(0.0, 0.99),
        )
        self.step = 0

    def take_step(self, batch: PairBatch, progress: float) -> dict[str, Tensor]:
        """Learn from a batch at a progress of 0..1; return the weighted losses."""
        settings = self.settings
        cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
        share = settings.final_rate + (1 - settings.final_rate) * cosine
        share *= min(1.0, (self.step + 1) / settings.warm_up)
        for optimiser, highest in (
            (self.optimiser, settings.learning_rate),
            (self.judges, settings.discriminator_rate),
        ):
            for group in optimiser.param_groups:
                group["lr"] = highest * share
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
        strength = (progress - settings.adversarial_from) / settings.adversarial_ramp
        if strength > 0:
            losses.update(self._judge(picture, target, batch, min(strength, 1.0)))
        judged = losses.pop("discriminator", None)
        total = torch.stack(list(losses.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self._take_average()
        losses["total"] = total
        if judged is not None:
            losses["discriminator"] = judged
        return {name: loss.detach() for name, loss in losses.items()}

    def _judge(
        self, picture: Tensor, target: Tensor, batch: PairBatch, strength: float
    ) -> dict[str, Tensor]:
        settings = self.settings
        grids = parts(batch.landmarks)
        real_parts, drawn_parts = cut_parts(target, grids), cut_parts(picture, grids)
        pairs = ((self.whole, target, picture), (self.parts, real_parts, drawn_parts))
        terms = []
        for judge, real, drawn in pairs:
            judge.requires_grad_(True)
            with self._autocast():
                verdict, _ = judge(real)
                other, _ = judge(drawn.detach())
            terms.append(discriminator_loss(verdict, other))
        loss = torch.stack(terms).sum()
        self.judges.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.judges.step()
        losses = {"discriminator": loss.detach()}
        shares = (
            ("whole", settings.adversarial, settings.features),
            ("parts", settings.part_adversarial, settings.part_features),
        )
        for (name, adversarial, features), (judge, real, drawn) in zip(shares, pairs, strict=True):
            judge.requires_grad_(False)
            with self._autocast():
                logits, seen = judge(drawn)
                with torch.no_grad():
                    _, wanted = judge(real)
            losses[f"adversarial_{name}"] = -adversarial * strength * logits.mean()
            losses[f"features_{name}"] = features * strength * feature_matching(seen, wanted)
        return losses

    @torch.no_grad()
    def _take_average(self) -> None:
        decay = min(self.settings.average_decay, self.step / (self.step + 20))
        kept, current = self.average.state_dict(), self.network.state_dict()
        floats = [name for name, value in kept.items() if value.is_floating_point()]
        torch._foreach_lerp_(
            [kept[name] for name in floats], [current[name] for name in floats], 1 - decay
        )

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
            flicker = [pictures[1::2] - pictures[::2] for pictures in (picture, batch.target)]
            scores = {
                "l1": (picture - batch.target).abs().mean(),
                "ssim": ssim_loss(picture, batch.target),
                "part_ssim": ssim_loss(*shown),
                "trunk": trunk_loss(self.trunk, picture, batch.target),
                "part_trunk": trunk_loss(self.trunk, *shown),
                "warped_ssim": ssim_loss(warped, batch.target),
                "temporal": (flicker[0] - flicker[1]).abs().mean(),
                "sharpness": _detail(picture) / _detail(batch.target),
            }
            for name, score in scores.items():
                rows.setdefault(name, []).append(float(score))
        return {name: float(np.mean(values)) for name, values in rows.items()}

    def save(self, path: Path) -> None:
        """Write the average weights, float16."""
        metadata = {"configuration": json.dumps(asdict(self.network.configuration))}
        tensors = {
            name: value.detach().cpu().contiguous().half()
            if value.is_floating_point()
            else value.cpu()
            for name, value in self.average.state_dict().items()
        }
        path.unlink(missing_ok=True)
        write_weights(tensors, metadata, path)


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
    """Learn until the time is used up; leave weights and a sheet in the folder `out`."""
    settings = learner.settings
    random = np.random.default_rng(settings.seed)
    augment = Augmenter(learner.device)
    begun = reported = validated = time.monotonic()
    steps = learner.step
    while (elapsed := time.monotonic() - begun) < settings.minutes * 60:
        batch = augment(data.batch(settings.pairs, random), random)
        losses = learner.take_step(batch, elapsed / (settings.minutes * 60))
        now = time.monotonic()
        if now - reported >= settings.report_seconds:
            speed = (learner.step - steps) / (now - reported)
            steps, reported = learner.step, now
            shown = " ".join(f"{name} {float(loss):.4f}" for name, loss in losses.items())
            report(f"{elapsed:.0f} s, step {learner.step}, {speed:.1f} steps/s: {shown}")
        if now - validated >= settings.validation_seconds:
            validated = now
            report(f"validation: {_text(learner.validate(validation.all()))}")
            learner.save(out / WEIGHTS_FILE)
    report(f"validation: {_text(learner.validate(validation.all()))}")
    learner.save(out / WEIGHTS_FILE)
    write_sheet(out / SHEET_FILE, sheet(learner.average, validation.all()))


def _text(scores: dict[str, float]) -> str:
    return " ".join(f"{name} {score:.5f}" for name, score in scores.items())


def load_start(network: FaceNetwork, path: Path, report: Report) -> None:
    """Begin with the weights of a file, as far as they fit."""
    new = start_from(network, load_file(path))
    quiet_new_blocks(network, new)
    report(f"{path.name}: {len(new)} tensors of {len(network.state_dict())} are not in it")
