from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gfvc.verification import Finding, Severity, picture_hash, verify_stream
from gfvc.verification.picture_hash import plane_checksum, plane_crc, plane_md5
from sei import Codec, NalUnit, SeiMessage, access_units, make_sei_nal_unit, read_sei
from tests.gfvc.editing.streams import all_units, slice_unit, write_stream
from tests.gfvc.support import ffmpeg

Plane = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

planes = st.sampled_from([np.uint8, np.uint16]).flatmap(
    lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9))
)


def byte_values(plane: Plane) -> list[int]:
    """The bytes of the samples, row by row, low ones first."""
    high = plane.dtype == np.uint16
    return [
        part
        for sample in plane.ravel().tolist()
        for part in ((sample & 255, sample >> 8) if high else (sample,))
    ]


@given(planes)
def test_crc_is_that_of_the_standard(plane: Plane) -> None:
    """H.265 clause D.3.19, bit by bit."""
    crc = 0xFFFF
    bits = [value >> 7 - i & 1 for value in byte_values(plane) for i in range(8)] + [0] * 16
    for bit in bits:
        crc = (crc << 1 | bit) & 0xFFFF ^ (0x1021 if crc & 0x8000 else 0)
    assert plane_crc(plane) == f"{crc:04x}"


@given(planes)
def test_checksum_is_that_of_the_standard(plane: Plane) -> None:
    total = 0
    for y, row in enumerate(plane.tolist()):
        for x, sample in enumerate(row):
            mask = (x & 255) ^ (y & 255) ^ (x >> 8) ^ (y >> 8)
            total += (sample & 255) ^ mask
            if plane.dtype == np.uint16:
                total += (sample >> 8) ^ mask
    assert plane_checksum(plane) == f"{total & 0xFFFFFFFF:08x}"


def test_checksum_of_a_wide_plane() -> None:
    """The mask takes the high bytes of the position in."""
    plane = np.zeros((1, 600), np.uint8)
    assert int(plane_checksum(plane), 16) == sum((x & 255) ^ (x >> 8) for x in range(600))


def test_md5_takes_two_bytes_a_sample_above_eight_bits() -> None:
    # MD5 of 61 and of 61 00.
    assert plane_md5(np.array([[0x61]], np.uint8)) == "0cc175b9c0f1b6a831c399e269772661"
    assert plane_md5(np.array([[0x61]], np.uint16)) == "4144e195f46de78a3623da7364d04f11"


X265 = ("-c:v", "libx265", "-pix_fmt", "yuv420p", "-f", "hevc", "-x265-params")
X265_10 = ("-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-f", "hevc", "-x265-params")
VVENC = ("-c:v", "libvvenc", "-pix_fmt", "yuv420p10le", "-f", "vvc", "-vvenc-params")
STREAMS = {
    "hevc-md5": (*X265, "hash=1:keyint=1:log-level=error"),
    "hevc-checksum": (*X265, "hash=3:keyint=1:log-level=error"),
    # With pictures in another order than they are put out.
    "hevc-10-md5": (*X265_10, "hash=1:bframes=2:b-adapt=0:log-level=error"),
    "vvc-md5": (*VVENC, "decodedpicturehash=1"),
    "vvc-crc": (*VVENC, "decodedpicturehash=2"),
    "vvc-checksum": (*VVENC, "decodedpicturehash=3"),
    "vvc-8-crc": (*VVENC, "decodedpicturehash=2:internalbitdepth=8"),
}


def encoded(name: str, path: Path, pictures: int = 3) -> Path:
    """A stream with picture hashes; the conformance window cuts its pictures."""
    source = f"testsrc=size=72x50:rate=5,trim=end_frame={pictures}"
    path.write_bytes(ffmpeg("-f", "lavfi", "-i", source, *STREAMS[name], "pipe:1"))
    return path


def hash_findings(path: Path) -> list[Finding]:
    return [finding for finding in verify_stream(path) if finding.check == "picture hash"]


@pytest.mark.program
@pytest.mark.parametrize("name", STREAMS)
def test_hashes_of_real_encoders_match(tmp_path: Path, name: str) -> None:
    (finding,) = hash_findings(encoded(name, tmp_path / name))
    assert finding.severity is Severity.INFORMATION
    assert finding.text == "3 of 3 decoded pictures match their hash"


def changed_hash(unit: NalUnit) -> NalUnit:
    """The NAL unit with the last bit of a picture hash turned over."""
    (message,) = read_sei(unit).messages
    payload = message.payload[:-1] + bytes([message.payload[-1] ^ 1])
    return make_sei_nal_unit([SeiMessage(message.payload_type, payload)], unit.codec)


