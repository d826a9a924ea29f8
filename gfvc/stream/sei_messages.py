"""SEI messages as the decoder takes them: where they stand, and those before damage."""

from __future__ import annotations

from collections.abc import Iterator

from sei import Codec, NalUnit, SeiError, SeiMessage, iterate_sei_messages
from sei.rbsp import sei_rbsp


def readable_messages(unit: NalUnit) -> Iterator[SeiMessage]:
    """The messages of an SEI NAL unit, and of a damaged one those before the damage.

    What is damaged, or too long to be read, is left to those who say what is wrong with it.
    """
    try:
        yield from iterate_sei_messages(sei_rbsp(unit))
    except SeiError:
        return


def stands_before_picture(unit: NalUnit) -> str | None:
    """What is wrong with face messages in an SEI NAL unit, by its type; None where nothing is.

    Those of a prefix SEI NAL unit would be of the picture behind it, and the standard has none
    there. H.264 has one type only.
    """
    if unit.codec is Codec.AVC or not unit.is_prefix_sei:
        return None
    return (
        "stands in a prefix SEI NAL unit; face messages go into a suffix SEI NAL unit behind their "
        "coded picture"
    )
