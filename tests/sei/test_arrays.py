"""Arrays of items read at once are those that are read one by one, damaged or not."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

import pytest
from bitstring import BitArray

from sei import Element, GfvState, PayloadError, SeiError
from sei.bits import BitReader
from sei.coder import UNREAD, Reader, Writer
from sei.elements import SIGN, Field, Index, Trace, sign, u, ue
from sei.face_messages import CoordinateLayout, Coordinates, GenerativeFaceVideo
from sei.item_runs import read_items

KINDS: dict[str, list[Field]] = {
    "coordinate": [ue("abs"), sign("sign")],
    "keypoint": [ue("x"), sign("x_sign"), ue("y"), sign("y_sign"), ue("z"), sign("z_sign")],
    "matrix element": [ue("int"), u("dec", 6), sign("sign")],
    "long fraction": [ue("int"), u("dec", 32), sign("sign")],
    "difference": [ue("int"), ue("dec"), sign("sign")],
    "run": [ue("start", most=3000), u("back", 3, high=6)],
    "bounded": [ue("a", high=20), u("b", 5)],
    "sign in the middle": [ue("a"), sign("a_sign"), u("b", 2)],
}


def indices_of(count: int) -> Iterable[Index]:
    return ((i,) for i in range(count))


def read(
    data: bytes, fields: Sequence[Field], count: int, how: str
) -> tuple[list[list[int]], list[Element], int, str]:
    """Columns, trace, position after it, and the error."""
    trace = Trace()
    reader = Reader(data, trace)
    reader.u("before", 5, UNREAD)
    given = repeat([UNREAD] * len(fields), count)
    columns: Sequence[Sequence[int]] = [[] for _ in fields]
    said = ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sei.coder.AT_ONCE", 1 if how == "at once" else count + 1)
        if how == "one by one":
            patch.setattr(BitReader, "few_items", lambda bits, fields, count: [[] for _ in fields])
        try:
            columns = reader.array(fields, given, count, lambda: indices_of(count))
        except PayloadError as error:
            said = f"{type(error).__name__} {error}"
    return [[int(v) for v in column] for column in columns], list(trace), reader.position, said


def values_of(rng: random.Random, fields: Sequence[Field], count: int) -> list[list[int]]:
    spread = rng.choice((0, 1, 3, 40, 2**20, 2**31))
    items = []
    for _ in range(count):
        item: list[int] = []
        for _, code, high, most in fields:
            if code == SIGN:
                item.append(rng.randrange(2))
            else:
                limits = [spread, (1 << code) - 1 if code else 2**32 - 2]
                limits += [high] if high is not None else []
                limits += [2] if most is not None else []
                item.append(rng.randint(0, min(limits)))
        items.append(item)
    return items


def written(fields: Sequence[Field], items: list[list[int]]) -> bytes:
    writer = Writer()
    writer.u("before", 5, 9)
    writer.array(fields, items, len(items), lambda: indices_of(len(items)))
    return writer.to_bytes()


@pytest.mark.parametrize("kind", list(KINDS))
def test_arrays_at_once_are_arrays_one_by_one(kind: str) -> None:
    fields = KINDS[kind]
    rng = random.Random(kind)
    ends = set()
    for case in range(60):
        count = rng.choice((1, 2, 70, 900))
        data = written(fields, values_of(rng, fields, count))
        if case % 3 == 1:
            damaged = bytearray(data)
            for _ in range(rng.choice((1, 5))):
                damaged[rng.randrange(len(data))] = rng.choice((0, 0xFF, rng.randrange(256)))
            data = bytes(damaged)
        elif case % 3 == 2:
            data = rng.choice((data[: rng.randrange(1, len(data) + 1)], rng.randbytes(len(data))))
        slow = read(data, fields, count, "one by one")
        assert read(data, fields, count, "at once") == slow
        assert read(data, fields, count, "few") == slow
        ends.add(slow[3].partition(" ")[0])
    assert {"", "EndOfDataError"} <= ends


@pytest.mark.parametrize("code", ["ue(v)", "u(n)"])
def test_codes_that_cross_windows(code: str) -> None:
    # The longest codes, so that many of them lie across the bytes that are looked at together.
    fields = [ue("a")] if code == "ue(v)" else [u("a", 31)]
    items = [[2**31 - 2 - i] for i in range(5000)]
    data = written(fields, items)
    columns, starts = read_items(data, 5, [fields[0].code], len(items))
    assert columns[0].tolist() == [value for (value,) in items]
    size = 61 if code == "ue(v)" else 31
    assert starts.tolist() == [5 + size * i for i in range(len(items) + 1)]


def test_a_code_of_too_many_zeros_ends_an_array() -> None:
    data = BitArray("0b11" + "0" * 32 + "1" * 40).tobytes()
    columns, starts = read_items(data, 0, [0], 5)
    assert (columns[0].tolist(), starts.tolist()) == ([0, 0], [0, 1, 2])


def test_totals_are_those_of_the_elements() -> None:
    fields = KINDS["keypoint"]
    items = [[0, 0, i % 3, i % 2, 2**i % 9, 0] for i in range(100)]
    trace = Trace()
    reader = Reader(written(fields, items), trace)
    reader.u("before", 5, UNREAD)
    reader.array(fields, repeat([UNREAD] * 6, 100), 100, lambda: indices_of(100))
    (part,) = (part for part in trace.parts if not isinstance(part, Element))
    totals: dict[str, tuple[int, int]] = {}
    for element in part:
        count, bits = totals.get(element.base_name, (0, 0))
        totals[element.base_name] = count + 1, bits + element.bits
    # In the order of the first of each, too.
    assert [(name, (count, bits)) for name, count, bits in part.totals()] == list(totals.items())
    assert len(trace) == 1 + len(part) == 1 + sum(count for count, _ in totals.values())


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_number_of_elements_is_known_before_they_are_made(kind: str) -> None:
    fields = KINDS[kind]
    items = values_of(random.Random(kind), fields, 50)
    items[7] = [0] * len(fields)
    trace = Trace()
    reader = Reader(written(fields, items), trace)
    reader.u("before", 5, UNREAD)
    reader.array(fields, repeat([UNREAD] * len(fields), 50), 50, lambda: indices_of(50))
    assert len(trace.parts) == 2
    assert len(trace) == len(list(trace))


def keypoint_messages(count: int, messages: int, greatest: int) -> list[bytes]:
    rng = random.Random(count)
    state, payloads = GfvState(), []
    for number in range(messages):
        keypoints = tuple(
            (rng.randint(-greatest, greatest), rng.randint(-2, 2)) for _ in range(count)
        )
        layout = CoordinateLayout(8, count) if number == 0 else None
        message = GenerativeFaceVideo(
            1, number, number == 0, coordinates=Coordinates(keypoints, True, layout)
        )
        payloads.append(state.write(message))
    return payloads


@pytest.mark.parametrize("greatest", [3, 2**32 - 2])
def test_states_of_arrays_are_those_of_tuples(
    greatest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    payloads = keypoint_messages(80, 6, greatest)
    payloads.insert(3, payloads[3][:-2])
    said: dict[int, list[object]] = {}
    for at_once in (1, 1000):  # as arrays, and as lists
        monkeypatch.setattr("sei.coder.AT_ONCE", at_once)
        state, said[at_once] = GfvState(), []
        for payload in payloads:
            trace = Trace()
            try:
                message = state.read(payload, trace)
            except SeiError as error:
                said[at_once].append((str(error), list(trace)))
            else:
                said[at_once].append((message, state.values, list(trace), repr(message)))
    assert said[1] == said[1000]


def test_a_large_array_is_read_in_a_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = keypoint_messages(20_000, 1, 3)[0]
    calls: list[str] = []
    single = Reader.ue

    def counted(reader: Reader, name: str, *arguments: Any) -> int:
        calls.append(name)
        return single(reader, name, *arguments)

    monkeypatch.setattr(Reader, "ue", counted)
    trace = Trace()
    state = GfvState()
    message = state.read(payload, trace)
    assert len(calls) < 10
    assert len(trace.parts) < 20
    assert len(trace) > 40_000
    assert message.coordinates is not None
    assert len(message.coordinates.values) == 20_000
