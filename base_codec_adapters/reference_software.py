"""The reference software: VTM for VVC and HM for HEVC, whose programs share their grammar.

The encoders need the configuration files that come with them, one for each structure. They are
taken from environment variables (``GFVC_VTM_CONFIG`` or ``GFVC_HM_CONFIG`` for intra coding,
``GFVC_VTM_LOW_DELAY_CONFIG`` or ``GFVC_HM_LOW_DELAY_CONFIG`` for low delay,
``GFVC_VTM_RANDOM_ACCESS_CONFIG`` or ``GFVC_HM_RANDOM_ACCESS_CONFIG``), or from the folder
``cfg`` beside the program or above it, where a build of the reference software has them.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from base_codec_adapters.adapter import BaseDecoder, BaseEncoder
from base_codec_adapters.byte_stream import Codec
from base_codec_adapters.errors import ProgramNotFoundError
from base_codec_adapters.levels import Level, smallest_level
from base_codec_adapters.programs import find_program, read_version
from base_codec_adapters.requests import (
    ColourDescription,
    DecodeRequest,
    EncodeRequest,
    ProgramInfo,
    Structure,
)

_VTM_BANNER = r"VVCSoftware: VTM {role} Version \[?([\w.+-]+)"
_HM_BANNER = r"HM software: {role} Version \[?([\w.+-]+)"


def colour_options(colour: ColourDescription) -> list[str]:
    """What states the colours; vvencFFapp has the same options."""
    return [
        "--VuiParametersPresent=1",
        "--ColourDescriptionPresent=1",
        f"--ColourPrimaries={colour.primaries}",
        f"--TransferCharacteristics={colour.transfer}",
        f"--MatrixCoefficients={colour.matrix}",
        f"--VideoFullRange={int(colour.full_range)}",
    ]


class ReferenceEncoder(BaseEncoder):
    """What the encoders of VTM and HM have in common."""

    # Later pictures of a sequence would be CRA pictures: IDR ones are refused at each picture.
    lone_intra = True
    software: ClassVar[str]
    banner: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]
    configurations: ClassVar[dict[Structure, str]]

    def find_program(self) -> ProgramInfo:
        """Look for the program and for its configuration file for intra coding."""
        variable = f"GFVC_{self.software}_ENCODER"
        executable = find_program(self._executable, variable, self.programs)
        version = read_version(executable, "--help", self.banner.format(role="Encoder"))
        self._find_configuration(executable, "intra")
        return ProgramInfo(executable, f"{self.software} {version}")

    def _find_configuration(self, executable: Path, structure: Structure) -> Path:
        which = "" if structure == "intra" else f"_{structure.upper()}"
        variable = f"GFVC_{self.software}{which}_CONFIG"
        name = self.configurations[structure]
        if told := os.environ.get(variable):
            if not Path(told).is_file():
                raise ProgramNotFoundError(f"{told}: no such file (from {variable})")
            return Path(told)
        for folder in executable.resolve().parents:
            candidate = folder / "cfg" / name
            if candidate.is_file():
                return candidate
        raise ProgramNotFoundError(
            f"{executable}: no cfg/{name} beside it or above: name one in {variable}"
        )

    @abstractmethod
    def own_options(self, level: Level) -> list[str]:
        """The options that the other reference software lacks."""

    def command(
        self, request: EncodeRequest, executable: Path, source: Path, target: Path
    ) -> list[str]:
        """The configuration file's tools.

        Its groups of pictures, too, where pictures are predicted; lone intra pictures and key
        pictures have the QP asked for. An HM that has no ``IntraQPOffset`` yet, such as 16.9, ends
        with an error that says so. Without ``Level`` the parameter sets would state none (0). The
        frame rate, a whole number here, bears on nothing.
        """
        level = smallest_level(self.codec, *self.coded_size(request), request.fps)
        if request.structure == "intra":
            structure = ["--GOPSize=1", "--IntraPeriod=1", "--DecodingRefreshType=1"]
        else:
            structure = ["--IntraPeriod=-1", "--DecodingRefreshType=0"]
            if request.key_qp_offset is not None:
                structure.append(f"--IntraQPOffset={request.key_qp_offset}")
        return [
            str(executable),
            *("-c", str(self._find_configuration(executable, request.structure))),
            f"--InputFile={source}",
            f"--BitstreamFile={target}",
            f"--ReconFile={os.devnull}",
            f"--SourceWidth={request.width}",
            f"--SourceHeight={request.height}",
            "--InputChromaFormat=420",
            f"--InputBitDepth={self.bit_depth}",
            f"--InternalBitDepth={self.bit_depth}",
            f"--FrameRate={max(1, round(request.fps))}",
            f"--FramesToBeEncoded={len(request.pictures)}",
            "--TemporalSubsampleRatio=1",
            "--ConformanceWindowMode=1",
            f"--QP={request.qp}",
            f"--Level={level.name}",
            "--Tier=main",
            *structure,
            "--SEIDecodedPictureHash=0",
            *colour_options(request.colour),
            *self.own_options(level),
        ]


class VtmEncoder(ReferenceEncoder):
    """VVC by the VTM encoder, 10 bits."""

    name = "vtm"
    codec: Codec = "vvc"
    bit_depth = 10
    software = "VTM"
    banner = _VTM_BANNER
    programs = ("EncoderAppStatic", "EncoderApp")
    configurations: ClassVar[dict[Structure, str]] = {
        "intra": "encoder_intra_vtm.cfg",
        "low_delay": "encoder_lowdelay_P_vtm.cfg",
        "random_access": "encoder_randomaccess_vtm.cfg",
    }

    def own_options(self, level: Level) -> list[str]:
        """Parameter sets before every random access point."""
        return ["--ReWriteParamSets=1"]


class HmEncoder(ReferenceEncoder):
    """HEVC by the HM encoder, 8 bits."""

    name = "hm"
    codec: Codec = "hevc"
    software = "HM"
    banner = _HM_BANNER
    programs = ("TAppEncoderStatic", "TAppEncoder", "EncoderAppStatic", "EncoderApp")
    configurations: ClassVar[dict[Structure, str]] = {
        "intra": "encoder_intra_main.cfg",
        "low_delay": "encoder_lowdelay_P_main.cfg",
        "random_access": "encoder_randomaccess_main.cfg",
    }

    def own_options(self, level: Level) -> list[str]:
        """HM signals the colour description only inside of the video signal type.

        HM wants a bit rate that its level allows, though it controls none.
        """
        return [f"--TargetBitrate={level.bit_rate}", "--VideoSignalTypePresent=1"]


class ReferenceDecoder(BaseDecoder):
    """What the decoders of VTM and HM have in common; they write raw video only."""

    container = "yuv"
    software: ClassVar[str]
    banner: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]

    def find_program(self) -> ProgramInfo:
        """Look for the program."""
        variable = f"GFVC_{self.software}_DECODER"
        executable = find_program(self._executable, variable, self.programs)
        version = read_version(executable, "--help", self.banner.format(role="Decoder"))
        return ProgramInfo(executable, f"{self.software} {version}")

    def command(
        self, request: DecodeRequest, executable: Path, source: Path, target: Path
    ) -> list[str]:
        """Raw video at the bit depth of the stream (``-d 0``)."""
        return [str(executable), "-b", str(source), "-o", str(target), "-d", "0"]


class VtmDecoder(ReferenceDecoder):
    """VVC by the VTM decoder."""

    name = "vtm"
    codec: Codec = "vvc"
    software = "VTM"
    banner = _VTM_BANNER
    programs = ("DecoderAppStatic", "DecoderApp")


class HmDecoder(ReferenceDecoder):
    """HEVC by the HM decoder, which gets no SEI messages: it aborts on those it does not know."""

    checks_hashes = False
    name = "hm"
    codec: Codec = "hevc"
    software = "HM"
    banner = _HM_BANNER
    programs = ("TAppDecoderStatic", "TAppDecoder", "DecoderAppStatic", "DecoderApp")
