"""ffmpeg: libvvenc, libx265 and libkvazaar as encoders, and its own VVC and HEVC decoders.

The program is found by argument, by the environment variable ``GFVC_FFMPEG``, or in the
``imageio-ffmpeg`` package, which ships one with everything that is needed here.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Literal

from base_codec_adapters.adapter import BaseDecoder, BaseEncoder
from base_codec_adapters.byte_stream import Codec
from base_codec_adapters.errors import ProgramNotFoundError
from base_codec_adapters.levels import smallest_level
from base_codec_adapters.programs import PROBE_MESSAGE_BYTES, PROBE_TIMEOUT, told_program
from base_codec_adapters.requests import DecodeRequest, Effort, EncodeRequest, ProgramInfo
from base_codec_adapters.runner import run_checked
from base_codec_adapters.vvenc import INTRA_PRESETS, LOW_DELAY_FRAME

VARIABLE = "GFVC_FFMPEG"
# That of imageio-ffmpeg, which does not look whether there is such a program.
_OTHER_VARIABLE = "IMAGEIO_FFMPEG_EXE"

_X265_PRESETS: dict[Effort, str] = {"fast": "fast", "medium": "slow", "slow": "veryslow"}
_KVAZAAR_PRESETS: dict[Effort, str] = {
    "fast": "medium",
    "medium": "veryslow",
    "slow": "veryslow",
}

COMMON_OPTIONS = ("-hide_banner", "-nostdin", "-loglevel", "error", "-y")

PIXEL_FORMATS = {8: "yuv420p", 10: "yuv420p10le"}


def raw_video_options(size: tuple[int, int], fps: Fraction, bit_depth: int) -> list[str]:
    """What tells ffmpeg the form of a file of raw 4:2:0 pictures, of a width and a height."""
    width, height = size
    return [
        *("-f", "rawvideo", "-pix_fmt", PIXEL_FORMATS[bit_depth]),
        *("-video_size", f"{width}x{height}"),
        *("-framerate", f"{fps.numerator}/{fps.denominator}"),
    ]


@dataclass(frozen=True)
class Capabilities:
    """What one ffmpeg program can do: (codec, name) of its encoders and decoders."""

    version: str
    encoders: frozenset[tuple[str, str]]
    decoders: frozenset[tuple[str, str]]


def find_ffmpeg(executable: str | Path | None = None) -> Path:
    """Find ffmpeg: the path given, ``GFVC_FFMPEG``, or the one of imageio-ffmpeg and its variable.

    Raises:
        ProgramNotFoundError: there is none.
    """
    told = told_program(executable, VARIABLE) or told_program(None, _OTHER_VARIABLE)
    if told is not None:
        return told
    try:
        import imageio_ffmpeg

        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise ProgramNotFoundError(
            f"no ffmpeg: install imageio-ffmpeg, or name one in {VARIABLE} ({error})"
        ) from error


@lru_cache(maxsize=8)
def read_capabilities(executable: Path) -> Capabilities:
    """Ask an ffmpeg program for its version, encoders and decoders; once a process.

    Raises:
        ProgramError: it is not ffmpeg, or does not run.
    """
    outcome = run_checked(
        [str(executable), "-codecs"], timeout=PROBE_TIMEOUT, message_bytes=PROBE_MESSAGE_BYTES
    )
    version = re.search(r"^ffmpeg version (\S+)", outcome.messages, re.MULTILINE)
    if version is None:
        raise ProgramNotFoundError(
            f"{executable}: not ffmpeg (it states no version)", command=outcome.command
        )
    encoders: set[tuple[str, str]] = set()
    decoders: set[tuple[str, str]] = set()
    for line in outcome.messages.splitlines():
        row = re.match(r"([D.])([E.])V\S{3}\s+(\S+)", line)
        if row is None:
            continue
        decodes, encodes, codec = row.groups()
        if decodes == "D":
            decoders.update((codec, name) for name in _listed("decoders", line) or [codec])
        if encodes == "E":
            encoders.update((codec, name) for name in _listed("encoders", line) or [codec])
    return Capabilities(f"ffmpeg {version[1]}", frozenset(encoders), frozenset(decoders))


def _listed(role: str, line: str) -> list[str]:
    """Names in ``(role: …)``; ffmpeg leaves the list out where the one name is the codec's."""
    names = re.search(rf"\({role}: ([^)]*)\)", line)
    return names[1].split() if names else []


def find_with(
    executable: str | Path | None,
    role: Literal["encoders", "decoders"],
    coder: tuple[str, str],
    named: str,
) -> ProgramInfo:
    """An ffmpeg that has an encoder or decoder (the codec and the library), `named` in errors.

    Raises:
        ProgramNotFoundError: there is none.
    """
    found = find_ffmpeg(executable)
    capabilities = read_capabilities(found)
    if coder not in getattr(capabilities, role):
        raise ProgramNotFoundError(
            f"{found} ({capabilities.version}) has no {named}: name an ffmpeg that has it in "
            f"{VARIABLE}"
        )
    return ProgramInfo(found, capabilities.version)


