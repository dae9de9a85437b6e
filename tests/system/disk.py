"""The test's end of slow_disk.c: holds fsync, fills the disk, breaks it. Knows its folder and nothing of ecogov."""
import os
import pathlib
import select
import time

from house import BIN

LIBRARY = BIN.parent / "lib" / "slow_disk.so"


class Disk:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        os.mkfifo(self.folder / "events")
        self.events = os.open(self.folder / "events", os.O_RDWR | os.O_NONBLOCK)
        self.said = b""

    def under(self, daemon):
        """Makes the daemon's next life run on it."""
        asan = os.environ.get("ASAN_OPTIONS", "")
        daemon.environment = {"LD_PRELOAD": str(LIBRARY), "ECOGOV_DISK": str(self.folder),
                              # the library has no sanitizer in it and may stand before the sanitizer's own
                              "ASAN_OPTIONS": ":".join(filter(None, (asan, "verify_asan_link_order=0")))}
        return daemon

    def close(self):
        self.let_go()
        for name in ("full", "broken"):
            self.mend(name)
        os.close(self.events)

    def said_so(self, what, timeout=60):
        """Waits until the disk has said `what`; forgets what it said before."""
        until = time.monotonic() + timeout
        while what.encode() not in self.said:
            if not select.select([self.events], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError(f"the disk never said {what}")
            self.said += os.read(self.events, 65536)
        self.said = b""

    def forget(self):
        while select.select([self.events], [], [], 0)[0]:
            os.read(self.events, 65536)
        self.said = b""

    def hold(self):
        """From now on every fsync waits."""
        self.forget()
        os.mkfifo(self.folder / "gate")

    def let_go(self):
        gate = self.folder / "gate"
        if gate.exists():
            end = os.open(gate, os.O_RDWR | os.O_NONBLOCK)  # with both ends open nobody blocks
            gate.unlink()  # the next one finds no gate
            os.close(end)

    def spoil(self, how):
        self.forget()
        (self.folder / how).touch()

    def mend(self, how):
        (self.folder / how).unlink(missing_ok=True)
