"""Engines: what is run is done, crashes take nothing with them, and nothing is left running."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from weakref import WeakSet

import pytest

from gfvc.batch import local
from gfvc.batch.cluster import DaskEngine, core_shares
from gfvc.batch.engine import EngineChoice, Task, WorkerLostError, completed, open_engine
from gfvc.batch.local import free_megabytes, workers_for
from gfvc.errors import GfvcError, NoProcessesError
from models.parallel import usable_cores
from tests.conftest import REPOSITORY
from tests.gfvc.batch import chores
from tests.gfvc.support import CommandLine, listing


@contextmanager
def dask_cluster() -> Iterator[EngineChoice]:
    """Two worker processes of Dask, and a scheduler, on this machine.

    They are waited for when they start anew, however busy the machine is.
    """
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")

    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "250s"}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as cluster,
    ):
        yield EngineChoice("dask", scheduler=cluster.scheduler_address)


@pytest.fixture(params=["local", "dask"])
def choice(request: pytest.FixtureRequest) -> Iterator[EngineChoice]:
    if request.param == "local":
        yield EngineChoice(workers=2)
        return
    with dask_cluster() as choice:
        yield choice


def test_everything_is_done_and_told(choice: EngineChoice) -> None:
    messages: list[Any] = []
    with open_engine(choice, messages.append) as engine:
        tasks = [Task(number, chores.double, (number,)) for number in range(20)]
        answers = {task.tag: future.result() for task, future in completed(engine, tasks)}
        assert answers == {number: 2 * number for number in range(20)}
        further = deque([Task("first", chores.told, (3,))])
        for task, future in completed(engine, [], further):
            assert future.result() is None
            if task.tag == "first":
                further.append(Task("second", chores.told, (2,)))
        wait_for(lambda: len(messages) == 5)
        failed = [future for _, future in completed(engine, [Task(0, chores.fail, ())])]
        with pytest.raises(ValueError, match="no such thing"):
            failed[0].result()
    assert sorted(map(list, messages)) == [[2, 0], [2, 1], [3, 0], [3, 1], [3, 2]]


def test_a_crash_is_tried_again_and_takes_nothing_with_it(
    choice: EngineChoice, tmp_path: Path
) -> None:
    good = [Task("good", chores.double, (number,)) for number in range(10)]
    with open_engine(choice) as engine:
        once = Task("once", chores.crash_once, (tmp_path / "once",))
        ended = [(task.tag, future) for task, future in completed(engine, [once, *good], retries=1)]
        assert sorted(tag for tag, _ in ended) == [*["good"] * 10, "once"]
        assert dict(ended)["once"].result() == "done"
        assert sum(future.result() for tag, future in ended if tag == "good") == 90
        # Apart from those above, for Dask blames what waits at a worker that dies, too.
        crash = Task("crash", chores.crash, (tmp_path / "always",))
        [(_, future)] = completed(engine, [crash], retries=1)
        with pytest.raises(WorkerLostError, match="ended before it was done, 2 times"):
            future.result()
        # Dask tries some times by itself, too.
        assert (tmp_path / "always").stat().st_size >= 2
        [(_, future)] = completed(engine, [Task("after", chores.double, (2,))])
        assert future.result() == 4


class HereEngine:
    """Runs functions here and now; `held` are the futures that somebody still has."""

    width = 1

    def __init__(self) -> None:
        self.held: WeakSet[Future[Any]] = WeakSet()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*arguments))
        self.held.add(future)
        return future

    def is_loss(self, error: BaseException) -> bool:
        return False

    def look_around(self) -> None: ...

    def stop(self) -> None: ...


def test_futures_are_let_go_when_their_answers_are_taken() -> None:
    """A scheduler would do their tasks again, should a worker die that still has the answer."""
    engine = HereEngine()
    answers = []
    for task, answer in completed(engine, [Task(n, chores.double, (n,)) for n in range(3)]):
        assert not engine.held
        answers.append((task.tag, answer.result()))
    assert answers == [(0, 0), (1, 2), (2, 4)]


class UnpicklableError(Exception):
    def __init__(self) -> None:
        super().__init__("cannot travel")
        self.lock = threading.Lock()


def unpicklable() -> None:
    raise UnpicklableError


def dask_answering(answers: list[Any]) -> DaskEngine:
    """An engine whose cluster gives these answers: a function's own, or what is raised or given."""

    def submit(run: Callable[..., Any], *arguments: Any) -> Future[Any]:
        answer = answers.pop(0)
        future: Future[Any] = Future()
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(run(*arguments) if answer == "its own" else answer)
        return future

    executor = SimpleNamespace(submit=submit)
    client: Any = SimpleNamespace(get_executor=lambda pure: executor)
    return DaskEngine(client, "tcp://nowhere:1", "topic")


