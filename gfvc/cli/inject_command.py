"""Put SEI messages into a stream.

MESSAGES is what `gfvc extract` wrote, perhaps edited, what `gfvc export` wrote as JSON, or another
stream, whose face messages are taken. When BASE is what `gfvc remove` left of the stream that they
come from, they go exactly where they were. Otherwise each goes to the picture with its number.

In JSON lines the payload of a message counts. A face message without "payload" is written from its
"elements", so that these can be edited. See docs/messages_jsonl.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gfvc.cli.arguments import add_codec, codec_from
from sei.inspect_command import add_limit, number_list

HELP = "put SEI messages into a stream"
EPILOG = """\
examples:
  gfvc inject base.266 messages.jsonl talk.266
  gfvc inject better.266 talk.266 out.266       the messages of talk.266, on other pictures
  gfvc inject base.265 talk.266 talk.265        and from VVC to HEVC
  gfvc inject base.266 talk.266 out.266 --payload 5,223,224

example: a message changed by hand (the second line of the file is the first message)
  gfvc extract talk.266 messages.jsonl
  jq -c 'if .nal then del(.payload) else . end' messages.jsonl > elements.jsonl
  (edit the elements)
  gfvc remove talk.266 base.266
  gfvc inject base.266 elements.jsonl changed.266
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "base",
        type=Path,
        metavar="BASE",
        help="VVC, HEVC or H.264 byte stream to put them into, or a container of one (.mp4, .mkv)",
    )
    parser.add_argument(
        "messages",
        type=Path,
        metavar="MESSAGES",
        help="JSON lines of `gfvc extract`, JSON of `gfvc export`, or another stream; the "
        "content tells which",
    )
    parser.add_argument(
        "output",
        type=Path,
        metavar="OUT",
        help="stream to write; where BASE is a container also an .mp4 file, with its sound",
    )
    parser.add_argument(
        "--payload",
        type=number_list,
        metavar="TYPES",
        help="SEI payload types to take from another stream (default: 223,224)",
    )
    add_codec(parser, "BASE, and of MESSAGES where that is a stream")
    add_limit(parser)
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import note
    from gfvc.editing import MessageSelection, inject_messages

    summary = inject_messages(
        options.base,
        options.messages,
        options.output,
        selection=None if options.payload is None else MessageSelection(options.payload),
        codec=codec_from(options),
        force=options.force,
        notes=note,
        max_messages=options.max_messages,
    )
    if summary.restored is not None:
        where = f"where they were: the same bytes as {summary.restored}"
    elif summary.at_old_places:
        where = "where they were"
    else:
        where = "at the pictures with their numbers"
    note(f"{options.output}: {summary.messages} messages in {summary.nal_units} NAL units, {where}")
    return 0
