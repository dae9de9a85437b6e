"""The link to the broker: secrets, TLS, an old broker, one that hangs. Knows MQTT from the broker's side."""
import json
import subprocess

import pytest

from broker import Broker, Peer, free_port
from fake import FakeBroker, Hole

def certificates(folder):
    """A throw-away authority, and a certificate of it for 127.0.0.1."""
    folder.mkdir()
    names = folder / "names"
    names.write_text("subjectAltName=IP:127.0.0.1\n")
    for command in (["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                     "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test authority"],
                    ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1"],
                    ["x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                     "-days", "3650", "-extfile", "names", "-out", "server.crt"]):
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True, timeout=60)
    for file in folder.iterdir():
        file.chmod(0o644)
    return folder


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    folder.chmod(0o755)
    return certificates(folder / "certs")


@pytest.fixture
def tls_broker(tmp_path, authority):
    """The first listener speaks TLS; the second, plain, is for the publisher."""
    plain = free_port()
    broker = Broker(tmp_path / "broker", f"listener {plain} 127.0.0.1",
                    listener=[f"certfile {authority}/server.crt", f"keyfile {authority}/server.key"])
    broker.start()
    broker.plain = plain
    yield broker
    broker.stop()


def test_tls_takes_every_message_once(tls_broker, house, authority):
    daemon = house(tls_broker.port, mqtt={"ca_file": str(authority / "ca.crt")}).start()
    daemon.connected()
    with Peer(tls_broker.plain) as peer:
        for n in range(20000):
            peer.publish(f"ecogov/v1/air/d{n % 10}", json.dumps({"light": n}))
        peer.settle()
        # a last one that comes after all others: when it is stored, nothing is under way any more
        peer.tell("ecogov/v1/air/last", '{"pm25": 1}')
    daemon.until(lambda status: daemon.call("readings.latest", device="last") and status["messages"]["received"] >= 20001
                 and status["store"]["readings"] == status["readings"]["stored"])
    daemon.stop()
    daemon.start()
    assert sorted(row[5] for row in daemon.export(quantity="light")) == list(range(20000))


def test_tls_refuses_a_broker_of_another_authority(tls_broker, house, tmp_path):
    other = certificates(tmp_path / "other")
    daemon = house(tls_broker.port, mqtt={"ca_file": str(other / "ca.crt")}).start()
    status = daemon.until(lambda status: any(fault["key"] == "mqtt" for fault in status["faults"]))
    assert status["broker"]["connected"] is False


def test_a_broker_that_asks_for_a_certificate_gets_ours(tmp_path, authority, house):
    plain = free_port()
    broker = Broker(tmp_path / "broker", f"listener {plain} 127.0.0.1",
                    listener=[f"certfile {authority}/server.crt", f"keyfile {authority}/server.key", f"cafile {authority}/ca.crt",
                              "require_certificate true", "use_identity_as_username true"]).start()
    try:
        nobody = house(broker.port, name="nobody", mqtt={"ca_file": str(authority / "ca.crt")}).start()
        nobody.until(lambda status: any(fault["key"] == "mqtt" for fault in status["faults"]))
        nobody.stop()
        keys = {"ca_file": str(authority / "ca.crt"), "cert_file": str(authority / "server.crt"), "key_file": str(authority / "server.key")}
        daemon = house(broker.port, mqtt=keys).start()
        daemon.connected()
        with Peer(plain) as peer:
            peer.tell("ecogov/v1/air/a1", '{"pm25": 3}')
        daemon.stored(1)
        daemon.stop()
    finally:
        broker.stop()


@pytest.fixture
def guarded(tmp_path):
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", passwords, "gateway", "a pass: wörd"], check=True, timeout=30, capture_output=True)
    passwords.chmod(0o644)
    broker = Broker(tmp_path / "broker", f"password_file {passwords}", open_to_all=False).start()
    yield broker
    broker.stop()


@pytest.mark.parametrize("how", ["password", "password_file"])
def test_user_and_password(guarded, house, tmp_path, how):
    secret = tmp_path / "secret"
    secret.write_text("a pass: wörd\n")
    given = {"password": "a pass: wörd"} if how == "password" else {"password_file": str(secret)}
    daemon = house(guarded.port, mqtt={"user": "gateway", **given}).start()
    daemon.connected()
    with Peer(guarded.port, user="gateway", password="a pass: wörd") as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 3}')
    daemon.stored(1)


def test_a_wrong_password_is_said(guarded, house):
    daemon = house(guarded.port, mqtt={"user": "gateway", "password": "another"}).start()
    status = daemon.until(lambda status: any("refuses the connection" in fault["text"] for fault in status["faults"]))
    assert status["broker"]["connected"] is False


def test_falls_back_to_mqtt_3_1_1_where_the_broker_knows_no_5(house):
    with FakeBroker(speaks=(4,)) as fake:
        daemon = house(fake.port).start()
        taker = fake.taker()
        assert taker.version == 4
        taker.publish("ecogov/v1/air/a1", '{"pm25": 3}', mid=1)
        assert taker.acked(1)
        daemon.stored(1)
        assert daemon.status()["broker"]["connected"] is True
        daemon.stop()


def test_subscribes_again_on_every_connect(house):
    with FakeBroker() as fake:
        daemon = house(fake.port).start()
        first = fake.taker()
        assert first.version == 5 and first.clean is False
        assert first.subscribed == {"ecogov/+/+/+"}
        first.drop()
        second = fake.taker()
        assert second.subscribed == {"ecogov/+/+/+"}
        assert second.client_id == first.client_id
        daemon.stop()


def test_a_broker_that_hangs_while_connecting_does_not_block_the_socket(house):
    """Its SYN queue is full: connect() waits for minutes."""
    with Hole() as hole:
        daemon = house(hole.port).start()
        for _ in range(20):
            assert daemon.status()["broker"]["connected"] is False
        daemon.kill()


def test_a_broker_that_hangs_while_connecting_does_not_block_the_leaving(house):
    with Hole() as hole:
        daemon = house(hole.port).start()
        daemon.process.terminate()
        try:
            assert daemon.process.wait(10) == 0
        finally:
            daemon.kill()


def test_the_socket_answers_while_the_links_are_taken_down(house):
    """The turn is gone by then."""
    with Hole() as hole:
        daemon = house(hole.port).start()
        with daemon.client() as client:
            client.call("status")
            daemon.process.terminate()
            for _ in range(200):
                try:
                    client.call("status")
                except (ConnectionError, BrokenPipeError):
                    break
        daemon.kill()
