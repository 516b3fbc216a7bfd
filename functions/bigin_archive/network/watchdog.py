"""Ends calls whose time is used up: one thread shuts their connections down."""

import socket
import threading
import time
from contextlib import suppress

_IDLE_S = 3600.0  # how long the watchdog sleeps without a call; a new call wakes it


class Watch:
    """One call, and the connection that it uses now."""

    def __init__(self, ends_at: float) -> None:
        self.ends_at = ends_at
        self.socket: socket.socket | None = None
        self.is_kept = False  # the connection has served another call before
        self.is_answered = False  # a byte of an answer has arrived
        self.needs_new = False  # a kept connection must not be used

    def shut(self) -> None:
        if self.socket is not None:
            with suppress(OSError):  # the other side has closed it already
                # The method of the plain socket: that of a TLS socket drops its state while another thread reads.
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Watchdog:
    """One thread for all calls. A timer for each call would cost a thread for each file."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: set[Watch] = set()
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None

    def watch(self, seconds: float) -> Watch:
        added = Watch(time.monotonic() + seconds)
        with self._changed:
            self._watches.add(added)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            elif added.ends_at < self._wakes_at:
                self._changed.notify()
        return added

    def attach(self, watch: Watch, connection: socket.socket | None) -> None:
        with self._changed:
            watch.socket = connection
            if watch not in self._watches:  # its time is over
                watch.shut()

    def end(self, watch: Watch) -> None:
        """From now on the connection may serve other calls."""
        with self._changed:
            watch.socket = None
            self._watches.discard(watch)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for watch in [watch for watch in self._watches if watch.ends_at <= now]:
                    watch.shut()
                    self._watches.discard(watch)
                self._wakes_at = min((watch.ends_at for watch in self._watches), default=now + _IDLE_S)
                self._changed.wait(self._wakes_at - now)
