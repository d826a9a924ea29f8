"""JSON of others: what is wrong is said in words of its own."""

from __future__ import annotations

import pytest

from gfvc.errors import InputError
from gfvc.json_checking import CheckedObject, parse_json


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"a": NaN}', "no JSON: NaN is no number there"),
        (b'{"a": -Infinity}', "no JSON: -Infinity is no number there"),
        (b"9" * 5001, "no JSON: an integer of 5001 digits, and 1000 are taken"),
        (b'{"a": 1, "a": 1}', "no JSON: member 'a' stands twice in an object"),
        (b'"\xff"', "no JSON: no text in UTF-8"),
        (b"[" * 100000, "no JSON: is nested too deep"),
        (b"{", "no JSON: Expecting property name enclosed in double quotes at column 2"),
    ],
)
def test_no_json(text: bytes, says: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_json(text, "list.json")
    assert str(raised.value) == f"list.json: {says}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        *(
            (text, " in -1000000000000..1000000000000")
            for text in ("1e308", "1e400", "-1e13", "9" * 999)
        ),
        *((text, "") for text in ("true", '"1"', "null")),
    ],
)
def test_numbers_out_of_bounds(text: str, says: str) -> None:
    item = CheckedObject(parse_json(f'{{"a": {text}}}'.encode(), "list.json"), "list.json")
    with pytest.raises(InputError, match=rf"^list\.json: a is not a number{says}$"):
        item.number("a")