class FfmpegEncoder(BaseEncoder):
    """ffmpeg with one of its encoder libraries; subclasses name the library and its options."""

    library: str

    def find_program(self) -> ProgramInfo:
        """Find an ffmpeg that has the encoder library."""
        coder = (self.codec, self.library)
        return find_with(self._executable, "encoders", coder, self.library)

    @abstractmethod
    def library_options(self, request: EncodeRequest) -> list[str]:
        """The options that are the encoder library's own."""

    def command(
        self, request: EncodeRequest, executable: Path, source: Path, target: Path
    ) -> list[str]:
        """Raw video in, elementary stream out, one thread.

        The colour description stands among the input options only: it then says what the samples
        are and travels to the encoder, while among the output options ffmpeg takes it as a wish
        to convert.
        """
        colour = request.colour
        return [
            str(executable),
            *COMMON_OPTIONS,
            *raw_video_options(self.raw_size(request), request.fps, self.bit_depth),
            *("-color_primaries", str(colour.primaries), "-color_trc", str(colour.transfer)),
            *("-colorspace", str(colour.matrix)),
            *("-color_range", "pc" if colour.full_range else "tv"),
            *("-i", str(source), "-map", "0:v:0", "-fps_mode", "passthrough"),
            *("-c:v", self.library, "-threads", "1", *self.library_options(request)),
            *("-f", self.codec, str(target)),
        ]

    def reporting(self, command: list[str], report: Path) -> list[str]:
        """With a report twice a second, ``frame=`` and the rest of a block in lines."""
        return [*command[:-1], "-progress", str(report), command[-1]]

    def coded_pictures(self, report: str) -> int:
        """The number of the last block."""
        numbers = re.findall(r"^frame= *([0-9]{1,9})\n", report, re.MULTILINE)
        return int(numbers[-1]) if numbers else 0


class FfmpegVvencEncoder(FfmpegEncoder):
    """VVC by libvvenc, 10 bits."""

    name = "ffmpeg-libvvenc"
    codec: Codec = "vvc"
    library = "libvvenc"
    bit_depth = 10

    def library_options(self, request: EncodeRequest) -> list[str]:
        """No more parameters than the structure needs.

        Without ``qpa=0`` and ``intraqpoffset=0`` libvvenc codes a lone picture at a QP that is 3
        lower, and lowers it further where it deems the eye to look. Low delay is `LOW_DELAY_FRAME`
        again and again, every picture at the QP asked for. Random access is libvvenc's own, of
        which the first picture is to be the one intra picture.
        With a thread of its own libvvenc may say of fewer than some 30 pictures that it is at their
        end before it has given the first (3 of 10 tries with 20); ``threads=0`` has it work in
        ffmpeg's. Its temporal filter and what builds on it would shift the QP of the key picture.
        ffmpeg hands over the colour description, but not its range. The level that libvvenc finds
        by itself is by the rate only, and too low for large pictures.
        """
        level = smallest_level(self.codec, *self.coded_size(request), request.fps)
        if request.structure == "intra":
            preset = INTRA_PRESETS[request.effort]
            structure = "gopsize=1:intraperiod=1:decodingrefreshtype=idr:intraqpoffset=0"
        elif request.structure == "random_access":
            preset = request.effort
            structure = "intraperiod=-1:poc0idr=1:threads=0"
            if request.key_qp_offset is not None:
                structure += f":intraqpoffset={request.key_qp_offset}:mctf=0:bim=0"
        else:
            preset = request.effort
            structure = (
                "gopsize=1:picreordering=0:intraperiod=-1:decodingrefreshtype=none:threads=0:"
                f"intraqpoffset={request.key_qp_offset or 0}:mctf=0:bim=0:"
                f"numrefpics=0:frame1={LOW_DELAY_FRAME}"
            )
        parameters = (
            f"{structure}:level={level.name}:accessunitdelimiter=0:hrdparameterspresent=0:"
            f"videofullrange={int(request.colour.full_range)}"
        )
        return [
            *("-qp", str(request.qp), "-qpa", "0", "-preset", preset),
            *("-vvenc-params", parameters),
        ]


