"""Decode a stream with generative face video SEI messages into a video.

Coded pictures are decoded by the base decoder; all others are drawn from them, by the face
parameters. The decoded pictures are synthetic: they show a face in motions that were measured, not
filmed light.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gfvc.cli.common_arguments import add_result_arguments, add_runtime_arguments, runtime_from
from gfvc.cli.option_arguments import add_options, parsed_options

HELP = "decode a stream into a video"
EPILOG = """\
examples:
  gfvc decode talk.266 talk.mp4      H.264, plays anywhere
  gfvc decode talk.266 talk.mkv      FFV1, lossless
  gfvc decode talk.266 pictures      a folder of PNG files
  gfvc decode talk.mp4 out.mp4       with the sound of talk.mp4
  gfvc decode talk.266 out.mp4 --credentials chain.pem key.pem
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    from gfvc.options.decoding import DecodeOptions

    parser.add_argument(
        "input",
        type=Path,
        metavar="IN",
        help="VVC or HEVC stream with GFV messages, or an .mp4 that holds one",
    )
    parser.add_argument(
        "output",
        type=Path,
        metavar="OUT",
        help="video by suffix (.mp4, .mkv lossless, .y4m raw), or a folder of PNG files",
    )
    add_options(parser, DecodeOptions)
    parser.add_argument(
        "--credentials",
        nargs=2,
        type=Path,
        metavar=("CERT", "KEY"),
        help="sign an .mp4 OUT: a C2PA manifest says that faces are generated, and from which "
        "stream; CERT is a certificate chain and KEY its private key, both PEM (extra: "
        "credentials)",
    )
    add_runtime_arguments(parser)
    add_result_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import answer, note, progress_bar
    from gfvc.credentials import Credentials
    from gfvc.decoder import decode
    from gfvc.options.decoding import DecodeOptions

    with progress_bar("decoding") as progress:
        summary = decode(
            options.input,
            options.output,
            parsed_options(DecodeOptions, options, runtime=runtime_from(options)),
            force=options.force,
            credentials=None if options.credentials is None else Credentials(*options.credentials),
            notes=note,
            progress=progress,
        )
    if options.json:
        answer(summary.to_json())
    else:
        note(
            f"{options.output}: {summary.frames} pictures of {summary.width}x{summary.height} at "
            f"{float(summary.rate):g}/s, {summary.seconds:.1f} s"
        )
    return 0
