"""Coded pictures and those before coding in the memory of a GPU, and cut-outs of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.contract import Float32Array
from models.errors import TrainingError
from models.post_filter import STEP
from models.training.footage import SPLITS
from tools.face_training.places import read_pictures
from tools.post_filter_training.prepared import CodedVideo, load_coded_video, read_stream

COLOUR_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class CutOuts:
    """Cut-outs of coded pictures.

    Attributes:
        decoded, real: [B, 3, S, S] in 0..1; of what was coded smaller [B, 3, S / 2, S / 2] and
            [B, 3, S, S].
        qps: [B], quantisation parameters that they are coded by.
        weights: [B, 1, S, S], how much differences count, 1 and more.
    """

    decoded: Tensor
    real: Tensor
    qps: Tensor
    weights: Tensor


@dataclass(frozen=True, slots=True)
class _Coded:
    """A sequence: decoded pictures uint8 [N, H, W, 3], numbers of the real ones, and QPs [N]."""

    decoded: Tensor
    numbers: list[int]
    qps: list[int]


@dataclass(frozen=True, slots=True)
class _Video:
    real: Tensor
    parts: Float32Array
    sequences: tuple[_Coded, ...]


class CodedData:
    """Coded videos on a device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._videos: list[_Video] = []

    def add(self, folder: Path, video: CodedVideo) -> None:
        """Read a video and its sequences."""
        real = torch.from_numpy(read_pictures(folder / video.video))
        sequences = tuple(
            _Coded(
                torch.from_numpy(np.stack(read_stream(folder, stream))).to(self._device),
                stream.pictures.tolist(),
                [stream.qps[0], *(len(stream.pictures) - 1) * [stream.qps[1]]],
            )
            for stream in video.streams
        )
        self._videos.append(_Video(real.to(self._device), video.parts, sequences))

    @property
    def enlarging(self) -> bool:
        """Whether what was coded has half the width and height of the real pictures.

        Raises `TrainingError` where some has and some has not.
        """
        scales = {_scale(video, coded) for video in self._videos for coded in video.sequences}
        if len(scales) > 1:
            raise TrainingError("some pictures are coded halved, some are not; prepare two folders")
        return scales == {2}

    @property
    def qps(self) -> tuple[int, int]:
        """The least and the most quantisation parameter of its pictures."""
        qps = [qp for video in self._videos for coded in video.sequences for qp in coded.qps]
        return min(qps), max(qps)

    @property
    def rows(self) -> int:
        """Coded pictures that there are."""
        return sum(len(coded.numbers) for video in self._videos for coded in video.sequences)

    def batch(
        self, count: int, side: int, face_share: float, part_weight: float,
        random: np.random.Generator,
    ) -> CutOuts:  # fmt: skip
        """Cut-outs, mirrored and coloured at random; all videos come about as often.

        Raises:
            TrainingError: pictures are smaller than the cut-outs.
        """
        rows = [self._cut_out(side, face_share, random) for _ in range(count)]
        decoded, real = (
            torch.stack(pictures).permute(0, 3, 1, 2).float() / 255
            for pictures in ([row[0] for row in rows], [row[1] for row in rows])
        )
        weights = self._weights(np.stack([row[2] for row in rows]), side, part_weight)
        qps = torch.tensor([row[3] for row in rows], dtype=torch.float32, device=self._device)
        return _changed(CutOuts(decoded, real, qps, weights), random)

    def _cut_out(
        self, side: int, face_share: float, random: np.random.Generator
    ) -> tuple[Tensor, Tensor, Float32Array, int]:
        """A decoded and a real cut-out [S, S, 3], mouth and eyes in it, in pixels, and its QP."""
        video = self._videos[int(random.integers(len(self._videos)))]
        coded = video.sequences[int(random.integers(len(video.sequences)))]
        place = int(random.integers(len(coded.numbers)))
        number = coded.numbers[place]
        height, width = video.real.shape[1:3]
        scale = _scale(video, coded)
        if min(height, width) < side:
            raise TrainingError(f"pictures of {width}x{height} have no cut-outs of {side}")
        parts = video.parts[number] * np.array([width, height, width], np.float32)
        corner = random.random(2) * (width - side, height - side)
        if random.random() < face_share and np.isfinite(parts).all():
            middle = parts[:, :2].mean(axis=0) + random.normal(0, side / 6, 2)
            corner = np.clip(middle - side / 2, 0, (width - side, height - side))
        # As the filter meets the grid of blocks; half-way between makes it see others, too.
        left, top = (int(at) // STEP * STEP for at in corner)
        shifted = parts - np.array([left, top, 0], np.float32)
        real = video.real[number][top : top + side, left : left + side]
        left, top, side = left // scale, top // scale, side // scale
        decoded = coded.decoded[place][top : top + side, left : left + side]
        return decoded, real, shifted, coded.qps[place]

    def _weights(self, parts: Float32Array, side: int, part_weight: float) -> Tensor:
        """1, and more at mouth and eyes; `parts` [B, 3, 3] in pixels."""
        squares = torch.from_numpy(np.nan_to_num(parts, nan=-1e4).astype(np.float32))
        squares = squares.to(self._device)
        centres = torch.arange(side, device=self._device) + 0.5
        reach = squares[..., 2].clamp(min=1) / 2
        across = ((centres - squares[..., 0, None]) / reach[..., None]) ** 2
        down = ((centres - squares[..., 1, None]) / reach[..., None]) ** 2
        near = torch.exp(-2 * (across[..., None, :] + down[..., :, None]))
        return 1 + part_weight * near.amax(dim=1, keepdim=True)

    def all(self) -> Iterator[CutOuts]:
        """Whole pictures, a sequence at a time, cut to sides that are multiples of 8."""
        for video in self._videos:
            for coded in video.sequences:
                height, width = (side // STEP * STEP for side in coded.decoded.shape[1:3])
                decoded, real = (
                    pictures[:, : height * scale, : width * scale].permute(0, 3, 1, 2).float() / 255
                    for pictures, scale in (
                        (coded.decoded, 1),
                        (video.real[coded.numbers], _scale(video, coded)),
                    )
                )
                qps = torch.tensor(coded.qps, dtype=torch.float32, device=self._device)
                yield CutOuts(decoded, real, qps, torch.ones_like(real[:, :1]))


def _scale(video: _Video, coded: _Coded) -> int:
    """How much wider the real pictures of a video are than coded ones: 1 or 2."""
    return 1 if coded.decoded.shape[2] == video.real.shape[2] else 2


def _changed(cut_outs: CutOuts, random: np.random.Generator) -> CutOuts:
    """Cut-outs mirrored and coloured at random."""
    decoded, real, weights = cut_outs.decoded, cut_outs.real, cut_outs.weights
    count = len(decoded)
    flipped = torch.from_numpy(random.random(count) < 0.5).to(decoded.device)[:, None, None, None]
    coloured = random.random(count) < COLOUR_SHARE
    gamma = np.where(coloured, random.uniform(0.8, 1.25, count), 1.0)
    gains = np.where(coloured[:, None], random.uniform(0.85, 1.15, (count, 3)), 1.0)
    exponent = torch.from_numpy(gamma.astype(np.float32)).to(decoded.device)[:, None, None, None]
    factors = torch.from_numpy(gains.astype(np.float32)).to(decoded.device)[:, :, None, None]

    def changed(pictures: Tensor) -> Tensor:
        mirrored = torch.where(flipped, pictures.flip(-1), pictures)
        return (mirrored**exponent * factors).clamp(max=1)

    weights = torch.where(flipped, weights.flip(-1), weights)
    return CutOuts(changed(decoded), changed(real), cut_outs.qps, weights)


def load_data(folder: Path, device: torch.device, jobs: int) -> dict[str, CodedData]:
    """All prepared videos of a folder, by split.

    Raises:
        TrainingError: a file is damaged or missing, or a split has no video.
    """
    data = {split: CodedData(device) for split in SPLITS}
    videos = [load_coded_video(path) for path in sorted(folder.glob("*.npz"))]

    def add(video: CodedVideo) -> None:
        if video.split not in data:
            raise TrainingError(f"{folder}: {video.video} is of no split {', '.join(SPLITS)}")
        data[video.split].add(folder, video)

    with ThreadPoolExecutor(jobs) as pool:
        for _ in pool.map(add, videos):
            pass
    for split, part in data.items():
        if not part.rows:
            raise TrainingError(f"{folder}: no prepared video (NAME.npz) of the split {split}")
    return data
