"""What was computed from arrays, kept for when it is wanted of the same arrays again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy.typing as npt

Result = TypeVar("Result")

_DIGEST_BYTES = 16


class Memory(Generic[Result]):
    """Results by the content of the arrays that they were computed from, `entries` at most.

    What comes when the memory is full is not kept. A clip is looked at in order, again and again,
    and what gave way to newer pictures would always be what comes next.
    """

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._results: dict[bytes, Result] = {}

    def find(self, compute: Callable[[], Result], *sources: npt.NDArray[Any]) -> Result:
        """What `compute` makes of the sources, now or when it was asked before."""
        name = _name(sources)
        if name in self._results:
            return self._results[name]
        result = compute()
        if len(self._results) < self._entries:
            self._results[name] = result
        return result


def _name(sources: tuple[npt.NDArray[Any], ...]) -> bytes:
    # Arrays of the same bytes and another shape are others.
    shapes = [(source.shape, source.dtype.str) for source in sources]
    digest = hashlib.blake2b(repr(shapes).encode(), digest_size=_DIGEST_BYTES)
    for source in sources:
        digest.update(source.tobytes())
    return digest.digest()
