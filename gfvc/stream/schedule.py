"""Which output pictures of an access unit have a message, as the user data says it.

`picture_schedule` is its syntax. gfv_cnt counts messages, not pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import lt
from typing import Any

from sei.coder import Coder
from sei.columns import rising_numbers_of

MAX_PICTURES = 1 << 16
"""Greatest number of output pictures of an access unit with a schedule."""


class RegularPictures(Sequence[int]):
    """Pictures with a message, every `interval` and the last, without the key picture.

    They are told one by one when asked for: a few bits stand for many thousands.
    """

    __slots__ = ("_last", "_steps")

    def __init__(self, pictures: int, interval: int) -> None:
        self._steps = range(interval, pictures, interval)
        self._last = pictures - 1

    def __len__(self) -> int:
        return len(self._steps) + self._ends_apart

    @property
    def _ends_apart(self) -> bool:
        """Whether the last picture does not lie at the interval."""
        return self._last > 0 and self._last not in self._steps

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return tuple(self)[index]
        if index in (-1, len(self) - 1) and self._last > 0:
            return self._last
        return self._steps[index + self._ends_apart if index < 0 else index]

    def __contains__(self, picture: object) -> bool:
        return picture in self._steps or (self._last > 0 and picture == self._last)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (RegularPictures, tuple)):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))


@dataclass(frozen=True, slots=True)
class PictureSchedule:
    """The output pictures of an access unit, and those of them that have messages.

    `pictures` 1..65536 counts the key picture, which is number 0; `sent` are the numbers of the
    others with a message, rising. Raises `ValueError` for anything else.
    """

    pictures: int
    sent: tuple[int, ...] | RegularPictures

    def __post_init__(self) -> None:
        if not 1 <= self.pictures <= MAX_PICTURES:
            raise ValueError(f"{self.pictures} pictures are not within 1..{MAX_PICTURES}")
        if isinstance(self.sent, RegularPictures):
            return
        numbers = (0, *self.sent)
        if not all(map(lt, numbers, self.sent)):
            raise ValueError("numbers of pictures with messages must rise from 1")
        if numbers[-1] >= self.pictures:
            raise ValueError(f"picture {numbers[-1]} is not among {self.pictures}")

    @property
    def without_message(self) -> int:
        """Number of pictures without a message."""
        return self.pictures - 1 - len(self.sent)

    def cut(self, messages: int) -> PictureSchedule:
        """What is left when only the first messages arrive: nothing after the last of them."""
        sent = tuple(self.sent[:messages])
        return PictureSchedule((0, *sent)[-1] + 1, sent)

    @property
    def interval(self) -> int | None:
        """Pictures from message to message, where a message is due at each and at the last."""
        interval = self.sent[0] if self.sent else 1
        return interval if RegularPictures(self.pictures, interval) == self.sent else None

    @property
    def distances_minus1(self) -> list[int]:
        """Pictures between each message's picture and that of the message before."""
        return [b - a - 1 for a, b in zip((0, *self.sent), self.sent, strict=False)]

    @property
    def rice_parameter(self) -> int:
        """The number of low bits with which the distances take the fewest bits."""
        return best_rice_parameter(self.distances_minus1, 3)


def picture_schedule(c: Coder, given: PictureSchedule) -> PictureSchedule:
    """Syntax of the schedule; `sei.coder` says how it serves reading and writing.

    What a few bytes can ask for is bounded: `MAX_PICTURES` numbers, in time that goes with the
    bytes that are read.
    """
    pictures_minus1 = c.ue("pictures_minus1", given.pictures - 1, 0, MAX_PICTURES - 1)
    pictures = pictures_minus1 + 1
    regular_flag = c.flag("regular_flag", given.interval is not None)
    if regular_flag:
        interval = c.ue("interval_minus1", (given.interval or 1) - 1) + 1
        return PictureSchedule(pictures, RegularPictures(pictures, interval))
    messages = c.ue("messages_without_base", len(given.sent), 0, pictures_minus1)
    rice_parameter = c.u("rice_parameter", 3, given.rice_parameter)
    distances = c.rice_codes(
        "distance_minus1", given.distances_minus1, messages, rice_parameter, pictures_minus1
    )
    return PictureSchedule(pictures, rising_numbers_of(distances))


def rice_bits(numbers: Sequence[int], low: int) -> int:
    """What the codes of numbers, none negative, take with so many low bits."""
    return sum((number >> low) + 1 + low for number in numbers)


def best_rice_parameter(numbers: Sequence[int], size: int) -> int:
    """The number of low bits, itself coded in `size` bits, with which codes take the fewest.

    >>> best_rice_parameter([5, 6, 7], 3)
    2
    """
    return min(range(1 << size), key=lambda low: rice_bits(numbers, low))
