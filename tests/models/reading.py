"""Reading files of `torch.save` without the process of its own that takes seconds to load."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from models.errors import CheckpointError
from models.weights import unpickling, unpickling_child


def read_here(path: Path, wanted: Collection[str] | None = None) -> dict[Any, Any]:
    """As `unpickling.unpickle`, in this process; for files that do no harm."""
    path.stat()
    try:
        tree, tensors = unpickling_child.read(path, wanted)
        text = json.dumps(tree)
    except Exception as error:
        raise CheckpointError(f"{path}: {unpickling_child.reason(error)}") from None
    content: dict[Any, Any] = unpickling._restored(json.loads(text), tensors)
    return content


@contextmanager
def reading_here() -> Iterator[None]:
    """Checkpoints and states of trainings are read in this process."""
    with (
        patch("models.weights.reading.unpickle", read_here),
        patch("models.training.saved.unpickle", read_here),
    ):
        yield
