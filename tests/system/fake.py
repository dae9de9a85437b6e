"""A broker of few words, for what mosquitto cannot be made to do: refuse MQTT 5, redeliver at will, look at when a PUBACK comes.
Speaks MQTT 3.1.1 and 5 from the broker's side, as far as ecogovd uses it. Keeps no session."""
import queue
import socket
import struct
import threading


def varint(number):
    out = b""
    while True:
        number, digit = divmod(number, 128)
        out += bytes([digit | (0x80 if number else 0)])
        if not number:
            return out


def text(string):
    data = string.encode() if isinstance(string, str) else string
    return struct.pack(">H", len(data)) + data


class Connection:
    """One client of the fake broker, from its CONNECT on."""

    def __init__(self, broker, link):
        self.broker, self.link = broker, link
        self.version = self.client_id = self.clean = None
        self.subscribed = set()
        self.acks = []
        self.waiting = []  # what feed() has not sent yet
        self.changed = threading.Condition()
        self.gone = False

    # --- towards the client ---

    def send(self, kind, body):
        self.link.sendall(bytes([kind]) + varint(len(body)) + body)

    def publish(self, topic, payload, mid, dup=False, retain=False):
        self.publish_all([(topic, payload, mid)], dup, retain)

    def publish_all(self, messages, dup=False, retain=False):
        """Many in one write, so that they come at once."""
        kind = 0x30 | 2 | (8 if dup else 0) | (1 if retain else 0)
        out = b""
        for topic, payload, mid in messages:
            data = payload.encode() if isinstance(payload, str) else payload
            body = text(topic) + struct.pack(">H", mid) + (b"\0" if self.version == 5 else b"") + data
            out += bytes([kind]) + varint(len(body)) + body
        self.link.sendall(out)

    def feed(self, messages, window):
        """As a broker with a small window does: so many in flight, the next one when a PUBACK comes."""
        with self.changed:
            self.waiting = list(messages[window:])
            self.waiting.reverse()
        self.publish_all(messages[:window])

    def drop(self):
        self.link.shutdown(socket.SHUT_RDWR)

    # --- what the client said ---

    def acked(self, mid, timeout=30):
        """True when the PUBACK of `mid` comes in time."""
        with self.changed:
            return self.changed.wait_for(lambda: mid in self.acks or self.gone, timeout) and mid in self.acks

    def ack_count(self, count, timeout=30):
        with self.changed:
            return self.changed.wait_for(lambda: len(self.acks) >= count or self.gone, timeout) and len(self.acks) >= count

    def _read(self, count):
        out = b""
        while len(out) < count:
            more = self.link.recv(count - len(out))
            if not more:
                raise ConnectionError
            out += more
        return out

    def _packet(self):
        kind = self._read(1)[0]
        length = shift = 0
        while True:
            digit = self._read(1)[0]
            length |= (digit & 127) << shift
            shift += 7
            if not digit & 128:
                return kind, self._read(length)

    def _connect(self, body):
        self.version = body[6]
        self.clean = bool(body[7] & 2)
        at = 10
        if self.version == 5:
            at += 1 + body[at]
        length = struct.unpack(">H", body[at:at + 2])[0]
        self.client_id = body[at + 2:at + 2 + length].decode()
        if self.version not in self.broker.speaks:
            self.send(0x20, bytes([0, 0x84 if self.version == 5 else 1]) + (b"\0" if self.version == 5 else b""))
            raise ConnectionError
        present = 1 if self.broker.session and not self.client_id.endswith("-out") else 0
        self.send(0x20, bytes([present, 0]) + (self.broker.properties if self.version == 5 else b""))

    def _topics(self, body, after):
        at = 2
        if self.version == 5:
            at += 1 + body[at]
        while at < len(body):
            length = struct.unpack(">H", body[at:at + 2])[0]
            yield body[at + 2:at + 2 + length].decode()
            at += 2 + length + after

    def serve(self):
        try:
            while True:
                kind, body = self._packet()
                self._take(kind, body)
        except (OSError, ConnectionError):
            pass
        finally:
            with self.changed:
                self.gone = True
                self.changed.notify_all()
            self.link.close()

    def _take(self, kind, body):
        five = self.version == 5
        if kind == 0x10:
            self._connect(body)
            if self.client_id.endswith("-out"):
                self.broker.connected.put(self)
        elif kind == 0x82:
            topics = set(self._topics(body, 1))
            self.send(0x90, body[:2] + (b"\0" if five else b"") + b"\1" * len(topics))
            self.subscribed |= topics
            self.broker.connected.put(self)
        elif kind == 0xa2:
            topics = set(self._topics(body, 0))
            self.send(0xb0, body[:2] + (b"\0" + b"\0" * len(topics) if five else b""))
            with self.changed:
                self.subscribed -= topics
                self.changed.notify_all()
        elif kind >> 4 == 3 and kind & 6 == 2:
            length = struct.unpack(">H", body[:2])[0]
            self.send(0x40, body[2 + length:4 + length])
        elif kind == 0x40:
            with self.changed:
                self.acks.append(struct.unpack(">H", body[:2])[0])
                following = self.waiting.pop() if self.waiting else None
                self.changed.notify_all()
            if following:
                self.publish(*following)
        elif kind == 0xc0:
            self.send(0xd0, b"")


class FakeBroker:
    """speaks: protocol versions it takes. session: what CONNACK says of an earlier session."""

    def __init__(self, speaks=(4, 5), session=False):
        self.speaks, self.session = speaks, session
        self.properties = b"\0"
        self.connected = queue.Queue()
        self.links = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for link in self.links:
            link.close()
        self.thread.join(30)

    def _accept(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.links.append(link)
            threading.Thread(target=Connection(self, link).serve, daemon=True).start()

    def taker(self, timeout=60):
        """The next connection that has subscribed."""
        while True:
            connection = self.connected.get(timeout=timeout)
            if not connection.client_id.endswith("-out"):
                return connection


class Hole:
    """A port whose connect() neither succeeds nor fails: nobody accepts, and the queue is full."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.fillers = []

    def __enter__(self):
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)
        return self

    def __exit__(self, *_):
        for filler in self.fillers:
            filler.close()
        self.listener.close()
