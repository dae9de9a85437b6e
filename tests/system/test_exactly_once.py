"""Acknowledged is durable, delivered twice is stored once: kill -9 in the middle of a flood, redelivery with and without DUP."""
import json
import os
import random
import threading
import time

import pytest

import rpc
from broker import Peer
from fake import FakeBroker

KILLS = int(os.environ.get("ECOGOV_KILLS", "40"))
LEAVES = 4
MESSAGES = int(os.environ.get("ECOGOV_MESSAGES", "100000"))
SEED = int(os.environ.get("ECOGOV_SEED", "20261123"))


class Flood(threading.Thread):
    """Publishes numbered messages, as far as `allowed`. Even numbers have a time of their own, an hour ago; odd ones have none."""

    def __init__(self, peer, count):
        super().__init__(daemon=True)
        self.peer, self.count = peer, count
        self.allowed = self.done = 0
        self.changed = threading.Condition()
        self.base_ms = int(time.time() * 1000) - 3600000

    def allow(self, upto):
        with self.changed:
            self.allowed = upto
            self.changed.notify_all()

    def reached(self, number):
        with self.changed:
            assert self.changed.wait_for(lambda: self.done >= number, 120)

    def run(self):
        for n in range(self.count):
            if n >= self.allowed:
                with self.changed:
                    self.changed.wait_for(lambda n=n: n < self.allowed)
            reading = {"light": n, "ts": self.base_ms + n} if n % 2 == 0 else {"light": n}
            self.peer.publish(f"ecogov/v1/air/d{n // 2 % 20}", json.dumps(reading))
            if n % 64 == 63 or n == self.count - 1:
                with self.changed:
                    self.done = n + 1
                    self.changed.notify_all()


def test_kill_9_in_a_flood_loses_and_doubles_nothing(broker, house, peer):
    """Each life of the daemon has its share of the messages; it is killed when a random part of them has gone out, after a random
    bit of a second. The next one starts into what was left over."""
    chance = random.Random(SEED)
    daemon = house(broker.port, store={"commit_interval": "50ms"}).start()
    daemon.connected()
    flood = Flood(peer, MESSAGES)
    flood.start()
    share = MESSAGES // (KILLS + 1)
    in_turns = 0
    for life in range(KILLS):
        flood.allow((life + 1) * share)
        flood.reached(life * share + int(share * chance.random()))
        if chance.random() < 0.5:  # else at once: before the link is up, or in the first turns
            in_turns += 1
            daemon.until(lambda status: status["turns"]["commits"] >= 1 or status["messages"]["received"] >= MESSAGES)
            threading.Event().wait(chance.random() * 0.05)
        daemon.kill()
        daemon.start()
    assert KILLS < 10 or in_turns > KILLS // 5
    flood.allow(MESSAGES)
    flood.join(120)
    peer.settle()
    status = daemon.stored(MESSAGES, timeout=120)
    rpc.check_sums(status)
    rows = daemon.export()
    assert sorted(row[5] for row in rows) == list(range(MESSAGES))
    for row in rows:
        number = int(row[5])
        assert row[7] == ([] if number % 2 == 0 else ["arrival"])
        assert row[2] == f"d{number // 2 % 20}"
    assert status["readings"]["stored"] == MESSAGES and status["readings"]["corrected"] == 0
    assert status["messages"]["quarantined"] == status["messages"]["ignored"] == 0
    if KILLS >= 20:  # else the kills hit nothing: no message was committed and not yet acknowledged
        assert status["messages"]["duplicate"] + status["readings"]["duplicate"] > 0
    daemon.stop()
    daemon.verify()
    daemon.start()
    assert daemon.status()["readings"]["stored"] == MESSAGES


def test_leaving_in_a_flood_ends_well_and_loses_nothing(broker, house, peer):
    """What comes in between the last commit and the end of the link is not taken: the broker brings it to the next one."""
    chance = random.Random(SEED)
    daemon = house(broker.port, store={"commit_interval": "50ms"})
    flood = Flood(peer, LEAVES * 2000)
    flood.start()
    for life in range(LEAVES):
        daemon.start()
        daemon.connected()
        flood.allow((life + 1) * 2000)
        flood.reached(life * 2000 + 64 * chance.randrange(1, 30))
        daemon.stop()
    daemon.start()
    flood.join(120)
    peer.settle()
    rpc.check_sums(daemon.stored(LEAVES * 2000, timeout=120))
    assert sorted(row[5] for row in daemon.export()) == list(range(LEAVES * 2000))


