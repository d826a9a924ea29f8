"""Importing: the same weights whatever the file, and one line about every file that is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from models import CheckpointError
from models.family import imported_families
from models.weights.loading import build_network, import_checkpoint
from models.weights.store import WeightsCard, WeightsStore
from tests.models.reading import reading_here
from tests.models.weights.conftest import (
    SaveCheckpoint,
    Weights,
    tiny_weights,
    training_checkpoint,
)

CFTE = imported_families()["cfte"]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*")) if folder.exists() else []


def imported_content(store: WeightsStore, card: WeightsCard) -> Weights:
    return load_file(store.weights_path(card))


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("name", list(imported_families()))
def test_what_is_kept_is_what_was_in_the_file(
    name: str, save: SaveCheckpoint, store: WeightsStore
) -> None:
    weights = tiny_weights(name)
    card = import_checkpoint(save(training_checkpoint(weights)), imported_families()[name], store)
    kept = imported_content(store, card)
    assert kept.keys() == weights.keys()
    assert all(torch.equal(kept[key], weights[key]) for key in weights)
    assert (card.name, card.architecture, card.variant) == (name, name, "jvet_v2")
    assert card.source == "public.pth.tar"
    assert store.cards() == ([card], [])
    assert names_in(store.folder) == [card.weights, f"{name}.json"]


def as_safetensors(weights: Weights, folder: Path) -> Path:
    path = folder / "public.safetensors"
    save_file({**weights, "discriminator.scale": torch.ones(1)}, path)
    return path


FORMS: dict[str, Callable[[Weights, SaveCheckpoint, Path], Path]] = {
    "today": lambda weights, save, _: save(training_checkpoint(weights)),
    "old": lambda weights, save, _: save(training_checkpoint(weights), old=True),
    "parallel": lambda weights, save, _: save(training_checkpoint(weights, "module.")),
    "flat": lambda weights, save, _: save(weights, "public.pth"),
    "safetensors": lambda weights, _, folder: as_safetensors(weights, folder),
}


@pytest.mark.parametrize("form", list(FORMS))
def test_every_form_of_file_gives_the_same_weights(
    form: str, save: SaveCheckpoint, store: WeightsStore, tmp_path: Path
) -> None:
    weights = tiny_weights("cfte")
    with reading_here():
        reference = import_checkpoint(save(training_checkpoint(weights)), CFTE, store)
    source = FORMS[form](weights, save, tmp_path)
    again = import_checkpoint(source, CFTE, WeightsStore(tmp_path / "other"))
    assert again.content_sha256 == reference.content_sha256
    assert again.weights == reference.weights


@pytest.mark.usefixtures("read_here")
def test_half_precision_is_converted(save: SaveCheckpoint, store: WeightsStore) -> None:
    halves = {
        key: t.half() if t.is_floating_point() else t for key, t in tiny_weights("cfte").items()
    }
    card = import_checkpoint(save(training_checkpoint(halves)), CFTE, store)
    kept = imported_content(store, card)
    assert all(torch.equal(kept[key], halves[key].to(kept[key].dtype)) for key in halves)
    assert {tensor.dtype for tensor in kept.values()} == {torch.float32, torch.int64}


@pytest.mark.usefixtures("read_here")
def test_weights_depend_on_every_value(save: SaveCheckpoint, tmp_path: Path) -> None:
    weights = tiny_weights("cfte")
    first = import_checkpoint(save(weights), CFTE, WeightsStore(tmp_path / "a"))
    weights["generator.final.bias"][1] += 1e-6
    second = import_checkpoint(save(weights), CFTE, WeightsStore(tmp_path / "b"))
    assert first.content_sha256 != second.content_sha256


@pytest.mark.usefixtures("read_here")
def test_a_keypoint_detector_that_reduces_the_picture_is_told_by_its_tensor(
    save: SaveCheckpoint, store: WeightsStore
) -> None:
    key = "kp_detector.down.weight"
    weights = tiny_weights("fv2v", names=(key,))
    assert key in weights
    card = import_checkpoint(save(training_checkpoint(weights)), imported_families()["fv2v"], store)
    assert key in imported_content(store, card)


@pytest.mark.parametrize("name", list(imported_families()))
def test_full_networks_know_every_variant_and_fit_their_layouts(name: str) -> None:
    architecture = imported_families()[name]
    for variant in architecture.variants:
        network = build_network(architecture, variant, [])
        assert dict(network.named_children()).keys() == set(architecture.entries)
        conventions: Any = network.get_submodule("generator").conventions
        package = import_module(f"models.published.{name}.configuration")
        table = getattr(package, f"{name.upper()}_CONVENTIONS")
        assert conventions == table[variant]
        assert table.keys() == set(architecture.variants)


class _RunsCode:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("exit 1",)


def _without(weights: Weights, key: str) -> Weights:
    return {name: tensor for name, tensor in weights.items() if name != key}


def _reshaped(weights: Weights) -> Weights:
    return {**weights, "generator.final.bias": torch.zeros(4)}


def _not_finite(weights: Weights) -> Weights:
    return {**weights, "generator.final.bias": torch.tensor([0.0, float("nan"), 0.0])}


BAD: dict[str, tuple[Callable[[Weights], object], str]] = {
    "code": (lambda w: {**w, "epoch": _RunsCode()}, "loading it would run posix.system"),
    "object": (lambda w: {**w, "generator": torch.nn.Linear(1, 1)}, "run torch.nn.modules.linear"),
    "no dictionary": (lambda w: [1, 2], "holds a list"),
    "no entry": (
        lambda w: {k: v for k, v in training_checkpoint(w).items() if k != "generator"},
        "has no entry generator with tensors (it has: epoch, discriminator, optimizer_generator, ",
    ),
    "missing": (
        lambda w: _without(w, "generator.final.bias"),
        "1 missing: generator.final.bias",
    ),
    "left over": (lambda w: {**w, "generator.x": torch.ones(1)}, "1 left over: generator.x"),
    "shape": (_reshaped, "1 of another shape: generator.final.bias [4] instead of [3]"),
    "kind": (
        lambda w: {**w, "generator.final.bias": torch.zeros(3, dtype=torch.int64)},
        "1 of another kind: generator.final.bias torch.int64 instead of torch.float32",
    ),
    "not finite": (_not_finite, "1 not finite: generator.final.bias"),
    "no tensor": (lambda w: {**w, "generator.final.bias": [0, 0, 0]}, "final.bias is a list"),
    "no entries": (
        lambda w: {"generator": torch.eye(2).to_sparse()},
        "generator is a tensor without plain numbers, not a dictionary of parameters",
    ),
    "an entry that is a tensor": (
        lambda w: {**w, "generator": torch.ones(1)},
        "1 left over: generator",
    ),
    "twice": (
        lambda w: {**w, "module.generator.final.bias": torch.zeros(3)},
        "holds generator.final.bias twice",
    ),
}


def assert_refused(source: Path, store: WeightsStore, says: str, **options: Any) -> None:
    before = names_in(store.folder)
    with pytest.raises(CheckpointError) as caught:
        import_checkpoint(source, CFTE, store, **options)
    text = str(caught.value)
    assert says in text
    assert "\n" not in text
    assert len(text) < 800
    assert names_in(store.folder) == before


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("kind", list(BAD))
def test_bad_contents_are_named(
    kind: str, old: bool, save: SaveCheckpoint, store: WeightsStore
) -> None:
    spoil, says = BAD[kind]
    assert_refused(save(spoil(tiny_weights("cfte")), old=old), store, says)


@pytest.mark.parametrize("old", [False, True])
def test_the_process_that_reads_says_what_is_wrong(
    old: bool, save: SaveCheckpoint, store: WeightsStore
) -> None:
    spoil, says = BAD["code"]
    assert_refused(save(spoil(tiny_weights("cfte")), old=old), store, says)


@pytest.mark.usefixtures("read_here")
def test_many_differences_are_not_all_listed(save: SaveCheckpoint, store: WeightsStore) -> None:
    fomm = training_checkpoint(tiny_weights("fomm"))
    assert_refused(save(fomm), store, "public.pth.tar: not weights of cfte: ")


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.99])
def test_cut_off_files_are_refused(
    share: float, old: bool, save: SaveCheckpoint, store: WeightsStore
) -> None:
    source = save(training_checkpoint(tiny_weights("cfte")), old=old)
    content = source.read_bytes()
    source.write_bytes(content[: int(share * len(content))])
    assert_refused(source, store, "cut off or not a checkpoint" if share else "is empty")


def test_cut_off_safetensors_are_refused(store: WeightsStore, tmp_path: Path) -> None:
    source = as_safetensors(tiny_weights("cfte"), tmp_path)
    source.write_bytes(source.read_bytes()[:-100])
    assert_refused(source, store, "not a complete safetensors file")


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("content", [b"GIF89a" * 50, bytes(range(256)) * 9, b"\x80\x02]q\x00."])
def test_other_files_are_refused(content: bytes, store: WeightsStore, tmp_path: Path) -> None:
    source = tmp_path / "picture.gif"
    source.write_bytes(content)
    assert_refused(source, store, "picture.gif: ")


def test_absent_files_and_folders_are_refused(store: WeightsStore, tmp_path: Path) -> None:
    assert_refused(tmp_path / "absent", store, "absent: cannot be read (No such file")
    assert_refused(tmp_path, store, "is a folder")


@pytest.mark.usefixtures("read_here")
def test_names_and_variants_are_checked(save: SaveCheckpoint, store: WeightsStore) -> None:
    source = save(tiny_weights("cfte"))
    assert_refused(source, store, "no variant 'official' (there are: jvet_v2, ", variant="official")
    assert_refused(source, store, "'../x' is no name", name="../x")
    assert_refused(source, store, "'fomm' is the name of another", name="fomm")
    assert_refused(source, store, "'mesh' is the name of another", name="mesh")
    import_checkpoint(source, CFTE, store)
    assert_refused(source, store, "imported as 'cfte' already; use --force")
    assert_refused(source, store, "the same weights are there as 'cfte'", name="cfte_again")


@pytest.mark.usefixtures("read_here")
def test_replacing_leaves_nothing_of_the_old_weights(
    save: SaveCheckpoint, store: WeightsStore
) -> None:
    weights = tiny_weights("cfte")
    first = import_checkpoint(save(weights), CFTE, store)
    weights["generator.final.bias"] += 1
    second = import_checkpoint(save(weights), CFTE, store, variant="goluck", force=True)
    assert names_in(store.folder) == [second.weights, "cfte.json"]
    assert first.weights != second.weights
    assert store.cards() == ([second], [])


@pytest.mark.usefixtures("read_here")
def test_a_folder_that_cannot_be_written_is_named(save: SaveCheckpoint, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_refused(
        save(tiny_weights("cfte")),
        WeightsStore(tmp_path / "file" / "weights"),
        "cannot be written (Not a directory)",
    )


@pytest.mark.usefixtures("read_here")
def test_an_import_that_fails_late_leaves_the_folder_as_it_was(
    save: SaveCheckpoint, store: WeightsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tiny_weights("cfte")
    import_checkpoint(save(weights), CFTE, store)
    weights["generator.final.bias"] += 1
    source = save(weights)
    replace = Path.replace

    def full_disk(self: Path, target: Path) -> Path:
        if target.suffix == ".json":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full_disk)
    assert_refused(source, store, "cannot be written (No space left", force=True)


@pytest.mark.usefixtures("read_here")
@pytest.mark.parametrize("by_link", [False, True])
def test_weights_do_not_replace_themselves(
    save: SaveCheckpoint, store: WeightsStore, tmp_path: Path, by_link: bool
) -> None:
    card = import_checkpoint(save(training_checkpoint(tiny_weights("cfte"))), CFTE, store)
    kept = store.weights_path(card)
    content = kept.read_bytes()
    source = kept
    if by_link:
        source = tmp_path / "link.safetensors"
        source.symlink_to(kept)
    assert_refused(source, store, "the file that would be replaced", force=True, variant="goluck")
    assert kept.read_bytes() == content
