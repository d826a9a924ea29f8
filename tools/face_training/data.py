"""Placed clips in the memory of a GPU, batches of them, and what changes a batch at random."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from models.face.network import FaceNetwork, KeyFeatures, Second
from models.landmarks.face_space import mirror_order, shipped_face_space
from tools.face_training.places import Placed

CROP_SHARE, SMALLEST_CROP = 0.4, 0.75
COLOUR_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Pictures to draw and what to draw them from; rows 2i and 2i + 1 follow each other in time.

    Attributes:
        target: [B, 3, S, S] in 0..1.
        first, second: coded pictures [B, 3, S, S] in 0..1; equal where there is one reference.
        landmarks, first_landmarks, second_landmarks: [B, 478, 2] in picture widths.
        flows: [B, 6, S, S], see `Placed`.
        progress: [B].
        lead: [B, 1, 64, 64].
    """

    target: Tensor
    first: Tensor
    second: Tensor
    landmarks: Tensor
    first_landmarks: Tensor
    second_landmarks: Tensor
    flows: Tensor
    progress: Tensor
    lead: Tensor

    def draw(self, network: FaceNetwork) -> tuple[Tensor, Tensor]:
        """The drawn pictures, and the fused references they rest on: [B, 3, S, S] each."""
        count = len(self.target)
        both = network.encode_key(
            torch.cat([self.first, self.second]),
            torch.cat([self.first_landmarks, self.second_landmarks]),
        )
        keys = [KeyFeatures(*(planes[part] for planes in both))
                for part in (slice(None, count), slice(count, None))]  # fmt: skip
        rest, share = self.flows[:, 4:], self.progress[:, None, None, None]
        second = Second(keys[1], self.flows[:, 2:4], (share * rest, (share - 1) * rest), self.lead)
        drawing = network.draw(keys[0], self.landmarks, self.flows[:, :2], second=second)
        return drawing.picture, drawing.warped


