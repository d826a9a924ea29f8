"""Cost of the networks: ``python -m benchmarks.models_speed [--model NAME ...] [--json FILE]``.

Full-size networks with synthetic weights, `mesh`, and `face` with random weights run by torch
(`face-torch`) and by onnxruntime (`face-onnx`), all with the same number of threads in one run: the
median time of each step, multiplications of its convolutions and linear layers, parameters, and
the peak memory of a process of its own. The models take turns.

`animate` is one picture, from the call to its end. `in a run` is what a picture takes when many are
drawn one after the other, as in decoding: the time of `Reference.begin` for some seconds'
worth of them (4 to 64), divided by their number. There each model uses the threads as it does by
default: those run by torch draw a picture with all of them, `face-onnx` draws as many pictures at
the same time as there are threads, each with one; its single `animate` so has one thread.
`re-encoding` is a picture without anything kept of the key picture (for fv2v that includes the
canonical keypoints); `gain` is how much faster a picture is with the source prepared once.

``--bfloat16`` (as of `gfvc decode`) and ``--channels-last`` change how the published networks run
in torch, which changes what they draw. Analysis of `mesh` and `face` includes Face Mesh, and for
`face` the alignment; that of the others no face tracker. What onnxruntime multiplies is not
counted: `face-onnx` is the network of `face-torch`. The last lines compare the drawing of pictures
in a run by FOMM and by `face`.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.timed_model import IN_A_RUN, MODELS, Conditions, Times, measure


def _rows(measured: Sequence[Times]) -> list[str]:
    """The table."""
    steps = list(measured[0].milliseconds)
    head = "model".ljust(16) + "".join(f"{step + ' ms':>16}{'GMAC':>8}" for step in steps)
    rows = [head + f"{'gain':>7}{'M params':>10}{'MiB':>7}"]
    for times in measured:
        row = times.model.ljust(16)
        row += "".join(f"{times.typical(step):16.1f}{times.gmac[step]:8.2f}" for step in steps)
        gain = times.times_faster("animate", times, "re-encoding")
        rows.append(f"{row}{gain:7.2f}{times.parameters / 1e6:10.1f}{times.peak_mib:7.0f}")
    return rows


def _comparisons(measured: Sequence[Times]) -> list[str]:
    """How many times faster `face` draws a picture than FOMM, for each way of running it."""
    fomm = next((times for times in measured if times.model == "fomm"), None)
    if fomm is None:
        return []
    gain = fomm.times_faster("animate", fomm, "re-encoding")
    lines = [f"fomm, source prepared once: {gain:.2f} times faster"]
    for times in measured:
        if times.model.startswith("face-"):
            faster = times.times_faster(IN_A_RUN, fomm, IN_A_RUN)
            lines.append(f"{times.model}: a picture in a run {faster:.1f} times faster than fomm")
    return lines


def main() -> None:
    """Measure, print a table, write JSON when asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5, help="turns of each model")
    parser.add_argument("--bfloat16", action="store_true", help="draw in bfloat16")
    parser.add_argument("--channels-last", action="store_true", help="weights in channels_last")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    conditions = Conditions(options.threads, options.bfloat16, options.channels_last)
    measured = measure(options.model, conditions, options.runs)
    described = {
        "processor": platform.processor() or platform.machine(),
        "runs": options.runs,
        "torch": torch.__version__,
        **asdict(conditions),
    }
    print(", ".join(f"{key} {value}" for key, value in described.items()))
    print("\n".join([*_rows(measured), *_comparisons(measured)]))
    if options.json:
        models = [asdict(times) for times in measured]
        options.json.write_text(json.dumps({"conditions": described, "models": models}, indent=2))


if __name__ == "__main__":
    main()
