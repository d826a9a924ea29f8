"""The folder of imported weights, and the registry that is made of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models import CheckpointError, UnknownModelError, default_registry
from models.family import imported_families
from models.published.model import NetworkModel
from models.weights.loading import import_checkpoint
from models.weights.store import WeightsCard, WeightsStore, weights_folder
from tests.models.weights.conftest import SaveCheckpoint, tiny_weights

pytestmark = pytest.mark.usefixtures("read_here")


def add(
    store: WeightsStore,
    save: SaveCheckpoint,
    network: str,
    variant: str | None = None,
    name: str | None = None,
) -> WeightsCard:
    source = save(tiny_weights(network))
    return import_checkpoint(
        source, imported_families()[network], store, variant=variant, name=name
    )


def test_the_folder_follows_the_environment() -> None:
    assert weights_folder({"GFVC_MODELS": "/a", "XDG_DATA_HOME": "/b"}) == Path("/a")
    assert weights_folder({"XDG_DATA_HOME": "/b"}) == Path("/b/gfvc/models")
    home = Path.home() / ".local/share/gfvc/models"
    assert weights_folder({}) == home
    assert weights_folder({"XDG_DATA_HOME": "relative"}) == home


def test_a_file_where_the_folder_would_be_is_a_problem(tmp_path: Path) -> None:
    """Told where models are listed; nobody chose it, so that models that ship go on working."""
    path = tmp_path / "weights"
    path.write_bytes(b"")
    registry = default_registry(WeightsStore(path))
    assert registry.problems == [f"{path}: cannot be read (Not a directory)"]
    assert registry.find("mesh").card.has_weights


def test_networks_without_weights_are_listed_and_say_how_to_get_some(store: WeightsStore) -> None:
    registry = default_registry(store)
    cards = [card for card in registry.cards() if not card.has_weights]
    assert [card.name for card in cards] == ["fomm", "cfte", "fv2v", "fv2v-keypoints"]
    with pytest.raises(CheckpointError, match="gfvc models import fv2v FILE"):
        registry.find("fv2v-keypoints").load()


def test_listing_models_does_not_load_torch() -> None:
    program = (
        "import sys, models; models.default_registry(); "
        "sys.exit('torch' in sys.modules or 'safetensors' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_imported_weights_become_models_of_every_layout(
    save: SaveCheckpoint, store: WeightsStore
) -> None:
    card = add(store, save, "fv2v", variant="goluck")
    registry = default_registry(store)
    fingerprint = card.content_sha256[:8]
    for name in ("fv2v", "fv2v-keypoints"):
        registered = registry.find(name)
        assert registered.card.uri == f"gfvc:{name}:1:goluck:{fingerprint}"
        assert registry.find_uri(registered.card.uri) is registered
        model = registered.load()
        assert isinstance(model, NetworkModel)
        assert model.layout == registered.card.layout


def test_weights_of_one_network_under_two_names(save: SaveCheckpoint, store: WeightsStore) -> None:
    add(store, save, "fomm")
    add(store, save, "fomm", variant="official", name="other")
    registry = default_registry(store)
    assert registry.problems == []
    uris = [registry.find(name).card.uri for name in ("fomm", "other")]
    assert [uri.split(":")[3] for uri in uris] == ["jvet_v2", "official"]


def test_a_stream_of_other_weights_says_which_to_import(
    save: SaveCheckpoint, store: WeightsStore
) -> None:
    add(store, save, "fomm")
    uri = "gfvc:fv2v-keypoints:1:jvet_v1:0123abcd"
    with pytest.raises(UnknownModelError) as caught:
        default_registry(store).find_uri(uri)
    text = str(caught.value)
    assert uri in text
    assert "the fv2v weights 0123abcd: gfvc models import fv2v FILE --variant jvet_v1" in text


@pytest.mark.parametrize("uri", ["gfvc:fomm:2:jvet_v2:0123abcd", "gfvc:fomm:1:x", "other"])
def test_other_uris_get_no_advice(uri: str, store: WeightsStore) -> None:
    with pytest.raises(UnknownModelError, match=r"known: gfvc:face:2.*gfvc:mesh:1"):
        default_registry(store).find_uri(uri)


def test_what_a_killed_import_left_goes_with_a_later_one(
    save: SaveCheckpoint, store: WeightsStore
) -> None:
    store.folder.mkdir()
    old, new = store.folder / ".import-old", store.folder / ".import-new"
    for left in (old, new):
        left.mkdir()
        (left / "weights").write_bytes(b"half")
    an_hour_ago = time.time() - 3601
    os.utime(old, (an_hour_ago, an_hour_ago))
    add(store, save, "fomm")
    assert not old.exists()
    assert new.exists()  # another import may be at work in it


def test_pipes_are_not_waited_for(save: SaveCheckpoint, store: WeightsStore) -> None:
    card = add(store, save, "fomm")
    os.mkfifo(store.folder / "pipe.json")
    cards, problems = store.cards()
    assert cards == [card]
    assert problems == [f"{store.folder / 'pipe.json'}: is not a regular file"]
    store.weights_path(card).unlink()
    os.mkfifo(store.weights_path(card))
    with pytest.raises(CheckpointError, match="is not a regular file"):
        default_registry(store).find("fomm").load()


def test_altered_weights_are_not_loaded(save: SaveCheckpoint, store: WeightsStore) -> None:
    card = add(store, save, "cfte")
    path = store.weights_path(card)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="differs from its card; import the weights again"):
        default_registry(store).find("cfte").load()
    path.unlink()
    with pytest.raises(CheckpointError, match="cannot be read"):
        default_registry(store).find("cfte").load()


def test_removing_deletes_what_was_imported_and_nothing_else(
    save: SaveCheckpoint, store: WeightsStore
) -> None:
    card = add(store, save, "cfte")
    foreign = ["notes.txt", "cfte-mine.safetensors", "cfte_two-01234567.safetensors"]
    for name in foreign:
        (store.folder / name).write_text("mine")
    removed = {path.name for path in store.remove("cfte")}
    assert removed == {"cfte.json", card.weights}
    assert sorted(path.name for path in store.folder.iterdir()) == sorted(foreign)
    with pytest.raises(CheckpointError, match="no weights were imported as 'cfte'"):
        store.remove("cfte")
    with pytest.raises(CheckpointError, match="is no name"):
        store.remove("../cfte")


SPOILED: dict[str, Callable[[dict[str, Any]], str]] = {
    "no JSON": lambda values: "{",
    "no object": lambda values: "[1]",
    "deep": lambda values: "[" * 60_000,
    "other format": lambda values: json.dumps({**values, "format": 2}),
    "lacks a field": lambda values: json.dumps({k: v for k, v in values.items() if k != "sha256"}),
    "a number": lambda values: json.dumps({**values, "source": 3}),
    "other folder": lambda values: json.dumps({**values, "weights": "../../x"}),
    "other network": lambda values: json.dumps({**values, "architecture": "mesh"}),
    "no hash": lambda values: json.dumps({**values, "sha256": "0"}),
    "other name": lambda values: json.dumps(
        {**values, "name": "a", "weights": f"a-{values['content_sha256'][:8]}.safetensors"}
    ),
    "huge": lambda values: json.dumps({**values, "source": "x" * 100_000}),
}


@pytest.mark.parametrize("kind", list(SPOILED))
def test_a_spoiled_card_is_reported_and_keeps_nothing_else_from_working(
    kind: str, save: SaveCheckpoint, store: WeightsStore
) -> None:
    add(store, save, "cfte")
    values = json.loads((store.folder / "cfte.json").read_text())
    twin = {
        **values,
        "name": "twin",
        "weights": f"twin-{values['content_sha256'][:8]}.safetensors",
        "variant": "goluck",
    }
    (store.folder / "twin.json").write_text(json.dumps(twin))
    path = store.folder / "cfte.json"
    path.write_text(SPOILED[kind](json.loads(path.read_text())))
    registry = default_registry(store)
    assert len(registry.problems) == 1
    assert registry.problems[0].startswith(f"{path}: ")
    assert "\n" not in registry.problems[0]
    assert registry.find("twin").card.has_weights
    assert not registry.find("cfte").card.has_weights
    store.remove("cfte")
    assert default_registry(store).problems == []


def test_a_copied_card_is_reported(save: SaveCheckpoint, store: WeightsStore) -> None:
    card = add(store, save, "cfte")
    values = json.loads((store.folder / "cfte.json").read_text())
    name = f"twin-{card.content_sha256[:8]}.safetensors"
    (store.folder / "twin.json").write_text(json.dumps({**values, "name": "twin", "weights": name}))
    registry = default_registry(store)
    assert registry.problems == [
        f"twin: a model with the URI {registry.find('cfte').card.uri!r} is registered already"
    ]
