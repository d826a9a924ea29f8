"""The syntax tables, which are made from the syntax functions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sei.__main__ import main
from sei.documentation import SyntaxRow, syntax_document, syntax_rows
from tests.conftest import REPOSITORY
from tests.sei.messages import hand_made_messages

DOCUMENT = REPOSITORY / "docs/gfv_syntax.md"


def test_the_document_is_fresh() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == syntax_document(), (
        "run: python -m sei --write-docs docs/gfv_syntax.md"
    )


def test_the_command_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "syntax.md"
    assert main(["--write-docs", str(path)]) == 0
    assert path.read_text(encoding="utf-8") == syntax_document()


@pytest.mark.parametrize("function", ["generative_face_video", "generative_face_video_enhancement"])
def test_every_element_that_is_read_has_its_row(function: str) -> None:
    """Rows stand in bitstream order, so the messages written by hand must follow them."""
    is_enhancement = function.endswith("enhancement")
    patterns = [
        re.compile(re.escape(re.sub(r"\[\w\]", "", row.element)).replace(r"\{axis\}", "[xyz]"))
        for row in syntax_rows(function)
        if not row.element.startswith("*")
    ]
    for name, message in hand_made_messages().items():
        if name.startswith("gfve") != is_enhancement:
            continue
        last = 0
        for element, _ in message.elements:
            base_name, brackets, _ = element.partition("[")
            places = [i for i, pattern in enumerate(patterns) if pattern.fullmatch(base_name)]
            assert places, element
            # Indexed elements repeat, and go back to the first row of their loop.
            assert brackets or places[0] >= last, element
            last = max(last, places[0])


def row(function: str, element: str) -> SyntaxRow:
    (found,) = [row for row in syntax_rows(function) if row.element == element]
    return found


def test_some_rows() -> None:
    gfv = "generative_face_video"
    assert row(gfv, "gfv_id") == SyntaxRow("gfv_id", "ue(v)", (), "0..2^32 - 2")
    assert row(gfv, "gfv_chroma_key_value[i]") == SyntaxRow(
        "gfv_chroma_key_value[i]",
        "u(8)",
        ("base_picture_flag", "chroma_key_info_present_flag", "i < 3", "value_present_flag"),
        "",
    )
    assert row(gfv, "gfv_matrix_element_dec[i][j][k][m]").code == "u(p)"
    assert row(gfv, "gfv_matrix_delta_element_dec[i][j][k][m]").code == "ue(v)"
    assert row(gfv, "gfv_matrix_3d_space_flag[i]").conditions[-2:] == (
        "type_idx in (4, 5, 6)",
        "coordinate_layout is None",
    )
    gfve = "generative_face_video_enhancement"
    assert row(gfve, "gfve_matrix_delta_element_dec[j][k][m]").code == "u(p)"
    assert row(gfve, "gfve_nn_mode_idc").conditions == ("base_picture_flag", "nn_present_flag")
