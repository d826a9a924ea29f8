"""Synthetic weights and pictures: every tensor is a function of its name.

A parity pack holds the outputs of a reference implementation whose weights were made by this rule,
so that no trained weights have to travel with it. The rule is fixed to the last bit: the order in
which random numbers are drawn and the order of the floating-point operations are part of it.
"""

from __future__ import annotations

import re
import zlib

import numpy as np
from numpy.typing import NDArray

_PICTURE_SIZE = 256

_GAINS = [
    (re.compile(pattern), gain)
    for pattern, gain in [
        # Residual branches: without damping a deep random network explodes.
        (r"he_estimator\.block\d\.(b\d_\d\.)?conv3\.weight", 0.3),
        (r"generator\..*[._](r|3dr|2dr)\d\.conv2\.weight", 0.5),
        # The motion has to react to the input without saturating soft-max and sigmoid.
        (r"generator\..*\.occlusion\.weight", 1.5),
        (r"generator\..*\.mask\.weight", 1.2),
        (r"generator\..*\.flow\.weight", 8.0),
        (r"generator\..*_network\.up_blocks\.\d\.conv\.weight", 1.4),
        (r"kp_detector\.conv[1-4]\.weight", 1.8),
        (r"kp_detector\.jacobian\.weight", 0.3),
        (r"he_estimator\.conv1\.weight", 8.0),
        (r"he_estimator\.fc_(t|exp)\.weight", 0.1),
    ]
]


def _generator(text: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(zlib.crc32(text.encode())))


def _gain(name: str) -> float:
    return next((gain for pattern, gain in _GAINS if pattern.fullmatch(name)), 1.0)


def _gaussian_kernel(size: int) -> NDArray[np.float64]:
    line = np.exp(-((np.arange(size) - (size - 1) / 2) ** 2) / (2 * 1.5**2))
    kernel: NDArray[np.float64] = np.outer(line, line) / line.sum() ** 2
    return kernel


def _float_values(name: str, noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of the tensor ``name`` in double precision, of normal noise in its shape."""
    shape = noise.shape
    if name.endswith("down.weight"):
        return np.broadcast_to(_gaussian_kernel(shape[-1]), shape)
    if re.search(r"\.gdn\d\.beta$", name):
        return 1.0 + 0.05 * np.abs(noise)
    if re.search(r"\.gdn\d\.gamma$", name):
        return 0.3162 * np.eye(shape[0]) + 0.05 * np.abs(noise)
    if name.endswith("running_var"):
        return 1 + 0.1 * np.abs(noise)
    if name == "kp_detector.jacobian.bias":
        return 0.05 * noise + np.tile(np.eye(2).ravel(), shape[0] // 4)
    if name.endswith(("running_mean", "bias")):
        return 0.05 * noise
    if len(shape) == 1:
        return 1 + 0.05 * noise
    if name == "he_estimator.conv1.weight":
        noise = noise - noise.mean(axis=(2, 3), keepdims=True)
    values: NDArray[np.float64] = _gain(name) * np.sqrt(2.0 / np.prod(shape[1:])) * noise
    return values


def filled_array(
    name: str, shape: tuple[int, ...], dtype: str, salt: str = ""
) -> NDArray[np.float32] | NDArray[np.int64]:
    """Synthetic tensor.

    Args:
        name: checkpoint entry, dot, parameter name, such as ``generator.first.conv.weight``.
        shape: shape of the tensor.
        dtype: ``float32``, or ``int64`` for counters, which are zero.
        salt: makes another set of weights.

    Raises:
        ValueError: another dtype.
    """
    if dtype == "int64":
        return np.zeros(shape, np.int64)
    if dtype != "float32":
        raise ValueError(f"{name}: dtype {dtype}: want float32 or int64")
    noise = _generator(salt + name).standard_normal(shape)
    return np.ascontiguousarray(_float_values(name, noise), dtype=np.float32)


def synthetic_pictures(salt: str = "") -> NDArray[np.uint8]:
    """Three pictures [3, 3, 256, 256] of a moving, face-like pattern: source, two driving ones."""
    draw = _generator(salt + "images")
    skin = draw.uniform(0.45, 0.9, 3)
    background = draw.uniform(0.05, 0.5, (3, 3))
    phase = draw.uniform(0, 6.28, (3, 4))
    frequency = draw.uniform(2, 9, (3, 4))
    return np.stack([_picture(k, skin, background, phase, frequency) for k in range(3)])


def _picture(
    k: int,
    skin: NDArray[np.float64],
    background: NDArray[np.float64],
    phase: NDArray[np.float64],
    frequency: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Picture ``k`` [3, 256, 256]: the head turned and shifted a little more in each."""
    y, x = np.mgrid[0:_PICTURE_SIZE, 0:_PICTURE_SIZE] / 127.5 - 1
    angle, shift_x, shift_y = 0.12 * k, 0.08 * k, 0.04 * (k == 2) - 0.05 * k
    u = np.cos(angle) * (x - shift_x) + np.sin(angle) * (y - shift_y)
    v = np.cos(angle) * (y - shift_y) - np.sin(angle) * (x - shift_x)

    def blob(
        centre_x: float, centre_y: float, width: float, height: float, power: int = 2
    ) -> NDArray[np.float64]:
        across = (np.abs(u - centre_x) / width) ** power
        along = (np.abs(v - centre_y) / height) ** power
        bump: NDArray[np.float64] = np.exp(-(across + along))
        return bump

    head = blob(0, 0.05, 0.55, 0.72, 4)
    hair = blob(0, -0.75, 0.6, 0.25)
    nose = blob(0.02, 0.1, 0.05, 0.16)
    mouth = blob(0, 0.42, 0.2, 0.05 + 0.03 * k)
    eyes = np.zeros_like(head)
    for side in (-0.22, 0.22):
        white = blob(side, -0.12, 0.13, 0.06)
        pupil = blob(side + 0.01 * k, -0.12, 0.05, 0.05)
        eyes = eyes + 0.35 * white - 0.6 * pupil

    planes = []
    for c in range(3):
        plane = (
            background[c, 0]
            + 0.25 * background[c, 1] * x
            + 0.25 * background[c, 2] * np.sin(3 * y + c)
        )
        plane = plane * (1 - head) + head * (skin[c] + 0.1 * u) + eyes - 0.45 * hair * skin[c]
        plane = plane - 0.25 * nose - (0.4 - 0.12 * c) * mouth
        texture = sum(
            np.sin(2 * frequency[c, j] * (u if j % 2 else v) + phase[c, j]) for j in range(4)
        )
        planes.append(plane + 0.04 * (0.4 + head) * texture)
    samples: NDArray[np.uint8] = np.round(np.clip(planes, 0, 1) * 255).astype(np.uint8)
    return samples
