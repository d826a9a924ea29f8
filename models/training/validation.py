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
from models.landmarks import points as groups
from models.landmarks.tracking import FaceTracker
from models.training.errors import TrainingError
from models.training.pairs import make_pair, stack_pairs, to_device
from models.training.picture_cache import Footage, Landmarks
from models.training.quality import ms_ssim, psnr, sharpness, ssim
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
_LEAST_SHARPNESS = 1e-6


@dataclass(frozen=True, slots=True)
class Validation:
    """Mean scores over all validation pictures, and the sheet uint8 RGB [rows·S, 4·S, 3].

    `psnr` (dB), `ssim` and `ms_ssim` (luma) of the drawn pictures; `sharpness`, the variance of
    the Laplacian in the box of the face, over that in the key picture; `warped_…` and
    `copied_psnr` of the warped and of the unchanged key picture; `landmark_error` in distances
    of the outer eye corners, over the pictures that were tracked, 1 where no face is found;
    `faces_lost`, how many those are.
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
        def note(name: str, values: Tensor) -> None:
            rows[name] += [float(value) for value in values]

        picture, target = outputs.picture, outputs.target
        note("psnr", psnr(picture, target))
        note("ssim", ssim(picture, target))
        note("ms_ssim", ms_ssim(picture, target))
        note("copied_psnr", psnr(batch.key, target))
        if outputs.warped is not None:
            note("warped_psnr", psnr(outputs.warped, target))
            note("warped_ssim", ssim(outputs.warped, target))
        for drawn, key, face, key_face in zip(
            picture, batch.key, batch.driven_landmarks, batch.key_landmarks, strict=True
        ):
            sharp = _face_sharpness(key, key_face)
            rows["sharpness"].append(_face_sharpness(drawn, face) / max(sharp, _LEAST_SHARPNESS))
        if self._tracked:
            with FaceTracker() as tracker:
                for drawn, face in zip(
                    picture[: self._tracked], batch.driven_landmarks, strict=False
                ):
                    found = tracker.look(to_picture(drawn))
                    error = 1.0 if found is None else landmark_error(found, face.numpy())
                    rows["landmark_error"].append(error)
                    rows["faces_lost"].append(float(found is None))


def landmark_error(found: np.ndarray, wanted: Landmarks) -> float:  # type: ignore[type-arg]
    """Mean distance of 468 points [478, 3] in the plane, in distances of the outer eye corners."""
    distances = np.linalg.norm((found - wanted)[: groups.FACE_POINTS, :2], axis=1)
    eyes = wanted[groups.RIGHT_EYE_OUTER_CORNER] - wanted[groups.LEFT_EYE_OUTER_CORNER]
    return float(distances.mean() / max(float(np.hypot(*eyes[:2])), 1e-6))


def to_picture(planes: Tensor) -> Picture:
    """A tensor [3, H, W] in 0..1 as uint8 RGB [H, W, 3]."""
    pixels = (planes * 255).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())


def _face_sharpness(picture: Tensor, landmarks: Tensor) -> float:
    size = picture.shape[-1]
    points = landmarks[: groups.FACE_POINTS, :2].numpy() * size
    low = np.clip(np.floor(points.min(axis=0)), 0, size - 4).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), low + 4, size).astype(int)
    return float(sharpness(picture[None, :, low[1] : high[1], low[0] : high[0]]))


def _sheet_row(batch: Batch, outputs: Outputs) -> Picture:
    last = len(batch.key) - 1
    warped = batch.key if outputs.warped is None else outputs.warped
    columns = (batch.key, batch.driven, warped, outputs.picture)
    return np.concatenate([to_picture(column[last]) for column in columns], axis=1)


def write_sheet(path: Path, sheet: Picture) -> None:
    """Write a sheet as PNG; raise `TrainingError` when it cannot be written."""
    if not cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)):
        raise TrainingError(f"{path}: cannot be written")
