"""What a decoded video says of itself: its mark, and its content credentials."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gfvc.credentials import NoLibraryError, read_manifest
from gfvc.errors import InputError
from gfvc.media_files import VIDEO_FORMATS, open_media
from gfvc.stream.marking import DIGITAL_SOURCE_TYPE
from gfvc.stream.names import MP4_SUFFIX
from gfvc.verification.findings import Finding, Place, Severity

_MARK, _CREDENTIALS = "marking", "credentials"
_HERE = Place()


def verify_decoded(path: Path) -> Iterator[Finding]:
    """What a container says of its pictures being generated, and whether that holds.

    Raises `InputError` when it cannot be read, or says nothing of it.
    """
    mark = _mark(path)
    if mark is not None:
        yield Finding(Severity.INFORMATION, _MARK, _HERE, f"marked: {mark}")
    says_more = False
    if path.suffix.lower() == MP4_SUFFIX:
        try:
            for finding in _credentials(path):
                says_more = True
                yield finding
        except NoLibraryError as error:
            if mark is None:
                raise
            yield Finding(Severity.WARNING, _CREDENTIALS, _HERE, str(error))
        except InputError as error:
            says_more = True
            yield Finding(Severity.ERROR, _CREDENTIALS, _HERE, str(error))
    if mark is None and not says_more:
        raise InputError(
            f"{path}: is a container without a mark or credentials, and holds no VVC or HEVC"
        )


def _mark(path: Path) -> str | None:
    """The comment of a video that `gfvc decode` wrote, without what is for programs."""
    with open_media(path, VIDEO_FORMATS) as container:
        metadata = {name.lower(): value for name, value in container.metadata.items()}
    comment = metadata.get("comment", "")
    return (
        comment.removesuffix(f"; {DIGITAL_SOURCE_TYPE}") if DIGITAL_SOURCE_TYPE in comment else None
    )


def _credentials(path: Path) -> Iterator[Finding]:
    manifest = read_manifest(path)
    if manifest is None:
        return
    yield Finding(
        Severity.INFORMATION,
        _CREDENTIALS,
        _HERE,
        f"signed by {manifest.signer}; whether to trust that is not checked here",
    )
    for source_type in manifest.source_types:
        text = f"digital source type: {source_type.rpartition('/')[2]}"
        yield Finding(Severity.INFORMATION, _CREDENTIALS, _HERE, text)
    for ingredient in manifest.ingredients:
        yield Finding(Severity.INFORMATION, _CREDENTIALS, _HERE, f"made of {ingredient}")
    for failure in manifest.failures:
        yield Finding(Severity.ERROR, _CREDENTIALS, _HERE, failure)
