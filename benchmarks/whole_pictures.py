"""Rate and quality of whole pictures, beside VVenC on the same pictures.

    python -m benchmarks.whole_pictures CLIP... [--size N] [--seconds S] [--quality NAME,...]
        [--key-qp N,...] [--peer-qp N,...] [--half-qp N,...] [--sheet DIR]

Each clip is scaled as `gfvc encode --size N` does it. Its pictures are then coded by
gfvc at each `--quality` and `--key-qp`, and by VVenC (preset medium, random access, one intra
picture) at each `--peer-qp`, and at half the width and height at each `--half-qp`. PSNR, MS-SSIM
and VMAF are of whole pictures; errors of landmarks, lips and lids of the face square, scaled to
what models see. The seam is the energy of gradients along the border of the face square, over that
of the source: an edge that shows makes it more than 1. The last rows are Bjøntegaard rates against
the better of VVenC's two sizes. With `--sheet` five moments of each clip are put side by side in
DIR/CLIP.png: source, each of gfvc's, and VVenC at the QP whose rate is nearest to the middle one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from base_codec_adapters.video import VideoRequest, decoded_video, encode_video, find_video_encoder
from gfvc import EncodeOptions, decode, encode
from gfvc.bench.curves import RatePoint, envelope, rate_difference, useful_points
from gfvc.colour import to_picture420, to_rgb
from gfvc.face_square import FaceSquare
from gfvc.framing import Framing, frame
from gfvc.metrics import MEASURES, ClipMeasure, Picture, ms_ssim, psnr
from gfvc.metrics.vmaf import VmafMeasure
from gfvc.options.encoding import QUALITIES
from gfvc.scaling import Size, read_scaled, scale
from gfvc.video_reader import probe_video, read_pictures
from gfvc.video_writer import open_writer
from gfvc.whole_pictures.compositing import cut_face

SHOWN = 5
"""Moments of a sheet."""
COMPARED = ("ms_ssim", "vmaf", "psnr", "landmark_error", "lip_error")


@dataclass(frozen=True)
class Source:
    """Pictures of a clip as they are coded, in a lossless file."""

    name: str
    path: Path
    rate: Fraction
    framing: Framing
    count: int

    def read(self) -> Iterator[Picture]:
        """The pictures."""
        return read_pictures(self.path, self.rate)


@dataclass(frozen=True)
class Point:
    """What came of coding a clip: its rate, the mean scores, and the pictures that are shown."""

    curve: str
    label: str
    kbps: float
    scores: dict[str, float | None]
    shown: list[Picture] = field(repr=False, default_factory=list)


def prepare(clip: Path, size: int, seconds: float, folder: Path) -> Source:
    """Scale a clip."""
    video = probe_video(clip)
    options = EncodeOptions(size=size)
    framing = frame(clip, video.width, video.height, options, lambda note: None)
    path = folder / f"{clip.stem}.mkv"
    count = 0
    pictures = read_scaled(clip, video.rate, framing.crop, framing.size)
    with open_writer(path, video.rate) as writer:
        for picture in islice(pictures, round(seconds * video.rate)):
            writer.write(picture)
            count += 1
    return Source(clip.stem, path, video.rate, framing, count)


def by_gfvc(source: Source, label: str, options: EncodeOptions, folder: Path) -> Point:
    """Code a clip with gfvc."""
    stream, decoded = folder / "stream.266", folder / "decoded.mkv"
    encode(source.path, stream, options, force=True)
    decode(stream, decoded, force=True)
    bits = 8 * stream.stat().st_size
    return measured(source, "gfvc", label, bits, read_pictures(decoded, source.rate))


def by_vvenc(source: Source, qp: int, reduction: int, folder: Path) -> Point:
    """Code a clip with VVenC."""
    width, height = (2 * round(side / reduction / 2) for side in source.framing.size)
    encoder = find_video_encoder("vvenc")
    request = VideoRequest(width, height, source.rate, qp, "random_access", encoder.preset)
    stream = folder / "peer.266"
    small = (to_picture420(scale(picture, (width, height))) for picture in source.read())
    video = encode_video(encoder, request, small, stream)
    with decoded_video(encoder, request, stream, len(video.picture_bits)) as pictures:
        shown = (_enlarged(to_rgb(picture), source.framing.size) for picture in pictures)
        curve = "vvenc" if reduction == 1 else "vvenc half size"
        return measured(source, curve, f"QP {qp}", 8 * stream.stat().st_size, shown)


def _enlarged(picture: Picture, size: Size) -> Picture:
    enlarged = cv2.resize(picture, size, interpolation=cv2.INTER_LANCZOS4)
    return np.asarray(enlarged, np.uint8)


def measured(
    source: Source, curve: str, label: str, bits: int, decoded: Iterable[Picture]
) -> Point:
    """Score decoded pictures."""
    square = source.framing.square
    assert square is not None
    wholes: dict[str, list[float]] = {"ms_ssim": [], "psnr": []}
    seams: list[tuple[float, float]] = []
    shown: list[Picture] = []
    with ClipMeasure(source.rate, vmaf=False) as measure, closing(VmafMeasure(source.rate)) as vmaf:
        pairs = zip(source.read(), decoded, strict=True)
        for number, (wanted, found) in enumerate(pairs):
            wholes["ms_ssim"].append(ms_ssim(wanted, found))
            wholes["psnr"].append(psnr(wanted, found))
            vmaf.add(wanted, found)
            seams.append((seam_energy(wanted, square), seam_energy(found, square)))
            face = cut_face(found, square)
            measure.add(cut_face(wanted, square), face, face)
            if number in moments(source.count):
                shown.append(found)
        of_face = measure.finish().of_clip()
        wholes["vmaf"] = list(vmaf.finish())
    scores: dict[str, float | None] = {
        name: float(np.mean(values)) for name, values in wholes.items()
    }
    for name in ("landmark_error", "lip_error", "lid_error"):
        scores[name] = of_face[name]
    of_source, of_decoded = np.sum(seams, axis=0)
    scores["seam"] = float(of_decoded / of_source) if of_source else None
    kbps = bits * float(source.rate) / source.count / 1000
    return Point(curve, label, kbps, scores, shown)


def seam_energy(picture: Picture, square: FaceSquare) -> float:
    """Mean square of differences across the border of a square, where there is a picture beyond."""
    values = picture.astype(np.float32).mean(axis=2)
    height, width = values.shape
    rows, columns = square.window
    top, bottom, left, right = rows.start, rows.stop, columns.start, columns.stop
    across = [
        values[place, columns] - values[place - 1, columns]
        for place in (top, bottom)
        if 0 < place < height
    ] + [
        values[rows, place] - values[rows, place - 1]
        for place in (left, right)
        if 0 < place < width
    ]
    return float(np.mean(np.concatenate(across) ** 2)) if across else 0.0


def moments(count: int) -> list[int]:
    """Numbers of the pictures that a sheet shows."""
    return [round((2 * n + 1) * (count - 1) / (2 * SHOWN)) for n in range(SHOWN)]


def against_vvenc(points: Sequence[Point]) -> Iterator[str]:
    """Bjøntegaard rates of gfvc against the better of VVenC's sizes."""
    for name in COMPARED:
        measure = MEASURES[name]
        curves: dict[str, list[RatePoint]] = {}
        for point in points:
            value = point.scores[name]
            if value is not None:
                curves.setdefault(point.curve, []).append(RatePoint(point.kbps, value))
        own = curves.pop("gfvc", [])
        best = envelope([useful_points(each, measure) for each in curves.values()], measure)
        difference = rate_difference(best, own, measure)
        if difference is None or difference.percent is None:
            said = "none" if difference is None else difference.status.value
            if difference is not None and difference.gap:
                said += ", gfvc better" if difference.gap > 0 else ", VVenC better"
        else:
            said = f"{difference.percent:+.1f} %"
        yield f"{name} {said}"


