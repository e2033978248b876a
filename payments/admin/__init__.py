"""The office's side of money: everything to look at, orders to judge. What changes, the verbs change."""

from payments.admin.invoices import CreditNoteAdmin, InvoiceAdmin
from payments.admin.ledger import AccountAdmin, AttemptAdmin, LedgerEntryAdmin
from payments.admin.orders import PurchaseOrderAdmin, SeatAdmin
from payments.admin.payers import PayerAdmin
from payments.admin.providers import DeliveryAdmin, DisputeAdmin, ReconciliationAdmin
from payments.admin.quotes import QuoteAdmin
from payments.admin.refunds import RefundAdmin
from payments.admin.remittances import RemittanceAdmin
from payments.admin.vendor import VendorAdmin

__all__ = [
    "AccountAdmin",
    "AttemptAdmin",
    "CreditNoteAdmin",
    "DeliveryAdmin",
    "DisputeAdmin",
    "InvoiceAdmin",
    "LedgerEntryAdmin",
    "PayerAdmin",
    "PurchaseOrderAdmin",
    "QuoteAdmin",
    "ReconciliationAdmin",
    "RefundAdmin",
    "RemittanceAdmin",
    "SeatAdmin",
    "VendorAdmin",
]
