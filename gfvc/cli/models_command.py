"""List the animation models and show their cards."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

HELP = "list animation models and show their cards"
EPILOG = """\
examples:
  gfvc models              one line for each model
  gfvc models show mesh    everything about one
  gfvc models verify       check the shipped files against their hashes
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "show", "verify"),
        default="list",
        help="list (default): one line a model; show NAME: its card; verify: check files",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="model to show or verify")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from models import ModelError, default_registry
    from models.card import file_sha256

    registry = default_registry()
    if options.action == "show" and not options.name:
        sys.stderr.write("gfvc models: show needs the NAME of a model; see gfvc models list\n")
        return 2
    cards = [registry.find(options.name).card] if options.name else registry.cards()
    if options.action == "verify":
        for card in cards:
            if card.path is not None and file_sha256(card.path) != card.sha256:
                raise ModelError(f"{card.path}: differs from its card; install gfvc again")
            sys.stdout.write(f"{card.name}: ok\n")
        return 0
    if options.json:
        sys.stdout.write(json.dumps([asdict(card) for card in cards]) + "\n")
    elif options.action == "list":
        for card in cards:
            sys.stdout.write(f"{card.name}\t{card.uri}\t{card.description}\n")
    else:
        for field, value in asdict(cards[0]).items():
            sys.stdout.write(f"{field}: {value}\n")
    return 0
