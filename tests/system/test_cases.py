"""A breach becomes a case, people handle it, others are told: over MQTT and over the socket, across restarts."""
import json
import time

import pytest

from broker import Peer
from house import PM25_RULE
from rpc import RpcError


def minute(n):
    """RFC 3339, n minutes into a quiet hour that lies two hours back."""
    at = int(time.time()) // 3600 * 3600 - 7200 + n * 60
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def tell(peer, n, value, device="a1"):
    peer.tell(f"ecogov/v1/air/{device}", json.dumps({"pm25": value, "ts": minute(n)}))


def stamp(n):
    return minute(n).replace("Z", ".000Z")


@pytest.fixture
def ruled(broker, house):
    daemon = house(broker.port, mqtt={"publish": True}, rules=[PM25_RULE], parties=[{"id": "committee", "sector": "government"}, {"id": "volunteers", "sector": "society"}]).start()
    daemon.connected()
    return daemon


def test_breach_to_close(ruled, peer):
    """The whole life of a case, with every version and every notification."""
    peer.listen("ecogov/events/#")
    tell(peer, 0, 20)
    tell(peer, 1, 80)
    (case,) = ruled.cases()
    assert {key: case[key] for key in ("site", "device", "domain", "quantity", "rule", "level", "condition", "handling", "version")} == {
        "site": "v1", "device": "a1", "domain": "air", "quantity": "pm25", "rule": "pm25-now", "level": "warning",
        "condition": "breaching", "handling": "open", "version": 1}
    assert case["opened_at"] == stamp(1) and case["peak"] == {"value": 80, "time": stamp(1)}
    name = case["id"]

    acknowledged = ruled.call("cases.acknowledge", id=name, version=1, note="on my way")
    assert (acknowledged["handling"], acknowledged["version"]) == ("acknowledged", 2)
    with pytest.raises(RpcError) as refused:
        ruled.call("cases.acknowledge", id=name, version=2)
    assert refused.value.code == -32003 and "not allowed" in refused.value.message
    with pytest.raises(RpcError) as refused:
        ruled.call("cases.close", id=name, version=1)
    assert refused.value.code == -32003 and "moved on" in refused.value.message

    tell(peer, 2, 160)
    tell(peer, 3, 30)
    ruled.until(lambda _: ruled.call("cases.show", id=name)["condition"] == "ok")
    with pytest.raises(RpcError) as refused:
        ruled.call("cases.close", id=name, note="wind has turned")
    assert refused.value.code == -32003 and "somebody has verified it" in refused.value.message
    ruled.call("cases.fix", id=name, party="committee", note="wind has turned")
    closed = ruled.call("cases.close", id=name, party="volunteers")
    assert (closed["handling"], closed["version"]) == ("closed", 6)
    shown = ruled.call("cases.show", id=name)
    assert [(event["version"], event["kind"], event["from"] or "", event["to"] or "") for event in shown["history"]] == [
        (1, "opened", "", "warning"), (2, "acknowledged", "open", "acknowledged"), (3, "level", "warning", "critical"),
        (4, "condition", "breaching", "ok"), (5, "fixed", "acknowledged", "fixed"), (6, "verified", "fixed", "closed")]
    assert [event["party"] for event in shown["history"][-2:]] == ["committee", "volunteers"]
    assert shown["peak"] == {"value": 160, "time": stamp(2)}
    assert shown["history"][1]["note"] == "on my way"
    assert ruled.status()["cases"]["active"] == 0

    last = peer.hear(lambda topic, payload: json.loads(payload)["version"] == 6)
    assert last.topic == f"ecogov/events/case/v1/{name}" and not last.retain
    events = [json.loads(message.payload) for message in peer.heard]
    assert [event["version"] for event in events] == [1, 2, 3, 4, 5, 6]
    assert [event["event"] for event in events] == ["opened", "acknowledged", "level", "condition", "fixed", "verified"]


