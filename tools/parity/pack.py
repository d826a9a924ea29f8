"""Reading a parity pack: NAME.json (tensor lists and checksums) and NAME.npz (golden arrays).

A `Scenario` is what the pack asks for besides the three test pictures.
"""

from __future__ import annotations

import json
import math
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class ParityPackError(Exception):
    """A parity pack that cannot be used: missing, damaged, or made for another network."""


MAX_RATIO = 64
"""Bytes of arrays for each byte of their archive; measured arrays are far below."""

Specification = tuple[tuple[int, ...], str]
"""Shape and dtype of a tensor."""


@dataclass(frozen=True)
class ParityPack:
    """What the reference says about one network.

    Attributes:
        tensors: shape and dtype by checkpoint entry, dot, parameter name.
        checksums: CRC-32 of every filled tensor, by the same names.
        golden: arrays of the reference run, by name.
        listed: names of the golden arrays according to the JSON file.
    """

    tensors: dict[str, Specification]
    checksums: dict[str, int]
    golden: dict[str, NDArray[Any]]
    listed: tuple[str, ...]


def read_pack(folder: Path, name: str) -> ParityPack:
    """Read ``folder/name.json`` and ``folder/name.npz``.

    Raises:
        ParityPackError: a file is missing, is not what its name says, or lacks a field.
    """
    description_path, golden_path = folder / f"{name}.json", folder / f"{name}.npz"
    try:
        description = json.loads(description_path.read_text(encoding="utf-8"))
        tensors = {
            f"{entry}.{tensor}": (tuple(int(n) for n in shape), str(dtype))
            for entry, tensors in description["entries"].items()
            for tensor, shape, dtype in tensors
        }
        checksums = {str(key): int(value) for key, value in description["fill_crc32"].items()}
        listed = tuple(description["golden_keys"])
    except OSError as error:
        raise ParityPackError(f"{description_path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParityPackError(f"{description_path}: not a parity pack ({error!r})") from error
    try:
        _check_archive(golden_path)
        with golden_path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            golden = {key: archive[key] for key in archive.files}
    except OSError as error:
        raise ParityPackError(f"{golden_path}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ParityPackError(f"{golden_path}: not an archive of arrays ({error})") from error
    for key, array in golden.items():
        if array.dtype.kind not in "uif":
            raise ParityPackError(f"{golden_path}: {key} has dtype {array.dtype}: want numbers")
    return ParityPack(tensors, checksums, golden, listed)


def _check_archive(path: Path) -> None:
    """Raise `ValueError` for an archive that would ask for much more memory than it has bytes."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_RATIO * path.stat().st_size:
            raise ValueError(f"its arrays are more than {MAX_RATIO} times its size")
        for entry in entries:
            with archive.open(entry) as file:
                version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
                read = np.lib.format.read_array_header_1_0
                if version != (1, 0):
                    read = np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file)  # type: ignore[no-untyped-call]
            if math.prod(shape) * dtype.itemsize > entry.file_size:
                raise ValueError(f"{entry.filename} claims more numbers than it has")


_VARIANT = re.compile(r"variant_(\w+)_f3\.\w+")


@dataclass(frozen=True)
class Scenario:
    """The golden arrays that a run needs as inputs; each is None or empty when the pack lacks it.

    Attributes:
        invented_symbols: residuals of a made-up third picture.
        variants: names of the published copies whose prediction of that picture the pack has.
        feature_maps: compact features for which the pack holds an optical flow (CFTE).
        canonical_keypoints: of the reference (FV2V); they tell the vector width of its processor.
    """

    invented_symbols: NDArray[Any] | None
    variants: tuple[str, ...]
    feature_maps: NDArray[Any] | None
    canonical_keypoints: NDArray[Any] | None

    @classmethod
    def from_golden(cls, golden: Mapping[str, NDArray[Any]]) -> Scenario:
        """Pick the inputs out of the golden arrays of a pack."""
        matches = (_VARIANT.fullmatch(name) for name in golden)
        return cls(
            invented_symbols=golden.get("codec.f3.symbols"),
            variants=tuple(dict.fromkeys(match[1] for match in matches if match)),
            feature_maps=golden.get("farneback.prev"),
            canonical_keypoints=golden.get("src.kp_canonical"),
        )
