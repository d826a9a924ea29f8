"""What the encoder decides: scripted clips, coded by a scripted base codec, and told as text.

A clip is a string of letters, a picture each:

    f   a face that moves a little            t   the head is turned     u   turned the other way
    -   no face                               x   a face that its coded form does not show
    m   a spot beside it goes up and down    r   it jumps
    c   the face is covered: no key picture helps    h, i, j   covered a little, and a little more

Capitals are the same in another light: where it changes there is a cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from gfvc import EncodeOptions, EncodeSummary, GfvcError, encode
from gfvc.stream.information import StreamInformation
from gfvc.stream.marking import mark_text
from gfvc.stream.schedule import PictureSchedule
from gfvc.video_writer import write_video
from models import ModelCard, RegisteredModel, Registry
from sei import (
    GENERATIVE_FACE_VIDEO,
    USER_DATA_UNREGISTERED,
    FaceValues,
    GfvState,
    NalUnit,
    read_sei,
    split_annex_b,
)
from tests.gfvc.symbols.made_card import made_card
from tests.golden.scripted import (
    CENTRE,
    LAYOUTS,
    SPOT,
    SPOT_STEP,
    VALUES,
    ScriptedModel,
    Shown,
    coded_picture,
    scripted_base_codec,
)
from tests.golden.scripted_pair import ScriptedPairModel

_TURN = {"t": 400, "u": -400}
# Hundredths of quality that are lost.
_COVER = {"c": 60, "h": 15, "i": 29, "j": 43}
_WALK = 17
# Where a spot beside the face is, picture after picture: it moves steadily, or jumps.
_SPOTS = {
    "m": (0, 3, 6, 9, 12, 15, 18, 21, 24, 21, 18, 15, 12, 9, 6, 3),
    "r": (0, 20, 8, 24, 4, 16, 12),
}


@dataclass(frozen=True)
class Scenario:
    """A clip and how to code it; `about` says what the golden is for.

    With a model that `draws_from_both` references it is coded by segments, the default.
    """

    about: str
    clip: str
    options: dict[str, Any] = field(default_factory=dict)
    layout: str = "both"
    suffix: str = ".266"
    rate: int = 25
    lost_at_qp: int = 64
    draws_from_both: bool = False


_SEGMENTS: dict[str, Scenario] = {
    "plain": Scenario("a calm face: few coded pictures", "f" * 40),
    "lively": Scenario(
        "more coded pictures where they pay, not so many that all are",
        "f" * 22 + "m" * 40 + "f" * 22,
        {"key_qp": 5, "coded_qp": 36},
    ),
    "dense": Scenario(
        "ordinary video, where so many pay that to code all takes fewer bits",
        "f" * 20 + "m" * 40 + "f" * 20,
        {"key_qp": 5, "coded_qp": 36},
    ),
    "dense_but_short": Scenario(
        "a segment that is too short to code all of it, and one that is not",
        "f" * 47 + "R" * 49,
        {"quality": "best"},
    ),
    "dense_but_never": Scenario(
        "no ordinary video, though it takes fewer bits",
        "r" * 50,
        {"quality": "best", "fallback": "never"},
    ),
    "distance": Scenario(
        "coded pictures at equal distances", "f" * 12 + "-" + "f" * 12, {"coded_interval": 0.25}
    ),
    "lost": Scenario(
        "a face missed for a moment; one that stays away",
        "fff--" + "f" * 20 + "-" * 12 + "f" * 20,
    ),
    "leading": Scenario("a later key picture, and pictures before it", "t" * 4 + "f" * 30),
    "key_interval": Scenario("segments by the clock", "f" * 30, {"key_interval": 13}),
    "low_delay": Scenario("picture by picture after all", "f" * 24, {"low_delay": True}),
}

SCENARIOS: dict[str, Scenario] = {
    "plain": Scenario("messages where they pay", "f" * 40),
    "full_rate": Scenario(
        "a message for every picture, and two NAL units of them", "f" * 70, {"symbol_rate": "full"}
    ),
    "interval": Scenario(
        "a message for every other picture", "f" * 12, {"symbol_rate": Fraction(25, 2)}
    ),
    "low_delay": Scenario(
        "nothing is decided, a NAL unit a message", "ffff--" + "f" * 24, {"low_delay": True}
    ),
    "undecided": Scenario(
        "no decision but that on pictures",
        "f" * 24,
        {"without": ("separate_parts", "trellis", "byte_filling", "precision")},
    ),
    "no_trellis": Scenario("values rounded to nearest", "f" * 24, {"without": ("trellis",)}),
    "no_byte_filling": Scenario("values by bits", "f" * 24, {"without": ("byte_filling",)}),
    "no_separate_parts": Scenario("all of a message", "f" * 24, {"without": ("separate_parts",)}),
    "dear_bits": Scenario("a large Lagrangian multiplier", "f" * 40, {"symbol_price": 0.8}),
    "cheap_bits": Scenario("a small Lagrangian multiplier", "f" * 24, {"symbol_price": 0.002}),
    "keypoints": Scenario("keypoints only, in three dimensions", "f" * 20, layout="keypoints"),
    "matrices": Scenario("matrices only, of two types", "f" * 20, layout="matrices"),
    "key_interval": Scenario("key pictures by the clock", "f" * 20, {"key_interval": 7}),
    "automatic_interval": Scenario("a key picture every 30 seconds", "f" * 34, rate=1),
    "hevc": Scenario("the other codec", "fff-fff-----ff------ffffffff", suffix=".265"),
    "lost": Scenario(
        "a face that is missed for a moment stands still; one that stays away is ordinary video",
        "fff--fff----f------fff---ffffffff---",
    ),
    "lost_at_the_ends": Scenario(
        "ordinary video before the first face and after the last", "------fffffff------"
    ),
    "short_of_a_face": Scenario("too few pictures for ordinary video to open", "---ffff-ff---"),
    "no_face": Scenario("nothing but ordinary video", "-" * 9),
    "few_without_a_face": Scenario("a clip that ends before that is known", "-" * 3),
    "coded_face_lost": Scenario(
        "key pictures that do not show the face when coded are tried again later",
        "x" * 4 + "f" * 14 + "-" * 6 + "x" * 20 + "f" * 20,
    ),
    "never": Scenario(
        "no ordinary video: the face stands still",
        "--fff------fff-xxfff-----xxffffffffffffffff",
        {"fallback": "never", "key_interval": 12},
    ),
    "never_without_a_face": Scenario("refused", "-" * 5, {"fallback": "never"}),
    "never_but_coarse": Scenario("refused", "x" * 5, {"fallback": "never"}),
    "always": Scenario(
        "ordinary video from start to end",
        "ff-ffx-ff",
        {"fallback": "always", "key_interval": 4, "fallback_qp": 38},
    ),
    "long_segment": Scenario(
        "a long segment of ordinary video is split",
        "fff" + "-" * 20 + "ffffff",
        {"key_interval": 8, "fallback_qp": 40},
    ),
    "cuts": Scenario(
        "a cut gets a key picture; the end of a flash does not",
        "ffffffffFFFFFFFFfffFFffff---FFFFFffffFFF",
        {},
    ),
    "cut_while_lost": Scenario(
        "a cut without a face, and within a segment of ordinary video",
        "fffff-FFFFF------ffffffFFFFFF",
        {},
    ),
    "fixed": Scenario("a cut gets a key picture here too", "fffffFFFFF", {"key_pictures": "fixed"}),
    "pool": Scenario(
        "an earlier key picture drives where it is nearer",
        "f" * 12 + "t" * 24 + "f" * 24 + "u" * 12,
        {"reference_pool": 3, "key_interval": 20, "symbol_price": 0.8},
        rate=10,
    ),
    "pool_with_losses": Scenario(
        "a missed face keeps its reference; ordinary video between key pictures of a pool",
        "f" * 10 + "-" * 6 + "t" * 30 + "-" * 1 + "f" * 24 + "-" * 5 + "t" * 20,
        {"reference_pool": 4, "symbol_price": 0.8},
        rate=10,
    ),
    "marked": Scenario(
        "each key picture says that faces are generated; ordinary video does not",
        "fff" + "-" * 9 + "ffffff",
        {"no_marking": False, "key_interval": 8},
    ),
    "quality": Scenario("a preset", "f" * 24, {"quality": "low"}),
    "bitrate": Scenario("settings are searched", "f" * 24, {"bitrate": 9000.0}),
    "bitrate_past_coarse": Scenario(
        "the search turns back where coded pictures lose the face",
        "f" * 30,
        {"bitrate": 4500.0, "fallback": "never"},
        lost_at_qp=34,
    ),
    "bitrate_out_of_reach": Scenario("refused", "f" * 10, {"bitrate": 200.0}),
    **{
        f"segments_{name}": replace(scenario, draws_from_both=True)
        for name, scenario in _SEGMENTS.items()
    },
}


def pictures_of(clip: str) -> Iterator[Shown]:
    """The pictures of a clip; the face goes its way whether it is seen or not."""
    state = 12345
    walk = [0] * VALUES
    for number, letter in enumerate(clip):
        for index in range(VALUES):
            # A linear congruential generator (Numerical Recipes): the same everywhere.
            state = (1664525 * state + 1013904223) % 2**32
            # The fifth value is still: it is for covered faces.
            step = (state >> 16) % (2 * _WALK + 1) - _WALK
            walk[index] += 0 if index == VALUES - 2 else step - walk[index] // 16
        values = [CENTRE + place for place in walk]
        kind = letter.lower()
        values[0] += _TURN.get(kind, 0)
        values[-2] += _COVER.get(kind, 0)
        if kind in _SPOTS:
            values[3] = CENTRE + SPOT + SPOT_STEP * _SPOTS[kind][number % len(_SPOTS[kind])]
        yield Shown(
            number,
            face=kind != "-",
            survives=kind != "x",
            light=12 if letter.isupper() else 4,
            values=tuple(values),
        )


def tell_surely(scenario: Scenario, folder: Path, shake: float = 1e-9) -> str:
    """As `tell`; raise `ValueError` where measurements that little off change what is decided."""
    text = tell(scenario, folder)
    if tell(scenario, folder, shake) != text:
        raise ValueError(f"what is decided hangs by a hair: {scenario}")
    return text


def tell(scenario: Scenario, folder: Path, shake: float = 0.0) -> str:
    """Code a scenario's clip in `folder`, and say what came out."""
    clip, stream = folder / "clip.mkv", folder / f"coded{scenario.suffix}"
    write_video(
        clip, (shown.draw() for shown in pictures_of(scenario.clip)), Fraction(scenario.rate)
    )
    made = ScriptedPairModel if scenario.draws_from_both else ScriptedModel
    model = made(LAYOUTS[scenario.layout], shake)
    registry = Registry()
    card: ModelCard = made_card(model.layout)
    registry.register(RegisteredModel(card, lambda _: model))
    asked = {"no_marking": True} | scenario.options
    options = EncodeOptions(model=card.name, crop="none", size=64, **asked)
    notes: list[str] = []
    summary: EncodeSummary | None = None
    with scripted_base_codec(scenario.lost_at_qp, shake) as tried:
        try:
            summary = encode(
                clip, stream, options, registry=registry, notes=notes.append, force=True
            )
        except GfvcError as error:
            notes.append(f"{type(error).__name__}: {error}")
    lines = [
        f"about     {scenario.about}",
        "options   " + ", ".join(f"{name}={value}" for name, value in scenario.options.items()),
        *(f"note      {note.replace(str(clip), 'CLIP')}" for note in notes),
    ]
    tried_text = [
        f"QP {qp}: " + " ".join(str(number) for number, _ in pictures)
        for qp, pictures in groupby(tried, key=lambda entry: entry[1])
    ]
    looks = "".join(
        f"{letter}{count if count > 1 else ''}"
        for letter, count in ((key, len(list(run))) for key, run in groupby(model.calls))
    )
    lines += [f"coded     as key pictures, sent or not: {'; '.join(tried_text) or 'none'}"]
    lines += [f"looked    {looks}"]
    if summary is None:
        return "\n".join(line.rstrip() for line in lines) + "\n"
    lines += [f"summary   {_summary(summary)}", f"sha256    {_sha256(stream)}"]
    return "\n".join(line.rstrip() for line in chain(lines, _story(scenario, stream))) + "\n"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _summary(summary: EncodeSummary) -> str:
    found = summary.to_json()
    for name in ("seconds", "base_codec_seconds", "options"):
        del found[name]
    # The search goes by logarithms, of which the last digits are the machine's own.
    found["symbol_price"] = f"{found['symbol_price']:.6g}"
    return ", ".join(f"{name} {value}" for name, value in found.items())


