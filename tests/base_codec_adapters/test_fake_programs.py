"""Encoding and decoding with programs that do everything wrong that a program can do."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from base_codec_adapters import (
    BaseDecoder,
    BaseEncoder,
    Codec,
    DecodeLimits,
    DecodeRequest,
    EncodeRequest,
    LimitExceededError,
    OutputInvalidError,
    Picture420,
    ProgramFailedError,
    ProgramNotFoundError,
    ProgramTimeoutError,
    RequestInvalidError,
    StreamInvalidError,
    find_decoder,
    find_encoder,
)
from base_codec_adapters.pictures import write_raw_video
from tests.base_codec_adapters.conftest import FakeProgram, MakePicture, MakeProgram
from tests.base_codec_adapters.streams import (
    Sps,
    make_stream,
    nal_unit,
    picture_unit,
    pps_unit,
    sps_unit,
)

# Answers the probe of each program, then goes on to the body of the test.
PROBE = """\
if sys.argv[1:] == ["-codecs"]:
    print("ffmpeg version n1.2.3-fake Copyright (c) nobody")
    print(" DEV.L. hevc    H.265 (decoders: hevc hevc_cuvid) (encoders: libx265 libkvazaar)")
    print(" DEV.L. vvc     H.266 (encoders: libvvenc)")
    sys.exit()
if sys.argv[1:] == ["--version"]:
    print("vvencFFapp version 1.13.0")
    print("vvdecapp version 3.0.0")
    sys.exit()
if sys.argv[1:] == ["--help"]:
    print(os.environ["FAKE_BANNER"])
    print("a long help text " * 5000)
    sys.exit(1)
options = dict(a.lstrip("-").split("=", 1) for a in sys.argv if "=" in a)
if os.environ.get("FAKE_BANNER") and "BitstreamFile" in options and "IntraPeriod" in options:
    if options["IntraPeriod"] == "1" and options["DecodingRefreshType"] == "2":
        sys.exit("Error: Intra period must be larger than GOP size for periodic IDR pictures")
if "BitstreamFile" in options:
    source, target = Path(options["InputFile"]), Path(options["BitstreamFile"])
elif "-b" in sys.argv:
    source, target = (Path(sys.argv[sys.argv.index(o) + 1]) for o in ("-b", "-o"))
elif "--bitstream" in sys.argv:
    source, target = (Path(sys.argv[sys.argv.index(o) + 1]) for o in ("--bitstream", "--output"))
else:
    source, target = Path(sys.argv[sys.argv.index("-i") + 1]), Path(sys.argv[-1])