def test_whatever_dask_says_in_place_of_an_answer_it_is_run_again() -> None:
    """Whose worker dies as its answer is fetched gets errors of Dask's inner parts, or a key."""
    strange = [AttributeError("with_traceback"), KeyError("key"), CancelledError(), "a key", None]
    engine = dask_answering([*strange, "its own"])
    [(task, future)] = completed(engine, [Task(0, chores.double, (2,))], retries=len(strange))
    assert (future.result(), task.losses) == (4, len(strange))
    engine = dask_answering(["a key", "a key"])
    [(_, future)] = completed(engine, [Task(0, chores.double, (2,))], retries=1)
    with pytest.raises(WorkerLostError, match="before it was done, 2 times"):
        future.result()


def test_errors_of_functions_are_no_losses() -> None:
    engine = dask_answering(["its own", "its own"])
    tasks = [Task(0, chores.fail, ()), Task(1, unpicklable, ())]
    failed = {task.tag: future for task, future in completed(engine, tasks, retries=3)}
    with pytest.raises(ValueError, match="no such thing"):
        failed[0].result()
    with pytest.raises(GfvcError, match="UnpicklableError: cannot travel"):
        failed[1].result()


def test_workers_have_cores_of_their_own(choice: EngineChoice) -> None:
    cores = usable_cores()
    if len(cores) < 2:
        pytest.skip("one core cannot be shared out")
    with open_engine(choice) as engine:
        tasks = [Task(number, chores.cores, ()) for number in range(2)]
        shares = [future.result() for _, future in completed(engine, tasks)]
    assert sorted(core for share in shares for core in share) == cores


def test_a_thread_of_a_cluster_is_bound_no_longer_than_a_function_runs() -> None:
    distributed = pytest.importorskip("distributed")
    with dask_cluster() as choice:
        with open_engine(choice) as engine:
            [(_, future)] = completed(engine, [Task(0, chores.cores, ())])
            assert len(future.result()) < max(2, len(usable_cores()))
        with distributed.Client(choice.scheduler, set_as_default=False) as client:
            others = client.map(lambda _: chores.cores(), range(2), pure=False)
            assert client.gather(others) == [usable_cores()] * 2


def test_cores_of_a_machine_are_shared_by_those_workers_that_may_use_the_same() -> None:
    four, others = [0, 1, 2, 3], [6, 7]
    places = {"a:1": ("a", four), "a:3": ("a", four), "a:2": ("a", others), "b:1": ("b", four)}
    expected = {"a:1": [0, 2], "a:3": [1, 3], "a:2": others, "b:1": four}
    assert core_shares(places) == expected
    crowd = core_shares({f"a:{number}": ("a", others) for number in range(3)})
    assert list(crowd.values()) == [[6], [7], [6]]


def test_as_many_workers_as_cores_and_memory_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "usable_cores", lambda: list(range(8)))
    monkeypatch.setattr(local, "free_megabytes", lambda: 5500.0)
    assert [workers_for(size) for size in (1, 1000, 3000, 9000)] == [8, 5, 1, 1]
    monkeypatch.undo()
    assert 10 < free_megabytes() < 1e9


