"""A remittance is its payer's, and names the ledger entry that it is."""

import django.db.models.deletion
from django.db import migrations, models


def find_entries(apps, schema_editor):
    """Those from before were posted under their order, straight to its registration, whose seat they paid for."""
    Remittance = apps.get_model("payments", "Remittance")
    LedgerEntry = apps.get_model("payments", "LedgerEntry")
    Allocation = apps.get_model("payments", "Allocation")
    for row in Remittance.objects.select_related("purchase_order").order_by("pk"):
        ref = f"{row.purchase_order_id}:{row.kind}:{row.number}"
        row.entry = LedgerEntry.objects.get(provider="po", kind="po_money", txn_ref=ref)
        row.payer_id = row.purchase_order.payer_id
        row.number = unused(row, Remittance)
        row.save(update_fields=["entry", "payer", "number"])
        given = Allocation.objects.create(
            remittance=row,
            seat=row.purchase_order.seats.order_by("pk").first(),
            amount_minor=row.amount_minor,
            currency=row.currency,
            by_id=row.entered_by_id,
            at=row.entered_at,
        )
        LedgerEntry.objects.bulk_create(by_way_of_the_payer(LedgerEntry, row, given))


def unused(row, remittances):
    """One check for several coaches was entered once for each; from here on a number is used once per payer."""
    known = set(remittances.objects.filter(payer=row.payer_id, kind=row.kind).values_list("number", flat=True))
    names = [row.number, *(f"{row.number[:55]}.{n}" for n in range(2, len(known) + 3))]
    return next(name for name in names if name not in known)


def by_way_of_the_payer(LedgerEntry, row, given):
    """To the payer and back to the registration: no sum changes, and whoever reverses it finds what to take back."""
    mine, theirs = {"registration_id": row.entry.registration_id}, {"payer_id": row.payer_id}
    steps = [
        (f"remittance:{row.pk}:out", mine, -1),
        (f"remittance:{row.pk}:in", theirs, 1),
        (f"allocation:{given.pk}:out", theirs, -1),
        (f"allocation:{given.pk}:in", mine, 1),
    ]
    fact = {"provider": "po", "kind": "transfer", "currency": row.currency, "corrects": row.entry}
    fact |= {"occurred_at": row.entry.recorded_at, "recorded_at": row.entry.recorded_at}
    fact |= {"actor_id": row.entered_by_id, "reason": "Entered before money came to its payer first"}
    return [
        LedgerEntry(txn_ref=name, amount_minor=sign * row.amount_minor, **account, **fact)
        for name, account, sign in steps
    ]


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_orders_of_payers")]

    operations = [
        migrations.AddField(
            "remittance",
            "entry",
            models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="remittance",
                to="payments.ledgerentry",
                help_text="The fact that it came",
            ),
        ),
        migrations.RunPython(find_entries, migrations.RunPython.noop),
        # the rows just written have their keys checked now, or their tables could not be changed in this transaction
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        # the rows just written have their keys checked now, or their table could not be changed in this transaction
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RemoveConstraint("remittance", "remittance_once"),
        migrations.RemoveField("remittance", "purchase_order"),
        migrations.AlterField(
            "remittance",
            "entry",
            models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="remittance",
                to="payments.ledgerentry",
                help_text="The fact that it came",
            ),
        ),
        migrations.AlterField(
            "remittance",
            "payer",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="remittances", to="payments.payer"
            ),
        ),
    ]
