"""Say whether a stream is consistent.

Checked are: every message can be read; one base message a picture and face, before the driven
ones; gfv_cnt without gaps; layouts; enhancement messages belong to a message; NAL unit headers;
placement in prefix and suffix SEI NAL units; reserved values; what the reference decoder misreads;
gfvc's user data; one network and one kind of colours throughout; the order of coded pictures, and
leading ones that decoders skip; decoded picture hashes, where the stream has any. Told are marks of
generated content, AI usage restrictions, and digital signatures.

Of a video that `gfvc decode` wrote the mark and the content credentials (C2PA) are told, and
whether its pictures are those that were signed. Whether the signer can be trusted is not checked.
Of a container that holds VVC or HEVC the byte stream is checked, and places are those in it.

A line a finding: severity, check, place, text. Only errors make a stream inconsistent.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from gfvc.cli.arguments import add_codec, codec_from
from sei.escaping import printable
from sei.inspect_command import add_limit

HELP = "say whether a stream is consistent"
EPILOG = """\
examples:
  gfvc verify talk.266
  gfvc verify small.mp4
  gfvc verify decoded.mp4
  gfvc verify talk.266 --json | jq 'select(.severity == "error")'

With --json the keys are severity (error, warning, information), check, nal, offset (byte of the NAL
unit header), picture, message (number in the NAL unit), each null where there is no such place,
and text. Numbers count from 0.

exit status: 0 no error was found, 1 there are errors, 2 wrong usage
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "input",
        type=Path,
        metavar="IN",
        help="VVC, HEVC or H.264 byte stream, an .mp4 that holds one, or a decoded .mp4 or .mkv",
    )
    add_codec(parser)
    add_limit(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object a finding")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from collections import Counter

    from gfvc.cli.console import note
    from gfvc.stream.byte_stream import read_head
    from gfvc.stream.containers import is_container
    from gfvc.verification import Finding, Severity, verify_contained, verify_stream

    def line(finding: Finding) -> str:
        place = finding.place
        named = (
            ("NAL unit", place.nal),
            ("byte", place.offset),
            ("picture", place.picture),
            ("message", place.message),
        )
        where = ", ".join(f"{name} {number}" for name, number in named if number is not None)
        return f"{finding.severity.value}: {finding.check}: {where or 'stream'}: {finding.text}"

    read_head(options.input)
    codec, most = codec_from(options), options.max_messages
    if is_container(options.input):
        findings = verify_contained(options.input, codec, max_messages=most, notes=note)
    else:
        findings = verify_stream(options.input, codec, max_messages=most)
    counts: Counter[Severity] = Counter()
    for finding in findings:
        counts[finding.severity] += 1
        text = json.dumps(finding.to_json()) if options.json else line(finding)
        sys.stdout.write(printable(text) + "\n")
    errors, warnings = counts[Severity.ERROR], counts[Severity.WARNING]
    verdict = "inconsistent" if errors else "consistent"
    note(f"{options.input}: {verdict} (errors: {errors}, warnings: {warnings})")
    return int(errors > 0)
