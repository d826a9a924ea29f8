from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from base_codec_adapters import ProgramFailedError, ProgramNotFoundError, ProgramTimeoutError
from base_codec_adapters import runner as runner_module
from base_codec_adapters.runner import MESSAGE_BYTES, failed, run, run_checked
from tests.base_codec_adapters.conftest import MakeProgram
from tests.conftest import REPOSITORY


def ended(pid: int, within: float = 5.0) -> bool:
    """Whether a process is gone, or a zombie nobody has waited for, within some seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def wait_for(path: Path, within: float = 10.0) -> str:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().endswith("\n"):
            return path.read_text().strip()
        time.sleep(0.02)
    raise AssertionError(f"{path} was not written")


def test_arguments_reach_the_program_unchanged(make_program: MakeProgram) -> None:
    program = make_program("print('out'); print('err', file=sys.stderr)")
    arguments = ["a b", "$(touch pwned)", "; rm -rf x", "'", '"', "*", "", "ü\n"]
    outcome = run([str(program.path), *arguments], timeout=30)
    assert program.calls == [arguments]
    assert outcome.exit_status == 0
    assert outcome.command == (str(program.path), *arguments)
    assert sorted(outcome.messages.splitlines()) == ["err", "out"]


def test_nothing_has_a_program_colour_its_messages(
    make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AV_LOG_FORCE_COLOR", "AV_LOG_FORCE_256COLOR", "AV_LOG_OTHER"):
        monkeypatch.setenv(name, "1")
    program = make_program("import os; print(*(name for name in os.environ if 'AV_' in name))")
    assert run([str(program.path)], timeout=30).messages.split() == ["AV_LOG_OTHER"]


def test_standard_input_is_not_ours(make_program: MakeProgram) -> None:
    """A program that reads its standard input would otherwise eat the caller's, or wait."""
    program = make_program("print(repr(sys.stdin.read()))")
    ours, saved = os.pipe(), os.dup(0)
    os.dup2(ours[0], 0)
    try:
        outcome = run([str(program.path)], timeout=30)
    finally:
        os.dup2(saved, 0)
        for descriptor in (*ours, saved):
            os.close(descriptor)
    assert outcome.messages == "''"


def test_bad_end_says_what_happened(make_program: MakeProgram) -> None:
    program = make_program(
        "print('starting')\n"
        "print('[libfoo @ 0x55ca64e8fc00] Invalid size 3x3')\n"
        "print('Conversion failed!')\n"
        "sys.exit(7)"
    )
    with pytest.raises(ProgramFailedError) as caught:
        run_checked([str(program.path), "--size=3 3"], timeout=30)
    error = caught.value
    assert error.exit_status == 7
    lines = str(error).splitlines()
    assert lines[0] == "fake program: exit status 7: [libfoo] Invalid size 3x3"
    assert lines[1] == f"  command: '{program.path}' '--size=3 3'"
    assert lines[2:] == [
        "  last messages:",
        "    starting",
        "    [libfoo] Invalid size 3x3",
        "    Conversion failed!",
    ]


def test_a_warning_is_not_the_cause(make_program: MakeProgram) -> None:
    """HM warns of much before it says what is wrong."""
    warning = "** WARNING: For conforming bitstreams a valid Level value must be set! **"
    program = make_program(f"print({warning!r}); print('Error: no such GOP'); sys.exit(1)")
    assert failed(run([str(program.path)], timeout=30)).summary.endswith(": Error: no such GOP")
    program = make_program(
        f"print('hello'); print({warning!r}); print('bye'); sys.exit(1)", "other"
    )
    assert warning in failed(run([str(program.path)], timeout=30)).summary


def test_silent_and_signalled_ends(make_program: MakeProgram) -> None:
    silent = run([str(make_program("sys.exit(3)", "silent").path)], timeout=30)
    assert failed(silent).summary == "silent: exit status 3, and no message"
    program = make_program("print('half way', flush=True); os.kill(os.getpid(), 11)", "crashing")
    crashed = failed(run([str(program.path)], timeout=30))
    assert crashed.exit_status == -signal.SIGSEGV
    assert crashed.summary == "crashing: ended by signal SIGSEGV: half way"
    program = make_program("os.kill(os.getpid(), signal.SIGRTMIN + 3)", "odd")
    odd = failed(run([str(program.path)], timeout=30))
    assert odd.summary == f"odd: ended by signal {signal.SIGRTMIN + 3}, and no message"


