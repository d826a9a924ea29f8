"""Cards: what a user and a stream need to know of a model or of another network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.contract import ParameterLayout
from models.files import DATA, file_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCard:
    """What a user needs to know of a network.

    `engine` is the library that runs it, "torch" or "onnx", or "none". `data` is the shipped file
    beneath `models/data`, or the absolute path of imported weights, with its `sha256`; both are
    empty for what has no weights. `graphs` are names and sha256 of ONNX files beside `data`, made
    from it. `limits` says honestly where it fails; `description`, `paper`, `training`, `licence`
    are for people. What has a default has that for the networks of this project.
    """

    name: str
    version: str
    description: str
    engine: str
    training: str
    limits: str
    licence: str = "Apache-2.0"
    paper: str = ""
    data: str = ""
    sha256: str = ""
    graphs: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> Path | None:
        """Where the shipped or imported file is, or None where there is none."""
        return DATA / self.data if self.data else None

    def altered_file(self) -> Path | None:
        """The first of the files that is not what the card says; None where all are sound.

        Raises `CheckpointError` when a file cannot be read.
        """
        path = self.path
        if path is None:
            return None
        files = [(path, self.sha256), *((path.parent / name, sha) for name, sha in self.graphs)]
        return next((file for file, sha256 in files if file_sha256(file) != sha256), None)

    @property
    def has_weights(self) -> bool:
        """False for a network whose weights have to be imported first."""
        return self.engine == "none" or bool(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard(NetworkCard):
    """What a user and the stream need to know of a model.

    `uri` is written into the stream and finds the model again; `tag` is its format tag URI.
    `layout` is that of the parameters that it sends.
    """

    uri: str
    layout: ParameterLayout
    tag: str = "tag:gfvc,2026:model"
