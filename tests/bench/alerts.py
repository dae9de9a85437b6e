"""Alerts: from the breach's MQTT message to the first byte at a webhook, while messages pour in.

Knows one receiver on loopback, who stamps the first byte of each request and says 200. The clock starts just before the broker writes the
message, so the daemon's way is all in it: taking, judging, the commit to disk, the outbox, the connection. Refuses to count on a run in which an
alert is missing or the load was not what it should be."""
import json
import os
import selectors
import socket
import statistics
import threading
import time

from bed import CONFIGURATION, Failure, broker, daemon, folder, p99

RATE = 20_000
EVERY = 2_000  # ten alerts a second, each of a device of its own
FIRST = 50_000  # the fake broker's first alarm device
ALERTS = """
channels:
  - {{id: hook, kind: webhook, url: "http://127.0.0.1:{hook}/", private_network: true, limit: 0}}
parties:
  - {{id: desk, sector: government, channels: [{{id: hook}}]}}
"""
RULE = """  - id: alarm
    domain: air
    quantity: pm25
    statistic: last
    levels: {{critical: {{open: 99.5, clear: 99.2}}}}
"""


def configuration(hook):
    text = CONFIGURATION.replace("level: county}}", "level: county, parties: [desk]}}")
    return text + RULE + ALERTS.replace("{hook}", str(hook))


class Hook:
    """An HTTP server that does next to nothing but look at the clock."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.arrived = {}  # device: when its first byte came
        self.ended = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        ready = selectors.DefaultSelector()
        ready.register(self.listener, selectors.EVENT_READ)
        pending = {}  # connection: [when, bytes]
        while not self.ended:
            for key, _ in ready.select(0.1):
                now = time.monotonic()
                if key.fileobj is self.listener:
                    connection, _ = self.listener.accept()
                    ready.register(connection, selectors.EVENT_READ)
                    continue
                data = key.fileobj.recv(65536)
                if not data:
                    ready.unregister(key.fileobj)
                    key.fileobj.close()
                    pending.pop(key.fileobj, None)
                    continue
                request = pending.setdefault(key.fileobj, [now, b""])
                request[1] += data
                self.take(key.fileobj, request, pending)

    def take(self, connection, request, pending):
        head, end, body = request[1].partition(b"\r\n\r\n")
        if not end:
            return
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        if len(body) < length:
            return
        del pending[connection]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        message = json.loads(body)
        if message.get("device", "") >= f"d{FIRST}":  # one breach may open cases of several rules: the first counts
            self.arrived.setdefault(message["device"], request[0])

    def stop(self):
        self.ended = True
        self.thread.join()
        self.listener.close()


def measure(seconds):
    hook = Hook()
    messages = RATE * seconds
    try:
        with folder() as path, broker(messages, options=("--rate", RATE, "--alarm-every", EVERY)) as fake, \
                daemon(path, fake.port, template=configuration(hook.port)):
            fake.go()
            sent = fake.alarms()
            rate = fake.rate()
            end = time.monotonic() + 10
            while len(hook.arrived) < len(sent) and time.monotonic() < end:
                time.sleep(0.01)
    finally:
        hook.stop()
    if len(hook.arrived) != len(sent):
        raise Failure(f"{len(sent)} breaches and {len(hook.arrived)} alerts")
    return [hook.arrived[f"d{FIRST + number}"] - at for number, at in enumerate(sent)], rate


def run(report, quick):
    times, rate = measure(5 if quick else 40)
    load = os.getloadavg()[0]
    note = f"{len(times)} alerts at {rate:,.0f} messages/s; load average {load:.1f} on {os.cpu_count()} cores"
    report.add("alert, breach to a webhook's first byte, median", statistics.median(times) * 1000, "<=", 50, "ms", note)
    report.add("alert, the same, p99", p99(times) * 1000, "<=", 250, "ms", f"slowest {max(times) * 1000:.0f} ms")
    report.add("alert, messages taken meanwhile", rate / 1000, ">=", 0.95 * RATE / 1000, "k/s", "against 20,000/s offered")