"""

BANNERS = {
    ("encoder", "vtm"): "VVCSoftware: VTM Encoder Version 23.4 [Linux][GCC 13.2][64 bit]",
    ("encoder", "hm"): "HM software: Encoder Version [18.0] (including RExt)[Linux]",
    ("decoder", "vtm"): "VVCSoftware: VTM Decoder Version 23.4 [Linux][GCC 13.2][64 bit]",
    ("decoder", "hm"): "HM software: Decoder Version [18.0] (including RExt)[Linux]",
}

VERSIONS = {
    "ffmpeg": "ffmpeg n1.2.3-fake",
    "ffmpeg-libvvenc": "ffmpeg n1.2.3-fake",
    "ffmpeg-libx265": "ffmpeg n1.2.3-fake",
    "ffmpeg-libkvazaar": "ffmpeg n1.2.3-fake",
    "vvencFFapp": "vvencFFapp 1.13.0",
    "vvdecapp": "vvdecapp 3.0.0",
    "vtm": "VTM 23.4",
    "hm": "HM 18.0",
}


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Requests clean up after themselves, however they end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture(autouse=True)
def configurations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "intra.cfg").touch()
    for variable in ("GFVC_VTM_CONFIG", "GFVC_HM_CONFIG"):
        monkeypatch.setenv(variable, str(tmp_path / "intra.cfg"))


def writing(path: Path, data: bytes) -> str:
    """Script that writes these bytes to its target."""
    path.write_bytes(data)
    return PROBE + f"target.write_bytes(Path({str(path)!r}).read_bytes())\n"


def x265(program: FakeProgram, timeout: float = 60) -> BaseEncoder:
    return find_encoder("hevc", "ffmpeg-libx265", executable=program.path, timeout=timeout)


def hevc_decoder(program: FakeProgram, timeout: float = 60) -> BaseDecoder:
    return find_decoder("hevc", "ffmpeg", executable=program.path, timeout=timeout)


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("vvc", "ffmpeg-libvvenc"),
        ("vvc", "vvencFFapp"),
        ("vvc", "vtm"),
        ("hevc", "ffmpeg-libx265"),
        ("hevc", "ffmpeg-libkvazaar"),
        ("hevc", "hm"),
    ],
)
def test_every_encoder(
    codec: Codec,
    name: str,
    make_program: MakeProgram,
    make_picture: MakePicture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The program gets the raw video, is probed once, and its stream comes back."""
    monkeypatch.setenv("FAKE_BANNER", BANNERS.get(("encoder", name), ""))
    seen = tmp_path / "seen.yuv"
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(make_stream(codec, 1))
    two.write_bytes(make_stream(codec, 2))
    body = PROBE + (
        f"which = {str(one)!r} if options.get('FramesToBeEncoded') == '1' else {str(two)!r}\n"
        "target.write_bytes(Path(which).read_bytes())\n"
        f"open({str(seen)!r}, 'ab').write(source.read_bytes())"
    )
    program = make_program(body)
    encoder = find_encoder(codec, name, executable=program.path)
    pictures = (make_picture(shade=80), make_picture(shade=160))
    result = encoder.encode(EncodeRequest(pictures, qp=30))
    runs = 2 if name in ("vtm", "hm") else 1
    assert result.stream == make_stream(codec, 2 // runs) * runs
    assert (result.codec, result.version) == (codec, VERSIONS[name])
    assert result.bit_depth == (10 if codec == "vvc" else 8)
    assert list(result.command) == [str(program.path), *program.calls[-1]]
    assert len(program.calls) == 1 + runs
    with (tmp_path / "expected.yuv").open("wb") as file:
        write_raw_video(file, pictures, 64, 64, result.bit_depth)
    assert seen.read_bytes() == (tmp_path / "expected.yuv").read_bytes()


def test_how_far_an_encoder_is(
    make_program: MakeProgram, make_picture: MakePicture, tmp_path: Path
) -> None:
    """The program goes on when its first report was told; a number cut short is not."""
    stream, heard = tmp_path / "stream", tmp_path / "heard"
    stream.write_bytes(make_stream("hevc", 2))
    body = PROBE + (
        "report = Path(sys.argv[sys.argv.index('-progress') + 1])\n"
        "report.write_text('frame=0\\nprogress=continue\\nframe=1\\nfps=2\\nframe=12')\n"
        f"while not Path({str(heard)!r}).exists():\n"
        "    time.sleep(0.01)\n"
        f"target.write_bytes(Path({str(stream)!r}).read_bytes())\n"
    )
    told: list[int] = []

    def hear(count: int) -> None:
        told.append(count)
        heard.touch()

    request = EncodeRequest((make_picture(), make_picture()), qp=30, progress=hear)
    assert x265(make_program(body)).encode(request).stream == stream.read_bytes()
    assert told == [1]


def test_a_hearer_that_raises_ends_the_program(
    make_program: MakeProgram, make_picture: MakePicture
) -> None:
    body = PROBE + (
        "Path(sys.argv[sys.argv.index('-progress') + 1]).write_text('frame=1\\n')\n"
        "time.sleep(600)\n"
    )

    def hear(count: int) -> None:
        raise ZeroDivisionError

    request = EncodeRequest((make_picture(),), qp=30, progress=hear)
    with pytest.raises(ZeroDivisionError):
        x265(make_program(body)).encode(request)


def y4m(data: bytes, header: str = "W64 H64", tag: str = "C420mpeg2") -> bytes:
    size = 64 * 64 * 3 // 2 * (2 if tag.startswith("C420p10") else 1)
    frames = [data[start : start + size] for start in range(0, len(data), size)]
    head = f"YUV4MPEG2 {header} F25:1 Ip A1:1 {tag}\n".encode()
    return head + b"".join(b"FRAME\n" + frame for frame in frames)


def raw_bytes(tmp_path: Path, make_picture: MakePicture, count: int, bit_depth: int = 8) -> bytes:
    path = tmp_path / "raw.yuv"
    pictures = [make_picture(shade=60 + 40 * index) for index in range(count)]
    with path.open("wb") as file:
        write_raw_video(file, pictures, 64, 64, bit_depth)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("codec", "name"),
    [("vvc", "ffmpeg"), ("vvc", "vvdecapp"), ("vvc", "vtm"), ("hevc", "ffmpeg"), ("hevc", "hm")],
)
def test_every_decoder(
    codec: Codec,
    name: str,
    make_program: MakeProgram,
    make_picture: MakePicture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The program gets the stream, is probed once, and its pictures come back in order."""
    monkeypatch.setenv("FAKE_BANNER", BANNERS.get(("decoder", name), ""))
    bit_depth = 10 if codec == "vvc" else 8
    stream = make_stream(codec, 3)
    raw = raw_bytes(tmp_path, make_picture, 3, bit_depth)
    if name not in ("vtm", "hm"):
        raw = y4m(raw, tag="C420p10" if bit_depth == 10 else "C420mpeg2")
    seen = tmp_path / "seen.bin"
    body = writing(tmp_path / "output", raw)
    body += f"Path({str(seen)!r}).write_bytes(source.read_bytes())"
    program = make_program(body)
    decoder = find_decoder(codec, name, executable=program.path)
    result = decoder.decode(DecodeRequest(stream, expected_pictures=3))
    assert result.bit_depth == bit_depth
    assert result.version == VERSIONS[name]
    assert [int(picture.y.mean()) for picture in result.pictures] == [
        int(make_picture(shade=60 + 40 * index).y.mean()) for index in range(3)
    ]
    assert np.array_equal(result.pictures[2].v, make_picture(shade=140).v)
    assert list(result.command) == [str(program.path), *program.calls[-1]]
    assert len(program.calls) == 2
    assert seen.read_bytes() == stream


@pytest.mark.parametrize(("name", "gets_hash"), [("ffmpeg", True), ("hm", False)])
def test_decoders_get_what_the_pictures_need(
    name: str,
    gets_hash: bool,
    make_program: MakeProgram,
    make_picture: MakePicture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """HM aborts on face messages; a second layer and Dolby Vision's units are not for it either."""
    monkeypatch.setenv("FAKE_BANNER", BANNERS.get(("decoder", name), ""))
    raw = raw_bytes(tmp_path, make_picture, 1)
    seen = tmp_path / "seen.bin"
    body = writing(tmp_path / "output", y4m(raw) if name == "ffmpeg" else raw)
    program = make_program(body + f"Path({str(seen)!r}).write_bytes(source.read_bytes())")
    picture_hash = nal_unit("hevc", 40, b"\x84\x02ab\x80")
    others = (
        nal_unit("hevc", 40, b"\xdf\x02ab\x80")
        + nal_unit("hevc", 62, b"\x12\x34")
        + nal_unit("hevc", 1, b"\x80\x34", layer=1)
    )
    stream = make_stream("hevc")
    decoder = find_decoder("hevc", name, executable=program.path)
    decoder.decode(DecodeRequest(others + stream + others + picture_hash, expected_pictures=1))
    assert seen.read_bytes() == stream + picture_hash * gets_hash


def test_memory_does_not_grow_with_the_pictures(make_program: MakeProgram) -> None:
    """300 pictures of 98304 bytes, each read when it is asked for."""
    program = make_program(
        PROBE + "with target.open('wb') as file:\n"
        "    file.write(b'YUV4MPEG2 W256 H256 F25:1 C420\\n')\n"
        "    for n in range(300): file.write(b'FRAME\\n' + bytes([n % 256]) * 98304)"
    )
    request = DecodeRequest(make_stream("hevc", 300, Sps(256, 256)), expected_pictures=300)
    decoder = hevc_decoder(program)
    tracemalloc.start()
    try:
        pictures = decoder.decode(request).pictures
        for number, picture in enumerate(pictures):
            assert picture.y[0, 0] == picture.v[127, 127] == number % 256
        assert tracemalloc.get_traced_memory()[1] < 10 * 98304
    finally:
        tracemalloc.stop()


HEADERS = sps_unit("hevc", Sps()) + pps_unit("hevc")


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (b"", "nothing was written"),
        (b"rubbish of all sorts", "byte 0: the stream does not start with an Annex B start code"),
        (bytes(1000), "does not start with an Annex B start code"),
        (make_stream("hevc", 1), "coded 1 of 2 pictures"),
        (make_stream("hevc", 3), "coded 3 of 2 pictures"),
        (HEADERS, "no HEVC coded picture"),
        (make_stream("hevc", 2)[:12], "sequence parameter set: ends too early"),
        (picture_unit("hevc") * 2 + HEADERS, "does not start with its parameter sets"),
        (
            make_stream("hevc", 2, Sps(64, 32)),
            "coded 64x32 at 8 bits where 64x64 at 8 bits was asked for",
        ),
        (make_stream("hevc", 2, Sps(bit_depth=10)), "coded 64x64 at 10 bits where 64x64 at 8"),
        (make_stream("vvc", 2), "no HEVC"),
    ],
)
def test_exit_status_0_is_not_believed(
    stream: bytes,
    message: str,
    make_program: MakeProgram,
    make_picture: MakePicture,
    tmp_path: Path,
) -> None:
    program = make_program(writing(tmp_path / "stream", stream) + "print('all is well')")
    with pytest.raises(OutputInvalidError, match=message) as caught:
        x265(program).encode(EncodeRequest((make_picture(), make_picture()), qp=30))
    first, second = str(caught.value).splitlines()[:2]
    assert first.startswith("ffmpeg-libx265: ")
    assert second.startswith("  command: ")
    assert caught.value.messages == "all is well"
    assert caught.value.exit_status == 0


