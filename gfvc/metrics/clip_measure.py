"""All scores of a clip, from its pictures one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from gfvc.face_square import FaceSquare
from gfvc.metrics.catalogue import MEASURES
from gfvc.metrics.flicker import FlickerMeasure
from gfvc.metrics.seam import seam_energy
from gfvc.metrics.vmaf import VmafMeasure
from gfvc.whole_pictures.compositing import cut_face
from models.contract import Closable, FloatArray, Picture
from models.landmarks.tracking import FaceTracker
from models.metrics.face import FACE_LOST_ERROR, face_region, landmark_distance, mouth_region
from models.metrics.openings import Openings, course_correlation, lid_error, lip_error, openings
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

    None where there is nothing to measure: regions, landmark and opening errors without a face in
    the source, sharpness without a face in source or key picture or with a flat one, flicker
    of the first picture and of parts that a picture lacks, VMAF, LPIPS and DISTS where they cannot
    run. Openings are those of the faces found. The energies along the border of the face square
    (`gfvc.metrics.seam`) are those of whole pictures that have one.
    """

    psnr: float
    ssim: float
    ms_ssim: float
    cw_ssim: float
    face_lost: bool
    landmark_error: float | None = None
    lid_error: float | None = None
    lip_error: float | None = None
    face_ssim: float | None = None
    mouth_ssim: float | None = None
    sharpness: float | None = None
    source_sharpness: float | None = None
    flicker: float | None = None
    still_flicker: float | None = None
    moving_flicker: float | None = None
    vmaf: float | None = None
    lpips: float | None = None
    dists: float | None = None
    source_openings: Openings | None = None
    decoded_openings: Openings | None = None
    source_seam: float | None = None
    decoded_seam: float | None = None


@dataclass(frozen=True, slots=True)
class ClipScores:
    """Scores of a clip: those of its pictures, and what follows from them.

    Correlations are of the openings over time, of the pictures whose source shows a face; None
    where that face's lids or lips do not move (`models.metrics.openings`). The seam is the energy
    along the border of the face square over that of the source; None without such a border.
    """

    pictures: tuple[PictureScores, ...]

    @property
    def faces_lost(self) -> int:
        """Pictures whose source shows a face and whose decoded form does not."""
        return sum(scores.face_lost for scores in self.pictures)

    @property
    def faces_skipped(self) -> int:
        """Pictures whose source shows no face."""
        return sum(scores.landmark_error is None for scores in self.pictures)

    @property
    def lid_correlation(self) -> float | None:
        """Correlation of the lids' opening, the mean of both eyes."""
        return self._correlation("lids")

    @property
    def lip_correlation(self) -> float | None:
        """Correlation of the lips' opening."""
        return self._correlation("lips")

    @property
    def seam(self) -> float | None:
        """Energy along the border of the face square, over that of the source: 1 is best."""
        of_source = sum(scores.source_seam or 0.0 for scores in self.pictures)
        of_decoded = sum(scores.decoded_seam or 0.0 for scores in self.pictures)
        return of_decoded / of_source if of_source else None

    def _correlation(self, opening: str) -> float | None:
        pairs = [
            (
                getattr(scores.source_openings, opening),
                getattr(scores.decoded_openings, opening, None),
            )
            for scores in self.pictures
            if scores.source_openings is not None
        ]
        return course_correlation([source for source, _ in pairs], [found for _, found in pairs])

    def of_pictures(self, name: str) -> list[float | None]:
        """The score of each picture by a measure that pictures have."""
        return [getattr(scores, name) for scores in self.pictures]

    def mean(self, name: str) -> float | None:
        """Mean of such a measure over the pictures that have it; None when none has."""
        values = [value for value in self.of_pictures(name) if value is not None]
        return float(np.mean(values)) if values else None

    def of_clip(self) -> dict[str, float | None]:
        """The clip's score by each measure of the catalogue: a mean, or what is of the clip."""
        return {
            name: getattr(self, name) if measure.of_clip else self.mean(name)
            for name, measure in MEASURES.items()
        }


class ClipMeasure(Closable):
    """Takes source, decoded picture and decoded key picture of each picture of a clip, in order.

    `rate` is in pictures per second. `square` is where the face lies in whole pictures: what is
    measured of faces is of this square, cut from all three and scaled to what models see; all else
    is of the whole pictures. `source_landmarks`, those that an earlier measure of the same source
    found, save looking for them again. `vmaf` False leaves VMAF out; `networks` are measures such
    as LPIPS. Use as a context, or close it: it holds a tracker and temporary files.
    """

    def __init__(
        self,
        rate: Fraction,
        *,
        square: FaceSquare | None = None,
        source_landmarks: Sequence[FloatArray | None] | None = None,
        vmaf: bool = True,
        networks: Sequence[PairMeasure] = (),
    ) -> None:
        self._square = square
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
        flicker = self._flicker.add(source, decoded)
        scores = PictureScores(
            psnr=min(psnr(source, decoded), MAX_PSNR),
            ssim=float(similarity.mean()),
            ms_ssim=ms_ssim(source, decoded),
            cw_ssim=cw_ssim(source, decoded),
            face_lost=False,
            flicker=None if flicker is None else flicker.change,
            still_flicker=None if flicker is None else flicker.still,
            moving_flicker=None if flicker is None else flicker.moving,
        )
        by_networks: dict[str, Any] = {
            network.name: network.score(source, decoded) for network in self._networks
        }
        scores = replace(scores, **by_networks)
        faces = source, decoded, key
        if self._square is not None:
            scores = replace(
                scores,
                source_seam=seam_energy(source, self._square),
                decoded_seam=seam_energy(decoded, self._square),
            )
            faces = (
                cut_face(source, self._square),
                cut_face(decoded, self._square),
                cut_face(key, self._square),
            )
            similarity = ssim_map(*faces[:2])
        landmarks = self._source_landmarks(faces[0])
        if landmarks is not None:
            scores = self._with_face(scores, landmarks, faces, similarity)
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
        pictures: tuple[Picture, Picture, Picture],
        similarity: FloatArray,
    ) -> PictureScores:
        """Add what is measured of a face; `pictures` are source, decoded and key picture of it."""
        source, decoded, key = pictures
        height, width = decoded.shape[:2]
        face = face_region(landmarks, width, height)
        detail = laplacian_variance(decoded, face)
        key_detail, source_detail = self._key_detail(key), laplacian_variance(source, face)
        scores = replace(
            scores,
            landmark_error=FACE_LOST_ERROR,
            lid_error=FACE_LOST_ERROR,
            lip_error=FACE_LOST_ERROR,
            face_ssim=float(similarity[face].mean()),
            mouth_ssim=float(similarity[mouth_region(landmarks, width, height)].mean()),
            sharpness=detail / key_detail if key_detail else None,
            source_sharpness=detail / source_detail if source_detail else None,
            source_openings=openings(landmarks),
        )
        found = self._tracker.look(decoded)
        if found is None:
            return replace(scores, face_lost=True)
        wanted, seen = openings(landmarks), openings(found)
        return replace(
            scores,
            landmark_error=landmark_distance(landmarks, found),
            lid_error=lid_error(wanted, seen),
            lip_error=lip_error(wanted, seen),
            decoded_openings=seen,
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
