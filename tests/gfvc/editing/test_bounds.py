"""What a stream, or a file of messages, may cost: memory, time, and bytes that are written."""

from __future__ import annotations

import contextlib
import gc
import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gfvc.editing import MessageSelection, extract_messages, inject_messages, remove_messages
from gfvc.editing.json_lines import FREE_GROWTH, MAX_PARTS
from gfvc.errors import StreamError
from gfvc.stream.sei_rewriting import MAX_UNIT_MESSAGES
from gfvc.transcoding import transcode
from sei import Codec, NalUnit, SeiMessage, join_annex_b, make_sei_nal_unit
from sei.payload_kinds import decode_payload
from sei.signed_content import SignedContent
from tests.gfvc.editing.streams import Faces, nal, parameter_sets, slice_unit, write_stream
from tests.gfvc.support import CommandLine, assert_refused

SELECTION = MessageSelection()
HEADER = {"format": "gfvc-messages", "version": 1}


def face_units(count: int) -> list[NalUnit]:
    """NAL units with a message each, of one face."""
    faces = Faces()
    return [make_sei_nal_unit([faces.gfv(i)], Codec.VVC) for i in range(count)]


def crowded(count: int, message: SeiMessage) -> NalUnit:
    """One NAL unit with a message many times."""
    data = b"\0\xc1" + message.to_bytes() * count + b"\x80"
    return NalUnit(Codec.VVC, data)


# An initialization message with 100 verification substreams, of which each refers to all before it.
SUBSTREAMS = b"\0\0\x80\xc9" + b"\xff" * 618 + b"\xf8a\0"

