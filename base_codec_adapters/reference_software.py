"""The reference software: VTM for VVC and HM for HEVC, whose programs share their grammar.

The encoders need one of the configuration files that come with them. It is taken from the
environment variable ``GFVC_VTM_CONFIG`` or ``GFVC_HM_CONFIG``, or from the folder ``cfg`` beside
the program or above it, where a build of the reference software has it.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from base_codec_adapters.adapter import BaseDecoder, BaseEncoder
from base_codec_adapters.errors import ProgramNotFoundError
from base_codec_adapters.programs import find_program, read_version
from base_codec_adapters.requests import Codec, DecodeRequest, EncodeRequest, ProgramInfo

_VTM_BANNER = r"VVCSoftware: VTM {role} Version \[?([\w.+-]+)"
_HM_BANNER = r"HM software: {role} Version \[?([\w.+-]+)"


class ReferenceEncoder(BaseEncoder):
    """What the encoders of VTM and HM have in common."""

    software: ClassVar[str]
    banner: ClassVar[str]
    programs: ClassVar[tuple[str, ...]]
    configuration: ClassVar[str]

    def find_program(self) -> ProgramInfo:
        """Look for the program and for its configuration file."""
        variable = f"GFVC_{self.software}_ENCODER"
        executable = find_program(self._executable, variable, self.programs)
        version = read_version(executable, "--help", self.banner.format(role="Encoder"))
        self._find_configuration(executable)
        return ProgramInfo(executable, f"{self.software} {version}")

    def _find_configuration(self, executable: Path) -> Path:
        variable = f"GFVC_{self.software}_CONFIG"
        if told := os.environ.get(variable):
            if not Path(told).is_file():
                raise ProgramNotFoundError(f"{told}: no such file (from {variable})")
            return Path(told)
        for folder in executable.resolve().parents:
            candidate = folder / "cfg" / self.configuration
            if candidate.is_file():
                return candidate
        raise ProgramNotFoundError(
            f"{executable}: no cfg/{self.configuration} beside it or above: name one in {variable}"
        )

    @abstractmethod
    def own_options(self, request: EncodeRequest) -> list[str]:
        """The options that the other reference software lacks."""

    def command(
        self, request: EncodeRequest, executable: Path, source: Path, target: Path
    ) -> list[str]:
        """The configuration file's tools; IDR pictures only, at the QP asked for.

        The frame rate, a whole number here, bears on nothing but the level.
        """
        colour = request.colour
        return [
            str(executable),
            *("-c", str(self._find_configuration(executable))),
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
            "--GOPSize=1",
            "--IntraPeriod=1",
            "--DecodingRefreshType=2",
            "--SEIDecodedPictureHash=0",
            "--VuiParametersPresent=1",
            "--ColourDescriptionPresent=1",
            f"--ColourPrimaries={colour.primaries}",
            f"--TransferCharacteristics={colour.transfer}",
            f"--MatrixCoefficients={colour.matrix}",
            f"--VideoFullRange={int(colour.full_range)}",
            *self.own_options(request),
        ]


class VtmEncoder(ReferenceEncoder):
    """VVC by the VTM encoder, 10 bits."""

    name = "vtm"
    codec: Codec = "vvc"
    bit_depth = 10
    software = "VTM"
    banner = _VTM_BANNER
    programs = ("EncoderAppStatic", "EncoderApp")
    configuration = "encoder_intra_vtm.cfg"

    def own_options(self, request: EncodeRequest) -> list[str]:
        """Parameter sets before every picture."""
        return ["--ReWriteParamSets=1"]


class HmEncoder(ReferenceEncoder):
    """HEVC by the HM encoder, 8 bits."""

    name = "hm"
    codec: Codec = "hevc"
    software = "HM"
    banner = _HM_BANNER
    programs = ("TAppEncoderStatic", "TAppEncoder", "EncoderAppStatic", "EncoderApp")
    configuration = "encoder_intra_main.cfg"

    def own_options(self, request: EncodeRequest) -> list[str]:
        """HM signals the colour description only inside of the video signal type."""
        return ["--VideoSignalTypePresent=1"]


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
    """HEVC by the HM decoder."""

    name = "hm"
    codec: Codec = "hevc"
    software = "HM"
    banner = _HM_BANNER
    programs = ("TAppDecoderStatic", "TAppDecoder", "DecoderAppStatic", "DecoderApp")
