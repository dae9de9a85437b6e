"""Brokers with a small in-flight window: drained at their speed, not at one window per commit_interval."""
import json

import pytest

from broker import Broker, Peer

INTERVAL_S = 10
MESSAGES = 2000


@pytest.mark.parametrize("window", [10, 20, 32])
def test_a_small_window_is_learned(tmp_path, house, window):
    """At one window per interval it would take 2000 / window intervals: the wait below ends long before."""
    broker = Broker(tmp_path / "broker", f"max_inflight_messages {window}").start()
    try:
        daemon = house(broker.port, store={"commit_interval": f"{INTERVAL_S}s"}).start()
        daemon.connected()
        with Peer(broker.port) as peer:
            for n in range(MESSAGES):
                peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
            peer.settle()
        status = daemon.stored(MESSAGES, timeout=MESSAGES / window * INTERVAL_S / 5)
        assert status["turns"]["commits"] >= MESSAGES / window * 0.9
        assert sorted(row[5] for row in daemon.export()) == list(range(MESSAGES))
        daemon.stop()
    finally:
        broker.stop()


def test_a_wide_window_is_used(broker, house):
    """mosquitto's own limit is 20; MQTT 5 and Receive Maximum lift it: far more than 20 messages go into a turn."""
    daemon = house(broker.port, store={"commit_interval": "1s"}).start()
    daemon.connected()
    daemon.stop()
    with Peer(broker.port) as peer:
        for n in range(20000):
            peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
        peer.settle()
    daemon.start()
    status = daemon.stored(20000)
    assert status["turns"]["commits"] < 20000 / 200


def test_a_quiet_village_waits_for_its_interval(daemon, peer):
    """The same few messages again and again are no window: no commit for each of them."""
    daemon.configure(store={"path": "ecogov.db", "commit_interval": "2s"})
    daemon.reload()
    before = daemon.status()["turns"]["commits"]
    for n in range(40):
        peer.tell("ecogov/v1/air/a1", json.dumps({"light": n}))
    daemon.stored(40)
    assert daemon.status()["turns"]["commits"] - before <= 10
