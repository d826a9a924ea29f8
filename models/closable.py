"""Objects that hold something which must be freed, and may be used as contexts."""

from __future__ import annotations

from types import TracebackType
from typing import TypeVar

Held = TypeVar("Held", bound="Closable")


class Closable:
    """Closed at the end of a `with` block."""

    def close(self) -> None:
        """Free what is held; nothing, unless a subclass says otherwise."""

    def __enter__(self: Held) -> Held:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
