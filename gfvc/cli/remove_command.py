"""Write a stream without certain SEI messages; every other byte stays as it is.

Generative face video messages (payload type 223) and their enhancement (224) are removed unless
--payload or --id says otherwise. A NAL unit that held nothing else goes with them.
"""

from __future__ import annotations

import argparse

from gfvc.cli.arguments import add_codec, add_files, codec_from
from gfvc.cli.extract_command import add_selection
from sei.inspect_command import add_limit

HELP = "write a stream without its face messages"
EPILOG = """\
examples:
  gfvc remove talk.266 base.266                       the base layer, as any decoder sees it
  gfvc remove talk.266 bare.266 --payload 5,223,224   and without user data
  gfvc remove duet.266 solo.266 --id 2                without one face of several: it stands still

User data still announces the messages of a face of ours: `gfvc verify` says that they are missing.
`gfvc extract` before, and `gfvc inject` after, bring back the same file.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_files(
        parser,
        "VVC, HEVC or H.264 byte stream, or a container of one (.mp4, .mkv)",
        "stream to write; of a container also an .mp4 file, with its sound",
    )
    add_selection(parser)
    add_codec(parser)
    add_limit(parser)
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import note
    from gfvc.editing import MessageSelection, remove_messages

    summary = remove_messages(
        options.input,
        options.output,
        MessageSelection(options.payload, options.id),
        codec_from(options),
        force=options.force,
        notes=note,
        max_messages=options.max_messages,
    )
    note(
        f"{options.output}: without {summary.messages} messages, {summary.nal_units} NAL units "
        f"and {summary.bytes_saved} bytes of {options.input}"
    )
    return 0
