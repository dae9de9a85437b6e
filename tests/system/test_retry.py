"""What was quarantined is read once more after the configuration was mended: with its true time, once, and every message counted once."""
import base64
import json
import subprocess

import pytest

from house import BIN, PM25_RULE, SANITIZER, SOURCES
from rpc import RpcError

FIELD = {"id": "field", "topic": "field/{device}", "site": "v1", "domain": "air", "driver": "json"}
MENDED = {**FIELD, "fields": [{"path": "/p", "quantity": "pm25"}, {"path": "/h", "quantity": "humidity"}]}


def ctl(daemon, *words, code=0):
    done = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, *map(str, words)], capture_output=True, text=True, timeout=60, check=False)
    assert not any(word in done.stderr for word in SANITIZER), done.stderr
    assert done.returncode == code, (words, done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr


def sums(daemon):
    messages, readings = daemon.status()["messages"], daemon.status()["readings"]
    assert messages["received"] == sum(messages[key] for key in ("decoded", "duplicate", "quarantined", "ignored"))
    assert readings["decoded"] == sum(readings[key] for key in ("stored", "duplicate", "rejected"))
    return messages


@pytest.fixture
def held(broker, house, peer):
    """A daemon with five payloads in quarantine: two that a mapping would read, one that is broken, one that is too long, one of bytes."""
    daemon = house(broker.port, rules=[PM25_RULE], sources=[*SOURCES, FIELD, {"id": "lora", "topic": "raw/{device}", "site": "v2",
                                                                              "domain": "air", "driver": "json"}]).start()
    daemon.connected()
    for payload in ('{"p":12}', '{"p":200,"h":40}', '{"p":', json.dumps({"p": 1, "x": "y" * 20000})):
        peer.tell("field/roof", payload)
    peer.tell("raw/em300", bytes.fromhex("01756403671001046871"))
    daemon.until(lambda status: status["messages"]["quarantined"] == 5)
    daemon.until(lambda _: len(daemon.call("quarantine.list")["entries"]) == 5)
    daemon.ids = sorted(row["id"] for row in daemon.call("quarantine.list")["entries"])
    return daemon


def mend(daemon):
    daemon.configure(sources=[*SOURCES, MENDED, {"id": "lora", "topic": "raw/{device}", "site": "v2", "domain": "air", "driver": "lorawan",
                                                 "codec": "milesight-em300"}])


def test_all_after_a_mended_configuration(held):
    times = {row["id"]: row["time"] for row in held.call("quarantine.list")["entries"]}
    assert {row["outcome"] for row in held.call("quarantine.retry", all=True)["entries"]} == {"kept"}
    assert sums(held)["quarantined"] == 5
    mend(held)
    held.reload()
    out = ctl(held, "quarantine", "retry", "--all")
    assert "3 left the quarantine, 0 in part, 2 stay." in out and "only the first 16384 of its 20" in out
    messages = sums(held)
    assert (messages["received"], messages["quarantined"], messages["decoded"]) == (5, 2, 3)
    assert [row["id"] for row in held.call("quarantine.list")["entries"]] == [held.ids[3], held.ids[2]]
    points = held.call("readings.history", device="roof", quantity="pm25", resolution="raw")["points"]
    assert [point["value"] for point in points] == [12, 200] and points[0]["time"] == times[held.ids[0]]
    assert points[1]["time"] >= times[held.ids[1]]  # or a step behind the first, if they came in the same millisecond
    (case,) = held.cases()
    assert case["device"] == "roof" and case["last"]["value"] == 200  # not late: it counts like any other
    assert held.call("readings.latest", device="em300", quantity="temperature")[0]["value"] == 27.2
    held.kill()
    held.start()
    assert sums(held)["quarantined"] == 2 and len(held.call("quarantine.list")["entries"]) == 2
    held.stop()
    held.verify()


def test_one_by_its_number_and_by_its_source(held):
    one, _, broken, cut, _ = held.ids
    assert "not JSON" in ctl(held, "quarantine", "retry", broken, code=1)
    assert "only the first 16384" in ctl(held, "quarantine", "retry", cut, code=1)
    assert "no quarantined payload 999" in ctl(held, "quarantine", "retry", 999, code=1)
    assert "one of id, source and all" in ctl(held, "quarantine", "retry", code=1)
    assert "one of id, source and all" in ctl(held, "quarantine", "retry", one, "--all", code=1)
    mend(held)
    held.reload()
    assert ctl(held, "--json", "quarantine", "retry", one).startswith('{"entries":[{"id":%d,"outcome":"stored"' % one)
    assert "no quarantined payload" in ctl(held, "quarantine", "retry", one, code=1)  # it has left
    with held.client() as client:  # two at a time: the second would read what the first is about to take
        line = [{"jsonrpc": "2.0", "id": n, "method": "quarantine.retry", "params": {"source": "field"}} for n in (1, 2)]
        client.send(json.dumps(line) + "\n")
        answers = {answer["id"]: answer for answer in client.line()}
    assert [row["outcome"] for row in answers[1]["result"]["entries"]] == ["stored", "kept", "kept"]
    assert answers[2]["error"]["code"] == -32004
    assert len(held.call("readings.history", device="roof", quantity="pm25", resolution="raw")["points"]) == 2
    assert sums(held)["quarantined"] == 3  # that of the other source stays


def test_shown_and_tried_before_the_daemon_knows(held):
    out = ctl(held, "quarantine", "show", held.ids[2])
    assert "field/roof" in out and "malformed  field  not JSON" in out and '{"p":' in out
    assert "16384" in ctl(held, "quarantine", "show", held.ids[3])
    assert base64.b64encode(bytes.fromhex("01756403671001046871")).decode() in ctl(held, "quarantine", "show", held.ids[4])
    entry = held.call("quarantine.show", id=held.ids[0])
    got = json.loads(ctl(held, "quarantine", "try", held.ids[0]))
    assert got["verdict"] == "implausible" and "no key" in got["reason"]
    mend(held)  # written, not loaded yet
    got = json.loads(ctl(held, "quarantine", "try", held.ids[0]))
    assert [(row["quantity"], row["value"], row["time"], row["flags"]) for row in got["readings"]] == [("pm25", 12, entry["time"], ["arrival"])]
    got = json.loads(ctl(held, "quarantine", "try", held.ids[4], "--config", held.config))
    assert ("temperature", 27.2) in [(row["quantity"], row["value"]) for row in got["readings"]]
    assert "cannot be read" in ctl(held, "quarantine", "try", held.ids[3], code=1)
    assert sums(held)["quarantined"] == 5  # nothing was stored


def test_pages(broker, house, peer):
    daemon = house(broker.port, sources=[FIELD]).start()
    daemon.connected()
    for value in range(150):
        peer.tell("field/roof", json.dumps({"p": value}))
    daemon.until(lambda status: status["messages"]["quarantined"] == 150)
    daemon.until(lambda _: len(daemon.call("quarantine.list", limit=200)["entries"]) == 150)
    daemon.configure(sources=[MENDED])
    daemon.reload()
    assert "150 left the quarantine" in ctl(daemon, "quarantine", "retry", "--source", "field")
    points = daemon.call("readings.history", device="roof", quantity="pm25", resolution="raw")["points"]
    assert [point["value"] for point in points] == list(range(150)) and sums(daemon)["quarantined"] == 0
    with pytest.raises(RpcError):
        daemon.call("quarantine.retry", source="field", id=1)
    assert daemon.call("quarantine.retry", source="field") == {"entries": [], "next": None}
    assert "Nothing to show" in ctl(daemon, "quarantine", "retry", "--all")
