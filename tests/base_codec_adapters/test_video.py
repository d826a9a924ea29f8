"""Whole videos through conventional codecs: commands, bits of pictures, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from base_codec_adapters.errors import (
    OutputInvalidError,
    ProgramFailedError,
    ProgramNotFoundError,
    RequestInvalidError,
    UnknownAdapterError,
)
from base_codec_adapters.pictures import Picture420
from base_codec_adapters.requests import Structure
from base_codec_adapters.video import (
    VIDEO_ENCODERS,
    VideoRequest,
    decoded_video,
    encode_command,
    encode_video,
    find_video_encoder,
)

REQUEST = VideoRequest(64, 64, Fraction(25), 30)
PICTURES = 9


def moving_pictures() -> Iterator[Picture420]:
    """A texture that moves by two samples a picture."""
    texture = np.random.default_rng(0).integers(60, 200, (20, 20)).astype(np.uint8)
    large = np.kron(texture, np.ones((4, 4), np.uint8))
    grey = np.full((32, 32), 128, np.uint8)
    for step in range(PICTURES):
        yield Picture420(large[:64, step : step + 64].copy(), grey, grey)


@pytest.mark.program
@pytest.mark.parametrize("structure", ["random_access", "low_delay"])
@pytest.mark.parametrize("name", VIDEO_ENCODERS)
def test_videos_come_back_in_order(tmp_path: Path, name: str, structure: Structure) -> None:
    encoder = find_video_encoder(name)
    preset = {"vvenc": "faster", "x265": "fast", "svtav1": "10"}[name]
    request = replace(REQUEST, structure=structure, preset=preset)
    stream = tmp_path / f"coded{encoder.suffix}"
    coded = encode_video(encoder, request, moving_pictures(), stream)
    assert len(coded.picture_bits) == PICTURES
    assert sum(coded.picture_bits) == 8 * stream.stat().st_size
    assert coded.picture_bits[0] > 2 * sum(coded.picture_bits[1:]) / PICTURES
    assert coded.version.startswith("ffmpeg ")
    with decoded_video(encoder, request, stream, PICTURES) as pictures:
        decoded = list(pictures)
    for source, picture in zip(moving_pictures(), decoded, strict=True):
        difference = np.abs(source.y.astype(int) - picture.y).mean()
        assert difference < 12
    coarse = encode_video(
        encoder, replace(request, qp_or_crf=encoder.worst), moving_pictures(), tmp_path / "coarse"
    )
    assert sum(coarse.picture_bits) < sum(coded.picture_bits)


@pytest.mark.parametrize("structure", ["random_access", "low_delay"])
def test_vvenc_has_no_thread_that_loses_the_pictures_of_a_short_clip(structure: Structure) -> None:
    options = find_video_encoder("vvenc").options(30, structure, "medium")
    assert "threads=0" in options[options.index("-vvenc-params") + 1].split(":")


@pytest.mark.program
def test_missing_pictures_are_seen(tmp_path: Path) -> None:
    encoder = find_video_encoder("x265")
    request = replace(REQUEST, preset="ultrafast")
    stream = tmp_path / "coded.265"
    encode_video(encoder, request, moving_pictures(), stream)
    with (
        pytest.raises(OutputInvalidError, match=r"decoded 9 pictures where 8 were coded"),
        decoded_video(encoder, request, stream, PICTURES - 1),
    ):
        pass
    stream.write_bytes(b"nothing")
    with pytest.raises(ProgramFailedError), decoded_video(encoder, request, stream, PICTURES):
        pass


def test_requests_out_of_range(tmp_path: Path) -> None:
    encoder = find_video_encoder("x265")
    with pytest.raises(RequestInvalidError, match=r"CRF is 52: it has 0\.\.51"):
        encode_video(encoder, replace(REQUEST, qp_or_crf=52), moving_pictures(), tmp_path / "a")
    with pytest.raises(RequestInvalidError, match="cannot code low_delay"):
        encode_video(
            replace(encoder, structures=("random_access",)),
            replace(REQUEST, structure="low_delay"),
            moving_pictures(),
            tmp_path / "a",
        )
    with pytest.raises(UnknownAdapterError, match="choose from vvenc, x265, svtav1"):
        find_video_encoder("h261")


@pytest.mark.program
def test_no_pictures_and_no_library(tmp_path: Path) -> None:
    encoder = find_video_encoder("x265")
    with pytest.raises(RequestInvalidError, match="no pictures"):
        encode_video(encoder, REQUEST, iter(()), tmp_path / "a")
    with pytest.raises(ProgramNotFoundError, match="has no encoder libnothing"):
        replace(encoder, library="libnothing").find_program()


def test_the_samples_are_called_what_they_are() -> None:
    source, target, sizes = Path("in.yuv"), Path("out.266"), Path("sizes")
    for encoder in VIDEO_ENCODERS.values():
        command = encode_command(encoder, REQUEST, Path("ffmpeg"), source, target, sizes)
        before_input = command[: command.index("-i")]
        assert before_input[before_input.index("-colorspace") + 1] == "1"
        assert before_input[before_input.index("-color_range") + 1] == "tv"
        pixels = before_input[before_input.index("-pix_fmt") + 1]
        assert pixels.endswith("10le") == (encoder.bit_depth == 10)
        assert command[command.index("-preset") + 1] == encoder.preset
        assert command[-1] == str(target)


def test_a_program_that_notes_too_few_packets(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(
        "#!/bin/sh\n"
        'if [ "$1" = -codecs ]; then\n'
        "echo ffmpeg version 1; echo ' DEV.L. hevc HEVC (decoders: hevc) (encoders: libx265)'\n"
        "exit; fi\n"
        'for word; do case "$last" in -stats_enc_post:v) echo 0 5 > "$word";; esac; last=$word\n'
        'done; echo 12345 > "$last"\n'
    )
    program.chmod(0o755)
    with pytest.raises(OutputInvalidError, match="coded 1 of 9 pictures"):
        encode_video(
            find_video_encoder("x265"),
            REQUEST,
            moving_pictures(),
            tmp_path / "out.265",
            executable=program,
        )
