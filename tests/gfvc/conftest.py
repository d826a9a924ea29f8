"""Fixtures: a short talking head, its streams, and the command line called in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from gfvc import DecodeSummary, EncodeOptions, EncodeSummary, decode, encode
from gfvc.cli.main import main
from gfvc.demo_clip import RATE, make_demo_clip
from gfvc.video_writer import write_video
from models.contract import Picture
from tests.gfvc.coded_once import coding_once
from tests.gfvc.support import CommandLine, Outcome, decode_all, no_notes, read_all

# The machine may be busy; how long a test may take is pytest-timeout's business.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

SECONDS = 1.2


@pytest.fixture(scope="session")
def demo_pictures() -> list[Picture]:
    """Thirty pictures of the demo clip, uint8 [256, 256, 3], 25 a second."""
    return list(make_demo_clip(SECONDS))


@pytest.fixture(scope="session")
def demo_clip(tmp_path_factory: pytest.TempPathFactory, demo_pictures: list[Picture]) -> Path:
    """The demo pictures as a lossless video."""
    return write_video(tmp_path_factory.mktemp("clip") / "demo.mkv", demo_pictures, RATE)


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory, demo_pictures: list[Picture]) -> Path:
    """The first 12 demo pictures as a lossless video."""
    return write_video(tmp_path_factory.mktemp("clip") / "short.mkv", demo_pictures[:12], RATE)


class CodedClip:
    """The demo clip as a stream, what the encoder said of it, and its decoded pictures."""

    def __init__(
        self, path: Path, encoder: str, options: EncodeOptions, summary: EncodeSummary
    ) -> None:
        self.path = path
        self.video = path.with_name("decoded.mkv")
        self.options = options
        self.encoder = encoder
        self.summary = summary

    @property
    def codec(self) -> str:
        """Name of the base codec, "vvc" or "hevc"."""
        return self.summary.codec

    @cached_property
    def decoding(self) -> DecodeSummary:
        """What the decoder says of the stream, of which it makes `video`, without any remark."""
        return decode(self.path, self.video, notes=no_notes)

    @cached_property
    def decoded(self) -> list[Picture]:
        """The pictures that the decoder makes of the stream."""
        return read_all(self.video, self.decoding.rate)


CodeClip = Callable[[str], CodedClip]

KEYS_ONLY: dict[str, Any] = {
    "model": "mesh",
    "key_interval": 4,
    "key_pictures": "fixed",
    "symbol_rate": "full",
}
"""Each fourth picture is a key picture, and the others have a message each.

They are drawn by the mesh, in a fraction of the time that the network takes, which draws others.
"""

ORDINARY: dict[str, Any] = {"fallback": "always", "view": "face", "size": 64}
"""All is small ordinary video, where no test looks at faces: it takes a tenth of the time."""

ENCODERS = {"ffmpeg-libvvenc": ".266", "ffmpeg-libx265": ".265", "ffmpeg-libkvazaar": ".265"}


@pytest.fixture(scope="session")
def code_demo(tmp_path_factory: pytest.TempPathFactory, demo_clip: Path) -> CodeClip:
    """Code the demo clip with the base encoder of a name, once, with two key pictures.

    With libx265 for the network that encodes by default; with others for the mesh, which is faster.
    """
    coded: dict[str, CodedClip] = {}

    def code(encoder: str) -> CodedClip:
        if encoder not in coded:
            path = tmp_path_factory.mktemp("coded") / f"demo{ENCODERS[encoder]}"
            options = EncodeOptions(
                base_encoder=encoder,
                model="face" if encoder == "ffmpeg-libx265" else "mesh",
                key_interval=15,
                key_pictures="fixed",
                symbol_rate="full",
            )
            coded[encoder] = CodedClip(path, encoder, options, encode(demo_clip, path, options))
        return coded[encoder]

    return code


@pytest.fixture(scope="session")
def hevc_stream(code_demo: CodeClip) -> Path:
    """The demo clip as an HEVC stream of two key pictures."""
    return code_demo("ffmpeg-libx265").path


@pytest.fixture(scope="session")
def small_stream(tmp_path_factory: pytest.TempPathFactory, short_clip: Path) -> Path:
    """Twelve pictures as an HEVC stream, each fourth a key picture."""
    path = tmp_path_factory.mktemp("coded") / "small.265"
    encode(short_clip, path, EncodeOptions(**KEYS_ONLY))
    return path


@pytest.fixture(scope="session")
def face_stream(tmp_path_factory: pytest.TempPathFactory, short_clip: Path) -> Path:
    """The same of the model that encodes by default, a network with the mesh's layout."""
    path = tmp_path_factory.mktemp("coded") / "face.265"
    encode(short_clip, path, EncodeOptions(**KEYS_ONLY | {"model": "face"}))
    return path


@pytest.fixture(scope="session")
def in_mp4(tmp_path_factory: pytest.TempPathFactory, short_clip: Path) -> Path:
    """Twelve pictures as HEVC in MP4, each fourth a key picture."""
    path = tmp_path_factory.mktemp("mp4") / "small.mp4"
    encode(short_clip, path, EncodeOptions(codec="hevc", **KEYS_ONLY))
    return path


@pytest.fixture
def coded_once() -> Iterator[None]:
    """For tests that code the same several times, and are not about coding it."""
    with coding_once():
        yield


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> CommandLine:
    """The gfvc command, called in process; everything that reaches stdout and stderr is caught."""

    def call(*arguments: str | Path) -> Outcome:
        capfd.readouterr()
        try:
            status: object = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
        out, err = capfd.readouterr()
        assert isinstance(status, int)
        return Outcome(status, out, err)

    return call


@pytest.fixture(scope="session")
def decoded_small(small_stream: Path) -> list[Picture]:
    """The decoded pictures of `small_stream`."""
    return decode_all(small_stream)
