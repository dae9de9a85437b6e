"""Messages to parties over real servers: what each kind of channel sends, and what becomes of it when the receiver fails, hangs, redirects,
answers garbage, closes in the middle, or the daemon is killed."""
import base64
import email
import email.header
import email.policy
import hashlib
import hmac
import json
import os
import select
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import urllib.parse

import pytest

import house as houses
from receiver import Receiver

SITES = [{"id": "v1", "name": "一村", "parties": ["grid"]}]
RULE = {**houses.PM25_RULE, "title_zh": "扬尘", "action": "到上风向查看。", "deadline": {"acknowledge": "2h", "fix": "48h"}}
FAST = {"retry": "20ms", "timeout": "1s"}


def keys(channels, routes=None, **party):
    routes = routes or [{"id": channel["id"]} for channel in channels]
    grid = {"id": "grid", "name": "网格员", "sector": "society", "channels": routes, **party}
    return {"channels": channels, "parties": [grid], "sites": SITES, "rules": [RULE]}


def webhook(receiver, name="hook", path="/", **more):
    return {"id": name, "kind": "webhook", "url": receiver.url(path), "limit": 0, **FAST, **more}


def pm25(peer, value, device="a1"):
    peer.tell(f"ecogov/v1/air/{device}", json.dumps({"pm25": value}))


def entries(daemon, state):
    return [entry for entry in daemon.call("outbox.list", limit=200)["entries"] if entry["state"] == state and entry.get("party")]


def until_entries(daemon, state, count=1):
    found = []

    def look(_):
        found[:] = entries(daemon, state)
        return len(found) >= count

    daemon.until(look)
    return found


def run(broker, house, configuration):
    daemon = house(broker.port, **configuration).start()
    daemon.connected()
    return daemon


def test_a_webhook_says_what_where_since_when_and_what_to_do(broker, peer, house):
    with Receiver() as receiver:
        daemon = run(broker, house, keys([webhook(receiver)]))
        pm25(peer, 90)
        receiver.wait(lambda r: r.arrived)
        _, headers, body, _ = receiver.arrived[0]
        message = json.loads(body)
        assert headers["Content-Type"].startswith("application/json") and headers["Idempotency-Key"] == message["key"]
        assert message["title"] == "【警告】一村 扬尘"
        for piece in ("地点：一村 a1", "扬尘 90.0 ug/m3\n限值：75.0 ug/m3\n峰值：90.0 ug/m3\n", "处置：到上风向查看。", "期限：", message["case"]):
            assert piece in message["text"], message["text"]
        assert "同时通知" not in message["text"]  # nobody else is told: the line is left out
        assert message["line"].startswith("【警告】一村a1扬尘90.0") and len(message["line"].encode()) < 160
        until_entries(daemon, "delivered")
        daemon.stop()
        daemon.verify()


@pytest.mark.parametrize("bad", [500, 503, 408, 429, "hang", "close", (200, {}, b"x" * 100000)], ids=str)
def test_what_passes_is_tried_again(broker, peer, house, bad):
    with Receiver(lambda number, path: bad if number < 3 else 200) as receiver:
        daemon = run(broker, house, keys([webhook(receiver, timeout="300ms")]))
        pm25(peer, 90)
        receiver.wait(lambda r: len(r.requests) >= 4)
        done = until_entries(daemon, "delivered")
        assert len({headers["Idempotency-Key"] for _, headers, _, _ in receiver.requests}) == 1
        assert len(receiver.requests) == 4 and len(done) == 1
        daemon.until(lambda status: not status["faults"])


def test_retry_after_is_heeded(broker, peer, house):
    with Receiver(lambda number, path: (429, {"Retry-After": "2"}, b"") if number == 0 else 200) as receiver:
        run(broker, house, keys([webhook(receiver)]))
        pm25(peer, 90)
        receiver.wait(lambda r: r.arrived)
        assert receiver.requests[1][3] - receiver.requests[0][3] > 1.9


