"""The local socket from outside: JSON-RPC lines, notifications, exports. Knows docs/protocol.md; knows nothing of processes or brokers."""
import json
import socket
import time


class RpcError(Exception):
    """What the daemon refused, with its code."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error['message']}")
        self.code, self.message = error["code"], error["message"]


class Client:
    """One connection. Answers and notifications are kept apart, in the order they came."""

    def __init__(self, path, timeout=30):
        self.timeout = timeout
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.rest = b""
        self.notes = []
        self.last_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def line(self, timeout=None):
        """The next line as JSON; None when the daemon has ended the connection."""
        until = time.monotonic() + (self.timeout if timeout is None else timeout)
        while b"\n" not in self.rest:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the daemon said nothing")
            self.socket.settimeout(left)
            try:
                more = self.socket.recv(1 << 20)
            except ConnectionResetError:
                more = b""
            except socket.timeout as error:
                raise TimeoutError("the daemon said nothing") from error
            if not more:
                return None
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return json.loads(line)

    def ask(self, method, **params):
        """Sends a call without waiting; gives its id."""
        self.last_id += 1
        self.send(json.dumps({"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}) + "\n")
        return self.last_id

    def answer(self, number, timeout=None):
        while True:
            line = self.line(timeout)
            if line is None:
                raise ConnectionError("the daemon closed the connection before it answered")
            if isinstance(line, dict) and "method" in line:
                self.notes.append(line)
                continue
            assert line["id"] == number, f"answer {line['id']} came where {number} was due"
            if "error" in line:
                raise RpcError(line["error"])
            return line["result"]

    def call(self, method, timeout=None, **params):
        return self.answer(self.ask(method, **params), timeout)

    def watch(self, *topics, **filters):
        return self.call("watch", topics=list(topics), **filters)

    def note(self, timeout=None):
        """The next notification, (topic, params)."""
        line = self.notes.pop(0) if self.notes else self.line(timeout)
        if line is None:
            raise ConnectionError("the daemon ended the watch")
        return line["method"], line["params"]

    def export(self, **params):
        """All rows; fails when the export is not whole."""
        result = self.call("export", timeout=120, **params)
        rows = [row for note in self.notes if note["method"] == "export" for row in note["params"]["rows"]]
        self.notes = [note for note in self.notes if note["method"] != "export"]
        assert result["rows"] == len(rows)
        return rows


def until(path, reached, timeout=60, topics=("status", "readings", "cases")):
    """Waits for `reached(status)`: asks once, then after each thing the daemon tells. Gives the status that did it."""
    end = time.monotonic() + timeout
    with Client(path) as asking, Client(path) as watching:
        watching.watch(*topics)
        while True:
            status = asking.call("status")
            if reached(status):
                return status
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"it did not come to that; status is now {json.dumps(status)}")
            try:
                watching.note(left)
                while watching.notes or b"\n" in watching.rest:
                    watching.note()
            except TimeoutError:
                pass


def check_sums(status):
    """CONTRACT 2.4, as status tells it."""
    messages, readings = status["messages"], status["readings"]
    parts = messages["decoded"] + messages["duplicate"] + messages["quarantined"] + messages["ignored"]
    assert messages["received"] == parts, messages
    assert readings["decoded"] == readings["stored"] + readings["duplicate"] + readings["rejected"], readings
