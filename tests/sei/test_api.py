"""The package as a whole: names, doctests, what an import costs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import sei
from tests.conftest import REPOSITORY

MODULES = [f"sei.{module.name}" for module in pkgutil.iter_modules(sei.__path__)]


def test_all_names_are_listed_and_there() -> None:
    """``__all__`` is what the package itself puts into its namespace, in order."""
    modules = {name.removeprefix("sei.") for name in MODULES}
    public = {name for name in vars(sei) if not name.startswith("_")} - modules
    public |= modules & {n for n in vars(sei) if not inspect.ismodule(vars(sei)[n])} - {"__main__"}
    assert set(sei.__all__) == public
    assert len(sei.__all__) == len(set(sei.__all__))
    for name in sei.__all__:
        assert getattr(sei, name).__doc__, name


@pytest.mark.parametrize("name", ["sei", *MODULES])
def test_doctests(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_documentation_examples() -> None:
    path = REPOSITORY / "docs/sei.md"
    result = doctest.testfile(str(path), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0


def test_import_is_light() -> None:
    code = (
        "import sys, time; start = time.process_time(); import sei, sei.inspect_command; "
        "print(time.process_time() - start, *sorted({m.split('.')[0] for m in sys.modules}))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    seconds, *modules = process.stdout.split()
    assert not {"rich", "numpy", "torch", "av", "cv2", "gfvc", "models"} & set(modules)
    assert float(seconds) < 0.5  # 0.1 on an idle machine


def test_every_error_is_in_the_tree_of_errors() -> None:
    from sei import errors

    classes = {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and value.__module__ == "sei.errors"
    }
    assert errors.__doc__ is not None
    for name, value in classes.items():
        assert name in errors.__doc__
        assert issubclass(value, sei.SeiError)
        assert name in sei.__all__
