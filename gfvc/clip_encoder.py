"""Coding the pictures of a clip, in order: key pictures, driven pictures, ordinary video.

The encoder holds a decoder: key pictures are analysed as decoded. It works in a stream; nothing
grows with the clip's length but the file that it writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from gfvc.base_layer import CodedKeyPicture, KeyPictureCoder
from gfvc.errors import InputError, KeyPictureTooCoarseError
from gfvc.face_units import FaceUnits
from gfvc.fallback.coding import SequenceCoder
from gfvc.fallback.stretches import Stretches
from gfvc.key_decisions.monitor import GenerationMonitor, Verdict
from gfvc.key_decisions.reference_choice import ReferenceChoice
from gfvc.key_decisions.scene_cuts import SceneCuts
from gfvc.key_pictures import KeyPictureSchedule
from gfvc.options.encoding import EncodeOptions
from gfvc.stream_writer import StreamWriter
from gfvc.video_reader import Picture
from models import Analyser, Analysis, AnimationModel, FaceParameters

Notes = Callable[[str], None]
Progress = Callable[[int, "int | None"], None]
Stage = Callable[[str], None]


class ClipEncoder:
    """The state of encoding one clip.

    Decides picture by picture whether it is a key picture, driven, or ordinary video.
    """

    def __init__(
        self,
        source: Path,
        model: AnimationModel,
        coder: KeyPictureCoder,
        units: FaceUnits,
        writer: StreamWriter,
        options: EncodeOptions,
        rate: Fraction,
    ) -> None:
        self._source = source
        self._coder = coder
        self._units = units
        self._writer = writer
        self._schedule = KeyPictureSchedule(rate, options.key_interval)
        self._has_key = False  # that pictures can be driven by
        self._references = ReferenceChoice(model, options.reference_pool, rate)
        self._key_failed = False
        self._options = options
        self._sequences = SequenceCoder(
            coder.codec,
            coder.qp if options.fallback_qp is None else options.fallback_qp,
            rate,
            self._write_sequence,
            longest=options.key_interval,
            encoder=options.base_encoder,
            timeout=options.timeout,
        )
        self._stretches = Stretches(options.fallback, rate, self._sequences)
        self._monitor: GenerationMonitor | None = None
        self._cuts: SceneCuts | None = None
        self._is_cut = False  # whether the picture at hand starts a new scene
        if options.key_pictures == "auto" and options.fallback != "always":
            self._monitor = GenerationMonitor(model, rate, options.reference_pool)
            self._cuts = SceneCuts()
        self.pictures = 0
        self.pictures_of_units: list[int] = []  # output pictures of each coded picture
        self.key_pictures = 0
        self.low_confidence = 0
        self.from_earlier_keys = 0  # pictures driven by another key picture than the last
        self._key_seconds = 0.0

    @property
    def fallback_pictures(self) -> int:
        """Pictures sent as ordinary video so far."""
        return self._stretches.pictures

    @property
    def base_codec_seconds(self) -> float:
        """Time spent in programs of the base codec so far."""
        return self._key_seconds + self._sequences.seconds

    def close(self) -> None:
        """Free what is held, at the end or after an error."""
        self._sequences.close()
        if self._monitor is not None:
            self._monitor.close()

    def encode(
        self,
        analyser: Analyser,
        pictures: Iterator[Picture],
        notes: Notes,
        progress: Progress,
        expected: int | None,
    ) -> None:
        """Encode all pictures [size, size, 3].

        `analyser` is new, or rewound. Raises `InputError` where nothing could be sent.
        """
        if self._options.fallback == "always":
            self._stretches.open()
            for picture in pictures:
                self._stretches.add(picture, face=False)
                self._count(progress, expected)
        else:
            for picture in pictures:
                self._is_cut = self._cuts is not None and self._cuts.is_cut(picture)
                self._encode_picture(analyser, picture)
                self._count(progress, expected)
        self._repeat(self._stretches.finish(generated=self.key_pictures > 0))
        self._units.close()
        self._judge(notes)

    def _count(self, progress: Progress, expected: int | None) -> None:
        self.pictures += 1
        progress(self.pictures, expected)

    def _judge(self, notes: Notes) -> None:
        """Refuse a clip of which nothing was sent; tell what a user should know."""
        if not self.pictures_of_units and self._key_failed:
            raise KeyPictureTooCoarseError(
                f"{self._source}: shows a face, but its coded key picture does not; "
                "lower --key-qp, code a larger picture (--size), or send it as ordinary video "
                "(--fallback auto)"
            )
        if not self.pictures_of_units:
            raise InputError(
                f"{self._source}: shows no face in any of its {self.pictures} pictures; "
                "a face must be in view, and not much smaller than a tenth of the picture; "
                "--fallback auto sends such a clip as ordinary video"
            )
        if self.fallback_pictures:
            why = "" if self._options.fallback == "always" else ": no face that generation can use"
            notes(
                f"{self._source}: {self.fallback_pictures} of {self.pictures} pictures are sent as "
                f"ordinary video{why}"
            )
        if self.low_confidence:
            notes(
                f"{self._source}: {self.low_confidence} of {self.pictures} pictures show no face; "
                "the face stands still there"
            )

    def _encode_picture(self, analyser: Analyser, picture: Picture) -> None:
        if not self._stretches.active:
            self._generate(analyser, picture)
        elif self._stretches.add(picture, face=analyser.finds_face(picture)):
            self._try_to_leave_stretch(analyser)

    def _try_to_leave_stretch(self, analyser: Analyser) -> None:
        first, *others = self._stretches.back
        self._is_cut = False
        key = self._code_key(analyser, first)
        if key is None:
            self._stretches.stay(self._schedule.retry_after)
            return
        self._stretches.leave()
        self._send_key(*key)
        for picture in others:
            self._encode_picture(analyser, picture)

    def _generate(self, analyser: Analyser, picture: Picture) -> None:
        """Send a picture as a key picture, or driven by the last one."""
        due = (self._schedule.due() or self._is_cut) and analyser.finds_face(picture)
        self._is_cut = False
        key = self._code_key(analyser, picture) if due else None
        if key is not None:
            self._send_key(*key)
            return
        analysis = None
        if self._has_key:
            may_change = self._units.may_change_reference
            analysis = self._references.analyse(analyser, picture, may_change=may_change)
        if analysis is not None and self._key_instead(analyser, picture, analysis):
            return
        self._schedule.driven(face=analysis is not None)
        if analysis is not None:
            self._repeat(self._stretches.settle())
            self._add(analysis.parameters)
        elif self._stretches.miss(picture):
            self._has_key = False
            self._schedule.restart()

    def _key_instead(self, analyser: Analyser, picture: Picture, analysis: Analysis) -> bool:
        """Send a picture by the base codec where that pays; False when it is better driven."""
        verdict = Verdict.DRIVE
        if self._monitor is not None:
            verdict = self._monitor.judge(picture, analysis.parameters, self._references.back)
        if verdict is Verdict.GIVE_UP and self._monitor is not None:
            if self._options.fallback == "never":
                return False
            self._repeat(self._stretches.settle())
            self._stretches.open(self._monitor.give_up())
            self._stretches.add(picture, face=True)
            self._has_key = False
            self._schedule.restart()
            return True
        key = self._code_key(analyser, picture) if verdict is Verdict.NEW_KEY else None
        if key is not None:
            self._send_key(*key)
        return key is not None

    def _code_key(
        self, analyser: Analyser, picture: Picture
    ) -> tuple[CodedKeyPicture, Analysis] | None:
        """Code a key picture; None when its decoded form shows no face."""
        before = time.perf_counter()
        coded = self._coder.code(picture)
        self._key_seconds += time.perf_counter() - before
        analysis = analyser.analyse_key(coded.decoded)
        if analysis is None:
            self._schedule.key_failed()
            self._key_failed = True
            return None
        return coded, analysis

    def _send_key(self, coded: CodedKeyPicture, analysis: Analysis) -> None:
        missed = self._stretches.settle()
        if self._has_key:
            self._repeat(missed)
            missed = 0
        self._schedule.key_sent()
        self._has_key = True
        self._references.key_sent(analysis)
        if self._monitor is not None:
            bits = 8 * len(coded.stream)
            self._monitor.key_sent(coded.decoded, analysis.parameters, bits)
        self.key_pictures += 1
        self.pictures_of_units.append(1)
        self._units.begin(coded.stream, analysis.parameters)
        # Pictures before the first key picture look like it: the face stands still until then.
        self._repeat(missed)

    def _write_sequence(self, coded: bytes, pictures: int) -> None:
        self._units.close()
        self._writer.write_as_coded(coded)
        self.pictures_of_units += [1] * pictures

    def _repeat(self, count: int) -> None:
        for _ in range(count):
            self.low_confidence += 1
            self._add(None)

    def _add(self, parameters: FaceParameters | None) -> None:
        self.pictures_of_units[-1] += 1
        back = self._references.back
        self.from_earlier_keys += back > 0
        self._units.add(parameters, back)
