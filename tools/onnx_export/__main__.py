"""``python -m tools.onnx_export NAME --out DIR``: exit status 0 when all graphs agree."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from models.errors import ModelError
from models.family import FAMILIES, Family
from models.files import DATA, file_sha256
from models.post_filter.card import CARDS
from models.weights.loading import build_network, read_network
from tools.onnx_export.comparison import Comparison, table
from tools.parity.weights import filled_weights, load_weights

_FILTERS = {card.name: card for card in CARDS}


def load_network(family: Family, weights: Path | None) -> tuple[nn.Module, str]:
    """A network in evaluation mode, and the sha256 of its file of weights.

    Without a file: the weights that ship, else made-up ones, whose hash is "made up".

    Raises:
        CheckpointError: the file is missing, damaged, or of another network.
    """
    if weights is None and family.load is not None:
        weights = next(card.path for card in family.cards())
    if weights is None:
        network = build_network(family, family.variants[0], [])
        return load_weights(network, filled_weights(network)).eval(), "made up"
    if family.read is not None:
        return family.read(weights), file_sha256(weights)
    return read_network(weights, family, family.variants[0]), file_sha256(weights)


def write(name: str, weights: Path | None, out: Path) -> list[Comparison]:
    """Write the graphs of a network into a folder, and compare them with torch.

    Raises:
        ModelError: the file of weights is missing, damaged, or of another network.
    """
    if name in _FILTERS:
        from models.post_filter.network import load_post_filter
        from tools.onnx_export.post_filter import export

        card = _FILTERS[name]
        path = weights or DATA / card.data
        [(graph, _)] = card.graphs
        return export(load_post_filter(path), out / graph, file_sha256(path))
    family = FAMILIES[name]
    assert family.onnx is not None
    network, source = load_network(family, weights)
    rows: list[Comparison] = family.onnx(network, out, source)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Write and check the graphs, print the table, return the exit status."""
    names = sorted([*_FILTERS, *(name for name, family in FAMILIES.items() if family.onnx)])
    parser = argparse.ArgumentParser(
        prog="python -m tools.onnx_export",
        description="Write a network as ONNX graphs and compare them with torch.",
    )
    parser.add_argument("name", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE",
        help="checkpoint (default: the one that ships, else made-up weights)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the graphs")
    options = parser.parse_args(arguments)
    try:
        rows = write(options.name, options.weights, options.out)
        written = sorted(options.out.glob("*.onnx"))
    except (ModelError, OSError) as error:
        sys.stderr.write(f"tools.onnx_export: {error}\n")
        return 1
    sys.stdout.write(table(rows))
    for path in written:
        sys.stdout.write(f"{file_sha256(path)}  {path.stat().st_size:8d} bytes  {path}\n")
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
