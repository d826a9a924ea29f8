"""The argument list of every adapter, to the letter; no program is needed for these."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from base_codec_adapters import ColourDescription, DecodeRequest, EncodeRequest
from base_codec_adapters.ffmpeg import (
    FfmpegEncoder,
    FfmpegHevcDecoder,
    FfmpegKvazaarEncoder,
    FfmpegVvcDecoder,
    FfmpegVvencEncoder,
    FfmpegX265Encoder,
)
from base_codec_adapters.reference_software import (
    HmDecoder,
    HmEncoder,
    VtmDecoder,
    VtmEncoder,
)
from base_codec_adapters.vvenc import VvdecappDecoder, VvencFFappEncoder
from tests.base_codec_adapters.conftest import MakePicture

SOURCE, TARGET = Path("/t/source.yuv"), Path("/t/coded.bin")
CODED, DECODED = Path("/t/coded.bin"), Path("/t/decoded.y4m")


@pytest.fixture
def request_258(make_picture: MakePicture) -> EncodeRequest:
    picture = make_picture(258, 130)
    return EncodeRequest((picture, picture, picture), qp=37, fps=Fraction(30000, 1001))


def ffmpeg_input(pixels: str, size: str) -> list[str]:
    return [
        "/bin/ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", pixels, "-video_size", size, "-framerate", "30000/1001",
        "-color_primaries", "1", "-color_trc", "1", "-colorspace", "1", "-color_range", "tv",
        "-i", "/t/source.yuv", "-map", "0:v:0", "-fps_mode", "passthrough",
    ]  # fmt: skip


def test_ffmpeg_libvvenc(request_258: EncodeRequest) -> None:
    command = FfmpegVvencEncoder().command(request_258, Path("/bin/ffmpeg"), SOURCE, TARGET)
    assert command == [
        *ffmpeg_input("yuv420p10le", "258x130"),
        "-c:v", "libvvenc", "-threads", "1", "-qp", "37", "-qpa", "0", "-preset", "slow",
        "-vvenc-params",
        "gopsize=1:intraperiod=1:decodingrefreshtype=idr:intraqpoffset=0:level=2:"
        "accessunitdelimiter=0:hrdparameterspresent=0:videofullrange=0",
        "-f", "vvc", "/t/coded.bin",
    ]  # fmt: skip


def test_ffmpeg_libx265(request_258: EncodeRequest) -> None:
    command = FfmpegX265Encoder().command(request_258, Path("/bin/ffmpeg"), SOURCE, TARGET)
    assert command == [
        *ffmpeg_input("yuv420p", "258x130"),
        "-c:v", "libx265", "-threads", "1", "-forced-idr", "1", "-force_key_frames", "expr:1",
        "-preset", "slow", "-tune", "psnr", "-x265-params",
        "qp=37:ipratio=1:keyint=2:min-keyint=1:bframes=0:scenecut=0:open-gop=0:repeat-headers=1:info=0:vui-timing-info=0:"
        "pools=none:frame-threads=1:wpp=0:log-level=error",
        "-f", "hevc", "/t/coded.bin",
    ]  # fmt: skip


def test_ffmpeg_libkvazaar(request_258: EncodeRequest, make_picture: MakePicture) -> None:
    parameters = (
        "preset=veryslow,qp=37,period=1,gop=0,vps-period=1,input-fps=0,"
        "info=0,hash=none,aud=0,threads=0,owf=0,wpp=0"
    )
    encoder = FfmpegKvazaarEncoder()
    assert encoder.command(request_258, Path("/bin/ffmpeg"), SOURCE, TARGET) == [
        *ffmpeg_input("yuv420p", "264x136"),
        "-c:v", "libkvazaar", "-threads", "1", "-kvazaar-params", parameters,
        "-bsf:v", "hevc_metadata=level=60:crop_right=6:crop_bottom=6",
        "-f", "hevc", "/t/coded.bin",
    ]  # fmt: skip
    aligned = EncodeRequest((make_picture(256, 256),), qp=37, fps=Fraction(30000, 1001))
    assert encoder.command(aligned, Path("/bin/ffmpeg"), SOURCE, TARGET) == [
        *ffmpeg_input("yuv420p", "256x256"),
        "-c:v", "libkvazaar", "-threads", "1", "-kvazaar-params", parameters,
        "-bsf:v", "hevc_metadata=level=60",
        "-f", "hevc", "/t/coded.bin",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [FfmpegVvencEncoder, FfmpegX265Encoder, FfmpegKvazaarEncoder])
def test_ffmpeg_colour(kind: type[FfmpegEncoder], make_picture: MakePicture) -> None:
    colour = ColourDescription(primaries=9, transfer=16, matrix=10, full_range=True)
    request = EncodeRequest((make_picture(),), qp=20, colour=colour)
    command = kind().command(request, Path("/bin/ffmpeg"), SOURCE, TARGET)
    start = command.index("-color_primaries")
    assert command[start : start + 8] == [
        "-color_primaries", "9", "-color_trc", "16", "-colorspace", "10", "-color_range", "pc",
    ]  # fmt: skip
    assert start < command.index("-i")


def test_ffmpeg_decoders() -> None:
    strict = ["-xerror", "-err_detect", "crccheck+explode"]
    blocks = ["-raw_packet_size", "16"]
    for kind, codec, given in ((FfmpegVvcDecoder, "vvc", blocks), (FfmpegHevcDecoder, "hevc", [])):
        for lenient, options in ((False, strict), (True, ["-max_error_rate", "1"])):
            request = DecodeRequest(b"", lenient=lenient)
            assert kind().command(request, Path("/bin/ffmpeg"), CODED, DECODED) == [
                "/bin/ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-y",
                *options, "-threads", "1", "-c:v", codec, *given,
                "-f", codec, "-i", "/t/coded.bin",
                "-map", "0:v:0", "-fps_mode", "passthrough", "-noautoscale",
                "-strict", "-1", "-f", "yuv4mpegpipe", "/t/decoded.y4m",
            ]  # fmt: skip


def test_vvencffapp(request_258: EncodeRequest) -> None:
    command = VvencFFappEncoder().command(request_258, Path("/bin/vvencFFapp"), SOURCE, TARGET)
    assert command == [
        "/bin/vvencFFapp",
        "--InputFile=/t/source.yuv",
        "--BitstreamFile=/t/coded.bin",
        "--Size=258x130",
        "--InputBitDepth=10",
        "--InternalBitDepth=10",
        "--FrameRate=30",
        "--FramesToBeEncoded=3",
        "--preset=slow",
        "--Threads=1",
        "--Verbosity=2",
        "--QP=37",
        "--Level=2",
        "--PerceptQPA=0",
        "--IntraQPOffset=0",
        "--GOPSize=1",
        "--IntraPeriod=1",
        "--DecodingRefreshType=idr",
        "--AccessUnitDelimiter=0",
        "--HrdParametersPresent=0",
        "--SEIDecodedPictureHash=off",
        "--VuiParametersPresent=1",
        "--ColourDescriptionPresent=1",
        "--ColourPrimaries=1",
        "--TransferCharacteristics=1",
        "--MatrixCoefficients=1",
        "--VideoFullRange=0",
    ]


def test_vvdecapp() -> None:
    command = VvdecappDecoder().command(DecodeRequest(b""), Path("/bin/vvdecapp"), CODED, DECODED)
    assert command == [
        "/bin/vvdecapp", "--bitstream", "/t/coded.bin", "--output", "/t/decoded.y4m",
        "--threads", "1", "--verbosity", "1", "--SEIDecodedPictureHash",
    ]  # fmt: skip


def reference_command(program: str, configuration: Path, bit_depth: int) -> list[str]:
    return [
        program,
        "-c",
        str(configuration),
        "--InputFile=/t/source.yuv",
        "--BitstreamFile=/t/coded.bin",
        "--ReconFile=/dev/null",
        "--SourceWidth=258",
        "--SourceHeight=130",
        "--InputChromaFormat=420",
        f"--InputBitDepth={bit_depth}",
        f"--InternalBitDepth={bit_depth}",
        "--FrameRate=30",
        "--FramesToBeEncoded=3",
        "--TemporalSubsampleRatio=1",
        "--ConformanceWindowMode=1",
        "--QP=37",
        "--Level=2",
        "--Tier=main",
        "--GOPSize=1",
        "--IntraPeriod=1",
        "--DecodingRefreshType=1",
        "--SEIDecodedPictureHash=0",
        "--VuiParametersPresent=1",
        "--ColourDescriptionPresent=1",
        "--ColourPrimaries=1",
        "--TransferCharacteristics=1",
        "--MatrixCoefficients=1",
        "--VideoFullRange=0",
    ]


def test_reference_encoders(
    request_258: EncodeRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configuration is found above the program, and the variable goes first."""
    program = tmp_path / "bin" / "release" / "EncoderAppStatic"
    (tmp_path / "cfg").mkdir()
    vtm_cfg = tmp_path / "cfg" / "encoder_intra_vtm.cfg"
    vtm_cfg.touch()
    assert VtmEncoder().command(request_258, program, SOURCE, TARGET) == [
        *reference_command(str(program), vtm_cfg, 10),
        "--ReWriteParamSets=1",
    ]
    hm_cfg = tmp_path / "my.cfg"
    hm_cfg.touch()
    monkeypatch.setenv("GFVC_HM_CONFIG", str(hm_cfg))
    assert HmEncoder().command(request_258, program, SOURCE, TARGET) == [
        *reference_command(str(program), hm_cfg, 8),
        "--TargetBitrate=1500000",
        "--VideoSignalTypePresent=1",
    ]


@pytest.mark.parametrize("kind", [VtmDecoder, HmDecoder])
def test_reference_decoders(kind: type[VtmDecoder | HmDecoder]) -> None:
    command = kind().command(DecodeRequest(b""), Path("/bin/D"), CODED, Path("/t/decoded.yuv"))
    assert command == ["/bin/D", "-b", "/t/coded.bin", "-o", "/t/decoded.yuv", "-d", "0"]


def test_slow_frame_rates_stay_positive(make_picture: MakePicture) -> None:
    """One key picture in 30 seconds is an ordinary rate here."""
    request = EncodeRequest((make_picture(),), qp=37, fps=Fraction(1, 30))
    command = VvencFFappEncoder().command(request, Path("/bin/vvencFFapp"), SOURCE, TARGET)
    assert "--FrameRate=1" in command
