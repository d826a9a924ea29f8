"""List the animation models, show their cards, and import published weights for the networks.

Weights are kept in the folder that GFVC_MODELS names, by default gfvc/models in the XDG data folder
(~/.local/share).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfvc.cli.console import answer, note
from sei.escaping import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models import Registry
    from models.card import NetworkCard

HELP = "list animation models, show their cards, import weights"
EPILOG = """\
examples:
  gfvc models                              one line for each model
  gfvc models show mesh                    everything about one
  gfvc models import fomm vox.pth.tar      check and keep the weights of a public checkpoint
  gfvc models import fomm vox.pth.tar --variant official --as fomm_official
  gfvc models verify                       check all files against their hashes
  gfvc models remove fomm                  delete imported weights
"""

ACTIONS = ("list", "show", "verify", "import", "remove")
_OPERANDS = {"list": (0, 0), "show": (1, 1), "verify": (0, 1), "import": (2, 2), "remove": (1, 1)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "action",
        nargs="?",
        choices=ACTIONS,
        default="list",
        help="list (default): one line a model; show NAME: its card; verify [NAME]: check files; "
        "import NAME FILE: keep the weights of a checkpoint; remove NAME: delete imported weights",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="model")
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="checkpoint to import: .pth.tar, .pth or .safetensors",
    )
    parser.add_argument(
        "--variant",
        metavar="NAME",
        help="which published copy of the network the weights belong to (default: jvet_v2)",
    )
    parser.add_argument(
        "--as",
        dest="alias",
        metavar="NAME",
        help="name that the imported weights go by: 32 small letters, digits and _ at "
        "most, a letter first (default: the network's)",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace weights imported under the same name"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    given = (options.name is not None) + (options.file is not None)
    least, most = _OPERANDS[options.action]
    if not least <= given <= most:
        sys.stderr.write(f"gfvc models: wrong number of arguments for {options.action}; see -h\n")
        return 2
    if idle := _idle(options):
        sys.stderr.write(f"gfvc models: {idle} does nothing with {options.action}; leave it out\n")
        return 2
    if options.action == "import":
        return _import(options)
    if options.action == "remove":
        return _remove(options)
    return _tell(options)


def _idle(options: argparse.Namespace) -> str | None:
    """An option that was given and is not about the action."""
    importing = options.action == "import"
    given = {
        "--variant": options.variant is not None and not importing,
        "--as": options.alias is not None and not importing,
        "--force": options.force and not importing,
        "--json": options.json and options.action in ("verify", "remove"),
    }
    return next((option for option, idle in given.items() if idle), None)


def _import(options: argparse.Namespace) -> int:
    from models import UnknownModelError, default_registry
    from models.family import imported_families
    from models.weights.loading import import_checkpoint
    from models.weights.store import WeightsStore, weights_folder

    family = imported_families().get(options.name)
    if family is None:
        known = ", ".join(imported_families())
        raise UnknownModelError(f"no network named {options.name!r} takes weights ({known} do)")
    store = WeightsStore(weights_folder())
    card = import_checkpoint(
        options.file,
        family,
        store,
        variant=options.variant,
        name=options.alias,
        force=options.force,
    )
    if options.json:
        answer(asdict(card))
    else:
        uri = default_registry(store).find(card.name).card.uri
        sys.stdout.write(f"{card.name}\t{uri}\t{printable(store.weights_path(card))}\n")
    return 0


def _remove(options: argparse.Namespace) -> int:
    from models.weights.store import WeightsStore, weights_folder

    for path in WeightsStore(weights_folder()).remove(options.name):
        sys.stdout.write(f"{printable(path)}\n")
    return 0


def _tell(options: argparse.Namespace) -> int:
    from models import CheckpointError, default_registry

    registry = default_registry()
    cards = _cards(options, registry)
    for problem in registry.problems:
        note(problem)
    if options.action == "verify":
        unusable = len(registry.problems)
        if options.name:
            sys.stdout.write(f"{options.name}: {_verify(cards[0])}\n")
        else:
            unusable += sum(not _is_sound(card) for card in cards)
        if unusable:
            raise CheckpointError(f"models that cannot be used: {unusable}")
    elif options.json:
        answer([{**_described(card), "has_weights": card.has_weights} for card in cards])
    elif options.action == "list":
        for card in registry.cards():
            state = "ready" if card.has_weights else "no weights"
            sys.stdout.write(f"{card.name}\t{state}\t{card.uri}\t{card.description}\n")
    else:
        for field, value in _described(cards[0]).items():
            sys.stdout.write(f"{field}: {printable(str(value))}\n")
    return 0


def _cards(options: argparse.Namespace, registry: Registry) -> Sequence[NetworkCard]:
    """Those that are asked about; post-filters are no models, but have cards and files too."""
    from models.post_filter.card import CARDS

    if options.name:
        filters = [card for card in CARDS if card.name == options.name]
        return filters or [registry.find(options.name).card]
    return [*registry.cards(), *CARDS] if options.action == "verify" else registry.cards()


def _described(card: NetworkCard) -> dict[str, Any]:
    """The card's fields; its engine by the older name "runtime", which others read."""
    return {"runtime" if name == "engine" else name: value for name, value in asdict(card).items()}


def _is_sound(card: NetworkCard) -> bool:
    """Check the file of a model; say what it is, or why it cannot be used."""
    from models import CheckpointError

    try:
        sys.stdout.write(f"{card.name}: {_verify(card)}\n")
    except CheckpointError as error:
        note(f"{card.name}: {error}")
        return False
    return True


def _verify(card: NetworkCard) -> str:
    """Check the file of a model; raise `CheckpointError` when it is not what its card says."""
    from models import CheckpointError

    if card.path is None:
        return "no weights"
    altered = card.altered_file()
    if altered is not None:
        remedy = "import the weights again" if card.engine == "torch" else "install gfvc again"
        raise CheckpointError(f"{altered}: differs from its card; {remedy}")
    return "ok"
