"""How well pictures of a segment would be drawn between two others, told by small pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from gfvc.encoding.picture_store import PictureStore
from models.contract import FloatArray, Picture
from models.landmarks.face_space import shipped_face_space
from models.landmarks.values import rest_face, to_parameters
from models.mesh.model import MeshPair, MeshReference
from models.metrics.face import face_region
from models.metrics.similarity import luma, ssim_map

SIDE = 64
"""Width and height of the pictures of faces that are sketched, longer side of whole pictures."""

# Pictures of a step that are sketched, at most: neighbours are much alike.
SKETCHED = 3
# The face counts as much as the whole picture.
FACE_WEIGHT = 0.5
# Of whole pictures, what is drawn of the face counts as much as the rest.
SQUARE_WEIGHT = 0.5
# Standard deviation of the window in which luma is normalised, in pixels, and the constant that
# structural similarity adds to variances.
WINDOW = 1.5
LEAST_VARIANCE = 29.0
# Distortion for each unit of squared difference of normalised luma, fitted to sketches.
ESTIMATE = 0.42


# Sketches of long or high pictures are less so: structural similarity has windows of 11 samples.
LEAST_SIDE = 11


class Sketches:
    """Small pictures of a segment, and what they tell.

    `numbers` are those of the segment's pictures, in order; `landmarks` [478, 3] by number, None
    without a face; `face_of` cuts the part of a picture that these are of. A place is an index into
    `numbers`.
    """

    def __init__(
        self,
        pictures: PictureStore,
        numbers: Sequence[int],
        landmarks: Mapping[int, FloatArray | None],
        face_of: Callable[[Picture], Picture] = lambda picture: picture,
    ) -> None:
        self._space = shipped_face_space()
        self._landmarks = [landmarks[number] for number in numbers]
        self._pictures: list[Picture] = []
        self._wholes: list[Picture] = []
        for number in numbers:
            picture = pictures[number]
            face = face_of(picture)
            self._pictures.append(_reduced(face, SIDE))
            if face is not picture:
                self._wholes.append(_reduced(picture, SIDE))
        self._references: dict[int, MeshReference] = {}

    def estimates(self, places: Sequence[int]) -> FloatArray:
        """Distortion [n, n] of all pictures from a place to a later one, as if they were mixed.

        In place of drawing, the two small pictures are faded into each other, with luma normalised
        by its mean and deviation nearby, as structural similarity does.
        """
        errors = _mixed(self._pictures, places)
        if self._wholes:
            errors += (1 - SQUARE_WEIGHT) * (_mixed(self._wholes, places) - errors)
        return ESTIMATE * errors

    def changes(self, places: Sequence[int]) -> FloatArray:
        """Root mean squared difference [n, n] of luma between places, 0..255."""
        coded = self._wholes or self._pictures
        rows = np.stack([luma(_half(coded[place])).ravel() for place in places])
        rows -= rows.mean()
        squares = (rows**2).mean(axis=1)
        products = rows @ rows.T / rows.shape[1]
        differences: FloatArray = squares[:, None] + squares - 2 * products
        return np.asarray(np.sqrt(np.maximum(differences, 0)), np.float64)

    def distortion(self, earlier: int, later: int) -> float:
        """Sum over the pictures between two places with a face, some of which are sketched.

        A picture counts 1 less its structural similarity, of the face and of the whole alike.
        """
        between = range(earlier + 1, later)
        count = min(len(between), SKETCHED)
        if count == 0:
            return 0.0
        pair = MeshPair(self._space, self._reference(earlier), self._reference(later))
        sketched = [between[(2 * n + 1) * len(between) // (2 * count)] for n in range(count)]
        errors = []
        for place in sketched:
            position = (place - earlier) / (later - earlier)
            error = self._error(place, pair, earlier, position)
            if self._wholes:
                ends = self._wholes[earlier], self._wholes[later]
                mixed = cv2.addWeighted(ends[0], 1 - position, ends[1], position, 0)
                rest = 1 - _similarity(self._wholes[place], np.asarray(mixed, np.uint8), None)
                error += (1 - SQUARE_WEIGHT) * (rest - error)
            errors.append(error)
        return float(np.mean(errors)) * len(between)

    def _error(self, place: int, pair: MeshPair, earlier: int, position: float) -> float:
        source, landmarks = self._pictures[place], self._landmarks[place]
        if landmarks is None:
            return 1 - _similarity(source, self._pictures[earlier], None)
        values = self._reference(earlier).face.values(self._space, landmarks)
        return 1 - _similarity(source, pair.animate(to_parameters(values), position), landmarks)

    def _reference(self, place: int) -> MeshReference:
        if place not in self._references:
            landmarks = self._landmarks[place]
            if landmarks is None:
                raise ValueError(f"nothing can be drawn from place {place}, which shows no face")
            face, _ = rest_face(self._space, landmarks)
            self._references[place] = MeshReference(self._space, self._pictures[place], face)
        return self._references[place]


def _mixed(pictures: Sequence[Picture], places: Sequence[int]) -> FloatArray:
    """What is wrong with small pictures between two places when those at the places are mixed."""
    rows = np.stack([_normalised(_half(picture)) for picture in pictures])
    return mixing_errors(rows, places)


def mixing_errors(rows: FloatArray, places: Sequence[int]) -> FloatArray:
    """What is wrong with rows [m, k] between two places when those at the places are mixed.

    [n, n] of an earlier (row) and a later place: the mean squared error of each row between, summed
    up; 0 elsewhere. The shares of the two follow the distance.
    """
    products = rows @ rows.T / rows.shape[1]
    own = products.diagonal()
    count = len(rows)
    at = np.array(places)

    def sums(values: FloatArray) -> FloatArray:
        """Sums of values [..., m] from the first on: [..., m + 1]."""
        return np.concatenate([np.zeros((*values.shape[:-1], 1)), values.cumsum(axis=-1)], axis=-1)

    selves, all_sums = sums(own), sums(products[at])
    moments = sums(products[at] * np.arange(count))
    errors = np.zeros((len(at), len(at)))
    for n, start in enumerate(at[:-1]):
        ends = at[n + 1 :]
        length = (ends - start).astype(np.float64)
        later = np.arange(n + 1, len(at))
        with_start = all_sums[n, ends] - all_sums[n, start + 1]
        moved = moments[n, ends] - moments[n, start + 1] - start * with_start
        with_end = (
            moments[later, ends]
            - moments[later, start + 1]
            - start * (all_sums[later, ends] - all_sums[later, start + 1])
        )
        squares = (length - 1) * (2 * length - 1) / (6 * length)
        errors[n, later] = (
            (selves[ends] - selves[start + 1])
            + squares * (own[start] + own[ends])
            + (length**2 - 1) / (3 * length) * products[start, ends]
            - 2 * (with_start - moved / length)
            - 2 * with_end / length
        )
    return np.maximum(errors, 0)


def _similarity(source: Picture, drawn: Picture, landmarks: FloatArray | None) -> float:
    """Structural similarity, the mean of two scales; of the face as well where it is known."""
    found = []
    for _ in range(2):
        similarity = ssim_map(source, drawn)
        whole = float(similarity.mean())
        if landmarks is not None:
            height, width = source.shape[:2]
            face = float(similarity[face_region(landmarks, width, height)].mean())
            whole += FACE_WEIGHT * (face - whole)
        found.append(whole)
        source, drawn = _half(source), _half(drawn)
    return float(np.mean(found))


def _normalised(picture: Picture) -> FloatArray:
    """Luma less its mean nearby, over its deviation nearby, in one row."""
    values = luma(picture)
    mean, squares = (cv2.GaussianBlur(x, (0, 0), WINDOW) for x in (values, values * values))
    variance = np.maximum(squares - mean * mean, 0)
    return np.asarray((values - mean) / np.sqrt(variance + LEAST_VARIANCE), np.float64).ravel()


def _reduced(picture: Picture, longer: int) -> Picture:
    """A picture in its own shape or nearly, its longer side so many pixels."""
    height, width = picture.shape[:2]
    scale = longer / max(height, width)
    size = max(LEAST_SIDE, round(width * scale)), max(LEAST_SIDE, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _half(picture: Picture) -> Picture:
    return _reduced(picture, max(picture.shape[:2]) // 2)
