from django.contrib import admin

from icg_cert.audit.models import Event
from icg_cert.lib.admin import ReadOnlyAdmin


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor", "verb", "object_type", "object_id", "reason"]
    list_filter = ["verb", "object_type"]
    search_fields = ["object_id", "reason", "actor__email"]
    list_select_related = ["actor"]
    date_hierarchy = "at"
    show_full_result_count = False