def test_encoder_that_writes_no_file(make_program: MakeProgram, make_picture: MakePicture) -> None:
    with pytest.raises(OutputInvalidError, match="exit status 0, but nothing was written"):
        x265(make_program(PROBE)).encode(EncodeRequest((make_picture(),), qp=30))


def test_encoder_that_fails_after_writing(
    make_program: MakeProgram, make_picture: MakePicture, tmp_path: Path
) -> None:
    body = writing(tmp_path / "stream", make_stream("hevc"))
    program = make_program(body + "sys.exit('Error: out of luck')")
    with pytest.raises(ProgramFailedError, match="exit status 1: Error: out of luck"):
        x265(program).encode(EncodeRequest((make_picture(),), qp=30))


def test_qp_beyond_the_codec(make_program: MakeProgram, make_picture: MakePicture) -> None:
    program = make_program(PROBE)
    with pytest.raises(RequestInvalidError, match=r"ffmpeg-libx265: QP is 52: HEVC has 0\.\.51"):
        x265(program).encode(EncodeRequest((make_picture(),), qp=52))
    request = EncodeRequest((make_picture(),), qp=51, structure="low_delay", key_qp=52)
    with pytest.raises(RequestInvalidError, match=r"QP of the key picture is 52: HEVC has 0\.\.51"):
        x265(program).encode(request)
    assert program.calls == [["-codecs"]]


