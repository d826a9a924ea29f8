"""One step of training, and everything that the next step depends on."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from models.errors import TrainingError
from models.training.adversary import Adversary
from models.training.configuration import TrainingConfiguration
from models.training.losses import PERCEPTUAL_LOSS, shared_losses
from models.training.optimisation import (
    diverged,
    learning_rate_share,
    moving_average,
    set_rates,
    to_channels_last,
)
from models.training.saved import (
    fitting,
    random_states,
    read_state,
    restore_random_states,
    start_from_weights,
    write_state,
)
from models.training.task import Batch, TrainingTask
from models.training.trunk import TrunkFeatures, load_trunk, trunk_loss

_SEEN = "picture"
"""What the discriminator sees: drawn pictures, or the window of them that is drawn."""

_STATE = {
    "metadata": dict,
    "step": int,
    "elapsed": float,
    "best": float,
    "network": dict,
    "average": dict,
    "discriminator": dict,
    "optimiser": dict,
    "discriminator_optimiser": dict,
    "random": dict,
}


class Trainer:
    """A network, its average, its discriminator, and all that has to be kept to go on with them."""

    def __init__(
        self, configuration: TrainingConfiguration, task: TrainingTask, device: torch.device
    ) -> None:
        self.configuration = configuration
        self.task = task
        self.device = device
        torch.manual_seed(configuration.seed)
        self.network: nn.Module = to_channels_last(task.build_network().to(device))
        if configuration.start_from is not None:
            start_from_weights(self.network, task.metadata(), configuration.start_from)
        self.adversary = Adversary(
            [_SEEN],
            configuration.discriminator_channels,
            configuration.discriminator_rate,
            device,
            self._autocast,
        )
        self.perceptual: TrunkFeatures | None = None
        if configuration.trunk is not None:
            self.perceptual = load_trunk(configuration.trunk).to(device)
        self.average = moving_average(self.network, configuration.average_decay)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(),
            configuration.learning_rate,
            betas=(0.8, 0.99),
            weight_decay=configuration.weight_decay,
        )
        self._rates: dict[Optimizer, float] = {
            self.optimiser: configuration.learning_rate,
            self.adversary.optimiser: configuration.discriminator_rate,
        }
        self.step = 0
        self.elapsed = 0.0
        self.best = -math.inf
        self.best_is_adversarial = False

    @property
    def progress(self) -> float:
        """Share of the budget that is used up, from 0; 1 and more is the end."""
        configuration = self.configuration
        shares = [0.0]
        if configuration.steps is not None:
            shares.append(self.step / configuration.steps if configuration.steps else 1.0)
        if configuration.minutes is not None:
            shares.append(self.elapsed / max(configuration.minutes * 60, 1e-9))
        return max(shares)

    @property
    def adversarial_share(self) -> float:
        """How far the discriminator takes part, 0 to 1."""
        start = self.configuration.adversarial_from
        if start is None or self.step < start:
            return 0.0
        return min(1.0, (self.step - start + 1) / max(self.configuration.adversarial_ramp, 1))

    def take_step(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from a batch; return the losses, detached."""
        configuration = self.configuration
        share = learning_rate_share(
            self.step, self.progress, configuration.warm_up, configuration.final_rate
        )
        set_rates(self._rates, share)
        self.network.train()
        with self._autocast():
            outputs = self.task.forward(self.network, batch)
        losses = {
            **shared_losses(outputs, configuration.weights, configuration.gradient_scales),
            **outputs.losses,
        }
        if self.perceptual is not None:
            with self._autocast():
                loss = trunk_loss(self.perceptual, outputs.picture, outputs.target)
            losses[PERCEPTUAL_LOSS] = configuration.weights.perceptual * loss
        of_discriminator: dict[str, Tensor] = {}
        if share := self.adversarial_share:
            real = {_SEEN: self._patches(batch, outputs.target)}
            drawn = {_SEEN: self._patches(batch, outputs.picture)}
            of_discriminator = {"discriminator": self.adversary.teach(real, drawn)}
            if not torch.isfinite(of_discriminator["discriminator"]):
                raise diverged(self.step)
            verdict = self.adversary.ask(real, drawn)[_SEEN]
            losses["adversarial"] = configuration.weights.adversarial * share * verdict.adversarial
            losses["features"] = configuration.weights.features * share * verdict.features
        total = torch.stack(list(losses.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), configuration.gradient_limit)
        if not torch.isfinite(norm):
            raise diverged(self.step)
        self.optimiser.step()
        self.step += 1
        self.average.update_parameters(self.network)
        losses = {**losses, **of_discriminator, "total": total}
        return {name: loss.detach() for name, loss in losses.items()}

    def _autocast(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.configuration.half_precision
        )

    def _patches(self, batch: Batch, pictures: Tensor) -> Tensor:
        """The part that the discriminator sees, also of networks that draw whole pictures."""
        size = batch.driven.shape[-1]
        whole = batch.window is not None and pictures.shape[-1] == size
        if whole and batch.window is not None:
            pictures = batch.window.cut(pictures, size)
        return pictures.contiguous(memory_format=torch.channels_last)

    def save(self, path: Path) -> None:
        """Write everything that a resume needs."""
        state = {
            "metadata": self.task.metadata(),
            "step": self.step,
            "elapsed": self.elapsed,
            "best": self.best,
            "best_is_judged": self.best_is_adversarial,
            "network": self.network.state_dict(),
            "average": self.average.module.state_dict(),
            "discriminator": self.adversary.networks[_SEEN].state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "discriminator_optimiser": self.adversary.optimiser.state_dict(),
            "random": random_states(self.device),
        }
        write_state(path, state)

    def restore(self, path: Path) -> None:
        """Go on from a state; raise `TrainingError` when it is damaged or of another network."""
        state = read_state(path, _STATE)
        if state["metadata"] != self.task.metadata():
            raise TrainingError(f"{path}: is the state of another network: {state['metadata']}")
        with fitting(path):
            self.network.load_state_dict(state["network"])
            self.average.module.load_state_dict(state["average"])
            self.adversary.networks[_SEEN].load_state_dict(state["discriminator"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.adversary.optimiser.load_state_dict(state["discriminator_optimiser"])
            restore_random_states(state["random"], self.device)
        self.step, self.elapsed, self.best = state["step"], state["elapsed"], state["best"]
        self.average.n_averaged.fill_(self.step + 1)
        # Not in states of the first format.
        self.best_is_adversarial = bool(state.get("best_is_judged", False))
