"""Results that somebody changed: a page, or one line that says what is wrong."""

from __future__ import annotations

import copy
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gfvc.errors import InputError
from gfvc.options.benchmarking import ReportOptions
from gfvc.report.page import write_report

SEED = 20261125
MUTATIONS = 150

_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1,
    0.5,
    2**53,
    10**30,
    10**400,
    1e-320,
    1e300,
    float("inf"),
    float("nan"),
    "",
    "\ud800",
    "\udcff.mp4",
    "\x1b[31m\u202e",
    "$\\frac{$",
    "</script>",
    "{{ 7 * 7 }}",
    [],
    {},
    [[]],
    {"a": 1},
]


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The paths of all members, however deep; of long lists the first two."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value[:2]):
            yield from places(item, (*path, number))


def mutated(results: Any, number: int) -> Any:
    """A copy in which one to three members are changed, removed or doubled."""
    draw = random.Random(SEED + number)
    changed = copy.deepcopy(results)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        *parents, last = draw.choice(list(places(changed)))
        holder = changed
        for step in parents:
            holder = holder[step]
        kind = draw.random()
        if kind < 0.15:
            del holder[last]
        elif kind < 0.25 and isinstance(holder, list) and isinstance(last, int):
            holder.append(holder[last])
        else:
            holder[last] = draw.choice(_VALUES)
    return changed


@pytest.mark.parametrize("block", range(5))
def test_changed_results_give_a_page_or_an_input_error(
    bench_run: Path, whole_run: Path, tmp_path: Path, block: int
) -> None:
    folder = tmp_path / "bench"
    shutil.copytree(whole_run if block % 2 else bench_run, folder)
    results = json.loads((folder / "bench.json").read_text())
    pages = refused = 0
    for number in range(block * MUTATIONS // 5, (block + 1) * MUTATIONS // 5):
        (folder / "bench.json").write_text(json.dumps(mutated(results, number)))
        try:
            write_report(folder, tmp_path / "page.html", ReportOptions(max_megabytes=0), force=True)
        except InputError as error:
            assert str(error).startswith(f"{folder / 'bench.json'}: "), number  # noqa: PT017
            assert len(str(error).splitlines()) == 1, number  # noqa: PT017
            refused += 1
            continue
        page = (tmp_path / "page.html").read_text(encoding="utf-8")
        assert not set(page) & {"\x1b", "\u202e"}, number
        assert "49" not in page.split("</style>")[1].split("<main>")[0], number
        pages += 1
    # Or the test would look at one side only.
    assert pages
    assert refused


def test_files_with_hostile_names_are_named_on_the_page(
    bench_run: Path, results: dict[str, Any], tmp_path: Path
) -> None:
    name = "\x1b[31m\u202e\udcff<b>.mp4"
    results["clips"][0]["source"] = name
    shutil.copytree(bench_run, tmp_path / "bench")
    (tmp_path / "bench" / "bench.json").write_text(json.dumps(results))
    summary = write_report(tmp_path / "bench", tmp_path / "page.html")
    assert any("\\x1b[31m\\u202e\\xff<b>.mp4" in sentence for sentence in summary.left_out)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "\\x1b[31m\\u202e\\xff&lt;b&gt;.mp4" in page


@pytest.mark.parametrize(
    "content",
    [b"", b"[" * 100_000, b'{"format": "gfvc-bench"', b"\xff", b"\x00" * 10, b"9" * 10_000],
)
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bench.json").write_bytes(content)
    with pytest.raises(InputError, match=r"bench\.json: "):
        write_report(tmp_path, tmp_path / "page.html")
