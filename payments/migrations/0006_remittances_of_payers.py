"""A remittance is its payer's, and names the ledger entry that it is."""

import django.db.models.deletion
from django.db import migrations, models


def find_entries(apps, schema_editor):
    """Those from before were posted under their order, and wholly for its registration."""
    Remittance = apps.get_model("payments", "Remittance")
    LedgerEntry = apps.get_model("payments", "LedgerEntry")
    Allocation = apps.get_model("payments", "Allocation")
    Seat = apps.get_model("payments", "Seat")
    for row in Remittance.objects.select_related("purchase_order"):
        ref = f"{row.purchase_order_id}:{row.kind}:{row.number}"
        row.entry = LedgerEntry.objects.get(provider="po", kind="po_money", txn_ref=ref)
        row.payer_id = row.payer_id or row.purchase_order.payer_id
        row.save(update_fields=["entry", "payer"])
        seat = Seat.objects.filter(order=row.purchase_order_id).order_by("pk").first()
        if seat is not None:
            Allocation.objects.create(
                remittance=row,
                seat=seat,
                amount_minor=row.amount_minor,
                currency=row.currency,
                by_id=row.entered_by_id,
                at=row.entered_at,
            )


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
