"""What of a file does not come out, beside its pictures and the sound that is kept."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfvc.media_files import VIDEO_FORMATS, open_media
from gfvc.telling import Notes
from gfvc.video.described import later_kinds
from gfvc.video.sound import sound_stream

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# Tracks of sound that a note names one by one.
_NAMED = 4

_NAMES = {
    "subtitle": ("a subtitle track", "subtitle tracks"),
    "chapter": ("a chapter", "chapters"),
    "data": ("a data track", "data tracks"),
    "attachment": ("an attached file", "attached files"),
}


def tell_of_other_sound(path: Path, notes: Notes) -> None:
    """Tell which sound track of a file with sound is kept, and which are not, if any.

    Raises `InputError` when the file cannot be opened.
    """
    with open_media(path, VIDEO_FORMATS) as source:
        kept, tracks = sound_stream(source, path), source.streams.audio
        others = [_named(track) for track in tracks if track.index != kept.index]
        name = _named(kept)
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        notes(
            f"{path}: holds {len(others) + 1} sound tracks; number {name} is kept, left out: "
            f"number {', '.join(others[:_NAMED])}{more}"
        )


def tell_of_the_rest(path: Path, notes: Notes) -> None:
    """Tell what a file holds beside pictures and sound, if anything: none of it comes out.

    Covers, titles and tags are not told. Raises `InputError` when the file cannot be opened.
    """
    with open_media(path, VIDEO_FORMATS) as source:
        chapters = source.chapters()
        found = Counter[str](
            stream.type for stream in source.streams if not _is_of_chapters(stream)
        )
    found["chapter"] = len(chapters)
    parts = [
        one if found[kind] == 1 else f"{found[kind]} {several}"
        for kind, (one, several) in _NAMES.items()
        if found[kind]
    ]
    if parts:
        listed = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
        notes(f"{path}: beside video and sound it holds {listed}: left out")


def tell_of_later_tracks(path: Path, container: InputContainer, notes: Notes) -> None:
    """Tell of pictures and sound whose track begins so late that none of it is read.

    `container` is that file, read to its end.
    """
    kinds = later_kinds(container)
    if "Video" in kinds:
        sound = ", and sound with them" if "Audio" in kinds else ""
        notes(
            f"{path}: pictures of another track begin later{sound}, as in files joined byte by "
            "byte: left out; join them with a video program"
        )
    elif "Audio" in kinds:
        notes(
            f"{path}: a sound track begins later, of which its start does not tell: left out; "
            "ffmpeg -probesize 5G -analyzeduration 5G -i IN -c copy OUT.mkv makes a file that tells"
        )


def _is_of_chapters(stream: Any) -> bool:
    """Whether a track is the titles of chapters in MP4, which are read as such."""
    from av.stream import Discard

    return bool(stream.type == "data" and stream.discard == Discard.all)


def _named(track: AudioStream) -> str:
    context: Any = track.codec_context
    codec = "" if context is None else context.name
    # Of a damaged file it may be any text.
    language = track.language or ""
    if not language.isascii() or not language.isalpha() or language == "und":
        language = ""
    inside = ", ".join(filter(None, (codec, language[:8])))
    return f"{track.index} ({inside})" if inside else str(track.index)
