"""What the payment providers' doubles stand on: an HTTP server on loopback that keeps state and can misbehave.

A double encodes our reading of a provider's documentation; nobody of the provider has ever seen it. Its state outlives
our crashes and rollbacks, as a bank's does, and with `file` it outlives its own process, too. It knows nothing of the
portal: tests drive it as an object, people and the demo over HTTP.

`/_ctl/...` are the knobs, POSTed as JSON: `faults` [{"on": "POST /v1/x", "does": "hang", ...}], `clock` {"at": ISO
instant or null}, `deliver` {"order": "reversed", "twice": true}, `reset`. GET `/_ctl/log` lists what was asked.
"""

import json
import logging
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

logger = logging.getLogger(__name__)
JSON = "application/json"
HTML = "text/html; charset=utf-8"
PAGE = "<h1>Something went wrong</h1>"
REDELIVER_AFTER = [1, 5, 30, 120, 600]  # seconds; providers take hours, a person at the demo does not


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came. `query` keeps the last of repeated names."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    def json(self) -> Any:
        """ValueError where the body is none."""
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> "Answer":
        names = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, json.dumps(value).encode(), {"Content-Type": JSON, **names})

    @classmethod
    def html(cls, page: str, status: int = 200) -> "Answer":
        return cls(status, page.encode(), {"Content-Type": HTML})

    @classmethod
    def to(cls, url: str) -> "Answer":
        return cls(303, b"", {"Location": url})


@dataclass(slots=True)
class Fault:
    """How the next `times` requests that begin with `on` ("POST /v1/checkout") go wrong.

    `does`: "status" answers `status` without acting; "drop" closes the connection without acting; "act_then_drop" acts
    and then closes it; "act_then_status" acts and answers `status`; "hang" waits `seconds`, then acts; "drip" acts and
    sends a byte every `seconds`; "html" answers 200 with a page.
    """

    on: str
    does: str
    times: int = 1
    status: int = 500
    seconds: float = 0.0
    body: str = "{}"

    @property
    def answer(self) -> Answer:
        return Answer(self.status, self.body.encode(), {"Content-Type": JSON})


@dataclass(slots=True)
class Delivery:
    """A webhook: exact bytes, headers made when it is sent, and how often it was tried. `status` is the last answer."""

    url: str
    body: bytes
    sign: Callable[[bytes, datetime], dict[str, str]]
    tries: int = 0
    status: int = 0

    @property
    def is_done(self) -> bool:
        return 200 <= self.status < 300


