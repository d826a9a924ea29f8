"""All scores of a clip, from its pictures one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from gfvc.metrics.catalogue import MEASURES
from gfvc.metrics.flicker import FlickerMeasure
from gfvc.metrics.vmaf import VmafMeasure
from models.contract import Closable, FloatArray, Picture
from models.landmarks.tracking import FaceTracker
from models.metrics.face import FACE_LOST_ERROR, face_region, landmark_distance, mouth_region
from models.metrics.similarity import laplacian_variance, ms_ssim, psnr, ssim_map
from models.metrics.wavelet_similarity import cw_ssim

MAX_PSNR = 100.0
"""What equal pictures count, so that means stay finite."""


class PairMeasure(Protocol):
    """A measure of one pair of pictures whose networks' weights are not everywhere."""

    @property
    def name(self) -> str:
        """The measure's name in the catalogue."""

    def score(self, source: Picture, decoded: Picture) -> float:
        """The measure of a pair of pictures uint8 RGB [height, width, 3]."""


@dataclass(frozen=True, slots=True)
class PictureScores:
    """Scores of one picture, by the names of the catalogue.

    None where there is nothing to measure: regions and landmark error without a face in the
    source, sharpness without a face in source or key picture or with a flat key picture, flicker
    of the first picture, VMAF, LPIPS and DISTS where they cannot run.
    """

    psnr: float
    ssim: float
    ms_ssim: float
    cw_ssim: float
    face_lost: bool
    landmark_error: float | None = None
    face_ssim: float | None = None
    mouth_ssim: float | None = None
    sharpness: float | None = None
    flicker: float | None = None
    vmaf: float | None = None
    lpips: float | None = None
    dists: float | None = None


@dataclass(frozen=True, slots=True)
class ClipScores:
    """Scores of a clip: those of its pictures, and what follows from them."""

    pictures: tuple[PictureScores, ...]

    @property
    def faces_lost(self) -> int:
        """Pictures whose source shows a face and whose decoded form does not."""
        return sum(scores.face_lost for scores in self.pictures)

    @property
    def faces_skipped(self) -> int:
        """Pictures whose source shows no face."""
        return sum(scores.landmark_error is None for scores in self.pictures)

    def of_pictures(self, name: str) -> list[float | None]:
        """A measure's score of each picture."""
        return [getattr(scores, name) for scores in self.pictures]

    def mean(self, name: str) -> float | None:
        """Mean of a measure over the pictures that have it; None when none has."""
        values = [value for value in self.of_pictures(name) if value is not None]
        return float(np.mean(values)) if values else None

    def means(self) -> dict[str, float | None]:
        """The mean of each measure of the catalogue, by name."""
        return {name: self.mean(name) for name in MEASURES}


class ClipMeasure(Closable):
    """Takes source, decoded picture and decoded key picture of each picture of a clip, in order.

    `rate` is in pictures per second. `source_landmarks`, those that an earlier measure of the
    same source found, save looking for them again. `vmaf` False leaves VMAF out; `networks` are
    measures such as LPIPS. Use as a context, or close it: it holds a tracker and temporary files.
    """

    def __init__(
        self,
        rate: Fraction,
        *,
        source_landmarks: Sequence[FloatArray | None] | None = None,
        vmaf: bool = True,
        networks: Sequence[PairMeasure] = (),
    ) -> None:
        self._known = source_landmarks
        self._networks = networks
        self._tracker = FaceTracker()
        self._flicker = FlickerMeasure()
        self._vmaf = VmafMeasure(rate) if vmaf else None
        self._key: tuple[Picture, float | None] | None = None
        self._pictures: list[PictureScores] = []
        self.source_landmarks: list[FloatArray | None] = []

    def add(self, source: Picture, decoded: Picture, key: Picture) -> PictureScores:
        """Measure a picture; all three are uint8 RGB [height, width, 3] of one size.

        `key` is the key picture that `decoded` was made from, as decoded. The VMAF is still
        missing from what is returned. Raises `ValueError` when sizes differ.
        """
        if not source.shape == decoded.shape == key.shape:
            raise ValueError(
                f"picture {len(self._pictures)}: source {source.shape}, decoded {decoded.shape} "
                f"and key picture {key.shape} differ in size"
            )
        if self._vmaf is not None:
            self._vmaf.add(source, decoded)
        similarity = ssim_map(source, decoded)
        scores = PictureScores(
            psnr=min(psnr(source, decoded), MAX_PSNR),
            ssim=float(similarity.mean()),
            ms_ssim=ms_ssim(source, decoded),
            cw_ssim=cw_ssim(source, decoded),
            face_lost=False,
            flicker=self._flicker.add(source, decoded),
        )
        by_networks: dict[str, Any] = {
            network.name: network.score(source, decoded) for network in self._networks
        }
        scores = replace(scores, **by_networks)
        landmarks = self._source_landmarks(source)
        if landmarks is not None:
            scores = self._with_face(scores, landmarks, decoded, key, similarity)
        self._pictures.append(scores)
        return scores

    def _source_landmarks(self, source: Picture) -> FloatArray | None:
        if self._known is None:
            landmarks = self._tracker.look(source)
        else:
            landmarks = self._known[len(self.source_landmarks)]
        self.source_landmarks.append(landmarks)
        return landmarks

    def _with_face(
        self,
        scores: PictureScores,
        landmarks: FloatArray,
        decoded: Picture,
        key: Picture,
        similarity: FloatArray,
    ) -> PictureScores:
        height, width = decoded.shape[:2]
        face = face_region(landmarks, width, height)
        found = self._tracker.look(decoded)
        error = FACE_LOST_ERROR if found is None else landmark_distance(landmarks, found)
        sharpness = None
        key_detail = self._key_detail(key)
        if key_detail:
            sharpness = laplacian_variance(decoded, face) / key_detail
        return replace(
            scores,
            face_lost=found is None,
            landmark_error=error,
            face_ssim=float(similarity[face].mean()),
            mouth_ssim=float(similarity[mouth_region(landmarks, width, height)].mean()),
            sharpness=sharpness,
        )

    def _key_detail(self, key: Picture) -> float | None:
        """Variance of the Laplacian in the key picture's own face; None without face."""
        if self._key is None or not np.array_equal(self._key[0], key):
            landmarks = self._tracker.look(key)
            detail = None
            if landmarks is not None:
                height, width = key.shape[:2]
                detail = laplacian_variance(key, face_region(landmarks, width, height))
            self._key = key.copy(), detail
        return self._key[1]

    def finish(self) -> ClipScores:
        """The scores of all pictures; raises `BaseCodecError` when VMAF fails."""
        pictures = self._pictures
        if self._vmaf is not None and pictures:
            vmaf = self._vmaf.finish()
            pictures = [
                replace(scores, vmaf=value) for scores, value in zip(pictures, vmaf, strict=True)
            ]
        return ClipScores(tuple(pictures))

    def close(self) -> None:
        """Free the tracker and remove temporary files."""
        self._tracker.close()
        if self._vmaf is not None:
            self._vmaf.close()
