from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "icg_cert.audit"
    label = "audit"
    verbose_name = "Audit"
