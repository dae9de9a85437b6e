"""A disk that is really full: a small file system of its own. Readings wait at the broker; cases, reports and the socket go on; it heals
by itself."""
import json
import pathlib
import subprocess

import pytest

from house import PM25_RULE

SIZE = 12 << 20
RESERVE = 64_000_000 // 64


@pytest.fixture
def small_disk(tmp_path):
    """A tmpfs of 12 MB."""
    place = tmp_path / "card"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system of its own may be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(place):
    """Takes every block that is left."""
    with open(place / "hoard", "ab", buffering=0) as hoard:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    hoard.write(b"x" * size)
            except OSError:
                pass


def is_full(status):
    return any(fault["key"] == "store.full" and "cases go on" in fault["text"] for fault in status["faults"])


def is_well(status):
    return not any(fault["key"] == "store.full" for fault in status["faults"])


@pytest.fixture
def gateway(small_disk, broker, house):
    return house(broker.port, rules=[PM25_RULE], store={"path": str(small_disk / "ecogov.db"), "max_size": "64MB"}).start()


def publish(peer, first, count):
    for n in range(first, first + count):
        peer.publish("ecogov/v1/soil/s1", json.dumps({"light": n}))


def test_readings_wait_and_cases_go_on(gateway, peer, small_disk):
    gateway.connected()
    peer.publish("ecogov/v1/air/a1", '{"pm25": 99}')
    case = gateway.cases()[0]
    reserve = pathlib.Path(f"{small_disk}/ecogov.db.reserve")
    assert reserve.stat().st_blocks * 512 >= RESERVE
    fill(small_disk)
    publish(peer, 0, 20000)
    gateway.until(is_full)
    assert not reserve.exists()
    case = gateway.call("cases.acknowledge", id=case["id"], version=case["version"])
    for n in range(50):
        case = gateway.call("cases.comment", id=case["id"], version=case["version"], note=f"still burning {n}")
    assert case["handling"] == "acknowledged"
    opened = gateway.call("reports.submit", site="v2", domain="waste", text="a heap of garbage")
    assert len(gateway.cases(2)) == 2
    assert gateway.call("cases.show", id=opened["id"])["site"] == "v2"
    status = gateway.status()
    assert is_full(status) and status["store"]["readings"] < 20001
    assert "store.full" not in gateway.call("summary")
    (small_disk / "hoard").unlink()
    status = gateway.stored(20001)
    gateway.until(is_well)
    assert reserve.stat().st_blocks * 512 >= RESERVE
    assert sorted(row[5] for row in gateway.export(device="s1")) == list(range(20000))
    gateway.stop()
    gateway.verify()


def test_it_starts_on_a_full_disk_and_cases_go_on(gateway, peer, small_disk):
    gateway.connected()
    peer.publish("ecogov/v1/air/a1", '{"pm25": 99}')
    case = gateway.cases()[0]
    gateway.stop()
    fill(small_disk)
    gateway.start()
    gateway.until(is_full)
    case = gateway.call("cases.acknowledge", id=case["id"], version=case["version"])
    gateway.kill()
    gateway.start()
    assert gateway.call("cases.show", id=case["id"])["handling"] == "acknowledged"
    (small_disk / "hoard").unlink()
    gateway.until(is_well)
    gateway.connected()
    publish(peer, 0, 100)
    gateway.stored(101)
    gateway.stop()
    gateway.verify()
