"""The local socket under friendly and unfriendly clients: order, limits, rights, slow readers."""
import json
import os
import socket
import stat
import subprocess
import sys

import pytest

from house import PM25_RULE, ecogovd

MANY = 60000


def call(number, method, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


@pytest.fixture
def full(broker, house, tmp_path):
    """A daemon with so many readings that an export does not fit into any buffer."""
    recording = tmp_path / "many.jsonl"
    with open(recording, "w", encoding="ascii") as lines:
        for n in range(MANY):
            at = f"2026-11-23T07:{n // 60000:02d}:{n // 1000 % 60:02d}.{n % 1000:03d}Z"
            line = {"time": at, "topic": f"ecogov/v1/air/d{n % 10}", "payload": json.dumps({"light": n})}
            lines.write(json.dumps(line) + "\n")
    daemon = house(broker.port, store={"commit_interval": "1s"})
    assert ecogovd("-c", daemon.config, "--replay", recording).returncode == 0
    daemon.start()
    daemon.connected()
    return daemon


def test_mode_of_the_socket(daemon):
    assert stat.S_IMODE(os.stat(daemon.socket).st_mode) == 0o660


def test_pipelined_lines_are_answered_in_order(daemon):
    with daemon.client() as client:
        client.send("".join(json.dumps(call(n, ("status", "cases.list", "nope")[n % 3])) + "\n" for n in range(300)))
        answers = [client.line() for _ in range(300)]
    assert [answer["id"] for answer in answers] == list(range(300))
    assert all(answer["error"]["code"] == -32601 for answer in answers[2::3])


def test_lines_after_a_write_wait_for_its_commit_and_see_it(broker, house, peer):
    daemon = house(broker.port, rules=[PM25_RULE]).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 90}')
    daemon.cases()
    with daemon.client() as client:
        lines = [call(1, "cases.show", id="1"), call(2, "cases.comment", id="1", note="one"), call(3, "cases.show", id="1"),
                 call(4, "cases.acknowledge", id="1"), call(5, "cases.show", id="1")]
        client.send("".join(json.dumps(line) + "\n" for line in lines))
        answers = [client.line() for _ in lines]
    assert [answer["id"] for answer in answers] == [1, 2, 3, 4, 5]
    assert [answer["result"]["version"] for answer in answers] == [1, 2, 2, 3, 3]


def test_batch_arrays(daemon):
    with daemon.client() as client:
        client.send(json.dumps([call(1, "status"), call("two", "nope"), {"jsonrpc": "2.0", "method": "status"}, 7]) + "\n")
        answers = {answer["id"]: answer for answer in client.line()}
        assert len(answers) == 3
        assert answers[1]["result"]["protocol"] == 1
        assert answers["two"]["error"]["code"] == -32601 and answers[None]["error"]["code"] == -32600
        client.send("[]\n")
        assert client.line()["error"]["code"] == -32600


@pytest.mark.parametrize("line,code", [("{", -32700), ("\u00e9".encode("latin-1"), -32700), ("7", -32600), ("{}", -32600),
                                       ('{"jsonrpc":"2.0","id":1,"method":"cases.show","params":{}}', -32602),
                                       ('{"jsonrpc":"2.0","id":1,"method":"cases.list","params":{"handlin":1}}', -32602),
                                       ('{"jsonrpc":"2.0","id":1,"method":"cases.show","params":{"id":"no"}}', -32002)])
def test_error_codes(daemon, line, code):
    with daemon.client() as client:
        client.send((line.encode() if isinstance(line, str) else line) + b"\n")
        assert client.line()["error"]["code"] == code
        assert client.call("status")["protocol"] == 1


def test_a_line_of_64_kib_is_taken_and_a_longer_one_refused(daemon):
    line = json.dumps(call(1, "status")).encode()
    with daemon.client() as client:
        client.send(line + b" " * (65536 - len(line)) + b"\n")
        assert client.line()["result"]["protocol"] == 1
        client.send(line + b" " * (65537 - len(line)) + b"\n")
        assert client.line()["error"]["code"] == -32600
        assert client.line() is None
    with daemon.client() as client:
        try:
            for _ in range(100):  # without an end of line at all
                client.send(b"x" * 65536)
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert daemon.status()["protocol"] == 1


