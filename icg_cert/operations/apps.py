from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "icg_cert.operations"
    label = "operations"
    verbose_name = "Operations"
