"""How good the average network is on people it never saw, in numbers and in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from models.contract import Picture
from models.errors import TrainingError
from models.landmarks.tracking import FaceTracker
from models.metrics.face import FACE_LOST_ERROR, face_region, landmark_distance
from models.metrics.similarity import laplacian_variance, ms_ssim, psnr, ssim
from models.training.footage import Footage, Landmarks
from models.training.pairs import make_pair, stack_pairs, to_device
from models.training.task import Batch, Outputs, TrainingTask

SCORES = (
    "psnr",
    "ssim",
    "ms_ssim",
    "sharpness",
    "warped_psnr",
    "warped_ssim",
    "copied_psnr",
    "landmark_error",
    "faces_lost",
)
MAX_SHEET_ROWS = 8
_LEAST_SHARPNESS = 0.05
_MAX_PSNR = 100.0
"""What equal pictures count, so that means stay finite."""


@dataclass(frozen=True, slots=True)
class Validation:
    """Mean scores over all validation pictures, and the sheet uint8 RGB [rows·S, 4·S, 3].

    All are of pictures of 8 bits, by `models.metrics`: `psnr` (dB), `ssim` and `ms_ssim` (luma) of
    the drawn pictures; `sharpness`, the variance of the Laplacian in the box of the face, over that
    in the key picture; `warped_…` and `copied_psnr` of the warped and of the unchanged key picture;
    `landmark_error` in distances of the outer eye corners, over the pictures that were tracked, 1
    where no face is found; `faces_lost`, how many those are.
    """

    scores: dict[str, float]
    sheet: Picture


class Validator:
    """Fixed pairs: the first picture of each clip as key, and some spread over the clip."""

    def __init__(
        self,
        footage: Sequence[Footage],
        task: TrainingTask,
        pictures: int,
        landmark_pictures: int,
    ) -> None:
        self._task = task
        self._batches: list[Batch] = []
        for clip in footage:
            usable = clip.usable
            if len(usable) < 2:
                continue
            places = np.linspace(1, len(usable) - 1, min(pictures, len(usable) - 1)).round()
            pairs = [make_pair(clip, usable[0], usable[int(place)]) for place in places]
            self._batches.append(stack_pairs(pairs, [task.prepare(pair, None) for pair in pairs]))
        if not self._batches:
            raise TrainingError("no clip for validation shows a face in two pictures")
        self._tracked = -(-landmark_pictures // len(self._batches))

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device) -> Validation:
        """Score a network in evaluation mode."""
        rows: dict[str, list[float]] = {name: [] for name in SCORES}
        sheet: list[Picture] = []
        for batch in self._batches:
            outputs = self._task.forward(network, to_device(batch, device))
            outputs = Outputs(
                outputs.picture.float().cpu(),
                outputs.target.cpu(),
                None if outputs.warped is None else outputs.warped.float().cpu(),
            )
            self._score(batch, outputs, rows)
            if len(sheet) < MAX_SHEET_ROWS:
                sheet.append(_sheet_row(batch, outputs))
        scores = {name: float(np.mean(values)) for name, values in rows.items() if values}
        if rows["faces_lost"]:
            scores["faces_lost"] = float(np.sum(rows["faces_lost"]))
        return Validation(scores, np.concatenate(sheet))

    def _score(self, batch: Batch, outputs: Outputs, rows: dict[str, list[float]]) -> None:
        for number, face in enumerate(batch.driven_landmarks.numpy()):
            drawn, target, key = (
                to_picture(pictures[number])
                for pictures in (outputs.picture, outputs.target, batch.key)
            )
            rows["psnr"].append(_finite_psnr(target, drawn))
            rows["ssim"].append(ssim(target, drawn))
            rows["ms_ssim"].append(ms_ssim(target, drawn))
            rows["copied_psnr"].append(_finite_psnr(target, key))
            if outputs.warped is not None:
                warped = to_picture(outputs.warped[number])
                rows["warped_psnr"].append(_finite_psnr(target, warped))
                rows["warped_ssim"].append(ssim(target, warped))
            sharp = _face_sharpness(key, batch.key_landmarks[number].numpy())
            rows["sharpness"].append(_face_sharpness(drawn, face) / max(sharp, _LEAST_SHARPNESS))
        if self._tracked:
            with FaceTracker() as tracker:
                for drawn, face in zip(
                    outputs.picture[: self._tracked], batch.driven_landmarks, strict=False
                ):
                    found = tracker.look(to_picture(drawn))
                    rows["landmark_error"].append(
                        FACE_LOST_ERROR if found is None else landmark_distance(face.numpy(), found)
                    )
                    rows["faces_lost"].append(float(found is None))


def to_picture(planes: Tensor) -> Picture:
    """A tensor [3, H, W] in 0..1 as uint8 RGB [H, W, 3]."""
    pixels = (planes * 255).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())


def _finite_psnr(target: Picture, drawn: Picture) -> float:
    return min(psnr(target, drawn), _MAX_PSNR)


def _face_sharpness(picture: Picture, landmarks: Landmarks) -> float:
    height, width = picture.shape[:2]
    region = face_region(landmarks.astype(np.float64), width, height)
    return laplacian_variance(picture, region)


def _sheet_row(batch: Batch, outputs: Outputs) -> Picture:
    last = len(batch.key) - 1
    warped = batch.key if outputs.warped is None else outputs.warped
    columns = (batch.key, batch.driven, warped, outputs.picture)
    return np.concatenate([to_picture(column[last]) for column in columns], axis=1)


def write_sheet(path: Path, sheet: Picture) -> None:
    """Write a sheet as PNG; raise `TrainingError` when it cannot be written."""
    if not cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
        raise TrainingError(f"{path}: cannot be written")
