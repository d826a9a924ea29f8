"""The `face` network: a key picture once, then a picture for each set of landmarks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.face.blocks import ConvolutionBlock, DoublingBlock, FoldableResidualBlock
from models.face.compact import ANALYSIS_STEP, CompactAnalysis, compact_planes
from models.face.configuration import FaceConfiguration
from models.face.heat_maps import DETAIL_PARTS, heat_maps
from models.face.motion import Motion, MotionNetwork
from models.face.phases import enlarge_to_phases, join_phases, mean_of_phases, split_phases
from models.face.places import MOTION_STEP, enlarge, place_grid, read_at
from models.layers import check_picture
from models.training.window import Window

PICTURE_MULTIPLE = 32
"""Width and height of pictures are equal, and multiples of this."""


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


class Drawing(NamedTuple):
    """A drawn picture in 0..1, the warped key picture it rests on, and the motion.

    Pictures are [B, 3, S, S], or [B, 3, 4, S/2, S/2] in phases.
    """

    picture: Tensor
    warped: Tensor
    motion: Motion


Read = Callable[[Tensor, Tensor], Tensor]
"""`read_at`, or what does the same to a key picture's features that are kept in another way."""


class FaceNetwork(nn.Module):
    """Warps features of the key picture and paints what the warp cannot show.

    key picture ── unshuffle ── fine 1/2 ── middle 1/4 ── coarse 1/8     encode_key, once per key

    landmarks ── heat maps, coarse flow ── motion ──► places, occlusion, inside          ┐
    coarse ── read at places ── blocks 1/8 ─┐                                            │ draw,
    middle ── read at places ──────────── concat ── decode 1/4 ─┐                        │ once per
    fine ──── read at places ───────────────────────────────  concat ── decode 1/2       │ picture
    key picture ── read at places ──► warped                         │                   │
    picture = mask · warped + (1 − mask) · painted   ◄───────────── out                  ┘

    What has the picture's full width is computed in four phases of half the width.
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
        # Beside the warped features: where they are trusted, and where the flow left the picture.
        self.bottleneck = nn.Sequential(
            ConvolutionBlock(coarse + DETAIL_PARTS + 2 + configuration.compact_features, coarse),
            *(FoldableResidualBlock(coarse) for _ in range(configuration.bottleneck_blocks)),
        )
        self.middle = nn.Sequential(
            DoublingBlock(coarse, middle + DETAIL_PARTS + 2, middle),
            FoldableResidualBlock(middle),
        )
        self.fine = nn.Sequential(
            DoublingBlock(middle, fine + DETAIL_PARTS + 2 + 3 * 4, fine),
            FoldableResidualBlock(fine),
        )
        # Red, green, blue and the mask of 2×2 pixels.
        self.out = nn.Conv2d(fine, 4 * 4, 3, padding=1)
        self.analysis = (
            CompactAnalysis(configuration, DETAIL_PARTS) if configuration.compact_features else None
        )

    def encode_key(self, picture: Tensor, landmarks: Tensor) -> KeyFeatures:
        """All work that depends on the key picture alone.

        Args:
            picture: [B, 3, S, S] in 0..1.
            landmarks: [B, 478, 2] in picture widths and heights.

        Raises:
            ValueError: the picture is not square or S is no multiple of 32.
        """
        check_picture(picture, PICTURE_MULTIPLE)
        size = picture.shape[-1]
        if picture.shape[-2] != size:
            raise ValueError(f"picture has shape {list(picture.shape)}: want it square")
        fine = self.key_fine(functional.pixel_unshuffle(picture, 2))
        middle = self.key_middle(fine)
        return KeyFeatures(
            picture,
            functional.avg_pool2d(picture, MOTION_STEP),
            heat_maps(landmarks, size // MOTION_STEP, self.configuration.heat_map_width),
            fine,
            middle,
            self.key_coarse(middle),
        )

    def analyse(self, driven: Tensor, key: KeyFeatures, landmarks: Tensor, flow: Tensor) -> Tensor:
        """Compact feature of driven pictures, for the encoder: [B, K], in steps, not rounded.

        `driven` is [B, 3, S, S] in 0..1; `landmarks` and `flow` are as in `draw`. Raises
        ValueError for a network without compact features.
        """
        return self.analyse_against(driven, key.picture, landmarks, flow)

    def analyse_against(
        self, driven: Tensor, key: Tensor, landmarks: Tensor, flow: Tensor
    ) -> Tensor:
        """`analyse` with nothing but the key picture [B, 3, S, S], which is all it looks at."""
        if self.analysis is None:
            raise ValueError("this network has no compact features")
        size = driven.shape[-1]
        reduced = functional.avg_pool2d(flow, ANALYSIS_STEP)
        warped = read_at(
            functional.avg_pool2d(key, ANALYSIS_STEP),
            place_grid(reduced.shape[-1], reduced) + reduced,
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
        window: Window | None = None,
    ) -> Drawing:
        """Draw pictures.

        Args:
            key: of `encode_key`, batch B.
            landmarks: [B, 478, 2] of the pictures to draw.
            flow: [B, 2, S, S], displacements of `coarse_flow`.
            compact: [B, K] in steps, wanted exactly when the network has compact features; 0 for
                those that are not sent.
            window: draw only this part; for training, where whole pictures cost too much.
        """
        phases = self.draw_phases(key, landmarks, flow, compact, window)
        return Drawing(join_phases(phases.picture), join_phases(phases.warped), phases.motion)

    def draw_phases(
        self,
        key: KeyFeatures,
        landmarks: Tensor,
        flow: Tensor,
        compact: Tensor | None = None,
        window: Window | None = None,
        read_key: Read = read_at,
    ) -> Drawing:
        """`draw` with the pictures in phases.

        `read_key` reads from picture, fine, middle and coarse of `key`, in whatever shape they are
        kept; all else is as for `draw`.
        """
        if (compact is None) != (self.analysis is None):
            raise ValueError("a compact feature goes with a network that has one")
        size = flow.shape[-1]
        flow = split_phases(flow)
        maps = heat_maps(landmarks, size // MOTION_STEP, self.configuration.heat_map_width)
        compact = None if compact is None else compact_planes(compact)
        reduced = functional.avg_pool2d(mean_of_phases(flow), MOTION_STEP // 2)
        motion: Motion = self.motion(key.reduced, key.heat_maps, maps, reduced, compact)
        trust = torch.cat([motion.occlusion, motion.inside], dim=1)
        detail = maps[:, :DETAIL_PARTS]

        def cut(planes: Tensor) -> Tensor:
            return planes if window is None else window.cut(planes, size)

        # At full width the flow keeps what landmarks say about lids and lips.
        refined = cut(enlarge_to_phases(torch.cat([motion.moving, motion.residual], dim=1), size))
        places = cut(split_phases(place_grid(size, flow))) + cut(flow) * refined[:, :1]
        places = places + refined[:, 1:]
        enlarged = cut(enlarge(torch.cat([detail, trust], dim=1), size // 2))

        eighth = functional.avg_pool2d(torch.cat([detail, trust], dim=1), 2)
        occlusion = eighth[:, DETAIL_PARTS : DETAIL_PARTS + 1]
        planes = [read_key(key.coarse, functional.avg_pool2d(motion.places, 2)) * occlusion, eighth]
        if compact is not None:
            planes.append(compact.expand(-1, -1, *eighth.shape[2:]))
        coarse = self.bottleneck(torch.cat(planes, dim=1))
        enter, block = self.middle
        middle = read_key(key.middle, cut(motion.places)) * cut(motion.occlusion)
        middle = block(enter(cut(coarse), torch.cat([middle, cut(detail), cut(trust)], dim=1)))
        warped = torch.unflatten(read_key(key.picture, places.flatten(2, 3)), 2, (4, -1))
        enter, block = self.fine
        fine = read_key(key.fine, mean_of_phases(places)) * enlarged[:, -2:-1]
        fine = block(enter(middle, torch.cat([fine, enlarged, warped.flatten(1, 2)], dim=1)))
        out = torch.unflatten(self.out(fine).float(), 1, (4, 4))
        # The offset starts training from the warped key picture.
        mask = torch.sigmoid(out[:, 3:] + 2)
        picture = warped * mask + torch.sigmoid(out[:, :3]) * (1 - mask)
        return Drawing(picture, warped, motion)

    def forward(
        self,
        picture: Tensor,
        key_landmarks: Tensor,
        landmarks: Tensor,
        flow: Tensor,
        compact: Tensor | None = None,
    ) -> Tensor:
        """`encode_key` and `draw` in one: the drawn picture [B, 3, S, S]."""
        return self.draw(self.encode_key(picture, key_landmarks), landmarks, flow, compact).picture
