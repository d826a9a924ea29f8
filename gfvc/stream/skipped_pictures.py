"""Pictures that decoders skip, for they refer to what comes before the point where decoding starts.

Those of kind RASL refer to pictures before their CRA picture (H.265 8.1.3, H.266 8.1.1). Where a
stream starts there, or goes on there after the end of a sequence, these are missing. So are those
that all pictures refer to before the first random access point, where a stream starts in the middle
of a sequence. Decoders leave both out, and no message of a face can follow them.
"""

from __future__ import annotations

from sei import NalUnit


class SkippedPictures:
    """Finds the pictures that decoders skip among the NAL units of the base layer, in order."""

    def __init__(self) -> None:
        self._starts = True  # decoding does, at the next random access point
        self._skips = False  # RASL pictures of the last one
        self._is_first = False  # whether no slice of the picture came

    def sees_one(self, unit: NalUnit) -> bool:
        """See the next NAL unit; whether it is the first slice of a picture that is skipped."""
        self._is_first |= unit.starts_picture
        if unit.ends_sequence:
            self._starts = True
        if not unit.is_vcl or not self._is_first:
            return False
        self._is_first = False
        if unit.is_irap:
            # BLA pictures have what comes before them cut off, wherever they stand.
            self._skips = self._starts or unit.type_name.startswith("BLA")
            self._starts = False
        elif unit.type_name.startswith("GDR"):
            self._starts = False  # Decoding can start there, little by little.
        return self._starts or (self._skips and unit.type_name.startswith("RASL"))
