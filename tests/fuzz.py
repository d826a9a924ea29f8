"""Mutation fuzzer of the ``sei`` package: ``python -m tests.fuzz --count N --seed S``.

Streams of our own, and the reference vectors where they are present, are damaged: bit flips,
truncations, splices, and lies about sizes and counts. Whatever comes of it, only `sei.SeiError`
may be raised; what is split joins to the same bytes, what is read is rewritten to the same bytes,
and no case takes long.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sei import (
    GENERATIVE_FACE_VIDEO,
    GENERATIVE_FACE_VIDEO_ENHANCEMENT,
    Codec,
    GfveState,
    GfvState,
    NalUnit,
    SeiError,
    SeiMessage,
    access_units,
    join_annex_b,
    make_sei_nal_unit,
    read_sei,
    split_annex_b,
)
from sei.inspection import InspectedMessage, inspect_units, json_object
from sei.tree import TreePrinter
from tests.conftest import find_shared
from tests.sei.messages import hand_made_messages, read_and_rewrite

LONGEST_CASE = 5.0
"""Seconds that a case may take; a usual one takes some milliseconds."""

TREE_EVERY = 25
KEY_PICTURE = {
    Codec.VVC: ["0079 000d02", "0081 0080", "0041 c40243"],
    Codec.HEVC: ["4001 0c01", "4201 0101", "4401 c172", "2601 af06b8"],
    Codec.AVC: ["6764 001f", "68eb e3cb", "6588 8404"],
}
OTHER_MESSAGES = [
    SeiMessage(5, bytes(range(16)) + b"text of a user"),
    SeiMessage(4, bytes.fromhex("b5 003c 0001 04")),
    SeiMessage(132, bytes.fromhex("00 00") + bytes(48)),
    SeiMessage(137, bytes(24)),
    SeiMessage(144, bytes.fromhex("03e8 0190")),
    SeiMessage(210, bytes.fromhex("0002 50 74 00 75 00 80")),
    SeiMessage(211, b"\x80"),
    SeiMessage(300, bytes(300)),
]


@dataclass
class Report:
    """What a run of the fuzzer saw."""

    cases: int = 0
    damaged: Counter[str] = field(default_factory=Counter)
    messages_read: int = 0
    slowest: float = 0.0


def seeds(shared: Path | None) -> list[bytes]:
    """Sound streams to start from."""
    hand_made = [
        SeiMessage(
            GENERATIVE_FACE_VIDEO_ENHANCEMENT if name.startswith("gfve") else GENERATIVE_FACE_VIDEO,
            message.payload,
        )
        for name, message in hand_made_messages().items()
    ]
    streams = []
    for codec, pictures in KEY_PICTURE.items():
        units = [NalUnit(codec, bytes.fromhex(data), start_code_size=4) for data in pictures]
        units.append(make_sei_nal_unit(hand_made, codec))
        units += [make_sei_nal_unit([message], codec) for message in OTHER_MESSAGES]
        streams.append(join_annex_b(units))
    if shared is not None:
        paths = sorted((shared / "vectors/gfv").glob("*.266"))
        streams += [path.read_bytes() for path in paths]
    return streams


def mutated(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Damage some bytes."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        kind = rng.randrange(6)
        place = rng.randrange(len(damaged) + 1)
        if kind == 0 and place < len(damaged):
            damaged[place] ^= 1 << rng.randrange(8)
        elif kind == 1 and place < len(damaged):
            damaged[place] = rng.choice((0, 1, 3, 0x7F, 0x80, 0xFE, 0xFF, rng.randrange(256)))
        elif kind == 2:
            del damaged[place:]
        elif kind == 3:
            del damaged[place : place + rng.randrange(1, 20)]
        elif kind == 4:
            start = rng.randrange(len(other) + 1)
            damaged[place:place] = other[start : start + rng.randrange(1, 60)]
        else:
            damaged[place:place] = bytes(rng.choice((0, 0xFF)) for _ in range(rng.randrange(1, 9)))
    return bytes(damaged)


def damaged_stream(rng: random.Random, streams: list[bytes]) -> bytes:
    """A damaged stream: its bytes anywhere, or a payload inside an intact SEI NAL unit."""
    stream, other = rng.choice(streams), rng.choice(streams)
    if rng.random() < 0.5:
        return mutated(rng, stream, other)
    units = list(split_annex_b(stream))
    place = rng.choice([i for i, unit in enumerate(units) if unit.is_sei])
    messages = list(read_sei(units[place]).messages)
    which = rng.randrange(len(messages))
    payload = mutated(rng, messages[which].payload, rng.choice(messages).payload)
    messages[which] = SeiMessage(messages[which].payload_type, payload)
    units[place] = make_sei_nal_unit(messages, units[place].codec)
    return join_annex_b(units)


def check(stream: bytes, *, tree: bool) -> Iterator[str]:
    """Do with a stream what the package can do; the names of the errors that came out."""
    units: list[NalUnit] = []
    try:
        units.extend(split_annex_b(io.BytesIO(stream)))
    except SeiError as error:
        yield type(error).__name__
    else:
        assert join_annex_b(units) == stream
    assert [unit for group in access_units(units) for unit in group] == units
    printer = TreePrinter(io.StringIO()) if tree else None
    readers = {layer: (GfvState(), GfveState()) for layer in (False, True)}
    writers = {layer: (GfvState(), GfveState()) for layer in (False, True)}
    for inspected in inspect_units(units):
        if printer is not None:
            printer.show(inspected)
        if not isinstance(inspected, InspectedMessage):
            continue
        line = json.dumps(json_object(inspected))
        assert "\n" not in line
        if inspected.error is not None:
            yield "reported"
        sei_message = inspected.sei_message
        if sei_message is not None and sei_message.payload_type in (223, 224):
            layer, kind = inspected.where.unit.layer_id > 0, sei_message.payload_type - 223
            damage = read_and_rewrite(
                readers[layer][kind], writers[layer][kind], sei_message.payload
            )
            assert (None if damage is None else str(damage)) == inspected.error
            yield "read" if damage is None else type(damage).__name__


def run_case(number: int, seed: int, streams: list[bytes]) -> Counter[str]:
    """Run one case: how many messages were "read", and the names of errors.

    Raises `AssertionError`, whose text has the case, for any exception but `SeiError`.
    """
    rng = random.Random(f"{seed}/{number}")
    stream = damaged_stream(rng, streams)
    try:
        return Counter(check(stream, tree=number % TREE_EVERY == 0))
    except Exception as error:
        raise AssertionError(f"case {number} of seed {seed}: {stream.hex()}") from error


def run(count: int, seed: int, shared: Path | None) -> Report:
    """Run cases; an exception other than `SeiError` passes through, with the case in its text."""
    streams = seeds(shared)
    report = Report()
    for number in range(count):
        start = time.perf_counter()
        seen = run_case(number, seed, streams)
        seconds = time.perf_counter() - start
        assert seconds < LONGEST_CASE, f"case {number} of seed {seed} took {seconds:.1f} s"
        report.cases += 1
        report.messages_read += seen.pop("read", 0)
        report.damaged.update(seen)
        report.slowest = max(report.slowest, seconds)
    return report


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="number of cases")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    shared = find_shared()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = run(args.count, args.seed, shared)
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    vectors = "with" if shared else "without"
    print(f"{report.cases} cases, seed {args.seed}, {vectors} the reference vectors: sound")  # noqa: T201
    print(f"{report.messages_read} face messages read and rewritten exactly")  # noqa: T201
    print(f"errors: {dict(sorted(report.damaged.items()))}")  # noqa: T201
    print(f"slowest case {1000 * report.slowest:.0f} ms, memory grew by {growth:.0f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