def test_a_case_is_told_to_watchers_at_once(ruled, peer):
    """commit_interval does not matter: a transition commits its turn."""
    ruled.configure(store={"path": "ecogov.db", "commit_interval": "10m"})
    ruled.reload()
    with ruled.client() as client:
        client.watch("cases", site="county")
        tell(peer, 0, 90)
        topic, event = client.note(timeout=60)
    assert topic == "cases" and event["kind"] == "opened" and event["case"]["device"] == "a1"
    assert ruled.export() != []


def test_a_write_is_committed_at_once(ruled, peer):
    tell(peer, 0, 90)
    ruled.cases()
    ruled.configure(store={"path": "ecogov.db", "commit_interval": "10m"})
    ruled.reload()
    ruled.call("cases.comment", id="1", note="seen", timeout=60)
    ruled.kill()
    ruled.start()
    assert ruled.call("cases.show", id="1")["history"][-1]["note"] == "seen"


def test_notifications_that_could_not_go_out_follow(ruled, broker, peer):
    """The broker is away when the case moves; it is told when it is back, also when the daemon was killed meanwhile."""
    tell(peer, 0, 90)
    ruled.cases()
    ruled.until(lambda _: not ruled.call("outbox.list", pending=True)["entries"])
    broker.stop()
    ruled.until(lambda status: not status["broker"]["connected"])
    ruled.call("cases.acknowledge", id="1")
    (entry,) = ruled.call("outbox.list", pending=True)["entries"]
    assert entry["state"] == "pending"
    ruled.kill()
    broker.start()
    with Peer(broker.port) as listener:
        listener.listen("ecogov/events/#")
        ruled.start()
        heard = listener.hear(lambda topic, payload: json.loads(payload)["event"] == "acknowledged")
        assert json.loads(heard.payload)["version"] == 2
    ruled.until(lambda _: not ruled.call("outbox.list", pending=True)["entries"])


def test_hold_goes_on_over_kill_9(broker, house, peer):
    """Ten minutes beyond the limit, with the daemon dead in between: the case opens as if it had lived on."""
    daemon = house(broker.port, rules=[{**PM25_RULE, "hold": "10m", "clear_hold": "5m"}]).start()
    daemon.connected()
    tell(peer, 0, 80)
    tell(peer, 6, 80)
    daemon.stored(2)
    daemon.kill()
    daemon.start()
    tell(peer, 9, 80)
    daemon.stored(3)
    assert daemon.status()["cases"]["open"] == 0
    daemon.kill()
    daemon.start()
    tell(peer, 10, 80)
    daemon.cases()
    assert daemon.call("cases.show", id="1")["opened_at"] == stamp(0)
    tell(peer, 11, 10)
    daemon.stored(5)
    daemon.kill()
    daemon.start()
    tell(peer, 15, 10)
    daemon.stored(6)
    assert daemon.call("cases.show", id="1")["condition"] == "breaching"
    tell(peer, 16, 10)
    daemon.until(lambda _: daemon.call("cases.show", id="1")["condition"] == "ok")


def test_window_goes_on_over_kill_9(broker, house, peer):
    rule = {"id": "mean", "quantity": "pm25", "statistic": "mean", "window": "1h", "levels": {"warning": {"open": 50, "clear": 40}}}
    daemon = house(broker.port, rules=[rule]).start()
    daemon.connected()
    for n, value in enumerate((10, 20, 90, 70)):
        tell(peer, n, value)
    daemon.stored(4)
    assert daemon.status()["cases"]["open"] == 0
    daemon.kill()
    daemon.start()
    tell(peer, 4, 100)
    daemon.cases()
    assert daemon.call("cases.show", id="1")["last"]["value"] == 58


