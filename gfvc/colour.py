"""The one place where RGB pictures and luma with chroma are converted.

What the base codec codes is BT.709, limited range, 8 bits, 4:2:0 with chroma samples between the
luma rows and on the left luma column (H.273: MatrixCoefficients 1, VideoFullRangeFlag 0; chroma
sample location type 0, which decoders assume when a stream does not say). Source videos come in
any of the usual matrices, ranges, primaries and transfer characteristics, and are read as BT.709.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from base_codec_adapters import Picture420

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Float64Array = npt.NDArray[np.float64]

# Codes of H.273, which FFmpeg uses too.
BT709, BT601, BT2020 = 1, 6, 9
_BT601_WEIGHTS = (0.299, 0.114)
# MatrixCoefficients: weights of red and blue in luma.
_LUMA_WEIGHTS = {
    BT709: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: _BT601_WEIGHTS,
    BT601: _BT601_WEIGHTS,
    7: (0.212, 0.087),
    BT2020: (0.2627, 0.0593),
}
# Reserved, "unspecified", and the matrix of RGB on samples that are not RGB.
_SAYS_NOTHING = (0, 2, 3)
# ColourPrimaries other than those of BT.709 that are known.
_MAPPED_PRIMARIES = frozenset((4, 5, 6, 7, 8, 9, 10, 11, 12, 22))
PQ, HLG = 16, 18
_HDR = {PQ: "PQ", HLG: "HLG"}
_LINEAR = 8
_LOGARITHMIC = (9, 10)
_REFERENCE_WHITE = {PQ: 0.58, HLG: 0.75}
_HD_LINES, _HD_WIDTH = 720, 1280
# Endings of formats whose pixels have two bytes, the higher one first: libswscale makes planes of
# them rightly, and other pixels with wrong colours.
_TWO_BYTES_SWAPPED = ("444be", "555be", "565be")
_LIMITED_RANGE, _FULL_RANGE = 1, 2  # of FFmpeg's AVColorRange
# Luma of limited range as full range.
_FROM_LIMITED = np.rint(np.clip((np.arange(256) - 16) * (255 / 219), 0, 255)).astype(np.uint8)
# Channels of grey pictures differ by this much at most after coding, and but for a few samples;
# those of a face by far more.
_GREY_SPREAD = 8
_GREY_EXCEPTIONS = (24, 0.001)


class UnknownColourError(ValueError):
    """Colours of a frame are coded in a way that is not known."""


@dataclass(frozen=True, slots=True)
class Colour:
    """What samples mean: codes of H.273 for matrix, primaries and transfer, and full range or not.

    `transfer` is `BT709` for all curves of standard video; so are `primaries` where they are not
    stated.
    """

    matrix: int
    primaries: int
    transfer: int
    full: bool

    @property
    def is_hdr(self) -> bool:
        """Whether the transfer is HLG or PQ."""
        return self.transfer in _HDR

    @property
    def is_mapped(self) -> bool:
        """Whether more than a matrix lies between the samples and RGB of BT.709."""
        return self.transfer != BT709 or self.primaries != BT709

    @property
    def scale_options(self) -> str:
        """The same for the filter `scale` of libavfilter, as its options."""
        return (
            f"in_primaries={self.primaries}:in_transfer={self.transfer}"
            f":in_color_matrix={self.matrix}:in_range={'full' if self.full else 'limited'}"
        )

    def describe(self) -> str | None:
        """How the colours are changed, where a user should know: HDR, and wide colours."""
        if self.is_hdr:
            return f"{_HDR[self.transfer]} video is tone-mapped to BT.709"
        if self.primaries == BT2020:
            return "colours of BT.2020 are mapped to BT.709"
        return None


def _from_rgb(red: float, blue: float, *, full: bool) -> Float64Array:
    """Matrix [3, 4] from RGB and 1 to Y'CbCr, all 0..255."""
    green = 1.0 - red - blue
    luma, chroma, black = (255.0, 127.5, 0.0) if full else (219.0, 112.0, 16.0)
    matrix = np.array(
        [
            [red * luma, green * luma, blue * luma],
            [-red / (1 - blue) * chroma, -green / (1 - blue) * chroma, chroma],
            [chroma, -green / (1 - red) * chroma, -blue / (1 - red) * chroma],
        ]
    )
    return np.concatenate([matrix / 255, [[black], [128.0], [128.0]]], axis=1)