def test_too_many_connections_are_told(daemon):
    clients = []
    try:
        for _ in range(64):  # one after the other: connections that are closed already must not count
            clients.append(daemon.client())
            clients[-1].call("status")
        with daemon.client() as one_more:
            assert one_more.line()["error"]["code"] == -32004
            assert one_more.line() is None
        assert clients[0].call("status")["protocol"] == 1
    finally:
        for client in clients:
            client.close()


def test_a_reader_that_stops_in_an_export_is_not_waited_for(full, peer):
    with full.client() as lazy:
        lazy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.ask("export")
        with full.client() as other:
            assert len(other.export()) == MANY
        for n in range(1000):
            peer.publish("ecogov/v1/air/d1", json.dumps({"light": n}))
        peer.settle()
        full.stored(MANY + 1000)


def test_an_export_is_one_snapshot(full, peer):
    with full.client() as slow:
        number = slow.ask("export")
        first = slow.line()
        for n in range(500):
            peer.publish("ecogov/v1/air/d1", json.dumps({"light": n}))
        peer.settle()
        full.stored(MANY + 500)
        slow.notes.append(first)
        result = slow.answer(number, timeout=120)
        assert result["rows"] == MANY
        assert len([row for note in slow.notes for row in note["params"]["rows"]]) == MANY


def test_a_watcher_that_does_not_read_is_cut_off(daemon, peer):
    with daemon.client() as lazy:
        lazy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lazy.watch("readings")
        for n in range(12000):
            peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
        peer.settle()
        daemon.stored(12000)
        seen = 0
        try:
            while lazy.line() is not None:
                seen += 1
        except json.JSONDecodeError:
            pass  # cut off within a line
        assert seen < 12000
    assert daemon.status()["protocol"] == 1


def test_a_watcher_that_reads_is_told_everything(daemon, peer):
    with daemon.client() as client:
        client.watch("readings", device="a1")
        for n in range(200):
            peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
            peer.publish("ecogov/v1/air/a2", json.dumps({"light": n}))
        peer.settle()
        assert [client.note()[1]["value"] for _ in range(200)] == list(range(200))


def test_a_client_that_hangs_up_in_the_middle_does_no_harm(full):
    for end in (b'{"jsonrpc":"2.0","id":1,"method":"export"}\n', b'{"jsonrpc":"2.0","id":1,"meth', b""):
        client = full.client()
        client.send(end)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    with full.client() as client:
        client.send('{"jsonrpc":"2.0","id":1,"method":"status"}\n')
        client.socket.shutdown(socket.SHUT_WR)
        assert client.line()["result"]["protocol"] == 1
        assert client.line() is None


FORBIDDEN = """
import json, socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); f = s.makefile("rw")
for method, params in (("status", {}), ("cases.acknowledge", {"id": "1"}), ("quarantine.retry", {"all": True})):
    f.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) + "\\n"); f.flush()
    print(f.readline(), end="")
"""


def as_nobody(daemon):
    daemon.socket.chmod(0o666)
    done = subprocess.run([sys.executable, "-c", FORBIDDEN, str(daemon.socket)], user="nobody", group="nogroup", extra_groups=[],
                          cwd="/", capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
def test_another_user_may_read_but_not_write(broker, house, peer):
    daemon = house(broker.port, rules=[PM25_RULE]).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 90}')
    daemon.cases()
    status, write, retry = as_nobody(daemon)
    assert status["result"]["protocol"] == 1 and write["error"]["code"] == -32001 and retry["error"]["code"] == -32001
    assert daemon.call("cases.show", id="1")["version"] == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("supervisor", ["nobody", "@nogroup"])
def test_a_supervisor_may_write_and_is_named_in_the_history(broker, house, peer, supervisor):
    daemon = house(broker.port, rules=[PM25_RULE], socket={"supervisors": [supervisor]}).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 90}')
    daemon.cases()
    _, write, _ = as_nobody(daemon)
    assert write["result"]["handling"] == "acknowledged"
    assert daemon.call("cases.show", id="1")["history"][-1]["actor"] == "nobody"


def test_a_call_without_an_id_is_done_and_not_answered(broker, house, peer):
    daemon = house(broker.port, rules=[PM25_RULE]).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 90}')
    daemon.cases()
    with daemon.client() as client:
        client.send('{"jsonrpc":"2.0","method":"cases.acknowledge","params":{"id":"1"}}\n')
        daemon.until(lambda _: client.call("cases.show", id="1")["handling"] == "acknowledged")  # call() wants its own answer next
