"""Encoding a long clip in parts that processes code apart, and joining them.

`plan_parts` says where parts begin. What `encode_part` and `join_parts` make of them is, byte for
byte, what `gfvc.encode` makes with `EncodeOptions.restarts` at the same pictures.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from gfvc.encoder import (
    EncodeSummary,
    SourceFacts,
    clip_of,
    look_at,
    summary_of,
    write_output,
)
from gfvc.encoding.clip import Clip
from gfvc.encoding.clip_part import CodedPart, code_part, joined
from gfvc.encoding.coding_pass import REMEMBERED_PICTURES, CodedClip
from gfvc.encoding.part_choice import choose_restarts
from gfvc.errors import InputError
from gfvc.options.encoding import EncodeOptions
from gfvc.output import replaced_when_complete
from gfvc.rate_control.ladder import settings_asked_for
from gfvc.scaling import read_scaled
from gfvc.telling import Notes, unheard
from gfvc.video_reader import PictureEntry
from models.contract import Picture
from models.parallel import one_ahead


@dataclass(frozen=True, slots=True)
class PartStart:
    """Where in the file to begin reading a part, if not at its start, and its first picture's hash.

    A file may say wrongly that it can be entered somewhere; the hash tells.
    """

    entry: PictureEntry | None
    digest: bytes


@dataclass(frozen=True, slots=True)
class PartPlan:
    """Where the parts of a clip begin, and what was found out about it before.

    `options` have these beginnings as `restarts`; `notes` are of reading the clip. `starts` are
    those of parts.
    """

    seen: SourceFacts
    options: EncodeOptions
    pictures: int
    notes: tuple[str, ...]
    starts: tuple[PartStart, ...]

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return len(self.options.restarts) + 1

    def span(self, part: int) -> tuple[int, int]:
        """First picture of a part, from 0 on, and the one after its last."""
        edges = (0, *self.options.restarts, self.pictures)
        return edges[part], edges[part + 1]


def plan_parts(source: Path, output: Path, options: EncodeOptions, seconds: float) -> PartPlan:
    """Cut a clip into parts of about so many seconds; one part where it is not much longer.

    The whole clip is read. Raises `InputError` for options with which parts depend on each other,
    and as `gfvc.encode`.
    """
    check_independent(options)
    notes: list[str] = []
    seen = look_at(source, output, options, notes=notes.append)
    rate = options.rate or seen.video.rate
    length = max(1, round(seconds * rate))
    entries: list[PictureEntry] = []
    digests: list[bytes] = []

    def meet(entry: PictureEntry) -> None:
        # One a second will do.
        if not entries or entry.picture >= entries[-1].picture + rate:
            entries.append(entry)

    def noted(pictures: Iterator[Picture]) -> Iterator[Picture]:
        for picture in pictures:
            digests.append(_digest(picture))
            yield picture

    pictures = read_scaled(
        source, rate, seen.framing.crop, seen.framing.size, notes.append, entries=meet
    )
    with contextlib.closing(one_ahead(pictures)) as coming:
        restarts, count = choose_restarts(noted(coming), length, rate)
    starts = [
        PartStart(_last_before(entries, picture), digests[picture]) for picture in (0, *restarts)
    ]
    planned = replace(options, restarts=restarts)
    return PartPlan(seen, planned, count, tuple(notes), tuple(starts))


def _last_before(entries: Sequence[PictureEntry], picture: int) -> PictureEntry | None:
    """The last entry from which a picture can be read; none for the beginning of the file."""
    place = bisect_right(entries, picture, key=lambda entry: entry.picture)
    return entries[place - 1] if place > 1 else None


def _digest(picture: Picture) -> bytes:
    return hashlib.blake2b(picture.tobytes(), digest_size=16).digest()


def _read_part(clip: Clip, start: int, place: PartStart) -> Iterator[Picture]:
    """Pictures of a clip from one on, entered nearby where that gives the same pictures."""
    crop, size = clip.information.crop, clip.size
    if place.entry is not None:
        pictures = read_scaled(clip.source, clip.rate, crop, size, start=start, entry=place.entry)
        with contextlib.suppress(InputError):
            first = next(pictures, None)
            if first is not None and _digest(first) == place.digest:
                return chain([first], pictures)
    return read_scaled(clip.source, clip.rate, crop, size, start=start)


def check_independent(options: EncodeOptions) -> None:
    """Raise `InputError` where what is done in one part would depend on another."""
    for flag, given in (
        ("--bitrate, which is met by the whole clip", options.bitrate is not None),
        ("--reference-pool, which goes back to earlier parts", options.reference_pool > 1),
        ("--restart-at, which says where parts begin", bool(options.restarts)),
    ):
        if given:
            raise InputError(f"a clip cannot be split with {flag}; leave one of them out")


def encode_part(source: Path, output: Path, plan: PartPlan, part: int, stream: Path) -> CodedPart:
    """Code a part of a clip into the file `stream`; `output` is where the clip will be.

    Raises as `gfvc.encode`.
    """
    clip = clip_of(source, output, plan.options, plan.seen)
    settings = settings_asked_for(clip.options, clip.coding)
    start, end = plan.span(part)
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(stream.open("wb"))
        analyser = stack.enter_context(clip.model.open_analyser(clip.options.align))
        if clip.codes_sequences:
            analyser.remember(REMEMBERED_PICTURES)
        pictures = _read_part(clip, start, plan.starts[part])
        coming = stack.enter_context(contextlib.closing(one_ahead(pictures)))
        coded = code_part(clip, settings, islice(coming, end - start), file, analyser)
    if coded is None or coded.tally.frames != end - start:
        raise InputError(f"{source}: was changed while it was coded")
    return coded


def join_parts(
    source: Path,
    output: Path,
    plan: PartPlan,
    parts: Sequence[tuple[Path, CodedPart]],
    *,
    force: bool = False,
    notes: Notes = unheard,
) -> EncodeSummary:
    """Make one output of the coded parts of a clip, in their order.

    Seconds of the summary are those of joining. Raises `OutputError`, and `InputError` for sound
    that cannot be read.
    """
    started = time.perf_counter()
    clip = clip_of(source, output, plan.options, plan.seen)
    settings = settings_asked_for(clip.options, clip.coding)
    with replaced_when_complete(output, force=force, sources=[source]) as temporary:
        stream = temporary.with_name("joined.stream")
        with stream.open("wb") as file:
            for path, _ in parts:
                with path.open("rb") as coded_file:
                    shutil.copyfileobj(coded_file, file, 1 << 20)
        part = joined([coded for _, coded in parts])
        made = CodedClip(clip, settings, stream, part, plan.notes)
        sound_bytes = write_output(made, temporary, source, plan.seen.sound)
        total_bytes = temporary.stat().st_size
    for note in made.notes:
        notes(note)
    return summary_of(made, total_bytes, sound_bytes, time.perf_counter() - started)
