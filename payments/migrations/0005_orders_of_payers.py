"""Orders belong to a payer and a cohort, and hold seats; until here each was of one registration."""

import unicodedata

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

LIVE = ["submitted", "accepted"]


def move_to_payers(apps, schema_editor):
    """What an order said of its payer becomes a payer, and its registration sits on its only seat."""
    Payer = apps.get_model("payments", "Payer")
    PurchaseOrder = apps.get_model("payments", "PurchaseOrder")
    Seat = apps.get_model("payments", "Seat")
    for order in PurchaseOrder.objects.select_related("registration__user").order_by("pk"):
        name = " ".join(unicodedata.normalize("NFKC", order.payer_name).split())
        defaults = {"name": name, "email": order.payer_email}
        order.payer = Payer.objects.get_or_create(name_normalised=name.casefold(), defaults=defaults)[0]
        order.cohort_id = order.registration.cohort_id
        order.payable_email = order.payer_email
        order.contact_name = order.contact_name or order.registration.user.name
        order.contact_email = order.contact_email or order.registration.user.email
        order.number_normalised = unused(order, PurchaseOrder)
        order.save()
        is_live = order.state in LIVE
        Seat.objects.create(
            order=order,
            price_minor=order.registration.fee_minor,
            currency=order.registration.currency,
            state="claimed" if is_live else "released",
            registration=order.registration,
            claimed_at=order.submitted_at,
            released_at=None if is_live else order.decided_at,
            release_reason="" if is_live else order.reason,
        )


def unused(order, orders):
    """Coaches of one district handed in the same order each; from here on a number is live once per payer."""
    known = orders.objects.filter(payer=order.payer, state__in=LIVE).exclude(pk=order.pk)
    taken = set(known.values_list("number_normalised", flat=True))
    names = [order.number_normalised, *(f"{order.number_normalised[:55]}.{n}" for n in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0004_real_money"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField("seat", "release_reason", models.TextField(blank=True, help_text="What the coach was told when it was given back")),
        migrations.AddField("purchaseorder", "payable_email", models.EmailField(blank=True, default="", max_length=254), preserve_default=False),
        migrations.RemoveConstraint("purchaseorder", "purchase_order_one_live"),
        migrations.RunPython(move_to_payers, migrations.RunPython.noop),
        # the rows just written have their keys checked now, or their tables could not be changed in this transaction
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RemoveField("purchaseorder", "payer_email"),
        migrations.RemoveField("purchaseorder", "payer_name"),
        migrations.RemoveField("purchaseorder", "registration"),
        migrations.AlterField("purchaseorder", "payable_email", models.EmailField(help_text="As typed; the payer's once accepted", max_length=254, verbose_name="accounts payable e-mail")),
        migrations.AlterField("purchaseorder", "cohort", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="orders", to="candidates.cohort")),
        migrations.AlterField("purchaseorder", "payer", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="orders", to="payments.payer")),
        migrations.AlterField("purchaseorder", "quote", models.ForeignKey(blank=True, help_text="What it answers; its signed link is the contact's page. Empty where a coach handed in their own", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="orders", to="payments.quote")),
        migrations.AlterField("purchaseorder", "reason", models.TextField(blank=True, help_text="What we told them: a question, why refused, why cancelled")),
        migrations.AlterField("purchaseorder", "submitted_by", models.ForeignKey(blank=True, help_text="Empty where the contact did it through the signed link", null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)),
        migrations.AddConstraint("purchaseorder", models.UniqueConstraint(condition=models.Q(("state__in", LIVE)), fields=("payer", "number_normalised"), name="purchase_order_number_once")),
        migrations.AddConstraint("purchaseorder", models.UniqueConstraint(condition=models.Q(("state__in", LIVE)), fields=("quote",), name="purchase_order_one_of_quote")),
    ]
