"""What the store holds of transfers that nobody will finish: it did not answer when they were given up, or the portal
died before it wrote their row. A bucket's own rule comes a day later.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings

from portfolios import storage
from portfolios.models import Upload
from portfolios.uploads.transfers import PREFIX

logger = logging.getLogger(__name__)


def abort_orphans(*, at: datetime) -> int:
    """Forget unfinished transfers without an open upload that have been silent for as long as one may be. How many."""
    store, before = storage.default(), at - timedelta(hours=settings.UPLOAD_STALE_HOURS)
    unfinished = list(store.unfinished(PREFIX, before=before))
    keys = [transfer.key for transfer in unfinished]
    awaited = set(Upload.objects.open().filter(storage_key__in=keys).values_list("storage_key", flat=True))
    orphans = [transfer for transfer in unfinished if transfer.key not in awaited]
    for transfer in orphans:
        store.abort(transfer)
        logger.info("forgot the transfer of %s, which belonged to no upload", transfer.key)
    return len(orphans)