class Double:
    """A running double. `answer` is what a provider's double implements; the rest is the wire.

    With `delivers` webhooks leave by themselves and are repeated until somebody answers 2xx; without it they wait in
    `outbox` for `deliver()`, so that a test decides about order, loss and repeats.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        public: str = "",
        delivers: bool = False,
        file: Path | None = None,
        clock_file: Path | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.log: list[Asked] = []
        self.faults: list[Fault] = []
        self.outbox: list[Delivery] = []
        self.public = public or f"http://{host}"
        self.delivers = delivers
        self.file = file
        self.clock_file = clock_file
        self.clock: datetime | None = None
        self.state: dict[str, Any] = self.empty()
        if file and file.exists():
            self.state = json.loads(file.read_text())
        self._stopped = threading.Event()
        self._server = _Server((host, port), _Handler)
        self._server.double = self
        self._threads: list[threading.Thread] = []

    # ---- What a provider's double says

    def empty(self) -> dict[str, Any]:
        """The state before anybody asked: JSON values only."""
        return {}

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    # ---- Running

    @property
    def url(self) -> str:
        """How browsers reach it."""
        return f"{self.public}:{self._server.server_port}"

    def start(self) -> Self:
        self._run(lambda: self._server.serve_forever(poll_interval=0.02))
        if self.delivers:
            self._run(self._deliver_forever)
        return self

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(10)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _run(self, work: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()

    # ---- Time

    def now(self) -> datetime:
        """The double's own clock: the one a test set, the demo's moved one, or the wall's."""
        if self.clock is not None:
            return self.clock
        return datetime.now(UTC) + self._ahead()  # noqa: TID251  a provider reads its own clock

    def _ahead(self) -> timedelta:
        try:
            return timedelta(microseconds=json.loads(self.clock_file.read_text())["offset_microseconds"])  # type: ignore[union-attr]
        except (AttributeError, FileNotFoundError):
            return timedelta(0)

    # ---- Misbehaving

    def fail(self, on: str, does: str = "status", **details: Any) -> None:
        """Add a fault; see `Fault`."""
        self.faults.append(Fault(on, does, **details))

    def take_fault(self, asked: Asked) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and asked.line.startswith(fault.on):
                    fault.times -= 1
                    return fault
        return None

    def asked_for(self, on: str) -> list[Asked]:
        """Everything in the log that begins so."""
        return [asked for asked in self.log if asked.line.startswith(on)]

    # ---- Webhooks

    def send(self, url: str, event: Any, sign: Callable[[bytes, datetime], dict[str, str]]) -> None:
        """Put a webhook into the outbox."""
        self.send_bytes(url, json.dumps(event).encode(), sign)

    def send_bytes(self, url: str, body: bytes, sign: Callable[[bytes, datetime], dict[str, str]]) -> None:
        """The same, as exactly the bytes that will leave."""
        if url:
            self.outbox.append(Delivery(url, body, sign))

    def deliver(self, *, order: str = "", twice: bool = False) -> list[int]:
        """Try every webhook that nobody took yet, once, in their order or "reversed"; the statuses answered."""
        waiting = [each for each in self.outbox if not each.is_done]
        if order == "reversed":
            waiting.reverse()
        return [self._try(each) for each in waiting for _ in range(2 if twice else 1)]

    def _try(self, delivery: Delivery) -> int:
        headers = {"Content-Type": JSON, **delivery.sign(delivery.body, self.now())}
        request = urllib.request.Request(delivery.url, delivery.body, headers)
        delivery.tries += 1
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                delivery.status = answer.status
        except urllib.error.HTTPError as error:
            delivery.status = error.code
            error.close()
        except OSError as error:
            logger.info("webhook not delivered: %s", type(error).__name__)
            delivery.status = 0
        return delivery.status

    def _deliver_forever(self) -> None:
        due: dict[int, datetime] = {}
        while not self._stopped.wait(0.2):
            now = datetime.now(UTC)  # noqa: TID251  waits are real, whatever the demo's clock says
            for delivery in [each for each in list(self.outbox) if not each.is_done]:
                if delivery.tries > len(REDELIVER_AFTER) or due.get(id(delivery), now) > now:
                    continue
                self._try(delivery)
                wait = REDELIVER_AFTER[min(delivery.tries, len(REDELIVER_AFTER)) - 1]
                due[id(delivery)] = now + timedelta(seconds=wait)

    # ---- Knobs over HTTP

    def control(self, asked: Asked) -> Answer:
        verb = asked.path.removeprefix("/_ctl/")
        said = asked.json() if asked.body else {}
        if verb == "log":
            return Answer.json([each.line for each in self.log])
        if verb == "faults":
            self.faults += [Fault(**fault) for fault in said]
        elif verb == "clock":
            self.clock = datetime.fromisoformat(said["at"]) if said.get("at") else None
        elif verb == "deliver":
            return Answer.json(self.deliver(**said))
        elif verb == "reset":
            self.state, self.log, self.faults, self.outbox = self.empty(), [], [], []
        else:
            return Answer.json({"error": "unknown knob"}, 404)
        return Answer.json({"ok": True})

    def act(self, asked: Asked) -> Answer:
        """Answer one request, one at a time, and keep what came of it."""
        if asked.path.startswith("/_ctl/"):
            return self.control(asked)  # without the lock: who takes a webhook asks us back
        with self.lock:
            self.log.append(asked)
            answer = self.answer(asked)
            self.save()
            return answer

    def save(self) -> None:
        """Keep the state for the next process. Whoever changes it without being asked over HTTP calls this."""
        if self.file:
            temporary = self.file.with_suffix(".new")
            temporary.write_text(json.dumps(self.state))
            temporary.replace(self.file)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    double: Double


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, looks for a fault, and lets the double answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a body that waits for the acknowledgement of its head comes 40 ms later
    server: _Server

    def _serve(self) -> None:
        double, asked = self.server.double, self._read()
        fault = None if asked.path.startswith("/_ctl/") else double.take_fault(asked)
        if fault is None:
            self._write(double.act(asked))
        else:
            self._misbehave(double, asked, fault)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815  the names http.server calls

    def _read(self) -> Asked:
        parts = urlsplit(self.path)
        headers = {name.lower(): text for name, text in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)

    def _misbehave(self, double: Double, asked: Asked, fault: Fault) -> None:
        if fault.does in ("status", "html", "drop"):
            double.log.append(asked)  # it was asked, and did nothing
            answer = Answer.html(PAGE) if fault.does == "html" else fault.answer
        else:
            double._stopped.wait(fault.seconds if fault.does == "hang" else 0)
            answer = double.act(asked)
        if fault.does.endswith("drop"):
            self.close_connection = True
            self.connection.close()
        else:
            answer = fault.answer if fault.does == "act_then_status" else answer
            self._write(answer, pause=fault.seconds if fault.does == "drip" else 0)

    def _write(self, answer: Answer, pause: float = 0) -> None:
        try:
            self.send_response(answer.status)
            for name, text in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                self.send_header(name, text)
            self.end_headers()
            for at in range(0, len(answer.body), 1 if pause else len(answer.body) or 1):
                self.wfile.write(answer.body[at : at + 1] if pause else answer.body)
                self.wfile.flush()
                if pause and self.server.double._stopped.wait(pause):
                    return
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # whoever asked has given up waiting

    def log_message(self, *args: Any) -> None:
        """Nothing: the double's `log` has it."""