def test_pictures_are_enlarged_for_libkvazaar(
    make_program: MakeProgram, make_picture: MakePicture, tmp_path: Path
) -> None:
    stream = make_stream("hevc", 1, Sps(72, 64, crop=(0, 3, 0, 2)))
    seen = tmp_path / "seen.yuv"
    body = writing(tmp_path / "stream", stream)
    program = make_program(body + f"Path({str(seen)!r}).write_bytes(source.read_bytes())")
    encoder = find_encoder("hevc", "ffmpeg-libkvazaar", executable=program.path)
    encoder.encode(EncodeRequest((make_picture(66, 60),), qp=30))
    assert seen.stat().st_size == 72 * 64 * 3 // 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y4m: b"", r"after 0 whole pictures: not a YUV4MPEG2 file"),
        (lambda y4m: b"\x89PNG\r\n\x1a\n" + y4m, "after 0 whole pictures: not a YUV4MPEG2 file"),
        (lambda y4m: y4m[:-1], "after 1 whole pictures: a picture is cut off after 6143 of 6144"),
        (lambda y4m: y4m[: len(y4m) // 2], "after 0 whole pictures: a picture is cut off"),
        (lambda y4m: y4m[: y4m.index(b"FRAME")], "decoded 0 of 2 coded pictures"),
        (lambda y4m: y4m + b"FRAME\n" + bytes(6144), "decoded 3 of 2 coded pictures"),
        (lambda y4m: y4m + b"noise", "after 2 whole pictures: no YUV4MPEG2 frame header"),
        (
            lambda y4m: y4m.replace(b"H64", b"H32"),
            "wrote 64x32 at 8 bits, but the stream states 64x64 at 8 bits",
        ),
        (lambda y4m: y4m.replace(b"C420mpeg2", b"C420p10"), "wrote 64x64 at 10 bits"),
        (lambda y4m: y4m.replace(b"C420mpeg2", b"C444"), "samples are 444, not 4:2:0"),
    ],
)
def test_wrong_decoded_video(
    change: Callable[[bytes], bytes],
    message: str,
    make_program: MakeProgram,
    make_picture: MakePicture,
    tmp_path: Path,
) -> None:
    video = y4m(raw_bytes(tmp_path, make_picture, 2))
    program = make_program(writing(tmp_path / "output", change(video)))
    with pytest.raises(OutputInvalidError, match=message):
        hevc_decoder(program).decode(DecodeRequest(make_stream("hevc", 2)))


