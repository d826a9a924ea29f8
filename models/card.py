"""Model cards: what a user and a stream need to know of a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.contract import ParameterLayout
from models.files import DATA, file_sha256


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a user and the stream need to know of a model.

    `uri` is written into the stream and finds the model again; `tag` is its format tag URI.
    `engine` is the library that runs the network, "torch" or "onnx", or "none". `data` is the
    shipped file beneath `models/data`, or the absolute path of imported weights, with its `sha256`;
    both are empty for a network without weights. `graphs` are names and sha256 of ONNX files beside
    `data`, made from it. `limits` says honestly where it fails; `description`, `paper`, `training`,
    `licence` are for people. What has a default has that for the models of this project.
    """

    name: str
    version: str
    description: str
    uri: str
    layout: ParameterLayout
    engine: str
    training: str
    limits: str
    tag: str = "tag:gfvc,2026:model"
    licence: str = "Apache-2.0"
    paper: str = ""
    data: str = ""
    sha256: str = ""
    graphs: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> Path | None:
        """Where the shipped or imported file is, or None for a model without one."""
        return DATA / self.data if self.data else None

    def altered_file(self) -> Path | None:
        """The first of the model's files that is not what the card says; None for a sound model.

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
