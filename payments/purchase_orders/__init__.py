"""Purchase orders: a payer's promise, checked by a second person, holding seats until its money comes.

A purchase order is not money. Handed in, its seats wait with it; accepted, it holds them, gives the free ones their
codes and is invoiced. What a check or a transfer brings is posted to the same ledger as every other payment.
"""

from payments.purchase_orders.checklist import Check, checklist
from payments.purchase_orders.deciding import accept, ask, cancel, refuse
from payments.purchase_orders.handing_in import hand_in, submit
from payments.purchase_orders.order import Order, normalise, wrong

__all__ = [
    "Check",
    "Order",
    "accept",
    "ask",
    "cancel",
    "checklist",
    "hand_in",
    "normalise",
    "refuse",
    "submit",
    "wrong",
]
