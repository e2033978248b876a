"""What is owed and how it was settled. The ledger is the truth; every status is computed from it."""

from payments.models.attempts import Attempt, AttemptQuerySet, PolicyAcceptance, ProviderCall, ProviderRef
from payments.models.ledger import Account, LedgerEntry, LedgerEntryQuerySet
from payments.models.orders import PurchaseOrder, PurchaseOrderQuerySet, Remittance, purchase_order_path

__all__ = [
    "Account",
    "Attempt",
    "AttemptQuerySet",
    "LedgerEntry",
    "LedgerEntryQuerySet",
    "PolicyAcceptance",
    "ProviderCall",
    "ProviderRef",
    "PurchaseOrder",
    "PurchaseOrderQuerySet",
    "Remittance",
    "purchase_order_path",
]
