"""A mosquitto of the test's own, and a publisher that knows when the broker has taken everything. Knows nothing of ecogov."""
import getpass
import signal
import socket
import subprocess
import threading
import time

import paho.mqtt.client as mqtt


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """Private, on a free port, persistent in its folder. More lines for its configuration may be given."""

    def __init__(self, folder, *lines, listener=(), open_to_all=True):
        self.folder, self.lines, self.listener = folder, lines, listener
        self.open_to_all = open_to_all
        self.process, self.known = None, False
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)

    def start(self):
        """A port that was free may be taken by the time mosquitto binds it: then another, unless somebody knows it already."""
        for _ in range(20):
            self._launch()
            if self._answers():
                return self
            self.kill()
            if "in use" not in (self.folder / "log").read_text():
                break
            if self.known:
                time.sleep(0.05)  # the port of the killed one: nobody tells when it is free again
            else:
                self.port = free_port()
        raise RuntimeError((self.folder / "log").read_text())

    def _launch(self):
        config = self.folder / "mosquitto.conf"
        config.write_text("\n".join([f"listener {self.port} 127.0.0.1", *self.listener,
                                     f"allow_anonymous {'true' if self.open_to_all else 'false'}", "persistence true",
                                     f"user {getpass.getuser()}",  # else it gives up root, and cannot enter the test's folder
                                     f"persistence_location {self.folder}/", "max_queued_messages 0", "max_queued_bytes 0",
                                     "autosave_interval 0", *self.lines, ""]))
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(["mosquitto", "-c", str(config)], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def _answers(self):
        until = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.01)  # nothing tells when a port begins to listen
                continue
            try:
                return self.process.wait(0.05) is None  # it was somebody else's port
            except subprocess.TimeoutExpired:
                self.known = True
                return True
        return False

    def stop(self):
        """Orderly: saves its persistence."""
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def _end(self, how):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)
        self.process = None


class Peer:
    """A paho client (MQTT 3.1.1): publishes with QoS 1 and counts the PUBACKs, listens to topics."""

    def __init__(self, port, **secrets):
        self.client = mqtt.Client(clean_session=True)
        self.client.max_inflight_messages_set(0)  # no limit: with one, paho looks through its whole queue at each PUBACK
        self.client.on_publish = self._on_publish
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *_: self._note("subscribed")
        self.client.on_connect = lambda *_: self._note("connected")
        self.changed = threading.Condition()
        self.state = set()
        self.sent = self.acked = 0
        self.heard = []
        if secrets.get("user"):
            self.client.username_pw_set(secrets["user"], secrets["password"])
        if secrets.get("ca"):
            self.client.tls_set(str(secrets["ca"]))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self._wait(lambda: "connected" in self.state, 30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()
        self.client.loop_stop()

    def _note(self, what):
        with self.changed:
            self.state.add(what)
            self.changed.notify_all()

    def _on_publish(self, *_):
        with self.changed:
            self.acked += 1
            self.changed.notify_all()

    def _on_message(self, _client, _user, message):
        with self.changed:
            self.heard.append(message)
            self.changed.notify_all()

    def _wait(self, reached, timeout):
        with self.changed:
            if not self.changed.wait_for(reached, timeout):
                raise TimeoutError(f"sent {self.sent}, acknowledged {self.acked}, heard {len(self.heard)}")

    def publish(self, topic, payload, retain=False):
        self.sent += 1
        self.client.publish(topic, payload, qos=1, retain=retain)

    def settle(self, count=None, timeout=120):
        """Until the broker has acknowledged everything (or `count`)."""
        self._wait(lambda: self.acked >= (self.sent if count is None else count), timeout)

    def tell(self, topic, payload, retain=False):
        self.publish(topic, payload, retain)
        self.settle()

    def listen(self, topic):
        self.state.discard("subscribed")
        self.client.subscribe(topic, qos=1)
        self._wait(lambda: "subscribed" in self.state, 30)

    def hear(self, wanted, timeout=30):
        """The first message for which `wanted(topic, payload)` holds; waits for it."""
        def find():
            return next((m for m in self.heard if wanted(m.topic, m.payload.decode())), None)

        self._wait(lambda: find() is not None, timeout)
        return find()
