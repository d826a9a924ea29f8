"""Running a program: one function, which tells what happened.

The child gets an argument list (no shell), a closed standard input, and files for its data. What it
prints, on either output, goes through one pipe into a ring of limited size: it can neither block
nor fill memory. Files it writes are bounded by the kernel (``RLIMIT_FSIZE``). It is killed when
its time is up or an exception such as KeyboardInterrupt passes through here, and on Linux with
util-linux's ``setpriv`` also when our own process is killed. What it started and left running is
killed as well, however it ended.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from base_codec_adapters.errors import (
    OutputInvalidError,
    ProgramError,
    ProgramFailedError,
    ProgramNotFoundError,
    ProgramTimeoutError,
)

MESSAGE_BYTES = 16_384
"""How much of the end of a program's messages is kept."""

CHUNK_BYTES = 65_536

PIPE_CHUNKS = 64
"""How many chunks are read after a program's end: more than a pipe holds."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.001, 0.05
"""Seconds between two looks at whether a program has ended."""

SETPRIV_TIMEOUT = 5.0

# ffmpeg prints the address of the object that speaks, which differs from run to run.
_ADDRESS = re.compile(r" @ 0x[0-9a-f]+")

# They have ffmpeg colour its messages, though no terminal shows them.
_COLOURING = frozenset({"AV_LOG_FORCE_COLOR", "AV_LOG_FORCE_256COLOR"})

_WARNING = re.compile(r"\bwarning\b", re.IGNORECASE)

_COMPLAINT = re.compile(
    r"error|invalid|fail|cannot|could not|unable|unknown|unsupported|mismatch|not a|must|too ",
    re.IGNORECASE,
)

Failure = TypeVar("Failure", bound=ProgramError)


@dataclass(frozen=True)
class Outcome:
    """A program's end: its exit status (negative for a signal) and the end of what it printed."""

    command: tuple[str, ...]
    exit_status: int
    messages: str

    def error(self, kind: type[Failure], summary: str) -> Failure:
        """An error that tells of this end."""
        return kind(
            summary, command=self.command, messages=self.messages, exit_status=self.exit_status
        )


class _Tail:
    """The last bytes of a stream of bytes."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._data = b""
        self._lost = False

    def add(self, chunk: bytes) -> None:
        data = self._data + chunk
        self._lost = self._lost or len(data) > self._capacity
        self._data = data[-self._capacity :]

    def text(self) -> str:
        """Printable text without blank and repeated lines; the first line may lack its start."""
        text = _ADDRESS.sub("", self._data.decode("utf-8", "replace"))
        lines: list[str] = []
        for line in re.split(r"[\r\n]+", text):
            line = "".join(c if c.isprintable() else " " for c in line).strip()
            if line and lines[-1:] != [line]:
                lines.append(line)
        if self._lost and lines:
            lines[0] = "… " + lines[0]
        return "\n".join(lines)


class _OutOfTimeError(Exception):
    """A program still runs at its deadline.

    No `TimeoutError`, which a signal's handler may raise at any place.
    """


def run(
    command: Sequence[str],
    *,
    timeout: float,
    file_bytes: int | None = None,
    message_bytes: int = MESSAGE_BYTES,
    meanwhile: Callable[[], object] | None = None,
) -> Outcome:
    """Run a program to its end and return how it ended, whatever the exit status.

    ``timeout`` is in seconds; ``file_bytes`` is the size no file of the program may pass (the
    kernel ends a program that tries with SIGXFSZ). ``meanwhile`` is called several times a second.

    Raises:
        ProgramNotFoundError: the program cannot be started.
        ProgramTimeoutError: it still ran after ``timeout`` and was killed.
    """
    deadline = time.monotonic() + timeout
    tail = _Tail(message_bytes)
    with _started(command) as process:
        if file_bytes is not None:
            # Set from here, for code between fork and exec is unsafe beside other threads.
            with contextlib.suppress(ProcessLookupError):
                _limit_files(process.pid, file_bytes)
        try:
            _drain(process, tail, deadline, meanwhile)
        except _OutOfTimeError:
            raise ProgramTimeoutError(
                f"{_name(command)}: still running after {timeout:.10g} s, killed; "
                "give it more time or smaller pictures",
                command=command,
                messages=tail.text(),
            ) from None
    return Outcome(tuple(command), process.returncode, tail.text())


def _limit_files(pid: int, size: int) -> None:
    """Let no file of a process pass a size; a lower limit that it inherited stays."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    limit = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, limit))


