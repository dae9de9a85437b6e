"""A gateway that boots with a wrong clock, and learns later what time it is."""
import datetime
import json
import time

import pytest
from broker import Peer
from clock import WEEK, Clock
from house import PM25_RULE
from rpc import RpcError

DEADLINE = {**PM25_RULE, "deadline": {"acknowledge": "1s"}}


def ms(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def faults(status):
    return [fault["key"] for fault in status["faults"]]


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path / "clock")


@pytest.fixture
def gateway(broker, house, clock):
    """One that has been there before: three stations are known, and a reading of now is in its store."""
    daemon = clock.under(house(broker.port, rules=[DEADLINE]))
    clock.set(synchronised=True)
    daemon.start()
    daemon.connected()
    with Peer(broker.port) as peer:
        for n in range(3):
            peer.tell(f"ecogov/v1/soil/s{n}", json.dumps({"soil_moisture": 20, "ts": time.time()}))
        peer.tell("ecogov/v1/air/a1", '{"pm25": 20}')
    daemon.stored(4)
    daemon.stop()
    return daemon


def test_in_doubt_then_ntp(gateway, clock, broker):
    clock.set(wrong_s=-WEEK, synchronised=False, boot=2)
    gateway.start()
    gateway.connected()
    status = gateway.status()
    assert "clock" in faults(status) and status["clock"]["trusted"] is False
    newest = max(ms(row[0]) for row in gateway.export())
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 96}')
        peer.tell("ecogov/v1/air/a1", '{"pm25": 97}')
        gateway.stored(6)
        (case,) = gateway.cases()
        assert case["level"] == "warning" and case["due_at"] is None and ms(case["opened_at"]) > newest
        marked = [row for row in gateway.export() if "clock" in row[7]]
        assert [row[5] for row in marked] == [96, 97] and all(newest < ms(row[0]) < newest + 3600 for row in marked)
        gateway.kill()  # in the middle of it: the line goes on
        gateway.start()
        gateway.connected()
        peer.tell("ecogov/v1/air/a1", '{"pm25": 98}')
        status = gateway.stored(7)
        assert status["clock"]["trusted"] is False
        before = time.time()
        clock.set(wrong_s=0, synchronised=True)
        status = gateway.until(lambda status: status["clock"]["trusted"])
        assert "clock" not in faults(status) and abs(ms(status["now"]) - time.time()) < 60
        rows = {row[5]: row for row in gateway.export() if row[2] == "a1"}
        assert not [row for row in rows.values() if "clock" in row[7]]
        assert all(before - 60 < ms(rows[value][0]) <= time.time() for value in (96, 97, 98)), rows
        gateway.until(lambda _: gateway.call("cases.show", id=case["id"])["escalation"] or
                      [event for event in gateway.call("cases.show", id=case["id"])["history"] if event["kind"] == "missed"])
        shown = gateway.call("cases.show", id=case["id"])
        kinds = [event["kind"] for event in shown["history"]]
        assert kinds.index("clock") < kinds.index("missed")
        assert before - 60 < ms(shown["opened_at"]) < time.time()
        peer.tell("ecogov/v1/air/a1", '{"pm25": 99}')
        gateway.stored(8)
    gateway.stop()
    gateway.verify()


def test_devices_that_agree_are_believed(gateway, clock, broker):
    clock.in_1970()
    clock.set(boot=2)
    gateway.start()
    gateway.connected()
    ahead = time.time() + WEEK  # all of this is a week later
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 30}')
        peer.tell("ecogov/v1/soil/new1", json.dumps({"soil_moisture": 1, "ts": ahead + 90 * WEEK}))
        for n in range(2):
            peer.tell(f"ecogov/v1/soil/s{n}", json.dumps({"soil_moisture": 30 + n, "ts": ahead + n}))
        status = gateway.stored(8)
        assert status["clock"]["trusted"] is False  # two of three, and one that is new has no say
        peer.tell("ecogov/v1/soil/s2", json.dumps({"soil_moisture": 32, "ts": ahead + 2}))
        status = gateway.until(lambda status: status["clock"]["trusted"])
        assert abs(ms(status["now"]) - ahead) < 120
        rows = {(row[2], row[5]): row for row in gateway.export()}
        assert abs(ms(rows["a1", 30][0]) - ahead) < 120
        assert abs(ms(rows["s1", 31][0]) - ahead - 1) < 0.002 and rows["s1", 31][7] == []  # its own time, to the millisecond
        assert abs(ms(rows["new1", 1][0]) - ahead) < 120  # what says that it is of next year is dated by when it came
        gateway.kill()
        gateway.start()  # the wall clock is still in 1970
        gateway.connected()
        assert abs(ms(gateway.status()["now"]) - ahead) < 300 and gateway.status()["clock"]["trusted"]
        peer.tell("ecogov/v1/air/a1", '{"pm25": 31}')
        gateway.stored(10)
        clock.set(wrong_s=WEEK, synchronised=True)
        gateway.until(lambda _: "it was set" in gateway.errors.read_text())
        assert abs(ms(gateway.status()["now"]) - ahead) < 300
    gateway.stop()
    gateway.verify()


def test_started_anew_before_it_was_known_keeps_the_mark(gateway, clock, broker):
    clock.set(wrong_s=-WEEK, synchronised=False, boot=2)
    gateway.start()
    gateway.connected()
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 30}')
        gateway.stored(5)
        gateway.kill()
        clock.set(wrong_s=0, synchronised=True, boot=3)
        gateway.start()
        gateway.connected()
        assert gateway.status()["clock"]["trusted"] and "keeps" in gateway.errors.read_text()
        peer.tell("ecogov/v1/air/a1", '{"pm25": 31}')
        gateway.stored(6)
    assert [row[5] for row in gateway.export() if "clock" in row[7]] == [30]
    gateway.stop()
    gateway.verify()


def test_somebody_sets_it_by_hand(gateway, clock, broker):
    clock.in_1970()
    clock.set(boot=2)
    gateway.start()
    gateway.connected()
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 30}')
        gateway.stored(5)
    with pytest.raises(RpcError, match="set it first"):
        gateway.call("clock.trust")
    clock.set(wrong_s=0)
    told = gateway.call("clock.trust")
    assert told["by"] == "person" and abs(ms(told["is"]) - time.time()) < 60
    assert gateway.status()["clock"]["trusted"]
    assert not [row for row in gateway.export() if "clock" in row[7]]
    with pytest.raises(RpcError, match="not in doubt"):
        gateway.call("clock.trust")
    gateway.stop()
    gateway.verify()


def test_set_back_while_it_runs(gateway, clock, broker):
    """Nothing is dated by it before NTP says that it is right; then it goes on from there."""
    clock.set(synchronised=True)
    gateway.start()
    gateway.connected()
    clock.set(wrong_s=-3 * 3600, synchronised=False)
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 30}')
        gateway.stored(5)
        assert abs(ms(gateway.status()["now"]) - time.time()) < 60
        clock.set(synchronised=True)
        gateway.until(lambda status: abs(ms(status["now"]) - time.time() + 3 * 3600) < 60)
        peer.tell("ecogov/v1/air/a1", '{"pm25": 31}')
        gateway.stored(6)
    times = {row[5]: ms(row[0]) for row in gateway.export()}
    assert times[30] - times[31] > 2 * 3600 and gateway.status()["clock"]["trusted"]


def test_this_machine_is_not_doubted(daemon):
    """No battery, no device tree, perhaps no NTP, and a clock that is right: a container."""
    status = daemon.status()
    assert status["clock"] == {"trusted": True, "doubted_since": None} and "clock" not in faults(status)
