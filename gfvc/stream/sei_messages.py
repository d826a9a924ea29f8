"""SEI messages as the decoder takes them: damage behind sound messages does not take these away."""

from __future__ import annotations

from collections.abc import Iterator

from sei import NalUnit, SeiError, SeiMessage, iterate_sei_messages
from sei.rbsp import sei_rbsp


def readable_messages(unit: NalUnit) -> Iterator[SeiMessage]:
    """The messages of an SEI NAL unit, and of a damaged one those before the damage.

    What is damaged, or too long to be read, is left to those who say what is wrong with it.
    """
    try:
        yield from iterate_sei_messages(sei_rbsp(unit))
    except SeiError:
        return