def _story(scenario: Scenario, stream: Path) -> Iterator[str]:
    """What each picture became, in a line below the clip, and then each access unit."""
    units = list(_access_units(list(split_annex_b(stream.read_bytes()))))
    yield ""
    yield f"shown     {scenario.clip}"
    yield f"sent      {''.join(unit.kinds for unit in units)}"
    backs = "".join(unit.backs for unit in units)
    if backs.strip(". "):
        yield f"reference {backs}"
    for unit in units:
        if unit.kinds != "o":
            yield ""
        yield from unit.lines


@dataclass
class _AccessUnit:
    """An access unit as told.

    `kinds` has a letter for each output picture: K a key picture, C a coded picture predicted from
    earlier ones that others are drawn from, m driven by a message of its own, . driven between
    messages, s standing still; R ordinary video that starts a sequence, o other ordinary video.
    `backs` has how many key pictures back the reference lies. `number` counts the coded pictures of
    a sequence from 0.
    """

    number: int = 0
    kinds: str = ""
    backs: str = ""
    lines: list[str] = field(default_factory=list)


def _access_units(nal_units: list[NalUnit]) -> Iterator[_AccessUnit]:
    """Access units of one slice each; an end of sequence is told with the one before."""
    state = GfvState()
    unit = _AccessUnit()
    information = pending = mark = None
    messages: list[str] = []
    for nal_unit in nal_units:
        if nal_unit.is_vcl:
            if unit.lines:
                yield _completed(unit, information, messages)
            shown, qp = coded_picture(nal_unit.rbsp)
            number = 0 if nal_unit.is_idr else unit.number + 1
            unit, messages = _AccessUnit(number), []
            unit.lines.append(f"coded {shown.number} at QP {qp}, {nal_unit.size} bytes")
            unit.kinds = "o"
            if nal_unit.is_idr:
                unit.kinds = "R"
                information = pending
                assert information is not None
                unit.lines.append(_told(information))
                if mark is not None:
                    unit.lines.append(f"  marked: {mark}")
                mark = None
        elif nal_unit.is_sei:
            for message in read_sei(nal_unit).messages:
                mark = mark_text(message) or mark
                if message.payload_type == USER_DATA_UNREGISTERED:
                    pending = StreamInformation.from_payload(message.payload)
                elif message.payload_type == GENERATIVE_FACE_VIDEO:
                    face = state.read(message.payload)
                    still = face.low_confidence_face_parameter_flag
                    messages.append("K" if face.base_picture_flag else "s" if still else "m")
                    unit.lines.append(
                        f"  {messages[-1]} {face.gfv_cnt:3} {len(message.payload):3} bytes"
                        f"  {_numbers(state.values)}"
                    )
            if nal_unit.is_suffix_sei:
                unit.lines.append(f"  SEI NAL unit, {nal_unit.size} bytes")
        elif nal_unit.ends_sequence:
            unit.lines.append("end of sequence")
    yield _completed(unit, information, messages)


