"""Models by name and URI, their cards, and the files that the cards describe."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from safetensors.numpy import load_file, save_file

from models import (
    AnimationModel,
    CheckpointError,
    MatrixShape,
    ModelCard,
    ModelError,
    ParameterLayout,
    RegisteredModel,
    Registry,
    UnknownModelError,
    default_registry,
    files,
)
from models.face.card import CARD as FACE_CARD
from models.files import file_sha256, read_tensors
from models.landmarks.face_space import FaceSpace, load_face_space
from models.mesh.card import CARD as MESH_CARD
from models.mesh.model import MeshModel
from models.runtime import Runtime
from models.weights.store import WeightsStore

Tensors = dict[str, npt.NDArray[np.float32]]


def no_model(_: Runtime) -> AnimationModel:
    raise AssertionError("nothing here loads a model")


def registered(name: str, uri: str) -> RegisteredModel:
    return RegisteredModel(replace(MESH_CARD, name=name, uri=uri), no_model)


def shipped() -> Path:
    assert MESH_CARD.path is not None
    return MESH_CARD.path


def test_models_are_found_by_name_and_uri() -> None:
    registry = Registry()
    models = [registered("one", "made:1"), registered("two", "made:2")]
    for model in models:
        registry.register(model)
    assert registry.find("two") is models[1]
    assert registry.find_uri("made:1") is models[0]
    assert [found.name for found in registry.cards()] == ["one", "two"]


def test_neither_name_nor_uri_may_stand_for_two_models() -> None:
    registry = Registry()
    registry.register(registered("one", "made:1"))
    with pytest.raises(ValueError, match="'one' is registered already"):
        registry.register(registered("one", "made:2"))
    with pytest.raises(ValueError, match="'made:1' is registered already"):
        registry.register(registered("two", "made:1"))
    assert len(registry.cards()) == 1


def test_unknown_models_name_the_known_ones() -> None:
    registry = Registry()
    with pytest.raises(UnknownModelError, match=r"'one' \(there are: none\)"):
        registry.find("one")
    with pytest.raises(UnknownModelError, match=r"'made:1' \(known: none\)"):
        registry.find_uri("made:1")
    registry.register(registered("one", "made:1"))
    with pytest.raises(UnknownModelError, match=r"'ONE' \(there are: one\)"):
        registry.find("ONE")
    with pytest.raises(UnknownModelError, match=r"'made:1 ' \(known: made:1\)"):
        registry.find_uri("made:1 ")


def test_features_that_a_model_does_not_take() -> None:
    registry = Registry()
    for number, name in enumerate(("plain", "able", "able+1", "able+2")):
        registry.register(registered(name, f"made:{number}"))
    says = {
        "plain+2": "plain takes no --features 2: leave it out, or take able as --model",
        "able+3": "able takes no --features 3: leave it out",
        "none+2": "no model is named 'none' (there are: plain, able, able+1, able+2)",
        "+2": "no model is named '+2' (there are: plain, able, able+1, able+2)",
    }
    for name, line in says.items():
        with pytest.raises(UnknownModelError, match=f"^{re.escape(line)}$"):
            registry.find(name)


def test_the_cards_of_the_package_are_complete(tmp_path: Path) -> None:
    cards = default_registry(WeightsStore(tmp_path)).cards()
    assert cards[0] is FACE_CARD
    assert MESH_CARD in cards
    assert len({found.name for found in cards}) == len({found.uri for found in cards}) == len(cards)
    for found in cards:
        assert found.engine in ("none", "torch", "onnx")
        for text in (found.version, found.description, found.tag, found.licence, found.limits):
            assert text, f"{found.name} has an empty field"
        # Both are strings of the bitstream, ended by a zero byte.
        assert "\0" not in found.tag + found.uri
        assert bool(found.data) == bool(found.sha256)


def test_a_folder_of_weights_that_cannot_be_read_is_a_problem_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> list[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    registry = default_registry(WeightsStore(tmp_path))
    assert registry.problems == [f"{tmp_path}: cannot be read (Permission denied)"]
    assert registry.find("mesh").card is MESH_CARD


def test_the_shipped_file_is_the_one_of_its_card() -> None:
    assert file_sha256(shipped()) == MESH_CARD.sha256
    assert read_tensors(shipped(), MESH_CARD.sha256).keys() == {
        "mean",
        "basis",
        "weights",
        "spread",
    }


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mesh.safetensors"
    for read in (lambda: read_tensors(path, ""), lambda: file_sha256(path)):
        with pytest.raises(CheckpointError, match=r"mesh\.safetensors: cannot be read \(No such"):
            read()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
    ],
)
def test_an_altered_file_is_not_loaded(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "mesh.safetensors"
    path.write_bytes(damage(shipped().read_bytes()))
    with pytest.raises(
        CheckpointError, match=r"mesh\.safetensors: sha256 is .* install gfvc again"
    ):
        load_face_space(path, MESH_CARD.sha256)


def test_a_file_of_another_kind_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "mesh.safetensors"
    path.write_bytes(b"PK\3\4" * 100)
    with pytest.raises(CheckpointError, match="not a safetensors file"):
        read_tensors(path, file_sha256(path))


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_TENSOR_FILE", 10)
    path = tmp_path / "mesh.safetensors"
    path.write_bytes(bytes(11))
    with pytest.raises(CheckpointError, match="larger than 10 bytes"):
        read_tensors(path, hashlib.sha256(bytes(11)).hexdigest())


def without(name: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {key: value for key, value in tensors.items() if key != name}


def changed(name: str, change: Callable[[Tensors], object]) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {**tensors, name: np.asarray(change(tensors), np.float32)}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without("basis"), "no tensor basis"),
        (changed("mean", lambda t: t["mean"][:468]), r"mean has shape \(468, 3\), expected"),
        (changed("basis", lambda t: t["basis"][1:]), "basis has shape"),
        (changed("weights", lambda t: t["weights"][:, None]), "weights has shape"),
        (changed("mean", lambda t: t["mean"] * np.inf), "mean holds values that are not finite"),
        (changed("spread", lambda t: t["spread"] * np.nan), "spread holds values"),
    ],
)
def test_a_face_space_of_another_shape_is_refused(
    tmp_path: Path, change: Callable[[Tensors], Tensors], says: str
) -> None:
    path = tmp_path / "mesh.safetensors"
    with np.errstate(invalid="ignore"):
        save_file(change(load_file(shipped())), path)
    with pytest.raises(CheckpointError, match=says):
        load_face_space(path, file_sha256(path))


def test_a_face_space_with_too_few_expressions_is_refused() -> None:
    space = load_face_space(shipped(), MESH_CARD.sha256)
    small = FaceSpace(space.mean, space.basis[:7], space.weights, space.spread[:7])
    with pytest.raises(ModelError, match="fewer than 8 expressions"):
        MeshModel(small)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: MatrixShape(64, 1, 1, 1),
        lambda: MatrixShape(-1, 1, 1, 1),
        lambda: MatrixShape(7, 0, 1, 1),
        lambda: MatrixShape(7, 1, 1025, 1),
        ParameterLayout,
        lambda: ParameterLayout(keypoints=-1),
        lambda: ParameterLayout(keypoints=2, dimensions=4),
        lambda: ParameterLayout(keypoints=2, coordinate_precision=0),
        lambda: ParameterLayout(keypoints=2, matrix_precision=33),
    ],
)
def test_layouts_that_no_message_can_carry_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"outside|must be|needs"):
        wrong()


def test_a_card_knows_what_is_missing() -> None:
    bare: ModelCard = replace(MESH_CARD, data="", sha256="")
    assert bare.path is None
    assert bare.has_weights
    assert not replace(bare, engine="torch").has_weights
