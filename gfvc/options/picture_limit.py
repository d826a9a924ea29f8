"""How many pictures a stream may ask for: an option of all commands that expand streams.

Apart from `gfvc.options.decoding`, which is slow to import.
"""

from __future__ import annotations

from dataclasses import dataclass

from gfvc.limits import FREE_PICTURES, MAX_PICTURES, PICTURES_PER_BYTE
from gfvc.options.declaration import OptionGroup, documented, option
from gfvc.options.kinds import whole


@documented
@dataclass(frozen=True, kw_only=True)
class PictureLimit(OptionGroup, title="what IN may ask for"):
    """How many pictures a stream may ask for."""

    max_pictures: int | None = option(
        whole(1),
        "the most pictures that IN may ask for, of whatever size",
        shown=f"{MAX_PICTURES}, and no more than {FREE_PICTURES} with {PICTURES_PER_BYTE} for each "
        "byte of IN",
    )
