"""Encode a talking-head video as one standard VVC or HEVC stream.

IN is any video file. The face is found and a steady square around it chosen, key pictures go
through the base encoder, and every other picture becomes a generative face video SEI message.
Pictures without a face that generation can use are sent as ordinary video of the base codec.
Sound is left out, unless an MP4 file is asked to keep it.
"""

from __future__ import annotations

import argparse
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from gfvc.cli.runtime_arguments import add_runtime_arguments, runtime_from
from models.face import MAX_FEATURES

if TYPE_CHECKING:
    from gfvc.encoder import EncodeSummary

HELP = "encode a video"
EPILOG = """\
examples:
  gfvc encode talk.mp4 talk.266
  gfvc encode talk.mp4 talk.265 --key-qp 30
  gfvc encode talk.mp4 talk.266 --bitrate 3k
  gfvc encode talk.mp4 small.mp4 --audio copy
  gfvc encode face.mp4 face.266 --crop none --fps 25 --json
"""

CODECS = ("vvc", "hevc")
_ALIGN = {"auto": None, "on": True, "off": False}


def _rate(text: str) -> Fraction:
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a rate such as 25 or 30000/1001"
        ) from None
    if not 1 <= rate <= 240:
        raise argparse.ArgumentTypeError(f"{text} is outside 1..240 pictures per second")
    return rate.limit_denominator(1001)


def _interval(text: str) -> int | None:
    if text == "auto":
        return None
    try:
        interval = int(text)
    except ValueError:
        interval = 0
    if interval < 1:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither 'auto' nor a number of pictures >= 1"
        )
    return interval


def _symbol_rate(text: str) -> Fraction | str:
    if text in ("auto", "full"):
        return text
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 240:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither 'auto' nor 'full' nor a rate within 0..240"
        )
    return rate


def _price(text: str) -> float:
    try:
        price = float(text)
    except ValueError:
        price = 0.0
    if not 0 < price < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return price


def _bitrate(text: str) -> float:
    number, unit = (text[:-1], 1000.0) if text[-1:] in ("k", "K") else (text, 1.0)
    try:
        bitrate = float(number) * unit
    except ValueError:
        bitrate = 0.0
    if not 100 <= bitrate <= 1e8:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number of bits per second in 100..100000k, such as 3k or 2500"
        )
    return bitrate


