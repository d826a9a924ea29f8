"""Write the motion in a stream for other software: avatars, animation tools, programs.

What is written goes by OUT's suffix:

  .csv   Live Link Face: time code, the 52 ARKit face shapes, head yaw, pitch and roll
  .glb   glTF: an animated head of 478 landmarks, with morph targets
  .bvh   the head's pose, in centimetres and degrees
  .json  all values by picture, and the messages they came in, which `gfvc inject` takes
  .npz   all values by picture as NumPy arrays

Landmarks and the person's own face are seen in the coded pictures, which are decoded for .csv and
.glb; so is what goes straight from one coded picture to the next. docs/export.md says what each
number means.
"""

from __future__ import annotations

import argparse

from gfvc.cli.arguments import STREAM, add_files, add_options, add_result_arguments, parsed_options

HELP = "write head pose and expression for avatars and animation tools"
EPILOG = """\
examples:
  gfvc export talk.266 talk.csv                 for rigs that Live Link Face drives
  gfvc export talk.266 talk.glb --texture       a head that viewers play, with the face on it
  gfvc export talk.266 talk.bvh                 head pose
  gfvc export talk.266 talk.npz                 numpy.load("talk.npz")["head"]

example: the messages go back into the stream
  gfvc export talk.266 talk.json
  gfvc remove talk.266 base.266
  gfvc inject base.266 talk.json again.266
  cmp talk.266 again.266
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    from gfvc.options.exporting import ExportOptions

    add_files(parser, STREAM, "file by suffix: .csv, .glb, .bvh, .json or .npz")
    add_options(parser, ExportOptions)
    add_result_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import answer, note, progress_bar
    from gfvc.exporting.exporter import export
    from gfvc.options.exporting import ExportOptions

    with progress_bar("exporting") as (progress, _):
        summary = export(
            options.input,
            options.output,
            parsed_options(ExportOptions, options),
            force=options.force,
            notes=note,
            progress=progress,
        )
    if options.json:
        answer(summary.to_json())
        return 0
    further = ""
    if summary.key_frames is not None:
        further = f", {summary.key_frames} key frames"
    if summary.without_rule:
        further = (
            f", {len(summary.shapes)} face shapes; no rule gives the other "
            f"{len(summary.without_rule)}, which are 0: {', '.join(summary.without_rule)}"
        )
    note(f"{options.output}: {summary.pictures} pictures{further}")
    return 0
