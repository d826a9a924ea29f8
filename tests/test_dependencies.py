"""Which room knows of which, what an import costs, and what is public."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import subprocess
import sys
from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
ROOMS = frozenset({"gfvc", "sei", "base_codec_adapters", "models", "tests", "benchmarks", "tools"})

MAY_USE = {
    "sei": {"sei"},
    "base_codec_adapters": {"base_codec_adapters"},
    "models": {"models"},
    "tools": {"tools", "models", "gfvc", "base_codec_adapters"},
    "gfvc": {"gfvc", "sei", "base_codec_adapters", "models"},
}

HEAVY = ("torch", "mediapipe", "cv2", "av", "numpy", "scipy", "skimage", "matplotlib", "rich")


def imported_names(path: Path) -> Iterator[str]:
    """All modules that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: line {node.lineno}: a relative import"
            assert node.module is not None
            yield node.module


@pytest.mark.parametrize("room", MAY_USE)
def test_dependencies_point_one_way(room: str) -> None:
    files = sorted((REPOSITORY / room).rglob("*.py"))
    assert files
    for path in files:
        used = {name.split(".")[0] for name in imported_names(path)} & ROOMS
        assert used <= MAY_USE[room], f"{path} imports {used - MAY_USE[room]}"


def needed_modules(statement: ast.AST, known: Collection[str]) -> Iterator[str]:
    """Those of the known modules that a statement loads, wherever it stands, when it runs."""
    if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
        return
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names if alias.name in known)
    elif isinstance(statement, ast.ImportFrom):
        for alias in statement.names:
            module = f"{statement.module}.{alias.name}"
            found = module if module in known else statement.module
            if found in known:
                assert found is not None
                yield found
    for part in ast.iter_child_nodes(statement):
        yield from needed_modules(part, known)


@pytest.mark.parametrize("room", MAY_USE)
def test_no_modules_import_each_other(room: str) -> None:
    """Not in a circle either, nor inside of functions."""
    files = {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted((REPOSITORY / room).rglob("*.py"))
    }
    needed = {
        name: set(needed_modules(ast.parse(path.read_text()), files))
        for name, path in files.items()
    }
    assert any(needed.values())
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other: {' <- '.join(error.args[1])}")


SAME_NAME = {"MatrixShape", "NalUnit", "StreamError"}
"""Classes of two packages that know nothing of each other, each the same thing for both."""


def test_no_two_classes_have_one_name() -> None:
    homes: dict[str, list[Path]] = {}
    for room in ("gfvc", "models", "sei", "base_codec_adapters"):
        for path in sorted((REPOSITORY / room).rglob("*.py")):
            for item in ast.parse(path.read_text()).body:
                if isinstance(item, ast.ClassDef) and not item.name.startswith("_"):
                    homes.setdefault(item.name, []).append(path)
    twice = {name: paths for name, paths in homes.items() if len(paths) > 1}
    assert twice.keys() == SAME_NAME, twice
    for name, paths in twice.items():
        rooms = {path.relative_to(REPOSITORY).parts[0] for path in paths}
        assert len(rooms) == len(paths), name


def modules_of(*folders: str) -> Iterator[tuple[Path, set[str]]]:
    """Files of some folders of `models`, and the modules of `models` that each imports."""
    for folder in folders:
        for path in sorted((REPOSITORY / "models" / folder).rglob("*.py")):
            yield path, {name for name in imported_names(path) if name.startswith("models.")}


def test_inference_knows_nothing_of_training() -> None:
    """Training lives in `models/training` and in files called training.py; it knows the rest."""
    checked = 0
    for path, used in modules_of(""):
        if "training" in (path.stem, path.parent.name):
            continue
        checked += 1
        assert not [name for name in used if "training" in name.split(".")], path
    assert checked > 20