def _inverse(matrix: Float64Array) -> Float64Array:
    linear = np.linalg.inv(matrix[:, :3])
    return np.concatenate([linear, -linear @ matrix[:, 3:]], axis=1)


_TO_YCBCR = {
    "bt709": _from_rgb(*_LUMA_WEIGHTS[BT709], full=False),
    "bt601": _from_rgb(*_BT601_WEIGHTS, full=False),
}
_TO_RGB = _inverse(_TO_YCBCR["bt709"])

# Rows that are brought to 4:2:0 at a time, an even number: what lies between stays in the
# processor's cache.
_BAND_ROWS = 32

# Position of chroma samples in luma samples: x = 2 column, y = 2 row + 0.5.
_UPSAMPLE = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, -0.25]])


def _to_bytes(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)


def to_picture420(
    rgb: npt.NDArray[np.uint8], matrix: Literal["bt709", "bt601"] = "bt709"
) -> Picture420:
    """Convert uint8 RGB [height, width, 3] with even sides to 4:2:0 planes, limited range."""
    height, width = rgb.shape[:2]
    y = np.empty((height, width), np.uint8)
    u, v = (np.empty((height // 2, width // 2), np.uint8) for _ in range(2))
    for top in range(0, height, _BAND_ROWS):
        band = rgb[top : top + _BAND_ROWS].astype(np.float32)
        luma, *chroma = cv2.split(cv2.transform(band, _TO_YCBCR[matrix]))
        # Nothing is negative, and so nothing changed but rounded by OpenCV's quickest way to bytes.
        y[top : top + _BAND_ROWS] = cv2.convertScaleAbs(luma)
        half = slice(top // 2, (top + _BAND_ROWS) // 2)
        for plane, values in zip((u, v), chroma, strict=True):
            plane[half] = cv2.convertScaleAbs(_sum_of_rows(values), alpha=0.5)
    return Picture420(y, u, v)


def _sum_of_rows(plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A plane [height, width] at half its size: smoothed along rows, and two rows added up."""
    smoothed = cv2.sepFilter2D(
        plane,
        -1,
        np.array([0.25, 0.5, 0.25], np.float32),
        np.ones(1, np.float32),
        borderType=cv2.BORDER_REPLICATE,
    )
    rows: npt.NDArray[Any] = smoothed[::2, ::2] + smoothed[1::2, ::2]
    return rows


def to_rgb(picture: Picture420) -> npt.NDArray[np.uint8]:
    """Convert 4:2:0 planes to uint8 RGB [height, width, 3]; chroma is interpolated linearly."""
    height, width = picture.y.shape
    planes: list[npt.NDArray[Any]] = [picture.y.astype(np.float32)]
    planes += [
        cv2.warpAffine(
            plane.astype(np.float32),
            _UPSAMPLE,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for plane in (picture.u, picture.v)
    ]
    return _to_bytes(cv2.transform(np.stack(planes, axis=-1), _TO_RGB))


def frame_to_rgb(
    frame: VideoFrame,
    window: tuple[int, int, int, int] | None = None,
    *,
    bright: bool = True,
) -> npt.NDArray[np.uint8]:
    """Convert a decoded video frame of any pixel format to uint8 RGB [height, width, 3] of BT.709.

    With `window` (left, top, width, height) only that part. Matrix, range, primaries and transfer
    are those that `colour_of` finds. HLG, PQ and other primaries go through libswscale; `bright`
    says that an HLG or PQ clip has parts brighter than reference white, which are then made to
    fit. For all else the video library would convert to RGB by itself, but truncates: its pictures
    are darker by one. Raises `UnknownColourError`.
    """
    colour = colour_of(frame)
    left, top, width, height = window or (0, 0, frame.width, frame.height)
    part = np.s_[top : top + height, left : left + width]
    if colour.is_mapped:
        from gfvc.video.filters import to_bt709_rgb

        return to_bt709_rgb(frame, part, colour.scale_options, perceptual=colour.is_hdr and bright)
    if not _has_chroma(frame):
        is_swapped = frame.format.name.endswith(_TWO_BYTES_SWAPPED)
        pixels = frame.to_ndarray(format="gbrp" if is_swapped else "rgb24")
        rgb = np.asarray(pixels[part], np.uint8)
        # Of grey video libswscale takes the samples as they are, whatever their range.
        return _FROM_LIMITED[rgb] if _is_limited_grey(frame) else rgb
    planes = frame.to_ndarray(format="yuvj444p" if colour.full else "yuv444p", channel_last=True)
    weights = _LUMA_WEIGHTS[colour.matrix]
    to_rgb = _inverse(_from_rgb(*weights, full=colour.full))
    return np.asarray(cv2.transform(np.ascontiguousarray(planes[part]), to_rgb), np.uint8)


def _is_limited_grey(frame: VideoFrame) -> bool:
    is_grey_video = frame.format.name.startswith(("gray", "ya"))
    return is_grey_video and frame.color_range == _LIMITED_RANGE


def _has_chroma(frame: VideoFrame) -> bool:
    """Whether a frame is luma and chroma, rather than RGB, grey or of a palette."""
    return not (
        frame.format.is_rgb or frame.format.name.startswith(("gray", "mono", "pal", "ya", "xyz"))
    )


def untagged_matrix(width: int, height: int) -> int:
    """The matrix that players take for video that does not say: BT.709 for HD, else BT.601."""
    return BT709 if height >= _HD_LINES or width >= _HD_WIDTH else BT601


def colour_of(frame: VideoFrame) -> Colour:
    """What a frame's samples mean; raise `UnknownColourError` for what is not known."""
    matrix = int(frame.colorspace)
    if not _has_chroma(frame):
        matrix = BT709
    elif matrix in _SAYS_NOTHING:
        deep = int(frame.color_trc) in _HDR or int(frame.color_primaries) == BT2020
        matrix = BT2020 if deep else untagged_matrix(frame.width, frame.height)
    elif matrix not in _LUMA_WEIGHTS:
        raise UnknownColourError(
            f"its colours are coded with matrix {matrix} of H.273, which is not read here"
        )
    transfer = int(frame.color_trc)
    if transfer in _LOGARITHMIC:
        raise UnknownColourError(
            f"its brightness is coded with transfer {transfer} of H.273, which is not read here"
        )
    primaries = int(frame.color_primaries)
    if transfer in _HDR and primaries in _SAYS_NOTHING:
        primaries = BT2020
    # The curves of standard video differ little, and players show them all alike.
    transfer = transfer if transfer in _HDR or transfer == _LINEAR else BT709
    primaries = primaries if primaries in _MAPPED_PRIMARIES else BT709
    full = frame.color_range == _FULL_RANGE or frame.format.name.startswith("yuvj")
    return Colour(matrix, primaries, transfer, full or frame.format.is_rgb)


def bright_share(frame: VideoFrame, window: tuple[int, int, int, int] | None = None) -> float:
    """The share 0..1 of a frame's samples that are brighter than reference white, HLG or PQ only.

    With `window` (left, top, width, height) of the samples of that part.

    Reference white is 0.75 in HLG and 0.58 in PQ, of the range of luma (ITU-R BT.2408, table 1).
    """
    colour = colour_of(frame)
    if not colour.is_hdr:
        return 0.0
    if _has_chroma(frame):
        luma = frame.to_ndarray(format="yuv444p16le", channel_last=True)[..., 0].astype(np.float32)
    else:
        luma = frame.to_ndarray(format="rgb48le").astype(np.float32) @ np.array(
            [0.2627, 0.6780, 0.0593], np.float32
        )
    left, top, width, height = window or (0, 0, frame.width, frame.height)
    luma = luma[top : top + height, left : left + width]
    black, white = (0.0, 65535.0) if colour.full else (16.0 * 256, 235.0 * 256)
    return float(((luma - black) / (white - black) > _REFERENCE_WHITE[colour.transfer]).mean())


def is_grey(picture: npt.NDArray[np.uint8]) -> bool:
    """Whether RGB [height, width, 3] shows no colour anywhere, but for what coding leaves."""
    spread = picture.max(axis=2) - picture.min(axis=2)
    most, share = _GREY_EXCEPTIONS
    return bool(spread.max() <= most and (spread > _GREY_SPREAD).mean() <= share)


def without_colour(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The BT.709 luma of RGB [height, width, 3], as grey RGB."""
    red, blue = _LUMA_WEIGHTS[BT709]
    weights = np.array([[red, 1 - red - blue, blue]])
    luma = _to_bytes(cv2.transform(picture.astype(np.float32), weights))
    return np.repeat(luma.reshape(*picture.shape[:2], 1), 3, axis=2)
