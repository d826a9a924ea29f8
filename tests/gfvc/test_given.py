"""What callers give that no name, option or function is: told before work starts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gfvc
from gfvc.credentials import Credentials
from gfvc.given import neither, no_file, no_folder
from gfvc.options.editing import EditedStream
from models import Runtime
from tests.gfvc.support import CommandLine

EDIT = gfvc.FaceEdit(yaw=4)


def edit(source: Any, output: Any, **more: Any) -> object:
    return gfvc.edit(source, output, EDIT, **more)


FUNCTIONS: list[Callable[..., object]] = [gfvc.encode, gfvc.decode, gfvc.export, edit]


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800.mp4", "clip.mp4/", "clip.mp4/."])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_names_that_no_file_has(function: Callable[..., object], name: str, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"a clip")
    given = name if name in ("", "a\0b", "\ud800.mp4") else f"{tmp_path}/{name}"
    for files, kind in (
        ((given, tmp_path / "out.csv"), gfvc.InputError),
        ((clip, given), gfvc.OutputError),
    ):
        with pytest.raises(kind) as told:
            function(*files)
        assert str(told.value).isprintable()
        assert str(told.value).partition(": ")[2] or "an empty name" in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_further_names_are_looked_at_too(tmp_path: Path) -> None:
    with pytest.raises(gfvc.OutputError, match="ends in a slash"):
        gfvc.edit(tmp_path / "a.266", tmp_path / "b.266", EDIT, preview=f"{tmp_path}/p.png/")
    with pytest.raises(gfvc.InputError, match="has a character"):
        gfvc.decode(
            "a.266", tmp_path / "b.mp4", credentials=Credentials(Path("a\0.pem"), Path("b.pem"))
        )


def test_a_slash_ends_the_name_of_a_folder(tmp_path: Path) -> None:
    assert [problem("frames/") is None for problem in (no_file, no_folder, neither)] == [
        False,
        True,
        True,
    ]
    assert neither("frames.mp4/") is not None
    (tmp_path / "v1.0").mkdir()
    assert neither(f"{tmp_path}/v1.0/") is None
    assert no_file("..") is no_file("a/b") is None


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("name", [None, 3, b"clip.mp4"])
def test_what_is_no_name(function: Callable[..., object], name: Any) -> None:
    with pytest.raises(TypeError, match="a file is named by text or a path; this is "):
        function(name, "out.266")
    with pytest.raises(TypeError, match="a file is named by text or a path; this is "):
        function("in.mp4", name)


@pytest.mark.parametrize(
    ("function", "name", "wanted"),
    [
        (gfvc.encode, "options", "of type EncodeOptions"),
        (gfvc.decode, "options", "of type DecodeOptions"),
        (gfvc.export, "options", "of type ExportOptions"),
        (edit, "options", "of type BaseLayerOptions"),
        (gfvc.decode, "credentials", "of type Credentials"),
        *((function, "registry", "of type models.Registry") for function in FUNCTIONS),
        *((function, "force", "True or False") for function in FUNCTIONS),
        *((function, "notes", "a function that is told") for function in FUNCTIONS),
        *((function, "progress", "a function that is told") for function in FUNCTIONS),
        (gfvc.encode, "stage", "a function that is told"),
    ],
)
def test_what_is_of_another_type(function: Callable[..., object], name: str, wanted: str) -> None:
    for value in ({"effort": "fast"}, "no", gfvc.FaceEdit(yaw=1)):
        with pytest.raises(TypeError, match=f"^{name} is to be {wanted}, not of type "):
            function("in.mp4", "out.csv", **{name: value})


@pytest.mark.parametrize("registry", [{}, (), 0, ""])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_empty_registry_is_not_left_out(
    function: Callable[..., object], registry: Any, tmp_path: Path
) -> None:
    with pytest.raises(
        TypeError, match=r"^registry is to be of type models\.Registry, not of type "
    ):
        function(tmp_path / "in.mp4", tmp_path / "out.csv", registry=registry)


@pytest.mark.parametrize("runtime", ["cpu", "auto", None, {}, 3, Runtime])
@pytest.mark.parametrize(
    "options", [gfvc.EncodeOptions, gfvc.DecodeOptions, gfvc.ExportOptions, EditedStream]
)
def test_what_is_no_runtime(options: Callable[..., object], runtime: Any) -> None:
    with pytest.raises(TypeError, match=r"^runtime is to be of type models\.Runtime, not "):
        options(runtime=runtime)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"device": None}, "device is to be text"), ({"bfloat16": "no"}, "bfloat16 is to be True or")],
)
def test_what_is_no_part_of_a_runtime(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Runtime(**wrong)


def test_force_may_be_of_numpy(tmp_path: Path) -> None:
    (tmp_path / "out.266").write_bytes(b"an output")
    for function in FUNCTIONS[:3]:
        with pytest.raises(gfvc.GfvcError):
            function(tmp_path / "in.mp4", tmp_path / "out.266", force=np.bool_(False))


@pytest.mark.parametrize("edits", [{}, {"yaw": 3}, "yaw", 3, None, [EDIT, {"yaw": 3}]])
def test_what_is_no_edit(edits: Any) -> None:
    with pytest.raises(TypeError, match=r"^edits is to be of type FaceEdit, not "):
        gfvc.edit("a.266", "b.266", edits)


@pytest.mark.parametrize(
    "arguments",
    [
        ("encode", "clip.mp4", "o/"),
        ("encode", "clip.mp4", "o.mp4/"),
        ("encode", "clip.mp4/", "o.266"),
        ("encode", "clip.mp4/.", "o.266"),
        ("decode", "clip.mp4/", "o.mkv"),
        ("decode", "clip.mp4", "o.mkv/"),
        ("inspect", "clip.mp4/"),
        ("verify", "clip.mp4/"),
        ("remove", "clip.mp4", "o/"),
        ("extract", "clip.mp4", "o.jsonl/"),
        ("export", "clip.mp4", "o.csv/"),
        ("edit", "clip.mp4", "o.266", "--preview", "p.png/"),
        ("batch", "clip.mp4/", "--out", "o"),
        ("bench", "clip.mp4/", "--out", "o"),
        ("report", "bench", "--out", "o.html/"),
        ("train", "data", "--out", "o", "--weights", "w.safetensors/"),
    ],
)
def test_files_on_a_command_line_end_in_no_slash(
    command: CommandLine,
    arguments: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"a clip")
    monkeypatch.chdir(tmp_path)
    outcome = command(*arguments)
    assert outcome.status == 2
    slashed = next(name for name in arguments if name.endswith(("/", "/.")))
    assert slashed in outcome.err.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_list_names_files_without_a_slash(command: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"a clip")
    rows = tmp_path / "list.csv"
    for row in ("clip.mp4/,a.266", "clip.mp4,a.266/"):
        rows.write_text(f"input,output\n{row}\n", encoding="utf-8")
        outcome = command("batch", rows, "--out", tmp_path / "out")
        assert outcome.status == 1
        assert "ends in a slash" in outcome.err


def test_all_names_of_the_package_are_listed_before_they_are_loaded() -> None:
    program = (
        "import gfvc; names = dir(gfvc); assert set(gfvc.__all__) <= set(names), names; "
        "assert not {'TYPE_CHECKING', 'annotations'} & set(names), names"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
