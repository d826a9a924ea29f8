"""The fitted linear map, and its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from gfvc.errors import InputError
from gfvc.transcoding import LinearTranslator, load_translator, save_translator
from models import MatrixShape, ParameterLayout
from models.contract import FloatArray

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
        with pytest.raises(InputError, match="not a translator"):
            load_translator(path)
    tensors = {"matrix": np.zeros((4, 5)), "offset": np.zeros(4)}
    for description in ("{", "{}", '{"format": "other"}', "[" * 100_000):
        save_file(tensors, path, metadata={"description": description})
        with pytest.raises(InputError, match="map: not a"):
            load_translator(path)
    save_translator(LinearTranslator(SOURCE, TARGET, np.zeros((4, 5)), np.zeros(4)), path)
    content = path.read_bytes()
    path.write_bytes(content[:-8])
    with pytest.raises(InputError, match="not a translator"):
        load_translator(path)
    path.write_bytes(content.replace(b'\\"width\\": 5', b'\\"width\\": 6'))
    with pytest.raises(InputError, match="a translator of 6 into 4 numbers"):
        load_translator(path)
