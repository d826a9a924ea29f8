"""Messages for tests: written out bit by bit, or drawn at random."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from sei import (
    GENERATIVE_FACE_VIDEO,
    GENERATIVE_FACE_VIDEO_ENHANCEMENT,
    FaceValues,
    GenerativeFaceVideo,
    GenerativeFaceVideoEnhancement,
    GfveState,
    GfvState,
    MatrixValues,
    SeiError,
    SeiMessage,
    read_sei,
    split_annex_b,
)

DATA = Path(__file__).resolve().parent.parent / "data/sei"

VECTORS = [
    "chroma_default",
    "compact_4x4",
    "compact_nopred_multi",
    "gfve_matrices",
    "gfve_pupils",
    "gfve_two_matrices_nopred",
    "kps2d_affine",
    "kps2d_nopred",
    "kps2d_pred",
    "kps3d_affine_cov_subset",
    "kps3d_pred",
    "merged_one_nal_gfve_pupils",
    "merged_one_nal_kps2d_pred",
    "nn_payload",
    "semantics",
    "uri_chroma",
]
"""Streams with face messages in `vectors/gfv` of the reference material."""


class HandMade(NamedTuple):
    """A payload written by hand: rows of bits, name and value; trailing bits have no name."""

    rows: list[tuple[str, str | None, int]]

    @property
    def payload(self) -> bytes:
        return bytes_of("".join(bits for bits, _, _ in self.rows))

    @property
    def elements(self) -> list[tuple[str, int]]:
        return [(name, value) for _, name, value in self.rows if name is not None]

    @property
    def digits(self) -> str:
        """Bits of the elements, without those that close the payload."""
        return "".join(bits for bits, name, _ in self.rows if name is not None)

    def changed(self, element: str, bits: str) -> bytes:
        """The payload with other bits for an element."""
        assert element in dict(self.elements)
        return bytes_of("".join(bits if n == element else b for b, n, _ in self.rows) + "1")


def bytes_of(digits: str) -> bytes:
    """Bytes of binary digits, with zero bits up to the next byte."""
    digits += "0" * (-len(digits) % 8)
    return int(digits or "0", 2).to_bytes(len(digits) // 8, "big")


def hand_made_messages() -> dict[str, HandMade]:
    """Sections of ``face_messages.txt``, whose two writings of the bits must agree."""
    text = (DATA / "face_messages.txt").read_text()
    sections = re.split(r"^\[(\w+)\]\n", text, flags=re.MULTILINE)[1:]
    result = {}
    for name, section in zip(sections[::2], sections[1::2], strict=True):
        hexadecimal, _, table = section.partition("\n\n")
        rows: list[tuple[str, str | None, int]] = []
        for line in table.splitlines():
            if line and not line.startswith("#"):
                bits, *rest = line.split()
                rows.append((bits, rest[0], int(rest[1])) if rest else (bits, None, 0))
        result[name] = HandMade(rows)
        assert result[name].payload == bytes.fromhex(hexadecimal), name
    return result


def face_messages(stream: Path) -> Iterator[SeiMessage]:
    """Face messages of a stream."""
    for unit in split_annex_b(stream.read_bytes()):
        if unit.is_sei:
            for message in read_sei(unit).messages:
                if message.payload_type in (
                    GENERATIVE_FACE_VIDEO,
                    GENERATIVE_FACE_VIDEO_ENHANCEMENT,
                ):
                    yield message


def read_and_rewrite(
    reader: GfvState | GfveState, writer: GfvState | GfveState, payload: bytes
) -> SeiError | None:
    """Read a payload and write it again, which must give the same bytes; or its error."""
    try:
        message = reader.read(payload)
    except SeiError as error:
        return error
    if isinstance(writer, GfvState):
        assert isinstance(message, GenerativeFaceVideo)
        rewritten = writer.write(message)
    else:
        assert isinstance(message, GenerativeFaceVideoEnhancement)
        rewritten = writer.write(message)
    assert rewritten == payload
    assert writer.values == reader.values
    return None


NUMBERS = st.integers(-(2**20), 2**20)


@st.composite
def value_sequences(draw: st.DrawFn) -> list[FaceValues]:
    """Values of consecutive pictures in one layout, with keypoints, matrices or both."""
    length = draw(st.integers(1, 5))
    has_keypoints, has_matrices = draw(st.sampled_from([(1, 0), (0, 1), (1, 1)]))
    num_keypoints, dimensions = draw(st.integers(1, 4)), draw(st.integers(2, 3))
    keypoint_p, matrix_p = draw(st.integers(1, 32)), draw(st.integers(1, 32))
    shapes = []
    if has_matrices:
        for _ in range(draw(st.integers(1, 3))):
            type_idx = draw(st.sampled_from([2, 3, 4, 5, 6, 7, 8, 63] + [0, 1] * has_keypoints))
            space = dimensions if has_keypoints else draw(st.integers(2, 3))
            count, height, width = 1, draw(st.integers(1, 3)), draw(st.integers(1, 3))
            if type_idx in (0, 1):
                count, height, width = draw(st.integers(1, 6)), space, space
            elif type_idx in (4, 5, 6):
                height, width = space, space if type_idx == 4 else 1
            elif type_idx >= 7:
                count = draw(st.integers(1, 3))
            shapes.append((type_idx, count, height, width))
    pictures = []
    for _ in range(length):
        keypoints = None
        if has_keypoints:
            keypoints = tuple(
                tuple(draw(NUMBERS) for _ in range(dimensions)) for _ in range(num_keypoints)
            )
        matrices = tuple(
            MatrixValues(
                type_idx,
                matrix_p,
                tuple(
                    tuple(tuple(draw(NUMBERS) for _ in range(width)) for _ in range(height))
                    for _ in range(count)
                ),
            )
            for type_idx, count, height, width in shapes
        )
        pictures.append(FaceValues(keypoints, keypoint_p if keypoints else None, matrices))
    return pictures
