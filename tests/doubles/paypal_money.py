"""What becomes of PayPal's money once it was taken: refunds, reversals, disputes, and the account's list of it all."""

from datetime import timedelta
from decimal import Decimal

from tests.doubles import paypal_forms as forms
from tests.doubles import paypal_objects as objects
from tests.doubles.paypal_api import PayPalApi, knob
from tests.doubles.paypal_forms import Problem
from tests.doubles.paypal_objects import Object

ANSWER_WITHIN = timedelta(days=10)
MONEY_BACK = {"PAYMENT.CAPTURE.REFUNDED": "T1107", "PAYMENT.CAPTURE.REVERSED": "T1106"}


class PayPalMoney(PayPalApi):
    """Captures that were made."""

    def book(self, ref: str, code: str, moved: Object, capture: Object) -> None:
        about = "" if ref == capture["id"] else capture["id"]
        custom = capture.get("custom_id", "")
        self.state["moved"].append(objects.transaction(ref, code, moved, self.now(), custom, about))

    def changed(self) -> Object:
        return {"update_time": objects.stamp(self.now())}

    # ---- Money that goes back

    def give_back(self, capture: Object, wished: Object, kind: str = "PAYMENT.CAPTURE.REFUNDED") -> Object:
        left = Decimal(capture["amount"]["value"]) - self._returned(capture["id"])
        wished = {"amount": {**capture["amount"], "value": str(left)}, **wished}
        if capture["status"] == "REFUNDED":
            raise Problem("CAPTURE_FULLY_REFUNDED")
        if capture["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED"):
            raise Problem("PENDING_CAPTURE" if capture["status"] == "PENDING" else "REFUND_NOT_ALLOWED")
        if wished["amount"]["currency_code"] != capture["amount"]["currency_code"]:
            raise Problem("REFUND_CAPTURE_CURRENCY_MISMATCH")
        if Decimal(wished["amount"]["value"]) > left:
            raise Problem("REFUND_AMOUNT_EXCEEDED")
        made = self.put("refunds", objects.refund(capture, wished, self.now(), self.url))
        self._count(capture)
        self.book(made["id"], MONEY_BACK[kind], objects.negative(made["amount"]), capture)
        self._tell(kind, self.shown(made))
        return made

    def _returned(self, capture: str) -> Decimal:
        refunds = [each for each in self.state["refunds"].values() if each["_capture"] == capture]
        return sum((Decimal(each["amount"]["value"]) for each in refunds if each["status"] == "COMPLETED"), Decimal(0))

    def _count(self, capture: Object) -> None:
        back, whole = self._returned(capture["id"]), Decimal(capture["amount"]["value"])
        capture["status"] = "COMPLETED" if not back else "REFUNDED" if back == whole else "PARTIALLY_REFUNDED"
        capture |= self.changed()

    @knob
    def refund(self, capture: str, value: str = "") -> Object:
        """Somebody gives money back in PayPal's own pages: all that is left, or so much ("100.00")."""
        return self._take_back(capture, value, "PAYMENT.CAPTURE.REFUNDED")

    @knob
    def reverse(self, capture: str, value: str = "") -> Object:
        """PayPal itself gives the payer their money back, and asks nobody."""
        return self._take_back(capture, value, "PAYMENT.CAPTURE.REVERSED")

    def _take_back(self, capture: str, value: str, kind: str) -> Object:
        found = self.known("captures", capture)
        wished = {"amount": {**found["amount"], "value": value}} if value else {}
        return self.give_back(found, forms.refund(wished), kind)

    @knob
    def fail_refund(self, refund: str) -> Object:
        """The payer's bank does not take the money: it comes back to us. PayPal's list of events has none for that."""
        found = self.known("refunds", refund)
        if found["status"] != "COMPLETED":
            raise Problem("REFUND_NOT_COMPLETED")
        found |= {"status": "FAILED", "status_details": {"reason": "ECHECK"}, **self.changed()}
        capture = self.known("captures", found["_capture"])
        self._count(capture)
        self.book(objects.name(), "T1107", found["amount"], capture)
        self._tell("PAYMENT.CAPTURE.REVERSED", self.shown(found))
        return found

    # ---- The payer's bank

    @knob
    def dispute(self, capture: str, value: str = "", reason: str = "UNAUTHORISED", stage: str = "CHARGEBACK") -> Object:
        """The payer complains, and PayPal holds the money, all or so much. An INQUIRY leaves it where it is."""
        of = self.known("captures", capture)
        amount = {**of["amount"], "value": value or of["amount"]["value"]}
        due = self.now() + ANSWER_WITHIN
        made = self.put("disputes", objects.dispute(of, amount, reason, stage, self.now(), due, self.url))
        if stage != "INQUIRY":
            self._hold(made, of, "DEBIT")
        self._tell("CUSTOMER.DISPUTE.CREATED", self.shown(made))
        return made

    def _hold(self, dispute: Object, capture: Object, way: str) -> None:
        amount = dispute["dispute_amount"]
        dispute.setdefault("money_movements", []).append(objects.movement(way, amount, self.now()))
        if way == "DEBIT":
            self.book(objects.name(), "T1201", objects.negative(amount), capture)
        else:
            self.book(objects.name(), "T1202", amount, capture)

    @knob
    def update_dispute(self, dispute: str, status: str = "UNDER_REVIEW", stage: str = "") -> Object:
        """It goes on: somebody else has to answer now, or an inquiry became more than one, which holds the money."""
        found = self._contested(dispute)
        if stage and found["dispute_life_cycle_stage"] == "INQUIRY" != stage:
            self._hold(found, self._about(found), "DEBIT")
        found |= {"status": status, "dispute_life_cycle_stage": stage or found["dispute_life_cycle_stage"]}
        found |= self.changed()
        self._tell("CUSTOMER.DISPUTE.UPDATED", self.shown(found))
        return found

    @knob
    def resolve(self, dispute: str, won: bool) -> Object:
        """It is decided. What was held comes back when we won."""
        found = self._contested(dispute)
        outcome = "RESOLVED_SELLER_FAVOUR" if won else "RESOLVED_BUYER_FAVOUR"
        found |= {"status": "RESOLVED", "dispute_outcome": {"outcome_code": outcome}, **self.changed()}
        if won and "money_movements" in found:
            self._hold(found, self._about(found), "CREDIT")
        self._tell("CUSTOMER.DISPUTE.RESOLVED", self.shown(found))
        return found

    def _contested(self, dispute: str) -> Object:
        found = self.known("disputes", dispute)
        if found["status"] == "RESOLVED":
            raise Problem("DISPUTE_RESOLVED")
        return found

    def _about(self, dispute: Object) -> Object:
        return self.known("captures", dispute["disputed_transactions"][0]["seller_transaction_id"])
