"""Move a stream's face parameters into another layout or precision; the base layer stays as it is.

The parameters stay the same, their containers change: keypoints become a compact feature or the
other way round. A stream that no longer has its model's own layout has a suffix at its URI: gfvc
still decodes it, other decoders do not take it for something it is not. With --translator, numbers
are translated by a map that was fitted for two models.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from gfvc.cli.arguments import add_codec, add_files, add_result_arguments, codec_from, reader_of
from gfvc.options.kinds import whole
from sei.inspect_command import add_limit

HELP = "move face parameters to another layout or precision"
EPILOG = """\
examples:
  gfvc transcode talk.266 coarse.266 --precision 6         the same layout in steps of 1/64
  gfvc transcode talk.266 points.266 --layout keypoints    as 2-D keypoints
  gfvc transcode points.266 back.266 --layout mesh         in the layout of the model mesh again
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_files(
        parser,
        "VVC or HEVC byte stream, or a container of one (.mp4, .mkv)",
        "stream to write; of a container also an .mp4 file, with its sound",
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--layout",
        default="same",
        metavar="LAYOUT",
        help="same (default), compact (one compact feature), keypoints, keypoints3d, or the name "
        "of a model for its layout",
    )
    kind.add_argument(
        "--translator", type=Path, metavar="FILE", help="translate by a fitted map (safetensors)"
    )
    parser.add_argument(
        "--precision",
        type=reader_of(whole(1, 32, of="a precision factor")),
        metavar="P",
        help="write everything in steps of 2^-P, 1..32 (default: nothing is rounded)",
    )
    add_codec(parser)
    add_limit(parser)
    add_result_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import answer, note
    from gfvc.output import check_writable
    from gfvc.transcoding import load_translator, transcode

    if options.translator:
        check_writable(options.output, force=options.force, sources=[options.translator])
    translator = load_translator(options.translator) if options.translator else None
    summary = transcode(
        options.input,
        options.output,
        options.layout,
        precision=options.precision,
        translator=translator,
        codec=codec_from(options),
        force=options.force,
        notes=note,
        max_messages=options.max_messages,
    )
    if options.json:
        answer(asdict(summary))
    else:
        change = summary.largest_change
        rounding = "" if change is None else f", numbers changed by at most {change:g}"
        note(
            f"{options.output}: {summary.messages} messages, {summary.bytes_before} bytes of SEI "
            f"became {summary.bytes_after}{rounding}"
        )
    return 0
