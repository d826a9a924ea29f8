"""The `face` network: references once, then a picture for each set of landmarks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.face import MOTION_SIDE, SIDE_MULTIPLE
from models.face.blocks import (
    ConvolutionBlock,
    DoublingBlock,
    FaceConfiguration,
    FoldableResidualBlock,
)
from models.face.card import STEP_LIMIT
from models.face.fusing import FusingNetwork
from models.face.motion import (
    DETAIL_PARTS,
    MOTION_STEP,
    MotionNetwork,
    RefinedMotion,
    enlarge,
    heat_maps,
    identity_grid,
    sample_at,
    shrink,
)
from models.face.polyphase import enlarge_to_polyphase, from_polyphase, polyphase_mean, to_polyphase

ANALYSIS_STEP = 2
"""Pictures are analysed at half their width."""


# Networks learn best from inputs around 1; most values are a few steps.
_INPUT_SCALE = 1 / 16


class CompactAnalysis(nn.Module):
    """Measures a driven picture against the warped key picture, in the encoder.

    driven, warped ── conv /2 ── conv /2 ── conv /2 ─┬─ mean over the picture ─┬─ linear ── tanh
                                                     └─ mean near each part ───┘
    """

    def __init__(self, configuration: FaceConfiguration, parts: int) -> None:
        super().__init__()
        channels = configuration.motion_channels
        self.convolutions = nn.Sequential(
            ConvolutionBlock(6, channels, stride=2),
            ConvolutionBlock(channels, 2 * channels, stride=2),
            ConvolutionBlock(2 * channels, 4 * channels, stride=2),
        )
        self.last = nn.Linear(4 * channels * (1 + parts), configuration.compact_features)

    def forward(self, driven: Tensor, warped: Tensor, maps: Tensor) -> Tensor:
        """Measure.

        Args:
            driven: reduced picture [B, 3, h, w] in 0..1.
            warped: reduced key picture where the driven landmarks put it [B, 3, h, w].
            maps: heat maps [B, parts, h/8, w/8] of the parts to look at closely.

        Returns:
            [B, K] in quantisation steps, not rounded.
        """
        features = self.convolutions(torch.cat([driven, warped], dim=1)).float()
        weights = torch.cat([torch.ones_like(maps[:, :1]), maps], dim=1).flatten(2)
        weights = weights / weights.sum(dim=2, keepdim=True).clamp(min=1e-3)
        means = torch.einsum("bcn,bpn->bpc", features.flatten(2), weights).flatten(1)
        return torch.tanh(self.last(means).float()) * STEP_LIMIT


def compact_planes(steps: Tensor) -> Tensor:
    """Values [B, K] in quantisation steps as input planes [B, K, 1, 1] of networks."""
    return (steps * _INPUT_SCALE)[:, :, None, None]


class Outline(NamedTuple):
    """A key picture in few planes, as of `KeyFeatures`."""

    reduced: Tensor
    heat_maps: Tensor


class KeyFeatures(NamedTuple):
    """What is kept of a key picture [B, 3, S, S].

    Attributes:
        picture: the key picture.
        reduced: [B, 3, S/4, S/4].
        heat_maps: [B, 8, S/4, S/4] of its landmarks.
        fine: features [B, c1, S/2, S/2].
        middle: features [B, c2, S/4, S/4].
        coarse: features [B, c3, S/8, S/8].
    """

    picture: Tensor
    reduced: Tensor
    heat_maps: Tensor
    fine: Tensor
    middle: Tensor
    coarse: Tensor

    @property
    def outline(self) -> Outline:
        """All that the motion network sees of it."""
        return Outline(self.reduced, self.heat_maps)


class Second(NamedTuple):
    """A second reference, and how the two lie to each other.

    Attributes:
        key: of `encode_key`, batch B.
        flow: [B, 2, S, S], displacements that landmarks have it read at, as of the first.
        rests: [B, 2, S, S] each, displacements of the rest motion of the first and of the second.
        lead: [B, 1, 64, 64], how much likelier the second is right (log of the odds); far below 0
            where it is to be left out.
    """

    key: KeyFeatures
    flow: Tensor
    rests: tuple[Tensor, Tensor]
    lead: Tensor


class Drawing(NamedTuple):
    """A drawn picture in 0..1, the warped references it rests on, and the motion of the first.

    Pictures are [B, 3, S, S], or polyphase, [B, 3, 4, S/2, S/2].
    """

    picture: Tensor
    warped: Tensor
    motion: RefinedMotion


class Located(NamedTuple):
    """Where one reference is read, and how far that is trusted.

    Attributes:
        motion: at the motion network's own size.
        trusts: occlusion and inside, [B, 2, S/4, S/4].
        picture: sampling grid, polyphase, [B, 2, 4, S/2, S/2] or the part of it that is drawn.
        fine, middle, coarse: sampling grids of the features; coarse ones are those of the whole
            picture.
    """

    motion: RefinedMotion
    trusts: Tensor
    picture: Tensor
    fine: Tensor
    middle: Tensor
    coarse: Tensor


class Shares(NamedTuple):
    """How much of the second of two references is taken where, 0..1, and how far the two differ.

    Attributes:
        apart: [B, 1, S/4, S/4], 1 at most: where neither is left out, and they show other things.
        picture: polyphase, [B, 1, 4, S/2, S/2] or the part of it that is drawn.
        trusts: [B, 1, S/4, S/4].
        fine, middle, coarse: of the features, as `Located` has them.
    """

    apart: Tensor
    picture: Tensor
    trusts: Tensor
    fine: Tensor
    middle: Tensor
    coarse: Tensor


class Read(NamedTuple):
    """What is read from references along their flows, and what is known beside it.

    Attributes:
        picture: polyphase, [B, 3, 4, S/2, S/2] or the part of it that is drawn.
        fine, middle, coarse: features; coarse ones are those of the whole picture.
        beside: heat maps of lips, eyes and irises, then trusts, [B, C, S/4, S/4].
    """

    picture: Tensor
    fine: Tensor
    middle: Tensor
    coarse: Tensor
    beside: Tensor


Sample = Callable[[Tensor, Tensor], Tensor]
"""`sample_at`, or what does the same to a key picture's features that are kept in another way."""