class FfmpegX265Encoder(FfmpegEncoder):
    """HEVC by libx265, 8 bits."""

    name = "ffmpeg-libx265"
    codec: Codec = "hevc"
    library = "libx265"

    def library_options(self, request: EncodeRequest) -> list[str]:
        """No more parameters than the structure needs, and every picture at the QP asked for.

        But in random access, where the QP is that of the ends of groups, intra pictures are finer
        and those between coarser, as x265 has it. ``ipratio`` is the ratio of quantiser steps,
        which double every 6 QP. Without it x265 codes intra pictures at a QP that is 3 lower. With
        ``scenecut=0`` a sequence has no other random access points than those asked for.

        With ``keyint=1`` x265 would signal the profile Main Intra, which a stream that goes on with
        predicted pictures is not of: ffmpeg asks for each picture to be an IDR picture instead.
        """
        if request.structure == "intra":
            forced = ["-forced-idr", "1", "-force_key_frames", "expr:1"]
            keys = "keyint=2:min-keyint=1:bframes=0:scenecut=0:open-gop=0"
        else:
            forced = []
            groups = "" if request.structure == "random_access" else "bframes=0:"
            keys = f"keyint=-1:{groups}scenecut=0"
        if request.structure != "random_access" or request.key_qp_offset is not None:
            keys = f"ipratio={2 ** (-(request.key_qp_offset or 0) / 6):g}:{keys}"
        parameters = (
            f"qp={request.qp}:{keys}:repeat-headers=1:info=0:vui-timing-info=0:"
            "pools=none:frame-threads=1:wpp=0:log-level=error"
        )
        preset = _X265_PRESETS[request.effort]
        return [*forced, "-preset", preset, "-tune", "psnr", "-x265-params", parameters]


class FfmpegKvazaarEncoder(FfmpegEncoder):
    """HEVC by libkvazaar, 8 bits."""

    name = "ffmpeg-libkvazaar"
    codec: Codec = "hevc"
    library = "libkvazaar"
    # ffmpeg refuses other sizes for libkvazaar.
    alignment = 8

    def library_options(self, request: EncodeRequest) -> list[str]:
        """No more parameters than the structure needs.

        Low delay and random access are kvazaar's own, groups of 4 and of 8 pictures with its QP
        offsets; it states that those of 8 need 8 decoded pictures. ``input-fps=0`` leaves
        timing out of the video usability information. A bit stream filter writes the level, which
        kvazaar states as 6.2, and where the picture was enlarged to multiples of 8 the
        conformance window.
        """
        if request.structure == "intra":
            structure = "period=1,gop=0,vps-period=1"
        else:
            group = "8" if request.structure == "random_access" else "lp-g4d3t1"
            structure = f"period=0,gop={group},vps-period=0"
            if request.key_qp_offset is not None:
                structure += f",intra-qp-offset={request.key_qp_offset}"
        parameters = (
            f"preset={_KVAZAAR_PRESETS[request.effort]},qp={request.qp},{structure},input-fps=0,"
            "info=0,hash=none,aud=0,threads=0,owf=0,wpp=0"
        )
        buffered = 8 if request.structure == "random_access" else 1
        level = smallest_level(self.codec, *self.coded_size(request), request.fps, buffered)
        width, height = self.raw_size(request)
        metadata = f"hevc_metadata=level={level.code}"
        right, bottom = width - request.width, height - request.height
        if right or bottom:
            metadata += f":crop_right={right}:crop_bottom={bottom}"
        return ["-kvazaar-params", parameters, "-bsf:v", metadata]


class FfmpegDecoder(BaseDecoder):
    """ffmpeg's own decoder of one codec."""

    name = "ffmpeg"
    input_options: tuple[str, ...] = ()

    def find_program(self) -> ProgramInfo:
        """Find an ffmpeg that has the decoder."""
        coder = (self.codec, self.codec)
        return find_with(self._executable, "decoders", coder, f"{self.codec} decoder")

    def command(
        self, request: DecodeRequest, executable: Path, source: Path, target: Path
    ) -> list[str]:
        """Elementary stream in, YUV4MPEG2 out, each decoded picture once and unscaled.

        A strict decoding also compares with decoded picture hash SEI messages where there are any.
        """
        if request.lenient:
            errors = ["-max_error_rate", "1"]
        else:
            errors = ["-xerror", "-err_detect", "crccheck+explode"]
        return [
            str(executable),
            *COMMON_OPTIONS,
            *errors,
            *("-threads", "1", "-c:v", self.codec, *self.input_options),
            *("-f", self.codec, "-i", str(source)),
            *("-map", "0:v:0", "-fps_mode", "passthrough", "-noautoscale"),
            *("-strict", "-1", "-f", "yuv4mpegpipe", str(target)),
        ]


class FfmpegVvcDecoder(FfmpegDecoder):
    """ffmpeg's own VVC decoder."""

    codec: Codec = "vvc"
    # It reads a stream in blocks, 1024 bytes each, and goes astray where one block holds another
    # sequence parameter set and pictures before and after it: small ones do not.
    input_options = ("-raw_packet_size", "16")


class FfmpegHevcDecoder(FfmpegDecoder):
    """ffmpeg's own HEVC decoder."""

    codec: Codec = "hevc"