@pytest.mark.program
@pytest.mark.parametrize("name", ["hevc-md5", "vvc-crc", "vvc-checksum"])
def test_another_hash_is_an_error(tmp_path: Path, name: str) -> None:
    units = all_units(encoded(name, tmp_path / name, 2))
    position = next(i for i, unit in enumerate(units) if unit.is_suffix_sei)
    units[position] = changed_hash(units[position])
    path = write_stream(tmp_path / "changed", units)
    different, summary = hash_findings(path)
    assert different.severity is Severity.ERROR
    assert "component 2" in different.text
    assert "component 1" not in different.text
    assert (different.place.nal, different.place.picture) == (position, 0)
    assert summary.text == "1 of 2 decoded pictures match their hash"


@pytest.mark.program
def test_a_picture_that_cannot_be_decoded(tmp_path: Path) -> None:
    units = all_units(encoded("vvc-md5", tmp_path / "good", 2))
    first, second = access_units(units)
    broken = [slice_unit(intra=False) if unit.is_vcl else unit for unit in second]
    path = write_stream(tmp_path / "bad", first, broken)
    *problems, summary = hash_findings(path)
    assert {finding.severity for finding in problems} <= {Severity.ERROR, Severity.WARNING}
    assert [finding.place.picture for finding in problems] == [1]
    assert summary.text == "1 of 1 decoded pictures match their hash"


def test_hashes_of_h264_are_not_compared(tmp_path: Path) -> None:
    units = [make_sei_nal_unit([SeiMessage(132, bytes(49))], Codec.AVC), slice_unit(Codec.AVC)]
    (finding,) = hash_findings(write_stream(tmp_path / "stream.264", units))
    assert finding.text == "not compared in H.264"


@pytest.mark.program
def test_decoding_ends_where_it_costs_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encoded("hevc-md5", tmp_path / "in.265", 5)
    samples = 72 * 56 * 3 // 2  # as coded: with what the conformance window cuts
    monkeypatch.setattr(picture_hash, "SAMPLES_PER_BYTE", 0)
    monkeypatch.setattr(picture_hash, "FREE_SAMPLES", 5 * samples)
    assert [finding.text[:6] for finding in hash_findings(path)] == ["5 of 5"]
    monkeypatch.setattr(picture_hash, "FREE_SAMPLES", 2 * samples)
    beyond, summary = hash_findings(path)
    assert beyond.severity is Severity.WARNING
    assert beyond.text.startswith(f"not compared from here on: more than {2 * samples} samples")
    assert summary.text == "3 of 3 decoded pictures match their hash"


@pytest.mark.program
def test_large_pictures_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_hash, "MAX_AREA", 72 * 40)
    for name in ("hevc-md5", "vvc-md5"):
        beyond, summary = hash_findings(encoded(name, tmp_path / name))
        assert beyond.severity is Severity.WARNING
        assert "have more than 2880 samples" in beyond.text
        assert summary.text == "0 of 0 decoded pictures match their hash"


@pytest.mark.program
def test_decoding_ends_with_the_last_hash(tmp_path: Path) -> None:
    first, second, third = access_units(all_units(encoded("vvc-md5", tmp_path / "good", 3)))
    broken = [slice_unit(intra=False) if unit.is_vcl else unit for unit in third]
    units = [*first, *second, *(unit for unit in broken if not unit.is_suffix_sei)]
    (summary,) = hash_findings(write_stream(tmp_path / "bad", units))
    assert summary.text == "2 of 2 decoded pictures match their hash"


def test_usual_streams_are_within_the_bound() -> None:
    """As many bits a second as the least that encoders take, hashes included."""
    for width, height, seconds, bits in (
        (256, 256, 600, 12_000),
        (1280, 720, 60, 33_000),
        (1280, 720, 3600, 70_000),
        (1920, 1080, 60, 120_000),
    ):
        samples = width * height * 3 // 2 * 25 * seconds
        bound = picture_hash.FREE_SAMPLES + picture_hash.SAMPLES_PER_BYTE * bits * seconds // 8
        assert samples <= bound


def test_a_checksum_takes_little_memory() -> None:
    plane = np.ones((2048, 2048), np.uint16)
    expected = plane_checksum(plane)
    tracemalloc.start()
    assert plane_checksum(plane) == expected
    plane_md5(plane)
    plane_crc(plane)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < plane.nbytes / 2
