"""The parts of the `face` network that are graphs of their own, as modules of one picture each.

Pictures are uint8 [S, S, 3], landmarks [478, 2], flow [2, S, S] and compact features [K], all
float32. Features that are sampled along a flow are kept in the order in which that is fast.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from models.face.network import FaceNetwork, KeyFeatures, Second
from tools.onnx_export.sampling import sample_rows, sampling_rows

FEATURES = KeyFeatures._fields

_SAMPLED = ("picture", "fine", "middle", "coarse")
"""Features that are sampled along the flow."""


def _sample_rows(rows: Tensor, grid: Tensor) -> Tensor:
    """`sample_at` of a square picture's rows; samples of 8 bits are taken as 0..1."""
    size = math.isqrt(len(rows))
    positions = grid.permute(0, 2, 3, 1) * 2 - 1
    sampled = sample_rows(rows, size, size, positions, align_corners=False)
    return sampled / 255 if rows.dtype == torch.uint8 else sampled


def _unit(picture: Tensor) -> Tensor:
    """Pixels [S, S, 3] of 8 bits as [1, 3, S, S] in 0..1."""
    return picture.permute(2, 0, 1).unsqueeze(0).float() / 255


class EncodeKey(nn.Module):
    """`FaceNetwork.encode_key` of one picture [S, S, 3]."""

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor, landmarks: Tensor) -> tuple[Tensor, ...]:
        """Features in the order of `KeyFeatures`: rows for `_SAMPLED`, else planes [1, C, H, W]."""
        features = self.network.encode_key(_unit(picture), landmarks.unsqueeze(0))
        sampled = {name: getattr(features, name) for name in _SAMPLED}
        # A quarter of the memory to look through; as exact as before.
        sampled["picture"] = picture.permute(2, 0, 1).unsqueeze(0)
        rows = {name: sampling_rows(planes).contiguous() for name, planes in sampled.items()}
        return tuple(features._replace(**rows))


class Draw(nn.Module):
    """`FaceNetwork.draw` of one picture, rounded to 8 bits."""

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network

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


class DrawBetween(nn.Module):
    """`FaceNetwork.draw` of one picture from two references, rounded to 8 bits."""

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor:
        """The picture [S, S, 3].

        Inputs are the features of both references, landmarks, the flows to both, the rest motion,
        the position [1] and the lead [64, 64].
        """
        count = len(FEATURES)
        first, second, rest = inputs[:count], inputs[count : 2 * count], inputs[2 * count :]
        landmarks, flow, other_flow, motion = (values.unsqueeze(0) for values in rest[:4])
        position, lead = rest[4], rest[5].unsqueeze(0).unsqueeze(0)
        other = Second(
            KeyFeatures(*second), other_flow, (position * motion, (position - 1) * motion), lead
        )
        drawing = self.network.draw_polyphase(
            KeyFeatures(*first), landmarks, flow, sample_key=_sample_rows, second=other
        )
        return _interleaved(drawing.picture, flow.shape[-1])


class Analyse(nn.Module):
    """`FaceNetwork.analyse` of one picture [S, S, 3]."""

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, driven: Tensor, key: Tensor, landmarks: Tensor, flow: Tensor) -> Tensor:
        """Compact feature [K], in quantisation steps, not rounded; `key` is the key picture."""
        return self.network.analyse_against(
            _unit(driven), _unit(key), landmarks.unsqueeze(0), flow.unsqueeze(0)
        )[0]
