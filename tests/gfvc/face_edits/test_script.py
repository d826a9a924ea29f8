from __future__ import annotations

import json
from pathlib import Path

import pytest

from gfvc.errors import InputError
from gfvc.face_edits import read_script
from gfvc.options.editing import FaceEdit


def written(path: Path, content: object) -> Path:
    file = path / "edits.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def test_edits_in_order(tmp_path: Path) -> None:
    script = {"edits": [{"yaw": 10, "from": 1, "to": 3}, {"shift": [0.1, -0.1], "soft": 0}]}
    assert read_script(written(tmp_path, script)) == (
        FaceEdit(yaw=10, start=1, end=3),
        FaceEdit(shift=(0.1, -0.1), soft=0),
    )


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("{", "no JSON"),
        ([], "all of it is not an object"),
        ({}, "edits is not a list"),
        ({"edits": []}, "edits is not a list of 1..1000 edits"),
        ({"edits": [{"yaw": 1}, {}]}, "edits[1]: an edit changes something"),
        ({"edits": [{"yaw": "10"}]}, "edits[0].yaw is not a number"),
        ({"edits": [{"yaw": 5}, {"yaw": 100}]}, "edits[1].yaw is not a number of degrees in -90"),
        ({"edits": [{"yaw": 5, "from": 3, "to": 2}]}, "edits[0]: to is not after from"),
        ({"edits": [{"shift": [1]}]}, "edits[0].shift is not a list of 2 numbers"),
        ({"edits": [{"shift": [0, None]}]}, "edits[0].shift is not two numbers"),
        ({"edits": [{"gaze": 0.1}]}, "edits[0].gaze is not a list of 2 numbers"),
        ({"edits": [{"jaw": 1}]}, "edits[0].jaw is not a known name"),
        ({"edits": [{"yaw": 1}], "title": ""}, "title is not a known name"),
    ],
)
def test_what_is_no_script_is_refused_in_a_line(tmp_path: Path, script: object, says: str) -> None:
    with pytest.raises(InputError) as refused:
        read_script(written(tmp_path, script))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