def test_landmarks_know_nothing_of_the_models_that_stand_on_them() -> None:
    below = ("contract", "errors", "files", "forking", "importing", "landmarks", "parallel")
    own = {f"models.{name}" for name in below}
    for path, used in modules_of("landmarks"):
        assert {".".join(name.split(".")[:2]) for name in used} <= own, path


@pytest.mark.parametrize("room", MAY_USE)
def test_rooms_say_what_they_are(room: str) -> None:
    init = REPOSITORY / room / "__init__.py"
    assert init.is_file()
    assert ast.get_docstring(ast.parse(init.read_text()))


def loaded_after(statements: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after some statements."""
    script = f"{statements}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
        timeout=60,
    )
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statements",
    [
        "import gfvc",
        "import gfvc.cli.main; import gfvc.cli.parser; gfvc.cli.parser.build_parser()",
        "import gfvc.cli.main; import gfvc.cli.parser; gfvc.cli.parser.build_parser('inspect')",
        "import sei",
    ],
)
def test_help_waits_for_nothing_heavy(statements: str) -> None:
    loaded = loaded_after(statements)
    assert statements.split(";")[0].split()[1].split(".")[0] in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("statements", ["import models; models.default_registry()"])
def test_the_registry_does_not_load_networks(statements: str) -> None:
    assert not loaded_after(statements) & {"torch", "mediapipe", "cv2", "av"}


PUBLIC = {
    "gfvc": [
        "DecodeOptions",
        "DecodeSummary",
        "EditSummary",
        "EncodeOptions",
        "EncodeSummary",
        "ExportOptions",
        "ExportSummary",
        "FaceEdit",
        "GfvcError",
        "InputError",
        "OutputError",
        "StreamError",
        "__version__",
        "decode",
        "edit",
        "encode",
        "export",
    ],
    "models": [
        "Analyser",
        "Analysis",
        "AnimationModel",
        "CheckpointError",
        "FaceParameters",
        "FaceTrackerError",
        "MatrixShape",
        "ModelCard",
        "ModelError",
        "ParameterLayout",
        "Reference",
        "ReferencePair",
        "RegisteredModel",
        "Registry",
        "Runtime",
        "UnknownModelError",
        "default_registry",
    ],
}


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_names_are_these(name: str) -> None:
    package = importlib.import_module(name)
    assert sorted(package.__all__) == sorted(PUBLIC[name])
    for public in package.__all__:
        assert getattr(package, public) is not None


@pytest.mark.parametrize("name", ["gfvc", "models", "sei", "base_codec_adapters"])
def test_everything_public_is_documented(name: str) -> None:
    package = importlib.import_module(name)
    for public in package.__all__:
        item = getattr(package, public)
        if callable(item) and getattr(item, "__module__", "").split(".")[0] == name:
            assert item.__doc__, f"{name}.{public} has no docstring"


def test_unknown_names_are_refused_as_usual() -> None:
    import gfvc

    with pytest.raises(AttributeError, match="no attribute 'transmogrify'"):
        _ = gfvc.transmogrify


def test_every_module_can_be_imported_on_its_own() -> None:
    """No module relies on another having been imported first.

    Modules that do not import each other can rely on the names of a package alone, whose
    `__init__` runs before they do: each package is imported first of all.
    """
    modules, packages = [], []
    for room in ("gfvc", "models", "tools"):
        for path in sorted((REPOSITORY / room).rglob("*.py")):
            *above, name = path.relative_to(REPOSITORY).with_suffix("").parts
            if name == "__init__":
                packages.append(".".join(above))
            elif name != "__main__":
                modules.append(".".join((*above, name)))
    script = (
        "import importlib, sys\n"
        f"for name in {packages!r}:\n"
        "    importlib.import_module(name)\n"
        "    ours = ('gfvc', 'models', 'tools')\n"
        "    for other in [m for m in sys.modules if m.split('.')[0] in ours]:\n"
        "        del sys.modules[other]\n"
        f"for name in {modules!r}:\n"
        "    importlib.import_module(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stderr
