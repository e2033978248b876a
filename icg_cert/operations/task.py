"""What every task of ours is. Celery finds it by name: it needs the models, which are there later than the app."""

from functools import partial
from typing import Any

from celery import Task

from icg_cert.celery import JOBS
from icg_cert.lib import clock, request_id
from icg_cert.operations import running


class Job(Task):  # type: ignore[type-arg]
    """Its log lines and audit events carry its id; and when it is one of JOBS, its row tells how it went."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = request_id.current.set(self.request.id or "")
        work = partial(super().__call__, *args, **kwargs)
        try:
            return running.run(self.name, work, now=clock.wall) if self.name in JOBS else work()
        finally:
            request_id.current.reset(token)
