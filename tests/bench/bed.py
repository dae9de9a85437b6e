"""What every bench lies on: a throw-away folder on the checkout's disk, the daemon, the fake broker, a line to the socket.

Knows programs, files and processes; refuses to know targets. Whatever is started here is ended here, by its process id."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "build" / "release" / "bin"

CONFIGURATION = """
mqtt: {{host: 127.0.0.1, port: {port}, client_id: ecogov-bench}}
store: {{path: {store}/ecogov.db}}
socket: {{path: {socket}}}
board: {{dir: {store}/board}}
time_zone: Asia/Shanghai
max_devices: 20000
sites:
  - {{id: county, name: County, level: county}}
{sites}
sources:
  - {{id: village-json, topic: "ecogov/{{site}}/{{domain}}/{{device}}", driver: json}}
rules:
  - id: pm25-now
    domain: air
    quantity: pm25
    statistic: last
    levels: {{warning: {{open: 75, clear: 70}}, critical: {{open: 150, clear: 140}}}}
    hold: 10m
    clear_hold: 10m
  - id: pm25-hour
    domain: air
    quantity: pm25
    statistic: mean
    window: 1h
    levels: {{notice: {{open: 80, clear: 70}}}}
  - id: pm25-day
    quantity: pm25
    statistic: mean
    window: 24h
    levels: {{warning: {{open: 85, clear: 80}}}}
    sites: [county]
  - id: heat
    quantity: temperature
    statistic: last
    levels: {{warning: {{open: 40, clear: 38}}}}
    hold: 30m
  - id: heat-hour
    domain: air
    quantity: temperature
    statistic: max
    window: 1h
    levels: {{critical: {{open: 45, clear: 40}}}}
  - id: frost
    quantity: temperature
    statistic: last
    direction: below
    levels: {{notice: {{open: 0, clear: 2}}}}
"""


class Failure(Exception):
    """Something did not work at all, which is not the same as being slow."""


@contextlib.contextmanager
def folder():
    """A folder beside the build, so that fsync means this disk, and not a file system in memory."""
    base = ROOT / "build" / "bench"
    base.mkdir(parents=True, exist_ok=True)
    path = pathlib.Path(tempfile.mkdtemp(dir=base))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen([str(word) for word in command], **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Broker:
    """The fake broker with its stream ready; holds it back until go()."""

    def __init__(self, process):
        self.process, self.words = process, None
        self.port = int(self._line("port")[1])

    def _line(self, first=None):
        words = self.process.stdout.readline().split()
        if not words or first not in (None, words[0]):
            raise Failure("the fake broker ended early: its sentence is above")
        return words

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def alarms(self):
        """Waits for the last PUBACK; when each alarm was sent, by the clock of time.monotonic()."""
        self.words = self._line()
        found = []
        while self.words[0] == "alarm":
            found.append(float(self.words[2]))
            self.words = self._line()
        return found

    def stop(self):
        """Enough: the stream ends here."""
        self.process.kill()
        self.process.wait()

    def rate(self):
        """Waits for the last PUBACK; messages a second."""
        words = self.words or self._line("messages")
        return int(words[1]) / float(words[3])


@contextlib.contextmanager
def broker(messages, window=65535, options=()):
    command = [BIN / "fake_broker", "--messages", messages, "--window", window, "--hold", *options]
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Broker(process)


class Line:
    """One connection to the daemon's socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rb", buffering=1 << 20)

    def timed(self, method, **params):
        """(result, seconds): until the answer's last byte is here, not until Python has understood it."""
        text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\n"
        begin = time.perf_counter()
        self.socket.sendall(text.encode())
        line = self.file.readline()
        seconds = time.perf_counter() - begin
        if not line:
            raise Failure(f"the daemon closed the line at {method}")
        answer = json.loads(line)
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']['message']}")
        return answer["result"], seconds

    def call(self, method, **params):
        return self.timed(method, **params)[0]

    def close(self):
        self.file.close()
        self.socket.close()


class Daemon:
    def __init__(self, process, socket_path, ready_s):
        self.process, self.socket_path, self.ready_s = process, socket_path, ready_s

    def line(self):
        return Line(self.socket_path)

    def proc(self, key):
        """A figure of /proc/PID/status, summed over the threads where each has its own."""
        files = [f"/proc/{self.process.pid}/status"]
        if key.endswith("ctxt_switches"):
            files = pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/status")
        rows = [row for file in files for row in pathlib.Path(file).read_text(encoding="utf-8").splitlines()]
        return sum(int(row.split()[1]) for row in rows if row.startswith(key + ":"))


def configuration(path, port, socket_path, template=CONFIGURATION):
    sites = "\n".join(f"  - {{id: v{i}, name: Village {i}, level: village, parent: county}}" for i in range(10))
    file = path / "ecogov.yaml"
    file.write_text(template.format(port=port, store=path, socket=socket_path, sites=sites), encoding="utf-8")
    return file


def wait_for_socket(process, path, seconds=60):
    """Until the socket takes a connection and answers `status`: it is connect() that tells, there is no file to wait for before it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failure(f"ecogovd ended with {process.returncode}")
        try:
            line = Line(path)
        except OSError:
            time.sleep(0.002)
            continue
        status = line.call("status")
        line.close()
        return status
    raise Failure("ecogovd does not answer")


@contextlib.contextmanager
def daemon(path, port, environment=None, program="ecogovd", template=CONFIGURATION):
    """ecogovd over the store in `path`; given when it answers."""
    with tempfile.TemporaryDirectory() as short:  # a socket's path has 107 bytes at most
        socket_path = pathlib.Path(short) / "s"
        file = configuration(path, port, socket_path, template)
        begin = time.monotonic()
        with open(path / "log", "ab") as log, \
                running([BIN / program, "-c", file], stderr=log, env={**os.environ, **(environment or {})}) as process:
            try:
                wait_for_socket(process, socket_path)
                yield Daemon(process, socket_path, time.monotonic() - begin)
            except (Failure, OSError) as fault:
                text = (path / "log").read_text(encoding="utf-8")[-2000:]
                raise Failure(f"{fault}\nlog of ecogovd:\n{text}") from fault


def p99(values):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
