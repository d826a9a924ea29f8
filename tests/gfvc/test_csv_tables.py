"""Tables that spreadsheets open: text of others is no formula, numbers are numbers."""

from __future__ import annotations

import io

import pytest

from gfvc.csv_tables import write_table


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-x", "'-x"),
        (-3.5, "-3.5"),
        (None, ""),
        ("a=b; --codec names it", "a=b; --codec names it"),
        ("a;+b;-c", "a;'+b;'-c"),
        ("\t=1", r"\t=1"),
        ("\r=1", r"\r=1"),
        ('a,"b"', '"a,""b"""'),
    ],
)
def test_cells(value: object, cell: str) -> None:
    file = io.StringIO()
    write_table(file, ["first", "second"], [{"first": value, "third": 3}])
    assert file.getvalue() == f"first,second\n{cell},\n"
