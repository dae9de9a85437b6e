"""A private broker and daemon in a throw-away directory, and a line to the daemon's socket.

Starts processes in sessions of their own, so that Ctrl-C in the terminal reaches only who ends them in order; ends
them by their pids. Knows nothing of what is published.
"""
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

MOSQUITTO = "/usr/sbin/mosquitto"
READY_S = 20     # to come up
LEAVE_S = 20     # to finish the turn and go
SILENCE_S = 60   # without a step forward while messages wait

BROKER_CONF = """\
listener {port} 127.0.0.1
allow_anonymous true
user {user}
persistence true
persistence_location {folder}/
max_queued_messages 0
log_dest stderr
"""


class Trouble(Exception):
    """A sentence for whoever runs the demonstration."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def last_lines(path, count=8):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return "".join("    " + line for line in file.readlines()[-count:])
    except OSError:
        return ""


class Process:
    """A child with its log file; used for the broker and for the daemon."""

    def __init__(self, name, arguments, log):
        self.name, self.log = name, log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        self.pid = self.child.pid

    def check(self):
        if self.child.poll() is not None:
            raise Trouble(f"{self.name} ended by itself with status {self.child.returncode}; its last lines:\n{last_lines(self.log)}")

    def wait_for(self, family, address):
        """Returns when something listens there."""
        until = time.monotonic() + READY_S
        while True:
            self.check()
            with socket.socket(family) as probe:
                if probe.connect_ex(address) == 0:
                    return
            if time.monotonic() > until:
                raise Trouble(f"{self.name} does not listen after {READY_S} s; its last lines:\n{last_lines(self.log)}")
            time.sleep(0.02)

    def end(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(LEAVE_S)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class Stage:
    """Directory, broker, daemon. A context: leaving it ends what runs and removes the directory."""

    def __init__(self, programs):
        self.programs = os.path.abspath(programs)
        self.broker = self.daemon = None
        self.folder = tempfile.mkdtemp(prefix="ecogov-demo-")
        self.socket_path = os.path.join(self.folder, "ecogov.sock")
        self.port = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)   # whoever presses Ctrl-C twice must not leave a broker behind
        for process in (self.daemon, self.broker):
            if process:
                process.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start_broker(self):
        user = pwd.getpwuid(os.geteuid()).pw_name   # else mosquitto becomes somebody who may not read the directory
        for last in (False, False, True):           # somebody else may take the port before the broker does
            self.port = free_port()
            with open(self.path("mosquitto.conf"), "w", encoding="utf-8") as file:
                file.write(BROKER_CONF.format(port=self.port, user=user, folder=self.folder))
            try:
                self.broker = Process("mosquitto", [MOSQUITTO, "-c", self.path("mosquitto.conf")], self.path("mosquitto.log"))
            except OSError as error:
                raise Trouble(f"{MOSQUITTO} cannot be started: {error.strerror}") from error
            try:
                self.broker.wait_for(socket.AF_INET, ("127.0.0.1", self.port))
                return
            except Trouble:
                self.broker.end()
                if last:
                    raise

    def start_daemon(self, configuration):
        program = os.path.join(self.programs, "ecogovd")
        try:
            self.daemon = Process("ecogovd", [program, "-c", configuration], self.path("ecogovd.log"))
        except OSError as error:
            raise Trouble(f"{program} cannot be started: {error.strerror}") from error
        self.daemon.wait_for(socket.AF_UNIX, self.socket_path)

    def check(self):
        self.broker.check()
        self.daemon.check()

    def call(self, method, **params):
        """One question to the daemon."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(READY_S)
            try:
                line.connect(self.socket_path)
                line.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
                answer = json.loads(line.makefile("rb").readline())
            except (OSError, ValueError) as error:
                self.check()
                raise Trouble(f"the daemon does not answer {method}: {error}") from error
        if "error" in answer:
            raise Trouble(f"the daemon refuses {method}: {answer['error']['message']}")
        return answer["result"]


    def wait_committed(self):
        """Returns when the store holds what the counters tell of. Nothing is notified when it does, so this asks."""
        until = time.monotonic() + SILENCE_S
        while True:
            status = self.call("status")
            if status["store"]["readings"] >= status["readings"]["stored"] - status["readings"]["corrected"]:
                return
            if time.monotonic() > until:
                raise Trouble(f"the daemon has committed nothing for {SILENCE_S} s")
            time.sleep(0.05)


class Watcher(threading.Thread):
    """Listens on a connection that called watch: follows how much was received, hands case events on."""

    def __init__(self, stage, on_case):
        super().__init__(daemon=True)
        self.stage, self.on_case = stage, on_case
        self.status = {}
        self.ended = False
        self.changed = threading.Condition()
        self.line = socket.socket(socket.AF_UNIX)
        self.line.connect(stage.socket_path)
        self.line.sendall(b'{"jsonrpc":"2.0","id":1,"method":"watch","params":{"topics":["cases","status"]}}\n')
        self.start()

    def run(self):
        try:
            for line in self.line.makefile("rb"):
                told = json.loads(line)
                if told.get("method") == "cases":
                    self.on_case(told["params"])
                elif told.get("method") == "status":
                    with self.changed:
                        self.status = told["params"]
                        self.changed.notify_all()
        except (OSError, ValueError):
            pass   # close() or the daemon's end; wait_received() tells which
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _taken(self):
        """Messages that were for the daemon: what it publishes itself may come back to it, and is ignored."""
        messages = self.status.get("messages", {"received": 0, "ignored": 0})
        return messages["received"] - messages["ignored"]

    def wait_received(self, count):
        """Returns when the daemon has counted so many messages."""
        while True:
            with self.changed:
                before = self.status
                if self._taken() >= count:
                    return
                if not self.ended:
                    self.changed.wait_for(lambda: self.ended or self.status is not before, SILENCE_S)
                stuck, ended, taken = self.status is before, self.ended, self._taken()
            self.stage.check()
            if ended:
                raise Trouble("the daemon closed the connection that watched it")
            if stuck:
                raise Trouble(f"the daemon has received {taken} of {count} messages and nothing for {SILENCE_S} s")

    def close(self):
        try:
            self.line.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.join()
        self.line.close()
