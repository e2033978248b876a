from django.contrib import admin

from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.mail.models import Message


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ["queued_at", "event", "to", "subject", "state", "tries", "sent_at"]
    list_filter = ["state", "event"]
    search_fields = ["to", "subject", "key"]
    show_full_result_count = False
