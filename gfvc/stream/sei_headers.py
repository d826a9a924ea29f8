"""Headers of SEI NAL units that do not fit the picture that they stand with.

A decoder of fewer layers or temporal sub-layers leaves out NAL units by their headers: a message
would go where its picture stays, or stay where it goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from sei import Codec, NalUnit

Tag = TypeVar("Tag")


class HeaderFit(Generic[Tag]):
    """Is shown the NAL units of an access unit, and tells what of SEI headers does not fit.

    Of SEI NAL units of an access unit with equal headers the first counts, by the tag that is
    given with it; one without a tag is not looked at. Headers of H.264 say nothing of the kind.
    """

    def __init__(self) -> None:
        self._pictures: dict[int, int] = {}  # TemporalId, by layer, of the access unit
        self._seen: dict[tuple[int, int], Tag] = {}

    def see(self, unit: NalUnit, tag: Tag | None = None) -> None:
        """Take the next NAL unit of the access unit."""
        if unit.codec is Codec.AVC:
            return
        if unit.is_vcl:
            self._pictures.setdefault(unit.layer_id, unit.temporal_id)
        elif unit.is_sei and tag is not None:
            self._seen.setdefault((unit.layer_id, unit.temporal_id), tag)

    def end(self) -> Iterator[tuple[Tag, str]]:
        """Yields what is wrong in the access unit, which ends; the next one starts."""
        pictures, seen = self._pictures, self._seen
        self._pictures, self._seen = {}, {}
        if not pictures:
            return
        for (layer, temporal_id), tag in seen.items():
            of_picture = pictures.get(layer)
            if of_picture is None:
                have = ", ".join(map(str, sorted(pictures)))
                yield tag, f"nuh_layer_id {layer}, and its access unit has pictures of {have}"
            elif temporal_id not in (-1, of_picture):
                yield tag, f"TemporalId {temporal_id}, and its picture has {of_picture}"
