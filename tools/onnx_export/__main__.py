"""``python -m tools.onnx_export NAME --out DIR``: exit status 0 when all graphs agree."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from models.checkpoints import ARCHITECTURES
from models.checkpoints.loading import build_network
from models.checkpoints.reading import read_checkpoint
from models.checkpoints.tensors import fit_tensors
from models.errors import CheckpointError, ModelError
from models.onnx_runtime import OnnxGraph
from tools.onnx_export.comparison import Comparison, compare, table
from tools.onnx_export.graphs import Step, steps_of
from tools.onnx_export.writing import write_graph
from tools.parity import filled_weights, load_weights, synthetic_pictures

LIMIT = 1e-3
"""Most that an output may differ from torch's, relative to its largest value or 1."""


def load_network(name: str, weights: Path | None) -> nn.Module:
    """A network with the weights of a checkpoint, or with made-up ones.

    Raises:
        CheckpointError: the file is no checkpoint of this network.
    """
    architecture = ARCHITECTURES[name]
    variant = architecture.variants[0]
    if weights is None:
        network = build_network(architecture, variant, [])
        return load_weights(network, filled_weights(network)).eval()
    tensors = read_checkpoint(weights, architecture.entries)
    network = build_network(architecture, variant, tensors.keys())
    try:
        network.load_state_dict(fit_tensors(tensors, network), strict=True, assign=True)
    except CheckpointError as error:
        raise CheckpointError(f"{weights}: {error}") from None
    return network.eval()


def export_network(network: nn.Module, folder: Path, size: int = 256) -> list[Comparison]:
    """Write a network's graphs into a folder, and compare each output with torch's.

    A graph that the exporter or onnxruntime cannot make or run is a row that says so.
    """
    pictures = torch.from_numpy(synthetic_pictures()[:2, :, :: 256 // size, :: 256 // size] / 255)
    key, driven = pictures[:1].float(), pictures[1:].float()
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[Comparison] = []
    for step in steps_of(network.requires_grad_(False), key, driven):
        rows += _export_step(step, folder / f"{step.name}.onnx")
    return rows


def _export_step(step: Step, path: Path) -> list[Comparison]:
    try:
        write_graph(step.module, step.inputs, step.outputs, path)
    except (torch.onnx.OnnxExporterError, ValueError) as error:
        return [Comparison(path.name, 0, 0, f"not exported: {_first_line(error)}")]
    try:
        found = OnnxGraph(path).run({name: values.numpy() for name, values in step.inputs.items()})
    except ModelError as error:
        return [Comparison(path.name, 0, 0, f"not run: {_first_line(error)}")]
    return [
        compare(
            f"{path.name} {name}",
            expected.numpy(),
            found[name],
            LIMIT * max(1.0, float(expected.abs().max())),
        )
        for name, expected in zip(step.outputs, step.expected, strict=True)
    ]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write and check the graphs, print the table, return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.onnx_export",
        description="Write a network as ONNX graphs and compare them with torch.",
    )
    parser.add_argument("name", choices=sorted(ARCHITECTURES), metavar="NAME")
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="checkpoint (default: made-up weights)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the graphs")
    options = parser.parse_args(arguments)
    try:
        rows = export_network(load_network(options.name, options.weights), options.out)
    except (ModelError, OSError) as error:
        sys.stderr.write(f"tools.onnx_export: {error}\n")
        return 1
    sys.stdout.write(table(rows))
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
