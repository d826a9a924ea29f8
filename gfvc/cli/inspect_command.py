"""Show the NAL units and SEI messages of a stream, and what the face messages say.

For people: a tree of access units, NAL units, messages and elements. For programs: --json, one
object for each SEI message. A message that cannot be read is reported, the rest goes on, and the
exit status is 1 at the end.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gfvc.cli.arguments import add_codec, add_options, file_text
from sei import NalUnit, SeiError, inspect_command
from sei.inspection import InspectedMessage, InspectedUnit

if TYPE_CHECKING:
    from fractions import Fraction

    from gfvc.stream.information import StreamInformation

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
        type=file_text,
        metavar="IN",
        help="VVC, HEVC or H.264 byte stream, .mp4, .mov or .mkv file; - for standard input",
    )
    add_codec(parser)
    inspect_command.add_arguments(parser, "what gfvc's user data say")
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FILE.png",
        help="draw keypoint tracks, feature curves and bits of each picture instead of the tree",
    )
    parser.add_argument("--force", action="store_true", help="replace FILE.png if it exists")
    add_options(parser, PictureLimit)


class _Refused:
    """Counts user data that can be read, and make no sense."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self._first = ""

    def take(self, inspected: InspectedMessage, error: Exception) -> None:
        """Count what is wrong with a message, unless the inspector itself tells."""
        if inspected.error is None:
            self._count += 1
            self._first = self._first or f"NAL unit {inspected.where.nal}: {error}"

    def report(self) -> int:
        """Say what is wrong, in a line; the exit status, 1 for anything."""
        more = f" (and {self._count - 1} more like this)" if self._count > 1 else ""
        if self._count:
            sys.stderr.write(inspect_command.error_line(f"{self._first}{more}", self._name))
        return int(bool(self._count))


def _plot(options: argparse.Namespace, *, alone: bool) -> int:
    """Draw the plot; the exit status. What is wrong with the stream is told where it is `alone`."""
    from gfvc.cli.console import note
    from gfvc.errors import InputError, OutputError, StreamError
    from gfvc.limits import most_pictures
    from gfvc.output import replaced_when_complete
    from gfvc.plotting import collect_curves, plot_curves
    from gfvc.stream.nal_source import STANDARD_INPUT, file_bytes, open_nal_units
    from gfvc.telling import unheard

    source = Path(options.input)
    if source == STANDARD_INPUT:
        raise InputError("--plot reads the stream once more; give a file instead of -")
    with (
        replaced_when_complete(options.plot, force=options.force, sources=[source]) as temporary,
        open_nal_units(options.input, options.codec, note if alone else unheard) as units,
    ):
        if options.plot.suffix.lower() != ".png":
            raise OutputError(f"{options.plot}: a plot is a PNG file; give it a name on .png")
        most = most_pictures(options.max_pictures, file_bytes(source))
        stream, refused = inspect_command.Inspection(options, units), _Refused(options.input)
        try:
            curves = collect_curves(stream, most, options.payload, refused.take)
        except StreamError as error:
            raise StreamError(f"{options.input}: {error}") from None
        status = 0
        if alone or not any(curves.face_bits):  # which may be why there is nothing to draw
            status = stream.report(sys.stderr, options.input) | refused.report()
        plot_curves(curves, temporary, options.input)
        return status


class _UserData:
    """Notes what gfvc's user data says, and counts the pictures by it, while messages are shown."""

    def __init__(self, options: argparse.Namespace) -> None:
        from gfvc.stream.last_sample import last_sample_is_whole
        from gfvc.stream.picture_count import PictureCount

        self._options = options
        self._count = PictureCount(self._note)
        self._count.ends_whole = last_sample_is_whole(Path(options.input))
        self.refused = _Refused(str(options.input))
        self._rate: Fraction | None = None  # that is stated first, where --fps does not say one
        self._pool = 1
        self._runs = 0

    @property
    def pictures(self) -> int:
        """Output pictures."""
        return self._count.pictures

    def see(self, inspected: InspectedUnit | InspectedMessage) -> None:
        """See what comes next."""
        from gfvc.errors import StreamError

        try:
            self._count.see(inspected)
        except StreamError as error:
            assert isinstance(inspected, InspectedMessage)
            self.refused.take(inspected, error)

    def _note(self, information: StreamInformation) -> None:
        """The rate is taken from the first user data where --fps does not say it."""
        from gfvc.cli.console import note

        if self._options.fps is None:
            self._rate = information.rate
            self._options.fps = float(information.rate)
        elif self._rate not in (None, information.rate):
            note(
                f"{self._options.input}: states {self._rate} pictures per second, and "
                f"{information.rate} from picture {self._count.complete} on; the first rate stands "
                "for all, or give another with --fps"
            )
            self._rate = None  # It is told once.
        if information.references is not None:
            self._pool = max(self._pool, information.references.pool)
            self._runs += len(information.references.starts)

    def passing(self, units: Iterator[NalUnit]) -> Iterator[NalUnit]:
        """The NAL units; whether they break off counts."""
        try:
            yield from units
        except SeiError:
            self._count.is_cut = True
            raise

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
    from gfvc.cli.console import note
    from gfvc.stream.nal_source import open_nal_units

    if options.plot is not None:
        alone = not (options.json or options.summary or options.bits)
        status = _plot(options, alone=alone)
        if alone:
            return status
    with open_nal_units(options.input, options.codec, note) as units:
        user_data = _UserData(options)
        status = inspect_command.run(
            options,
            user_data.passing(units),
            err=sys.stderr,
            pictures=user_data,
            name=str(options.input),
        )
    status |= user_data.refused.report()
    references = user_data.references()
    if references is not None and not options.json:
        sys.stdout.write(references + "\n")
    return status
