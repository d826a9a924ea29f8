"""Coding base layers once, however often they are asked for: VVC takes long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch

from base_codec_adapters import EncodeRequest
from base_codec_adapters.adapter import BaseEncoder
from base_codec_adapters.requests import ProgramInfo
from base_codec_adapters.runner import Outcome

_coded: dict[bytes, tuple[bytes, Outcome]] = {}
_code = BaseEncoder._code


def _code_once(
    encoder: BaseEncoder, request: EncodeRequest, program: ProgramInfo, timeout: float
) -> tuple[bytes, Outcome]:
    command = encoder.command(request, program.executable, Path("source"), Path("target"))
    asked = sha256(repr((encoder.name, command)).encode())
    for picture in request.pictures:
        for plane in (picture.y, picture.u, picture.v):
            asked.update(repr(plane.shape).encode() + plane.tobytes())
    name = asked.digest()
    if name not in _coded:
        _coded[name] = _code(encoder, request, program, timeout)
    return _coded[name]


@contextmanager
def coding_once() -> Iterator[None]:
    """A program is not started again with the same command for the same pictures."""
    with patch.object(BaseEncoder, "_code", _code_once):
        yield
