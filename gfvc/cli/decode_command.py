"""Decode a stream with generative face video SEI messages into a video.

Coded pictures are decoded by the base decoder; all others are drawn from them, by the face
parameters. The decoded pictures are synthetic: they show a face in motions that were measured, not
filmed light.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gfvc.cli.arguments import (
    STREAM,
    add_files,
    add_options,
    add_result_arguments,
    file_or_folder_name,
    parsed_options,
    runtime_from,
)

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

    videos = "video by suffix (.mp4, .mkv lossless, .y4m raw), or a folder of PNG files"
    add_files(parser, STREAM, videos, file_or_folder_name)
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
    add_result_arguments(parser, runs_networks=True)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import answer, note, progress_bar
    from gfvc.credentials import Credentials
    from gfvc.decoder import decode
    from gfvc.options.decoding import DecodeOptions

    with progress_bar("decoding") as (progress, _):
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
