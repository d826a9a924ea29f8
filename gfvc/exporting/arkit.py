"""The 52 face shapes that Apple's ARKit names, as far as landmarks tell them.

A shape's value is 0 for a face at rest and 1 for the full movement. What is measured are lengths
of the face without its pose, over the distance D of its outer eye corners. Rest is what the clip
itself shows, the median over its pictures; of lips it is no gap at all. A rule says how far from
rest is full. Between lies a straight line, cut off at 0 and 1. docs/export.md tells the rules in
words, and which shapes have none: those are 0.
"""

from __future__ import annotations

import numpy as np

from models.contract import FloatArray
from models.landmarks.points import LEFT_EYE_OUTER_CORNER, LIPS_OUTER, RIGHT_EYE_OUTER_CORNER
from models.metrics.openings import openings

SHAPES = (
    *("EyeBlinkLeft", "EyeLookDownLeft", "EyeLookInLeft", "EyeLookOutLeft", "EyeLookUpLeft"),
    *("EyeSquintLeft", "EyeWideLeft"),
    *("EyeBlinkRight", "EyeLookDownRight", "EyeLookInRight", "EyeLookOutRight", "EyeLookUpRight"),
    *("EyeSquintRight", "EyeWideRight"),
    *("JawForward", "JawRight", "JawLeft", "JawOpen"),
    *("MouthClose", "MouthFunnel", "MouthPucker", "MouthRight", "MouthLeft"),
    *("MouthSmileLeft", "MouthSmileRight", "MouthFrownLeft", "MouthFrownRight"),
    *("MouthDimpleLeft", "MouthDimpleRight", "MouthStretchLeft", "MouthStretchRight"),
    *("MouthRollLower", "MouthRollUpper", "MouthShrugLower", "MouthShrugUpper"),
    *("MouthPressLeft", "MouthPressRight", "MouthLowerDownLeft", "MouthLowerDownRight"),
    *("MouthUpperUpLeft", "MouthUpperUpRight"),
    *("BrowDownLeft", "BrowDownRight", "BrowInnerUp", "BrowOuterUpLeft", "BrowOuterUpRight"),
    *("CheekPuff", "CheekSquintLeft", "CheekSquintRight", "NoseSneerLeft", "NoseSneerRight"),
    "TongueOut",
)
"""Their names, in Apple's order, as Live Link Face writes them."""

_NOSE_BASE = 2
_UPPER_LIP, _LOWER_LIP = 0, 17
_MOUTH_CORNERS = 291, 61  # left, right
_INNER_BROWS = (285, 336), (55, 107)
_OUTER_BROWS = (300, 293), (70, 63)
_INNER_EYE_CORNERS = 362, 133
_OUTER_EYE_CORNERS = LEFT_EYE_OUTER_CORNER, RIGHT_EYE_OUTER_CORNER

MEASURE_NAMES = (
    *("left lids", "right lids", "lips", "mouth width", "mouth side"),
    *("left corner out", "left corner up", "right corner out", "right corner up"),
    *("left inner brow", "left outer brow", "right inner brow", "right outer brow"),
)
MEASURES = len(MEASURE_NAMES)


def measures(shape: FloatArray) -> FloatArray:
    """Lengths [MEASURES] of a face [478, 3] that looks straight ahead, x right and y down, over D.

    The mouth's side is towards the person's left, from the base of the nose; its corners are out
    from there, and up from the middle of both lips. Brows are above the middle of the corners of
    their eye.
    """
    opened = openings(shape)
    unit = np.linalg.norm(shape[LEFT_EYE_OUTER_CORNER, :2] - shape[RIGHT_EYE_OUTER_CORNER, :2])
    flat = shape[:, :2] / unit
    middle = flat[_NOSE_BASE, 0]
    lip_line = (flat[_UPPER_LIP, 1] + flat[_LOWER_LIP, 1]) / 2
    left, right = (flat[corner] for corner in _MOUTH_CORNERS)
    found = [opened.left_lids, opened.right_lids, opened.lips, left[0] - right[0]]
    found.append(float(flat[list(LIPS_OUTER), 0].mean()) - middle)
    found += [left[0] - middle, lip_line - left[1], middle - right[0], lip_line - right[1]]
    corners = zip(_INNER_EYE_CORNERS, _OUTER_EYE_CORNERS, strict=True)
    brows = zip(corners, _INNER_BROWS, _OUTER_BROWS, strict=True)
    for eye, *parts in brows:
        height = flat[list(eye), 1].mean()
        found += [float(height - flat[list(part), 1].mean()) for part in parts]
    return np.array(found)


_SHUT = 0.15
"""Opening of shut lids, over that of lids at rest: landmarks of the two rims never meet."""

_WIDE = 1.5
"""Opening of lids that are wide open, over that at rest."""

_LEAST_LIDS = 0.03
"""What lids at rest are open at least: a clip may show eyes that are shut throughout."""

_JAW = 0.40
_SPOKEN = 0.15
"""Gap between the lips of a jaw that is wide open, and that from which on a narrow mouth is a
funnel, and not pursed."""

_NARROW = 0.35
"""By what share of its width a pursed mouth is narrower."""

_MOUTH_SIDE = 0.08
_SMILE = 0.10
_BROW_UP = 0.08
_BROW_DOWN = 0.06


def blendshapes(lengths: FloatArray) -> dict[str, FloatArray]:
    """Values 0..1 [pictures] of the shapes that have a rule, by name, of measures [pictures, n].

    Rows that are NaN, of pictures without a known face, stay so.
    """
    by_name = dict(zip(MEASURE_NAMES, lengths.T, strict=True))
    rest = {name: _median(row) for name, row in by_name.items()}
    moved = {name: row - rest[name] for name, row in by_name.items()}
    found: dict[str, FloatArray] = {}
    for side in ("Left", "Right"):
        low = side.lower()
        opening = max(rest[f"{low} lids"], _LEAST_LIDS)
        change = by_name[f"{low} lids"] - opening
        found[f"EyeBlink{side}"] = -change / ((1 - _SHUT) * opening)
        found[f"EyeWide{side}"] = change / ((_WIDE - 1) * opening)
        out, up = moved[f"{low} corner out"], moved[f"{low} corner up"]
        found[f"MouthSmile{side}"] = (out + up) / np.sqrt(2) / _SMILE
        found[f"BrowDown{side}"] = -moved[f"{low} inner brow"] / _BROW_DOWN
        found[f"BrowOuterUp{side}"] = moved[f"{low} outer brow"] / _BROW_UP
    brows = (moved["left inner brow"] + moved["right inner brow"]) / 2
    found["BrowInnerUp"] = brows / _BROW_UP
    found["JawOpen"] = by_name["lips"] / _JAW
    narrow = np.clip(-moved["mouth width"] / (_NARROW * rest["mouth width"]), 0, 1)
    spoken = np.clip(by_name["lips"] / _SPOKEN, 0, 1)
    found["MouthPucker"] = narrow * (1 - spoken)
    found["MouthFunnel"] = narrow * spoken
    found["MouthLeft"] = moved["mouth side"] / _MOUTH_SIDE
    found["MouthRight"] = -moved["mouth side"] / _MOUTH_SIDE
    return {name: np.clip(values, 0, 1) for name, values in found.items()}


def _median(row: FloatArray) -> float:
    known = row[np.isfinite(row)]
    return float(np.median(known)) if known.size else 1.0


RULED = frozenset(blendshapes(np.ones((1, MEASURES))))
"""Names of the shapes that have a rule; the others are 0."""
