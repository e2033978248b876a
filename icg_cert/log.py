"""How a line of the log looks: one JSON object, with the id of the request or job it belongs to."""

import json
import logging
from datetime import UTC, datetime

from icg_cert.lib import request_id


class LineFormatter(logging.Formatter):
    """Time in UTC, level, logger, request id, message; the traceback as one string."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "request": request_id.current.get(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({key: value for key, value in line.items() if value})
