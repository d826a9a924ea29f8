"""Coded pictures after the post-filter, as they are shown and drawn from.

Encoder and decoder do the same here, so that what is drawn is described relative to what is there.
"""

from __future__ import annotations

from gfvc.colour import is_grey, without_colour
from gfvc.telling import Notes, unheard
from models.contract import Picture
from models.post_filter import FIRST, KNOWN


def post_filtered(picture: Picture, number: int = FIRST) -> Picture:
    """A decoded picture uint8 [height, width, 3] after the filter of a number; 0 changes nothing.

    What is grey stays so. Raises `CheckpointError` where the filter's file is missing or altered.
    """
    if not number:
        return picture
    from models.post_filter.filtering import load_post_filter

    filtered = load_post_filter()(picture)
    return without_colour(filtered) if is_grey(picture) else filtered


class PostFilters:
    """The filters that a stream asks for; `notes` is told once of one that is not known here."""

    def __init__(self, notes: Notes = unheard) -> None:
        self._notes = notes
        self._told = False

    def __call__(self, picture: Picture, number: int) -> Picture:
        """A decoded picture as `post_filtered` has it; as it is where the filter is not known."""
        if number and number not in KNOWN:
            if not self._told:
                self._told = True
                self._notes(
                    f"asks for post-filter {number}, which this version of gfvc does not have; its "
                    "coded pictures are used as they are"
                )
            return picture
        return post_filtered(picture, number)
