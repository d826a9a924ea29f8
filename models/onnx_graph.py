"""Running ONNX graphs with onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import CheckpointError, ModelError, first_line
from models.files import read_checked
from models.forking import begin_threads
from models.importing import load
from models.runtime import onnx_providers

Array = npt.NDArray[Any]

_FATAL = 4  # onnxruntime's highest level of its own log: errors reach us as exceptions


_PLAIN_ERRORS = (RuntimeError, TypeError, ValueError)


@lru_cache(maxsize=1)
def _library_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises.

    Its own have no common base but `Exception`. All such would be too much, for a signal's handler
    may raise whatever its owner likes while a graph runs.
    """
    from onnxruntime.capi import onnxruntime_pybind11_state

    kinds = [kind for kind in vars(onnxruntime_pybind11_state).values() if isinstance(kind, type)]
    return (*(kind for kind in kinds if issubclass(kind, Exception)), *_PLAIN_ERRORS)


class OnnxGraph:
    """One graph of fixed shapes, loaded and ready to run.

    Attributes:
        name: of the file, for messages.
        inputs: shape of each input, in the order of the graph.
        outputs: names of the outputs.
        metadata: what the exporter wrote into the file.
    """

    def __init__(
        self, path: Path, sha256: str | None = None, *, threads: int = 0, device: str = "auto"
    ) -> None:
        """Load a file.

        Args:
            path: an ONNX file with its weights in it.
            sha256: of the file, checked before anything else looks at it; None for a file that
                was made here and now.
            threads: of one run; 0 for as many as there are cores.
            device: as `onnx_providers` wants it.

        Raises:
            CheckpointError: the file is missing, altered or no graph that can be run.
            ModelError: the device is not there.
        """
        begin_threads()
        # Looked at while the library is loaded: without it, it writes an identifier and a data base
        # into the home folder, and to stderr where there is no such folder.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        load("onnxruntime")
        import onnxruntime

        onnxruntime.disable_telemetry_events()

        content = read_checked(path, sha256)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = _FATAL
        providers = onnx_providers(onnxruntime.get_available_providers(), device)
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=providers)
        except _library_errors() as error:
            reason = first_line(error)
            raise CheckpointError(f"{path}: not a graph that can be run ({reason})") from error
        self.name = path.name
        self.inputs: dict[str, tuple[int, ...]] = {
            value.name: tuple(value.shape) for value in self._session.get_inputs()
        }
        self.outputs = [value.name for value in self._session.get_outputs()]
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    def run(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Run the graph.

        Args:
            arrays: of each input's shape and type.

        Raises:
            ModelError: an input is missing, left over, or of another shape or type; or this process
                was forked after the graph was loaded.
        """
        begin_threads()
        try:
            results = self._session.run(None, dict(arrays))
        except _library_errors() as error:  # a wrong name is a ValueError
            raise ModelError(f"{self.name}: {first_line(error)}") from error
        return {
            name: np.asarray(result) for name, result in zip(self.outputs, results, strict=True)
        }