def test_messages_are_capped_and_do_not_block(make_program: MakeProgram) -> None:
    program = make_program(
        "for n in range(200_000): print(f'line {n} of many, on standard error', file=sys.stderr)\n"
        "print('the end')\n"
        "sys.exit(1)"
    )
    outcome = run([str(program.path)], timeout=60)
    assert len(outcome.messages) <= MESSAGE_BYTES + 2
    assert outcome.messages.startswith("… ")
    assert outcome.messages.endswith("line 199999 of many, on standard error\nthe end")
    assert len(str(failed(outcome)).splitlines()) == 3 + 20


def test_messages_are_made_printable(make_program: MakeProgram) -> None:
    program = make_program(
        "sys.stdout.buffer.write(b'one\\r10%\\r\\r20%\\n\\n\\x1b[31mred\\x00\\xff\\nred\\nred\\n')"
    )
    assert run([str(program.path)], timeout=30).messages.splitlines() == [
        "one",
        "10%",
        "20%",
        "[31mred \ufffd",
        "red",
    ]


def test_hanging_program_is_killed_with_its_children(
    make_program: MakeProgram, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    program = make_program(
        "import subprocess\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"Path({str(pids)!r}).write_text(f'{{os.getpid()}} {{child.pid}}\\n')\n"
        "print('working on it', flush=True)\n"
        "time.sleep(60)"
    )
    start = time.monotonic()
    with pytest.raises(ProgramTimeoutError) as caught:
        run([str(program.path), "x"], timeout=3)
    assert time.monotonic() - start < 20
    assert str(caught.value).startswith("fake program: still running after 3 s, killed; ")
    assert caught.value.messages == "working on it"
    assert caught.value.command == (str(program.path), "x")
    for pid in pids.read_text().split():
        assert ended(int(pid))


@pytest.mark.parametrize("status", [0, 3])
@pytest.mark.parametrize("output", ["None", "subprocess.DEVNULL"])
def test_what_an_ended_program_left_running_is_killed(
    status: int, output: str, make_program: MakeProgram, tmp_path: Path
) -> None:
    """Whether it holds the outputs open or not: the end of the program is what counts."""
    pids = tmp_path / "pids"
    program = make_program(
        "import subprocess\n"
        "child = subprocess.Popen(\n"
        "    [sys.executable, '-c', 'import time; time.sleep(600)'],\n"
        f"    stdout={output}, stderr={output})\n"
        f"Path({str(pids)!r}).write_text(f'{{child.pid}}\\n')\n"
        f"print('the end'); sys.exit({status})"
    )
    outcome = run([str(program.path)], timeout=120)
    assert (outcome.exit_status, outcome.messages) == (status, "the end")
    assert ended(int(pids.read_text()))


def test_program_that_closes_its_outputs_and_ends(make_program: MakeProgram) -> None:
    program = make_program("os.close(1); os.close(2); time.sleep(0.3); os._exit(4)")
    assert run([str(program.path)], timeout=60).exit_status == 4


def test_program_that_closes_its_outputs_and_hangs(make_program: MakeProgram) -> None:
    program = make_program("os.close(1); os.close(2); time.sleep(60)")
    with pytest.raises(ProgramTimeoutError):
        run([str(program.path)], timeout=3)


def test_output_files_are_bounded(make_program: MakeProgram, tmp_path: Path) -> None:
    target = tmp_path / "target"
    program = make_program(
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "with open(sys.argv[1], 'wb') as file:\n"
        "    for _ in range(100): file.write(bytes(100_000))"
    )
    with pytest.raises(ProgramFailedError, match=r"SIGXFSZ \(its output passed the size allowed\)"):
        run_checked([str(program.path), str(target)], timeout=30, file_bytes=1_000_000)
    assert target.stat().st_size <= 1_000_000
    run_checked([str(program.path), str(target)], timeout=30, file_bytes=20_000_000)
    assert target.stat().st_size == 10_000_000


def test_a_lower_bound_of_our_own_stays(tmp_path: Path) -> None:
    """A process may not raise it; nor must that be a failure."""
    script = (
        "import resource, sys\n"
        "from base_codec_adapters.runner import run_checked\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "shows = 'import resource; print(resource.getrlimit(resource.RLIMIT_FSIZE))'\n"
        "program = [sys.executable, '-c', 'import time; time.sleep(0.5); ' + shows]\n"
        "for size in (20_000_000, 500_000):\n"
        "    print(run_checked(program, timeout=30, file_bytes=size).messages.strip())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert (done.stdout.splitlines(), done.stderr) == (
        ["(1000000, 1000000)", "(500000, 500000)"],
        "",
    )


def test_missing_program(tmp_path: Path) -> None:
    with pytest.raises(ProgramNotFoundError, match="gone: not found or not executable"):
        run([str(tmp_path / "gone")], timeout=5)
    plain = tmp_path / "plain"
    plain.write_text("no program")
    with pytest.raises(ProgramNotFoundError, match="plain: not found or not executable"):
        run([str(plain)], timeout=5)


def test_unstartable_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "_death_signal_prefix", lambda: ())
    program = tmp_path / "broken"
    program.write_text("#!/nowhere/to/be/found\n")
    program.chmod(0o755)
    with pytest.raises(ProgramNotFoundError, match="broken: cannot be started: No such file"):
        run([str(program)], timeout=5)


