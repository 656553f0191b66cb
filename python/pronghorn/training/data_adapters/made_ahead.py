"""Results of a function, computed ahead by threads or processes and given in order."""

from __future__ import annotations

import atexit
import collections
import multiprocessing
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

from pronghorn.program import run_alone

_worker_function: Callable[[Any], Any] | None = None
_busy: set[threading.Thread] = set()
_ending = threading.Event()

# A thread in a long call of its own (a read, a sleep) is left alone after this time.
_SECONDS_AT_EXIT = 1.0


class Threads:
    """Daemon threads that call functions: a program ends without waiting for them.

    Ops that they run take no other threads: those belong to the training step.

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self._tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._count = count
        for i in range(count):
            name = f"pronghorn-data-{i}"
            threading.Thread(target=_work, args=(self._tasks,), name=name, daemon=True).start()

    def submit(self, function: Callable[[Any], Any], item: Any) -> Future[Any]:
        """Has `function(item)` called; returns the future of its result."""
        future: Future[Any] = Future()
        self._tasks.put((future, function, item))
        return future

    def shutdown(self) -> None:
        """Lets the threads end after what they are doing."""
        for _ in range(self._count):
            self._tasks.put(None)


def _work(tasks: queue.SimpleQueue[Any]) -> None:
    run_alone()
    thread = threading.current_thread()
    while (task := tasks.get()) is not None and not _ending.is_set():
        future, function, item = task
        if not future.set_running_or_notify_cancel():
            continue
        _busy.add(thread)
        if _ending.is_set():  # either this is seen here, or the thread in _busy at the end
            return
        try:
            result = function(item)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        finally:
            _busy.discard(thread)
        # What was made belongs to the reader now, not to a thread that waits.
        del task, future, function, item
        result = None


@atexit.register
def _end_threads() -> None:
    """Ends threads that are at work: one that came back from an op of the core while the
    interpreter is taken down would abort the process."""
    _ending.set()
    at_work = list(_busy)
    if not at_work:
        return
    import ctypes

    for thread in at_work:
        # Raised in the thread before its next line of Python.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit)
        )
    until = time.monotonic() + _SECONDS_AT_EXIT
    for thread in at_work:
        thread.join(max(until - time.monotonic(), 0))


class Processes:
    """Processes that call one function.

    Args:
        count: how many.
        function: what they call; where the platform does not fork it must be picklable.
    """

    def __init__(self, count: int, function: Callable[[Any], Any]) -> None:
        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork" if "fork" in methods else None)
        self._pool = ProcessPoolExecutor(
            count, mp_context=context, initializer=_adopt, initargs=(function,)
        )

    def submit(self, function: Callable[[Any], Any], item: Any) -> Future[Any]:
        """Has the function called with `item`; returns the future of its result."""
        del function
        return self._pool.submit(_call_adopted, item)

    def shutdown(self) -> None:
        """Lets the processes end after what they are doing."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _adopt(function: Callable[[Any], Any]) -> None:
    global _worker_function
    _worker_function = function


def _call_adopted(item: Any) -> Any:
    assert _worker_function is not None  # set when the process started
    return _worker_function(item)


def made_ahead(
    function: Callable[[Any], Any],
    items: Iterator[Any],
    workers: int,
    ahead: int,
    processes: bool = False,
) -> Iterator[Any]:
    """Yields `function(item)` for each item, in order.

    An exception of the function is raised where its result would have been yielded.

    Args:
        function: what is called.
        items: its arguments.
        workers: how many threads, or processes, call it.
        ahead: how many results are made before they are asked for.
        processes: whether processes call it.
    """
    pool: Threads | Processes = Processes(workers, function) if processes else Threads(workers)
    waiting: collections.deque[Future[Any]] = collections.deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > max(ahead, 1):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
        pool.shutdown()
