"""The fitted linear map, and its file."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from gfvc.errors import InputError, StreamError
from gfvc.parameter_rows import from_numbers
from gfvc.transcoding import LinearTranslator, load_translator, save_translator
from models import MatrixShape, ParameterLayout
from models.contract import FloatArray
from models.files import MAX_HEADER

SOURCE = ParameterLayout(matrices=(MatrixShape(7, 1, 1, 5),))
TARGET = ParameterLayout(keypoints=2, dimensions=2, coordinate_precision=9)


def pairs(pictures: int, noise: float = 0.0) -> tuple[FloatArray, FloatArray, FloatArray]:
    draw = np.random.default_rng(5)
    matrix, offset = draw.normal(size=(4, 5)), draw.normal(size=4)
    numbers = draw.normal(size=(pictures, 5))
    targets = numbers @ matrix.T + offset + noise * draw.normal(size=(pictures, 4))
    return numbers, targets, matrix


def test_an_exact_relation_is_found() -> None:
    numbers, targets, matrix = pairs(20)
    translator = LinearTranslator.fit(SOURCE, TARGET, numbers, targets)
    assert np.allclose(translator.matrix, matrix)
    fresh = np.array([1.0, -2, 3, -4, 5])
    expected = matrix @ fresh + (targets[0] - matrix @ numbers[0])
    assert np.allclose(translator.translate(fresh), expected)


def test_no_other_linear_map_is_nearer() -> None:
    numbers, targets, _ = pairs(30, noise=0.5)
    translator = LinearTranslator.fit(SOURCE, TARGET, numbers, targets)

    def error(matrix: FloatArray, offset: FloatArray) -> float:
        return float(((numbers @ matrix.T + offset - targets) ** 2).sum())

    least = error(translator.matrix, translator.offset)
    draw = np.random.default_rng(6)
    for _ in range(20):
        matrix = translator.matrix + 0.01 * draw.normal(size=(4, 5))
        offset = translator.offset + 0.01 * draw.normal(size=4)
        assert error(matrix, offset) > least


def test_few_pictures_give_a_map_that_fits_them() -> None:
    numbers, targets, _ = pairs(3)
    translator = LinearTranslator.fit(SOURCE, TARGET, numbers, targets)
    for source, target in zip(numbers, targets, strict=True):
        assert np.allclose(translator.translate(source), target)


def test_arrays_that_do_not_go_together_are_refused() -> None:
    numbers, targets, _ = pairs(6)
    for wrong in ((numbers[:5], targets), (numbers, targets[:, :3]), (numbers[:0], targets[:0])):
        with pytest.raises(InputError, match="paired parameters are"):
            LinearTranslator.fit(SOURCE, TARGET, *wrong)
    with pytest.raises(InputError, match="must be finite"):
        LinearTranslator(SOURCE, TARGET, np.full((4, 5), np.nan), np.zeros(4))


def test_a_translator_survives_its_file(tmp_path: Path) -> None:
    numbers, targets, _ = pairs(20)
    translator = LinearTranslator.fit(SOURCE, TARGET, numbers, targets, "gfvc:other:1")
    save_translator(translator, tmp_path / "map")
    loaded = load_translator(tmp_path / "map")
    assert (loaded.source, loaded.target) == (SOURCE, TARGET)
    assert loaded.target_uri == "gfvc:other:1"
    assert np.array_equal(loaded.matrix, translator.matrix)
    assert np.array_equal(loaded.offset, translator.offset)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "map"
    with pytest.raises(InputError, match="map: "):
        load_translator(path)
    for content in (b"", b"text" * 10):
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a safetensors file"):
            load_translator(path)
    tensors = {"matrix": np.zeros((4, 5)), "offset": np.zeros(4)}
    for description in ("{", "{}", '{"format": "other"}', "[" * 100_000):
        save_file(tensors, path, metadata={"description": description})
        with pytest.raises(InputError, match="map: not a"):
            load_translator(path)
    save_file({"matrix": np.zeros((4, 5))}, path)
    with pytest.raises(InputError, match=r"not a translator \(it has no description\)"):
        load_translator(path)
    save_translator(LinearTranslator(SOURCE, TARGET, np.zeros((4, 5)), np.zeros(4)), path)
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    with pytest.raises(InputError, match="not a translator"):
        load_translator(path)
    path.write_bytes(content.replace(b'\\"width\\": 5', b'\\"width\\": 6'))
    with pytest.raises(InputError, match="a translator of 6 into 4 numbers"):
        load_translator(path)


def described(path: Path, old: bytes, new: bytes) -> Path:
    """A translator whose description has other numbers; they keep the length of the header."""
    save_translator(LinearTranslator(SOURCE, TARGET, np.zeros((4, 5)), np.zeros(4)), path)
    content = path.read_bytes()
    start = content.index(old)
    end = start + len(old)
    # Blanks of the JSON text are given up, or added behind the header's own.
    size = int.from_bytes(content[:8], "little")
    header = content[8:start] + new + content[end : 8 + size]
    header = header.rstrip(b" ")
    header += b" " * (-len(header) % 8)
    path.write_bytes(len(header).to_bytes(8, "little") + header + content[8 + size :])
    return path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (rb"\"width\": 5", rb"\"width\": 5.0"),
        (rb"\"width\": 5", rb"\"width\": true"),
        (rb"\"width\": 5", rb"\"width\": 1e400"),
        (rb"\"width\": 5", rb"\"width\": NaN"),
        (rb"\"dimensions\": 2", rb"\"dimensions\": 2.0"),
        (rb"\"keypoints\": 2", rb"\"keypoints\": 2.0"),
        (rb"\"keypoints\": 2", rb"\"keypoints\": 99999999999999999999"),
        (rb"\"coordinate_precision\": 9", rb"\"coordinate_precision\": 9.5"),
        (rb"\"keypoints\": 2", rb"\"keypoints\": \"2\""),
        (rb"\"keypoints\": 2", rb"\"keypoints\": [2]"),
    ],
)
def test_only_integers_describe_a_layout(old: bytes, new: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not a translator.*(not an integer within|NaN is no)"):
        load_translator(described(tmp_path / "map", old, new))


@pytest.mark.parametrize("dtype", [np.int32, np.bool_, np.complex64])
def test_numbers_of_another_kind_are_refused(dtype: type, tmp_path: Path) -> None:
    good = tmp_path / "map"
    save_translator(LinearTranslator(SOURCE, TARGET, np.zeros((4, 5)), np.zeros(4)), good)
    with safe_open(good, framework="numpy") as file:
        metadata = file.metadata()
    save_file({"matrix": np.zeros((4, 5), dtype), "offset": np.zeros(4)}, good, metadata)
    with pytest.raises(InputError, match="not a translator"):
        load_translator(good)


def test_numbers_that_overflow_are_refused_without_a_warning() -> None:
    translator = LinearTranslator(SOURCE, TARGET, np.full((4, 5), 1e308), np.zeros(4))
    for numbers in (np.full(5, 9.0), np.array([9.0, -9, 9, -9, 9])):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            translated = translator.translate(numbers)
            with pytest.raises(StreamError, match="too large"):
                from_numbers(translated, TARGET)


def test_a_header_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "map"
    header = b"{" + b" " * MAX_HEADER + b"}"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(InputError, match=f"its header has {len(header)} bytes, at most"):
        load_translator(path)
