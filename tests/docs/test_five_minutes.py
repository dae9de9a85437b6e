"""Walks the README's five minutes with a real broker, daemon and client, and what docs/protocol.md says of pipelined lines. Knows the
console blocks; every wait is for a line of a log or a notification of `watch`, never for time."""
import json
import os
import pathlib
import re
import shlex
import signal
import socket
import subprocess

import pytest
from paho.mqtt import publish

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("ECOGOV_BIN", ROOT / "build/debug/bin")).resolve()
README = (ROOT / "README.md").read_text(encoding="utf-8")
PORT = "18830"  # as the README has it; the test takes a free one
PATIENCE_S = 60
MOSQUITTO = next((p for p in ("/usr/sbin/mosquitto", "/usr/bin/mosquitto") if os.path.exists(p)), None)

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")


def blocks(language):
    part = README.split("## A village of your own")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", part, re.M | re.S)


class Talk:
    """One connection to the socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("r", encoding="utf-8")

    def send(self, *calls):
        self.socket.sendall("".join(json.dumps({"jsonrpc": "2.0", "id": i, "method": m, "params": p}) + "\n"
                                    for i, (m, p) in enumerate(calls)).encode())

    def receive(self):
        line = self.lines.readline()
        assert line, "the daemon closed the connection"
        return json.loads(line)

    def ask(self, method, **params):
        self.send((method, params))
        answer = self.receive()
        assert "result" in answer, answer
        return answer["result"]

    def until(self, wanted):
        while not wanted(note := self.receive()):
            pass
        return note


def start(command, ready, **options):
    """Starts a program and waits for the line that says it is ready; (process, None) or (process, what it said instead)."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **options)
    said = []
    for line in process.stderr:
        said.append(line)
        if ready in line:
            return process, None
    return process, "".join(said)


def end(process):
    process.terminate()
    process.stderr.close()
    assert process.wait(PATIENCE_S) == 0


@pytest.fixture
def broker():
    said = ""
    for _ in range(5):  # a port that was free may be taken a moment later
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        process, said = start([MOSQUITTO, "-p", port], " running")
        if said is None:
            break
        process.wait()
    assert said is None, said
    yield port
    end(process)


@pytest.fixture
def village(broker, tmp_path):
    (tmp_path / "ecogov.yaml").write_text(blocks("yaml")[0].replace(PORT, broker), encoding="utf-8")
    daemon, said = start([BIN / "ecogovd", "-c", "ecogov.yaml"], "connected to", cwd=tmp_path)
    assert said is None, said
    yield tmp_path, broker, daemon
    end(daemon)


def publish_line(words, port):
    """mosquitto_pub -p PORT -q 1 -t TOPIC -m PAYLOAD, without needing mosquitto-clients."""
    given = dict(zip(words[1::2], words[2::2]))
    assert set(given) == {"-p", "-q", "-t", "-m"} and given["-p"] == PORT
    publish.single(given["-t"], given["-m"], qos=int(given["-q"]), hostname="127.0.0.1", port=int(port))
    return given["-m"]


def wait_for(payload, watch, port):
    """Until it is on disk: watchers are told of readings after the commit. What makes no reading is followed by one that does."""
    try:
        value = json.loads(payload)["pm25"]
    except ValueError:
        value = 30.5
        publish.single("ecogov/myvillage/air/roof1", json.dumps({"pm25": value}), qos=1, hostname="127.0.0.1", port=int(port))
    watch.until(lambda n: n["params"]["value"] == value)


def client(words, folder):
    env = {**os.environ, "ECOGOV_SOCKET": str(folder / "state/ecogov.sock"), "LC_ALL": "C.UTF-8"}
    done = subprocess.run([BIN / words[0], *words[1:]], env=env, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (0, ""), words
    return done.stdout


def commands():
    """(words, what the README prints below them) of each line that publishes or asks."""
    found = []
    for block in blocks("console"):
        for part in block.split("$ ")[1:]:
            line, _, shown = part.partition("\n")
            words = shlex.split(line, comments=True)
            if words[0] in ("mosquitto_pub", "ecogovctl"):
                found.append((words, shown))
    return found


def bare(history):
    """A history's lines without times and users."""
    return [re.sub(r"  \S+$|  \S+(?=  “)", "", line[21:].strip())
            for line in history.splitlines() if re.match(r"\s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", line)]


def test_the_five_minutes(village):
    folder, port, _ = village
    if subprocess.run([BIN / "ecogovctl", "--help"], capture_output=True).returncode != 0:
        pytest.skip("ecogovctl is not built")
    watch = Talk(folder / "state/ecogov.sock")
    watch.ask("watch", topics=["readings"])
    outputs = {}
    for words, shown in commands():
        if words[0] == "mosquitto_pub":
            wait_for(publish_line(words, port), watch, port)
            continue
        outputs[" ".join(words[1:3])] = output = client(words, folder)
        if words[1:3] == ["case", "show"]:
            assert len(bare(shown)) == 7 and bare(shown) == bare(output)
    assert "38.5" in outputs["latest"] and "malformed" in outputs["quarantine"]
    assert re.search(r"myvillage-\d{8}-\w{4}-1 +critical +breaching +open", outputs["cases"])
    assert [e["kind"] for e in Talk(folder / "state/ecogov.sock").ask("cases.show", id="1")["history"]] == [
        "opened", "level", "acknowledged", "assigned", "fixed", "condition", "verified"]


def test_a_source_added_by_reload(village):
    folder, port, daemon = village
    with open(folder / "ecogov.yaml", "a", encoding="utf-8") as file:
        file.write(blocks("yaml")[1])
    daemon.send_signal(signal.SIGHUP)
    assert any("2 sources" in line for line in iter(daemon.stderr.readline, ""))
    watch = Talk(folder / "state/ecogov.sock")
    watch.ask("watch", topics=["readings"])
    publish.single("dusty/myvillage/d1/state", '{"when":1763881200000,"pm":{"fine":35.2},"temp_f":70.5}', qos=1, hostname="127.0.0.1",
                   port=int(port))
    notes = [watch.receive()["params"] for _ in range(2)]
    assert {(n["quantity"], round(n["value"], 2), n["device"]) for n in notes} == {("pm25", 35.2, "d1"), ("temperature", 21.39, "d1")}


def test_pipelined_writes_are_answered_in_order(village):
    """docs/protocol.md: answers come in the order of the lines; each write is done once, and is on disk by then."""
    folder, port, _ = village
    talk = Talk(folder / "state/ecogov.sock")
    watch = Talk(folder / "state/ecogov.sock")
    watch.ask("watch", topics=["cases"])
    publish.single("ecogov/myvillage/air/roof1", '{"pm25": 96}', qos=1, hostname="127.0.0.1", port=int(port))
    watch.receive()
    talk.send(*[("cases.comment", {"id": "1", "note": f"note {i}"}) for i in range(50)], ("cases.show", {"id": "1"}))
    answers = [talk.receive() for _ in range(51)]
    assert [a["id"] for a in answers] == list(range(51))
    assert [a["result"]["version"] for a in answers[:50]] == list(range(2, 52))
    assert [e["note"] for e in answers[50]["result"]["history"][1:]] == [f"note {i}" for i in range(50)]
