"""How channel counts grow with depth, the same rule in every network here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ChannelPyramid:
    """Channels per resolution level: doubled at every level, up to a limit.

    Attributes:
        base: channels at level 0, the resolution a pyramid starts from.
        limit: no level has more channels than this.
        levels: how often the resolution is halved; levels are numbered 0 to ``levels``.
    """

    base: int
    limit: int
    levels: int

    def channels(self, level: int) -> int:
        """Channels at ``level``, in 0..``levels``."""
        return min(self.limit, self.base << level)

    def down_steps(self) -> list[tuple[int, int]]:
        """(channels in, channels out) of every halving step, full resolution first."""
        return [(self.channels(i), self.channels(i + 1)) for i in range(self.levels)]

    def up_steps(self) -> list[tuple[int, int]]:
        """(channels in, channels out) of every doubling step, lowest resolution first."""
        return [(above, below) for below, above in reversed(self.down_steps())]
