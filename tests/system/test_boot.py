"""Coming up and going down: with and without a broker, with the store taken, in the middle of work."""
import json
import signal
import subprocess

from broker import Broker, Peer
from house import ecogovd


def test_serves_its_socket_with_the_broker_down_and_connects_when_it_comes(tmp_path, house):
    broker = Broker(tmp_path / "broker")
    daemon = house(broker.port).start()
    status = daemon.until(lambda status: any(fault["key"] == "mqtt" for fault in status["faults"]))
    assert status["protocol"] == 1 and status["broker"]["connected"] is False
    assert str(broker.port) in json.dumps(status["faults"])
    port = broker.port
    broker.start()
    try:
        assert broker.port == port
        status = daemon.connected()
        assert not [fault for fault in status["faults"] if fault["key"] == "mqtt"]
        with Peer(broker.port) as peer:
            peer.tell("ecogov/v1/air/a1", '{"pm25": 12}')
            daemon.stored(1)
        daemon.stop()
    finally:
        broker.stop()


def test_broker_killed_under_it_nothing_lost_or_doubled(broker, house):
    daemon = house(broker.port).start()
    daemon.connected()
    with Peer(broker.port) as peer:
        for n in range(500):
            peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
        peer.settle()
    daemon.stored(500)
    for life in range(1, 4):
        broker.kill()
        daemon.until(lambda status: not status["broker"]["connected"])
        broker.start()
        daemon.connected()
        with Peer(broker.port) as peer:
            for n in range(life * 500, life * 500 + 500):
                peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
            peer.settle()
        daemon.stored(500 + life * 500)
    assert sorted(row[5] for row in daemon.export()) == list(range(2000))


def test_what_the_broker_kept_while_the_daemon_was_down_is_taken_once(broker, house):
    daemon = house(broker.port).start()
    daemon.connected()
    daemon.stop()
    with Peer(broker.port) as peer:
        for n in range(3000):
            peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
        peer.settle()
    daemon.start()
    status = daemon.stored(3000)
    assert status["readings"] == {"decoded": 3000, "stored": 3000, "duplicate": 0, "rejected": 0, "corrected": 0}
    assert sorted(row[5] for row in daemon.export()) == list(range(3000))


def test_sigterm_commits_what_came_and_exits_0(broker, house, peer):
    """commit_interval is far away: only the leaving itself can have written it."""
    daemon = house(broker.port, store={"commit_interval": "10m"}).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 12, "ts": 1763964000}')
    daemon.until(lambda _: daemon.call("readings.latest"))
    assert daemon.status()["messages"]["received"] == 0  # nothing of it is on disk
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.wait() == 0
    daemon.verify()
    daemon.start()
    assert [(row[5], row[0]) for row in daemon.export()] == [(12, "2025-11-24T06:00:00.000Z")]
    assert daemon.status()["messages"]["received"] == 1


def test_sigint_exits_0(daemon):
    daemon.process.send_signal(signal.SIGINT)
    assert daemon.wait() == 0


def test_the_second_daemon_on_a_store_is_refused_with_a_sentence(daemon, house, broker):
    second = house(broker.port, name="second", store={"path": str(daemon.folder / "ecogov.db")}).launch()
    assert second.wait() == 1
    assert "is in use by another ecogovd" in second.errors.read_text()
    assert daemon.status()["protocol"] == 1


def test_the_second_daemon_on_a_socket_is_refused_with_a_sentence(daemon, house, broker):
    second = house(broker.port, name="second", socket={"path": str(daemon.socket)}).launch()
    assert second.wait() == 1
    assert "Another ecogovd answers at" in second.errors.read_text()
    assert daemon.status()["protocol"] == 1


def test_a_dead_daemons_socket_is_taken_over(daemon):
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()
    assert daemon.status()["protocol"] == 1


def test_verify_finds_a_damaged_store(daemon, peer):
    for n in range(2000):
        peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
    peer.settle()
    daemon.stored(2000)
    daemon.stop()
    daemon.verify()
    store = daemon.folder / "ecogov.db"
    script = "UPDATE turn SET r_stored=r_stored+1 WHERE seq=(SELECT max(seq) FROM turn)"
    subprocess.run(["sqlite3", str(store), script], check=True, timeout=30)
    done = ecogovd("-c", daemon.config, "--verify")
    assert done.returncode == 1 and "do not add up" in done.stderr


def test_counters_and_readings_survive_a_restart(daemon, peer):
    peer.publish("ecogov/v1/air/a1", '{"pm25": 5, "ts": 1763964000}')
    peer.publish("ecogov/v1/air/a1", '{"pm25": 5, "ts": 1763964000}')
    peer.publish("ecogov/v1/air/a1", '{"pm25": -7}')
    peer.publish("ecogov/v1/air/a1", "{")
    peer.publish("ecogov/nowhere/air/a1", '{"pm25": 5}')
    peer.settle()
    before = daemon.until(lambda status: status["messages"]["received"] == 5)
    daemon.stop()
    daemon.start()
    after = daemon.status()
    assert after["messages"] == before["messages"]
    assert after["messages"] == {"received": 5, "decoded": 3, "duplicate": 0, "quarantined": 2, "ignored": 0}
    assert after["readings"] == before["readings"]
    assert after["readings"] == {"decoded": 3, "stored": 1, "duplicate": 1, "rejected": 1, "corrected": 0}
    assert [row["value"] for row in daemon.call("readings.latest")] == [5]