KINDS: dict[str, Callable[[int], list[NalUnit]]] = {
    "NAL units of a face message": lambda n: face_units(n // 4),
    "NAL units of a few bytes": lambda n: [nal(Codec.VVC, 0, b"\x01")] * n,
    "NAL unit of many messages": lambda n: [crowded(n, SeiMessage(4, b"\1"))],
    "NAL unit of many face messages": lambda n: [crowded(n, SeiMessage(223, b"\1" * 9))],
    "one large NAL unit": lambda n: [nal(Codec.VVC, 0, b"\x01\x55" * 50 * n)],
    "emulation prevention": lambda n: [
        make_sei_nal_unit([SeiMessage(5, bytes(100 * n))], Codec.VVC)
    ],
    "long payload sizes": lambda n: [NalUnit(Codec.VVC, b"\0\xc1\x04" + b"\xff" * 100 * n)],
    "signed content of many substreams": lambda n: [
        make_sei_nal_unit([SeiMessage(220, SUBSTREAMS)] * (n // 100), Codec.VVC, suffix=False)
    ],
    "zero bytes between": lambda n: [nal(Codec.VVC, 0, b"\x01", trailing_zeros=n)] * 100,
}


def stream(folder: Path, kind: str, count: int) -> Path:
    head = [*parameter_sets(), slice_unit(), *face_units(1)]
    return write_stream(folder / f"{count}.266", head, KINDS[kind](count))


def test_the_message_of_many_substreams_is_sound() -> None:
    assert SignedContent.from_payload(SUBSTREAMS) == SignedContent(0, False, "a")
    decoded = decode_payload(220, SUBSTREAMS, Codec.VVC)
    assert decoded is not None
    assert decoded["dsci_num_verification_substreams_minus1"] == 99


def extract(path: Path) -> None:
    with path.with_suffix(".jsonl").open("w") as file:
        extract_messages(path, file.write, SELECTION, notes=lambda text: None)


def remove(path: Path) -> None:
    out = path.with_suffix(".out")
    remove_messages(path, out, SELECTION, force=True, notes=lambda text: None)


def inject(path: Path) -> None:
    # Crowded NAL units stay in the base stream; the others' messages are put beside themselves.
    inject_messages(path, path, path.with_suffix(".out"), force=True, notes=lambda text: None)


def move(path: Path) -> None:
    # Empty face messages, crowded NAL units, and streams without face messages are refused.
    with contextlib.suppress(StreamError):
        transcode(path, path.with_suffix(".out"), precision=4, force=True)


COMMANDS = [extract, remove, inject, move]


def processor_seconds(run: Callable[[Path], None], path: Path) -> float:
    """What a run takes; without collecting what other tests left behind."""
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        run(path)
        return time.process_time() - start
    finally:
        gc.enable()


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("run", COMMANDS)
def test_time_grows_with_the_stream_and_not_faster(
    run: Callable[[Path], None], kind: str, tmp_path: Path
) -> None:
    # Eight times the stream: eight times the time, where a quadratic part would make it 64.
    small = stream(tmp_path, kind, 2500)
    run(small)
    limit = 24 * max(min(processor_seconds(run, small) for _ in range(3)), 0.02)
    large = stream(tmp_path, kind, 20_000)
    # The first of three that is fast enough is the last: the least of them would be so too.
    assert any(processor_seconds(run, large) < limit for _ in range(3))


@pytest.mark.parametrize("kind", ["NAL units of a face message", "NAL units of a few bytes"])
@pytest.mark.parametrize("run", COMMANDS)
def test_memory_does_not_grow_with_the_number_of_messages(
    run: Callable[[Path], None], kind: str, tmp_path: Path
) -> None:
    peaks = []
    run(stream(tmp_path, kind, 1500))
    for count in (1500, 12_000):
        path = stream(tmp_path, kind, count)
        tracemalloc.start()
        run(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 2_000_000


@pytest.mark.parametrize("run", COMMANDS)
def test_a_nal_unit_of_too_many_messages_is_not_held(
    run: Callable[[Path], None], tmp_path: Path
) -> None:
    path = stream(tmp_path, "NAL unit of many face messages", 2 * MAX_UNIT_MESSAGES)
    tracemalloc.start()
    run(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Some copies of the NAL unit, where its messages as objects would be some hundred.
    assert peak < 20 * path.stat().st_size


def test_a_nal_unit_of_too_many_messages_stays_and_is_told(
    tmp_path: Path, command: CommandLine
) -> None:
    most = stream(tmp_path, "NAL unit of many face messages", MAX_UNIT_MESSAGES)
    more = stream(tmp_path, "NAL unit of many face messages", MAX_UNIT_MESSAGES + 1)
    out = tmp_path / "out.266"
    assert f"without {MAX_UNIT_MESSAGES + 1} messages" in command("remove", most, out).err
    outcome = command("remove", more, tmp_path / "base.266")
    assert "without 1 messages" in outcome.err
    assert f"is left as it is: a NAL unit of more than {MAX_UNIT_MESSAGES} messages" in outcome.err
    lines = command("extract", more)
    assert len(lines.out.splitlines()) == 2
    assert f"is left alone: a NAL unit of more than {MAX_UNIT_MESSAGES} messages" in lines.err
    (tmp_path / "messages.jsonl").write_text(lines.out)
    command("inject", tmp_path / "base.266", tmp_path / "messages.jsonl", tmp_path / "again.266")
    assert (tmp_path / "again.266").read_bytes() == more.read_bytes()
    says = [
        f"{more}: SEI NAL unit at byte ",
        f"a NAL unit of more than {MAX_UNIT_MESSAGES} messages",
    ]
    out.unlink()
    assert_refused(command, "transcode", more, out, folder=tmp_path, says=says)


def message(**fields: Any) -> dict[str, Any]:
    place = {
        "base_nal_unit": 0,
        "kept_before": None,
        "nal_header": "00c1",
        "zero_bytes": fields.pop("zero_bytes", 0),
        "rbsp_trailing": "80",
    }
    return {"picture": 0, "payload_type": 5, "payload": "00", "place": place, **fields}


@pytest.mark.parametrize("fields", [{"zero_bytes": 2**26}, {"payload_type": 2**24}])
@pytest.mark.parametrize("at_places", [False, True])
def test_small_lines_do_not_make_a_large_stream(
    fields: dict[str, int], at_places: bool, tmp_path: Path, command: CommandLine
) -> None:
    base = write_stream(tmp_path / "base.266", parameter_sets(), [slice_unit()])
    header: dict[str, Any] = dict(HEADER)
    if at_places:
        extracted = command("extract", base)
        header |= json.loads(extracted.out)
    messages = tmp_path / "messages.jsonl"
    lines = [header, *[message(nal=i, **fields) for i in range(400)]]
    messages.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert messages.stat().st_size < 100_000
    says = "ask for more than 4 times their own bytes"
    assert_refused(
        command, *("inject", base, messages, tmp_path / "out.266"), folder=tmp_path, says=says
    )


def test_a_nal_unit_is_not_given_too_many_messages(tmp_path: Path, command: CommandLine) -> None:
    base = write_stream(tmp_path / "base.266", parameter_sets(), [slice_unit()])
    messages = tmp_path / "messages.jsonl"
    line = json.dumps({"picture": 0, "nal": 1, "payload_type": 5, "payload": ""}) + "\n"
    arguments = ("inject", base, messages, tmp_path / "out.266")
    messages.write_text(json.dumps(HEADER) + "\n" + line * (MAX_UNIT_MESSAGES + 1))
    says = f"line {MAX_UNIT_MESSAGES + 2}: a NAL unit can be given {MAX_UNIT_MESSAGES} messages"
    assert_refused(command, *arguments, folder=tmp_path, says=says)
    messages.write_text(json.dumps(HEADER) + "\n" + line * MAX_UNIT_MESSAGES)
    assert command(*arguments).status == 0


@pytest.mark.parametrize("part", ["[],", "{},", '{"":1},'])
def test_a_line_does_not_become_many_objects(
    part: str, tmp_path: Path, command: CommandLine
) -> None:
    base = write_stream(tmp_path / "base.266", parameter_sets(), [slice_unit()])
    messages = tmp_path / "messages.jsonl"
    line = '{"picture": 0, "payload_type": 5, "x": [' + part * (MAX_PARTS // 2) + "1]}\n"
    messages.write_text(json.dumps(HEADER) + "\n" + line)
    says = f"line 2: holds more than {MAX_PARTS} values"
    tracemalloc.start()
    assert_refused(
        command, "inject", base, messages, tmp_path / "out.266", folder=tmp_path, says=says
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Copies of the line, where its objects would be twenty times as large.
    assert peak < 6 * len(line)


def test_zero_bytes_of_some_size_are_put_back(tmp_path: Path, command: CommandLine) -> None:
    first, second = face_units(2)
    units = [*parameter_sets(), slice_unit(trailing_zeros=FREE_GROWTH), first, second]
    (tmp_path / "a.266").write_bytes(join_annex_b(units))
    for arguments in (
        ("extract", "a.266", "messages.jsonl"),
        ("remove", "a.266", "base.266"),
        ("inject", "base.266", "messages.jsonl", "again.266"),
    ):
        name, *files = arguments
        assert command(name, *(tmp_path / file for file in files)).status == 0
    assert (tmp_path / "again.266").read_bytes() == (tmp_path / "a.266").read_bytes()


@pytest.mark.parametrize("name", ["extract", "remove", "inject", "transcode"])
@pytest.mark.parametrize("kind", ["NAL units of a few bytes", "NAL unit of many messages"])
def test_messages_and_small_nal_units_are_limited(
    name: str, kind: str, tmp_path: Path, command: CommandLine
) -> None:
    path = stream(tmp_path, kind, 200)
    files = [path, path, tmp_path / "out"] if name == "inject" else [path, tmp_path / "out"]
    what = {"NAL units of a few bytes": "very small NAL units"}.get(kind, "very small SEI messages")
    limit = ("--max-messages", "40")
    assert_refused(
        command, name, *files, *limit, folder=tmp_path, says=[str(path), f"more than 40 {what}"]
    )


def test_elements_that_are_transcoded_are_limited(tmp_path: Path, command: CommandLine) -> None:
    path = stream(tmp_path, "NAL units of a face message", 100)
    says = "elements of messages, 32 at least in each of a face: the rest is not read"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sei.limits.ELEMENTS_PER_MESSAGE", 1)
        assert_refused(
            command,
            *("transcode", path, tmp_path / "out.266", "--max-messages", "30"),
            folder=tmp_path,
            says=says,
        )


def test_faces_that_are_transcoded_are_limited(
    tmp_path: Path, command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is remembered to the stream's end."""
    monkeypatch.setattr("gfvc.transcoding.transcoder._MAX_FACES", 20)
    for count in (20, 21):
        units = [make_sei_nal_unit([Faces().gfv(0, gfv_id=i)], Codec.VVC) for i in range(count)]
        write_stream(tmp_path / f"{count}.266", [*parameter_sets(), slice_unit()], units)
    out = tmp_path / "out.266"
    assert command("transcode", tmp_path / "20.266", out).status == 0
    out.unlink()
    says = ["21.266: message 20 (NAL unit at byte", "20 are translated at most"]
    assert_refused(command, "transcode", tmp_path / "21.266", out, folder=tmp_path, says=says)
