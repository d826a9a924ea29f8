"""Pictures as the base codecs see them: 4:2:0 planes of 8 bits, and their raw video bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

import numpy as np
import numpy.typing as npt

from base_codec_adapters.errors import RequestInvalidError
from base_codec_adapters.temporary import write_all

Plane = npt.NDArray[np.uint8]

SAMPLE_DEPTHS = (8, 10)
"""Bit depths of raw video this package writes and reads."""


@dataclass(frozen=True, eq=False)
class Picture420:
    """One picture of 4:2:0 samples, 8 bits each.

    ``y`` is uint8 [height, width], ``u`` (Cb) and ``v`` (Cr) are uint8 [height/2, width/2]; width
    and height are even and positive. The planes are kept as read-only views.

    Raises:
        RequestInvalidError: a plane has another type or shape.
    """

    y: Plane
    u: Plane
    v: Plane

    def __post_init__(self) -> None:
        shape = np.shape(self.y)
        if len(shape) != 2 or 0 in shape or shape[0] % 2 or shape[1] % 2:
            raise RequestInvalidError(
                f"luma plane has shape {shape}: give [height, width], both even and positive"
            )
        expected = {"y": shape, "u": (shape[0] // 2, shape[1] // 2)}
        expected["v"] = expected["u"]
        for name, plane_shape in expected.items():
            plane = getattr(self, name)
            if not isinstance(plane, np.ndarray) or plane.dtype != np.uint8:
                kind = getattr(plane, "dtype", type(plane).__name__)
                raise RequestInvalidError(f"plane {name} is {kind}: give a numpy array of uint8")
            if plane.shape != plane_shape:
                raise RequestInvalidError(
                    f"plane {name} has shape {plane.shape} where 4:2:0 needs {plane_shape}"
                )
            view = plane.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    @property
    def width(self) -> int:
        """Luma samples in a row."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Luma rows."""
        return int(self.y.shape[0])


def raw_picture_size(width: int, height: int, bit_depth: int) -> int:
    """Bytes of one raw 4:2:0 picture: one byte a sample for 8 bits, two above."""
    return width * height * 3 // 2 * (1 if bit_depth == 8 else 2)


def write_raw_video(
    file: IO[bytes], pictures: Iterable[Picture420], width: int, height: int, bit_depth: int
) -> None:
    """Append pictures to a file as planar raw video (``yuv420p`` or ``yuv420p10le``).

    Pictures smaller than ``width`` x ``height`` (even) grow to the right and below by repeating
    their last samples. For 10 bits each sample is shifted up by 2, so that a decoder's 10-bit
    output rounds back to the same 8-bit value.
    """
    for picture in pictures:
        right, below = width - picture.width, height - picture.height
        for plane, scale in ((picture.y, 1), (picture.u, 2), (picture.v, 2)):
            samples = np.pad(plane, ((0, below // scale), (0, right // scale)), mode="edge")
            if bit_depth == 8:
                write_all(file, samples.tobytes())
            else:
                write_all(file, (samples.astype("<u2") << (bit_depth - 8)).tobytes())


def picture_from_raw(data: bytes, width: int, height: int, bit_depth: int) -> Picture420:
    """Read one planar raw picture of ``raw_picture_size`` bytes; 10-bit samples are rounded.

    10-bit samples become ``(sample + 2) >> 2``, clipped to 255. Bits above the bit depth are
    a broken program's and are clipped as well.
    """
    if bit_depth == 8:
        samples = np.frombuffer(data, np.uint8)
    else:
        shift = bit_depth - 8
        wide = np.frombuffer(data, "<u2").astype(np.uint32)
        rounded = (wide + (1 << (shift - 1))) >> shift
        samples = np.minimum(rounded, 255).astype(np.uint8)
    luma, chroma = width * height, width * height // 4
    chroma_shape = (height // 2, width // 2)
    return Picture420(
        y=samples[:luma].reshape(height, width),
        u=samples[luma : luma + chroma].reshape(chroma_shape),
        v=samples[luma + chroma :].reshape(chroma_shape),
    )
