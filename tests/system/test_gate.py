"""Nothing leaves before the commit: PUBACKs, answers, notifications; on a disk that is slow, full or broken."""
import json

import pytest

from broker import Peer
from disk import LIBRARY, Disk
from fake import FakeBroker
from house import PM25_RULE
from rpc import RpcError

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason=f"{LIBRARY} is not built")


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "disk")
    yield disk
    disk.close()


def test_no_puback_before_the_commit_and_the_socket_answers_meanwhile(house, disk):
    with FakeBroker() as fake:
        daemon = disk.under(house(fake.port)).start()
        taker = fake.taker()
        disk.hold()
        taker.publish("ecogov/v1/air/a1", '{"pm25": 3}', mid=1)
        disk.said_so("held")
        for method in ("status", "summary", "cases.list", "readings.latest", "devices.list") * 10:
            daemon.call(method, timeout=5)
        taker.publish("ecogov/v1/air/a1", '{"pm25": 4}', mid=2)
        assert not taker.acked(1, timeout=1)
        disk.let_go()
        assert taker.acked(1) and taker.acked(2)
        assert sorted(row[5] for row in daemon.export()) == [3, 4]
        daemon.stop()


def test_killed_before_the_commit_nothing_was_acknowledged(house, disk):
    with FakeBroker(session=True) as fake:
        daemon = disk.under(house(fake.port)).start()
        taker = fake.taker()
        disk.hold()
        taker.publish("ecogov/v1/air/a1", '{"pm25": 3}', mid=1)
        disk.said_so("held")
        daemon.kill()
        assert taker.acks == []
        disk.let_go()
        daemon.start()
        again = fake.taker()
        again.publish("ecogov/v1/air/a1", '{"pm25": 3}', mid=1, dup=True)
        assert again.acked(1)
        assert [row[5] for row in daemon.export()] == [3]
        daemon.stop()


def test_no_answer_to_a_write_before_the_commit(broker, house, disk, peer):
    daemon = disk.under(house(broker.port, rules=[PM25_RULE])).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 90}')
    daemon.cases()
    with daemon.client() as writer, daemon.client() as watcher:
        watcher.watch("cases")
        disk.hold()
        number = writer.ask("cases.acknowledge", id="1")
        disk.said_so("held")
        assert daemon.call("cases.show", id="1")["handling"] == "open"
        with pytest.raises(TimeoutError):
            writer.line(1)
        with pytest.raises(TimeoutError):
            watcher.line(0.1)
        disk.let_go()
        assert writer.answer(number)["handling"] == "acknowledged"
        assert watcher.note()[1]["kind"] == "acknowledged"


def test_no_notification_before_the_commit(broker, house, disk, peer):
    daemon = disk.under(house(broker.port, mqtt={"publish": True}, rules=[PM25_RULE])).start()
    daemon.connected()
    with Peer(broker.port) as listener:
        listener.listen("ecogov/events/#")
        disk.hold()
        peer.tell("ecogov/v1/air/a1", '{"pm25": 90}')
        disk.said_so("held")
        with pytest.raises(TimeoutError):
            listener.hear(lambda *_: True, timeout=1)
        disk.let_go()
        listener.hear(lambda *_: True)


def test_writes_that_come_during_a_commit_wait_for_the_next_one(broker, house, disk, peer):
    daemon = disk.under(house(broker.port, rules=[PM25_RULE])).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 90}')
    daemon.cases()
    with daemon.client() as one, daemon.client() as two:
        disk.hold()
        first = one.ask("cases.acknowledge", id="1", version=1)
        disk.said_so("held")
        second = two.ask("cases.acknowledge", id="1", version=1)
        disk.let_go()
        assert one.answer(first)["version"] == 2
        with pytest.raises(RpcError) as refused:
            two.answer(second)
        assert refused.value.code == -32003


@pytest.mark.parametrize("how", ["SIGHUP", "SIGTERM"])
def test_signals_during_a_commit_wait_for_it(house, disk, how):
    with FakeBroker() as fake:
        daemon = disk.under(house(fake.port)).start()
        taker = fake.taker()
        disk.hold()
        taker.publish("ecogov/v1/air/a1", '{"pm25": 3}', mid=1)
        disk.said_so("held")
        if how == "SIGHUP":
            daemon.configure(rules=[PM25_RULE])
            daemon.drain_notify()
            daemon.process.send_signal(1)
            disk.let_go()
            daemon.ready()
            assert len(daemon.call("rules.list")) == 1
        else:
            daemon.process.terminate()
            disk.let_go()
            assert daemon.wait() == 0
        assert taker.acked(1)
        if how == "SIGHUP":
            daemon.stop()
        daemon.verify()


