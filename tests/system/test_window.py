"""Brokers with a small in-flight window: drained at their speed, not at one window per commit_interval."""
import json

import pytest

from broker import Peer
from fake import FakeBroker

INTERVAL_S = 10
MESSAGES = 2000


@pytest.mark.parametrize("window,version", [(10, 4), (20, 5), (32, 4)])
def test_a_small_window_is_learned(house, window, version):
    """At one window per interval it would take 2000 / window intervals; the wait below ends after a fifth of that."""
    with FakeBroker(speaks=(version,)) as fake:
        daemon = house(fake.port, store={"commit_interval": f"{INTERVAL_S}s"}).start()
        taker = fake.taker()
        taker.feed([("ecogov/v1/air/a1", json.dumps({"light": n}), n + 1) for n in range(MESSAGES)], window)
        assert taker.ack_count(MESSAGES - window, timeout=MESSAGES / window * INTERVAL_S / 5)
        assert taker.ack_count(MESSAGES)
        status = daemon.stored(MESSAGES)
        assert status["turns"]["commits"] >= MESSAGES / window
        assert sorted(row[5] for row in daemon.export()) == list(range(MESSAGES))
        daemon.stop()


def test_a_wide_window_is_used(broker, house):
    """mosquitto's own limit is 20; MQTT 5 and Receive Maximum lift it: far more than 20 messages go into a turn."""
    daemon = house(broker.port, store={"commit_interval": "1s"}).start()
    daemon.connected()
    daemon.stop()
    with Peer(broker.port) as peer:
        for n in range(8000):
            peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
        peer.settle()
    daemon.start()
    status = daemon.stored(8000)
    assert status["turns"]["commits"] < 8000 / 200


def test_a_quiet_village_waits_for_its_interval(daemon, peer):
    """The same few messages again and again are no window: no commit for each of them."""
    daemon.configure(store={"path": "ecogov.db", "commit_interval": "2s"})
    daemon.reload()
    before = daemon.status()["turns"]["commits"]
    for n in range(40):
        peer.tell("ecogov/v1/air/a1", json.dumps({"light": n}))
    daemon.stored(40)
    assert daemon.status()["turns"]["commits"] - before <= 10