def test_interrupt_kills_the_program(make_program: MakeProgram, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = make_program(f"Path({str(pids)!r}).write_text(f'{{os.getpid()}}\\n'); time.sleep(60)")

    def interrupt() -> None:
        wait_for(pids)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run([str(program.path)], timeout=50)
    thread.join()
    assert ended(int(wait_for(pids)))


def test_program_dies_with_its_parent(make_program: MakeProgram, tmp_path: Path) -> None:
    if not runner_module._death_signal_prefix():
        pytest.skip("no setpriv that knows --pdeathsig")
    pids = tmp_path / "pids"
    program = make_program(f"Path({str(pids)!r}).write_text(f'{{os.getpid()}}\\n'); time.sleep(60)")
    code = f"from base_codec_adapters.runner import run\nrun([{str(program.path)!r}], timeout=60)"
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        pid = int(wait_for(pids))
    finally:
        parent.kill()
        parent.wait()
    assert ended(pid)


@pytest.mark.parametrize("body", ["exit 1", "exec sleep 60"])
def test_setpriv_that_does_not_know_how(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BusyBox has a setpriv without --pdeathsig."""
    setpriv = tmp_path / "setpriv"
    setpriv.write_text(f"#!/bin/sh\n{body}\n")
    setpriv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(runner_module, "SETPRIV_TIMEOUT", 0.5)
    assert runner_module._death_signal_prefix.__wrapped__() == ()


@pytest.mark.parametrize("place", ["_has_ended", "subprocess.Popen"])
def test_what_a_signal_handler_raises_is_not_the_programs(
    place: str, make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*arguments: object, **named: object) -> None:
        raise TimeoutError("too long")

    monkeypatch.setattr(f"base_codec_adapters.runner.{place}", late)
    with pytest.raises(TimeoutError, match="too long"):
        run([str(make_program("time.sleep(60)").path)], timeout=50)


def test_a_signal_handler_is_not_a_lack_of_setpriv(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*arguments: object, **named: object) -> None:
        raise TimeoutError("too long")

    monkeypatch.setattr("base_codec_adapters.runner.shutil.which", lambda name: name)
    runner_module._death_signal_prefix.cache_clear()
    monkeypatch.setattr("base_codec_adapters.runner.subprocess.run", late)
    with pytest.raises(TimeoutError, match="too long"):
        runner_module._death_signal_prefix()
    assert runner_module._death_signal_prefix.cache_info().currsize == 0
