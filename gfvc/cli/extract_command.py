"""Take SEI messages out of a stream into a file; the stream stays as it is.

Generative face video messages (payload type 223) and their enhancement (224) are taken unless
--payload says otherwise. MESSAGES.jsonl gets a header and one JSON object a message, with its
payload, its elements and values, and all that `gfvc inject` needs to put it back exactly where it
was. The format is described in docs/messages_jsonl.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gfvc.cli.arguments import add_codec, codec_from, folder_name
from sei.inspect_command import add_limit, number_list

HELP = "take SEI messages out of a stream into a file"
EPILOG = """\
example: look at the messages, take them off the stream, and put them back
  gfvc extract talk.266 messages.jsonl
  gfvc remove talk.266 base.266
  gfvc inject base.266 messages.jsonl again.266
  cmp talk.266 again.266

  gfvc extract talk.266 | tail -n +2 | jq .values     without a file, they go to stdout
  gfvc extract talk.266 --payloads folder             each payload as a file of its own
"""


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Describe the options that say which messages are meant."""
    parser.add_argument(
        "--payload",
        type=number_list,
        default=frozenset({223, 224}),
        metavar="TYPES",
        help="SEI payload types (default: 223,224)",
    )
    parser.add_argument(
        "--id",
        type=number_list,
        metavar="IDS",
        help="only face messages with these gfv_id, or gfve_gfv_id (default: all); in a stream of "
        "gfvc the other faces are decoded beside that of gfv_id 0, and not without it",
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "input",
        type=Path,
        metavar="IN",
        help="VVC, HEVC or H.264 byte stream, such as talk.266, or a container of one (.mp4, .mkv)",
    )
    parser.add_argument(
        "output",
        type=Path,
        nargs="?",
        metavar="MESSAGES.jsonl",
        help="file to write (default: stdout, unless --payloads is given)",
    )
    parser.add_argument(
        "--payloads",
        type=folder_name,
        metavar="FOLDER",
        help="write each payload to a file in FOLDER, named by picture, NAL unit and type",
    )
    add_selection(parser)
    add_codec(parser)
    add_limit(parser)
    parser.add_argument("--force", action="store_true", help="replace what exists")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import note
    from gfvc.editing import MessageSelection, extract_messages, extract_payloads
    from gfvc.errors import OutputError
    from gfvc.output import check_writable, replaced_when_complete

    source, output, folder = options.input, options.output, options.payloads
    selection = MessageSelection(options.payload, options.id)
    codec, most = codec_from(options), options.max_messages
    if output is not None:
        if str(output) == "-":
            without = "" if folder is None else " and --payloads"
            raise OutputError(
                f"-: leave out the name{without}; messages then go to standard output"
            )
        check_writable(output, force=options.force, sources=[source])
    if folder is not None:
        count = extract_payloads(
            source, folder, selection, codec, force=options.force, notes=note, max_messages=most
        )
        note(f"{folder}: {count} payloads")
    if output is not None:
        with (
            replaced_when_complete(output, force=options.force, sources=[source]) as temporary,
            temporary.open("w", encoding="ascii") as file,
        ):
            count = extract_messages(
                source, file.write, selection, codec, notes=note, max_messages=most
            )
        note(f"{output}: {count} messages")
    elif folder is None:
        extract_messages(source, sys.stdout.write, selection, codec, notes=note, max_messages=most)
    return 0
