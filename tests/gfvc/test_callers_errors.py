"""What callers' own functions and signal handlers raise is theirs: it comes out unchanged."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gfvc
from gfvc.errors import OutputError, let_deadline_by, system_errors
from gfvc.media_files import media_errors
from gfvc.output import replaced_when_complete
from gfvc.stream.nal_source import reading
from gfvc.telling import Notes, passes_on, unheard

ERRORS = [
    TimeoutError("over the two minutes"),
    BrokenPipeError(32, "Broken pipe"),
    FileNotFoundError(2, "No such file or directory", "/nowhere/progress.log"),
    ValueError("no such column"),
    gfvc.OutputError("a log cannot be written"),
]


@passes_on
def job(output: Path, *, notes: Notes = unheard) -> None:
    """Writes a file, and tells of it within all that looks for errors."""
    with (
        replaced_when_complete(output, force=False) as temporary,
        system_errors(OutputError, output, "cannot be written"),
        media_errors("a video"),
    ):
        temporary.write_text("written", encoding="utf-8")
        notes("a note")


@passes_on
def outer_job(output: Path, *, notes: Notes = unheard) -> None:
    with system_errors(OutputError, output, "cannot be written"):
        job(output, notes=notes)


@pytest.mark.parametrize("function", [job, outer_job])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_what_a_function_of_the_caller_raises(
    error: Exception, function: Callable[..., None], tmp_path: Path
) -> None:
    def raising(text: str) -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        function(tmp_path / "out", notes=raising)
    assert raised.value is error
    assert (error.__context__, error.__cause__) == (None, None)
    assert list(tmp_path.iterdir()) == []
    function(tmp_path / "out", notes=lambda text: None)
    assert (tmp_path / "out").read_text(encoding="utf-8") == "written"


def test_arithmetic_is_the_callers_only_in_its_functions() -> None:
    seen = []

    @passes_on
    def calculating(*, notes: Notes = unheard) -> None:
        seen.append(np.geterr())
        assert np.exp(np.float32(-1e3)) == 0
        notes("a note")
        seen.append(np.geterr())

    default = np.geterr()
    with np.errstate(all="raise"):
        asked = np.geterr()
        calculating(notes=lambda text: seen.append(np.geterr()))
        calculating()
        assert np.geterr() == asked
    assert seen == [default, asked, default, default, default]


def test_public_functions_pass_on_what_callers_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*arguments: Any) -> None:
        arguments[1]("a note")

    def raising(*told: object) -> None:
        raise TimeoutError(110, "no answer")

    source = tmp_path / "in.266"
    source.write_bytes(b"\0\0\1")
    monkeypatch.setattr("gfvc.decoder.read_face_stream", work)
    monkeypatch.setattr("gfvc.exporting.exporter.read_face_stream", work)
    monkeypatch.setattr("gfvc.face_edits.editor.read_face_stream", work)
    monkeypatch.setattr("gfvc.encoder.look_at", lambda *rest, notes, **others: work(source, notes))
    for function, suffix, more in (
        (gfvc.encode, ".266", ()),
        (gfvc.decode, ".mkv", ()),
        (gfvc.export, ".csv", ()),
        (gfvc.edit, ".266", (gfvc.FaceEdit(yaw=2),)),
    ):
        output = tmp_path / f"out{suffix}"
        with pytest.raises(TimeoutError, match="no answer"):
            function(source, output, *more, notes=raising)
        assert not output.exists()


def test_deadlines_are_no_damage(tmp_path: Path) -> None:
    for context in (
        replaced_when_complete(tmp_path / "out", force=False),
        system_errors(OutputError, "out", "cannot be written"),
        media_errors("a video"),
        reading("in.266"),
    ):
        with pytest.raises(TimeoutError, match="too long"), context:
            raise TimeoutError("too long")
        with pytest.raises(TimeoutError, match="too long"):
            let_deadline_by(TimeoutError("too long"))
    let_deadline_by(TimeoutError(110, "Connection timed out"))  # as of a file system elsewhere
    with (
        pytest.raises(OutputError, match="Connection timed out"),
        replaced_when_complete(tmp_path / "out", force=False),
    ):
        raise TimeoutError(110, "Connection timed out")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_told_from_damage_is_kept_as_the_cause(tmp_path: Path) -> None:
    nested = contextlib.ExitStack()
    nested.enter_context(replaced_when_complete(tmp_path / "out", force=False))
    nested.enter_context(system_errors(OutputError, "out", "cannot be written"))
    for context, kind in (
        (nested, OutputError),
        (replaced_when_complete(tmp_path / "out", force=False), OutputError),
        (system_errors(OutputError, "out", "cannot be written"), OutputError),
        (media_errors("a video"), gfvc.InputError),
        (reading("in.266"), gfvc.InputError),
    ):
        raised = OSError("of a handler")
        with pytest.raises(kind, match="of a handler") as caught, context:
            raise raised
        assert caught.value.__cause__ is raised
