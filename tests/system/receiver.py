"""Receivers of messages: an HTTP server and an SMTP server that behave as they are told, well or badly. Know nothing of ecogov but what
arrives. Everything on loopback."""
import http.server
import json
import threading
import time


class Receiver:
    """An HTTP server. `behave(number, path)` says what to do with the number-th request: an HTTP status, (status, headers, body), "hang" or
    "close" (in the middle of the answer). What it answers with 2xx counts as arrived."""

    def __init__(self, behave=lambda number, path: 200):
        self.behave, self.requests, self.arrived = behave, [], []
        self.changed = threading.Condition()
        self.ended = threading.Event()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(self, body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # clients that are killed break off

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def take(self, handler, body):
        at = time.monotonic()
        with self.changed:
            number = len(self.requests)
            self.requests.append((handler.path, dict(handler.headers), body, at))
            answer = self.behave(number, handler.path)
            status, headers, text = answer if isinstance(answer, tuple) else (answer, {}, b"{}")
            good = isinstance(status, int) and 200 <= status < 300
            if good:
                self.arrived.append((handler.path, dict(handler.headers), body, at))
            self.changed.notify_all()
        if status == "hang":
            self.ended.wait(60)
            return
        if status == "close":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            handler.close_connection = True
            return
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def wait(self, reached, timeout=60):
        with self.changed:
            if not self.changed.wait_for(lambda: reached(self), timeout):
                raise TimeoutError(f"{len(self.requests)} requests, {len(self.arrived)} arrived")

    def messages(self):
        return [json.loads(body) for _, _, body, _ in self.arrived]

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
