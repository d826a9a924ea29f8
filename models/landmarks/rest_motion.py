"""What moves between two pictures that no landmarks tell of: hair, glasses, shoulders, hands.

It is their optical flow (Kroeger et al., "Fast optical flow using dense inverse search", 2016), as
far as it can be trusted. Between the two each is moved by its share of it, as in frame
interpolation (Baker et al., "A database and evaluation methodology for optical flow", 2011).
How much of it is done at a time is told by the head (`motion_progress`), which hair and shoulders
follow.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.contract import Float32Array, HeadTrust, Picture
from models.landmarks import points as groups
from models.landmarks.flow import read_at

# The rest motion is found in pictures reduced to this width: it is smooth.
WORKING_SIZE = 256
# The optical flow looks at squares of 8 pixels, at several scales.
LEAST_SIZE = 32
# Flow there and back that misses by this many pixels of the reduced pictures counts for little.
MISS = 1.0
# Standard deviations of the windows in which trusted flow is averaged, in pixels of the reduced
# pictures; the wide one counts where nothing is trusted nearby, and by this share.
NARROW, WIDE, WIDE_SHARE = 2.5, 10.0, 0.05
NEVER_ZERO = 1e-4
# References that differ by fewer levels than this show the same. Standard deviation of the window
# in which they are compared, width of the neighbourhood that must show the same as well, and
# standard deviation of the soft edge, all in pixels.
STILL_LEVELS = 8.0
STILL_WINDOW = 1.5
STILL_MARGIN = 5
STILL_EDGE = 2.0
# What the head tells of progress counts half where it went this far from one picture to the other,
# in picture widths; and it is believed to go this far back, or on, beyond the two.
HALF_TOLD = 0.02
MOST_BEYOND = 0.5
# So near to a reference, in shares of the way in time, time comes in: at a reference all is as that
# shows it, also where an edit has put the head elsewhere.
NEAR_REFERENCE = 0.15
# A head may be so far from its straight way, in lengths of that or in picture widths, whichever is
# more, and counts less beyond; twice as far from it, it is where an edit has put it.
BESIDE_WAY, BESIDE_STILL = 0.5, 0.02
# Points that move with the head and little else.
_HEAD = (*groups.FACE_OVAL, *groups.NOSE)


def motion_progress(
    landmarks: Float32Array,
    keys: tuple[Float32Array, Float32Array],
    position: float,
    trust: HeadTrust = HeadTrust.AS_FILMED,
) -> float:
    """How much of the motion from one reference to the other is done, -0.5..1.5.

    It is how far the head has gone on its straight way from the one to the other. The less it
    goes, the more it is the position in time.

    Args:
        landmarks: [478, 2] of the picture to draw, in picture widths and heights.
        keys: landmarks [478, 2] of the earlier and the later reference.
        position: 0..1, where the picture lies in time between the two.
        trust: where the head is believed.
    """
    if trust is HeadTrust.EDITED:
        return position
    here, early, late = (points[list(_HEAD)] for points in (landmarks, *keys))
    way = late - early
    squared = float((way * way).sum(axis=1).mean())
    told = float(((here - early) * way).sum(axis=1).mean())
    noise = HALF_TOLD * HALF_TOLD
    # Told progress is told / squared, trusted by squared / (squared + noise).
    progress = (told + noise * position) / (squared + noise)
    told_share = min(1.0, position / NEAR_REFERENCE, (1 - position) / NEAR_REFERENCE)
    if trust is HeadTrust.NEAR_ITS_WAY:
        nearest = early + np.float32(min(max(told / (squared + 1e-12), 0.0), 1.0)) * way
        beside = float(np.sqrt(((here - nearest) ** 2).sum(axis=1).mean()))
        allowed = max(BESIDE_WAY * squared**0.5, BESIDE_STILL)
        told_share *= min(max(2 - beside / allowed, 0.0), 1.0)
    return position + told_share * (min(max(progress, -MOST_BEYOND), 1 + MOST_BEYOND) - position)


def still(earlier: Picture, later: Picture) -> Float32Array:
    """1 where two pictures [H, W, 3] show the same in the same place, falling to 0: [H, W]."""
    apart = cv2.GaussianBlur(cv2.absdiff(earlier, later), (0, 0), STILL_WINDOW).max(axis=2)
    same = np.exp(-((apart / np.float32(STILL_LEVELS)) ** 2))
    # Coding loses faint detail of what moves: what is beside it moves too.
    surrounded = cv2.erode(same, np.ones((STILL_MARGIN, STILL_MARGIN), np.uint8))
    return np.asarray(cv2.GaussianBlur(surrounded, (0, 0), STILL_EDGE), np.float32)


def rest_motion(bent: Picture, later: Picture) -> Float32Array:
    """From each place of the later reference to that of the bent earlier one that shows it.

    [H, W, 2] in picture widths and heights.
    """
    whole_height, whole_width = later.shape[:2]
    scale = min(1.0, WORKING_SIZE / max(whole_height, whole_width))
    width, height = (max(LEAST_SIZE, round(side * scale)) for side in (whole_width, whole_height))
    motion = _trusted_flow(_grey(later, width, height), _grey(bent, width, height))
    motion /= np.array((width, height), np.float32)
    whole = cv2.resize(motion, (whole_width, whole_height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole, np.float32)


def _grey(picture: Picture, width: int, height: int) -> Picture:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _trusted_flow(first: Picture, second: Picture) -> Float32Array:
    """Smooth optical flow between grey pictures [H, W], in pixels: [H, W, 2].

    Where the flow there and the flow back do not lead to where they started from, the flow of the
    surroundings stands in.
    """
    there, trust = flow_and_trust(first, second)
    planes = np.dstack([there * trust[..., None], trust])
    narrow, wide = (cv2.GaussianBlur(planes, (0, 0), width) for width in (NARROW, WIDE))
    mean = narrow + np.float32(WIDE_SHARE) * wide
    flow: Float32Array = mean[..., :2] / (mean[..., 2:] + np.float32(NEVER_ZERO))
    return flow


def flow_and_trust(first: Picture, second: Picture) -> tuple[Float32Array, Float32Array]:
    """Optical flow between grey pictures [H, W], in pixels [H, W, 2], and how far to trust it.

    Trust [H, W] is 1 where the flow back leads to where one started from, and falls to 0. No side
    may have fewer than 32 pixels.
    """
    optical_flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # mypy does not know that None lets it make the array.
    there = optical_flow.calc(first, second, None)  # type: ignore[call-overload]
    back = optical_flow.calc(second, first, None)  # type: ignore[call-overload]
    height, width = first.shape
    missed = there + read_at(back, there / np.array((width, height), np.float32))
    trust = np.exp(-(missed**2).sum(axis=2) / np.float32(MISS * MISS))
    return np.asarray(there, np.float32), np.asarray(trust, np.float32)
