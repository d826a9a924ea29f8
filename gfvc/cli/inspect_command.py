"""Show the NAL units and SEI messages of a stream, and what the face messages say.

For people: a tree of access units, NAL units, messages and elements. For programs: --json, one
object for each SEI message. A message that cannot be read is reported, the rest goes on, and the
exit status is 1 at the end.
"""

from __future__ import annotations

import argparse
import sys

from sei import inspect_command

HELP = "show what is in a stream"
EPILOG = """\
examples:
  gfvc inspect talk.266                          everything, as a tree
  gfvc inspect talk.266 --summary --fps 25       numbers, bytes and kbit/s
  gfvc inspect talk.266 --payload 223 --json     face messages for a program
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "input",
        metavar="IN",
        help="VVC, HEVC or H.264 byte stream, .mp4, .mov or .mkv file; - for standard input",
    )
    parser.add_argument(
        "--codec", choices=("vvc", "hevc", "avc"), help="codec, where the stream does not tell"
    )
    inspect_command.add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.nal_source import open_nal_units

    with open_nal_units(options.input, options.codec) as units:
        return inspect_command.run(options, units, err=sys.stderr)
