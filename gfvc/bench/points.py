"""Measured points: how they are made, and how they are kept on disk.

A point's folder appears under its name when all of it is there, so a folder that exists is done.
Its name ends with a hash of everything that the point depends on; docs/bench.md has the layout.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from base_codec_adapters.temporary import temporary_folder
from gfvc.bench.coding import coded, describe_programs
from gfvc.bench.plan import GfvcSettings, Plan, Settings
from gfvc.bench.records import MeasuredClip, has_its_files, point_of
from gfvc.bench.source_video import ClipName, SourceVideo
from gfvc.errors import InputError, OutputError
from gfvc.json_checking import CheckedObject, read_json
from gfvc.metrics import PICTURE_MEASURES, ClipMeasure, ClipScores
from gfvc.metrics.learned import learned_measures_present, load_learned_measures
from gfvc.output import replaced_when_complete
from gfvc.stream.marking import GENERATED
from gfvc.video_writer import open_writer
from models.contract import FloatArray

POINT_VERSION = 2
"""Raised when points of earlier versions must be measured again."""

POINT_FILE = "point.json"
_DECODED = "decoded.mp4"
_HASH_DIGITS = 10
_DIGITS = 7  # of scores: more would be noise
_MAX_POINT_BYTES = 1 << 26


def point_name(clip: ClipName, plan: Plan, settings: Settings) -> str:
    """Folder name of a point, which tells apart all that makes a difference to it.

    Raises `ModelError` or `BaseCodecError` when the model or program is not there.
    """
    depends = {
        "version": POINT_VERSION,
        "clip": clip.sha256,
        **plan.framing(),
        "vmaf": plan.vmaf,
        "networks": sorted(learned_measures_present()),
        "kind": settings.kind,
        "settings": settings.to_json(),
        "programs": describe_programs(settings),
    }
    digest = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()
    words = re.sub(r"[^a-z0-9]+", "_", f"{settings.curve} {settings.label}".lower())
    return f"{words}-{digest[:_HASH_DIGITS]}"


def read_point(folder: Path, clip: MeasuredClip, settings: Settings) -> dict[str, Any] | None:
    """A point that was measured before; None when it is not there or not whole.

    A file that was changed, so that it is no such point of the clip at these settings, is as good
    as none: it is measured again.
    """
    try:
        value = read_json(folder / POINT_FILE, _MAX_POINT_BYTES)
        point = CheckedObject(value, folder / POINT_FILE, "measure it again")
        for key, wanted in _described(settings).items():
            point.equal(key, wanted)
        point_of(point, folder, {clip.identifier: clip})
        point.whole("faces_skipped")
        is_whole = has_its_files(point, folder)
    except (InputError, OSError):
        return None
    assert isinstance(value, dict)  # or it could not have been checked
    return value if is_whole else None


def _described(settings: Settings) -> dict[str, Any]:
    """What a point says of its settings, as JSON has it: tuples are lists there."""
    described: dict[str, Any] = json.loads(
        json.dumps(
            {
                "codec": settings.kind,
                "curve": settings.curve,
                "label": settings.label,
                "settings": settings.to_json(),
            }
        )
    )
    return described


class ClipPoints:
    """Measures the points of one clip, whose source landmarks are looked for once."""

    def __init__(
        self, clip: ClipName, record: MeasuredClip, plan: Plan, reference: SourceVideo, folder: Path
    ) -> None:
        self._clip = clip
        self._record = record
        self._plan = plan
        self._reference = reference
        self._folder = folder
        self._landmarks: Sequence[FloatArray | None] | None = None
        self._networks = load_learned_measures()

    def measure(self, settings: Settings) -> dict[str, Any]:
        """Measure a point and keep it, in place of one of the same name.

        Raises `GfvcError`, `ModelError`, `SeiError` or `BaseCodecError`; nothing is kept then.
        """
        folder = self._folder / point_name(self._clip, self._plan, settings)
        ours = frozenset({".266", ".265", ".obu", ".mp4", ".json"})
        with (
            replaced_when_complete(folder, force=True, folder_of=ours) as temporary,
            temporary_folder("gfvc-bench-") as scratch,
            coded(settings, self._reference, scratch) as result,
        ):
            mark = GENERATED if isinstance(settings, GfvcSettings) else None
            scores = self._score(result.pictures, temporary / _DECODED, mark)
            stream = temporary / result.stream.name
            stream.write_bytes(result.stream.read_bytes())
            point = {
                "clip": self._clip.identifier,
                **_described(settings),
                "programs": describe_programs(settings),
                "bits": result.bits,
                "kbps": result.bits / self._reference.seconds / 1000,
                "scores": {name: _rounded(score) for name, score in scores.of_clip().items()},
                "faces_lost": scores.faces_lost,
                "faces_skipped": scores.faces_skipped,
                "seconds": {"encode": result.encode_seconds, "decode": result.decode_seconds},
                "picture_scores": {
                    name: [_rounded(value) for value in scores.of_pictures(name)]
                    for name in PICTURE_MEASURES
                },
                "picture_bits": _summed(result.picture_bits),
                "picture_bits_of": result.picture_bits,
                "files": {"stream": stream.name, "decoded": _DECODED},
            }
            (temporary / POINT_FILE).write_text(
                json.dumps(point, allow_nan=False) + "\n", encoding="utf-8"
            )
        # As it will be read the next time.
        kept = read_point(folder, self._record, settings)
        if kept is None:
            raise OutputError(f"{folder}: was changed while it was written")
        return kept

    def _score(self, pictures: Any, video: Path, mark: str | None) -> ClipScores:
        """Scores of decoded pictures, which are written into a video, with a mark, on the way."""
        with (
            ClipMeasure(
                self._reference.rate,
                square=self._reference.square,
                source_landmarks=self._landmarks,
                vmaf=self._plan.vmaf,
                networks=self._networks,
            ) as measure,
            open_writer(video, self._reference.rate, mark) as writer,
        ):
            pairs = zip(self._reference.read(), pictures, strict=True)
            for source, (decoded, key) in pairs:
                measure.add(source, decoded, key)
                writer.write(decoded)
            scores = measure.finish()
        self._landmarks = measure.source_landmarks
        return scores


def _summed(parts: Mapping[str, Sequence[int]]) -> list[int] | None:
    """Bits of each picture over all parts; None when they are not known."""
    return [sum(bits) for bits in zip(*parts.values(), strict=True)] or None


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")
