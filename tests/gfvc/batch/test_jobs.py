"""Which files become jobs, and what their outputs are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gfvc.batch.jobs import Job, Naming, find_jobs, part_of
from gfvc.errors import InputError

NAMING = Naming(
    frozenset({".mp4", ".mov"}),
    lambda source, options: ".265" if "hevc" in options else ".266",
)


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    folder = tmp_path / "talks"
    for name in ("b.mp4", "a.MP4", "x/c.mov", "x/y/d.mp4", "x/notes.txt", ".trash/e.mp4", ".f.mp4"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def outputs(jobs: list[Job], out: Path) -> dict[str, str]:
    """Inputs' names by outputs' names."""
    return {str(job.output.relative_to(out.resolve())): job.input.name for job in jobs}


def test_a_folder_is_mirrored(talks: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    jobs = find_jobs([talks], out, NAMING)
    assert outputs(jobs, out) == {
        "a.266": "a.MP4",
        "b.266": "b.mp4",
        "x/c.266": "c.mov",
        "x/y/d.266": "d.mp4",
    }
    assert [job.output for job in jobs] == sorted(job.output for job in jobs)


def test_several_folders_keep_their_names_and_files_have_theirs(
    talks: Path, tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "b.mp4").write_text("")
    out = tmp_path / "out"
    jobs = find_jobs([talks / "x", tmp_path / "more", talks / "b.mp4"], out, NAMING)
    assert set(outputs(jobs, out)) == {"x/c.266", "x/y/d.266", "more/b.266", "b.266"}


def test_the_output_folder_within_is_left_out(talks: Path) -> None:
    (talks / "out").mkdir()
    (talks / "out" / "made.mp4").write_text("")
    assert len(find_jobs([talks], talks / "out", NAMING)) == 4


def test_inputs_that_differ_in_their_suffix_keep_it(talks: Path, tmp_path: Path) -> None:
    (talks / "b.mov").write_text("")
    out = tmp_path / "out"
    found = outputs(find_jobs([talks], out, NAMING), out)
    assert {name for name in found if name.startswith("b")} == {"b.mp4.266", "b.mov.266"}


def test_parts_are_disjoint_and_complete(talks: Path, tmp_path: Path) -> None:
    jobs = find_jobs([talks], tmp_path / "out", NAMING)
    parts = [part_of(jobs, part, 3) for part in (1, 2, 3)]
    assert [len(part) for part in parts] == [2, 1, 1]
    assert sorted((job for part in parts for job in part), key=jobs.index) == jobs


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "list.csv",
            "input,output,options\nb.mp4,,\nx/c.mov,one/two.266,\"--key-qp 30 --model 'a b'\"\n",
        ),
        (
            "list.jsonl",
            '{"input": "b.mp4"}\n\n{"input": "x/c.mov", "output": "one/two.266", '
            '"options": ["--key-qp", "30", "--model", "a b"]}\n',
        ),
        (  # as spreadsheets save it
            "list.csv",
            "\ufeffinput,output,options\r\nb.mp4,,\r\n"
            "x/c.mov,one/two.266,\"--key-qp 30 --model 'a b'\"\r\n",
        ),
        (
            "list.jsonl",
            '\ufeff{"input": "b.mp4", "output": ""}\n{"input": "x/c.mov", "output": "one/two.266", '
            '"options": "--key-qp 30 --model \'a b\'"}',
        ),
        (
            "list.jsonl",
            '{"input": "b.mp4", "output": null}\n{"input": "x/c.mov", "output": "one/two.266", '
            '"options": "--key-qp 30 --model \'a b\'"}',
        ),
    ],
)
def test_lists(talks: Path, tmp_path: Path, name: str, text: str) -> None:
    (talks / name).write_text(text)
    out = tmp_path / "out"
    first, second = find_jobs([talks / name], out, NAMING, ("hevc",))
    assert (first.input, first.output) == (talks / "b.mp4", out.resolve() / "b.265")
    assert first.options == ("hevc",)
    assert (second.input, second.output) == (talks / "x/c.mov", out.resolve() / "one/two.266")
    assert second.options == ("hevc", "--key-qp", "30", "--model", "a b")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "file\nb.mp4\n", "names no column input"),
        ("a.csv", "input;output\nb.mp4;x\n", "no column input; known are .*, with commas between"),
        ("a.csv", "input\n" + 200_000 * "x" + "\n", "line 2: no CSV"),
        ("a.csv", "input\n.\n", "line 2: .*: is a folder"),
        ("a.csv", "input\n/dev/null\n", "line 2: /dev/null: is not a file but a device"),
        ("a.jsonl", '{"input": ""}\n', "line 1: has no input"),
        (
            "a.jsonl",
            '{"input": "' + 5000 * "x" + '"}\n',
            "line 1: .*: cannot be read .File name too",
        ),
        ("a.csv", "input,colour\nb.mp4,red\n", "has a column 'colour'; known are input, output"),
        ("a.csv", "input\nb.mp4,red\n", "line 2: has more cells than there are columns"),
        ("a.csv", "input,output\n,x\n", "line 2: has no input"),
        ("a.csv", "input\nnone.mp4\n", "line 2: .*none.mp4: no such file"),
        ("a.csv", "input,output\nb.mp4,../x.266\n", "line 2: ../x.266 lies outside"),
        ("a.csv", "input,output\nb.mp4,/x.266\n", "line 2: /x.266 lies outside"),
        ("a.csv", "input,options\nb.mp4,'\n", "line 2: its options cannot be told apart"),
        ("a.csv", "input,output\nb.mp4,x.266\na.MP4,x.266\n", "line 3: its output would be x.266"),
        ("a.jsonl", "[]\n", "line 1: all of it is not an object"),
        ("a.jsonl", '{"input": 3}\n', "line 1: input is not a text"),
        ("a.jsonl", '{"input": "b.mp4", "speed": 1}\n', "has a member 'speed'"),
        ("a.jsonl", '\n{"input": "b.mp4", "options": [1]}\n', "line 2: options is not a list of"),
        ("a.jsonl", "{", "line 1: no JSON"),
        ("a.jsonl", '{"input": "b\\u0000.mp4"}', "line 1: .* cannot be the name of a file"),
        ("a.jsonl", '{"input": "b.mp4", "output": "\\u0000"}', "cannot be the name of a file"),
        ("a.jsonl", '{"input": "b.mp4", "output": "\\ud800"}', "cannot be the name of a file"),
        (
            "a.csv",
            "input,output\nb.mp4,results.csv\n",
            "line 2: results.csv is a name of the batch",
        ),
        ("a.csv", "input,output\nb.mp4,x/../results-1-of-2.jsonl\n", "a name of the batch's own"),
        ("a.csv", "input,output\nb.mp4,.gfvc-batch/lock\n", "a name of the batch's own"),
        (
            "a.csv",
            "input,output\nb.mp4,x\na.MP4,x.json\n",
            "line 3: .* x.json is the record of that",
        ),
        (
            "a.csv",
            "input,output\nb.mp4,x\na.MP4,x/y\n",
            "line 3: .* x/y, and x is that of .*line 2",
        ),
        ("a.csv", "input,output\nb.mp4,x/y/z\na.MP4,x\n", "line 2: .* and x is that of .* line 3"),
        ("a.csv", "input,output\nb.mp4,x\na.MP4,x.json/y\n", "line 3: .* x.json is the record of"),
        ("a.csv", "input,output\nb.mp4,results.csv/x\n", "a name of the batch's own"),
        ("a.csv", "input,output,output\nb.mp4,x,y\n", "has a column twice"),
        ("a.csv", "input,options,input\nb.mp4,,b.mp4\n", "has a column twice"),
        ("a.csv", "", "names no column input"),
        ("a.csv", "input\n", r"a\.csv: nothing to do: no clip is in the list"),
        ("a.csv", "input,output\r\n\r\n\r\n", r"a\.csv: nothing to do: no clip is in the list"),
        ("a.jsonl", "\n\n", r"a\.jsonl: nothing to do: no clip is in the list"),
        ("a.txt", "a.mp4\nb.mp4\n", r"a\.txt: is no clip; a list of clips is a \.csv"),
        ("a.XLSX", "PK", r"a\.XLSX: is no clip; a list of clips is a \.csv"),
        ("a.json", "[]", r"a\.json: is no clip; a list of clips is a \.csv"),
        (
            "a.csv",
            "input,options\nb.mp4," + 201 * "--x " + "\n",
            "line 2: has 201 words of options",
        ),
        (
            "a.csv",
            "input,output\nb.mp4," + 99 * "d/" + "x\na.MP4," + 100 * "e/" + "x\n",
            "line 3: its output would lie 100 folders deep, where 99 are the most",
        ),
    ],
)
def test_lists_that_are_wrong(
    talks: Path, tmp_path: Path, name: str, text: str, message: str
) -> None:
    (talks / name).write_text(text)
    with pytest.raises(InputError, match=message) as raised:
        find_jobs([talks / name], tmp_path / "out", NAMING)
    assert "\n" not in str(raised.value)
    assert name in str(raised.value)


def test_a_list_that_is_no_text(talks: Path, tmp_path: Path) -> None:
    (talks / "a.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no text in UTF-8"):
        find_jobs([talks / "a.csv"], tmp_path / "out", NAMING)


def test_what_cannot_be(talks: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none: no such file or folder"):
        find_jobs([talks / "none"], tmp_path / "out", NAMING)
    with pytest.raises(InputError, match=r"lies in .*, where outputs go"):
        find_jobs([talks / "x"], talks, NAMING)
    with pytest.raises(InputError, match=r"lies in .*, where outputs go"):
        find_jobs([talks], talks, NAMING)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"nothing to do: no file is named as one of .mov, .mp4"):
        find_jobs([tmp_path / "empty"], tmp_path / "out", NAMING)
    (tmp_path / "b.mp4").write_text("")
    with pytest.raises(InputError, match=r"its output would be b\.mp4\.266, as that of"):
        find_jobs([talks / "b.mp4", tmp_path / "b.mp4"], tmp_path / "out", NAMING)


def test_linked_folders_are_entered_once(talks: Path, tmp_path: Path) -> None:
    """The first by name; not where they lead to what is there anyway, never round in a circle."""
    real = tmp_path / "elsewhere"
    (real / "deeper").mkdir(parents=True)
    (real / "deeper" / "e.mp4").write_text("")
    (talks / "link again").symlink_to(real)
    (talks / "link").symlink_to(real)
    (talks / ".hidden").symlink_to(real)
    (talks / "inside").symlink_to(talks / "x")
    (talks / "itself").symlink_to(talks)
    (talks / "above").symlink_to(tmp_path)
    (real / "circle").symlink_to(real)
    (real / "back").symlink_to(talks)
    (talks / "nowhere").symlink_to(tmp_path / "gone")
    before = {"a.MP4", "b.mp4", "c.mov", "d.mp4"}
    out = tmp_path / "out"
    found = [job.input for job in find_jobs([talks], out, NAMING)]
    assert sorted(path.name for path in found) == [*sorted(before), "e.mp4"]
    assert talks / "link" / "deeper" / "e.mp4" in found


def test_standard_input_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^-: .*; write the list into a file"):
        find_jobs([Path("-")], tmp_path / "out", NAMING)


def test_what_is_no_file_is_not_read(talks: Path, tmp_path: Path) -> None:
    os.mkfifo(talks / "pipe.mp4")
    (talks / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    jobs = find_jobs([talks], tmp_path / "out", NAMING)
    names = {job.input.name for job in jobs}
    assert names == {"a.MP4", "b.mp4", "c.mov", "d.mp4", "gone.mp4"}
    with pytest.raises(InputError, match=r"pipe\.mp4: is neither a file nor a folder"):
        find_jobs([talks / "pipe.mp4"], tmp_path / "out", NAMING)


def test_outputs_named_as_tables_keep_their_suffix(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "results.mp4").write_text("")
    naming = Naming(NAMING.inputs, lambda source, options: ".jsonl")
    out = tmp_path / "out"
    assert set(outputs(find_jobs([tmp_path / "in"], out, naming), out)) == {"results.mp4.jsonl"}


def test_outputs_named_as_folders_of_others_keep_their_suffix(talks: Path, tmp_path: Path) -> None:
    (talks / "x.mov").write_text("")
    naming = Naming(NAMING.inputs, lambda source, options: "")
    out = tmp_path / "out"
    assert set(outputs(find_jobs([talks], out, naming), out)) == {
        *("a", "b", "x.mov", "x/c", "x/y/d")
    }


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["b.mp4", "b.mp4"], "list.csv, line 3: "),
        (["b.mp4", "x/../b.mp4"], "list.csv, line 3: "),
        ([], "b.mp4: is given twice; leave one out, or name the output of each in a list"),
    ],
)
def test_a_clip_that_is_given_twice(
    talks: Path, tmp_path: Path, rows: list[str], says: str
) -> None:
    sources = [talks / "b.mp4"] * 2
    if rows:
        sources = [talks / "list.csv"]
        sources[0].write_text("\n".join(["input", *rows]), encoding="utf-8")
    with pytest.raises(InputError) as told:
        find_jobs(sources, tmp_path / "out", NAMING)
    assert says in str(told.value)
    assert "leave one out, or name the output of each in a list" in str(told.value)
    if rows:
        assert "b.mp4 was given before, by " in str(told.value)
        assert "list.csv, line 2" in str(told.value)
