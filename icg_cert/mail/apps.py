from django.apps import AppConfig


class MailConfig(AppConfig):
    name = "icg_cert.mail"
    label = "mail"
    verbose_name = "Mail"
