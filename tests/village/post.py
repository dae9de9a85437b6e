"""Carries messages out of the simulator: over MQTT to a broker, or into a recording (ecogovd --replay).

Knows what a message is and how it travels; does not know what stands in it.
"""
import base64
import json
import threading
import time
from datetime import datetime, timezone
from typing import NamedTuple

import paho.mqtt.client as mqtt

INFLIGHT = 1000   # unacknowledged messages at a time
SILENCE_S = 60    # a broker that acknowledges nothing for so long is gone


class Message(NamedTuple):
    at_ms: int          # when it reaches the broker, by the village's clock
    topic: str
    payload: bytes
    retain: bool = False


class Gone(Exception):
    """The broker does not take our messages."""


def rfc3339(ms):
    whole, rest = divmod(int(ms), 1000)
    return datetime.fromtimestamp(whole, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:03d}Z"


def recording_line(message):
    line = {"time": rfc3339(message.at_ms), "topic": message.topic}
    try:
        text = message.payload.decode()
        if "\0" in text:
            raise ValueError("cJSON's strings end there")
        line["payload"] = text
    except ValueError:
        line["payload_base64"] = base64.b64encode(message.payload).decode()
    if message.retain:
        line["retain"] = True
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def write_recording(messages, path):
    """One JSON line per message, ascending by time; gives their number."""
    count = 0
    with open(path, "w", encoding="utf-8") as file:
        for message in messages:
            file.write(recording_line(message) + "\n")
            count += 1
    return count


class Publisher:
    """One MQTT connection that publishes with QoS 1 and knows what the broker has not acknowledged yet."""

    def __init__(self, host, port, client_id="ecogov-village"):
        self.sent = 0
        self.acknowledged = 0
        self.lost = None
        self.changed = threading.Condition()
        self.client = mqtt.Client(client_id=client_id, clean_session=True, protocol=mqtt.MQTTv311)
        self.client.max_inflight_messages_set(INFLIGHT)
        self.client.max_queued_messages_set(0)
        self.client.on_publish = self._on_publish
        self.client.on_disconnect = self._on_disconnect
        self.client.connect(host, port, keepalive=60)
        self.client.loop_start()

    def _on_publish(self, _client, _userdata, _mid):
        with self.changed:
            self.acknowledged += 1
            self.changed.notify_all()

    def _on_disconnect(self, _client, _userdata, code):
        with self.changed:
            if code != 0:
                self.lost = mqtt.error_string(code)
            self.changed.notify_all()

    def publish(self, message):
        with self.changed:
            self._wait(lambda: self.sent - self.acknowledged < INFLIGHT)
        self.client.publish(message.topic, message.payload, qos=1, retain=message.retain)
        self.sent += 1

    def publish_all(self, messages, seconds=0, passing=None, stop=None):
        """Publishes in order, spread over so many seconds of wall time as the messages' own times are apart.

        passing(at_ms) is called before each message; stop is a threading.Event that ends it early."""
        if not messages:
            return
        first, last = messages[0].at_ms, messages[-1].at_ms
        began = time.monotonic()
        for message in messages:
            if seconds and last > first:
                early = began + seconds * (message.at_ms - first) / (last - first) - time.monotonic()
                if early > 0.002:
                    stop.wait(early) if stop else time.sleep(early)
            if stop and stop.is_set():
                return
            if passing:
                passing(message.at_ms)
            self.publish(message)

    def drain(self):
        """Returns when the broker has acknowledged everything."""
        with self.changed:
            self._wait(lambda: self.acknowledged >= self.sent)

    def _wait(self, reached):
        before = -1
        while not reached():
            if self.lost:
                raise Gone(f"the broker closed the connection: {self.lost}")
            if before == self.acknowledged:
                raise Gone(f"the broker has acknowledged nothing for {SILENCE_S} s")
            before = self.acknowledged
            self.changed.wait_for(lambda: reached() or self.lost or self.acknowledged != before, SILENCE_S)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()