@pytest.mark.parametrize("bad", [404, 400, 302], ids=str)
def test_what_is_refused_goes_the_next_way(broker, peer, house, bad):
    with Receiver(lambda number, path: (bad, {"Location": "http://127.0.0.1:9/"}, b"") if path == "/one" else 200) as receiver:
        channels = [webhook(receiver, "one", "/one"), webhook(receiver, "two", "/two"), webhook(receiver, "three", "/three")]
        routes = [{"id": "one"}, {"id": "two", "fallback": True}, {"id": "three", "fallback": True}]
        daemon = run(broker, house, keys(channels, routes))
        pm25(peer, 90)
        receiver.wait(lambda r: r.arrived)
        failed = until_entries(daemon, "failed")
        assert [path for path, *_ in receiver.requests] == ["/one", "/two"]
        assert f"HTTP {bad}" in failed[0]["error"]
        assert daemon.status()["faults"][0]["key"] == "notify.one"
        pm25(peer, 20)  # the all-clear goes where the alarm went
        receiver.wait(lambda r: sum(path == "/two" for path, *_ in r.arrived) == 2)
        daemon.until(lambda status: status["outbox"]["pending"] == 0)
        assert not any(path == "/three" for path, *_ in receiver.requests)


def test_who_cannot_be_reached_is_told_to_others(broker, peer, house):
    with Receiver(lambda number, path: 500 if path == "/deaf" else 200) as receiver:
        configuration = keys([webhook(receiver, "deaf", "/deaf", give_up="200ms"), webhook(receiver, "well", "/well")])
        configuration["parties"] = [{"id": "grid", "name": "网格员", "sector": "society", "channels": [{"id": "deaf"}]},
                                    {"id": "bureau", "sector": "government", "language": "en", "channels": [{"id": "well"}]}]
        configuration["sites"] = [{"id": "v1", "name": "一村", "parties": ["grid", "bureau"]}]
        daemon = run(broker, house, configuration)
        pm25(peer, 90)
        receiver.wait(lambda r: any(m["why"] == "unreachable" for m in r.messages()))
        message = next(m for m in receiver.messages() if m["why"] == "unreachable")
        assert message["party"] == "bureau" and "网格员" in message["text"] and "HTTP 500" in message["text"]
        assert until_entries(daemon, "unreachable")[0]["tries"] >= 3  # and it goes on
        status = daemon.status()
        assert status["outbox"]["unreachable"] == 1 and any(f["key"] == "notify.deaf" for f in status["faults"])
        receiver.behave = lambda number, path: 200
        daemon.until(lambda status: status["outbox"]["pending"] == 0)
        assert sum(m["why"] == "unreachable" for m in receiver.messages()) == 1
        daemon.until(lambda status: not status["faults"])


def test_a_failing_receiver_holds_nobody_up(broker, peer, house):
    with Receiver(lambda number, path: "hang" if path == "/dead" else 200) as receiver:
        channels = [webhook(receiver, "dead", "/dead", timeout="10s"), webhook(receiver, "well", "/well")]
        run(broker, house, keys(channels))
        for device in range(20):
            pm25(peer, 90, f"a{device}")
        receiver.wait(lambda r: len(r.arrived) == 20)
        assert len({headers["Idempotency-Key"] for _, headers, _, _ in receiver.arrived}) == 20


