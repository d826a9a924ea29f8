"""Layouts to ask for by name, and what makes parameters of one layout from those of another."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gfvc.errors import InputError
from gfvc.json_checking import parse_json
from gfvc.parameter_rows import same_shape
from models import CheckpointError, MatrixShape, ParameterLayout, Registry
from models.contract import FloatArray
from models.files import check_tensor_file
from sei.coder import MAX_ITEMS

LAYOUTS = ("same", "compact", "keypoints", "keypoints3d")
"""Layouts by name; besides these, the name of a model stands for its layout."""

_COMPACT_FEATURE = 7
_MAX_WIDTH = 1024


def target_layout(name: str, source: ParameterLayout, registry: Registry) -> ParameterLayout:
    """The layout of a name for as many numbers as `source` has.

    Raises `InputError` when they cannot be put there, `UnknownModelError` for an unknown name.
    """
    if name == "same":
        return source
    numbers = source.size
    if name == "compact":
        if numbers > _MAX_WIDTH:
            raise InputError(f"{numbers} numbers a picture are more than a compact feature holds")
        return ParameterLayout(matrices=(MatrixShape(_COMPACT_FEATURE, 1, 1, numbers),))
    if name in ("keypoints", "keypoints3d"):
        dimensions = 3 if name == "keypoints3d" else 2
        if numbers % dimensions:
            raise InputError(
                f"{numbers} numbers a picture do not make {dimensions}-D keypoints: not a multiple "
                f"of {dimensions}"
            )
        return ParameterLayout(keypoints=numbers // dimensions, dimensions=dimensions)
    return registry.find(name).card.layout


_FORMAT = "gfvc linear translator 1"
_MAX_FILE = 1 << 26  # bytes


class Translator(ABC):
    """Makes the numbers of `target` from those of `source`.

    `target_uri` is that of the model which draws them, None when it is still the source's.
    """

    def __init__(
        self, source: ParameterLayout, target: ParameterLayout, target_uri: str | None = None
    ) -> None:
        self.source = source
        self.target = target
        self.target_uri = target_uri

    @abstractmethod
    def translate(self, numbers: FloatArray) -> FloatArray:
        """Numbers [m] of the target for numbers [n] of the source, before they are rounded."""


class IdentityTranslator(Translator):
    """The same numbers in other containers. Raises `InputError` when there are not as many."""

    def __init__(self, source: ParameterLayout, target: ParameterLayout) -> None:
        super().__init__(source, target)
        if source.size != target.size:
            raise InputError(
                f"the stream carries {source.size} numbers a picture and the layout asked for "
                f"holds {target.size}: they are not the same parameters; a translator that was "
                "fitted for the two is needed (--translator)"
            )

    def translate(self, numbers: FloatArray) -> FloatArray:
        """The numbers as they are."""
        return numbers


class LinearTranslator(Translator):
    """matrix [m, n] · numbers + offset [m], as fitted to pictures described in both ways."""

    def __init__(
        self,
        source: ParameterLayout,
        target: ParameterLayout,
        matrix: FloatArray,
        offset: FloatArray,
        target_uri: str | None = None,
    ) -> None:
        super().__init__(source, target, target_uri)
        wanted = (target.size, source.size)
        if matrix.shape != wanted or offset.shape != wanted[:1]:
            raise InputError(
                f"a translator of {wanted[1]} into {wanted[0]} numbers has a matrix {wanted} and "
                f"an offset {wanted[:1]}, not {matrix.shape} and {offset.shape}"
            )
        if not (np.isfinite(matrix).all() and np.isfinite(offset).all()):
            raise InputError("a translator must be finite")
        self.matrix = matrix
        self.offset = offset

    @classmethod
    def fit(
        cls,
        source: ParameterLayout,
        target: ParameterLayout,
        source_numbers: FloatArray,
        target_numbers: FloatArray,
        target_uri: str | None = None,
    ) -> LinearTranslator:
        """Least squares over pictures: numbers [pictures, n] and [pictures, m] of the same ones.

        Where the pictures do not determine the matrix, the smallest one is taken. Raises
        `InputError` when the arrays do not go together.
        """
        expected = ((len(source_numbers), source.size), (len(source_numbers), target.size))
        if (source_numbers.shape, target_numbers.shape) != expected or not len(source_numbers):
            raise InputError(
                f"paired parameters are {expected[0]} and {expected[1]}, not "
                f"{source_numbers.shape} and {target_numbers.shape}"
            )
        # Without their means, so that the offset is not held small with the matrix.
        source_mean, target_mean = source_numbers.mean(axis=0), target_numbers.mean(axis=0)
        solution, *_ = np.linalg.lstsq(
            source_numbers - source_mean, target_numbers - target_mean, rcond=None
        )
        matrix: FloatArray = np.ascontiguousarray(solution.T)
        return cls(source, target, matrix, target_mean - matrix @ source_mean, target_uri)

    def translate(self, numbers: FloatArray) -> FloatArray:
        """The linear map."""
        # What overflows is refused where the numbers are rounded.
        with np.errstate(over="ignore", invalid="ignore"):
            translated: FloatArray = self.matrix @ numbers + self.offset
        return translated


def save_translator(translator: LinearTranslator, path: Path) -> None:
    """Write a safetensors file that `load_translator` reads."""
    from safetensors.numpy import save_file

    description = {
        "format": _FORMAT,
        "source": asdict(translator.source),
        "target": asdict(translator.target),
        "target_uri": translator.target_uri,
    }
    tensors = {"matrix": translator.matrix, "offset": translator.offset}
    save_file(tensors, path, metadata={"description": json.dumps(description)})


def load_translator(path: Path) -> LinearTranslator:
    """Read a translator; raise `InputError` when the file is not one."""
    from safetensors import SafetensorError, safe_open

    try:
        check_tensor_file(path, _MAX_FILE)
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("description")
            if text is None:
                raise InputError(f"{path}: not a translator (it has no description)")
            description: Any = parse_json(text.encode(), f"{path}: not a translator")
            if description["format"] != _FORMAT:
                raise InputError(f"{path}: not a {_FORMAT}")
            tensors = {name: _numbers(file.get_tensor(name)) for name in ("matrix", "offset")}
        source, target = _layout(description["source"]), _layout(description["target"])
        uri = description["target_uri"]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except CheckpointError as error:
        raise InputError(str(error)) from None
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a translator ({error})") from None
    if uri is not None and not isinstance(uri, str):
        raise InputError(f"{path}: not a translator (its URI is no text)")
    try:
        return LinearTranslator(source, target, tensors["matrix"], tensors["offset"], uri)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _numbers(tensor: Any) -> FloatArray:
    array = np.asarray(tensor)
    if array.dtype.kind != "f":
        raise ValueError(f"its numbers are {array.dtype}")
    return array.astype(np.float64)


def _layout(description: dict[str, Any]) -> ParameterLayout:
    """The layout that a file describes; any number in it may be of any kind and size."""
    shapes = [dict(matrix) for matrix in description["matrices"]]
    scalars = {name: value for name, value in description.items() if name != "matrices"}
    for name, value in [item for part in (scalars, *shapes) for item in part.items()]:
        if type(value) is not int or not 0 <= value <= MAX_ITEMS:
            raise ValueError(f"{name} is {value!r:.40}, not an integer within 0..{MAX_ITEMS}")
    return ParameterLayout(**scalars, matrices=tuple(MatrixShape(**shape) for shape in shapes))


def require_source(translator: Translator, layout: ParameterLayout) -> None:
    """Raise `InputError` unless a translator is for streams of this layout."""
    if not same_shape(translator.source, layout):
        raise InputError(
            f"the translator is for {_described(translator.source)}, and the stream carries "
            f"{_described(layout)}"
        )


def _described(layout: ParameterLayout) -> str:
    parts = [f"{layout.keypoints} {layout.dimensions}-D keypoints"] if layout.keypoints else []
    parts += [f"type {m.matrix_type} {m.count}x{m.height}x{m.width}" for m in layout.matrices]
    return ", ".join(parts)
