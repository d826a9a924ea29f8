"""What of a stream is exported, and how: the options of `gfvc.export`."""

from __future__ import annotations

from dataclasses import dataclass

from gfvc.options.declaration import documented, switch
from gfvc.options.decoding import BaseLayerOptions


@documented
@dataclass(frozen=True, kw_only=True)
class ExportOptions(BaseLayerOptions, title="exporting"):
    """What is exported; `runtime` says how networks run."""

    texture: bool = switch("put the first key picture onto the head of a .glb OUT")
    messages_only: bool = switch(
        "decode no coded pictures: go by the messages alone, and let an average face stand in for "
        "the person's own"
    )

    def conflict(self) -> str | None:
        """A texture is a decoded picture."""
        if self.texture and self.messages_only:
            return "{texture} wants a decoded picture; leave out {messages_only}"
        return None
