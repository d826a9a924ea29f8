"""The main job on a talking head that comes with the package: make, encode, decode, compare."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from base_codec_adapters import Codec
from gfvc.decoder import decode
from gfvc.demo_clip import RATE, make_demo_scene
from gfvc.encoder import EncodeSummary, encode
from gfvc.metrics import LandmarkError
from gfvc.options.encoding import EncodeOptions
from gfvc.picture_strip import spread, write_strip
from gfvc.telling import Notes
from gfvc.video_reader import read_pictures
from gfvc.video_writer import write_video
from models.contract import Picture
from models.metrics.similarity import psnr, ssim

STREAMS: dict[Codec, str] = {"vvc": "demo.266", "hevc": "demo.265"}
STRIP_PICTURES = 6

NAMES = re.compile(r"source\.mkv|demo\.26[56]|decoded_(vvc|hevc)\.mp4|pictures\.png|summary\.json")
"""Names of the files of a folder that the demo made."""


@dataclass(frozen=True, slots=True)
class DemoRow:
    """One codec's result: what was encoded, and how well; PSNR in dB and SSIM are means.

    `repeated_psnr` and `repeated_ssim` are those of showing the decoded key picture all the time.
    """

    stream: str
    encoded: EncodeSummary
    psnr: float
    ssim: float
    repeated_psnr: float
    repeated_ssim: float
    landmark_error: float
    decode_seconds: float

    def to_json(self) -> dict[str, Any]:
        """The object of `gfvc demo --json` and summary.json."""
        encoded = self.encoded
        return {
            "codec": encoded.codec,
            "stream": self.stream,
            "pictures": encoded.frames,
            "key_pictures": encoded.key_pictures,
            "base_bits": encoded.base_bits,
            "sei_bits": encoded.sei_bits,
            "kilobits_per_second": encoded.kilobits_per_second,
            "psnr": self.psnr,
            "ssim": self.ssim,
            "repeated_psnr": self.repeated_psnr,
            "repeated_ssim": self.repeated_ssim,
            "landmark_error": self.landmark_error,
            "encode_seconds": encoded.seconds,
            "decode_seconds": self.decode_seconds,
        }


def run_demo(folder: Path, seconds: float, notes: Notes) -> list[DemoRow]:
    """Run the demo into an existing, empty folder; return a row for each base codec.

    Leaves source.mkv, a stream and a decoded video per codec, pictures.png, and summary.json.
    """
    source = folder / "source.mkv"
    notes(f"drawing {seconds:g} s of a talking head")
    write_video(source, make_demo_scene(seconds), RATE)
    originals = list(read_pictures(source, RATE))
    rows = []
    decoded: dict[str, list[Picture]] = {}
    for codec, name in STREAMS.items():
        notes(f"{codec.upper()}: encoding and decoding")
        stream = folder / name
        summary = encode(source, stream, EncodeOptions(codec=codec))
        video = folder / f"decoded_{codec}.mp4"
        decode(stream, video)
        lossless = folder / f".{codec}.mkv"
        started = time.perf_counter()
        decode(stream, lossless)
        decode_seconds = time.perf_counter() - started
        decoded[codec] = list(read_pictures(lossless, RATE))
        lossless.unlink()
        pictures = decoded[codec]
        key = pictures[0]
        landmarks = LandmarkError()
        for original, picture in zip(originals, pictures, strict=True):
            landmarks.add(original, picture)
        landmarks.close()
        rows.append(
            DemoRow(
                stream=name,
                encoded=summary,
                psnr=_mean(psnr, originals, pictures),
                ssim=_mean(ssim, originals, pictures),
                repeated_psnr=_mean(psnr, originals, [key] * len(originals)),
                repeated_ssim=_mean(ssim, originals, [key] * len(originals)),
                landmark_error=landmarks.mean,
                decode_seconds=decode_seconds,
            )
        )
    rows_of_strip = {
        name: [pictures[number] for number in spread(len(pictures), STRIP_PICTURES)]
        for name, pictures in {"source": originals, **decoded}.items()
    }
    write_strip(folder / "pictures.png", rows_of_strip)
    summary_text = json.dumps([row.to_json() for row in rows], indent=2)
    (folder / "summary.json").write_text(summary_text + "\n", encoding="utf-8")
    return rows


def _mean(
    measure: Callable[[Picture, Picture], float], sources: list[Picture], decoded: list[Picture]
) -> float:
    values = [min(measure(a, b), 100.0) for a, b in zip(sources, decoded, strict=True)]
    return float(np.mean(values))