class PairData:
    """Placed clips on a device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._clips: list[tuple[str, dict[str, Tensor]]] = []
        self._chances: dict[str, list[int]] = {}

    def add(self, identity: str, placed: Placed) -> None:
        """Take a clip in."""
        tensors = {
            name: torch.from_numpy(np.ascontiguousarray(array)).to(self._device)
            for name, array in placed._asdict().items()
        }
        self._chances.setdefault(identity, []).append(len(self._clips))
        self._clips.append((identity, tensors))

    def __len__(self) -> int:
        return len(self._clips)

    @property
    def rows(self) -> int:
        """Pictures that there are to draw."""
        return sum(len(tensors["rows"]) for _, tensors in self._clips)

    def batch(self, pairs: int, random: np.random.Generator) -> PairBatch:
        """Neighbouring pairs of driven pictures of people chosen at random, all people alike."""
        people = list(self._chances)
        rows = []
        for _ in range(pairs):
            clips = self._chances[people[random.integers(len(people))]]
            clip = clips[random.integers(len(clips))]
            count = len(self._clips[clip][1]["rows"]) // 2
            rows.append((clip, 2 * int(random.integers(count))))
        return self._gather(rows)

    def all(self) -> list[PairBatch]:
        """A batch for each clip, of all its rows."""
        return [
            self._gather([(number, row) for row in range(0, len(tensors["rows"]), 2)])
            for number, (_, tensors) in enumerate(self._clips)
        ]

    def _gather(self, rows: list[tuple[int, int]]) -> PairBatch:
        parts: dict[str, list[Tensor]] = {item.name: [] for item in fields(PairBatch)}
        for clip, row in rows:
            tensors = self._clips[clip][1]
            both = slice(row, row + 2)
            picture, first, second = tensors["rows"][both].unbind(1)
            parts["target"].append(tensors["pictures"][picture])
            parts["first"].append(tensors["coded"][first])
            parts["second"].append(tensors["coded"][second])
            parts["first_landmarks"].append(tensors["coded_landmarks"][first])
            parts["second_landmarks"].append(tensors["coded_landmarks"][second])
            for name in ("landmarks", "flows", "progress"):
                parts[name].append(tensors[name][both])
            parts["lead"].append(tensors["leads"][both, None])
        whole = {name: torch.cat(values) for name, values in parts.items()}
        for name in ("target", "first", "second"):
            whole[name] = whole[name].permute(0, 3, 1, 2).float() / 255
        for name in ("flows", "lead"):
            whole[name] = whole[name].float()
        return PairBatch(**whole)


class Augmenter:
    """Crops, mirrors and colours batches, both rows of a pair alike."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._mirror = torch.from_numpy(mirror_order(shipped_face_space().mean)).to(device)

    def __call__(self, batch: PairBatch, random: np.random.Generator) -> PairBatch:
        """The batch, changed at random."""
        return self._colour(self._flip(self._crop(batch, random), random), random)

    def _values(self, values: npt.NDArray[Any]) -> Tensor:
        """One value for each pair, [B, 1, 1, 1]."""
        both = torch.from_numpy(np.repeat(values.astype(np.float32), 2)).to(self._device)
        return both[:, None, None, None]

    def _crop(self, batch: PairBatch, random: np.random.Generator) -> PairBatch:
        pairs = len(batch.target) // 2
        cropped = random.random(pairs) < CROP_SHARE
        width = np.where(cropped, random.uniform(SMALLEST_CROP, 1, pairs), 1.0)
        x, y = (random.random(pairs) * (1 - width) for _ in range(2))
        scale, left, top = (self._values(values) for values in (width, x, y))

        def read(planes: Tensor, mode: str) -> Tensor:
            side = planes.shape[-1]
            centres = (torch.arange(side, device=planes.device) + 0.5) / side
            columns = (left + scale * centres)[:, 0].expand(-1, side, -1)
            rows = (top + scale * centres)[:, 0].expand(-1, side, -1).transpose(1, 2)
            grid = torch.stack([columns, rows], dim=-1) * 2 - 1
            return functional.grid_sample(
                planes, grid, mode=mode, padding_mode="border", align_corners=False
            )

        pictures = read(torch.cat([batch.target, batch.first, batch.second], dim=1), "bicubic")
        target, first, second = torch.split(pictures.clamp(0, 1), 3, dim=1)
        corner = torch.cat([left, top], dim=1)[:, :, 0, 0].unsqueeze(1)
        return replace(
            batch,
            target=target,
            first=first,
            second=second,
            flows=read(batch.flows, "bilinear") / scale,
            lead=read(batch.lead, "bilinear"),
            **{
                name: (getattr(batch, name) - corner) / scale[:, 0]
                for name in ("landmarks", "first_landmarks", "second_landmarks")
            },
        )

    def _flip(self, batch: PairBatch, random: np.random.Generator) -> PairBatch:
        flipped = self._values(random.random(len(batch.target) // 2) < 0.5) > 0

        def planes(values: Tensor) -> Tensor:
            return torch.where(flipped, values.flip(-1), values)

        def points(values: Tensor) -> Tensor:
            mirrored = values[:, self._mirror]
            mirrored = torch.stack([1 - mirrored[..., 0], mirrored[..., 1]], dim=-1)
            return torch.where(flipped[:, 0], mirrored, values)

        signs = torch.tensor([-1.0, 1.0] * 3, device=self._device)[None, :, None, None]
        flows = planes(batch.flows)
        return replace(
            batch,
            flows=torch.where(flipped, flows * signs, flows),
            **{
                name: planes(getattr(batch, name)) for name in ("target", "first", "second", "lead")
            },
            **{
                name: points(getattr(batch, name))
                for name in ("landmarks", "first_landmarks", "second_landmarks")
            },
        )

    def _colour(self, batch: PairBatch, random: np.random.Generator) -> PairBatch:
        pairs = len(batch.target) // 2
        coloured = random.random(pairs) < COLOUR_SHARE
        gamma = self._values(np.where(coloured, random.uniform(0.75, 1.3, pairs), 1.0))
        gains = torch.cat(
            [
                self._values(np.where(coloured, random.uniform(0.85, 1.15, pairs), 1.0))
                for _ in range(3)
            ],
            dim=1,
        )
        return replace(
            batch,
            **{
                name: (getattr(batch, name).clamp(min=0) ** gamma * gains).clamp(max=1)
                for name in ("target", "first", "second")
            },
        )
