"""All values by picture, for programs: as JSON with the messages they came in, and as NPZ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gfvc.editing.json_lines import EXPORT_FORMAT
from gfvc.exporting.gltf import expression_names
from gfvc.exporting.motion import Motion, has_face
from models import ParameterLayout
from models.contract import FloatArray
from models.landmarks.head_angles import head_angles
from models.landmarks.layout import FACE_VALUES, POSE_VALUES
from models.landmarks.values import UNITS

VERSION = 1

HEAD_NAMES = ("yaw", "pitch", "roll", "x", "y", "scale")
"""Degrees; place in picture widths and heights; picture widths in a unit of the face space."""

# Keys of a message that say all that is needed to put it back, as in docs/messages_jsonl.md.
_MESSAGE_KEYS = ("picture", "nal", "payload_type", "suffix", "place", "payload")


def value_names(layout: ParameterLayout) -> list[str]:
    """Names of the values of a layout, in the order of the stream."""
    if has_face(layout):
        pose = ["rotation_x", "rotation_y", "rotation_z", "x", "y", "log_scale"]
        further = [f"feature_{number}" for number in range(1, layout.size - FACE_VALUES + 1)]
        return [*pose, *expression_names(FACE_VALUES - POSE_VALUES), *further]
    axes = "xyz"[: layout.dimensions]
    names = [f"keypoint_{point}_{axis}" for point in range(layout.keypoints) for axis in axes]
    for matrix in layout.matrices:
        kind = f"matrix_{matrix.matrix_type}"
        names += [
            f"{kind}_{number}_{row}_{column}"
            for number in range(matrix.count)
            for row in range(matrix.height)
            for column in range(matrix.width)
        ]
    return names


def head_numbers(motion: Motion) -> FloatArray | None:
    """The pose [pictures, 6] as `HEAD_NAMES` says; None of a model that tells none."""
    if motion.head is None:
        return None
    pose = motion.head.pose
    known = motion.head.known
    found = np.full(pose.shape, np.nan)
    found[known, :3] = head_angles(pose[known, :3])
    found[known, 3:5] = pose[known, 3:5]
    found[known, 5] = np.exp(pose[known, 5])
    return found


def expression_numbers(motion: Motion) -> FloatArray | None:
    """Expressions [pictures, 8] against the coded picture, in units of the face space.

    None of a model that does not send these.
    """
    if not has_face(motion.layout):
        return None
    part = slice(POSE_VALUES, FACE_VALUES)
    found: FloatArray = motion.values[:, part] * UNITS[part]
    return found


def write_json(
    path: Path,
    motion: Motion,
    stream: dict[str, Any] | None,
    messages: Iterator[dict[str, Any]],
) -> None:
    """Write values and messages: a line a picture, then a line a message.

    `stream` is the header of docs/messages_jsonl.md, None where there are no messages to put back.
    """
    layout = motion.layout
    head = {
        "format": EXPORT_FORMAT,
        "version": VERSION,
        "fps": float(motion.rate),
        "model": motion.model,
        "layout": {
            "keypoints": layout.keypoints,
            "dimensions": layout.dimensions if layout.keypoints else None,
            "matrices": [
                {"type": matrix.matrix_type, "shape": list(matrix.shape)}
                for matrix in layout.matrices
            ],
        },
        "values": value_names(layout),
        "head": list(HEAD_NAMES) if motion.head is not None else None,
        "stream": stream,
    }
    with path.open("w", encoding="ascii") as file:
        file.write(json.dumps(head)[:-1])
        file.write(', "pictures": [')
        _write_lines(file.write, _pictures(motion))
        file.write('], "messages": [')
        slim = ({key: line.get(key) for key in _MESSAGE_KEYS} for line in messages)
        _write_lines(file.write, slim)
        file.write("]}\n")


def _write_lines(write: Any, objects: Iterator[dict[str, Any]]) -> None:
    for number, value in enumerate(objects):
        write((",\n" if number else "\n") + json.dumps(value))


def _pictures(motion: Motion) -> Iterator[dict[str, Any]]:
    head, expression = head_numbers(motion), expression_numbers(motion)
    for picture, kind in enumerate(motion.kinds):
        yield {
            "time": float(picture / motion.rate),
            "kind": kind,
            "against": motion.against[picture],
            "values": _plain(motion.values[picture]),
            "head": None if head is None else _plain(head[picture]),
            "expression": None if expression is None else _plain(expression[picture]),
        }


def _plain(row: FloatArray) -> list[float] | None:
    return None if np.isnan(row).any() else row.tolist()


def write_npz(path: Path, motion: Motion) -> None:
    """Write values as arrays, NaN where nothing is known.

    `time` (seconds), `kind`, `against` [pictures], `values` [pictures, n] with `value_names`, and
    where the model tells them `head` [pictures, 6] with `head_names`, `expression` [pictures, 8].
    """
    arrays: dict[str, Any] = {
        "fps": np.array(float(motion.rate)),
        "time": np.arange(len(motion.kinds)) / float(motion.rate),
        "kind": np.array(motion.kinds),
        "against": np.array(motion.against),
        "values": motion.values,
        "value_names": np.array(value_names(motion.layout)),
    }
    head, expression = head_numbers(motion), expression_numbers(motion)
    if head is not None:
        arrays |= {"head": head, "head_names": np.array(HEAD_NAMES)}
    if expression is not None:
        arrays["expression"] = expression
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)