def sheet(source: Source, points: Sequence[Point], path: Path) -> None:
    """Pictures side by side: a column of the source, and one of each point."""
    numbers = moments(source.count)
    own = [point for point in points if point.curve == "gfvc"]
    middle = sorted(point.kbps for point in own)[len(own) // 2]
    peers = [point for point in points if point.curve != "gfvc"]
    peer = min(peers, key=lambda point: abs(point.kbps - middle), default=None)
    wanted = [picture for n, picture in enumerate(source.read()) if n in numbers]
    columns = [wanted, *(point.shown for point in own), *([] if peer is None else [peer.shown])]
    whole = np.hstack([np.vstack(column) for column in columns])
    cv2.imwrite(str(path), cv2.cvtColor(whole, cv2.COLOR_RGB2BGR))


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.whole_pictures")
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--size", type=int, default=360)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--quality", default="low,medium,high")
    parser.add_argument("--key-qp", default="")
    parser.add_argument("--peer-qp", default="37,42,47,52,57")
    parser.add_argument("--half-qp", default="32,37,42,47")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args(arguments)
    write = sys.stdout.write
    write("| clip | codec | | kbit/s | MS-SSIM | VMAF | PSNR | landmark error | lip error |")
    write(f" lid error | seam |\n{'| --- ' * 11}|\n")
    for clip in options.clips:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            source = prepare(clip, options.size, options.seconds, folder)
            points: list[Point] = []
            for point in _points(source, options, folder):
                points.append(point)
                scores = point.scores
                numbers = " | ".join(
                    "-" if scores[key] is None else f"{scores[key]:{form}}"
                    for key, form in (
                        ("ms_ssim", ".4f"),
                        ("vmaf", ".1f"),
                        ("psnr", ".2f"),
                        ("landmark_error", ".4f"),
                        ("lip_error", ".4f"),
                        ("lid_error", ".4f"),
                        ("seam", ".2f"),
                    )
                )
                write(
                    f"| {source.name} | {point.curve} | {point.label} | {point.kbps:.2f} | "
                    f"{numbers} |\n"
                )
                sys.stdout.flush()
            write(f"\n{source.name}: {', '.join(against_vvenc(points))}\n\n")
            if options.sheet is not None:
                options.sheet.mkdir(parents=True, exist_ok=True)
                sheet(source, points, options.sheet / f"{source.name}.png")
    return 0


def _points(source: Source, options: argparse.Namespace, folder: Path) -> Iterator[Point]:
    for quality in QUALITIES:
        if quality in options.quality.split(","):
            wanted = EncodeOptions(quality=quality)
            yield by_gfvc(source, quality, wanted, folder)
    for qp in _numbers(options.key_qp):
        wanted = EncodeOptions(key_qp=qp)
        yield by_gfvc(source, f"key QP {qp}", wanted, folder)
    for reduction, qps in ((1, options.peer_qp), (2, options.half_qp)):
        for qp in _numbers(qps):
            yield by_vvenc(source, qp, reduction, folder)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


if __name__ == "__main__":
    sys.exit(main())
