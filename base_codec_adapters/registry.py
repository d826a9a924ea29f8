"""Adapters by name; "auto" takes the first, in the order of this table, that is available."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from base_codec_adapters.adapter import DEFAULT_TIMEOUT, Adapter, BaseDecoder, BaseEncoder
from base_codec_adapters.byte_stream import Codec
from base_codec_adapters.errors import (
    ProgramNotFoundError,
    RequestInvalidError,
    UnknownAdapterError,
)
from base_codec_adapters.ffmpeg import (
    FfmpegHevcDecoder,
    FfmpegKvazaarEncoder,
    FfmpegVvcDecoder,
    FfmpegVvencEncoder,
    FfmpegX265Encoder,
)
from base_codec_adapters.reference_software import (
    HmDecoder,
    HmEncoder,
    VtmDecoder,
    VtmEncoder,
)
from base_codec_adapters.requests import ProbeResult, Unavailable
from base_codec_adapters.vvenc import VvdecappDecoder, VvencFFappEncoder

AUTO = "auto"

ENCODERS: tuple[type[BaseEncoder], ...] = (
    FfmpegVvencEncoder,
    VvencFFappEncoder,
    VtmEncoder,
    FfmpegX265Encoder,
    FfmpegKvazaarEncoder,
    HmEncoder,
)

DECODERS: tuple[type[BaseDecoder], ...] = (
    FfmpegVvcDecoder,
    VvdecappDecoder,
    VtmDecoder,
    FfmpegHevcDecoder,
    HmDecoder,
)

_Kind = TypeVar("_Kind", bound=Adapter)


@dataclass(frozen=True)
class AdapterStatus:
    """One adapter and what its probe found."""

    role: Literal["encoder", "decoder"]
    codec: Codec
    name: str
    probe: ProbeResult


def available() -> tuple[AdapterStatus, ...]:
    """Probe every adapter, in the order in which "auto" tries them."""
    roles: tuple[tuple[Literal["encoder", "decoder"], Sequence[type[Adapter]]], ...]
    roles = (("encoder", ENCODERS), ("decoder", DECODERS))
    return tuple(
        AdapterStatus(role, kind.codec, kind.name, kind().probe())
        for role, kinds in roles
        for kind in kinds
    )


def find_encoder(
    codec: Codec,
    name: str = AUTO,
    *,
    executable: str | Path | None = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> BaseEncoder:
    """The encoder of that name, or with "auto" the first that is available.

    ``executable`` overrides where its program is looked up (not with "auto"); ``timeout`` is in
    seconds for one request.

    Raises:
        UnknownAdapterError: no encoder of that codec has the name.
        ProgramNotFoundError: its program, or with "auto" every one, is not available.
    """
    return _find(ENCODERS, "encoder", codec, name, executable, timeout)


def find_decoder(
    codec: Codec,
    name: str = AUTO,
    *,
    executable: str | Path | None = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> BaseDecoder:
    """The decoder of that name, or with "auto" the first that is available; as `find_encoder`."""
    return _find(DECODERS, "decoder", codec, name, executable, timeout)


def _find(
    kinds: Sequence[type[_Kind]],
    role: str,
    codec: Codec,
    name: str,
    executable: str | Path | None,
    timeout: float,
) -> _Kind:
    of_codec = {kind.name: kind for kind in kinds if kind.codec == codec}
    if name == AUTO:
        if executable is not None:
            raise RequestInvalidError(f"an executable was given: name the {role} it is for")
        candidates = list(of_codec.values())
    elif name in of_codec:
        candidates = [of_codec[name]]
    else:
        raise UnknownAdapterError(
            f"no {codec} {role} is called {name!r}: choose from {', '.join([AUTO, *of_codec])}"
        )
    reasons = []
    for kind in candidates:
        adapter = kind(executable, timeout)
        result = adapter.probe()
        if not isinstance(result, Unavailable):
            return adapter
        reasons.append(f"{kind.name}: {result.reason}")
    raise ProgramNotFoundError(f"no {codec} {role} is available: {'; '.join(reasons)}")