def run_checked(
    command: Sequence[str],
    *,
    timeout: float,
    file_bytes: int | None = None,
    message_bytes: int = MESSAGE_BYTES,
    meanwhile: Callable[[], object] | None = None,
) -> Outcome:
    """Like `run`, for a program whose only good end is exit status 0.

    Raises:
        ProgramFailedError: another exit status, or a signal; and the errors of `run`.
    """
    outcome = run(
        command,
        timeout=timeout,
        file_bytes=file_bytes,
        message_bytes=message_bytes,
        meanwhile=meanwhile,
    )
    if outcome.exit_status != 0:
        raise failed(outcome)
    return outcome


def failed(outcome: Outcome) -> ProgramFailedError:
    """The error that describes a bad end.

    Its first line holds the first message that sounds like a complaint and not only a warning (what
    follows is often only its consequences), or else the last message.
    """
    if outcome.exit_status < 0:
        end = f"ended by signal {_signal_name(-outcome.exit_status)}"
        if -outcome.exit_status == signal.SIGXFSZ:
            end += " (its output passed the size allowed)"
    else:
        end = f"exit status {outcome.exit_status}"
    lines = outcome.messages.splitlines()
    complaints = [line for line in lines if _COMPLAINT.search(line)]
    errors = [line for line in complaints if not _WARNING.search(line)]
    cause = next(iter(errors or complaints or lines[-1:]), "")
    said = f": {cause}" if cause else ", and no message"
    return outcome.error(ProgramFailedError, f"{_name(outcome.command)}: {end}{said}")


def invalid_output(name: str, problem: str, outcome: Outcome) -> OutputInvalidError:
    """The error of an encoder or decoder that ended well, and wrote something wrong."""
    return outcome.error(OutputInvalidError, f"{name}: {problem}")


@contextlib.contextmanager
def _started(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A child in a process group of its own that does not outlive the block."""
    if shutil.which(command[0]) is None:
        raise ProgramNotFoundError(
            f"{_name(command)}: not found or not executable", command=command
        )
    try:
        process = subprocess.Popen(
            [*_death_signal_prefix(), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={name: value for name, value in os.environ.items() if name not in _COLOURING},
            bufsize=0,
            start_new_session=True,
        )
    except TimeoutError:  # of a signal's handler
        raise
    except OSError as error:
        raise ProgramNotFoundError(
            f"{_name(command)}: cannot be started: {error.strerror}", command=command
        ) from error
    try:
        yield process
    finally:
        _kill_group(process)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a child and all it started; until it is waited for, its number names the group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether a child has ended; it stays to be waited for."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    try:
        return os.waitid(os.P_PID, process.pid, flags) is not None
    except ChildProcessError:  # where SIGCHLD is ignored, children leave nothing to wait for
        return True


def _drain(
    process: subprocess.Popen[bytes],
    tail: _Tail,
    deadline: float,
    meanwhile: Callable[[], object] | None,
) -> None:
    """Read the child's messages until it ends; `_OutOfTimeError` at the deadline.

    The end is not told by the messages: what the child started may hold its outputs open, and the
    child itself may close them.
    """
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    os.set_blocking(descriptor, False)
    pause = SHORTEST_PAUSE
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while not _has_ended(process):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise _OutOfTimeError
            if meanwhile is not None:
                meanwhile()
            if not selector.get_map():
                time.sleep(min(pause, remaining))
                pause = min(2 * pause, LONGEST_PAUSE)
            elif selector.select(min(LONGEST_PAUSE, remaining)) and not _read(descriptor, tail):
                selector.unregister(descriptor)
    # Whoever else writes there is killed first, so that what is left in the pipe is all there is.
    _kill_group(process)
    for _ in range(PIPE_CHUNKS):
        if not _read(descriptor, tail):
            return


def _read(descriptor: int, tail: _Tail) -> bool:
    """Read what has been written; False when that is nothing."""
    try:
        chunk = os.read(descriptor, CHUNK_BYTES)
    except BlockingIOError:
        return False
    tail.add(chunk)
    return bool(chunk)


@lru_cache(maxsize=1)
def _death_signal_prefix() -> tuple[str, ...]:
    """Arguments that have the kernel kill the program when the thread that started it ends.

    Empty where ``setpriv`` is absent or one that does not know how (BusyBox).
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return ()
    prefix = (setpriv, "--pdeathsig", "KILL", "--")
    try:
        subprocess.run([*prefix, "true"], check=True, capture_output=True, timeout=SETPRIV_TIMEOUT)
    except TimeoutError:  # not of `subprocess`, whose own is another: of a signal's handler
        raise
    except (OSError, subprocess.SubprocessError):
        return ()
    return prefix


def _name(command: Sequence[str]) -> str:
    return os.path.basename(command[0])  # noqa: PTH119


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
