"""The stream in a container, such as an MP4 file of `gfvc encode`: taken out, and verified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from base_codec_adapters.temporary import temporary_folder
from gfvc.contained_streams import naming, take_out
from gfvc.errors import InputError
from gfvc.telling import Notes, unheard
from gfvc.verification.decoded_files import verify_decoded
from gfvc.verification.findings import Finding
from gfvc.verification.verifier import verify_stream
from sei import Codec
from sei.limits import MAX_MESSAGES


def verify_contained(
    path: Path,
    codec: Codec | None = None,
    *,
    max_messages: int = MAX_MESSAGES,
    notes: Notes = unheard,
) -> Iterator[Finding]:
    """What `verify_stream` finds in a container's VVC or HEVC stream.

    Places are those in the byte stream that is taken out, and `notes` is told so. Of a container
    without such a stream it is what `verify_decoded` finds. Raises `InputError` when it cannot be
    read, or is neither.
    """
    with temporary_folder("gfvc-verify-") as folder:
        try:
            # Decoded videos are H.264.
            stream = take_out(path, folder, codec, notes, refused=[Codec.AVC])
        except InputError as reason:
            try:
                decoded = list(verify_decoded(path))
            except InputError:
                raise reason from None
            yield from decoded
            return
        if stream is None:
            yield from verify_decoded(path)
            return
        notes(f"{path}: is a container; places are those in the byte stream that it holds")
        with naming(path, stream):
            yield from verify_stream(stream, codec, max_messages=max_messages)
