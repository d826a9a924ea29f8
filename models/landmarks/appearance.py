"""What a face looks like, apart from where it is, how it is turned and what it says.

The face is laid over the average face by its landmarks, as a picture bent to another would be:
32×32 places of the average face, seen from ahead, are read where its mesh lies in the picture.
What tells people apart is then taken of them: the texture of luma, free of light that changes
slowly over the face, and the mean colour. Two faces are compared by the distance of these. Light,
and a camera's white balance, change the colour too. Where what is about the face changed as the
face did, the colour in the other's light is compared. The rest shape of the landmarks is not among
what tells people apart: trackers find much the same mesh in everybody, and people differ by less in
it than one person does in turning the head.

The constants are from clips of the training set, those of light from validation clips;
`python -m benchmarks.face_changes` measures them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.contract import FloatArray, Picture
from models.landmarks.face_space import FaceSpace, find_pose
from models.landmarks.points import FACE_OVAL, FACE_POINTS

SIDE = 32
"""Places along a side of the average face."""

# Texture is what lies between these two scales, in places (standard deviations of Gaussians).
FINE, COARSE = 1.5, 8.0
# A unit of colour, in CIE L*a*b*, counts as this share of the texture's length, which is 1.
COLOUR_WEIGHT = 0.2
# Faces of one person lie closer than this,
LIMIT = 0.9
# and than so much more for each degree by which the head is turned further than that.
TURN_LIMIT, FREE_TURN = 0.01, 15.0
# Where even small turns count: by so much for each degree beyond this.
STILL_TURN_LIMIT, STILL_TURN = 0.02, 3.0
# Below this length, in units of luma a place, texture is noise.
LEAST_TEXTURE = 1.0
# What is as dark as this, in linear RGB, hardly tells of the colour of light.
DARK = 0.01
# Light changes none of red, green and blue by more than this, against their geometric mean.
MOST_CAST = 1.4
# Less than this share of a picture about a face does not tell of light.
LEAST_AROUND = 1 / 8
# Faces whose textures are further apart than this may be two people's, each in a light of its own.
LIKE_TEXTURE = 0.5
_GAMMA = 2.2


@dataclass(frozen=True, slots=True)
class FaceLight:
    """Means in linear RGB, 0..1: of the face, and of what is about it; [3] each."""

    face: FloatArray
    around: FloatArray


@dataclass(frozen=True, slots=True)
class FaceAppearance:
    """Texture [places], colour [2], and the rotation [3, 3] and the light they were seen in.

    `light` is None where a face fills the picture.
    """

    texture: FloatArray
    colour: FloatArray
    rotation: FloatArray
    light: FaceLight | None = None

    def distance(self, other: FaceAppearance) -> float:
        """How unlike two faces look, 0 for the same; 0.3 is usual for one person, 1.5 for two."""
        return _length(self._texture_from(other), self.colour - other.colour)

    def distance_in_its_light(self, other: FaceAppearance) -> float:
        """The distance, or that in the light of the other, whichever is less.

        For faces that were followed from the one to the other. What is about two people in turn
        tells nothing of light, but of two places; so it counts for like texture only.
        """
        texture = self._texture_from(other)
        distance = _length(texture, self.colour - other.colour)
        lit = self._colour_in_light(other.light) if texture <= LIKE_TEXTURE else None
        return distance if lit is None else min(distance, _length(texture, lit - other.colour))

    def _texture_from(self, other: FaceAppearance) -> float:
        return float(np.linalg.norm(self.texture - other.texture))

    def _colour_in_light(self, light: FaceLight | None) -> FloatArray | None:
        """The colour [2] in another light, after von Kries; None where that is not known."""
        if self.light is None or light is None:
            return None
        gains = (light.around + DARK) / (self.light.around + DARK)
        cast = np.log(gains) - np.log(gains).mean()
        if np.abs(cast).max() > np.log(MOST_CAST):
            return None
        face = self.light.face
        return self.colour + _chroma(face * gains) - _chroma(face)

    def turn(self, other: FaceAppearance) -> float:
        """By how many degrees the heads are turned against each other, 0..180."""
        cosine = (np.trace(self.rotation.T @ other.rotation) - 1) / 2
        return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))

    def change(self, other: FaceAppearance) -> float:
        """The distance over what it may be for one person: from 1 on, another face is shown.

        A turned head shows other parts of the face, and may differ by more.
        """
        turned = max(0.0, self.turn(other) - FREE_TURN)
        return self.distance_in_its_light(other) / (LIMIT + TURN_LIMIT * turned)

    def change_while_still(self, other: FaceAppearance, limit: float) -> float:
        """The distance over a limit for heads that are not turned against each other.

        For each degree by which they are, it may be larger by as much as it is then usual.
        """
        turned = max(0.0, self.turn(other) - STILL_TURN)
        return self.distance_in_its_light(other) / (limit + STILL_TURN_LIMIT * turned)


class AppearanceReader:
    """Reads what faces look like, given their landmarks."""

    def __init__(self, space: FaceSpace) -> None:
        from scipy.spatial import Delaunay

        self._space = space
        ahead = space.mean[:FACE_POINTS, :2]
        outline = ahead[list(FACE_OVAL)]
        low, high = outline.min(axis=0), outline.max(axis=0)
        steps = (np.arange(SIDE) + 0.5) / SIDE
        x, y = np.meshgrid(*(low + steps[:, None] * (high - low)).T)
        places = np.stack([x.ravel(), y.ravel()], axis=1)
        mesh = Delaunay(ahead)
        triangles = mesh.find_simplex(places)
        inverse = mesh.transform[triangles]
        two = np.einsum("pij,pj->pi", inverse[:, :2], places - inverse[:, 2])
        # Places outside of every triangle are read too, by the last one; the mask leaves them out.
        self._corners = mesh.simplices[triangles]
        self._weights = np.concatenate([two, 1 - two.sum(axis=1, keepdims=True)], axis=1)
        contour = outline.astype(np.float32)
        within = [cv2.pointPolygonTest(contour, (float(a), float(b)), False) > 0 for a, b in places]
        self._mask = (np.array(within) & (triangles >= 0)).reshape(SIDE, SIDE)

    def read(self, picture: Picture, landmarks: FloatArray) -> FaceAppearance:
        """The face of landmarks [478, 3] in a square picture, uint8 RGB [size, size, 3]."""
        rgb = self._lay(picture, landmarks)
        laid = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).astype(np.float32)
        luma = laid[..., 0]
        band = cv2.GaussianBlur(luma, (0, 0), FINE) - cv2.GaussianBlur(luma, (0, 0), COARSE)
        texture = band[self._mask].astype(np.float64)
        texture -= texture.mean()
        length = max(float(np.linalg.norm(texture)), LEAST_TEXTURE * np.sqrt(texture.size))
        colour = laid[self._mask][:, 1:].mean(axis=0).astype(np.float64)
        rotation = find_pose(self._space.mean, landmarks, self._space.weights).rotation
        around = _around(picture, landmarks)
        light = None if around is None else FaceLight(_mean_linear(rgb[self._mask]), around)
        return FaceAppearance(texture / length, colour, rotation, light)

    def _lay(self, picture: Picture, landmarks: FloatArray) -> npt.NDArray[np.uint8]:
        """The face over the average face, uint8 [SIDE, SIDE, 3]."""
        size = np.array(picture.shape[1::-1])
        points = landmarks[:FACE_POINTS, :2] * size
        extent = np.ptp(points[list(FACE_OVAL)], axis=0)
        pixels_a_place = float(np.sqrt(extent.prod())) / SIDE
        if pixels_a_place > 1:
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), pixels_a_place / 2), np.uint8)
        read = np.einsum("pc,pcd->pd", self._weights, points[self._corners]) - 0.5
        at = read.reshape(SIDE, SIDE, 2).astype(np.float32)
        laid = cv2.remap(
            picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(laid, np.uint8)


def _length(texture: float, colour: FloatArray) -> float:
    """What a distance of textures and a difference of colours [2] make together."""
    return float(np.hypot(texture, COLOUR_WEIGHT * np.linalg.norm(colour)))


def _around(picture: Picture, landmarks: FloatArray) -> FloatArray | None:
    """Mean in linear RGB [3] of what lies outside of the face's box; None for too little."""
    small = np.asarray(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    points = np.clip(landmarks[:FACE_POINTS, :2] * SIDE, 0, SIDE)
    (left, top), (right, bottom) = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    outside = np.ones((SIDE, SIDE), bool)
    outside[int(top) : int(bottom), int(left) : int(right)] = False
    return _mean_linear(small[outside]) if outside.mean() >= LEAST_AROUND else None


def _mean_linear(colours: npt.NDArray[np.uint8]) -> FloatArray:
    """Mean in linear RGB, 0..1, of colours [n, 3]."""
    return np.asarray(((colours / 255.0) ** _GAMMA).mean(axis=0), np.float64)


def _chroma(linear: FloatArray) -> FloatArray:
    """The a* and b* of a colour in linear RGB [3]."""
    rgb = (np.clip(linear, 0.0, 1.0) ** (1 / _GAMMA)).astype(np.float32)
    return np.asarray(cv2.cvtColor(rgb[None, None], cv2.COLOR_RGB2LAB)[0, 0, 1:], np.float64)
