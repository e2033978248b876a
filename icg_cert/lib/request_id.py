"""The id of the request (or job) under way, so that what it did can be found together in log and audit."""

from contextvars import ContextVar

current: ContextVar[str] = ContextVar("request_id", default="")
