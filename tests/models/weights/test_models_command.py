"""gfvc models, in process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gfvc.cli.main import main
from models.weights.store import WeightsStore
from tests.golden.files import STREAMS
from tests.models.weights.conftest import SaveCheckpoint, tiny_weights, training_checkpoint


@pytest.fixture(autouse=True)
def _own_folder(store: WeightsStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GFVC_MODELS", str(store.folder))


def test_the_post_filter_has_a_card_and_files_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Though it is no model, and in no list of them."""
    assert ["post-filter: ok"] in lines(capsys, "verify")
    assert lines(capsys, "verify", "post-filter") == [["post-filter: ok"]]
    shown = [line[0] for line in lines(capsys, "show", "post-filter")]
    assert "data: post_filter/post_filter.safetensors" in shown
    assert "post-filter" not in [line[0] for line in lines(capsys, "list")]


@pytest.fixture
def checkpoint(save: SaveCheckpoint) -> Path:
    return save(training_checkpoint(tiny_weights("fomm")))


def lines(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[list[str]]:
    capsys.readouterr()
    assert main(["models", *map(str, arguments)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return [line.split("\t") for line in out.splitlines()]


def test_import_list_show_verify_remove(
    checkpoint: Path, store: WeightsStore, capsys: pytest.CaptureFixture[str]
) -> None:
    states = {name: state for name, state, *_ in lines(capsys, "list")}
    assert states["mesh"] == "ready"
    assert states["fomm"] == "no weights"

    ((name, uri, path),) = lines(capsys, "import", "fomm", checkpoint, "--variant", "official")
    assert name == "fomm"
    assert uri.startswith("gfvc:fomm:1:official:")
    assert Path(path).parent == store.folder

    assert ["fomm", "ready", uri] in [line[:3] for line in lines(capsys)]
    shown = [line[0] for line in lines(capsys, "show", "fomm")]
    assert f"uri: {uri}" in shown
    assert f"data: {path}" in shown
    assert ["fomm: ok"] in lines(capsys, "verify")
    assert lines(capsys, "remove", "fomm") == [[str(store.folder / "fomm.json")], [path]]
    assert lines(capsys, "verify", "fomm") == [["fomm: no weights"]]


@pytest.mark.usefixtures("read_here")
def test_json_says_which_models_have_weights(
    checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ((imported,),) = lines(capsys, "import", "fomm", checkpoint, "--as", "mine", "--json")
    assert json.loads(imported)["source"] == checkpoint.name
    ((listed,),) = lines(capsys, "list", "--json")
    states = {card["name"]: card["has_weights"] for card in json.loads(listed)}
    assert {name: ready for name, ready in states.items() if not name.startswith("face")} == {
        "mesh": True,
        "mine": True,
        "fomm": False,
        "cfte": False,
        "fv2v": False,
        "fv2v-keypoints": False,
    }


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    capsys.readouterr()
    assert main(["models", *map(str, arguments)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    return line


@pytest.mark.usefixtures("read_here")
def test_failures_are_one_line(
    checkpoint: Path, store: WeightsStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "not weights of cfte" in refused(capsys, "import", "cfte", checkpoint)
    assert "no network named 'mesh'" in refused(capsys, "import", "mesh", checkpoint)
    assert "no weights were imported as 'mesh'" in refused(capsys, "remove", "mesh")
    for option in ("--as", "--variant"):  # of a variable that is not set, say
        assert "''" in refused(capsys, "import", "fomm", checkpoint, option, "")
    main(["models", "import", "fomm", str(checkpoint)])
    assert "use --force" in refused(capsys, "import", "fomm", checkpoint)
    (weights,) = store.folder.glob("*.safetensors")
    weights.write_bytes(b"other")
    assert "differs from its card; import the weights again" in refused(capsys, "verify", "fomm")


@pytest.mark.usefixtures("read_here")
def test_a_damaged_card_is_told_and_makes_verify_fail(
    checkpoint: Path, store: WeightsStore, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["models", "import", "fomm", str(checkpoint)])
    (store.folder / "fomm.json").write_text("{}")
    capsys.readouterr()
    assert main(["models"]) == 0
    assert "fomm.json: no card of imported weights" in capsys.readouterr().err
    assert main(["models", "verify"]) == 1
    assert "models that cannot be used: 1" in capsys.readouterr().err


@pytest.mark.usefixtures("read_here")
def test_verify_tells_of_all_models_that_cannot_be_used(
    save: SaveCheckpoint, store: WeightsStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first file that was missing, or altered, was the last that was looked at."""
    tensors = tiny_weights("fomm")
    weights = {}
    for name in ("a", "b", "c", "d"):
        next(iter(tensors.values())).add_(1)  # the same weights under two names are refused
        checkpoint = save(training_checkpoint(tensors))
        ((_, _, path),) = lines(capsys, "import", "fomm", checkpoint, "--as", name)
        weights[name] = Path(path)
    weights["a"].unlink()
    weights["b"].unlink()
    weights["b"].mkdir()
    weights["c"].write_bytes(b"other")
    assert main(["models", "verify"]) == 1
    out, err = capsys.readouterr()
    assert "mesh: ok" in out.splitlines()
    assert "d: ok" in out.splitlines()
    assert err.splitlines() == [
        f"gfvc: a: {weights['a']}: cannot be read (No such file or directory)",
        f"gfvc: b: {weights['b']}: is not a regular file",
        f"gfvc: c: {weights['c']}: differs from its card; import the weights again",
        "gfvc models: models that cannot be used: 3",
    ]


@pytest.mark.parametrize(
    "arguments", [["show"], ["import", "fomm"], ["remove"], ["list", "mesh"], ["show", "a", "b"]]
)
def test_wrong_numbers_of_arguments_are_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", *arguments]) == 2
    assert f"wrong number of arguments for {arguments[0]}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["list", "--force"], "--force"),
        (["show", "mesh", "--variant", "official"], "--variant"),
        (["remove", "fomm", "--as", "x"], "--as"),
        (["remove", "fomm", "--json"], "--json"),
        (["verify", "--json"], "--json"),
    ],
)
def test_options_that_do_nothing_are_wrong_usage(
    arguments: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", *arguments]) == 2
    assert capsys.readouterr() == (
        "",
        f"gfvc models: {option} does nothing with {arguments[0]}; leave it out\n",
    )


@pytest.mark.parametrize("below", [False, True])
def test_a_setting_that_is_no_folder_is_told(
    below: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By commands that take models, too: nobody knows which there would be."""
    path = tmp_path / "weights.pth.tar"
    path.write_bytes(b"")
    path = path / "more" if below else path
    monkeypatch.setenv("GFVC_MODELS", str(path))
    told = (
        f"GFVC_MODELS: {path}: cannot be read (Not a directory); name a folder for weights, or "
        "unset it"
    )
    for arguments in (["list"], ["verify"], ["import", "fomm", path], ["remove", "fomm"]):
        assert refused(capsys, *arguments) == f"gfvc models: {told}"
    output = tmp_path / "out.mkv"
    assert main(["decode", str(STREAMS / "hevc_mesh_marked.265"), str(output)]) == 1
    assert capsys.readouterr() == ("", f"gfvc decode: {told}\n")
    assert not output.exists()
