"""The test's end of wrong_clock.c: sets the gateway's clock, its NTP, and starts the machine anew. Knows its file and nothing of ecogov."""
import os
import struct
import time

from house import BIN

LIBRARY = BIN.parent / "lib" / "wrong_clock.so"
WEEK = 7 * 24 * 3600


class Clock:
    def __init__(self, path):
        self.path = path
        self.wrong_s, self.synchronised, self.boot = 0, False, 1
        self.set()

    def set(self, **what):
        for name, value in what.items():
            setattr(self, name, value)
        with open(self.path, "r+b" if self.path.exists() else "wb") as file:  # it is mapped: never another file
            file.write(struct.pack("qqq", int(self.wrong_s * 1000), self.synchronised, self.boot))

    def in_1970(self):
        self.set(wrong_s=100 - time.time(), synchronised=False)

    def under(self, daemon):
        asan = os.environ.get("ASAN_OPTIONS", "")
        daemon.environment = {"LD_PRELOAD": str(LIBRARY), "ECOGOV_CLOCK": str(self.path),
                              "ASAN_OPTIONS": ":".join(filter(None, (asan, "verify_asan_link_order=0")))}
        return daemon
