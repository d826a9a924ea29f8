"""JSON objects of any size: the same as if they were read as a whole, in the memory of a part."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from gfvc.editing import json_parts as module
from gfvc.editing.json_parts import json_parts
from gfvc.errors import InputError

DOCUMENT: dict[str, Any] = {
    "number": -1.5e3,
    "text": 'a "quoted" \\ [text] {with} marks, \u00e9 \\" ',
    "nothing": None,
    "list": [1, "]", [2, {"a": "}"}], {}, [], True, ""],
    "empty": [],
    "object": {"list": [1, 2], "deep": [[["["]]]},
    "other": [1, 2],
    "none": 7,
}
LISTS = {"list", "empty", "none"}
LAYOUTS: list[dict[str, Any]] = [
    {"indent": None},
    {"indent": 3},
    {"separators": (",", ":")},
    {"ensure_ascii": False},
]


def read(path: Path, lists: set[str] = LISTS, most_bytes: int = 1000) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in json_parts(path, lists, most_bytes):
        value = json.loads(part.text)
        if part.number is None:
            found[part.name] = value
        else:
            assert part.number == len(found[part.name])
            found[part.name].append(value)
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("at_once", [1, 2, 7, 2**16])
@pytest.mark.parametrize("before", ["", "\ufeff \r\n\t"])
def test_parts_are_those_of_the_whole(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    layout: dict[str, Any],
    at_once: int,
    before: str,
) -> None:
    monkeypatch.setattr(module, "_READ_AT_ONCE", max(at_once, 3 if before else 1))
    path = tmp_path / "in.json"
    path.write_text(before + json.dumps(DOCUMENT, **layout) + " \n", encoding="utf-8")
    assert read(path) == DOCUMENT
    assert list(read(path)) == list(DOCUMENT)
    path.write_text("{ }")
    assert read(path) == {}


def test_no_start_of_an_object_is_one(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    text = json.dumps(DOCUMENT).encode()
    for length in range(len(text)):
        path.write_bytes(text[:length])
        with pytest.raises(InputError, match=r"in\.json: no JSON: .* at byte \d+$"):
            list(json_parts(path, LISTS, 1000))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "no { at byte 0"),
        ("{} {}", "more after its end at byte 3"),
        ('{"a": 1,}', "no name of a member at byte 8"),
        ('{"a" 1}', "no : at byte 5"),
        ('{"a": 1 "b": 2}', "no } at byte 8"),
        ('{"a": }', "no value at byte 6"),
        ('{"list": [1, 2 3]}', "no ] at byte 15"),
        ('{"list": [1, ]}', "no value at byte 13"),
        ('{"a": 1, "\\u0061": 2}', "member 'a' stands twice"),
        ('{"a": [1}', "no } at byte 9"),
        ('{"a": "x', "a does not end; it begins at byte 6"),
    ],
)
def test_what_is_no_object_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "in.json"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        list(json_parts(path, LISTS, 1000))
    assert says in str(caught.value)


@pytest.mark.parametrize("value", ['"' + "x" * 5000 + '"', "[" * 5000, "1" * 5000, " " * 9000])
def test_a_long_part_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setattr(module, "_READ_AT_ONCE", 100)
    path = tmp_path / "in.json"
    path.write_text('{"list": [1, ' + value + "]}")
    if value.isspace():  # which is no part, and not held
        with pytest.raises(InputError, match="no value at byte 9013"):
            read(path)
        return
    with pytest.raises(InputError, match=r"list\[1\], at byte 13, is longer than 1000 bytes"):
        read(path)


def test_memory_does_not_grow_with_the_number_of_items(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    item = json.dumps({"values": [0.5] * 30})
    with path.open("w") as file:
        file.write('{"list": [' + item)
        file.writelines([", " + item] * 20_000)
        file.write("]}")
    assert path.stat().st_size > 3 << 20
    tracemalloc.start()
    try:
        assert sum(1 for _ in json_parts(path, LISTS, 1000)) == 20_002
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