def test_a_limit_of_the_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_CGROUP", tmp_path)
    without = free_megabytes()
    (tmp_path / "memory.max").write_text("700000000\n")
    (tmp_path / "memory.current").write_text("200000000\n")
    assert free_megabytes() == 500
    (tmp_path / "memory.max").write_text("max\n")
    assert free_megabytes() == pytest.approx(without, rel=0.5)


def test_when_the_block_fails_everything_ends_and_tidies_up(tmp_path: Path) -> None:
    tidied = tmp_path / "tidied"

    def pids() -> list[int]:
        return [int(text) for path in tmp_path.glob("started*") if (text := path.read_text())]

    def run_and_fail() -> None:
        with open_engine(EngineChoice(workers=2)) as engine:
            for number in range(9):
                engine.submit(chores.sleep_long, tmp_path / f"started{number}", tidied)
            wait_for(lambda: len(pids()) == 2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_and_fail()
    assert tidied.exists()
    assert len(pids()) == 2
    assert not any(map(is_alive, pids()))


def test_a_process_that_ends_takes_its_workers_with_it(tmp_path: Path) -> None:
    script = (
        "from gfvc.batch.engine import *; from tests.gfvc.batch import chores\n"
        "from pathlib import Path\n"
        f"paths = Path({str(tmp_path / 'started')!r}), Path({str(tmp_path / 'tidied')!r})\n"
        "import signal\n"
        "if __name__ == '__main__':\n"
        "    # The background of a shell ignores it.\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    with open_engine(EngineChoice(workers=1)) as engine:\n"
        "        list(completed(engine, [Task(0, chores.sleep_long, paths)]))\n"
    )
    (tmp_path / "run.py").write_text(script)
    for number in (signal.SIGINT, signal.SIGKILL):
        for name in ("started", "tidied"):
            (tmp_path / name).unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, tmp_path / "run.py"],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        wait_for(lambda: (tmp_path / "started").exists() and (tmp_path / "started").read_text())
        worker = int((tmp_path / "started").read_text())
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.kill()
        _, err = process.communicate(timeout=60)
        wait_for(lambda: not is_alive(worker))  # noqa: B023 - called at once
        assert (tmp_path / "tidied").exists()
        assert err.count("Traceback") == (number == signal.SIGINT)


def test_a_cluster_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("gfvc.batch.cluster._CONNECT_SECONDS", 0.5)
    choice = EngineChoice("dask", scheduler="tcp://127.0.0.1:9")
    with pytest.raises(GfvcError, match="no Dask scheduler can be reached") as raised:
        open_engine(choice).__enter__()
    assert "\n" not in str(raised.value)


