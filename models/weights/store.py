"""The user's folder of imported weights: a JSON card and a safetensors file for each name.

NAME.json                      what was imported, written last: weights without a card do not count
NAME-FINGERPRINT.safetensors   the weights
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from models.errors import CheckpointError
from models.family import FAMILIES
from models.files import check_regular, file_sha256

FOLDER_VARIABLE = "GFVC_MODELS"
"""Environment variable that names the folder of imported weights."""

FINGERPRINT_DIGITS = 8
"""Digits of the hash of the weights that a URI carries."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FORMAT = 1
_MAX_CARD = 1 << 16  # bytes
_HOLDER = ".import-"
_STALE = 3600  # seconds


class NoFolderError(CheckpointError):
    """Nothing says where imported weights are kept."""


def weights_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where imported weights are kept: GFVC_MODELS, else gfvc/models in the XDG data folder.

    Raises `CheckpointError` where GFVC_MODELS is there and is no folder that can be read, and
    `NoFolderError` where nothing says where weights are kept.
    """
    if named := environment.get(FOLDER_VARIABLE):
        folder = Path(named)
        try:
            _entries(folder)
        except OSError as error:
            raise CheckpointError(
                f"{FOLDER_VARIABLE}: {folder}: cannot be read ({error.strerror}); "
                "name a folder for weights, or unset it"
            ) from None
        return folder
    data = Path(environment.get("XDG_DATA_HOME", ""))
    # The XDG rules have relative paths ignored.
    if not data.is_absolute():
        try:
            data = Path.home() / ".local/share"
        except RuntimeError:
            # Neither HOME nor an entry in the user database, as in some containers.
            raise NoFolderError(
                f"no home folder is known to keep weights in; set HOME or {FOLDER_VARIABLE}"
            ) from None
    return data / "gfvc/models"


@dataclass(frozen=True, slots=True)
class WeightsCard:
    """What was imported. Raises `CheckpointError` for values that cannot be.

    `name` the weights go by; `architecture` and `variant` as in `FAMILIES`;
    `content_sha256` of names, shapes and values of the tensors, the same whatever file they came
    in, and `sha256` of the safetensors file `weights` beside the card; `source` and
    `source_sha256` of the file that was imported; `imported` date and time, ISO 8601.
    """

    name: str
    architecture: str
    variant: str
    content_sha256: str
    weights: str
    sha256: str
    source: str
    source_sha256: str
    imported: str

    def __post_init__(self) -> None:
        check_name(self.name)
        known = FAMILIES.get(self.architecture)
        if known is None or self.variant not in known.variants:
            raise CheckpointError(
                f"{self.name}: no known network {self.architecture!r}, variant {self.variant!r}"
            )
        for digest in (self.content_sha256, self.sha256, self.source_sha256):
            if not _SHA256.fullmatch(digest):
                raise CheckpointError(f"{self.name}: {digest!r} is no sha256")
        if self.weights != self.file_name(self.name, self.content_sha256):
            raise CheckpointError(f"{self.name}: {self.weights!r} is not the name of its weights")

    @staticmethod
    def file_name(name: str, content_sha256: str) -> str:
        """Name of the file of weights."""
        return f"{name}-{content_sha256[:FINGERPRINT_DIGITS]}.safetensors"


def check_name(name: str) -> None:
    """Raise `CheckpointError` unless imported weights can go by this name."""
    if not _NAME.fullmatch(name):
        raise CheckpointError(
            f"{name!r} is no name for weights: a lower-case letter, then up to 31 lower-case "
            "letters, digits and underscores"
        )


class WeightsStore:
    """Imported weights in a folder, which is made when something is added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def cards(self) -> tuple[list[WeightsCard], list[str]]:
        """Cards in order of their names, and a line for each card that cannot be used."""
        cards: list[WeightsCard] = []
        problems: list[str] = []
        try:
            paths = _entries(self.folder)
        except OSError as error:
            return [], [f"{self.folder}: cannot be read ({error.strerror})"]
        for path in paths:
            if path.suffix == ".json":
                with _collected(problems):
                    cards.append(_read_card(path))
        return cards, problems

    def weights_path(self, card: WeightsCard) -> Path:
        """The safetensors file of a card."""
        return self.folder / card.weights

    def add(
        self, write: Callable[[Path], None], describe: Callable[[str], WeightsCard]
    ) -> WeightsCard:
        """Add weights, or replace those of the same name, in one step.

        `write` makes the safetensors file; `describe` makes the card, given the file's sha256. On
        an error the folder is as it was; what a killed import left goes with one an hour later.
        Raises `CheckpointError` when it cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._tidy()
            with tempfile.TemporaryDirectory(prefix=_HOLDER, dir=self.folder) as holder:
                weights, card_path = Path(holder, "weights"), Path(holder, "card")
                write(weights)
                card = describe(file_sha256(weights))
                text = json.dumps({"format": _FORMAT, **asdict(card)}, indent=2)
                card_path.write_text(text + "\n", encoding="utf-8")
                before = self._weights_of(card.name)
                final = self.weights_path(card)
                is_new = not final.exists()
                weights.replace(final)
                try:
                    card_path.replace(self._card_path(card.name))
                except OSError:
                    if is_new:
                        final.unlink()
                    raise
            for path in before - {final}:
                path.unlink()
        except OSError as error:
            raise CheckpointError(
                f"{self.folder}: cannot be written ({error.strerror or error})"
            ) from None
        return card

    def holds(self, path: Path, name: str) -> bool:
        """Whether a path, links followed, leads to the weights that go by a name."""
        found = {os.path.realpath(weights) for weights in self._weights_of(name)}
        return os.path.realpath(path) in found

    def remove(self, name: str) -> list[Path]:
        """Remove the card and the weights of a name; what was removed. Other files stay.

        Raises `CheckpointError` when nothing of this name was imported.
        """
        check_name(name)
        card = self._card_path(name)
        if not card.exists():
            raise CheckpointError(f"no weights were imported as {name!r} into {self.folder}")
        removed = [card, *sorted(self._weights_of(name))]
        try:
            for path in removed:
                path.unlink()
        except OSError as error:
            raise CheckpointError(f"{path}: cannot be removed ({error.strerror})") from None
        return removed

    def _tidy(self) -> None:
        """Remove what killed imports left: none takes as long as that."""
        for left in self.folder.glob(f"{_HOLDER}*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > _STALE:
                    shutil.rmtree(left)

    def _card_path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _weights_of(self, name: str) -> set[Path]:
        digits = "[0-9a-f]" * FINGERPRINT_DIGITS
        return set(self.folder.glob(f"{name}-{digits}.safetensors"))


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder, in order of names; nothing where it is not there yet."""
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []


@contextlib.contextmanager
def _collected(problems: list[str]) -> Iterator[None]:
    """One damaged card must not keep the others from being used."""
    try:
        yield
    except CheckpointError as error:
        problems.append(str(error))


def _read_card(path: Path) -> WeightsCard:
    try:
        check_regular(path)
        with path.open("rb") as file:
            content = file.read(_MAX_CARD + 1)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from None
    if len(content) > _MAX_CARD:
        raise CheckpointError(f"{path}: larger than {_MAX_CARD} bytes; no card of ours")
    values: dict[str, Any] = {}
    with contextlib.suppress(ValueError, RecursionError):
        loaded = json.loads(content)
        values = loaded if isinstance(loaded, dict) else {}
    wanted = {field.name for field in fields(WeightsCard)}
    if values.pop("format", None) != _FORMAT or values.keys() != wanted:
        raise CheckpointError(f"{path}: no card of imported weights; import them again")
    if not all(isinstance(value, str) for value in values.values()):
        raise CheckpointError(f"{path}: a value is not a text; import the weights again")
    try:
        card = WeightsCard(**values)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    if path.name != f"{card.name}.json":
        raise CheckpointError(f"{path}: is the card of {card.name!r}")
    return card