def test_a_full_disk_is_said_and_waited_for(broker, house, disk, peer):
    daemon = disk.under(house(broker.port, rules=[PM25_RULE])).start()
    daemon.connected()
    for n in range(50):
        peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
    peer.settle()
    daemon.stored(50)
    disk.spoil("full")
    for n in range(50, 5000):
        peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
    peer.settle()
    status = daemon.until(lambda status: any(fault["key"] == "store.full" for fault in status["faults"]))
    assert "disk is full" in json.dumps(status["faults"])
    assert sorted(row[5] for row in daemon.export()) == list(range(50))
    disk.said_so("full")
    disk.mend("full")
    status = daemon.stored(5000)
    assert not [fault for fault in status["faults"] if fault["key"] == "store.full"]
    assert sorted(row[5] for row in daemon.export()) == list(range(5000))
    daemon.stop()
    daemon.verify()


def test_killed_on_a_full_disk_nothing_acknowledged_is_lost(broker, house, disk, peer):
    daemon = disk.under(house(broker.port)).start()
    daemon.connected()
    for n in range(3000):
        peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
        if n == 1000:
            disk.spoil("full")
    peer.settle()
    disk.said_so("full")
    daemon.kill()
    disk.mend("full")
    daemon.start()
    daemon.stored(3000)
    assert sorted(row[5] for row in daemon.export()) == list(range(3000))


def test_sigterm_on_a_full_disk_leaves_and_acknowledges_nothing(house, disk):
    with FakeBroker(session=True) as fake:
        daemon = disk.under(house(fake.port)).start()
        taker = fake.taker()
        disk.spoil("full")
        taker.publish("ecogov/v1/air/a1", '{"pm25": 3}', mid=1)
        disk.said_so("full")
        daemon.process.terminate()
        daemon.wait(30)
        assert taker.acks == []
        disk.mend("full")
        daemon.start()
        again = fake.taker()
        again.publish("ecogov/v1/air/a1", '{"pm25": 3}', mid=1, dup=True)
        assert again.acked(1)
        assert [row[5] for row in daemon.export()] == [3]
        daemon.stop()


def test_a_broken_disk_ends_it_and_the_next_life_goes_on(house, disk):
    with FakeBroker(session=True) as fake:
        daemon = disk.under(house(fake.port)).start()
        taker = fake.taker()
        disk.spoil("broken")
        taker.publish("ecogov/v1/air/a1", '{"pm25": 3}', mid=1)
        assert daemon.wait() == 1
        assert taker.acks == [] and "start again from what is on disk" in daemon.errors.read_text()
        disk.mend("broken")
        daemon.start()
        again = fake.taker()
        again.publish("ecogov/v1/air/a1", '{"pm25": 3}', mid=1, dup=True)
        assert again.acked(1)
        assert [row[5] for row in daemon.export()] == [3]
        daemon.stop()
        daemon.verify()


def test_at_max_size_the_oldest_give_way_and_ingest_goes_on(broker, house, peer):
    daemon = house(broker.port, store={"max_size": "2MB"}).start()
    daemon.connected()
    sent = 0
    with daemon.client() as client:
        while (status := client.call("status"))["store"]["readings"] >= status["readings"]["stored"] or sent < 100000:
            assert sent < 600000, "2 MB took all that"
            for _ in range(2000):
                peer.publish(f"ecogov/v1/air/d{sent % 40}", json.dumps({"light": sent % 199999 + 0.37}))
                sent += 1
            peer.settle()
    status = daemon.until(lambda status: status["readings"]["stored"] >= sent)
    assert not [fault for fault in status["faults"] if fault["key"].startswith("store.")]
    assert (daemon.folder / "ecogov.db").stat().st_size <= 2000000
    daemon.kill()
    daemon.verify()
    daemon.start()
    peer.publish("ecogov/v1/air/d7", json.dumps({"light": 5}))
    daemon.until(lambda status: status["readings"]["stored"] > sent)
    assert sorted(row["value"] for row in daemon.call("readings.latest", device="d7")) == [5]
    daemon.stop()
