from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import base_codec_adapters
from base_codec_adapters import (
    ProgramInfo,
    ProgramNotFoundError,
    RequestInvalidError,
    Unavailable,
    UnknownAdapterError,
    available,
    find_decoder,
    find_encoder,
)
from tests.base_codec_adapters.conftest import MakeProgram

VARIABLES = (
    "GFVC_FFMPEG",
    "GFVC_VVENCFFAPP",
    "GFVC_VVDECAPP",
    "GFVC_VTM_ENCODER",
    "GFVC_VTM_DECODER",
    "GFVC_VTM_CONFIG",
    "GFVC_HM_ENCODER",
    "GFVC_HM_DECODER",
    "GFVC_HM_CONFIG",
)

FFMPEG = """\
print("ffmpeg version 8.1 Copyright")
print(" DEV.LS hevc    H.265 (decoders: hevc hevc_cuvid) (encoders: {hevc})")
print(" D.V.L. vvc     H.266")
"""


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No program at all; the folder returned is the PATH."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    return folder


def test_public_names() -> None:
    names = base_codec_adapters.__all__
    assert len(set(names)) == len(names)
    public = {name for name in vars(base_codec_adapters) if not name.startswith("_")}
    modules = {name for name in public if f"base_codec_adapters.{name}" in sys.modules}
    assert public - modules == set(names)


def test_order_and_names() -> None:
    rows = [(status.role, status.codec, status.name) for status in available()]
    assert rows == [
        ("encoder", "vvc", "ffmpeg-libvvenc"),
        ("encoder", "vvc", "vvencFFapp"),
        ("encoder", "vvc", "vtm"),
        ("encoder", "hevc", "ffmpeg-libx265"),
        ("encoder", "hevc", "ffmpeg-libkvazaar"),
        ("encoder", "hevc", "hm"),
        ("decoder", "vvc", "ffmpeg"),
        ("decoder", "vvc", "vvdecapp"),
        ("decoder", "vvc", "vtm"),
        ("decoder", "hevc", "ffmpeg"),
        ("decoder", "hevc", "hm"),
    ]


def test_nothing_installed() -> None:
    for status in available():
        assert isinstance(status.probe, Unavailable)
        assert "GFVC_" in status.probe.reason
        assert "\n" not in status.probe.reason
    with pytest.raises(ProgramNotFoundError) as caught:
        find_encoder("vvc")
    assert str(caught.value).startswith("no vvc encoder is available: ffmpeg-libvvenc: no ffm")
    assert "vvencFFapp is not on the PATH: install it, or name it in GFVC_VVENCFFAPP" in str(
        caught.value
    )
    with pytest.raises(ProgramNotFoundError, match="no hevc decoder is available: hm: TAppDe"):
        find_decoder("hevc", "hm")


def test_unknown_names() -> None:
    message = "no vvc encoder is called 'x266': choose from auto, ffmpeg-libvvenc, vvencFFapp, vtm"
    with pytest.raises(UnknownAdapterError, match=message):
        find_encoder("vvc", "x266")
    with pytest.raises(UnknownAdapterError, match="no vvc encoder is called 'ffmpeg-libx265'"):
        find_encoder("vvc", "ffmpeg-libx265")
    with pytest.raises(UnknownAdapterError, match="choose from auto, ffmpeg, hm"):
        find_decoder("hevc", "vtm")
    with pytest.raises(RequestInvalidError, match="name the encoder it is for"):
        find_encoder("vvc", executable="/bin/true")


