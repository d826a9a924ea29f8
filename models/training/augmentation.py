"""Changes of a pair of pictures that leave it true, and key pictures as the decoder gets them.

What moves a picture moves its landmarks. Key pictures are coded at a strength drawn at random: HEVC
intra coding by the libx265 that comes with PyAV stands for VVC's. Blocks, prediction and in-loop
filters are alike, and it takes some milliseconds where a VVC encoder takes a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from models.contract import Picture
from models.landmarks.face_space import mirror_order, shipped_face_space
from models.training.configuration import Augmentation
from models.training.footage import Landmarks
from models.training.hevc_coding import code_hevc, has_hevc_encoder

MirrorOrder = npt.NDArray[np.intp]


def landmark_mirror() -> MirrorOrder:
    """For each of the 478 landmarks the number of its mirror landmark."""
    return mirror_order(shipped_face_space().mean)


KeyCoding = Callable[[Picture, np.random.Generator], Picture]
"""What coding does to a key picture, at a strength drawn from the generator."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A key and a driven picture, uint8 RGB [S, S, 3], with their landmarks float32 [478, 3].

    Where a task codes differences between pictures, `previous` is the picture before the driven
    one.
    """

    key: Picture
    driven: Picture
    key_landmarks: Landmarks
    driven_landmarks: Landmarks
    previous: Picture | None = None
    previous_landmarks: Landmarks | None = None

    def change(
        self,
        picture: Callable[[Picture], Picture],
        landmarks: Callable[[Landmarks], Landmarks] = lambda points: points,
    ) -> Pair:
        """The same change for every picture, and for the landmarks of every picture."""
        return Pair(
            picture(self.key),
            picture(self.driven),
            landmarks(self.key_landmarks),
            landmarks(self.driven_landmarks),
            None if self.previous is None else picture(self.previous),
            None if self.previous_landmarks is None else landmarks(self.previous_landmarks),
        )


def flip(pair: Pair, order: MirrorOrder) -> Pair:
    """Mirror left and right; `order` says which landmark takes the place of which."""

    def landmarks(points: Landmarks) -> Landmarks:
        swapped = points[order].copy()
        swapped[:, 0] = 1 - swapped[:, 0]
        return swapped

    return pair.change(lambda picture: np.ascontiguousarray(picture[:, ::-1]), landmarks)


def crop(pair: Pair, x: int, y: int, width: int) -> Pair:
    """Take the square of `width` pixels at (x, y) of each picture, enlarged to their size."""
    size = pair.key.shape[0]

    def picture(whole: Picture) -> Picture:
        part = whole[y : y + width, x : x + width]
        return np.asarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)

    def landmarks(points: Landmarks) -> Landmarks:
        corner = np.array([x / size, y / size, 0.0], np.float32)
        return ((points - corner) * np.float32(size / width)).astype(np.float32)

    return pair.change(picture, landmarks)


def colour(pair: Pair, gamma: float, gains: tuple[float, float, float]) -> Pair:
    """The same gamma and gains of red, green and blue for every picture."""
    curve = (np.arange(256) / 255) ** gamma
    table = np.stack([np.clip(curve * gain, 0, 1) * 255 for gain in gains], axis=-1)
    table = np.round(table).astype(np.uint8)[None]
    return pair.change(lambda picture: np.asarray(cv2.LUT(picture, table), np.uint8))


def imitate_key_coding(picture: Picture, random: np.random.Generator) -> Picture:
    """Damage a picture about as intra coding does: JPEG, or less detail and a little noise.

    A cheap stand-in. Its blocks and ringing are not those of VVC or HEVC.
    """
    if random.random() < 0.5:
        quality = int(random.integers(12, 70))
        # OpenCV takes pictures for blue, green, red, and weighs them so for luma.
        coded = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        decoded = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
        return np.ascontiguousarray(decoded[..., ::-1])
    size = picture.shape[0]
    small = max(8, int(size * random.uniform(0.4, 0.9)))
    reduced = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    blurred = cv2.resize(reduced, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    noise = random.standard_normal(picture.shape, np.float32) * np.float32(random.uniform(0, 3))
    return np.round(blurred + noise).clip(0, 255).astype(np.uint8)


def augment(
    pair: Pair,
    settings: Augmentation,
    order: MirrorOrder,
    key_coding: KeyCoding,
    random: np.random.Generator,
) -> Pair:
    """Change a pair at random; the key picture is damaged last, as a codec would."""
    if random.random() < settings.crop:
        size = pair.key.shape[0]
        width = round(size * random.uniform(settings.smallest_crop, 1.0))
        x, y = (int(place) for place in random.integers(0, size - width + 1, 2))
        pair = crop(pair, x, y, width)
    if random.random() < settings.flip:
        pair = flip(pair, order)
    if random.random() < settings.colour:
        red, green, blue = (float(gain) for gain in random.uniform(0.85, 1.15, 3))
        pair = colour(pair, float(random.uniform(0.75, 1.3)), (red, green, blue))
    if random.random() < settings.key_coding:
        pair = replace(pair, key=key_coding(pair.key, random))
    return pair


LOWEST_QP, HIGHEST_QP = 22, 46
_REAL_SHARE = 0.5
"""Of key pictures that pass for coded, how many are; the others are cheaper."""


def code_key(picture: Picture, random: np.random.Generator) -> Picture:
    """Code a key picture for real, or imitate that: half of the time each."""
    if has_hevc_encoder() and random.random() < _REAL_SHARE:
        qp = int(random.integers(LOWEST_QP, HIGHEST_QP + 1))
        return code_hevc([picture], [qp], "ultrafast")[1][0]
    return imitate_key_coding(picture, random)