def test_workers_without_our_version_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would end at the first function that they are sent, and be waited for without end."""
    with dask_cluster() as choice:
        monkeypatch.setattr("gfvc.batch.cluster.__version__", "9.9")
        with pytest.raises(
            GfvcError, match=r"the worker at tcp://\S+ has gfvc \S+; install gfvc 9"
        ):
            open_engine(choice).__enter__()
        # As where there is none.
        monkeypatch.setattr("gfvc.batch.cluster._OURS", "gfvc_is_not_here.__version__")
        with pytest.raises(GfvcError, match=r"has no gfvc; install gfvc 9\.9 there"):
            open_engine(choice).__enter__()


def test_a_worker_that_hangs_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with dask_cluster() as choice:
        with open_engine(choice) as engine:
            process = engine.submit(os.getpid).result()
        monkeypatch.setattr("gfvc.batch.cluster._ANSWER_SECONDS", 1)
        os.kill(process, signal.SIGSTOP)
        try:
            with pytest.raises(GfvcError, match="its workers do not answer within 1 s; start them"):
                open_engine(choice).__enter__()
        finally:
            os.kill(process, signal.SIGCONT)


def test_a_cluster_without_workers_is_told_and_waited_for() -> None:
    distributed = pytest.importorskip("distributed")
    notes: list[str] = []
    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        choice = EngineChoice("dask", scheduler=cluster.scheduler_address)
        with open_engine(choice, notes=notes.append) as engine:
            future = engine.submit(chores.double, 3)
            cluster.scale(1)
            assert future.result() == 6
    (note,) = notes
    assert "has no workers yet; waiting for some" in note


class IdleEngine(HereEngine):
    """Does nothing before it was asked three times what is waited for."""

    width = 1

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.future: Future[Any] = Future()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        return self.future

    def look_around(self) -> None:
        self.asked += 1
        if self.asked == 3:
            self.future.set_result("done")


def test_an_engine_is_asked_what_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gfvc.batch.engine._LOOK_SECONDS", 0.01)
    engine = IdleEngine()
    [(_, answer)] = completed(engine, [Task(0, chores.double, (2,))])
    assert (engine.asked, answer.result()) == (3, "done")


def test_a_cluster_that_loses_all_workers_is_told_once_each_time() -> None:
    pytest.importorskip("distributed")
    notes: list[str] = []
    workers: dict[str, object] = {}
    client: Any = SimpleNamespace(
        get_executor=lambda pure: None, scheduler_info=lambda: {"workers": workers}
    )
    engine = DaskEngine(client, "tcp://head:8786", "topic", notes.append)
    for there, told in ((True, 0), (False, 1), (False, 1), (True, 1), (False, 2)):
        workers.clear()
        workers.update({"tcp://node:1": {}} if there else {})
        engine.look_around()
        assert len(notes) == told
    assert notes[0] == (
        "tcp://head:8786: has no workers any more; waiting for some (dask worker tcp://head:8786)"
    )


def test_dask_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(GfvcError, match=r"pip install 'gfvc\[cluster\]'"):
        open_engine(EngineChoice("dask", scheduler="tcp://127.0.0.1:9")).__enter__()


def test_messages_come_one_at_a_time() -> None:
    inside = threading.Lock()

    def told(message: Any) -> None:
        assert inside.acquire(blocking=False)
        time.sleep(0.001)
        inside.release()
        messages.append(message)

    messages: list[Any] = []
    with open_engine(EngineChoice(workers=2), told) as engine:
        tasks = [Task(number, chores.told, (20,)) for number in range(4)]
        for _, future in completed(engine, tasks):
            future.result()
    assert len(messages) == 80


def wait_for(holds: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def refuse_semaphores(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """What the system says where /dev/shm is read-only, full or not there."""

    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", refuse)


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.ENOENT])
@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["batch", "--do", "verify"], "(docker: --shm-size)"),
        (
            ["bench", "--quick", "--no-vmaf", "--peers", "none", "--jobs", "2"],
            "(docker: --shm-size), or measure clip after clip (--jobs 1)",
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_no_place_for_semaphores_is_told_before_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: CommandLine,
    short_clip: Path,
    demo_clip: Path,
    small_stream: Path,
    arguments: list[str],
    advice: str,
    number: int,
) -> None:
    clips = [small_stream] if arguments[0] == "batch" else [short_clip, demo_clip]
    refuse_semaphores(monkeypatch, number)
    outcome = command(*arguments, *clips, "--out", tmp_path / "out")
    assert outcome.status == 1
    assert outcome.err.splitlines()[-1] == (
        f"gfvc {arguments[0]}: /dev/shm: cannot be used ({os.strerror(number)}), and Python's "
        "process pools keep semaphores there; mount it, writable and with free space " + advice
    )
    assert "failed" not in outcome.err
    assert "clips" not in listing(tmp_path / "out")
    assert not list(tmp_path.glob("out/*.jsonl*"))


def test_what_semaphores_lack_later_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where it is open files that are lacking."""
    for number, kind in ((errno.ENOSPC, NoProcessesError), (errno.EMFILE, OSError)):
        with open_engine(EngineChoice(workers=1)) as engine, monkeypatch.context() as patch:
            refuse_semaphores(patch, number)
            [(_, future)] = completed(engine, [Task(0, chores.double, (1,))])
            assert type(future.exception()) is kind
