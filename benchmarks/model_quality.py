"""Models against each other: every measure on every clip, and sheets to look at.

    python -m benchmarks.model_quality CLIP... [--models mesh face] [--key-qp N] [--equal-bits]
        [--every N] [--json FILE] [--sheets DIR] [--weights FILE]

Each clip is coded by `gfvc encode` with each model at the same key QP, and drawn from its stream.
With `--equal-bits` no stream is larger than that of the first model: the Lagrangian multiplier of
the others is raised in steps until it is not.
A model is a registered name, or one with how its faces are coded after a colon: `mesh:aligned`,
`face:tracked` (`--align on` and `--align off`).
Clips are square. Measures are defined in docs/measures.md. A sheet has a row for each of some
pictures of the clip: source, key picture, and what each model made of it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.coded_clip import CodedClip, code_clip
from benchmarks.command import command_parser, write_json
from gfvc.cli.console import print_table
from gfvc.metrics import MEASURES, ClipMeasure
from gfvc.options.encoding import DEFAULT_MULTIPLIER
from gfvc.picture_strip import png, write_text
from models import AnimationModel, default_registry
from models.contract import Picture

SHEET_ROWS = 5
PRICE_STEP = 1.04
DEAREST = 10.0
"""What the multiplier is raised by at least for equal bits, and in all at most, as factors."""
PRICE_EXPONENT = 5.0
"""A file of x times the bits is about as large when the multiplier grows by x to this power."""
ALIGNMENT = {"aligned": "on", "tracked": "off"}
_LABEL_HEIGHT = 24


@dataclass(frozen=True, slots=True)
class ModelResult:
    """A model on a clip: bits, scores of the clip, faces lost, sheet columns by picture."""

    clip: str
    model: str
    kbps: float
    scores: dict[str, float | None]
    faces_lost: int


def load_models(names: Sequence[str], weights: Path | None) -> dict[str, AnimationModel]:
    """Models by name as the command line has them; `weights` stand in for those of `face`."""
    models: dict[str, AnimationModel] = {}
    for name in names:
        registered, _, how = name.partition(":")
        if how and how not in ALIGNMENT:
            raise SystemExit(f"{name}: after the colon goes one of {', '.join(ALIGNMENT)}")
        if registered == "face" and weights is not None:
            models[name] = _face_of(weights)
        else:
            models[name] = default_registry().find(registered).load()
    return models


def _face_of(weights: Path) -> AnimationModel:
    import torch

    from models.face.card import with_features
    from models.face.model import FaceModel
    from models.face.torch_rendering import TorchRenderer, load_face_network
    from models.landmarks.face_space import shipped_face_space

    renderer = TorchRenderer(load_face_network(weights), torch.device("cpu"))
    return FaceModel(shipped_face_space(), lambda: renderer, with_features(0).layout)


def measure_clip(
    path: Path, models: dict[str, AnimationModel], options: argparse.Namespace
) -> tuple[list[ModelResult], Picture]:
    """Results of each model on a clip, and the sheet."""
    results = []
    columns: list[list[Picture]] = []
    landmarks = None
    with tempfile.TemporaryDirectory() as folder:
        allowed = None
        for name, model in models.items():
            stream = Path(folder, "coded.266")
            clip = _coded(path, stream, _arguments(name, options), allowed)
            if options.equal_bits and allowed is None:
                allowed = clip.bits
            assert clip.face_stream.rate is not None
            drawn = list(clip.pictures(model, options.every))
            with ClipMeasure(
                clip.face_stream.rate, source_landmarks=landmarks, vmaf=options.every == 1
            ) as measure:
                for picture in drawn:
                    measure.add(picture.source, picture.decoded, picture.key)
                scores = measure.finish()
                landmarks = measure.source_landmarks
            rows = [
                drawn[i] for i in np.linspace(0, len(drawn) - 1, SHEET_ROWS + 1).astype(int)[1:]
            ]
            if not columns:
                columns += [[row.source for row in rows], [row.key for row in rows]]
            columns.append([row.decoded for row in rows])
            results.append(
                ModelResult(
                    path.stem,
                    name,
                    clip.bits / clip.seconds / 1000,
                    scores.of_clip(),
                    scores.faces_lost,
                )
            )
    return results, make_sheet(["source", "key picture", *models], columns)


def _arguments(name: str, options: argparse.Namespace) -> list[str]:
    """How `gfvc encode` codes with a model as the command line names it."""
    registered, _, how = name.partition(":")
    arguments = ["--model", registered]
    if registered == "face" and options.weights:
        # Weights on trial are no registered model; their parameters are those of `mesh`.
        arguments = ["--model", "mesh", "--align", "on"]
    if how:
        arguments += ["--align", ALIGNMENT[how]]
    if options.key_qp is not None:
        arguments += ["--key-qp", str(options.key_qp)]
    return arguments


def _coded(path: Path, stream: Path, arguments: list[str], allowed: int | None) -> CodedClip:
    """A clip as the command codes it, in no more bits than allowed."""
    factor = 1.0
    clip = code_clip(path, stream, "--force", *arguments)
    while allowed is not None and clip.bits > allowed and factor < DEAREST:
        factor *= max(PRICE_STEP, (clip.bits / allowed) ** PRICE_EXPONENT)
        multiplier = f"{factor * DEFAULT_MULTIPLIER:.4f}"
        clip = code_clip(path, stream, "--force", *arguments, "--symbol-price", multiplier)
    return clip


def make_sheet(titles: Sequence[str], columns: Sequence[Sequence[Picture]]) -> Picture:
    """Columns of pictures of one size under their titles."""
    drawn = []
    for title, pictures in zip(titles, columns, strict=True):
        label = np.full((_LABEL_HEIGHT, pictures[0].shape[1], 3), 255, np.uint8)
        write_text(label, title, (4, 17))
        drawn.append(np.concatenate([label, *pictures]))
    return np.concatenate(drawn, axis=1)


def _print_results(results: Sequence[ModelResult], names: Sequence[str]) -> None:
    measured = [m for m in MEASURES.values() if all(r.scores[m.name] is not None for r in results)]
    columns = ["clip", "model", "kbit/s", *(m.title for m in measured), "faces lost"]
    lines: list[list[object]] = []
    for result in results:
        scores = (f"{result.scores[m.name]:.4f}" for m in measured)
        lines.append([result.clip, result.model, f"{result.kbps:.2f}", *scores, result.faces_lost])
    print_table("models, clip by clip", columns, lines, texts=2, width=200)

    first, *others = names
    by_model = {name: [r for r in results if r.model == name] for name in names}
    for name in others:
        columns = ["measure", f"mean {first}", f"mean {name}", "difference", "clips better"]
        lines = []
        for measure in measured:
            old = np.array([r.scores[measure.name] for r in by_model[first]], float)
            new = np.array([r.scores[measure.name] for r in by_model[name]], float)
            better = [measure.improves(*pair) for pair in zip(new, old, strict=True)]
            means = [f"{old.mean():.4f}", f"{new.mean():.4f}", f"{new.mean() - old.mean():+.4f}"]
            lines.append([measure.title, *means, f"{sum(better)} of {len(better)}"])
        console = print_table(f"{name} against {first}", columns, lines, width=200)
        sharpness = [r.scores["sharpness"] for r in by_model[name] if r.scores["sharpness"]]
        console.print(f"sharpness of {name}: {min(sharpness):.2f} to {max(sharpness):.2f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmark."""
    parser = command_parser("model_quality", __doc__, clips=True, json=True)
    parser.add_argument("--models", nargs="+", default=["mesh", "face"], metavar="NAME")
    parser.add_argument("--key-qp", type=int, metavar="N")
    parser.add_argument(
        "--equal-bits", action="store_true", help="no stream is larger than the first model's"
    )
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="measure every N pictures"
    )
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="write a PNG sheet a clip")
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="trained weights in place of those of face"
    )
    options = parser.parse_args(arguments)
    models = load_models(options.models, options.weights)
    results: list[ModelResult] = []
    for path in options.clips:
        found, sheet = measure_clip(path, models, options)
        results += found
        if options.sheets:
            options.sheets.mkdir(parents=True, exist_ok=True)
            name = options.sheets / f"{path.stem}.png"
            name.write_bytes(png(sheet))
        sys.stderr.write(f"{path.stem}\n")
    _print_results(results, options.models)
    write_json(options.json, [asdict(r) for r in results])


if __name__ == "__main__":
    main()
