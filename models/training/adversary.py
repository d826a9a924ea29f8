"""The discriminators that training plays against, and what a network learns from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.training.losses import PatchDiscriminator, discriminator_loss, feature_matching
from models.training.optimisation import to_channels_last


class Verdict(NamedTuple):
    """Losses that a discriminator has for what was drawn, without their weights.

    Attributes:
        adversarial: less the mean logit.
        features: how far its features are from those of what is real.
    """

    adversarial: Tensor
    features: Tensor


class Adversary:
    """Discriminators, each of which sees something of its own, and their optimiser.

    What they see are pictures [B, 3, H, W] in 0..1 by the names of the discriminators.

    Attributes:
        networks: the discriminators by name.
        optimiser: of all of them.
    """

    def __init__(
        self,
        names: Sequence[str],
        channels: int,
        rate: float,
        device: torch.device,
        autocast: Callable[[], torch.autocast],
    ) -> None:
        self.networks: dict[str, nn.Module] = {
            name: to_channels_last(PatchDiscriminator(channels).to(device)) for name in names
        }
        self.optimiser = torch.optim.AdamW(
            [weight for network in self.networks.values() for weight in network.parameters()],
            rate,
            betas=(0.0, 0.99),
        )
        self._autocast = autocast

    def teach(self, real: Mapping[str, Tensor], drawn: Mapping[str, Tensor]) -> Tensor:
        """Take a step of the discriminators; return the sum of their losses, detached."""
        losses = []
        for name, network in self.networks.items():
            network.requires_grad_(True)
            with self._autocast():
                of_real, _ = network(real[name])
                of_drawn, _ = network(drawn[name].detach())
            losses.append(discriminator_loss(of_real, of_drawn))
        loss = torch.stack(losses).sum()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        return loss.detach()

    def ask(self, real: Mapping[str, Tensor], drawn: Mapping[str, Tensor]) -> dict[str, Verdict]:
        """What the network that drew has to learn, by discriminator."""
        verdicts = {}
        for name, network in self.networks.items():
            network.requires_grad_(False)
            with self._autocast():
                logits, features = network(drawn[name])
                with torch.no_grad():
                    _, wanted = network(real[name])
            verdicts[name] = Verdict(-logits.mean(), feature_matching(features, wanted))
        return verdicts
