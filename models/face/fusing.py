"""Which of two references shows a place: a small network that looks at what was read from both."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.face.blocks import ConvolutionBlock, DoublingBlock, FoldableResidualBlock
from models.face.motion import PARTS, RefinedMotion

# Both reduced references along their flows, how far apart the two are, lead, heat maps, and of each
# reference occlusion, whether it was read inside, and what moves with the head.
_INPUTS = 3 + 3 + 1 + 1 + len(PARTS) + 2 * 3
# A lead beyond this is as good as certain.
_CERTAIN = 8.0
# The network sees leads, and corrects them, at the scale of its other inputs.
_LEAD_GAIN = 4.0


class FusingNetwork(nn.Module):
    """Corrects the lead of the later reference.

    inputs ── enter ─┬─ down ── block ── up ─┐
                     └─────────────────── concat ── leave ── out ──► what is added to the lead

    Before it is trained the lead stays as it is.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.enter = ConvolutionBlock(_INPUTS, channels)
        self.down = ConvolutionBlock(channels, 2 * channels, stride=2)
        self.block = FoldableResidualBlock(2 * channels)
        self.leave = DoublingBlock(2 * channels, channels, channels)
        self.out = nn.Conv2d(channels, 2, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        assert self.out.bias is not None
        nn.init.zeros_(self.out.bias)

    def forward(
        self,
        read: Sequence[Tensor],
        motions: Sequence[RefinedMotion],
        driven_maps: Tensor,
        lead: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Shares 0..1 [B, 1, h, w] of the later reference: in features, and in pixels.

        Args:
            read: the two reduced references along their flows [B, 3, h, w].
            motions: of the two.
            driven_maps: heat maps [B, 8, h, w] of the picture to draw.
            lead: [B, 1, h, w], see `models.landmarks.fusing.reference_lead`.
        """
        apart = (read[0] - read[1]).abs().mean(dim=1, keepdim=True)
        known = lead.clamp(-_CERTAIN, _CERTAIN) / _LEAD_GAIN
        planes = [*read, apart, known, driven_maps]
        for motion in motions:
            planes += [motion.occlusion, motion.inside, motion.moving]
        entered = self.enter(torch.cat(planes, dim=1))
        left = self.leave(self.block(self.down(entered)), entered)
        shares = torch.sigmoid(lead + _LEAD_GAIN * self.out(left).float())
        return shares[:, :1], shares[:, 1:]
