"""How a line of the log looks: one JSON object, with the id of the request or job it belongs to, and nobody's data.

What libraries write is not ours to word: Django names the path of a request that failed, which may hold the key of a
quote or of a forgotten password; PostgreSQL quotes the row it refused; mail servers repeat the address.
"""

import json
import logging
import re
from datetime import UTC, datetime

from django.http import HttpRequest

from icg_cert.lib import request_id

ROW = re.compile(r"(?m)^(DETAIL|CONTEXT):.*$")
ADDRESS = re.compile(r"[^\s'\"<>(){}\[\],:;=]+@[^\s'\"<>(){}\[\],:;=]+")


class LineFormatter(logging.Formatter):
    """Time in UTC, level, logger, request id, message; the traceback as one string. Routes stand for paths."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "request": request_id.current.get(),
            "message": without_people(_message(record)),
        }
        if record.exc_info:
            line["traceback"] = without_people(self.formatException(record.exc_info))
        return json.dumps({key: value for key, value in line.items() if value})


def _message(record: logging.LogRecord) -> str:
    request = getattr(record, "request", None)
    if not isinstance(request, HttpRequest) or not isinstance(record.args, tuple):
        return record.getMessage()
    match = request.resolver_match
    route = f"/{match.route}" if match else "an address that is none"
    return str(record.msg) % tuple(route if str(arg).startswith("/") else arg for arg in record.args)


def without_people(text: str) -> str:
    """Without mail addresses, and without what PostgreSQL says of a row."""
    return ADDRESS.sub("(address)", ROW.sub(r"\1: (left out)", text))