def test_many_with_every_third_failing_each_once(broker, peer, house):
    """ECOGOV_ALERTS: how many (10,000 for a long run)."""
    count = int(os.environ.get("ECOGOV_ALERTS", "300"))
    with Receiver(lambda number, path: 500 if number % 3 == 0 else 200) as receiver:
        daemon = run(broker, house, keys([webhook(receiver, retry="10ms")]))
        for device in range(count):
            peer.publish(f"ecogov/v1/air/a{device}", json.dumps({"pm25": 90}))
        peer.settle()
        receiver.wait(lambda r: len(r.arrived) >= count, 120 + count // 10)
        assert len(receiver.requests) >= count + count // 3
        daemon.until(lambda status: status["outbox"]["pending"] == 0)
        assert len(receiver.arrived) == len({headers["Idempotency-Key"] for _, headers, _, _ in receiver.arrived}) == count


def test_a_storm_is_a_few_messages_that_name_every_critical_case(broker, peer, house):
    count = 120
    with Receiver() as receiver:
        daemon = run(broker, house, keys([webhook(receiver, limit=5)]))
        for device in range(count):
            peer.publish(f"ecogov/v1/air/a{device}", json.dumps({"pm25": 200 if device % 10 == 0 else 90}))
        peer.settle()

        def told(receiver):
            messages = receiver.messages()
            return len({m["key"] for m in messages if m["why"] == "opened"}) + sum(m["count"] for m in messages if m["why"] == "gathered")

        receiver.wait(lambda r: told(r) >= count, 90)
        daemon.until(lambda status: status["outbox"]["pending"] == 0)
        messages = receiver.messages()
        assert told(receiver) == count and len(messages) < 20
        named = [m["case"] for m in messages if m["why"] == "opened" and m["level"] == "critical"]
        gathered = [m for m in messages if m["why"] == "gathered"]
        assert gathered and gathered[0]["title"].startswith(f"{gathered[0]['count']}条通知")
        numbers = [number for m in gathered for number in m["cases"]]
        assert len(numbers) == len(set(numbers))
        assert len(named) + sum(m["text"].count("【严重】") for m in gathered) == count // 10
        carried = entries(daemon, "carried")
        assert carried and all(entry["carried_by"] > entry["id"] for entry in carried)
        daemon.stop()
        daemon.verify()


def test_killed_again_and_again(broker, peer, house):
    """At most what was in flight, one for a receiver, comes once more for each kill."""
    count, kills = 60, 6
    with Receiver() as receiver:
        daemon = run(broker, house, keys([webhook(receiver)]))
        for device in range(count):
            peer.publish(f"ecogov/v1/air/a{device}", json.dumps({"pm25": 90}))
        for kill in range(kills):
            receiver.wait(lambda r, most=(kill + 1) * 7: len(r.requests) >= most)
            daemon.kill()
            daemon.start()
        receiver.wait(lambda r: len({headers["Idempotency-Key"] for _, headers, _, _ in r.arrived}) == count)
        daemon.until(lambda status: status["outbox"]["pending"] == 0)
        assert len(receiver.arrived) <= count + kills


LIBRARY = houses.BIN.parent / "lib" / "dying.so"


def test_killed_at_every_step(broker, peer, house, tmp_path):
    """Dies before the n-th call of a delivery: connecting, sending, receiving, each write and sync of the store. Each alert arrives, and at
    most one message, what was in flight, comes once more. ECOGOV_STEPS: which n ("1,2,3", or "all"; by default every seventh)."""
    wanted = os.environ.get("ECOGOV_STEPS", "")
    folder = tmp_path / "dying"
    folder.mkdir()
    with Receiver() as receiver:
        daemon = house(broker.port, **keys([webhook(receiver)]))
        asan = os.environ.get("ASAN_OPTIONS", "")
        daemon.environment = {"LD_PRELOAD": str(LIBRARY), "ECOGOV_DYING": str(folder), "ECOGOV_DYING_PORT": str(receiver.port),
                              "ASAN_OPTIONS": ":".join(filter(None, (asan, "verify_asan_link_order=0")))}
        daemon.start()
        daemon.connected()
        steps = [int(n) for n in wanted.split(",")] if wanted and wanted != "all" else range(1, 1000, 1 if wanted else 7)
        died = 0
        for n in steps:
            (folder / "armed").write_text(str(n))
            peer.publish(f"ecogov/v1/air/n{n}", json.dumps({"pm25": 90}))
            ended = select.poll()
            pid = os.pidfd_open(daemon.process.pid)
            ended.register(pid, select.POLLIN)
            for _ in range(600):
                killed = bool(ended.poll(50))
                if killed or (entries_quietly(daemon) == 0 and f"n{n}" in devices(receiver)):
                    break
            os.close(pid)
            (folder / "armed").unlink()
            if killed:
                died += 1
                assert daemon.process.wait() == -signal.SIGKILL
                daemon.process = None
            else:
                daemon.stop()
            daemon.start()
            daemon.connected()
            receiver.wait(lambda r, name=f"n{n}": name in devices(r))
            daemon.until(lambda status: status["outbox"]["pending"] == 0)
            assert devices(receiver).count(f"n{n}") <= 1 + killed
            if not killed:
                break  # a delivery has no more steps
        assert died > 2 and (wanted or not killed)
        by_key = {}
        for message in receiver.messages():
            by_key.setdefault(message["device"], set()).add(message["key"])
        assert all(len(found) == 1 for found in by_key.values())  # the same key whenever it came again
        daemon.stop()
        daemon.verify()


def devices(receiver):
    return [message["device"] for message in receiver.messages()]


def entries_quietly(daemon):
    """How many wait in the outbox; None: the daemon does not answer (any more)."""
    try:
        return daemon.status()["outbox"]["pending"]
    except (OSError, ValueError, EOFError):
        return None


def test_a_reminder_nobody_needs_any_more_is_not_sent(broker, peer, house):
    """Two that waited in the outbox while the daemon was down: of a case that was acknowledged meanwhile, and of one that was not."""
    with Receiver() as receiver:
        daemon = run(broker, house, keys([webhook(receiver)]))
        for device in ("a1", "a2"):
            pm25(peer, 90, device)
            receiver.wait(lambda r, name=device: name in devices(r))
        daemon.call("cases.acknowledge", id="1")
        daemon.until(lambda status: status["outbox"]["pending"] == 0)
        daemon.stop()
        with sqlite3.connect(daemon.folder / "ecogov.db") as store:
            last = store.execute("SELECT max(id) FROM outbox").fetchone()[0]
            for case in (1, 2):
                store.execute("INSERT INTO outbox(id,channel,recipient,key,body,created_at,retain,party,why,line,case_number,level,not_before)"
                              " SELECT ?,channel,recipient,key||'-again',body,created_at,0,party,'repeated',line,case_number,level,0 FROM outbox"
                              " WHERE case_number=? AND party<>'' ORDER BY id LIMIT 1", (last + case, case))
        daemon.start()
        daemon.connected()
        receiver.wait(lambda r: len(r.arrived) == 3)
        daemon.until(lambda status: status["outbox"]["pending"] == 0)
        assert [headers["Idempotency-Key"].endswith("-again") for _, headers, _, _ in receiver.arrived] == [False, False, True]
        assert receiver.messages()[2]["device"] == "a2"
        (gone,) = [entry for entry in entries(daemon, "failed") if entry["why"] == "repeated"]
        assert gone["case"] == 1 and gone["error"] == "not sent: it was acknowledged, or is over"
        assert not [fault for fault in daemon.status()["faults"] if fault["key"].startswith("notify.")]


def test_what_is_told_late_is_resolved_for_alertmanager(broker, peer, house):
    with Receiver() as receiver:
        daemon = run(broker, house, keys([webhook(receiver, format="alertmanager")]))
        daemon.call("silences.add", site="v1", reason="works", expires="+1h")
        pm25(peer, 90)
        pm25(peer, 30, "a2")
        daemon.cases()
        daemon.call("silences.remove", id=1)
        receiver.wait(lambda r: len(r.arrived) == 1)
        daemon.call("silences.add", site="v1", reason="works", expires="+1h")
        pm25(peer, 30)
        daemon.until(lambda _: daemon.call("cases.show", id="1")["condition"] == "ok")
        daemon.call("silences.remove", id=2)
        receiver.wait(lambda r: len(r.arrived) == 2)
        first, second = [message[0] for message in receiver.messages()]
        assert first["labels"] == second["labels"] and "endsAt" not in first and second["endsAt"] > second["startsAt"]


def test_the_digest_that_was_due_while_nobody_was_there(broker, peer, house):
    with Receiver() as receiver:
        daemon = run(broker, house, keys([webhook(receiver)], [{"id": "hook", "digest": "07:30"}], language="en"))
        pm25(peer, 90)
        receiver.wait(lambda r: len(r.arrived) == 1)
        daemon.until(lambda status: status["outbox"]["pending"] == 0)
        daemon.stop()
        with sqlite3.connect(daemon.folder / "ecogov.db") as store:
            assert store.execute("UPDATE told SET at=0 WHERE case_number=0").rowcount == 1  # sent last long ago
        daemon.start()
        receiver.wait(lambda r: len(r.arrived) == 2)
        digest = receiver.messages()[1]
        assert digest["why"] == "digest" and digest["cases"] == [1] and digest["title"].endswith("1 open cases, 0 of them critical")
        assert digest["text"].startswith("一村:\n- [warning] 一村 a1: ") and digest["text"].endswith("#1 (open)\n")
        daemon.kill()
        daemon.start()
        daemon.connected()
        pm25(peer, 30)
        receiver.wait(lambda r: r.messages()[-1]["why"] == "recovered")
        assert len([m for m in receiver.messages() if m["why"] == "digest"]) <= 2  # what was in flight
        daemon.stop()
        daemon.verify()


def test_private_addresses_must_be_meant(broker, peer, house):
    with Receiver() as receiver:
        name = {"id": "hook", "kind": "webhook", "url": f"http://{os.uname().nodename}.localhost:{receiver.port}/", **FAST}
        daemon = run(broker, house, keys([name]))
        pm25(peer, 90)
        assert "private_network" in until_entries(daemon, "failed")[0]["error"] and not receiver.requests
        daemon.configure(**keys([{**name, "private_network": True}]))
        daemon.reload()
        pm25(peer, 160)
        receiver.wait(lambda r: r.arrived)


def test_robots_and_their_signatures(broker, peer, house, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("SECabc\n")
    secret.chmod(0o600)
    answers = {"/wecom": b'{"errcode":0,"errmsg":"ok"}', "/ding": b'{"errcode":0}', "/feishu": b'{"code":0,"msg":"success"}'}
    portal = []

    def behave(number, path):
        if path == "/wecom" and not portal:
            portal.append(path)
            return 200, {}, b"<html>please log in</html>"
        return 200, {}, answers.get(path.split("?")[0], b"")

    with Receiver(behave) as receiver:
        formats = {"wecom": {}, "dingtalk": {"secret_file": str(secret)}, "feishu": {"secret_file": str(secret)}, "ntfy": {},
                   "slack": {}, "alertmanager": {}, "text": {}, "json": {"secret_file": str(secret)}}
        paths = {"dingtalk": "/ding?access_token=x"}
        channels = [webhook(receiver, name, paths.get(name, "/" + name), format=name, **more) for name, more in formats.items()]
        daemon = run(broker, house, keys(channels))
        pm25(peer, 90)
        until_entries(daemon, "delivered", len(formats))
        got = {path.split("?")[0][1:]: (path, headers, body) for path, headers, body, _ in receiver.arrived}
        assert sum(path == "/wecom" for path, *_ in receiver.requests) == 2  # what the portal said counted for nothing
        assert "一村" in json.loads(got["wecom"][2])["text"]["content"]
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(got["ding"][0]).query)
        sign = hmac.new(b"SECabc", f"{query['timestamp'][0]}\nSECabc".encode(), hashlib.sha256).digest()
        assert query["access_token"] == ["x"] and query["sign"] == [base64.b64encode(sign).decode()]
        feishu = json.loads(got["feishu"][2])
        sign = hmac.new(f"{feishu['timestamp']}\nSECabc".encode(), b"", hashlib.sha256).digest()
        assert feishu["sign"] == base64.b64encode(sign).decode() and "扬尘" in feishu["content"]["text"]
        title = email.header.make_header(email.header.decode_header(got["ntfy"][1]["X-Title"]))
        assert str(title) == "【警告】一村 扬尘" and got["ntfy"][1]["X-Priority"] == "4"
        assert "扬尘" in json.loads(got["slack"][2])["text"]
        alert = json.loads(got["alertmanager"][2])[0]
        assert alert["labels"]["alertname"] == "pm25-now" and alert["labels"]["severity"] == "warning" and "endsAt" not in alert
        assert got["text"][2].decode().startswith("【警告】")
        wanted = hmac.new(b"SECabc", got["json"][2], hashlib.sha256).hexdigest()
        assert got["json"][1]["X-Ecogov-Signature"] == f"sha256={wanted}"
        said = daemon.errors.read_text() + json.dumps(daemon.status()) + json.dumps(daemon.call("outbox.list", limit=200))
        assert "SECabc" not in said and "access_token" not in said


def script(folder, text):
    path = folder / "program"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_program_gets_it_on_its_input(broker, peer, house, tmp_path):
    out = tmp_path / "out"
    program = script(tmp_path, f'cat > {out}.new; echo "$1 $ECOGOV_LEVEL" >> {out}.new; env >> {out}.new; mv {out}.new {out}\n')
    channel = {"id": "sms", "kind": "exec", "program": program, "arguments": ["{to}"], **FAST}
    os.environ["ECOGOV_TEST_PRIVATE"] = "hidden"
    daemon = run(broker, house, keys([channel], [{"id": "sms", "to": "+8613800000000; rm -rf /"}]))
    pm25(peer, 90)
    until_entries(daemon, "delivered")
    body, arguments, *environment = out.read_text().splitlines()
    assert json.loads(body)["line"].startswith("【警告】") and arguments == "+8613800000000; rm -rf / warning"
    assert not any("hidden" in line for line in environment)


@pytest.mark.parametrize("text,state", [("exit 67", "failed"), ("sleep 100 & wait", "pending"), ("exit 1", "pending")])
def test_programs_that_fail(broker, peer, house, tmp_path, text, state):
    channel = {"id": "sms", "kind": "exec", "program": script(tmp_path, text + "\n"), "retry": "20ms", "timeout": "150ms"}
    daemon = run(broker, house, keys([channel]))
    pm25(peer, 90)
    found = []

    def look(_):
        found[:] = [entry for entry in entries(daemon, state) if entry["error"]]
        return found

    daemon.until(look)
    wanted = {"exit 67": "exit 67", "sleep 100 & wait": "took too long", "exit 1": "exit 1"}[text]
    assert wanted in found[0]["error"] and (state == "failed" or found[0]["tries"] >= 1)


class Mailbox:
    """An SMTP server with STARTTLS; takes mail only over TLS."""

    def __init__(self, folder, answer="250 OK"):
        controller = pytest.importorskip("aiosmtpd.controller")
        import ssl
        self.certificate, key = folder / "cert.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-keyout", key, "-out", self.certificate, "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.mails, self.changed, self.answer, self.tries = [], threading.Condition(), answer, 0

        async def handle_data(_self, _server, _session, envelope):
            with self.changed:
                self.tries += 1
                said = self.answer if isinstance(self.answer, str) else self.answer(self.tries)
                if said.startswith("2"):
                    self.mails.append(envelope)
                self.changed.notify_all()
            return said

        handler = type("Handler", (), {"handle_DATA": handle_data})()
        self.controller = controller.Controller(handler, hostname="127.0.0.1", port=0, tls_context=context, require_starttls=True)
        self.controller._trigger_server = self._trigger  # its own would connect to port 0
        self.controller.start()
        self.port = self.controller.server.sockets[0].getsockname()[1]

    def _trigger(self):
        with socket.create_connection(self.controller.server.sockets[0].getsockname()) as client:
            client.recv(1024)

    def wait(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.mails) >= count, 60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.controller.stop()


def mail_keys(box, **more):
    channel = {"id": "mail", "kind": "mail", "url": f"smtp://localhost:{box.port}", "from": "ecogov@example.org",
               "private_network": True, **FAST, "timeout": "5s", **more}
    return keys([channel], [{"id": "mail", "to": "li@example.org"}])


def test_mail_over_starttls(broker, peer, house, tmp_path):
    with Mailbox(tmp_path, lambda tries: "451 later" if tries == 1 else "250 OK") as box:
        daemon = run(broker, house, mail_keys(box, ca_file=str(box.certificate)))
        pm25(peer, 90)
        box.wait(1)
        until_entries(daemon, "delivered")
        mail = email.message_from_bytes(box.mails[0].content, policy=email.policy.default)
        assert box.mails[0].rcpt_tos == ["li@example.org"] and mail["From"] == "ecogov@example.org"
        assert mail["Subject"] == "【警告】一村 扬尘" and mail["Message-ID"].endswith("@example.org>") and mail["Date"]
        parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
        assert "处置：到上风向查看。" in parts["text/plain"] and "处置：到上风向查看。<br>" in parts["text/html"]


def test_mail_is_not_sent_to_a_stranger_and_refusals_are_final(broker, peer, house, tmp_path):
    with Mailbox(tmp_path, "550 no such user") as box:
        daemon = run(broker, house, mail_keys(box))  # its certificate is nobody's
        pm25(peer, 90)
        daemon.until(lambda status: status["outbox"]["failing"] == 1)
        assert not box.tries
        daemon.configure(**mail_keys(box, ca_file=str(box.certificate)))
        daemon.reload()
        assert "550" in until_entries(daemon, "failed")[0]["error"]
