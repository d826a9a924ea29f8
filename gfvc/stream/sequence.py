"""The coded pictures of a sequence and what they drive, as the user data of its IDR picture says.

A sequence of the base layer is an IDR picture and the pictures predicted after it, up to the next
IDR picture. Between two coded pictures lie driven ones, whose messages belong to the coded picture
before them; `sequence_schedule` is the syntax that tells how many, and which have a message. So
one user data message serves all coded pictures of the sequence.

The driven pictures of a sequence are numbered from 1. Those shown before the IDR picture come
first, backwards from it, then all others in output order.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import lt

from gfvc.stream.schedule import (
    MAX_PICTURES,
    PictureSchedule,
    RegularPictures,
    best_rice_parameter,
    picture_schedule,
)
from sei.coder import Coder
from sei.columns import numbers_of

MAX_LEADING = 63
"""Greatest number of pictures that are shown before the IDR picture that drives them: a decoder
draws them all before it shows the first."""


def output_place(number: int, leading: int, *, hides_coded_picture: bool) -> int:
    """Where a numbered picture of a coded picture is shown among its output pictures, from 0 on.

    The coded picture itself has number 0. A hidden one has the place of the picture that is shown
    in its place.
    """
    if number <= leading:
        return leading - number
    return number - hides_coded_picture


@dataclass(frozen=True, slots=True)
class SequencePart:
    """What the schedule of a sequence says of one of its coded pictures.

    It goes with the picture in place of the whole, of which some kilobytes of user data make
    megabytes. `number` counts the coded pictures from 0, `leading` pictures are shown before this
    one, and `has_later_reference` says that pictures are drawn from the next one, too. `hidden`
    says that the first of those it drives after it is shown in its place.
    """

    number: int
    schedule: PictureSchedule
    leading: int
    has_messages: bool
    has_later_reference: bool
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class SequenceSchedule:
    """The coded pictures of a sequence, and the messages of the pictures that they drive.

    `driven` says how many pictures each coded picture drives; `leading` 0..63 of those of the
    first are shown before it. `sent` are the numbers of the driven pictures that have a message,
    rising from 1. `two_references` says that the pictures between two coded pictures are drawn from
    both, by models that can. `hidden` are the numbers, rising from 0, of coded pictures that are
    not shown: the first picture that each drives, leading ones aside, is shown in its place. A
    sequence has 65536 output pictures at most. Raises `ValueError` for anything else.
    """

    driven: tuple[int, ...]
    sent: tuple[int, ...] | RegularPictures = ()
    leading: int = 0
    two_references: bool = False
    hidden: tuple[int, ...] = ()
    _starts: tuple[int, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        if not self.driven or min(self.driven) < 0:
            raise ValueError("a sequence has a coded picture at least, and none drives less than 0")
        if self.pictures > MAX_PICTURES:
            raise ValueError(f"{self.pictures} pictures are more than {MAX_PICTURES}")
        if not 0 <= self.leading <= min(MAX_LEADING, self.driven[0]):
            raise ValueError(
                f"{self.leading} leading pictures are not within 0..{MAX_LEADING}, or not driven"
            )
        if not all(map(lt, (-1, *self.hidden), (*self.hidden, len(self.driven)))):
            raise ValueError("numbers of hidden coded pictures must rise, and be of the sequence")
        for number in self.hidden:
            if self.driven[number] <= (0 if number else self.leading):
                raise ValueError(
                    f"coded picture {number} of the sequence is hidden, and drives no picture that "
                    "could be shown in its place"
                )
        _ = self.messages  # its numbers are checked
        object.__setattr__(self, "_starts", tuple(accumulate(self.driven, initial=0)))

    @property
    def pictures(self) -> int:
        """Output pictures."""
        return sum(self.driven) + len(self.driven) - len(self.hidden)

    def pictures_before(self, number: int) -> int:
        """Output pictures before those of the coded picture of a number, counted from 0."""
        return self._starts[number] + number - bisect_left(self.hidden, number)

    @property
    def drives(self) -> bool:
        """Whether any picture is driven."""
        return self._starts[-1] > 0

    @property
    def messages(self) -> PictureSchedule:
        """Which of the driven pictures have messages, number 0 standing for all coded ones."""
        return PictureSchedule(1 + sum(self.driven), self.sent)

    @property
    def without_message(self) -> int:
        """How many more output pictures there are than messages."""
        bases = sum(self.has_messages(number) for number in range(len(self.driven)))
        return self.pictures - bases - len(self.sent)

    @property
    def rice_parameter(self) -> int:
        """The number of low bits with which the counts of driven pictures take the fewest bits."""
        return best_rice_parameter(self.driven, 4)

    def unit(self, number: int) -> PictureSchedule:
        """Schedule of the coded picture of a number, counted from 0, and of what it drives."""
        start, end = self._starts[number], self._starts[number + 1]
        return PictureSchedule(1 + end - start, _between(self.sent, start, end))

    def part(self, number: int) -> SequencePart:
        """What it says of the coded picture of a number, counted from 0."""
        return SequencePart(
            number,
            self.unit(number),
            0 if number else self.leading,
            self.has_messages(number),
            self.two_references and number + 1 < len(self.driven),
            self.is_hidden(number),
        )

    @property
    def hidden_flags(self) -> list[bool]:
        """Of each coded picture whether it is hidden."""
        return [self.is_hidden(number) for number in range(len(self.driven))]

    def is_hidden(self, number: int) -> bool:
        """Whether the coded picture of a number, counted from 0, is not shown."""
        place = bisect_left(self.hidden, number)
        return self.hidden[place : place + 1] == (number,)

    def has_messages(self, number: int) -> bool:
        """Whether the coded picture of a number has a base message, and what it drives may others.

        It has one where it drives pictures, but not where these go straight from it to the next
        coded picture, and none of them has a message: what a receiver sees in the two is enough
        then. The first of a sequence has one in any case, which names the model.
        """
        if not number:
            return any(self.driven)
        between = self.two_references and number + 1 < len(self.driven)
        return bool(self.driven[number]) and not (between and not self.unit(number).sent)


def _between(sent: Sequence[int], start: int, end: int) -> tuple[int, ...]:
    """The numbers above `start` up to `end`, counted from `start`."""
    first, after = bisect_right(sent, start), bisect_right(sent, end)
    return tuple(sent[index] - start for index in range(first, after))


def sequence_schedule(
    c: Coder, given: SequenceSchedule, *, coded_picture_hidden_flag: bool
) -> SequenceSchedule:
    """Syntax of the schedule; `sei.coder` says how it serves reading and writing."""
    coded = c.ue("coded_pictures_minus1", len(given.driven) - 1, 0, MAX_PICTURES - 1) + 1
    two_references = c.flag("two_references_flag", given.two_references)
    leading = c.u("leading_pictures", 6, given.leading)
    driven_rice_parameter = c.u("driven_rice_parameter", 4, given.rice_parameter)
    driven = numbers_of(
        c.rice_codes("driven_pictures", given.driven, coded, driven_rice_parameter, MAX_PICTURES)
    )
    messages = picture_schedule(c, given.messages)
    if messages.pictures != 1 + sum(driven):
        raise ValueError(
            f"{messages.pictures - 1} pictures in the schedule of messages where {sum(driven)} are "
            "driven"
        )
    hidden: tuple[int, ...] = ()
    if coded_picture_hidden_flag:
        known = given.hidden_flags
        flags = [c.flag("hidden_flag", known[i], 0, (i,)) for i in range(coded)]
        hidden = tuple(number for number, is_hidden in enumerate(flags) if is_hidden)
    return SequenceSchedule(tuple(driven), messages.sent, leading, two_references, hidden)
