"""The file for Prometheus, as node_exporter would find it."""
import os
import re
import shutil
import subprocess
import time

import pytest

from house import PM25_RULE

SAMPLE = re.compile(r'([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (\S+)')


def read(path):
    """Samples by what stands before the value; every line must be one, or a comment."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(("# HELP ecogov_", "# TYPE ecogov_")):
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        assert name + (labels or "") not in found
        found[name + (labels or "")] = float(value)
    return found


def until(path, reached):
    """The next file that is as it should be; it comes by its name, so its change is waited for."""
    end = time.monotonic() + 60
    seen = None
    while time.monotonic() < end:
        try:
            seen = read(path)
        except FileNotFoundError:
            seen = None
        if seen is not None and reached(seen):
            return seen
        os.sched_yield()
        time.sleep(0.05)
    raise TimeoutError(f"{path}: {seen}")


def test_the_file_tells_what_status_tells(broker, house, peer, tmp_path):
    folder = tmp_path / "collector"
    folder.mkdir()
    path = folder / "ecogov.prom"
    daemon = house(broker.port, rules=[PM25_RULE], metrics={"file": str(path), "interval": "1s"}).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 160}')
    peer.tell("ecogov/v2/air/a2", '{"pm25": 12.5, "temperature": -3}')
    peer.tell("ecogov/v2/air/a2", "no JSON")
    status = daemon.until(lambda now: now["messages"]["received"] == 3 and now["cases"]["active"] == 1)
    found = until(path, lambda now: now['ecogov_messages_total{verdict="quarantined"}'] == 1)
    assert found['ecogov_messages_total{verdict="decoded"}'] == 2 and found['ecogov_readings_total{fate="stored"}'] == 3
    assert found['ecogov_reading{site="v1",domain="air",device="a1",quantity="pm25",channel="",unit="ug/m3"}'] == 160
    assert found['ecogov_reading{site="v2",domain="air",device="a2",quantity="pm25",channel="",unit="ug/m3"}'] == 12.5
    assert found['ecogov_cases_open{site="v1",level="critical"}'] == 1 and found['ecogov_cases_open{site="v2",level="critical"}'] == 0
    assert found['ecogov_devices{site="v2",state="heard"}'] == 1
    assert found["ecogov_faults"] == len(status["faults"]) and found["ecogov_broker_connected"] == 1
    assert found["ecogov_store_bytes"] > 0 and abs(found["ecogov_start_time_seconds"] - time.time()) < 3600
    assert path.stat().st_mode & 0o777 == 0o644 and sorted(os.listdir(folder)) == ["ecogov.prom"]
    daemon.kill()
    assert path.exists()  # old, as its time says
    daemon.start()
    again = until(path, lambda now: now["ecogov_start_time_seconds"] > found["ecogov_start_time_seconds"])
    assert again['ecogov_messages_total{verdict="decoded"}'] == 2  # counters go on
    daemon.stop()
    assert os.listdir(folder) == []


def test_a_file_that_cannot_be_written_is_a_fault_that_heals(broker, house, tmp_path):
    path = tmp_path / "not-there-yet" / "ecogov.prom"
    daemon = house(broker.port, metrics={"file": str(path), "interval": "1s"}).start()
    status = daemon.until(lambda now: any(fault["key"] == "metrics" for fault in now["faults"]))
    text = next(fault["text"] for fault in status["faults"] if fault["key"] == "metrics")
    assert str(path) in text and "No such file or directory" in text
    path.parent.mkdir()
    daemon.until(lambda now: not any(fault["key"] == "metrics" for fault in now["faults"]))
    assert read(path)["ecogov_start_time_seconds"] > 0
    keys = daemon.keys
    del keys["metrics"]
    daemon.configure()
    daemon.reload()  # not wanted any more
    assert os.listdir(path.parent) == []


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian's package prometheus)")
def test_promtool_finds_nothing_to_say(broker, house, peer, tmp_path):
    path = tmp_path / "ecogov.prom"
    daemon = house(broker.port, rules=[PM25_RULE], metrics={"file": str(path), "interval": "1s"}).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 160, "temp": 20, "soil_ec": 0.4}')
    daemon.until(lambda now: now["cases"]["active"] == 1)
    until(path, lambda now: now['ecogov_cases_open{site="v1",level="critical"}'] == 1)
    done = subprocess.run(["promtool", "check", "metrics"], input=path.read_bytes(), capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
