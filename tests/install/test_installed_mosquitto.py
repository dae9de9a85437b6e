"""The mosquitto drop-in, in a real mosquitto that is configured as Debian configures it: it loads, and what waits for a client that
is away outlives both the stock limit of 1000 messages and a restart of the broker.

Refuses to know ecogovd; a plain persistent MQTT session stands for it.
"""
import subprocess
import threading

import pytest
from place import need

mqtt = pytest.importorskip("paho.mqtt.client")

COUNT = 3000
TOPIC = "ecogov/shangtian/air/a1"


@pytest.fixture
def broker(staged, tmp_path, port, spawn):
    """Starts a broker in tmp_path, with the drop-in or as it comes; gives the process."""
    mosquitto = need("mosquitto")
    folder = tmp_path / "conf.d"
    folder.mkdir()
    # mosquitto started by root gives its rights up: it must not lose the folder by that.
    main = ("user root\npersistence true\n"
            f"persistence_location {tmp_path}/\nlog_dest stderr\n"
            f"listener {port} 127.0.0.1\nallow_anonymous true\ninclude_dir {folder}\n")
    (tmp_path / "mosquitto.conf").write_text(main)

    def start(with_drop_in):
        if with_drop_in:
            (folder / "ecogov.conf").write_text((staged / "etc/mosquitto/conf.d/ecogov.conf").read_text())
        process = spawn([mosquitto, "-c", tmp_path / "mosquitto.conf"], stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            assert "Error" not in line and ("Warning" not in line or "as root" in line), line
            if "running" in line:
                break
        else:
            pytest.fail(f"mosquitto ended with {process.wait()}")
        threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True).start()  # its log must not fill the pipe
        return process

    return start


def stop(process):
    process.terminate()
    assert process.wait(30) == 0


class Client:
    """A client that notes what comes, with waits that end."""

    def __init__(self, name, port, clean):
        self.got, self.events = [], threading.Condition()
        self.connected = self.subscribed = False
        self.client = mqtt.Client(client_id=name, clean_session=clean)
        self.client.max_queued_messages_set(0)
        self.client.on_connect = lambda *_: self.note("connected")
        self.client.on_subscribe = lambda *_: self.note("subscribed")
        self.client.on_message = self.take
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.until(lambda: self.connected)

    def note(self, what):
        with self.events:
            setattr(self, what, True)
            self.events.notify_all()

    def take(self, _client, _user, message):
        with self.events:
            self.got.append(int(message.payload))
            self.events.notify_all()

    def until(self, question, seconds=60):
        with self.events:
            return self.events.wait_for(question, seconds)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def away(port):
    """A session that is subscribed, and gone."""
    client = Client("away", port, clean=False)
    client.client.subscribe(TOPIC, qos=1)
    assert client.until(lambda: client.subscribed)
    client.close()


def publish(port, count, qos):
    client = Client("sensor", port, clean=True)
    for number in range(count):
        last = client.client.publish(TOPIC, str(number), qos=qos)
    last.wait_for_publish(60)
    # The broker reads a connection in order: when it has acknowledged this one, it has what came before, QoS 0 too.
    client.client.publish("behind/it/all", "", qos=1).wait_for_publish(60)
    client.close()


def back(port, last):
    """What had waited; `last` is published now, behind it, to know the end."""
    client = Client("away", port, clean=False)
    publish_one = Client("sensor", port, clean=True)
    publish_one.client.publish(TOPIC, str(last), qos=1).wait_for_publish(60)
    assert client.until(lambda: last in client.got), f"{len(client.got)} came, the last never"
    publish_one.close()
    client.close()
    return client.got[:-1]


def test_what_waits_outlives_the_stock_limit_and_a_restart(broker, port):
    process = broker(with_drop_in=True)
    away(port)
    publish(port, COUNT, qos=1)
    stop(process)
    broker(with_drop_in=True)
    assert back(port, -1) == list(range(COUNT))


def test_qos_0_waits_as_well(broker, port):
    broker(with_drop_in=True)
    away(port)
    publish(port, 50, qos=0)
    assert back(port, -1) == list(range(50))


def test_without_it_most_is_lost(broker, port):
    """Why the drop-in is there, and that the tests above can fail."""
    broker(with_drop_in=False)
    away(port)
    publish(port, COUNT, qos=1)
    assert len(back(port, -1)) <= 1000 + 20
