"""Options are declared once: the check of values, the parser and the documentation follow."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gfvc
from gfvc.cli.arguments import UsageError, add_options, parsed_options
from gfvc.cli.parser import build_parser
from gfvc.options.batching import BatchOptions
from gfvc.options.benchmarking import BenchOptions
from gfvc.options.declaration import (
    OptionConflictError,
    OptionGroup,
    described_options,
    documented,
    option,
    switch,
)
from gfvc.options.decoding import DecodeOptions
from gfvc.options.encoding import PICTURE_SIZE, EncodeOptions
from gfvc.options.kinds import either, fraction, real, text, whole, words
from gfvc.options.sharing import EngineOptions
from gfvc.options.training import TrainOptions
from tests.gfvc.support import CommandLine, read_all


@documented
@dataclass(frozen=True, kw_only=True)
class Tea(OptionGroup, title="tea"):
    """How to make tea."""

    minutes: int = option(whole(1, 10), "how long it draws, 50 % of it covered", 4)
    milk: float | None = option(real(0.0, 0.5, "a share"), "share of milk", shown="by the guest")
    kinds: tuple[str, ...] = option(words("green", dark="black"), "leaves", (), repeats=True)
    hot: bool = switch("heat the cup")
    pot: str | None = option(text(), "the pot, at most 8 cups; --hot warms it", flag="from-pot")

    def conflict(self) -> str | None:
        return "{milk} spoils green {kinds}" if self.milk and "green" in self.kinds else None


def tea(*arguments: str) -> Tea:
    parser = argparse.ArgumentParser(prog="tea", exit_on_error=False)
    add_options(parser, Tea)
    return parsed_options(Tea, parser.parse_args(arguments))


def test_options_from_a_command_line() -> None:
    assert tea() == Tea()
    assert tea("--minutes", "3", "--milk", "0.25", "--kinds", "dark", "--hot") == Tea(
        minutes=3, milk=0.25, kinds=("black",), hot=True
    )
    assert tea("--kinds", "dark", "--kinds", "green").kinds == ("black", "green")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--minutes", "11"), "'11' is not a whole number in 1..10"),
        (("--minutes", "four"), "'four' is not a whole number in 1..10"),
        (("--kinds", "white"), "'white' is not one of green, dark"),
    ],
)
def test_what_cannot_be_read_says_what_can(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(argparse.ArgumentError, match=re.escape(says)):
        tea(*arguments)


@pytest.mark.parametrize(
    "wrong",
    [{"minutes": 0}, {"minutes": 2.5}, {"minutes": True}, {"minutes": None}, {"milk": float("nan")},
     {"milk": "half"}, {"kinds": "green"}, {"kinds": 3}, {"kinds": ("white",)},
     {"hot": 1}, {"hot": "yes"}],
)  # fmt: skip
def test_values_of_a_program_are_checked_alike(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} cannot be"):
        Tea(**wrong)


def test_a_conflict_names_options_as_they_were_given() -> None:
    with pytest.raises(OptionConflictError, match=r"^milk spoils green kinds$"):
        Tea(milk=0.1, kinds=("green",))
    with pytest.raises(UsageError, match=r"^--milk spoils green --kinds$"):
        tea("--milk", "0.1", "--kinds", "green")


def test_help_is_in_the_parser_and_in_the_docstring() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser, Tea)
    shown = re.sub(r"\s+", " ", parser.format_help())
    for text_of_help in (
        "tea:", "--minutes N how long it draws, 50 % of it covered (1..10; default: 4)",
        "--milk N share of milk (above 0, at most 0.5; default: by the guest)",
        "--hot heat the cup",
        "--from-pot NAME the pot, at most 8 cups; --hot warms it",
    ):  # fmt: skip
        assert text_of_help in shown
    told = Tea.__doc__ or ""
    assert "milk: share of milk (above 0, at most 0.5; default: by the guest)" in told
    assert "pot: the pot, at most 8 cups; hot warms it" in told, "by its name in Python"
    assert "hot warms it; --from-pot in messages" in told, "which is another word there"
    assert "rate: pictures per second" in (EncodeOptions.__doc__ or "")
    assert "; --fps in messages" in (EncodeOptions.__doc__ or "")
    assert "`OptionConflictError` for options that exclude each other" in told
    assert "OptionConflictError" not in (DecodeOptions.__doc__ or "")


def test_options_as_json() -> None:
    made = EncodeOptions(rate=Fraction(30000, 1001), without=frozenset({"trellis", "precision"}))
    plain = json.loads(json.dumps(made.to_json()))
    assert plain["rate"] == "30000/1001"
    assert plain["without"] == ["precision", "trellis"]
    assert plain["runtime"] == {"device": "auto", "engine": "auto", "bfloat16": False}
    assert set(plain) == {field.name for field in dataclasses.fields(EncodeOptions)}


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        (whole(64, 2048, step=8), "128", 128),
        (real(100.0, 1e8, "bits", with_thousands=True), "2.5k", 2500.0),
        (fraction(Fraction(1), Fraction(240), "a rate"), "30000/1001", Fraction(30000, 1001)),
        (fraction(Fraction(1), Fraction(240), "a rate"), "29.97", Fraction(2997, 100)),
        (either(words(auto=None), whole(1)), "auto", None),
        (either(words(auto=None), whole(1)), "7", 7),
        (text(), "mesh", "mesh"),
    ],
)
def test_kinds_of_values(kind: Any, given: str, value: Any) -> None:
    assert kind.parse(given) == value


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (whole(64, 2048, step=8), "100"),
        (real(0.0, 1e9, "a number above 0"), "0"),
        (real(0.0, 1e9, "a number above 0"), "inf"),
        (fraction(Fraction(1), Fraction(240), "a rate"), "25/0"),
        (fraction(Fraction(1), Fraction(240), "a rate"), "240.0001"),
        (fraction(Fraction(0), Fraction(240), "a rate"), "0"),
        (either(words(auto=None), whole(1)), "automatic"),
        (text(), " "),
    ],
)
def test_no_value_of_a_kind(kind: Any, given: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(repr(given))} is not "):
        kind.parse(given)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("encode", EncodeOptions),
        ("decode", DecodeOptions),
        ("batch", BatchOptions),
        ("bench", BenchOptions),
        ("bench", EngineOptions),
        ("train", TrainOptions),
    ],
)
def test_every_option_can_be_given(command: str, options: type[OptionGroup]) -> None:
    [commands] = [
        action
        for action in build_parser(command)._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    known = {action.dest for action in commands.choices[command]._actions}
    assert set(described_options(options)) <= known


def test_decoding_at_another_rate(small_stream: Path, tmp_path: Path, command: CommandLine) -> None:
    outcome = command("decode", small_stream, tmp_path / "out.mkv", "--fps", "50", "--json")
    assert json.loads(outcome.out)["fps"] == 50.0
    assert len(read_all(tmp_path / "out.mkv", Fraction(50))) == 12


@pytest.mark.parametrize(
    ("name", "wrong"), [("--fps", "0"), ("--timeout", "0"), ("--timeout", "x")]
)
def test_decoding_options_that_cannot_be(
    small_stream: Path, tmp_path: Path, command: CommandLine, name: str, wrong: str
) -> None:
    outcome = command("decode", small_stream, tmp_path / "out.mkv", name, wrong)
    assert outcome.status == 2
    assert f"argument {name}: '{wrong}' is not" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--restart-at", "9" * 5001], " characters) is not the number of a picture, "),
        (
            ["--restart-at", "9" * 20],
            "is not the number of a picture, a whole number in 1..2147483647",
        ),
        (["--key-qp", "9" * 5001], "is not a whole number in 0..63"),
        (["--bitrate", "nan"], "'nan' is not"),
        (["--bitrate", "1e308"], "'1e308' is not"),
        (["--fps", "9" * 5001], "is not a rate in 1..240"),
        (["--fps", "1e999999999"], "is not a rate in 1..240"),
    ],
)
def test_numbers_that_nobody_means(command: CommandLine, arguments: list[str], says: str) -> None:
    outcome = command("encode", "in.mp4", "out.266", *arguments)
    assert outcome.status == 2
    last = outcome.err.splitlines()[-1]
    assert says in last
    assert len(last) < 200


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"fallback": "never", "fallback_qp": 20}, "ordinary video with fallback never; leave out "
         "fallback_qp"),
        ({"symbol_price": 0.1}, "leave out symbol_price"),
        ({"symbol_rate": 5}, "leave out symbol_rate"),
        ({"features": 3, "align": True}, "leave out features, align"),
        ({"without": ("trellis",)}, "leave out without"),
        ({"reference_pool": 2}, "leave out reference_pool"),
    ],
)  # fmt: skip
def test_options_without_effect_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionConflictError, match=f"{says}$"):
        EncodeOptions(**{"fallback": "always"} | given)


def test_numbers_without_end_are_no_values() -> None:
    values: list[dict[str, Any]] = [{"key_interval": 10**400}, {"bitrate": 10**400}]
    for value in values:
        with pytest.raises(ValueError, match="cannot be"):
            EncodeOptions(**value)


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"rate": 25}, "rate", Fraction(25)),
        ({"rate": 29.97}, "rate", Fraction(2997, 100)),
        ({"rate": 30000 / 1001}, "rate", Fraction(30000, 1001)),
        ({"rate": Fraction(123456789123, 5000000011)}, "rate", Fraction(2000, 81)),
        ({"rate": 240.0}, "rate", Fraction(240)),
        ({"symbol_rate": 5}, "symbol_rate", Fraction(5)),
        ({"symbol_rate": "full"}, "symbol_rate", "full"),
        ({"symbol_rate": Decimal("0.1")}, "symbol_rate", Fraction(1, 10)),
        ({"rate": Decimal("29.97")}, "rate", Fraction(2997, 100)),
        ({"rate": np.float32(25)}, "rate", Fraction(25)),
        ({"rate": np.int64(25)}, "rate", Fraction(25)),
        ({"key_qp": np.int64(32)}, "key_qp", 32),
        ({"symbol_price": np.float32(0.5)}, "symbol_price", 0.5),
        ({"timeout": Decimal(30)}, "timeout", 30.0),
        ({"bitrate": Fraction(6001, 2)}, "bitrate", 3000.5),
        ({"restarts": np.array([5, 10])}, "restarts", (5, 10)),
        ({"face_at": np.array([3, 4])}, "face_at", (3.0, 4.0)),
        ({"size": np.array([640, 360])}, "size", (640, 360)),
        ({"size": 128}, "size", 128),
        ({"size": [640, 360]}, "size", (640, 360)),
        ({"face_at": [3, 4.5]}, "face_at", (3, 4.5)),
        ({"without": ["trellis"]}, "without", ("trellis",)),
        ({"without": {"trellis", "precision"}}, "without", ("precision", "trellis")),
        ({"restarts": [5, 10]}, "restarts", (5, 10)),
        ({"restarts": frozenset({10, 5.0})}, "restarts", (5, 10)),
        ({"key_qp": Decimal(30)}, "key_qp", 30),
        ({"key_qp": 30.0}, "key_qp", 30),
        ({"key_qp": np.float64(30)}, "key_qp", 30),
        ({"key_qp": Fraction(30)}, "key_qp", 30),
        ({"key_interval": Decimal("1e2")}, "key_interval", 100),
        ({"size": Decimal(64)}, "size", 64),
        ({"size": (np.float32(640), 360.0)}, "size", (640, 360)),
        ({"restarts": np.array([5.0, 10.0])}, "restarts", (5, 10)),
        ({"low_delay": np.bool_(True)}, "low_delay", True),
        ({"align": np.bool_(False)}, "align", False),
        ({"align": 1}, "align", True),
        ({"effort": np.str_("fast")}, "effort", "fast"),
    ],
)
def test_values_of_a_program_have_the_type_that_is_counted_on(
    given: dict[str, Any], name: str, value: Any
) -> None:
    options = EncodeOptions(**given)
    kept = getattr(options, name)
    assert kept == value
    assert type(kept) is type(value)
    assert hash(options) == hash(EncodeOptions(**{name: value}))
    json.dumps(options.to_json())
    if isinstance(kept, tuple):
        assert {type(each) for each in kept} == {type(each) for each in value}
    if name == "rate":
        assert DecodeOptions(**given).rate == value


@pytest.mark.parametrize(
    ("given", "name", "value"),
    [
        ({"rate": "30000/1001"}, "rate", Fraction(30000, 1001)),
        ({"bitrate": "3k"}, "bitrate", 3000.0),
        ({"key_interval": "auto"}, "key_interval", None),
        ({"key_interval": "50"}, "key_interval", 50),
        ({"align": "off", "view": "face"}, "align", False),
        ({"size": "640x360"}, "size", (640, 360)),
        ({"face_at": "3,4.5"}, "face_at", (3.0, 4.5)),
        ({"without": ["separate-parts"]}, "without", ("separate_parts",)),
        ({"restarts": ("5", "10")}, "restarts", (5, 10)),
    ],
)
def test_text_means_what_it_does_on_the_command_line(
    given: dict[str, Any], name: str, value: Any
) -> None:
    kept = getattr(EncodeOptions(**given), name)
    assert kept == value
    assert type(kept) is type(value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"timeout": 1e12}, "timeout cannot be 1000000000000.0: give a number of seconds above 0, "
         "at most 1000000"),
        ({"symbol_price": 1e308}, "give a number above 0, at most 1000000000"),
        ({"coded_interval": 1e9}, "give a number of seconds above 0, at most 3600"),
        ({"symbol_rate": 0}, "a number of messages a second above 0, at most 240"),
        ({"restarts": 5}, "restarts cannot be 5: give a list of which each is the number"),
        ({"without": "trellis"}, "give a list of which each is one of separate-parts, "),
        ({"key_interval": 10**5000}, "key_interval cannot be a number of more than 100 digits: "),
        ({"rate": Decimal("1E+999999999")}, "rate cannot be Decimal('1E+999999999'): "),
        ({"rate": "1e999999999"}, "rate cannot be '1e999999999': "),
        ({"rate": Decimal("nan")}, "rate cannot be Decimal('NaN'): "),
        ({"quality": np.array([[1], [2]])}, "quality cannot be array([[1], [2]]): give one of low"),
        ({"key_qp": 30.5}, "key_qp cannot be 30.5: give a whole number in 0..63"),
        ({"size": 64.5}, "size cannot be 64.5: give a whole number in 64..2048, or two as WxH"),
        ({"key_interval": 50.5}, "give 'auto' or a whole number of pictures in 1..2147483647"),
        ({"restarts": [5.5]}, "of which each is the number of a picture, a whole number in 1.."),
        ({"model": ["x" * 1000]}, "x…: give a name"),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_would_be_taken(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)) as told:
        EncodeOptions(**wrong)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "wrong",
    [{"rate": True}, {"rate": "25 a second"}, {"rate": b"25"}, {"key_qp": 32.5},
     {"key_qp": Decimal("1E-999999999")}, {"key_qp": np.longdouble("30.00000000000000001")},
     {"key_qp": Decimal("30.0000000000000000001")}, {"key_qp": Decimal("1E+999999999")},
     {"key_qp": np.bool_(True)}, {"key_qp": float("inf")}, {"low_delay": 1}, {"low_delay": "True"},
     {"low_delay": np.array([True])}, {"rate": np.bool_(True)},
     {"rate": float("nan")}, {"rate": 240.01}, {"rate": 0},
     {"symbol_rate": True}, {"size": ()}, {"size": (100,)}, {"size": (100, 100, 100)},
     {"size": (100, True)}, {"size": True}, {"size": iter([100, 100])}],
)  # fmt: skip
def test_what_only_resembles_a_value_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} cannot be "):
        EncodeOptions(**wrong)


def test_a_number_of_bytes_as_a_program_writes_it() -> None:
    given: list[Any] = [10**9, 1e9, Decimal(10**9), np.float64(1e9), np.int64(10**9)]
    kept = [DecodeOptions(max_size=size).max_size for size in given]
    assert set(kept) == {10**9}
    assert {type(size) for size in kept} == {int}
    with pytest.raises(ValueError, match="give a whole number of bytes such as 500M or 20G"):
        DecodeOptions(max_size=0.5)  # type: ignore[arg-type]


def test_a_rate_as_a_program_writes_it(small_stream: Path, tmp_path: Path) -> None:
    rates: tuple[Any, ...] = (50, 50.0, Fraction(50))
    paths = [tmp_path / f"{number}.y4m" for number in range(len(rates))]
    for rate, path in zip(rates, paths, strict=True):
        gfvc.decode(small_stream, path, gfvc.DecodeOptions(rate=rate))
    assert len({path.read_bytes() for path in paths}) == 1


def test_engines_have_their_own_schedulers() -> None:
    assert EngineOptions().jobs == 1
    assert BatchOptions().jobs is None, "as many as there are cores and memory for"
    assert EngineOptions(jobs=None, engine="dask", scheduler="tcp://a:1").jobs is None
    with pytest.raises(OptionConflictError, match="engine dask needs scheduler"):
        EngineOptions(engine="dask")
    with pytest.raises(OptionConflictError, match="scheduler is for engine dask"):
        BatchOptions(scheduler="tcp://a:1")


def test_what_is_done_to_clips_is_checked() -> None:
    assert BatchOptions(part=(3, 100), suffix=".mp4", split=60).split == 60
    parts: list[Any] = ["3/100", [3, 100], np.array([3, 100])]
    assert {BatchOptions(part=part).part for part in parts} == {(3, 100)}
    wrongs: list[dict[str, Any]] = [
        *({"part": (4, 3)}, {"part": (0, 3)}, {"part": ("a", 3)}),
        *({"suffix": "mp4"}, {"suffix": "./a"}),
    ]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=f"{next(iter(wrong))} cannot be"):
            BatchOptions(**wrong)
    with pytest.raises(OptionConflictError, match="split is about encode"):
        BatchOptions(do="decode", split=60)


def test_both_sides_of_a_size_have_bounds_that_are_said() -> None:
    with pytest.raises(ValueError, match=r"each in 64\.\.2048"):
        PICTURE_SIZE.parse("63x400")
