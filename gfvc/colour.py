"""The one place where RGB pictures and luma with chroma are converted.

What the base codec codes is BT.709, limited range, 8 bits, 4:2:0 with chroma samples between the
luma rows and on the left luma column (H.273: MatrixCoefficients 1, VideoFullRangeFlag 0; chroma
sample location type 0, which decoders assume when a stream does not say). Source videos come in
any of the usual matrices and ranges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from base_codec_adapters import Picture420

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Float64Array = npt.NDArray[np.float64]

# H.273 MatrixCoefficients: weights of red and blue in luma.
_LUMA_WEIGHTS = {1: (0.2126, 0.0722), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
_BT601 = (0.299, 0.114)
_FULL_RANGE = 2  # of FFmpeg's AVColorRange


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
    "bt709": _from_rgb(*_LUMA_WEIGHTS[1], full=False),
    "bt601": _from_rgb(*_BT601, full=False),
}
_TO_RGB = _inverse(_TO_YCBCR["bt709"])

# Position of chroma samples in luma samples: x = 2 column, y = 2 row + 0.5.
_UPSAMPLE = np.array([[0.5, 0.0, 0.0], [0.0, 0.5, -0.25]])


def _to_bytes(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)


def to_picture420(
    rgb: npt.NDArray[np.uint8], matrix: Literal["bt709", "bt601"] = "bt709"
) -> Picture420:
    """Convert uint8 RGB [height, width, 3] with even sides to 4:2:0 planes, limited range."""
    ycbcr = cv2.transform(rgb.astype(np.float32), _TO_YCBCR[matrix])
    horizontal = np.array([0.25, 0.5, 0.25], np.float32)
    chroma = cv2.sepFilter2D(
        ycbcr[..., 1:], -1, horizontal, np.ones(1, np.float32), borderType=cv2.BORDER_REPLICATE
    )[:, ::2]
    chroma = (chroma[::2] + chroma[1::2]) / 2
    return Picture420(
        _to_bytes(ycbcr[..., 0]), _to_bytes(chroma[..., 0]), _to_bytes(chroma[..., 1])
    )


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
    frame: VideoFrame, window: tuple[int, int, int, int] | None = None
) -> npt.NDArray[np.uint8]:
    """Convert a decoded video frame of any pixel format to uint8 RGB [height, width, 3].

    With `window` (left, top, width, height) only that part. The matrix and range are those that
    the frame states, BT.601 limited where it does not. The video library would convert to RGB by
    itself, but truncates: its pictures are darker by one.
    """
    left, top, width, height = window or (0, 0, frame.width, frame.height)
    part = np.s_[top : top + height, left : left + width]
    name = frame.format.name
    if frame.format.is_rgb or name.startswith(("gray", "mono", "pal", "ya")):
        return np.asarray(frame.to_ndarray(format="rgb24")[part], np.uint8)
    full = frame.color_range == _FULL_RANGE or name.startswith("yuvj")
    weights = _LUMA_WEIGHTS.get(int(frame.colorspace), _BT601)
    planes = frame.to_ndarray(format="yuvj444p" if full else "yuv444p", channel_last=True)[part]
    rgb = cv2.transform(np.ascontiguousarray(planes), _inverse(_from_rgb(*weights, full=full)))
    return np.asarray(rgb, np.uint8)