def test_steps_that_need_something_say_so(ruled, peer):
    tell(peer, 0, 90)
    ruled.cases()
    for method, params, code in (("cases.reject", {}, -32602), ("cases.assign", {}, -32602),
                                 ("cases.assign", {"party": "nobody"}, -32602), ("cases.reopen", {}, -32003)):
        with pytest.raises(RpcError) as refused:
            ruled.call(method, id="1", **params)
        assert refused.value.code == code, (method, refused.value)
    with pytest.raises(RpcError) as refused:
        ruled.call("cases.close", id="v1-19700101-aaaa-9")
    assert refused.value.code == -32002
    assert ruled.call("cases.show", id="1")["version"] == 1
    assert ruled.call("cases.assign", id="1", party="committee")["assignee"] == "committee"


def test_a_closed_case_that_is_reopened_follows_its_readings_again(ruled, peer):
    tell(peer, 0, 90)
    ruled.cases()
    ruled.call("cases.fix", id="1", party="committee")
    ruled.call("cases.close", id="1", party="volunteers")
    assert ruled.call("cases.reopen", id="1")["reopened"] == 1
    tell(peer, 1, 95)
    ruled.stored(2)
    assert ruled.call("cases.list")["cases"][0]["last"]["value"] == 95
    assert len(ruled.call("cases.list")["cases"]) == 1


def test_what_falls_due_is_missed_on_its_own(broker, house, peer):
    """No message, no command: time alone moves the case, once for each deadline, also over a kill -9."""
    sites = [{"id": "county", "parties": ["bureau"]}, {"id": "v1", "parent": "county", "mode": "gap_filling", "parties": ["committee", "volunteers"]}]
    parties = [{"id": "bureau", "sector": "government"}, {"id": "committee", "sector": "government"}, {"id": "volunteers", "sector": "society"}]
    daemon = house(broker.port, mqtt={"publish": True}, sites=sites, parties=parties,
                   rules=[{**PM25_RULE, "deadline": {"acknowledge": "300ms", "fix": "1h"}}]).start()
    daemon.connected()
    peer.listen("ecogov/events/#")
    tell(peer, 0, 90)
    daemon.until(lambda _: any(case["overdue"] for case in daemon.call("cases.list")["cases"]))
    shown = daemon.call("cases.show", id="1")
    expected = [("opened", "warning"), ("missed", "acknowledge"), ("took_over", "committee"), ("escalated", "county"), ("missed", "acknowledge")]
    assert [(event["kind"], event["to"]) for event in shown["history"]] == expected
    assert (shown["lead"], shown["escalation"], shown["handling"]) == ("committee", 1, "open")
    told = json.loads(peer.hear(lambda topic, payload: json.loads(payload)["event"] == "escalated").payload)["told"]
    assert told == [{"party": "bureau", "why": "escalated"}]
    daemon.kill()
    daemon.start()
    assert daemon.call("cases.acknowledge", id="1", until="+1s")["due_at"] > shown["due_at"]
    daemon.kill()
    daemon.start()
    daemon.until(lambda _: daemon.call("cases.show", id="1")["handling"] == "open")
    assert daemon.call("cases.show", id="1")["history"][6]["kind"] == "expired"
    daemon.stop()
    daemon.verify()


