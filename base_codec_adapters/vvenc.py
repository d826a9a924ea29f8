"""The programs of Fraunhofer HHI for VVC: the encoder vvencFFapp and the decoder vvdecapp."""

from __future__ import annotations

from pathlib import Path

from base_codec_adapters.adapter import BaseDecoder, BaseEncoder
from base_codec_adapters.byte_stream import Codec
from base_codec_adapters.levels import smallest_level
from base_codec_adapters.programs import find_program, read_version
from base_codec_adapters.reference_software import colour_options
from base_codec_adapters.requests import DecodeRequest, Effort, EncodeRequest, ProgramInfo

ENCODER_VARIABLE = "GFVC_VVENCFFAPP"
DECODER_VARIABLE = "GFVC_VVDECAPP"

_BANNER = r"(?i)\b{name}\S*\s+(?:\[\w+\]:?\s*)?version:?\s+v?([\w.+-]+)"

INTRA_PRESETS: dict[Effort, str] = {"fast": "medium", "medium": "slow", "slow": "slow"}
"""VVenC's presets for lone pictures: slower ones gain nothing there."""

LOW_DELAY_FRAME = "B 1 0 0 0 0 0 1 0 0 0 0 0 0 0 4 4 1 2 3 4 3 3 1 5 6"
"""The one entry of VVenC's group of pictures for low delay, as its options ``Frame1`` to take it.

A B picture, 1 after the last, with all offsets 0 (of QP, its model, Cb, Cr; then the factor 1, of
the deblocking, four unused, the temporal layer 0). Two lists of references follow, each how many
are active, how many there are, and how many pictures they lie back: the last 6 in all.
"""


def _find(executable: str | Path | None, variable: str, name: str) -> ProgramInfo:
    found = find_program(executable, variable, (name,))
    version = read_version(found, "--version", _BANNER.format(name=name))
    return ProgramInfo(found, f"{name} {version}")


class VvencFFappEncoder(BaseEncoder):
    """VVC by vvencFFapp, the expert program of VVenC; 10 bits."""

    name = "vvencFFapp"
    codec: Codec = "vvc"
    bit_depth = 10

    def find_program(self) -> ProgramInfo:
        """Look for ``vvencFFapp``; ``GFVC_VVENCFFAPP`` names another place."""
        return _find(self._executable, ENCODER_VARIABLE, self.name)

    def command(
        self, request: EncodeRequest, executable: Path, source: Path, target: Path
    ) -> list[str]:
        """As with libvvenc through ffmpeg.

        The frame rate, a whole number here, bears on nothing.
        """
        level = smallest_level(self.codec, *self.coded_size(request), request.fps)
        if request.structure == "intra":
            preset = INTRA_PRESETS[request.effort]
            structure = [
                "--IntraQPOffset=0",
                "--GOPSize=1",
                "--IntraPeriod=1",
                "--DecodingRefreshType=idr",
            ]
        elif request.structure == "random_access":
            preset = request.effort
            structure = ["--IntraPeriod=-1", "--POC0IDR=1"]
            if request.key_qp_offset is not None:
                structure += [f"--IntraQPOffset={request.key_qp_offset}", "--MCTF=0", "--BIM=0"]
        else:
            preset = request.effort
            structure = [
                "--GOPSize=1",
                "--PicReordering=0",
                "--IntraPeriod=-1",
                "--DecodingRefreshType=none",
                f"--IntraQPOffset={request.key_qp_offset or 0}",
                "--MCTF=0",
                "--BIM=0",
                "--NumRefPics=0",
                f"--Frame1={LOW_DELAY_FRAME}",
            ]
        return [
            str(executable),
            f"--InputFile={source}",
            f"--BitstreamFile={target}",
            f"--Size={request.width}x{request.height}",
            f"--InputBitDepth={self.bit_depth}",
            f"--InternalBitDepth={self.bit_depth}",
            f"--FrameRate={max(1, round(request.fps))}",
            f"--FramesToBeEncoded={len(request.pictures)}",
            f"--preset={preset}",
            "--Threads=1",
            "--Verbosity=2",
            f"--QP={request.qp}",
            f"--Level={level.name}",
            "--PerceptQPA=0",
            *structure,
            "--AccessUnitDelimiter=0",
            "--HrdParametersPresent=0",
            "--SEIDecodedPictureHash=off",
            *colour_options(request.colour),
        ]


class VvdecappDecoder(BaseDecoder):
    """VVC by vvdecapp, the program of VVdeC."""

    name = "vvdecapp"
    codec: Codec = "vvc"

    def find_program(self) -> ProgramInfo:
        """Look for ``vvdecapp``; ``GFVC_VVDECAPP`` names another place."""
        return _find(self._executable, DECODER_VARIABLE, self.name)

    def command(
        self, request: DecodeRequest, executable: Path, source: Path, target: Path
    ) -> list[str]:
        """The output's suffix asks for YUV4MPEG2; picture hashes are checked where they are."""
        return [
            str(executable),
            *("--bitstream", str(source), "--output", str(target)),
            *("--threads", "1", "--verbosity", "1", "--SEIDecodedPictureHash"),
        ]
