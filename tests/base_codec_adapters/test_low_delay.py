"""Sequences of low delay: command lines to the letter, and what the real programs make of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from base_codec_adapters import (
    BaseEncoder,
    Codec,
    DecodeRequest,
    EncodeRequest,
    Picture420,
    PictureSpool,
    ProgramNotFoundError,
    RequestInvalidError,
    find_decoder,
    find_encoder,
)
from base_codec_adapters.ffmpeg import (
    FfmpegKvazaarEncoder,
    FfmpegVvencEncoder,
    FfmpegX265Encoder,
)
from base_codec_adapters.reference_software import HmEncoder, VtmEncoder
from base_codec_adapters.stream_content import summarise
from base_codec_adapters.vvenc import VvencFFappEncoder
from sei import Codec as SeiCodec
from sei import access_units, join_annex_b, split_annex_b
from tests.base_codec_adapters.conftest import MakePicture
from tests.base_codec_adapters.moving_pictures import drifting, moving
from tests.base_codec_adapters.tracing import slice_qps

SOURCE, TARGET = Path("/t/source.yuv"), Path("/t/coded.bin")


def low_delay(picture: Picture420, count: int = 3) -> EncodeRequest:
    return EncodeRequest((picture,) * count, qp=37, fps=Fraction(30), structure="low_delay")


def changes(encoder: BaseEncoder, program: Path, picture: Picture420) -> tuple[list[str], ...]:
    """What a command line of low delay lacks of the one for intra pictures, and has beside it."""
    request = low_delay(picture)
    intra = encoder.command(replace(request, structure="intra"), program, SOURCE, TARGET)
    other = encoder.command(request, program, SOURCE, TARGET)
    return [a for a in intra if a not in other], [a for a in other if a not in intra]


def test_ffmpeg_libvvenc(make_picture: MakePicture) -> None:
    tail = "level=1:accessunitdelimiter=0:hrdparameterspresent=0:videofullrange=0"
    assert changes(FfmpegVvencEncoder(), Path("/bin/ffmpeg"), make_picture()) == (
        ["slow", f"gopsize=1:intraperiod=1:decodingrefreshtype=idr:intraqpoffset=0:{tail}"],
        [
            "medium",
            "gopsize=1:picreordering=0:intraperiod=-1:decodingrefreshtype=none:threads=0:"
            "intraqpoffset=0:mctf=0:bim=0:numrefpics=0:"
            f"frame1=B 1 0 0 0 0 0 1 0 0 0 0 0 0 0 4 4 1 2 3 4 3 3 1 5 6:{tail}",
        ],
    )


def test_ffmpeg_libx265(make_picture: MakePicture) -> None:
    head = "qp=37:ipratio=1"
    tail = (
        "repeat-headers=1:info=0:vui-timing-info=0:pools=none:frame-threads=1:wpp=0:log-level=error"
    )
    assert changes(FfmpegX265Encoder(), Path("/bin/ffmpeg"), make_picture()) == (
        [
            *("-forced-idr", "-force_key_frames", "expr:1"),  # 1 is also a number of threads
            f"{head}:keyint=2:min-keyint=1:bframes=0:scenecut=0:open-gop=0:{tail}",
        ],
        [f"{head}:keyint=-1:bframes=0:scenecut=0:{tail}"],
    )


def test_ffmpeg_libkvazaar(make_picture: MakePicture) -> None:
    head, tail = "preset=veryslow,qp=37", "input-fps=0,info=0,hash=none,aud=0,threads=0,owf=0,wpp=0"
    assert changes(FfmpegKvazaarEncoder(), Path("/bin/ffmpeg"), make_picture()) == (
        [f"{head},period=1,gop=0,vps-period=1,{tail}"],
        [f"{head},period=0,gop=lp-g4d3t1,vps-period=0,{tail}"],
    )


def test_vvencffapp(make_picture: MakePicture) -> None:
    assert changes(VvencFFappEncoder(), Path("/bin/vvencFFapp"), make_picture()) == (
        [
            "--preset=slow",
            "--IntraPeriod=1",
            "--DecodingRefreshType=idr",
        ],
        [
            "--preset=medium",
            "--PicReordering=0",
            "--IntraPeriod=-1",
            "--DecodingRefreshType=none",
            "--MCTF=0",
            "--BIM=0",
            "--NumRefPics=0",
            "--Frame1=B 1 0 0 0 0 0 1 0 0 0 0 0 0 0 4 4 1 2 3 4 3 3 1 5 6",
        ],
    )


@pytest.mark.parametrize(
    ("kind", "software", "names"),
    [
        (VtmEncoder, "VTM", ["encoder_intra_vtm.cfg", "encoder_lowdelay_P_vtm.cfg"]),
        (HmEncoder, "HM", ["encoder_intra_main.cfg", "encoder_lowdelay_P_main.cfg"]),
    ],
)
def test_reference_encoders(
    kind: type[VtmEncoder | HmEncoder],
    software: str,
    names: list[str],
    make_picture: MakePicture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = tmp_path / "bin" / "EncoderApp"
    intra, own = (tmp_path / "cfg" / name for name in names)
    intra.parent.mkdir()
    intra.touch()
    request = low_delay(make_picture())
    variable = f"GFVC_{software}_LOW_DELAY_CONFIG"
    with pytest.raises(ProgramNotFoundError, match=rf"no cfg/{own.name} .* {variable}"):
        kind().command(request, program, SOURCE, TARGET)
    own.touch()
    lacks = [str(intra), "--GOPSize=1", "--IntraPeriod=1", "--DecodingRefreshType=1"]
    has = ["--IntraPeriod=-1", "--DecodingRefreshType=0"]
    assert changes(kind(), program, make_picture()) == (lacks, [str(own), *has])
    mine = tmp_path / "my.cfg"
    mine.touch()
    monkeypatch.setenv(variable, str(mine))
    assert changes(kind(), program, make_picture()) == (lacks, [str(mine), *has])


def test_a_qp_of_the_key_picture_changes_nothing_else(
    make_picture: MakePicture, tmp_path: Path
) -> None:
    """What each command line has beside that without `key_qp`, here 12 below and 3 above."""
    (tmp_path / "cfg").mkdir()
    for name in ("encoder_lowdelay_P_vtm.cfg", "encoder_lowdelay_P_main.cfg"):
        (tmp_path / "cfg" / name).touch()
    own: dict[type[BaseEncoder], tuple[str, str]] = {
        FfmpegVvencEncoder: ("intraqpoffset=0", "intraqpoffset={}"),
        FfmpegKvazaarEncoder: (
            "gop=lp-g4d3t1,vps-period=0",
            "gop=lp-g4d3t1,vps-period=0,intra-qp-offset={}",
        ),
        VvencFFappEncoder: ("--IntraQPOffset=0", "--IntraQPOffset={}"),
        VtmEncoder: ("--DecodingRefreshType=0", "--DecodingRefreshType=0 --IntraQPOffset={}"),
        HmEncoder: ("--DecodingRefreshType=0", "--DecodingRefreshType=0 --IntraQPOffset={}"),
    }
    request = low_delay(make_picture())
    for kind, (before, after) in own.items():
        plain = " ".join(kind().command(request, tmp_path / "program", SOURCE, TARGET))
        for key_qp, offset in ((25, "-12"), (40, "3")):
            keyed = replace(request, key_qp=key_qp)
            command = " ".join(kind().command(keyed, tmp_path / "program", SOURCE, TARGET))
            assert command == plain.replace(before, after.format(offset))
    for key_qp, ratio in ((37, "1"), (25, "4"), (43, "0.5"), (32, "1.7818")):
        keyed = replace(request, key_qp=key_qp)
        x265 = FfmpegX265Encoder().command(keyed, Path("/bin/ffmpeg"), SOURCE, TARGET)
        assert f":ipratio={ratio}:" in x265[x265.index("-x265-params") + 1]


PRESETS: dict[type[BaseEncoder], dict[str, dict[str, str]]] = {
    FfmpegVvencEncoder: {
        "intra": {"fast": "-preset medium", "medium": "-preset slow", "slow": "-preset slow"},
        "low_delay": {each: f"-preset {each}" for each in ("fast", "medium", "slow")},
        "random_access": {each: f"-preset {each}" for each in ("fast", "medium", "slow")},
    },
    VvencFFappEncoder: {
        "intra": {"fast": "--preset=medium", "medium": "--preset=slow", "slow": "--preset=slow"},
        "low_delay": {each: f"--preset={each}" for each in ("fast", "medium", "slow")},
        "random_access": {each: f"--preset={each}" for each in ("fast", "medium", "slow")},
    },
    FfmpegX265Encoder: {
        each: {"fast": "-preset fast", "medium": "-preset slow", "slow": "-preset veryslow"}
        for each in ("intra", "low_delay", "random_access")
    },
    FfmpegKvazaarEncoder: {
        each: {"fast": "preset=medium", "medium": "preset=veryslow", "slow": "preset=veryslow"}
        for each in ("intra", "low_delay", "random_access")
    },
}


@pytest.mark.parametrize("structure", ["intra", "low_delay", "random_access"])
@pytest.mark.parametrize("kind", PRESETS)
def test_an_effort_is_a_preset_and_changes_nothing_else(
    make_picture: MakePicture, kind: type[BaseEncoder], structure: Any
) -> None:
    request = EncodeRequest((make_picture(),), qp=37, structure=structure)
    presets = PRESETS[kind][structure]
    plain = " ".join(kind().command(request, Path("/bin/program"), SOURCE, TARGET))
    assert presets["medium"] in plain
    for effort, preset in presets.items():
        asked = replace(request, effort=effort)  # type: ignore[arg-type]
        command = " ".join(kind().command(asked, Path("/bin/program"), SOURCE, TARGET))
        assert command == plain.replace(presets["medium"], preset)


def test_no_other_effort_is_taken(make_picture: MakePicture) -> None:
    effort: Any = "placebo"
    with pytest.raises(RequestInvalidError, match="effort is 'placebo': give one of fast, medium"):
        EncodeRequest((make_picture(),), qp=30, effort=effort)


def test_no_other_structure_is_taken(make_picture: MakePicture) -> None:
    structure: Any = "hierarchical"
    with pytest.raises(RequestInvalidError, match="'hierarchical': give one of intra, low_delay"):
        EncodeRequest((make_picture(),), qp=30, structure=structure)


@pytest.mark.program
@pytest.mark.parametrize(
    ("codec", "name"),
    [("vvc", "ffmpeg-libvvenc"), ("hevc", "ffmpeg-libx265"), ("hevc", "ffmpeg-libkvazaar")],
)
@pytest.mark.parametrize("count", [1, 11])
def test_pictures_come_in_output_order(codec: Codec, name: str, count: int) -> None:
    """Each access unit that is added adds the next picture and changes none before it."""
    pictures = moving(count)
    with PictureSpool() as spool:
        for picture in pictures:
            spool.append(picture)
        coded = find_encoder(codec, name).encode(EncodeRequest(spool, 30, structure="low_delay"))
    units = list(access_units(split_annex_b(coded.stream, SeiCodec(codec))))
    assert len(units) == count
    first, *others = (any(nal.is_irap for nal in unit) for unit in units)
    assert first
    assert not any(others)
    decoder = find_decoder(codec)
    whole = decoder.decode(DecodeRequest(coded.stream, expected_pictures=count)).pictures
    for source, decoded in zip(pictures, whole, strict=True):
        assert float(np.abs(source.y.astype(int) - decoded.y).mean()) < 3
    for length in {1, count // 2, count - 1} - {0}:
        cut = b"".join(map(join_annex_b, units[:length]))
        part = decoder.decode(DecodeRequest(cut, expected_pictures=length)).pictures
        for short, long in zip(part, whole, strict=False):
            np.testing.assert_array_equal(short.y, long.y)
    assert summarise(coded.stream, codec).parameter_sets_first


@dataclass(frozen=True)
class Sequence:
    """Of each coded picture its QP, its bytes, and the mean squared error of its luma."""

    qps: list[int]
    sizes: list[int]
    errors: list[float]


def coded_sequence(codec: Codec, name: str, request: EncodeRequest) -> Sequence:
    """Code and decode by the real programs; only the first picture is an IDR picture."""
    stream = find_encoder(codec, name).encode(request).stream
    units = list(access_units(split_annex_b(stream, SeiCodec(codec))))
    first, *others = (any(nal.is_idr for nal in unit) for unit in units)
    assert first
    assert not any(others)
    count = len(request.pictures)
    decoded = find_decoder(codec).decode(DecodeRequest(stream, expected_pictures=count)).pictures
    return Sequence(
        slice_qps(stream, codec),
        [len(join_annex_b(unit)) for unit in units],
        [
            float(np.mean((source.y.astype(float) - picture.y) ** 2))
            for source, picture in zip(request.pictures, decoded, strict=True)
        ],
    )


@pytest.mark.program
@pytest.mark.parametrize(
    ("codec", "name"),
    [("vvc", "ffmpeg-libvvenc"), ("hevc", "ffmpeg-libx265"), ("hevc", "ffmpeg-libkvazaar")],
)
@pytest.mark.parametrize("key_qp", [22, 45])
def test_the_key_picture_has_the_qp_asked_for(codec: Codec, name: str, key_qp: int) -> None:
    """It alone, and a better key picture makes those that refer to it better or smaller."""
    pictures = drifting(10)
    request = EncodeRequest(pictures, 40, structure="low_delay", key_qp=40)
    same, other = (
        coded_sequence(codec, name, each) for each in (request, replace(request, key_qp=key_qp))
    )
    assert (same.qps[0], other.qps[0]) == (40, key_qp)
    assert other.qps[1:] == same.qps[1:]
    if name != "ffmpeg-libkvazaar":  # it has QP offsets in its groups of pictures
        assert same.qps[1:] == [40] * 9
    better = key_qp < 40
    assert (other.errors[0] < same.errors[0]) == better
    assert (other.sizes[0] > same.sizes[0]) == better
    if better:
        assert np.mean(other.errors[1:]) < np.mean(same.errors[1:])
        assert sum(other.sizes[1:]) <= 1.05 * sum(same.sizes[1:])


def test_a_spool_gives_back_what_it_was_given(make_picture: MakePicture) -> None:
    given = [make_picture(64, 32, shade) for shade in (60, 120, 180)]
    with PictureSpool() as spool:
        assert len(spool) == 0
        for picture in given:
            spool.append(picture)
        assert len(spool) == 3
        # Twice, and with a picture added after reading.
        list(spool)
        spool.append(given[0])
        for picture, kept in zip([*given, given[0]], spool, strict=True):
            for plane in "yuv":
                np.testing.assert_array_equal(getattr(picture, plane), getattr(kept, plane))
        with pytest.raises(IndexError):
            spool[4]
        with pytest.raises(RequestInvalidError, match=r"differ in size: \[\(32, 32\), \(64, 32\)"):
            spool.append(make_picture(32, 32))
        request = EncodeRequest(spool, qp=30)
        assert (request.width, request.height) == (64, 32)
    with PictureSpool() as empty, pytest.raises(RequestInvalidError, match="at least one picture"):
        EncodeRequest(empty, qp=30)
