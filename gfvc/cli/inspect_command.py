"""Show the NAL units and SEI messages of a stream, and what the face messages say.

For people: a tree of access units, NAL units, messages and elements. For programs: --json, one
object for each SEI message. A message that cannot be read is reported, the rest goes on, and the
exit status is 1 at the end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from gfvc.cli.arguments import add_codec, add_options
from sei import NalUnit, inspect_command

if TYPE_CHECKING:
    from gfvc.stream.information import StreamInformation
    from gfvc.stream.sequence import SequenceSchedule

HELP = "show what is in a stream"
EPILOG = """\
examples:
  gfvc inspect talk.266                          everything, as a tree
  gfvc inspect talk.266 --summary                numbers, bytes and kbit/s
  gfvc inspect talk.266 --payload 223 --json     face messages for a program
  gfvc inspect talk.266 --plot talk.png          curves of the face parameters and of bits
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    from gfvc.options.picture_limit import PictureLimit

    parser.add_argument(
        "input",
        metavar="IN",
        help="VVC, HEVC or H.264 byte stream, .mp4, .mov or .mkv file; - for standard input",
    )
    add_codec(parser)
    inspect_command.add_arguments(parser)
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FILE.png",
        help="draw keypoint tracks, feature curves and bits of each picture instead of the tree",
    )
    parser.add_argument("--force", action="store_true", help="replace FILE.png if it exists")
    add_options(parser, PictureLimit)


def _plot(options: argparse.Namespace) -> None:
    from gfvc.cli.memory import PLOT_MEGABYTES, require_memory
    from gfvc.errors import InputError
    from gfvc.limits import most_pictures
    from gfvc.output import replaced_when_complete
    from gfvc.plotting import plot_stream
    from gfvc.stream.nal_source import STANDARD_INPUT, file_bytes, open_nal_units

    require_memory(PLOT_MEGABYTES, "--plot")
    source = Path(options.input)
    if source == STANDARD_INPUT:
        raise InputError("--plot reads the stream once more; give a file instead of -")
    with (
        replaced_when_complete(options.plot, force=options.force, sources=[source]) as temporary,
        open_nal_units(options.input, options.codec) as units,
    ):
        most = most_pictures(options.max_pictures, file_bytes(source))
        plot_stream(units, temporary, options.input, most)


def _further_messages(information: StreamInformation, sequence: SequenceSchedule) -> Iterator[int]:
    """Messages of a further face in the access units in which the first face has none.

    They are counted as those of pictures, as any first ones of an access unit.
    """
    if not information.further_faces:
        return
    for number in range(len(sequence.driven)):
        if not sequence.has_messages(number):
            faces = (face for face in information.further_faces if face.has_messages(number))
            yield from (1 + len(face.schedule.unit(number).sent) for face in islice(faces, 1))


class _InformationNotes:
    """Passes NAL units on, and notes what gfvc's user data says of rate and pictures."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._without_message = 0  # less those that have a message and are not shown
        self._pool = 1
        self._runs = 0

    def passing(self, units: Iterator[NalUnit]) -> Iterator[NalUnit]:
        """The NAL units; the rate is taken from them where --fps does not say it."""
        from gfvc.stream.information import find_information

        for unit in units:
            information = find_information(unit) if unit.is_sei and not unit.is_suffix_sei else None
            if information is not None:
                if self._options.fps is None:
                    self._options.fps = float(information.rate)
                self._without_message -= information.hides_coded_picture
                if information.schedule is not None:
                    self._without_message += information.schedule.without_message
                if information.sequence is not None:
                    self._without_message += information.sequence.without_message
                    self._without_message -= sum(
                        _further_messages(information, information.sequence)
                    )
                if information.references is not None:
                    self._pool = max(self._pool, information.references.pool)
                    self._runs += len(information.references.starts)
            yield unit

    def pictures_without_message(self) -> int:
        """How many more output pictures there are so far than messages."""
        return self._without_message

    def references(self) -> str | None:
        """What is said of earlier key pictures as references, in a line."""
        if self._pool == 1:
            return None
        return (
            f"reference pool: the last {self._pool} key pictures (an extension of gfvc's own); "
            f"{self._runs} changes from one to another between key pictures"
        )


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.stream.nal_source import open_nal_units

    if options.plot is not None:
        _plot(options)
        if not (options.json or options.summary or options.bits):
            return 0
    with open_nal_units(options.input, options.codec) as units:
        notes = _InformationNotes(options)
        status = inspect_command.run(
            options,
            notes.passing(units),
            err=sys.stderr,
            further_pictures=notes.pictures_without_message,
        )
    references = notes.references()
    if references is not None and not options.json:
        sys.stdout.write(references + "\n")
    return status