Cut = Callable[[Tensor, int], Tensor]
"""Takes the part to draw out of planes [..., h, w] that show a picture of so many pixels a side."""

Part = Callable[[Tensor], Tensor]
"""`Cut` for pictures of one size."""


class FaceNetwork(nn.Module):
    """Warps features of the key picture and paints what the warp cannot show.

    key picture ── unshuffle ── fine 1/2 ── middle 1/4 ── coarse 1/8     encode_key, once per key

    landmarks ── heat maps, coarse flow ── motion ──► grid, occlusion, inside            ┐
    coarse ── sample at grid ── blocks 1/8 ─┐                                            │ draw,
    middle ── sample at grid ──────────── concat ── decode 1/4 ─┐                        │ once per
    fine ──── sample at grid ───────────────────────────────  concat ── decode 1/2       │ picture
    key picture ── sample at grid ──► warped                         │                   │
    picture = mask · warped + (1 − mask) · painted   ◄───────────── out                  ┘

    From two references, what is read from both is joined by shares before the bottleneck, and one
    picture is painted.

    What has the picture's full width is computed polyphase: four planes of half the width.
    """

    motion: MotionNetwork

    def __init__(self, configuration: FaceConfiguration | None = None) -> None:
        super().__init__()
        self.configuration = configuration = configuration or FaceConfiguration()
        fine, middle, coarse = configuration.channels
        self.key_fine = ConvolutionBlock(3 * 4, fine)
        self.key_middle = ConvolutionBlock(fine, middle, stride=2)
        self.key_coarse = nn.Sequential(
            ConvolutionBlock(middle, coarse, stride=2), FoldableResidualBlock(coarse)
        )
        self.motion = MotionNetwork(configuration)
        # Beside the warped features: where they are trusted, where the flow left the picture, and
        # of two references where they disagree.
        self.fusing: FusingNetwork | None = None
        beside = DETAIL_PARTS + 2
        if configuration.fusing_channels:
            self.fusing = FusingNetwork(configuration.fusing_channels)
            beside += 1
        self.bottleneck = nn.Sequential(
            ConvolutionBlock(coarse + beside + configuration.compact_features, coarse),
            *(FoldableResidualBlock(coarse) for _ in range(configuration.bottleneck_blocks)),
        )
        self.middle = nn.Sequential(
            DoublingBlock(coarse, middle + beside, middle),
            *(FoldableResidualBlock(middle) for _ in range(configuration.middle_blocks)),
        )
        self.fine = nn.Sequential(
            DoublingBlock(middle, fine + beside + 3 * 4, fine),
            FoldableResidualBlock(fine),
        )
        # Red, green, blue and the mask of 2×2 pixels.
        self.out = nn.Conv2d(fine, 4 * 4, 3, padding=1)
        self.analysis = (
            CompactAnalysis(configuration, DETAIL_PARTS) if configuration.compact_features else None
        )

    def motion_side(self, size: int) -> int:
        """Rows and columns of the motion network for pictures of `size` pixels a side."""
        return size // MOTION_STEP if self.fusing is None else MOTION_SIDE

    def encode_key(self, picture: Tensor, landmarks: Tensor) -> KeyFeatures:
        """All work that depends on the key picture alone.

        Args:
            picture: [B, 3, S, S] in 0..1.
            landmarks: [B, 478, 2] in picture widths and heights.

        Raises:
            ValueError: the picture is not square or S is no multiple of 32.
        """
        size = picture.shape[-1]
        if picture.shape[1:] != (3, size, size) or size % SIDE_MULTIPLE:
            raise ValueError(
                f"picture has shape {list(picture.shape)}: want [B, 3, S, S], square, S a multiple "
                f"of {SIDE_MULTIPLE}"
            )
        fine = self.key_fine(functional.pixel_unshuffle(picture, 2))
        middle = self.key_middle(fine)
        return KeyFeatures(
            picture,
            shrink(picture, self.motion_side(size)),
            heat_maps(landmarks, self.motion_side(size), self.configuration.heat_map_width),
            fine,
            middle,
            self.key_coarse(middle),
        )

    def analyse(self, driven: Tensor, key: Tensor, landmarks: Tensor, flow: Tensor) -> Tensor:
        """Compact feature of driven pictures, for the encoder: [B, K], in steps, not rounded.

        `driven` and the key pictures `key` are [B, 3, S, S] in 0..1; `landmarks` and `flow` are as
        in `draw`. Raises ValueError for a network without compact features.
        """
        if self.analysis is None:
            raise ValueError("this network has no compact features")
        size = driven.shape[-1]
        reduced = functional.avg_pool2d(flow, ANALYSIS_STEP)
        warped = sample_at(
            functional.avg_pool2d(key, ANALYSIS_STEP),
            identity_grid(reduced.shape[-1], reduced) + reduced,
        )
        maps = heat_maps(landmarks, size // 16, self.configuration.heat_map_width, DETAIL_PARTS)
        values: Tensor = self.analysis(functional.avg_pool2d(driven, ANALYSIS_STEP), warped, maps)
        return values

    def draw(
        self,
        key: KeyFeatures,
        landmarks: Tensor,
        flow: Tensor,
        compact: Tensor | None = None,
        cut: Cut | None = None,
        second: Second | None = None,
    ) -> Drawing:
        """Draw pictures.

        Args:
            key: of `encode_key`, batch B.
            landmarks: [B, 478, 2] of the pictures to draw.
            flow: [B, 2, S, S], displacements of `coarse_flow`.
            compact: [B, K] in steps, wanted exactly when the network has compact features; 0 for
                those that are not sent.
            cut: draw only this part; for training, where whole pictures cost too much.
            second: a second reference to draw from, for a network that fuses two.
        """
        drawing = self.draw_polyphase(key, landmarks, flow, compact, cut, second=second)
        picture, warped = from_polyphase(drawing.picture), from_polyphase(drawing.warped)
        return Drawing(picture, warped, drawing.motion)

    def draw_polyphase(
        self,
        key: KeyFeatures,
        landmarks: Tensor,
        flow: Tensor,
        compact: Tensor | None = None,
        cut: Cut | None = None,
        sample_key: Sample = sample_at,
        second: Second | None = None,
    ) -> Drawing:
        """`draw` with the pictures polyphase.

        `sample_key` samples picture, fine, middle and coarse of references, in whatever shape they
        are kept; all else is as for `draw`.
        """
        if (compact is None) != (self.analysis is None):
            raise ValueError("a compact feature goes with a network that has one")
        if second is not None and self.fusing is None:
            raise ValueError("this network draws from one reference")
        size = flow.shape[-1]
        maps = heat_maps(landmarks, self.motion_side(size), self.configuration.heat_map_width)
        planes = None if compact is None else compact_planes(compact)

        def part(planes: Tensor) -> Tensor:
            return planes if cut is None else cut(planes, size)

        if second is None:
            located = self.locate(key.outline, maps, flow, planes, part)
            read = _read(key, located, sample_key)
            trusts = located.trusts
            if self.fusing is not None:
                trusts = torch.cat([trusts, torch.zeros_like(trusts[:, :1])], dim=1)
        else:
            keys = key, second.key
            outlines = key.outline, second.key.outline
            flows = flow, second.flow
            places = self.locate_both(outlines, maps, flows, second.rests, planes, part)
            shares = self.share(places, outlines, maps, second.lead, part, size)
            trusts = self.trusts_of_both(places, shares)
            first, other = (
                _read(one, place, sample_key) for one, place in zip(keys, places, strict=True)
            )
            read = [
                _mean(one, of_second, share)
                for one, of_second, share in zip(first, other, _of_read(shares), strict=True)
            ]
            located = places[0]
        picture, fine, middle, coarse = read
        beside = self.beside(maps, trusts, size)
        drawn = self.paint(Read(picture, fine, middle, coarse, beside), planes, part, size)
        return Drawing(drawn, picture, located.motion)

    def locate(
        self,
        key: Outline,
        maps: Tensor,
        flow: Tensor,
        compact: Tensor | None,
        part: Part,
        rest: Tensor | None = None,
    ) -> Located:
        """Refine the flow to a reference.

        Args:
            key: the reference.
            maps: heat maps of the pictures to draw, at the motion network's size.
            flow: [B, 2, S, S], displacements that landmarks have it read at.
            compact: planes of the compact feature, if there is one.
            part: takes the part to draw.
            rest: [B, 2, S, S], displacements of the rest motion.
        """
        size = flow.shape[-1]
        quarter, side = size // 4, maps.shape[-1]
        flow = to_polyphase(flow)
        reduced = shrink(polyphase_mean(flow), side)
        whole_rest = None if rest is None else to_polyphase(rest)
        if whole_rest is not None:
            rest = shrink(polyphase_mean(whole_rest), side)
        elif self.fusing is not None:
            rest = torch.zeros_like(reduced)
        motion: RefinedMotion = self.motion(
            key.reduced, key.heat_maps, maps, reduced, compact, rest
        )
        # At full width the flow keeps what landmarks say about lids and lips.
        refined = part(
            enlarge_to_polyphase(torch.cat([motion.moving, motion.residual], dim=1), size)
        )
        grid = part(to_polyphase(identity_grid(size, flow))) + part(flow) * refined[:, :1]
        grid = grid + refined[:, 1:]
        if whole_rest is not None:
            grid = grid + part(whole_rest)
        middle = motion.grid
        if side != quarter:
            displaced = middle - identity_grid(side, middle)
            middle = identity_grid(quarter, middle) + enlarge(displaced, quarter)
        return Located(
            motion,
            enlarge(torch.cat([motion.occlusion, motion.inside], dim=1), quarter),
            grid,
            polyphase_mean(grid),
            part(middle),
            functional.avg_pool2d(middle, 2),
        )

    def locate_both(
        self,
        keys: tuple[Outline, Outline],
        maps: Tensor,
        flows: tuple[Tensor, Tensor],
        rests: tuple[Tensor, Tensor],
        compact: Tensor | None,
        part: Part,
    ) -> tuple[Located, Located]:
        """`locate` for both of two references."""
        first, second = (
            self.locate(key, maps, flow, compact, part, rest)
            for key, flow, rest in zip(keys, flows, rests, strict=True)
        )
        return first, second

    def share(
        self,
        places: tuple[Located, Located],
        keys: tuple[Outline, Outline],
        maps: Tensor,
        lead: Tensor,
        part: Part,
        size: int,
    ) -> Shares:
        """How two references are joined.

        `lead` is as of `Second`; all else as of `locate`. The picture is `size` pixels wide.
        """
        assert self.fusing is not None
        motions = places[0].motion, places[1].motion
        reduced = [
            sample_at(key.reduced, motion.grid) for key, motion in zip(keys, motions, strict=True)
        ]
        features, pixels = self.fusing(reduced, motions, maps, lead)
        apart = (reduced[0] - reduced[1]).abs().mean(dim=1, keepdim=True)
        quarter = enlarge(features, size // 4)
        return Shares(
            enlarge(4 * features * (1 - features) * apart, size // 4),
            part(enlarge_to_polyphase(pixels, size)),
            quarter,
            part(enlarge(features, size // 2)),
            part(quarter),
            functional.avg_pool2d(quarter, 2),
        )

    @staticmethod
    def trusts_of_both(places: tuple[Located, Located], shares: Shares) -> Tensor:
        """Occlusion, inside, and how far the two references are apart: [B, 3, S/4, S/4]."""
        trusts = _mean(places[0].trusts, places[1].trusts, shares.trusts)
        return torch.cat([trusts, shares.apart], dim=1)

    @staticmethod
    def beside(maps: Tensor, trusts: Tensor, size: int) -> Tensor:
        """What is known beside what is read, as of `Read`."""
        return torch.cat([enlarge(maps[:, :DETAIL_PARTS], size // 4), trusts], dim=1)

    def paint(self, read: Read, compact: Tensor | None, part: Part, size: int) -> Tensor:
        """Paint what was read: a picture in 0..1, as `Drawing` has it."""
        beside = read.beside
        occlusion = beside[:, DETAIL_PARTS : DETAIL_PARTS + 1]
        eighth = functional.avg_pool2d(beside, 2)
        planes = [read.coarse * functional.avg_pool2d(occlusion, 2), eighth]
        if compact is not None:
            planes.append(compact.expand(-1, -1, *eighth.shape[2:]))
        coarse = self.bottleneck(torch.cat(planes, dim=1))
        enter, *blocks = self.middle
        middle = read.middle * part(occlusion)
        middle = enter(part(coarse), torch.cat([middle, part(beside)], dim=1))
        for block in blocks:
            middle = block(middle)
        enlarged = part(enlarge(beside, size // 2))
        enter, block = self.fine
        fine = read.fine * enlarged[:, DETAIL_PARTS : DETAIL_PARTS + 1]
        fine = block(enter(middle, torch.cat([fine, enlarged, read.picture.flatten(1, 2)], dim=1)))
        out = torch.unflatten(self.out(fine).float(), 1, (4, 4))
        # The offset starts training from the warped key picture.
        mask = torch.sigmoid(out[:, 3:] + 2)
        return read.picture * mask + torch.sigmoid(out[:, :3]) * (1 - mask)


def _mean(one: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """So much of the other."""
    return one + share * (other - one)


def _read(key: KeyFeatures, located: Located, sample_key: Sample) -> list[Tensor]:
    """Picture, fine, middle and coarse of a reference along their grids."""
    picture = sample_key(key.picture, located.picture.flatten(2, 3))
    return [
        torch.unflatten(picture, 2, (4, -1)),
        sample_key(key.fine, located.fine),
        sample_key(key.middle, located.middle),
        sample_key(key.coarse, located.coarse),
    ]


def _of_read(shares: Shares) -> list[Tensor]:
    """Shares of picture, fine, middle and coarse."""
    return [shares.picture, shares.fine, shares.middle, shares.coarse]
