"""The network that the faces of a stream name in their base messages: one and the same."""

from __future__ import annotations


class OneNetwork:
    """Compares the networks that base messages name; they are those of faces that are drawn.

    Messages of a further face may stand before those of the first: whichever comes first counts.
    """

    def __init__(self) -> None:
        self._named: dict[int, str] = {}  # URI that each gfv_id named first
        self._further: int | None = None  # gfv_id of a further face among them

    def see(self, gfv_id: int, uri: str, *, is_first: bool) -> tuple[str, str] | None:
        """What is wrong with the URI that a message names, and what to do; None: nothing is.

        `is_first` says that the message is of the first face.
        """
        first_id, first = next(iter(self._named.items()), (gfv_id, uri))
        own = self._named.setdefault(gfv_id, uri)
        if not is_first and self._further is None:
            self._further = gfv_id
        if uri == first:
            return None
        if own != uri:
            return (
                f"names the network {uri}, and those before it {own}",
                "a stream is drawn by one network in one layout: split it before the coded "
                "picture of this message",
            )
        leave_out = self._further if is_first else gfv_id
        return (
            f"names the network {uri} for gfv_id {gfv_id}, and those before it {first} for gfv_id "
            f"{first_id}",
            "all faces of a stream are drawn by one network in one layout: leave one out (gfvc "
            f"remove --id {leave_out})",
        )
