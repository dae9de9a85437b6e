"""Configuration: --check, a bad start, SIGHUP with good and bad."""
import json
import os
import re
import subprocess
import time

import pytest

from fake import FakeBroker
from rpc import RpcError
from house import BIN, PM25_RULE, SHARED, SITES, SOURCES, ecogovd

BAD = """mqtt:
  hots: 127.0.0.1
  port: many
sites:
  - {id: v1, level: village}
  - {id: v1}
rules:
  - id: r
    quantity: pm25
    levels:
      warning: {open: 75}
"""


def test_check_of_a_good_file_exits_0_and_says_nothing(house):
    done = ecogovd("-c", house().config, "--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_tells_every_fault_at_its_place_and_exits_78(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    done = ecogovd("-c", file, "--check")
    assert done.returncode == 78
    lines = done.stderr.splitlines()
    assert all(re.match(rf"{re.escape(str(file))}:\d+:\d+: \S.*\S$", line) for line in lines), lines
    places = {tuple(line.split(":")[1:3]) for line in lines}
    assert {("2", "3"), ("3", "9"), ("11", "16")} <= places, lines
    assert "did you mean 'host'" in done.stderr and "'clear' is missing" in done.stderr


def test_check_tells_faults_between_entries_and_of_included_files(tmp_path):
    (tmp_path / "main.yaml").write_text("include: [parts/*.yaml, gone.yaml]\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/a.yaml").write_text("sites:\n  - {id: v1, parent: nowhere}\n")
    done = ecogovd("-c", tmp_path / "main.yaml", "--check")
    assert done.returncode == 78 and "gone.yaml cannot be read" in done.stderr
    (tmp_path / "gone.yaml").write_text("sites:\n  - {id: v1}\nrules:\n  - {id: r, quantity: pm25, sites: [v9],"
                                        " levels: {warning: {open: 10, clear: 20}}}\n")
    done = ecogovd("-c", tmp_path / "main.yaml", "--check")
    assert done.returncode == 78
    for part in ("parts/a.yaml:2:22: there is no site 'nowhere'", "gone.yaml:2:10: site 'v1' is given twice",
                 "there is no site 'v9' (did you mean 'v1'?)", "lies beyond open"):
        assert part in done.stderr, done.stderr


@pytest.mark.parametrize("text", ["{", "a: b: c", "- 1\n", "mqtt: 7\n", "\0", "&a [*a]", "[" * 100000, "mqtt: {port: 99999999999}\n"])
def test_check_of_what_is_no_configuration_exits_78(tmp_path, text):
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    done = ecogovd("-c", file, "--check")
    assert done.returncode == 78 and done.stderr.startswith(f"{file}:")


def test_a_daemon_with_a_bad_configuration_exits_78_with_the_same_faults(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    checked, started = ecogovd("-c", file, "--check"), ecogovd("-c", file)
    assert started.returncode == 78 and started.stderr == checked.stderr


def test_no_configuration_at_all_exits_78(tmp_path):
    assert ecogovd("-c", tmp_path / "none.yaml").returncode == 78


@pytest.mark.skipif(not (SHARED / "contract").is_dir(), reason="the contract's files are not here (ECOGOV_SHARED)")
def test_the_contracts_files_load_unchanged():
    done = ecogovd("-c", SHARED / "contract/ecogov.yaml", "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_reload_of_a_new_rule_takes_effect(daemon, peer):
    peer.tell("ecogov/v1/air/a1", '{"pm25": 90}')
    daemon.stored(1)
    assert daemon.status()["cases"]["active"] == 0
    daemon.configure(rules=[PM25_RULE])
    daemon.reload()
    assert [rule["id"] for rule in daemon.call("rules.list")] == ["pm25-now"]
    peer.tell("ecogov/v1/air/a1", '{"pm25": 91}')
    daemon.cases()


def test_reload_of_a_new_site_takes_effect(daemon, peer):
    peer.tell("ecogov/v3/air/a1", '{"pm25": 90}')
    daemon.until(lambda status: status["messages"]["quarantined"] == 1)
    daemon.configure(sites=SITES + [{"id": "v3"}])
    daemon.reload()
    peer.tell("ecogov/v3/air/a1", '{"pm25": 90}')
    daemon.stored(1)


def test_reload_keeps_open_cases_and_hold_timers(broker, house, peer):
    rule = {**PM25_RULE, "hold": "10m"}
    daemon = house(broker.port, rules=[rule]).start()
    daemon.connected()
    began = int(time.time()) - 1000  # within late_limit
    for device, ts in (("a1", began), ("a1", began + 600), ("a2", began)):
        peer.tell(f"ecogov/v1/air/{device}", json.dumps({"pm25": 90, "ts": ts}))
    daemon.stored(3)
    daemon.cases()
    daemon.configure(rules=[{"id": "other", "quantity": "no2", "levels": {"notice": {"open": 1, "clear": 1}}}, rule])
    daemon.reload()
    peer.tell("ecogov/v1/air/a1", json.dumps({"pm25": 92, "ts": began + 700}))
    peer.tell("ecogov/v1/air/a2", json.dumps({"pm25": 92, "ts": began + 600}))
    daemon.cases(2)
    cases = {case["device"]: case for case in daemon.call("cases.list")["cases"]}
    assert cases["a1"]["version"] == 1 and cases["a1"]["last"]["value"] == 92


def test_reload_subscribes_new_sources_and_unsubscribes_removed_ones(house):
    dusty = {"id": "dusty", "topic": "dusty/{site}/{device}/state", "domain": "air", "driver": "json"}
    with FakeBroker() as fake:
        daemon = house(fake.port).start()
        taker = fake.taker()
        assert taker.subscribed == {"ecogov/+/+/+"}
        daemon.configure(sources=[dusty])
        daemon.reload()
        with taker.changed:
            assert taker.changed.wait_for(lambda: taker.subscribed == {"dusty/+/+/state"}, 30), taker.subscribed
        daemon.stop()


def test_a_source_removed_while_the_daemon_was_down_is_unsubscribed(broker, house, peer):
    """The persistent session at the broker still holds the old subscription."""
    dusty = {"id": "dusty", "topic": "dusty/{site}/{device}/state", "domain": "air", "driver": "json"}
    daemon = house(broker.port, sources=[*SOURCES, dusty]).start()
    daemon.connected()
    daemon.stop()
    daemon.configure(sources=SOURCES)
    daemon.start()
    daemon.connected()
    peer.tell("dusty/v1/a1/state", '{"pm25": 1}')
    peer.tell("ecogov/v1/air/a1", '{"pm25": 1}')
    daemon.stored(1)
    assert daemon.status()["messages"]["received"] == 1


def test_reload_of_a_bad_file_changes_nothing_and_is_shown(daemon, peer):
    good = daemon.config.read_text()
    daemon.config.write_text(BAD)
    daemon.reload()
    (fault,) = daemon.status()["faults"]
    assert fault["key"] == "conf" and "ecogov.yaml:2:3: " in fault["text"]
    said = daemon.errors.read_text()
    assert "reload refused" in said and "ecogov.yaml:2:3: " in said and "ecogov.yaml:3:9: " in said
    peer.tell("ecogov/v1/air/a1", '{"pm25": 90}')
    daemon.stored(1)
    daemon.config.write_text(good)
    daemon.reload()
    assert daemon.status()["faults"] == []


def test_reload_to_another_broker(daemon, tmp_path):
    from broker import Broker, Peer
    other = Broker(tmp_path / "other").start()
    try:
        daemon.configure(mqtt={**daemon.keys["mqtt"], "port": other.port})
        daemon.reload()
        daemon.until(lambda status: status["broker"]["connected"] and status["broker"]["port"] == other.port)
        with Peer(other.port) as peer:
            peer.tell("ecogov/v1/air/a1", '{"pm25": 90}')
            daemon.stored(1)
        daemon.stop()
    finally:
        other.stop()


def test_hangups_in_a_row_under_load_lose_nothing(daemon, peer):
    for n in range(6000):
        peer.publish("ecogov/v1/air/a1", json.dumps({"light": n}))
        if n % 500 == 499:
            daemon.configure(rules=[{**PM25_RULE, "id": f"r{n}"}])
            daemon.reload()
    peer.settle()
    daemon.stored(6000)
    assert sorted(row[5] for row in daemon.export()) == list(range(6000))
    assert [rule["id"] for rule in daemon.call("rules.list")] == ["r5999"]


def ecogovctl(daemon, *words):
    return subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, *words], capture_output=True, text=True, check=False, timeout=60)


def test_a_reload_over_the_socket_tells_what_is_in_force_or_every_fault(daemon):
    assert daemon.call("rules.list") == []
    daemon.configure(rules=[PM25_RULE])
    answer = daemon.call("reload")
    assert (answer["rules"], answer["sites"], answer["restart_needed"]) == (1, len(SITES), False)
    assert [rule["id"] for rule in daemon.call("rules.list")] == ["pm25-now"]
    daemon.configure(rules=[{**PM25_RULE, "quantity": "pm52"}, {**PM25_RULE, "statistic": "median"}])
    with pytest.raises(RpcError) as refused:
        daemon.call("reload")
    assert refused.value.code == -32003
    assert "pm52" in str(refused.value) and "median" in str(refused.value)
    assert [rule["id"] for rule in daemon.call("rules.list")] == ["pm25-now"]
    done = ecogovctl(daemon, "reload")
    assert done.returncode == 1 and "pm52" in done.stderr
    store = daemon.keys["store"]
    daemon.configure(rules=[], store={**store, "max_size": "1GB"})
    assert daemon.call("reload")["restart_needed"] is True
    assert daemon.call("reload")["restart_needed"] is True  # still: it is the start that counts
    assert "0 rules" in ecogovctl(daemon, "reload").stdout
    daemon.drain_notify()  # its queue holds ten, and two come with each reload
    daemon.configure(store=store)
    assert daemon.call("reload")["restart_needed"] is False
    daemon.configure(mqtt={**daemon.keys["mqtt"], "client_id": "another"})
    assert [daemon.call("reload")["restart_needed"] for _ in range(2)] == [True, True]


def test_the_doctor_finds_what_is_wrong_and_says_what_to_do(daemon, broker, peer):
    peer.publish("ecogov/v1/air/a1", '{"pm25": 3}')
    daemon.stored(1)
    findings = json.loads(ecogovctl(daemon, "--json", "doctor").stdout)["findings"]
    found = {finding["about"]: finding["verdict"] for finding in findings}
    assert found == {**found, "version": "ok", "broker": "ok", "configuration": "ok", "messages": "ok", "devices": "ok", "parties": "warning"}
    peer.publish("ecogov/v1/air/a1", "{")
    peer.settle()
    daemon.configure(rules=[{**PM25_RULE, "quantity": "pm52"}])
    broker.stop()
    daemon.until(lambda status: not status["broker"]["connected"] and status["messages"]["quarantined"])
    done = ecogovctl(daemon, "doctor")
    assert done.returncode == 1
    assert "not connected to the broker" in done.stdout and "systemctl status mosquitto" in done.stdout
    assert "pm52" in done.stdout and "ecogovd --check" in done.stdout
    assert "1 of 2 messages could not be read" in done.stdout
    chinese = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "doctor"], capture_output=True, text=True, check=False,
                             env={**os.environ, "LC_ALL": "zh_CN.UTF-8"})
    assert "未连接代理" in chinese.stdout
    daemon.stop()
    assert ecogovctl(daemon, "doctor").returncode == 3