def test_people_report_and_the_figures_count(broker, house, peer):
    """A resident's report over the socket and over MQTT, a manual reading, a repair disputed, a drill that no figure counts."""
    sources = [{"id": "village", "topic": "ecogov/{site}/{domain}/{device}", "driver": "json"},
               {"id": "reports", "topic": "reports/{site}/{domain}", "device": "reports", "driver": "report"}]
    daemon = house(broker.port, rules=[PM25_RULE], sources=sources, parties=[{"id": "committee", "sector": "government"}, {"id": "volunteers", "sector": "society"}]).start()
    daemon.connected()
    opened = daemon.call("reports.submit", site="v1", domain="waste", text="rubbish by the river", reporter="chen")
    assert (opened["kind"], opened["handling"], opened["quantity"], opened["title"]) == ("report", "open", None, "Report")
    peer.tell("reports/v1/waste", json.dumps({"text": "still there", "reporter": "hu"}))
    daemon.until(lambda _: daemon.call("cases.show", id=opened["id"])["version"] == 2)
    assert daemon.call("reports.submit", site="v1", domain="soil", quantity="ph", value=6.5) == {"id": None}
    (reading,) = daemon.call("readings.latest", domain="soil")
    assert (reading["device"], reading["value"], reading["flags"]) == ("manual", 6.5, ["manual"])
    daemon.call("cases.fix", id="1", party="committee")
    assert daemon.call("reports.submit", site="v1", domain="waste", repair="disputed", text="it is not gone")["handling"] == "open"
    daemon.call("cases.fix", id="1", party="committee")
    assert daemon.call("cases.verify", id="1", party="volunteers")["handling"] == "closed"
    drill = daemon.call("cases.drill", rule="pm25-now", site="v1")
    assert drill["title"] == PM25_RULE["id"]  # where its rule has no title
    assert drill["kind"] == "drill" and daemon.status()["cases"]["active"] == 0
    kpi = daemon.call("cases.kpi", site="v1")
    assert (kpi["cases"], kpi["closed"], kpi["disputed"], kpi["closing_rate"], kpi["verify"]["count"]) == (1, 1, 1, 1, 1)
    assert daemon.call("cases.kpi", domain="air")["cases"] == 0 and daemon.call("cases.kpi", party="committee")["cases"] == 1
    assert daemon.call("cases.kpi", to="-1h")["on_time_rate"] is None
    assert "groups" not in kpi
    (group,) = daemon.call("cases.kpi", by="party")["groups"]
    assert {"of": group.pop("of"), **group, "truncated": False} == {"of": "committee", **kpi}
    assert [group["of"] for group in daemon.call("cases.kpi", by="domain")["groups"]] == ["waste"]
    assert [len(group["of"]) for group in daemon.call("cases.kpi", by="month")["groups"]] == [7]
    assert daemon.call("cases.kpi", site="v2", by="site")["groups"] == []
    for params in ({"quantity": "ph"}, {"value": 3}, {"quantity": "ph", "value": 1, "unit": "km"}, {"text": "x", "site": "nowhere"}, {}):
        with pytest.raises(RpcError) as refused:
            daemon.call("reports.submit", **{"site": "v1", "domain": "soil", **params})
        assert refused.value.code == -32602, params
    daemon.stop()
    daemon.verify()


def test_the_daemon_says_online_and_its_will_says_offline(ruled, broker):
    with Peer(broker.port) as listener:
        listener.listen("ecogov/state/daemon")
        online = listener.hear(lambda topic, payload: payload == "online")
        assert online.topic == "ecogov/state/daemon"
        ruled.kill()
        listener.hear(lambda topic, payload: payload == "offline")
    with Peer(broker.port) as late:
        late.listen("ecogov/state/daemon")
        assert late.hear(lambda *_: True).payload == b"offline"
    ruled.start()
    with Peer(broker.port) as listener:
        listener.listen("ecogov/state/daemon")
        listener.hear(lambda topic, payload: payload == "online")
        ruled.stop()
        listener.hear(lambda topic, payload: payload == "offline")


def test_the_daemon_does_not_read_what_it_publishes(broker, house, peer):
    """Its own events lie under a template that matches everything; somebody else's under those topics are not readings either."""
    everything = {"id": "all", "topic": "{site}/{domain}/#", "device": "any", "driver": "json"}
    daemon = house(broker.port, mqtt={"publish": True}, sources=[everything], rules=[PM25_RULE]).start()
    daemon.connected()
    peer.tell("v1/air/x", json.dumps({"pm25": 300, "ts": minute(0)}))
    daemon.cases()
    status = daemon.until(lambda _: not daemon.call("outbox.list", pending=True)["entries"])
    assert status["messages"]["decoded"] == 1 and status["messages"]["quarantined"] == 0
