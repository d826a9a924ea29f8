"""What is said of a stream that a model cannot draw, and of a model that cannot draw at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gfvc.decoded_pool import Span
from gfvc.decoded_units import _of_stream
from gfvc.errors import StreamError
from models import CheckpointError, FaceTrackerError, ModelError

STREAM = Path("talk.266")


def failing(error: Exception) -> Iterator[Span]:
    yield from ()
    raise error


def test_what_a_model_cannot_draw_is_an_error_of_the_stream() -> None:
    with pytest.raises(StreamError, match=r"talk\.266: too small"):
        list(_of_stream(STREAM, failing(ModelError("too small"))))


@pytest.mark.parametrize("kind", [CheckpointError, FaceTrackerError])
def test_damaged_files_of_a_model_are_not(kind: type[ModelError]) -> None:
    with pytest.raises(kind, match=r"^face\.onnx is damaged$"):
        list(_of_stream(STREAM, failing(kind("face.onnx is damaged"))))
