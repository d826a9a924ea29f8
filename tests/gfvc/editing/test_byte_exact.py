"""Extract, remove, inject: the same bytes again."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfvc.editing import (
    MessageSelection,
    extract_messages,
    inject_messages,
    remove_messages,
)
from sei import Codec, NalUnit, SeiMessage, SeiRbsp, join_annex_b, make_sei_nal_unit, read_sei
from tests.gfvc.editing.streams import (
    END_OF_SEQUENCE,
    all_units,
    nal,
    parameter_sets,
    slice_unit,
)
from tests.gfvc.support import CommandLine, no_notes
from tests.sei.messages import VECTORS

TYPES = (0, 1, 5, 132, 223, 224, 300)


def restore(source: Path, folder: Path, selection: MessageSelection) -> bytes:
    """What comes back of a stream by way of the base stream and JSON lines."""
    messages, base, result = folder / "messages.jsonl", folder / "base", folder / "result"
    with messages.open("w") as file:
        extract_messages(source, file.write, selection, notes=no_notes)
    remove_messages(source, base, selection, force=True, notes=no_notes)
    summary = inject_messages(base, messages, result, force=True, notes=no_notes)
    assert summary.at_old_places
    assert summary.restored == source.name
    return result.read_bytes()


def through_commands(command: CommandLine, source: Path, folder: Path) -> bytes:
    """The same on the command line, from JSON lines and from the stream itself."""
    messages, base = folder / "messages.jsonl", folder / "base"
    results = folder / "result", folder / "again"
    calls: Sequence[Sequence[str | Path]] = (
        ("extract", source, messages),
        ("remove", source, base, "--payload", "223,224"),
        ("inject", base, messages, results[0]),
        ("inject", base, source, results[1]),
    )
    for call in calls:
        assert command(*call).status == 0
    assert base.stat().st_size < source.stat().st_size
    assert results[0].read_bytes() == results[1].read_bytes()
    return results[0].read_bytes()


def test_all_vectors_are_named(shared: Path) -> None:
    assert sorted(VECTORS) == sorted(path.stem for path in shared.glob("vectors/gfv/*.266"))


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_come_back(shared: Path, tmp_path: Path, command: CommandLine, name: str) -> None:
    source = shared / "vectors/gfv" / f"{name}.266"
    assert through_commands(command, source, tmp_path) == source.read_bytes()


@pytest.mark.program
@pytest.mark.parametrize("fixture", ["vvc_low_delay", "hevc_low_delay", "small_stream"])
def test_our_streams_come_back(
    request: pytest.FixtureRequest, tmp_path: Path, command: CommandLine, fixture: str
) -> None:
    source: Path = request.getfixturevalue(fixture)
    assert through_commands(command, source, tmp_path) == source.read_bytes()
    for types in ({5}, {5, 223}, {5, 223, 224}, {224, 17}):
        selection = MessageSelection(frozenset(types))
        assert restore(source, tmp_path, selection) == source.read_bytes()


@st.composite
def messages(draw: st.DrawFn) -> SeiMessage:
    payload = draw(
        st.one_of(
            st.binary(max_size=6),
            # Bytes that need emulation prevention, within a message and across its end.
            st.lists(st.sampled_from([0, 0, 1, 3, 128]), max_size=8).map(bytes),
            st.just(bytes(260)),
        )
    )
    return SeiMessage(draw(st.sampled_from(TYPES)), payload)


@st.composite
def spacing(draw: st.DrawFn, unit: NalUnit, *, first: bool = False) -> NalUnit:
    zeros = st.sampled_from([0, 0, 0, 1, 2, 5])
    return NalUnit(
        unit.codec,
        unit.data,
        start_code_size=draw(st.sampled_from([3, 4])),
        leading_zeros=draw(zeros) if first else 0,
        trailing_zeros=draw(zeros),
    )


@st.composite
def streams(draw: st.DrawFn, *, temporal_ids: int = 3) -> tuple[Codec, list[NalUnit]]:
    """NAL units with a parameter set and a slice at least, and SEI messages anywhere.

    Pictures have TemporalId 0, messages one below `temporal_ids`.
    """
    codec = draw(st.sampled_from(Codec))
    units: list[NalUnit] = []

    def some_sei(*, suffix: bool) -> None:
        for _ in range(draw(st.integers(0, 3))):
            rbsp = SeiRbsp(
                tuple(draw(st.lists(messages(), min_size=1, max_size=5))),
                # Zero bytes after the trailing bits come in pairs (cabac_zero_words).
                b"\x80" + bytes(draw(st.sampled_from([0, 0, 2, 4]))),
            )
            temporal_id = 0 if codec is Codec.AVC else draw(st.integers(0, temporal_ids - 1))
            units.append(make_sei_nal_unit(rbsp, codec, suffix=suffix, temporal_id=temporal_id))

    for _ in range(draw(st.integers(1, 3))):
        some_sei(suffix=False)
        units.extend(parameter_sets(codec))
        some_sei(suffix=False)
        units.append(slice_unit(codec, intra=draw(st.booleans())))
        some_sei(suffix=True)
        if draw(st.booleans()):
            units.append(nal(codec, END_OF_SEQUENCE[codec]))
    return codec, [draw(spacing(unit, first=i == 0)) for i, unit in enumerate(units)]


selections = st.one_of(
    st.sets(st.sampled_from(TYPES), min_size=1).map(
        lambda types: MessageSelection(frozenset(types))
    ),
    st.sets(st.integers(0, 3), min_size=1).map(
        lambda ids: MessageSelection(face_ids=frozenset(ids))
    ),
)


@given(streams(), selections)
def test_any_stream_comes_back(
    stream: tuple[Codec, list[NalUnit]], selection: MessageSelection
) -> None:
    codec, units = stream
    with tempfile.TemporaryDirectory() as name:
        source = Path(name, "source")
        source.write_bytes(join_annex_b(units))
        assert restore(source, Path(name), selection) == source.read_bytes()
        # What was removed is what was selected, and nothing else is different.
        left = [unit.data for unit in all_units(Path(name, "base"), codec)]
    expected = []
    for unit in units:
        if not unit.is_sei:
            expected.append(unit.data)
            continue
        rbsp = read_sei(unit)
        kept = tuple(message for message in rbsp.messages if not selection.takes(message))
        if kept:
            rewritten = make_sei_nal_unit(
                SeiRbsp(kept, rbsp.trailing),
                codec,
                suffix=unit.is_suffix_sei,
                temporal_id=unit.temporal_id,
            )
            expected.append(rewritten.data)
    assert left == expected


@given(streams(temporal_ids=1), selections, st.data())
def test_messages_that_are_left_out_leave_the_others_where_they_were(
    stream: tuple[Codec, list[NalUnit]], selection: MessageSelection, data: st.DataObject
) -> None:
    codec, units = stream
    with tempfile.TemporaryDirectory() as name:
        source, messages, base, result = (
            Path(name, part) for part in ("source", "messages.jsonl", "base", "result")
        )
        source.write_bytes(join_annex_b(units))
        lines: list[str] = []
        extract_messages(source, lines.append, selection, notes=no_notes)
        left_out = [data.draw(st.booleans()) for _ in lines[1:]]
        kept_lines = [line for line, out in zip(lines[1:], left_out, strict=True) if not out]
        messages.write_text("".join([lines[0], *kept_lines]))
        remove_messages(source, base, selection, force=True, notes=no_notes)
        # A last picture without its message counts as cut off.
        inject_messages(base, messages, result, force=True, notes=lambda _: None)
        found = [
            (unit.nal_unit_type, unit.temporal_id, message)
            for unit in all_units(result, codec)
            if unit.is_sei
            for message in read_sei(unit).messages
        ]
    selected = iter(left_out)
    expected = [
        (unit.nal_unit_type, unit.temporal_id, message)
        for unit in units
        if unit.is_sei
        for message in read_sei(unit).messages
        if not selection.takes(message) or not next(selected)
    ]
    assert found == expected


def test_the_header_tells_what_the_files_are(duet_stream: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    extract_messages(duet_stream, lines.append, MessageSelection(), notes=no_notes)
    base = tmp_path / "base.266"
    remove_messages(duet_stream, base, MessageSelection(), force=False, notes=no_notes)
    header = json.loads(lines[0])
    assert header["pictures"] == 2
    assert header["messages"] == len(lines) - 1 == 10
    for name, path in (("source", duet_stream), ("base", base)):
        assert header[name]["size"] == path.stat().st_size
        assert header[name]["nal_units"] == len(all_units(path))
