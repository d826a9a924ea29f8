"""Byte streams made bit by bit for the tests: right parameter sets, slices without content."""

from __future__ import annotations

from dataclasses import dataclass

from base_codec_adapters import Codec


class BitWriter:
    def __init__(self) -> None:
        self.bits = ""

    def u(self, count: int, value: int) -> None:
        if count:
            self.bits += f"{value:0{count}b}"

    def ue(self, value: int) -> None:
        code = f"{value + 1:b}"
        self.bits += "0" * (len(code) - 1) + code

    def align(self) -> None:
        self.bits += "0" * (-len(self.bits) % 8)

    def rbsp(self) -> bytes:
        bits = self.bits + "1"
        bits += "0" * (-len(bits) % 8)
        return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


@dataclass(frozen=True)
class Sps:
    """What the made sequence parameter set says; sizes before cropping, crop in chroma samples."""

    width: int = 64
    height: int = 64
    bit_depth: int = 8
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    sub_layers: int = 0
    levels: int = 0
    chroma_format: int = 1
    chroma_bit_depth: int | None = None
    constraint_bits: int | None = None
    sub_profiles: int = 0
    resampling: bool = False
    subpictures: bool = False


def emulate(rbsp: bytes) -> bytes:
    out = bytearray()
    for byte in rbsp:
        if out[-2:] == b"\x00\x00" and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)


def nal_unit(codec: Codec, kind: int, payload: bytes, layer: int = 0) -> bytes:
    if codec == "hevc":
        header = bytes([kind << 1 | layer >> 5, (layer & 31) << 3 | 1])
    else:
        header = bytes([layer, kind << 3 | 1])
    return b"\x00\x00\x00\x01" + header + emulate(payload)


def hevc_sps(sps: Sps) -> bytes:
    bits = BitWriter()
    bits.u(4, 0)
    bits.u(3, sps.sub_layers)
    bits.u(1, 1)
    bits.u(88, 1 << 83)
    bits.u(8, 93)
    flags = [(index < sps.levels, index < sps.levels) for index in range(sps.sub_layers)]
    for profile, level in flags:
        bits.u(1, profile)
        bits.u(1, level)
    if sps.sub_layers:
        bits.u(2 * (8 - sps.sub_layers), 0)
    for profile, level in flags:
        bits.u(88 * profile, 0)
        bits.u(8 * level, 90)
    bits.ue(0)
    bits.ue(sps.chroma_format)
    bits.ue(sps.width)
    bits.ue(sps.height)
    _crop(bits, sps)
    bits.ue(sps.bit_depth - 8)
    chroma = sps.bit_depth if sps.chroma_bit_depth is None else sps.chroma_bit_depth
    bits.ue(chroma - 8)
    return nal_unit("hevc", 33, bits.rbsp())


def vvc_sps(sps: Sps) -> bytes:
    bits = BitWriter()
    bits.u(8, 0)
    bits.u(3, sps.sub_layers)
    bits.u(2, sps.chroma_format)
    bits.u(2, 2)
    bits.u(1, 1)
    bits.u(7 + 1 + 8 + 2, 1 << 11)
    bits.u(1, sps.constraint_bits is not None)
    if sps.constraint_bits is not None:
        bits.u(71, 5)
        bits.u(8, sps.constraint_bits)
        bits.u(sps.constraint_bits, 0)
    bits.align()
    for index in range(sps.sub_layers):
        bits.u(1, index < sps.levels)
    bits.align()
    bits.u(8 * min(sps.levels, sps.sub_layers), 0)
    bits.u(8, sps.sub_profiles)
    bits.u(32 * sps.sub_profiles, 7)
    bits.u(1, 0)
    bits.u(1, sps.resampling)
    if sps.resampling:
        bits.u(1, 0)
    bits.ue(sps.width)
    bits.ue(sps.height)
    _crop(bits, sps)
    bits.u(1, sps.subpictures)
    bits.ue(sps.bit_depth - 8)
    return nal_unit("vvc", 15, bits.rbsp())


def _crop(bits: BitWriter, sps: Sps) -> None:
    bits.u(1, any(sps.crop))
    if any(sps.crop):
        for offset in sps.crop:
            bits.ue(offset)


def sps_unit(codec: Codec, sps: Sps) -> bytes:
    return hevc_sps(sps) if codec == "hevc" else vvc_sps(sps)


def pps_unit(codec: Codec) -> bytes:
    return nal_unit(codec, 34 if codec == "hevc" else 16, b"\xc1")


def picture_unit(codec: Codec) -> bytes:
    """One IDR picture of a single slice."""
    return nal_unit(codec, 20 if codec == "hevc" else 8, b"\xaf\x12\x34")


def make_stream(codec: Codec, pictures: int = 1, sps: Sps | None = None) -> bytes:
    sps = sps or Sps(bit_depth=10 if codec == "vvc" else 8)
    headers = sps_unit(codec, sps) + pps_unit(codec)
    return headers + picture_unit(codec) * pictures
