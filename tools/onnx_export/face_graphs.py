"""The parts of the `face` network that are graphs of their own, as modules of one picture each.

Pictures are uint8 [S, S, 3], landmarks [478, 2], flow [2, S, S] and compact features [K], all
float32. Features that are sampled along a flow are kept in the order in which that is fast.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from models.face.motion import heat_maps
from models.face.network import FaceNetwork, KeyFeatures, Outline, Read
from models.face.onnx_rendering import AT, BESIDE, SAMPLED, SECOND, SHARE
from tools.onnx_export.sampling import sample_rows, sampling_rows

FEATURES = KeyFeatures._fields


def _sample_rows(rows: Tensor, grid: Tensor) -> Tensor:
    """`sample_at` of a square picture's rows; samples of 8 bits are taken as 0..1."""
    size = math.isqrt(len(rows))
    positions = grid.permute(0, 2, 3, 1) * 2 - 1
    sampled = sample_rows(rows, size, size, positions, align_corners=False)
    return sampled / 255 if rows.dtype == torch.uint8 else sampled


def _unit(picture: Tensor) -> Tensor:
    """Pixels [S, S, 3] of 8 bits as [1, 3, S, S] in 0..1."""
    return picture.permute(2, 0, 1).unsqueeze(0).float() / 255


class _Part(nn.Module):
    """A part of the network that becomes a graph."""

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network


class EncodeKey(_Part):
    """`FaceNetwork.encode_key` of one picture [S, S, 3]."""

    def forward(self, picture: Tensor, landmarks: Tensor) -> tuple[Tensor, ...]:
        """Features in the order of `KeyFeatures`: rows for `SAMPLED`, else planes [1, C, H, W]."""
        features = self.network.encode_key(_unit(picture), landmarks.unsqueeze(0))
        sampled = {name: getattr(features, name) for name in SAMPLED}
        # A quarter of the memory to look through; as exact as before.
        sampled["picture"] = picture.permute(2, 0, 1).unsqueeze(0)
        rows = {name: sampling_rows(planes).contiguous() for name, planes in sampled.items()}
        return tuple(features._replace(**rows))


class Draw(_Part):
    """`FaceNetwork.draw` of one picture, rounded to 8 bits."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """The picture [S, S, 3] of features, landmarks, flow and compact feature, if any."""
        features, rest = inputs[: len(FEATURES)], inputs[len(FEATURES) :]
        landmarks, flow, *compact = (values.unsqueeze(0) for values in rest)
        drawing = self.network.draw_polyphase(
            KeyFeatures(*features),
            landmarks,
            flow,
            compact[0] if compact else None,
            sample_key=_sample_rows,
        )
        return _interleaved(drawing.picture, flow.shape[-1])


def _interleaved(drawn: Tensor, size: int) -> Tensor:
    """A picture [1, 3, 4, S/2, S/2] in 0..1 of polyphase planes as [S, S, 3], of 8 bits."""
    picture = (drawn[0] * 255 + 0.5).to(torch.uint8)
    # Two short moves instead of a long one: colours and columns, then rows.
    half = size // 2
    rows = picture.reshape(3, 2, 2, half * half).permute(1, 2, 0, 3).reshape(2, 6, -1)
    rows = rows.transpose(1, 2).reshape(2, half, 6 * half).transpose(0, 1)
    return rows.reshape(2 * half, 2 * half, 3)


def _whole(planes: Tensor) -> Tensor:
    """All is drawn."""
    return planes


class LocateBetween(_Part):
    """Where `FaceNetwork` reads both of two references, and how it joins what is read."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """What `LOCATED` names.

        Inputs are reduced picture and heat maps of both references, landmarks, the flows to both,
        the rest motion, the position [1] and the lead [64, 64].
        """
        outlines = Outline(*inputs[:2]), Outline(*inputs[2:4])
        landmarks, flow, other_flow, motion = (values.unsqueeze(0) for values in inputs[4:8])
        position, lead = inputs[8], inputs[9].unsqueeze(0).unsqueeze(0)
        network, size = self.network, flow.shape[-1]
        width = network.configuration.heat_map_width
        maps = heat_maps(landmarks, network.motion_side(size), width)
        rests = position * motion, (position - 1) * motion
        places = network.locate_both(outlines, maps, (flow, other_flow), rests, None, _whole)
        shares = network.share(places, outlines, maps, lead, _whole, size)
        trusts = network.trusts_of_both(places, shares)
        return (
            *(_in_samples(getattr(place, name), size) for place in places for name in SAMPLED),
            *(_rows(getattr(shares, name))[0, 0] for name in SAMPLED),
            network.beside(maps, trusts, size),
        )


LOCATED = (
    *(f"{prefix}{name}{AT}" for prefix in ("", SECOND) for name in SAMPLED),
    *(f"{name}{SHARE}" for name in SAMPLED),
    BESIDE,
)
"""Names of what `LocateBetween` returns, as `models.face.onnx_rendering` has them.

Grids are [2, h, w] in samples, shares [h, w]; those of the picture have the polyphase planes one
below the other.
"""


def _rows(planes: Tensor) -> Tensor:
    """Planes [B, C, h, w], or polyphase ones with the phases one below the other."""
    return planes.flatten(2, 3) if planes.ndim == 5 else planes


def _in_samples(grid: Tensor, size: int) -> Tensor:
    """A sampling grid as places in a picture whose grid it is: [2, h, w] of columns and rows."""
    side = size if grid.ndim == 5 else grid.shape[-1]
    return _rows(grid)[0] * side - 0.5


class PaintBetween(_Part):
    """Paints what was read from references, joined: `FaceNetwork.paint` of one picture."""

    def forward(
        self, picture: Tensor, fine: Tensor, middle: Tensor, coarse: Tensor, beside: Tensor
    ) -> Tensor:
        """The picture [S, S, 3], of 8 bits.

        `picture` is [2 S, S / 2, 3] in 0..255, polyphase planes one below the other; features are
        [h, w, C].
        """
        half = picture.shape[1]
        phases = torch.unflatten(picture.permute(2, 0, 1) / 255, 1, (4, half)).unsqueeze(0)
        fine, middle, coarse = (
            planes.permute(2, 0, 1).unsqueeze(0) for planes in (fine, middle, coarse)
        )
        read = Read(phases, fine, middle, coarse, beside)
        return _interleaved(self.network.paint(read, None, _whole, 2 * half), 2 * half)


class Analyse(_Part):
    """`FaceNetwork.analyse` of one picture [S, S, 3]."""

    def forward(self, driven: Tensor, key: Tensor, landmarks: Tensor, flow: Tensor) -> Tensor:
        """Compact feature [K], in quantisation steps, not rounded; `key` is the key picture."""
        return self.network.analyse(
            _unit(driven), _unit(key), landmarks.unsqueeze(0), flow.unsqueeze(0)
        )[0]