def _told(information: StreamInformation) -> str:
    schedule, references = information.schedule, information.references
    parts = [
        f"rate {information.rate}",
        f"source {information.source_width}x{information.source_height}",
        f"crop {information.crop.window}",
    ]
    if information.shown_as_coded:
        parts.append("shown as coded")
    elif schedule is None and information.sequence is None:
        parts.append("a message for each picture")
    elif schedule is not None:
        parts.append(f"messages for {len(schedule.sent)} of {schedule.pictures - 1} pictures")
    sequence, grids = information.sequence, information.control_grids
    if sequence is not None:
        parts += [f"{len(sequence.driven)} coded pictures drive {sequence.driven}"]
        parts += [f"{sequence.leading} leading"] if sequence.leading else []
    if grids is not None:
        parts.append(f"control grids of {grids.bits} bits")
    if references is not None:
        parts.append(f"number {references.number} in a pool of {references.pool}")
    return "  " + ", ".join(parts)


def _completed(
    unit: _AccessUnit, information: StreamInformation | None, messages: list[str]
) -> _AccessUnit:
    sequence = information.sequence if information is not None else None
    if sequence is not None:
        part = sequence.part(unit.number)
        coded = "C" if unit.number else "K"
        letters = _letters(part.schedule, [coded, *messages[1:]])
        leading, others = letters[1 : 1 + part.leading], letters[1 + part.leading :]
        unit.kinds = f"{leading[::-1]}{coded}{others}"
    elif messages:
        schedule = information.schedule if information is not None else None
        unit.kinds = "".join(messages) if schedule is None else _letters(schedule, messages)
    unit.backs = "." * len(unit.kinds)
    if messages and information is not None and information.references is not None:
        spans = information.references.spans(len(unit.kinds))
        unit.backs = "".join(str(back) * (end - start) for start, end, back in spans)
    return unit


def _letters(schedule: PictureSchedule, messages: list[str]) -> str:
    """A letter for each numbered picture, in the order of the numbers."""
    letters = ["."] * schedule.pictures
    for place, letter in zip((0, *schedule.sent), messages, strict=True):
        letters[place] = letter
    return "".join(letters)


def _numbers(values: FaceValues) -> str:
    """What a message carries, in quantisation steps."""
    parts = []
    if values.keypoints is not None:
        points = [c for point in values.keypoints for c in point]
        parts.append(f"points/{values.keypoint_precision_factor} {points}")
    for matrix in values.matrices:
        elements = [e for table in matrix.matrices for row in table for e in row]
        parts.append(f"matrix {matrix.type_idx}/{matrix.precision_factor} {elements}")
    return "  ".join(parts)
