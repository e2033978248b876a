"""What is owed and how it was settled. The ledger is the truth; every status is computed from it."""

from payments.models.attempts import Attempt, AttemptQuerySet, PolicyAcceptance, ProviderCall, ProviderRef
from payments.models.disputes import Dispute, DisputeQuerySet
from payments.models.inbox import Delivery, DeliveryQuerySet
from payments.models.invoices import CreditNote, Invoice, InvoiceQuerySet, invoice_path
from payments.models.ledger import Account, LedgerEntry, LedgerEntryQuerySet
from payments.models.orders import PurchaseOrder, PurchaseOrderQuerySet, Seat, SeatQuerySet, purchase_order_path
from payments.models.payers import Payer, Vendor, exemption_path, vendor_path
from payments.models.quotes import NumberSeries, Quote, QuoteQuerySet, quote_path
from payments.models.reconciliations import Reconciliation
from payments.models.refunds import Refund
from payments.models.remittances import Allocation, AllocationQuerySet, Remittance, RemittanceQuerySet

__all__ = [
    "Account",
    "Allocation",
    "AllocationQuerySet",
    "Attempt",
    "AttemptQuerySet",
    "CreditNote",
    "Delivery",
    "DeliveryQuerySet",
    "Dispute",
    "DisputeQuerySet",
    "Invoice",
    "InvoiceQuerySet",
    "LedgerEntry",
    "LedgerEntryQuerySet",
    "NumberSeries",
    "Payer",
    "PolicyAcceptance",
    "ProviderCall",
    "ProviderRef",
    "PurchaseOrder",
    "PurchaseOrderQuerySet",
    "Quote",
    "QuoteQuerySet",
    "Reconciliation",
    "Refund",
    "Remittance",
    "RemittanceQuerySet",
    "Seat",
    "SeatQuerySet",
    "Vendor",
    "exemption_path",
    "invoice_path",
    "purchase_order_path",
    "quote_path",
    "vendor_path",
]