def _size(text: str) -> int:
    try:
        size = int(text)
    except ValueError:
        size = 0
    if not 64 <= size <= 2048 or size % 8:
        raise argparse.ArgumentTypeError(f"{text!r} is not a multiple of 8 in 64..2048")
    return size


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("input", type=Path, metavar="IN", help="video file to encode")
    parser.add_argument(
        "output",
        type=Path,
        metavar="OUT",
        help="stream to write: .266 or .vvc, .265 or .hevc, or an .mp4 file that holds one",
    )
    parser.add_argument(
        "--codec",
        choices=CODECS,
        help="base codec (default: by OUT's suffix, VVC if that is silent)",
    )
    parser.add_argument(
        "--base-encoder",
        default="auto",
        metavar="NAME",
        help="encoder of the key pictures (default: auto, the first that is installed)",
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="animation model (default: face, or mesh where --size is no multiple of 32; see gfvc "
        "models)",
    )
    parser.add_argument(
        "--features",
        type=int,
        choices=range(MAX_FEATURES + 1),
        default=0,
        metavar="N",
        help=f"0..{MAX_FEATURES} values a picture for what landmarks do not say, measured by the "
        "face model (default: 0)",
    )
    parser.add_argument(
        "--align",
        choices=tuple(_ALIGN),
        default="auto",
        help="correct each tracked face by what the key picture shows when it is bent so, for "
        "models that draw from landmarks (default: auto, on for face, off for mesh)",
    )
    parser.add_argument(
        "--bitrate",
        type=_bitrate,
        metavar="N[k]",
        help="bits per second that OUT without its sound shall take, within 5 %%, such as 3k or "
        "2500; codes the clip several times to find the --key-qp and --symbol-price for it",
    )
    parser.add_argument(
        "--quality",
        choices=("low", "medium", "high"),
        help="a --key-qp and a --symbol-price that go together; see docs/rate_control.md (default: "
        "medium)",
    )
    parser.add_argument(
        "--key-qp",
        type=int,
        metavar="N",
        help="quantisation parameter of key pictures, 0..63 for VVC, 0..51 for HEVC; higher is "
        "smaller (default: 32)",
    )
    parser.add_argument(
        "--key-interval",
        type=_interval,
        default=None,
        metavar="auto|N",
        help="send a key picture every N pictures (default: auto, at least every 30 s); one is "
        "always sent when the face was lost and is found again",
    )
    parser.add_argument(
        "--key-pictures",
        choices=("auto", "fixed"),
        default="fixed",
        help="auto: send more key pictures where the face would be drawn badly without, and at "
        "scene cuts; fixed: only those of --key-interval (default: fixed)",
    )
    parser.add_argument(
        "--reference-pool",
        type=int,
        choices=range(1, 9),
        default=1,
        metavar="N",
        help="let each picture be made from that of the last N key pictures (1..8) which suits it "
        "best; an extension of gfvc's own, other decoders take the last one (default: 1)",
    )
    parser.add_argument(
        "--crop",
        choices=("auto", "none"),
        default="auto",
        help="auto: find the face and choose a square for the clip; none: take the whole picture, "
        "which must be square (default: auto)",
    )
    parser.add_argument(
        "--size",
        type=_size,
        default=256,
        metavar="N",
        help="side of the coded picture (default: 256)",
    )
    parser.add_argument(
        "--fps",
        type=_rate,
        metavar="RATE",
        help="pictures per second, 25 or 30000/1001 (default: IN's)",
    )
    parser.add_argument(
        "--low-delay",
        action="store_true",
        help="give each picture a message in a NAL unit of its own, written at once (costs much)",
    )
    parser.add_argument(
        "--symbol-rate",
        type=_symbol_rate,
        metavar="auto|full|N",
        help="messages with face parameters a second; between them the decoder interpolates; auto: "
        "where they pay, full: one for each picture (default: auto)",
    )
    parser.add_argument(
        "--symbol-price",
        type=_price,
        metavar="N",
        help="how far the face may be off to save a bit of its parameters, as mean squared "
        "displacement of its landmarks in hundredths of the distance of the eyes (default: 0.05)",
    )
    parser.add_argument(
        "--without",
        action="append",
        choices=("separate-parts", "trellis", "byte-filling", "precision"),
        default=[],
        help="leave out a decision about face parameters (see docs/decisions.md); may be repeated",
    )
    parser.add_argument(
        "--audio",
        choices=("none", "copy"),
        default="none",
        help="copy: keep IN's sound, as it is, in an .mp4 OUT (default: none)",
    )
    parser.add_argument(
        "--fallback",
        choices=("auto", "never", "always"),
        default="auto",
        help="auto: send pictures without a usable face as ordinary video; never: let the face "
        "stand still there, and refuse a clip without one; always: all of it is ordinary video "
        "(default: auto)",
    )
    parser.add_argument(
        "--fallback-qp",
        type=int,
        metavar="N",
        help="quantisation parameter of ordinary video (default: that of key pictures)",
    )
    add_runtime_arguments(parser)
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object about the result"
    )


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from gfvc.cli.console import note, progress_bar
    from gfvc.encode_options import EncodeOptions
    from gfvc.encoder import encode
    from gfvc.errors import OutputError
    from gfvc.symbol_rate import AUTOMATIC_RATE

    if options.low_delay and (options.symbol_rate or options.symbol_price or options.without):
        raise OutputError(
            f"{options.output}: --low-delay sends each picture's message at once, so that nothing "
            "can be decided about it; leave out --symbol-rate, --symbol-price and --without"
        )
    if options.low_delay and options.reference_pool > 1:
        raise OutputError(
            f"{options.output}: with --low-delay each picture is made from the last key picture; "
            "leave out --reference-pool"
        )
    own = options.key_qp is not None or options.symbol_price is not None
    if own + (options.bitrate is not None) + (options.quality is not None) > 1:
        raise OutputError(
            f"{options.output}: --bitrate, --quality, and --key-qp with --symbol-price are three "
            "ways to say how many bits to spend; choose one"
        )
    settings = EncodeOptions(
        codec=options.codec,
        base_encoder=options.base_encoder,
        model=options.model,
        features=options.features,
        align=_ALIGN[options.align],
        key_qp=options.key_qp,
        key_interval=options.key_interval,
        key_pictures=options.key_pictures,
        reference_pool=options.reference_pool,
        crop=options.crop,
        size=options.size,
        rate=options.fps,
        low_delay=options.low_delay,
        symbol_rate=options.symbol_rate or AUTOMATIC_RATE,
        symbol_price=options.symbol_price,
        bitrate=options.bitrate,
        quality=options.quality,
        without=frozenset(name.replace("-", "_") for name in options.without),
        audio=options.audio,
        fallback=options.fallback,
        fallback_qp=options.fallback_qp,
        runtime=runtime_from(options),
    )
    with progress_bar("encoding") as progress:
        summary = encode(
            options.input,
            options.output,
            settings,
            force=options.force,
            notes=note,
            progress=progress,
            stage=progress.describe,
        )
    if options.json:
        sys.stdout.write(json.dumps(summary.to_json()) + "\n")
    else:
        pictures = f"{summary.key_pictures} key"
        if summary.fallback_pictures:
            pictures += f", {summary.fallback_pictures} ordinary video"
        if summary.pictures_from_earlier_keys:
            pictures += f", {summary.pictures_from_earlier_keys} from an earlier key picture"
        note(
            f"{options.output}: {summary.frames} pictures ({pictures}) at "
            f"{float(summary.rate):g}/s, {summary.kilobits_per_second:.2f} kbit/s "
            f"(base layer {summary.base_bits}, face parameters {summary.sei_bits} bits), "
            f"{_found(summary)}{summary.seconds:.1f} s"
        )
    return 0


def _found(summary: EncodeSummary) -> str:
    """The settings that met a bitrate."""
    if summary.target_bitrate is None:
        return ""
    settings = summary.settings
    return (
        f"key QP {settings.key_qp} and symbol price {settings.symbol_price:.3g} after "
        f"{summary.trials} trials, "
    )