def test_decoder_that_writes_no_file(make_program: MakeProgram) -> None:
    with pytest.raises(OutputInvalidError, match=r"after 0 whole pictures: .*No such file"):
        hevc_decoder(make_program(PROBE)).decode(DecodeRequest(make_stream("hevc")))


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (2 * 6144 - 100, "after 1 whole pictures: a picture is cut off after 6044 of 6144 bytes"),
        (0, "decoded 0 of 2 coded pictures"),
        (3 * 6144, "decoded 3 of 2 coded pictures"),
    ],
)
def test_wrong_raw_video(
    size: int,
    message: str,
    make_program: MakeProgram,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FAKE_BANNER", BANNERS["decoder", "hm"])
    program = make_program(writing(tmp_path / "output", bytes(size)))
    decoder = find_decoder("hevc", "hm", executable=program.path)
    with pytest.raises(OutputInvalidError, match=message):
        decoder.decode(DecodeRequest(make_stream("hevc", 2)))


def test_decoder_that_fails(
    make_program: MakeProgram, make_picture: MakePicture, tmp_path: Path
) -> None:
    """Strict: an error, whatever was written. Lenient: the whole pictures, if there are any."""
    video = y4m(raw_bytes(tmp_path, make_picture, 2))[:-1000]
    body = writing(tmp_path / "output", video) + "sys.exit('Invalid data found')"
    decoder = hevc_decoder(make_program(body))
    stream = make_stream("hevc", 2)
    with pytest.raises(ProgramFailedError, match="exit status 1: Invalid data found"):
        decoder.decode(DecodeRequest(stream))
    result = decoder.decode(DecodeRequest(stream, expected_pictures=2, lenient=True))
    assert len(result.pictures) == 1
    assert np.array_equal(result.pictures[0].y, make_picture(shade=60).y)

    body = writing(tmp_path / "output", video[:100]) + "sys.exit('Invalid data found')"
    decoder = hevc_decoder(make_program(body, "nothing whole"))
    with pytest.raises(ProgramFailedError, match="exit status 1: Invalid data found"):
        decoder.decode(DecodeRequest(stream, lenient=True))
    decoder = hevc_decoder(make_program(writing(tmp_path / "output", video[:100]), "succeeds"))
    with pytest.raises(OutputInvalidError, match="after 0 whole pictures"):
        decoder.decode(DecodeRequest(stream, lenient=True))


def encoding(program: FakeProgram, picture: Picture420, timeout: float = 60) -> object:
    return x265(program, timeout).encode(EncodeRequest((picture,), qp=30))


def decoding(program: FakeProgram, _: Picture420, timeout: float = 60) -> object:
    return hevc_decoder(program, timeout).decode(DecodeRequest(make_stream("hevc")))


@pytest.mark.parametrize("job", [encoding, decoding])
def test_program_that_crashes_hangs_or_floods(
    make_program: MakeProgram, make_picture: MakePicture, job: Callable[..., object]
) -> None:
    picture = make_picture()
    crashing = make_program(PROBE + "os.kill(os.getpid(), signal.SIGABRT)", "crashing")
    with pytest.raises(ProgramFailedError, match="ended by signal SIGABRT"):
        job(crashing, picture)
    hanging = make_program(PROBE + "time.sleep(60)", "hanging")
    with pytest.raises(ProgramTimeoutError, match="still running after 1 s"):
        job(hanging, picture, timeout=1)
    endless = make_program(
        PROBE + "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "with target.open('wb') as file:\n"
        "    while True: file.write(bytes(1 << 16))",
        "endless",
    )
    with pytest.raises(ProgramFailedError, match="SIGXFSZ"):
        job(endless, picture)


@pytest.mark.parametrize(
    ("stream", "limits", "message"),
    [
        (make_stream("hevc", 1, Sps(128, 64)), DecodeLimits(width=64), "pictures of 128x64 pass"),
        (make_stream("hevc", 1, Sps(64, 128)), DecodeLimits(height=64), "the limit of 8192x64"),
        (make_stream("hevc", 1, Sps(8194, 64)), DecodeLimits(), "the limit of 8192x8192"),
        (
            make_stream("hevc", 1, Sps(4096, 2306)),
            DecodeLimits(),
            "pictures of 4096x2306 are 9445376 samples, past the limit of 9437184",
        ),
        (make_stream("hevc", 4, Sps(8192, 8192)), DecodeLimits(), "8192x8192 are 67108864 samples"),
        (
            make_stream("hevc", 1, Sps(60000, 60000, crop=(0, 29998, 0, 29998))),
            DecodeLimits(),
            "pictures of 60000x60000 pass the limit",
        ),
        (
            make_stream("hevc", 1, Sps(4096, 4096, crop=(0, 2016, 0, 2016))),
            DecodeLimits(),
            "pictures of 4096x4096 are",
        ),
        (make_stream("hevc", 3), DecodeLimits(pictures=2), "3 coded pictures pass the limit of 2"),
        (make_stream("hevc", 3), DecodeLimits(total_bytes=3 * 6144 - 1), "decode the stream in"),
        (
            make_stream("hevc", 400, Sps(4096, 2304)),
            DecodeLimits(),
            "400 pictures .* are 5662310400 bytes, past the limit of 4294967296",
        ),
        (make_stream("hevc", 1, Sps(bit_depth=12)), DecodeLimits(), "has 12 bits a sample"),
        (b"hello", DecodeLimits(), "does not start with an Annex B start code"),
    ],
)
def test_hostile_streams_reach_no_program(
    stream: bytes, limits: DecodeLimits, message: str, make_program: MakeProgram
) -> None:
    program = make_program(PROBE)
    with pytest.raises(StreamInvalidError, match=message):
        hevc_decoder(program).decode(DecodeRequest(stream, limits=limits))
    assert program.calls == [["-codecs"]]


def test_limits_are_inclusive(
    make_program: MakeProgram, make_picture: MakePicture, tmp_path: Path
) -> None:
    program = make_program(writing(tmp_path / "output", y4m(raw_bytes(tmp_path, make_picture, 2))))
    limits = DecodeLimits(width=64, height=64, area=4096, pictures=2, total_bytes=2 * 6144)
    result = hevc_decoder(program).decode(DecodeRequest(make_stream("hevc", 2), limits=limits))
    assert len(result.pictures) == 2


def test_limits_of_a_picture_smaller_than_a_coding_block(
    make_program: MakeProgram, tmp_path: Path
) -> None:
    video = b"YUV4MPEG2 W8 H8 F25:1 C420\nFRAME\n" + bytes(96)
    program = make_program(writing(tmp_path / "output", video))
    limits = DecodeLimits(width=8, height=8, area=64)
    request = DecodeRequest(make_stream("hevc", 1, Sps(8, 8)), limits=limits)
    assert len(hevc_decoder(program).decode(request).pictures) == 1


def test_limits_are_for_the_cropped_size(
    make_program: MakeProgram, make_picture: MakePicture, tmp_path: Path
) -> None:
    program = make_program(writing(tmp_path / "output", y4m(raw_bytes(tmp_path, make_picture, 1))))
    stream = make_stream("hevc", 1, Sps(72, 128, crop=(0, 4, 0, 32)))
    limits = DecodeLimits(width=64, height=64, area=4096)
    assert len(hevc_decoder(program).decode(DecodeRequest(stream, limits=limits)).pictures) == 1


def test_the_limit_that_is_passed_is_named(make_program: MakeProgram) -> None:
    """A caller can then say which of its options to raise."""
    decoder = hevc_decoder(make_program(PROBE))
    for limits, name in (
        (DecodeLimits(width=62), "width"),
        (DecodeLimits(height=62), "height"),
        (DecodeLimits(area=4095), "area"),
        (DecodeLimits(pictures=1), "pictures"),
        (DecodeLimits(total_bytes=6144), "total_bytes"),
    ):
        with pytest.raises(LimitExceededError) as caught:
            decoder.decode(DecodeRequest(make_stream("hevc", 2), limits=limits))
        assert caught.value.limit == name


def test_other_number_than_expected(make_program: MakeProgram) -> None:
    with pytest.raises(StreamInvalidError, match="2 coded pictures where 3 were expected"):
        hevc_decoder(make_program(PROBE)).decode(DecodeRequest(make_stream("hevc", 2), 3))


def test_program_that_vanishes_after_its_probe(
    make_program: MakeProgram, make_picture: MakePicture
) -> None:
    program = make_program(PROBE)
    encoder = x265(program)
    program.path.unlink()
    with pytest.raises(ProgramNotFoundError, match="not an executable file"):
        encoder.encode(EncodeRequest((make_picture(),), qp=30))