@pytest.mark.parametrize("payload", ['{"pm25": 7}', '{"pm25": 7, "ts": 1795480000}'], ids=["timeless", "timed"])
def test_redelivery_after_kill_9_is_a_duplicate(house, payload):
    """Committed, the PUBACK lost with the daemon: the broker sends it again, with DUP."""
    with FakeBroker(session=True) as fake:
        daemon = house(fake.port).start()
        fake.taker().publish("ecogov/v1/air/a1", payload, mid=77)
        daemon.stored(1)
        daemon.kill()
        daemon.start()
        again = fake.taker()
        again.publish("ecogov/v1/air/a1", payload, mid=77, dup=True)
        assert again.acked(77)
        again.publish("ecogov/v1/air/a1", '{"pm25": 8}', mid=78)
        assert again.acked(78)
        assert sorted(row[5] for row in daemon.export()) == [7, 8]
        status = daemon.status()
        rpc.check_sums(status)
        assert status["messages"] == {"received": 3, "decoded": 2, "duplicate": 1, "quarantined": 0, "ignored": 0}
        daemon.stop()


def test_redelivery_of_what_was_never_committed_is_stored(house):
    """Killed in the middle of the turn: the message was neither stored nor acknowledged."""
    with FakeBroker(session=True) as fake:
        daemon = house(fake.port, store={"commit_interval": "10m"}).start()
        first = fake.taker()
        first.publish("ecogov/v1/air/a1", '{"pm25": 7}', mid=77)
        daemon.until(lambda _: daemon.call("readings.latest"))  # told from memory
        assert daemon.status()["messages"]["received"] == 0
        daemon.kill()
        assert first.acks == []
        daemon.configure(store={"path": "ecogov.db", "commit_interval": "20ms"})
        daemon.start()
        again = fake.taker()
        again.publish("ecogov/v1/air/a1", '{"pm25": 7}', mid=77, dup=True)
        assert again.acked(77)
        assert [row[5] for row in daemon.export()] == [7]
        daemon.stop()


def test_another_message_with_the_same_packet_id_is_stored(house):
    """Packet ids come round: DUP and the id alone say nothing."""
    with FakeBroker(session=True) as fake:
        daemon = house(fake.port).start()
        taker = fake.taker()
        for value in range(5):
            taker.publish("ecogov/v1/air/a1", json.dumps({"pm25": value}), mid=9)
            assert taker.ack_count(value + 1)
        daemon.kill()
        daemon.start()
        again = fake.taker()
        again.publish("ecogov/v1/air/a1", '{"pm25": 5}', mid=9, dup=True)
        assert again.acked(9)
        assert sorted(row[5] for row in daemon.export()) == [0, 1, 2, 3, 4, 5]
        daemon.stop()


def test_the_same_timeless_payload_without_dup_is_a_new_reading(house):
    with FakeBroker() as fake:
        daemon = house(fake.port).start()
        taker = fake.taker()
        for mid in (1, 2, 1):
            taker.publish("ecogov/v1/air/a1", '{"pm25": 7}', mid=mid)
        assert taker.ack_count(3)
        rows = daemon.export()
        assert [row[5] for row in rows] == [7, 7, 7]
        assert len({row[0] for row in rows}) == 3
        daemon.stop()


def test_reconnect_within_a_turn_neither_loses_nor_doubles(house):
    """The link breaks while messages lie in an open turn: the broker brings them again, the turn is committed."""
    with FakeBroker(session=True) as fake:
        daemon = house(fake.port, store={"commit_interval": "5s"}).start()
        taker = fake.taker()
        taker.publish_all([("ecogov/v1/air/a1", json.dumps({"pm25": n}), n + 1) for n in range(8)])
        daemon.until(lambda _: [row["value"] for row in daemon.call("readings.latest")] == [7])  # told from memory
        taker.drop()
        again = fake.taker()
        again.publish_all([("ecogov/v1/air/a1", json.dumps({"pm25": n}), n + 1) for n in range(8)], dup=True)
        assert again.ack_count(8)
        status = daemon.stored(8)
        assert sorted(row[5] for row in daemon.export()) == list(range(8))
        assert status["messages"]["duplicate"] == 8
        daemon.stop()
