"""Fixtures of the system tests: a broker, makers of daemons, all gone when the test ends; a clock that may be wrong."""
import json
import pathlib
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from broker import Broker, Peer, free_port  # noqa: E402
from clock import Clock  # noqa: E402
from house import BIN, Daemon  # noqa: E402


@pytest.fixture(scope="session", autouse=True)
def programs():
    assert (BIN / "ecogovd").exists(), f"there is no {BIN}/ecogovd: build it, or say where it is with ECOGOV_BIN"


@pytest.fixture
def broker(tmp_path):
    """A running mosquitto."""
    broker = Broker(tmp_path / "broker").start()
    yield broker
    broker.stop()


@pytest.fixture
def house(tmp_path):
    """house(port, **configuration) makes a daemon, not started yet; the end of the test ends it and looks at how it ended."""
    daemons = []

    def make(port=None, name="ecogov", **keys):
        daemons.append(Daemon(tmp_path / name, port or free_port(), **keys))
        return daemons[-1]

    yield make
    for daemon in daemons:
        daemon.finish()


@pytest.fixture
def clock(tmp_path):
    """The gateway's clock, which a test may set wrong."""
    return Clock(tmp_path / "clock")


@pytest.fixture
def settled(broker, house, clock):
    """settled(stations, (topic, payload)..., **configuration) makes a daemon under that clock that has been there before: it has heard each
    of so many stations of soil, and those messages, while the time was known; and is stopped."""

    def make(stations, *messages, **keys):
        daemon = clock.under(house(broker.port, **keys))
        clock.set(synchronised=True)
        daemon.start()
        daemon.connected()
        with Peer(broker.port) as peer:
            for n in range(stations):
                peer.publish(f"ecogov/v1/soil/s{n}", json.dumps({"soil_moisture": 20, "ts": time.time()}))
            for topic, payload in messages:
                peer.publish(topic, payload)
            peer.settle()
        daemon.stored(stations + len(messages))
        daemon.stop()
        return daemon

    return make


@pytest.fixture
def daemon(broker, house):
    """A running daemon that is connected to the broker."""
    daemon = house(broker.port).start()
    daemon.connected()
    return daemon


@pytest.fixture
def peer(broker):
    """A device or a listener at the broker."""
    with Peer(broker.port) as peer:
        yield peer
