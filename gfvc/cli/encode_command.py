"""Encode a talking-head video as one standard VVC or HEVC stream.

IN is any video file. The whole picture is coded, in its own shape; the face is found and a steady
square around it chosen, in which it is driven. A few pictures go through the base encoder; a
decoder draws the others from these, by generative face video SEI messages that say how the face
moves. Pictures without a face to draw are sent as ordinary video of
the base codec. Sound is left out, unless an MP4 file is asked to keep it (--audio).

Whatever a telephone, camera or editor wrote is read as players show it: turned, mirrored and
cropped pictures, HDR (tone-mapped to BT.709), interlaced video (deinterlaced), variable rates (made
constant, at the rate that most pictures come at, 1 to 240 a second); of several video streams one,
never a cover. What was changed is said, and what cannot be had: transparency, turns that are no
quarter turns. Standard input is copied into the temporary folder (TMPDIR), since a video is read
several times.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gfvc.cli.arguments import (
    add_files,
    add_options,
    add_result_arguments,
    parsed_options,
    runtime_from,
)

if TYPE_CHECKING:
    from gfvc.encoder import EncodeSummary

HELP = "encode a video"
EPILOG = """\
examples:
  gfvc encode talk.mp4 talk.266
  gfvc encode talk.mp4 talk.265 --key-qp 30
  gfvc encode talk.mp4 talk.266 --bitrate 12k
  gfvc encode talk.mp4 small.mp4 --audio copy
  ffmpeg -i cam.mov -f nut - | gfvc encode - talk.266
  gfvc encode face.mp4 face.266 --crop none --fps 25 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    from gfvc.options.encoding import EncodeOptions

    streams = (
        "stream to write: .266 or .vvc, .265 or .hevc, or an .mp4 file that holds one; VVC with "
        ".bin, .bit and no suffix"
    )
    add_files(parser, "video file to encode; - for standard input", streams)
    add_options(parser, EncodeOptions)
    add_result_arguments(parser, runs_networks=True)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import answer, note, progress_bar
    from gfvc.cli.standard_input import as_file
    from gfvc.encoder import encode
    from gfvc.options.encoding import EncodeOptions

    settings = parsed_options(EncodeOptions, options, runtime=runtime_from(options))
    with (
        progress_bar("encoding") as (progress, stage),
        as_file(options.input) as (source, named),
    ):
        summary = encode(
            source,
            options.output,
            settings,
            force=options.force,
            notes=lambda text: note(named(text)),
            progress=progress,
            stage=stage,
        )
    if options.json:
        answer(summary.to_json())
    else:
        pictures = f"{summary.key_pictures} key"
        predicted = summary.tally.coded_pictures - summary.key_pictures - summary.fallback_pictures
        if predicted:
            pictures += f", {predicted} predicted"
        if summary.fallback_pictures:
            pictures += f", {summary.fallback_pictures} ordinary video"
        if summary.pictures_from_earlier_keys:
            pictures += f", {summary.pictures_from_earlier_keys} from an earlier key picture"
        note(
            f"{options.output}: {summary.frames} pictures ({pictures}) at "
            f"{float(summary.rate):g}/s, {summary.kilobits_per_second:.2f} kbit/s "
            f"(base layer {summary.base_bits}, face parameters {summary.sei_bits} bits)"
            f"{_sound(summary, options.output)}, {_found(summary)}{summary.seconds:.1f} s"
        )
    return 0


def _sound(summary: EncodeSummary, output: Path) -> str:
    """The rate of the sound, over its own length, if there is any."""
    if not summary.sound_bits:
        return ""
    from gfvc.video.sound import SoundLength

    seconds = SoundLength(output).seconds or summary.frames / float(summary.rate)
    return f", sound {summary.sound_bits / seconds / 1000:.2f} kbit/s"


def _found(summary: EncodeSummary) -> str:
    """The settings that met a bitrate, with a size that without it might be another.

    Halved pictures are so by these settings, and by no size that could be asked for.
    """
    if summary.target_bitrate is None:
        return ""
    decided = summary.options.whole_pictures and summary.options.coded_side is None
    sized = decided and not summary.halved
    size = f" --coded-size {min(summary.size)}" if sized else ""
    return f"{summary.settings.arguments}{size} after {summary.trials} trials, "
