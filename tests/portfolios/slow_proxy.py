"""A proxy before the portal that keeps parts waiting, as overloaded proxies and dead lines do."""

from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import Any
from urllib.parse import urlsplit

LONGEST = 60  # seconds that anything waits; a test that hangs shall end
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class SlowProxy:
    """Passes everything on. While `hold_answers`, answers to parts wait; without `takes_bodies`, parts are not read."""

    def __init__(self, portal: str) -> None:
        self.portal = urlsplit(portal).netloc
        self.held = 0
        self._hold_answers, self._takes_bodies = False, True
        self.changed = Condition()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self.server.daemon_threads = True
        self.url = f"http://localhost:{self.server.server_port}"

    @property
    def hold_answers(self) -> bool:
        return self._hold_answers

    @hold_answers.setter
    def hold_answers(self, value: bool) -> None:
        self._hold_answers = value
        self._tell()

    @property
    def takes_bodies(self) -> bool:
        return self._takes_bodies

    @takes_bodies.setter
    def takes_bodies(self, value: bool) -> None:
        self._takes_bodies = value
        self._tell()

    def _tell(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def __enter__(self) -> "SlowProxy":
        Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.hold_answers, self.takes_bodies = False, True
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    proxy: SlowProxy
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass_on(b"")

    def do_POST(self) -> None:
        self._pass_on(self._body())

    def do_PUT(self) -> None:
        proxy = self.proxy
        with proxy.changed:
            if not proxy.takes_bodies:
                proxy.changed.wait_for(lambda: proxy.takes_bodies, LONGEST)
                self.close_connection = True
                return
        self._pass_on(self._body())

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _pass_on(self, body: bytes) -> None:
        connection = HTTPConnection(self.proxy.portal, timeout=LONGEST)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if self.command == "PUT":
            self._wait()
        try:
            self._answer(answer.status, answer.getheaders(), content)
        except OSError:  # the browser has given it up
            self.close_connection = True

    def _wait(self) -> None:
        proxy = self.proxy
        with proxy.changed:
            if proxy.hold_answers:
                proxy.held += 1
                proxy.changed.wait_for(lambda: not proxy.hold_answers, LONGEST)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Nothing."""
