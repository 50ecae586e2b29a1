"""How late this machine itself runs what is due, beside a test that counts lateness."""

import threading
import time

PERIOD_S = 0.02


class Witness:
    """Sleeps short and even, and notes the worst oversleep: no program can do better meanwhile."""

    def __enter__(self) -> "Witness":
        self.worst_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exc) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.is_set():
            due = time.monotonic() + PERIOD_S
            time.sleep(PERIOD_S)
            self.worst_s = max(self.worst_s, time.monotonic() - due)
