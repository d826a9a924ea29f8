"""Train an animation network on a folder of clips.

DIR gets the state to go on from (state.pt), weights (MODEL-latest and MODEL-best.safetensors),
tables of losses and validation scores, sheets of pictures, and a line of options for each run.
docs/training.md says what to make of them.
"""

from __future__ import annotations

import argparse

from models.training.arguments import add_arguments, run_with
from sei.escaping import printable

__all__ = ["EPILOG", "HELP", "add_arguments", "run"]

HELP = "train a network on your own clips"
EPILOG = """\
examples:
  gfvc train clips --out runs/face --minutes 600 --adversarial-from 20000
  gfvc train clips --out runs/face --minutes 600 --adversarial-from 20000 --resume
  gfvc train clips --out runs/fomm --model fomm --steps 100000 --device cuda

Ctrl-C ends the step that runs and leaves a state; --resume goes on from there.
"""


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    return run_with(options, printable)
