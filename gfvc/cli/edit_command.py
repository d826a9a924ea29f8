"""Change what a stream says of the face: the pose of the head, mouth, eyes, smile, liveliness.

Only face messages change, and what our user data say of them; the coded pictures stay byte for
byte. All that is asked for in one call is one edit, with one time (--from, --to); a script
(--script) holds several, one after the other. Edits stay within what networks were trained to draw.

Coded pictures show the face as it was filmed, so where an edit changes it, drawn ones stand in for
them. Ordinary video, of which no message tells, stays as it is. So does gaze: no model here sends
where pupils are.

Edit faces of people who agreed to it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gfvc.cli.arguments import (
    add_files,
    add_options,
    add_result_arguments,
    parsed_options,
    runtime_from,
)

HELP = "edit the face: pose, mouth, eyes, smile"
EPILOG = """\
examples:
  gfvc encode talk.mp4 talk.266
  gfvc edit talk.266 turned.266 --yaw 10 --preview turned.png
  gfvc edit talk.266 calm.266 --pose 0.5 --smooth 0.3         less motion, less jitter
  gfvc edit talk.266 blink.266 --blink 1 --from 2 --to 2.4 --soft 0.1
  gfvc edit talk.266 all.266 --script edits.json
  gfvc edit small.mp4 turned.mp4 --yaw 10                     MP4 of `gfvc encode`, with its sound

  edits.json: {"edits": [{"yaw": 10, "from": 1, "to": 3}, {"smile": 0.5}]}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    from gfvc.options.editing import EditedStream, FaceEdit

    add_files(
        parser,
        "VVC or HEVC byte stream, or a container of one (.mp4, .mkv)",
        "stream to write; of a container also an .mp4 file, with its sound",
    )
    add_options(parser, FaceEdit)
    parser.add_argument(
        "--script", type=Path, metavar="FILE.json", help="edits to do before that of the options"
    )
    parser.add_argument(
        "--preview",
        type=Path,
        metavar="FILE.png",
        help="draw a few pictures before and after; of whole pictures the faces, too",
    )
    add_options(parser, EditedStream)
    add_result_arguments(parser, runs_networks=True)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import answer, note, progress_bar
    from gfvc.face_edits import edit, read_script
    from gfvc.options.declaration import described_options
    from gfvc.options.editing import EditedStream, FaceEdit
    from gfvc.output import check_writable

    edits: tuple[FaceEdit, ...] = ()
    if options.script is not None:
        for path in filter(None, (options.output, options.preview)):
            check_writable(path, force=options.force, sources=[options.script])
        edits = read_script(options.script)
    further = any(
        getattr(options, name) != default
        for name, (_, default) in described_options(FaceEdit).items()
    )
    if further or not edits:
        edits = (*edits, parsed_options(FaceEdit, options))
    with progress_bar("editing") as (progress, _):
        summary = edit(
            options.input,
            options.output,
            edits,
            preview=options.preview,
            options=parsed_options(EditedStream, options, runtime=runtime_from(options)),
            force=options.force,
            notes=note,
            progress=progress,
        )
    if options.json:
        answer(summary.to_json())
    else:
        note(
            f"{options.output}: {summary.edited_pictures} of {summary.pictures} pictures edited, "
            f"{summary.messages_before} messages became {summary.messages_after}, "
            f"{summary.bytes_before} bytes {summary.bytes_after}, {summary.seconds:.1f} s"
        )
    return 0