def test_auto_takes_the_first_available(
    make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ffmpeg with kvazaar and without x265 and vvenc."""
    program = make_program(FFMPEG.format(hevc="hevc_nvenc libkvazaar"))
    monkeypatch.setenv("GFVC_FFMPEG", str(program.path))
    assert find_encoder("hevc").name == "ffmpeg-libkvazaar"
    assert find_decoder("hevc").name == "ffmpeg"
    assert find_decoder("vvc").probe() == ProgramInfo(program.path, "ffmpeg 8.1")
    with pytest.raises(ProgramNotFoundError, match=r"\(ffmpeg 8.1\) has no libvvenc: name an ff"):
        find_encoder("vvc", "ffmpeg-libvvenc")
    with pytest.raises(ProgramNotFoundError, match="has no libx265"):
        find_encoder("hevc", "ffmpeg-libx265")
    assert program.calls == [["-codecs"]]


def test_the_argument_goes_before_the_variable(
    make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_program(FFMPEG.format(hevc="libx265"), "first")
    second = make_program(FFMPEG.format(hevc="libx265"), "second")
    monkeypatch.setenv("GFVC_FFMPEG", str(second.path))
    for executable, expected in ((first.path, first), (None, second)):
        found = find_encoder("hevc", "ffmpeg-libx265", executable=executable).probe()
        assert isinstance(found, ProgramInfo)
        assert found.executable == expected.path


def test_programs_are_found_on_the_path(bare_machine: Path, make_program: MakeProgram) -> None:
    body = "print('vvdecapp version 3.0.0-rc1')"
    program = make_program(body, str(bare_machine / "vvdecapp"))
    decoder = find_decoder("vvc")
    assert decoder.name == "vvdecapp"
    assert decoder.probe() == ProgramInfo(program.path, "vvdecapp 3.0.0-rc1")
    assert program.calls == [["--version"]]


def test_imageio_ffmpeg_is_the_default(
    make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = make_program(FFMPEG.format(hevc="libx265"))
    module = SimpleNamespace(get_ffmpeg_exe=lambda: str(program.path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", module)
    assert find_encoder("hevc").probe() == ProgramInfo(program.path, "ffmpeg 8.1")


@pytest.mark.parametrize("body", ["print('GNU coreutils 9.1')", "sys.exit('Segmentation fault')"])
def test_other_programs_are_refused(
    body: str, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = make_program(body)
    for variable in VARIABLES:
        monkeypatch.setenv(variable, str(program.path))
    for status in available():
        assert isinstance(status.probe, Unavailable), status
        assert "fake program" in status.probe.reason


def test_broken_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GFVC_HM_DECODER", "/nowhere/TAppDecoder")
    with pytest.raises(
        ProgramNotFoundError, match=r"/nowhere/TAppDecoder: .* \(from GFVC_HM_DECODER\)"
    ):
        find_decoder("hevc", "hm")
    with pytest.raises(ProgramNotFoundError, match=r"/nowhere/D: .* \(from the path given\)"):
        find_decoder("hevc", "hm", executable="/nowhere/D")


def test_hm_is_not_taken_for_vtm(make_program: MakeProgram) -> None:
    """Both call their programs EncoderApp."""
    program = make_program("print('HM software: Encoder Version [18.0]')")
    with pytest.raises(ProgramNotFoundError, match="another program than expected"):
        find_encoder("vvc", "vtm", executable=program.path)


def test_reference_encoders_need_their_configuration(
    make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = make_program("print('VVCSoftware: VTM Encoder Version 23.4 [Linux]')")
    with pytest.raises(ProgramNotFoundError, match=r"encoder_intra_vtm\.cfg .* GFVC_VTM_CONFIG"):
        find_encoder("vvc", "vtm", executable=program.path)
    monkeypatch.setenv("GFVC_VTM_CONFIG", str(tmp_path / "missing.cfg"))
    with pytest.raises(ProgramNotFoundError, match=r"missing\.cfg: no such file"):
        find_encoder("vvc", "vtm", executable=program.path)
    monkeypatch.delenv("GFVC_VTM_CONFIG")
    (tmp_path / "cfg").mkdir()
    (tmp_path / "cfg" / "encoder_intra_vtm.cfg").touch()
    found = find_encoder("vvc", "vtm", executable=program.path).probe()
    assert found == ProgramInfo(program.path, "VTM 23.4")
