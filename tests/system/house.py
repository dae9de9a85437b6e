"""Starts ecogovd as its users do: a configuration file, a process, a socket; and ends each one by its pid, looking at how it ended.
Knows nothing of what a test is about."""
import json
import os
import pathlib
import select
import signal
import socket
import subprocess
import tempfile
import time

import rpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("ECOGOV_BIN", ROOT / "build/debug/bin")).resolve()
SHARED = pathlib.Path(os.environ.get("ECOGOV_SHARED", ROOT.parent / "shared"))
SANITIZER = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:")

SITES = [{"id": "county", "level": "county"}, {"id": "v1", "name": "一村", "level": "village", "parent": "county"},
         {"id": "v2", "level": "village", "parent": "county"}]
SOURCES = [{"id": "json", "topic": "ecogov/{site}/{domain}/{device}", "driver": "json"}]
PM25_RULE = {"id": "pm25-now", "domain": "air", "quantity": "pm25",
             "levels": {"warning": {"open": 75, "clear": 70}, "critical": {"open": 150, "clear": 140}}}


def ecogovd(*arguments, **options):
    """A run that ends by itself."""
    done = subprocess.run([BIN / "ecogovd", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False, **options)
    assert not any(word in done.stderr for word in SANITIZER), done.stderr
    return done


class Daemon:
    """One ecogovd and the folder it lives in. It may be started and ended many times over the same store."""

    def __init__(self, folder, port, **keys):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.short = tempfile.mkdtemp(prefix="eg")  # a Unix socket's path has 107 bytes at the most
        os.chmod(self.short, 0o755)
        self.socket = pathlib.Path(self.short) / "s"
        self.config = folder / "ecogov.yaml"
        self.errors = folder / "stderr"
        self.errors.write_bytes(b"")
        self.process = None
        self.environment = {}
        # Unless a test is about it nothing is published: the summaries come back under ecogov/+/+/+ and are counted, as ignored.
        mqtt = {"host": "127.0.0.1", "port": port, "client_id": "ecogov-test", "publish": False, **keys.pop("mqtt", {})}
        self.keys = {"mqtt": mqtt, "store": {"path": "ecogov.db", "commit_interval": "20ms", **keys.pop("store", {})},
                     "socket": {"path": str(self.socket), **keys.pop("socket", {})}, "time_zone": "Asia/Shanghai",
                     "sites": SITES, "sources": SOURCES, **keys}
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(pathlib.Path(self.short) / "n"))
        self.configure()

    def configure(self, **keys):
        """Writes the configuration; JSON is YAML."""
        self.keys.update(keys)
        self.config.write_text(json.dumps(self.keys, indent=1, ensure_ascii=False) + "\n")

    # --- life ---

    def launch(self):
        """Starts it and waits for nothing."""
        self.drain_notify()
        environment = {**os.environ, **self.environment, "NOTIFY_SOCKET": str(pathlib.Path(self.short) / "n")}
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen([BIN / "ecogovd", "-c", self.config], stdin=subprocess.DEVNULL,
                                            stdout=errors, stderr=errors, env=environment)
        return self

    def start(self, timeout=60):
        self.launch()
        self.ready(timeout)
        return self

    def drain_notify(self):
        while select.select([self.notify], [], [], 0)[0]:
            self.notify.recv(4096)

    def ready(self, timeout=60):
        """Until it says READY=1 (sd_notify), or ends."""
        until = time.monotonic() + timeout
        pid = os.pidfd_open(self.process.pid)
        try:
            while time.monotonic() < until:
                found = select.select([self.notify, pid], [], [], until - time.monotonic())[0]
                if self.notify in found and b"READY=1" in self.notify.recv(4096):
                    return
                if pid in found and self.notify not in found:
                    raise AssertionError(f"ecogovd ended with {self.process.wait()}: {self.errors.read_text()}")
        finally:
            os.close(pid)
        raise TimeoutError("ecogovd does not say READY=1")

    def reload(self):
        """SIGHUP, and waits until it is done with it, one way or the other."""
        self.drain_notify()
        self.process.send_signal(signal.SIGHUP)
        self.ready()

    def kill(self):
        self.process.kill()
        self.process.wait(30)
        self.process = None

    def stop(self, timeout=60):
        """SIGTERM; it must end well."""
        if self.process is None:
            return
        self.process.terminate()
        code = self.wait(timeout)
        assert code == 0, f"exit {code}: {self.errors.read_text()[-4000:]}"

    def wait(self, timeout=60):
        code = self.process.wait(timeout)
        self.process = None
        return code

    def finish(self):
        try:
            self.stop()
            said = self.errors.read_text(errors="replace")
            assert not any(word in said for word in SANITIZER), said[-8000:]
        finally:
            if self.process is not None:
                self.kill()
            self.notify.close()
            for name in ("s", "n"):
                (pathlib.Path(self.short) / name).unlink(missing_ok=True)
            os.rmdir(self.short)

    # --- questions ---

    def client(self, **options):
        return rpc.Client(self.socket, **options)

    def call(self, method, **params):
        with self.client() as client:
            return client.call(method, **params)

    def status(self):
        return self.call("status")

    def until(self, reached, timeout=60, **options):
        return rpc.until(self.socket, reached, timeout, **options)

    def connected(self):
        return self.until(lambda status: status["broker"]["connected"])

    def stored(self, count, timeout=60):
        """Until so many readings are on disk (and still there: not pruned); gives the status."""
        return self.until(lambda status: status["store"]["readings"] >= count, timeout)

    def cases(self, count=1, timeout=60, **filters):
        """Until so many active cases are on disk; gives them."""
        found = []

        def look(_):
            found[:] = self.call("cases.list", handling="active", **filters)["cases"]
            return len(found) == count

        self.until(look, timeout)
        return found

    def export(self, **params):
        with self.client() as client:
            return client.export(**params)

    def verify(self):
        done = ecogovd("-c", self.config, "--verify")
        assert done.returncode == 0, done.stdout + done.stderr
