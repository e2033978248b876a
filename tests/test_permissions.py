"""Who may open what: for every address of the portal, the status each kind of person gets.

TABLE has one row per address and method. Statuses stand in the order of PEOPLE:

    anonymous  stranger  owner  scorer  other_scorer  lead  staff  finance

`owner` is the candidate, and `scorer` the scorer, to whom the row's object belongs; `stranger` and `other_scorer` are
their like without business there. The third field makes the object and returns the address's arguments; it gets the
cast by name and may move the clock (`clock.jump_to`), which otherwise stands in the submission window of 2027. An
optional fifth field is what is posted. An address without a row fails tests/test_architecture.py.
"""

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import reverse

from candidates.models import PolicyText, Registration, User
from icg_cert.lib import clock
from payments import attempts, invoices, quotes
from payments.models import CreditNote, Invoice, Quote
from portfolios import consents, purging, storage
from portfolios.models import Entry, Requirement, Upload
from scoring import appeals, back_reading, calibration, corrections, gate_exceptions, holds, release, sheets
from scoring.badges import keys
from scoring.models import Appeal, Assignment, Certificate, FactorScore, Recusal, Reference, Result, Sheet
from tests.factories import (
    at,
    make_accepted_order,
    make_attempt,
    make_benchmark,
    make_cohort,
    make_cycle,
    make_entry,
    make_evidence_request,
    make_factor,
    make_ledger_entry,
    make_locked,
    make_policy,
    make_programme,
    make_purchase_order,
    make_quote,
    make_reading,
    make_registration,
    make_release,
    make_requirement,
    make_scored_entry,
    make_standard,
    make_text,
    make_upload,
    make_user,
    make_vendor,
)
from tests.portfolios.handing_in import prepare
from tests.scoring import telling

PEOPLE = ["anonymous", "stranger", "owner", "scorer", "other_scorer", "lead", "staff", "finance"]

Cast = dict[str, User]
Row = (
    tuple[str, str, Callable[[Cast], dict[str, Any]], str] | tuple[str, str, Callable[[Cast], dict[str, Any]], str, Any]
)


def nothing(cast: Cast) -> dict[str, Any]:
    return {}


def registering(cast: Cast) -> dict[str, Any]:
    """The window of cohort 2026 is open, and the owner has registered."""
    clock.jump_to(at(2026, 11, 15, 12))
    make_programme()
    make_registration(cast["owner"])
    return {}


def registration(cast: Cast) -> dict[str, Any]:
    return {"pk": make_registration(cast["owner"]).pk}


def question(cast: Cast) -> dict[str, Any]:
    return {"pk": make_evidence_request(make_registration(cast["owner"])).pk}


def answered(cast: Cast) -> dict[str, Any]:
    return {"pk": make_evidence_request(make_registration(cast["owner"]), pdf=b"%PDF-1.7").pk}


ANSWER = {"answer": "Here it is."}
SAME = {"view": "same", "note": ""}
OLD = {"reason": "Too well known."}
QUALIFY = {"act": "qualify", "reason": "Seen in training."}


def own_sheet(cast: Cast) -> dict[str, Any]:
    """The scorer's first reading of the candidate's entry, not begun, in the weeks of scoring."""
    clock.jump_to(at(2027, 7, 1))
    make_policy()
    return {"pk": make_reading(make_locked(make_registration(cast["owner"])), cast["scorer"]).pk}


def sheet_file(cast: Cast) -> dict[str, Any]:
    """A video of the entry of the scorer's sheet, as it is prepared for them, with first picture and captions."""
    sheet = Sheet.objects.get(**own_sheet(cast))
    entry = sheet.assignment.entry
    upload = make_upload(entry, make_requirement(entry.factor, "film", kind="video"), extension=".mp4")
    for kind in ("film", "poster", "captions"):
        prepare(upload, at(2027, 5, 10), kind)
    return {"pk": sheet.pk, "upload": upload.pk}


def unprepared_sheet_file(cast: Cast) -> dict[str, Any]:
    """Its original is there, and nothing that scorers may see."""
    keys = sheet_file(cast)
    upload = Upload.objects.get(pk=keys["upload"])
    upload.renditions.all().delete()
    storage.default().put(upload.storage_key, BytesIO(b"film"), content_type="video/mp4")
    return keys


def cycle_to_assign(cast: Cast) -> dict[str, Any]:
    make_policy()
    return {"year": make_locked(make_registration(cast["owner"])).cycle.year}


def read_twice(cast: Cast) -> dict[str, Any]:
    """The owner's entry, read by both scorers, in the weeks of scoring."""
    clock.jump_to(at(2027, 7, 1))
    make_policy()
    entry = make_locked(make_registration(cast["owner"]))
    for name, role in (("scorer", "first"), ("other_scorer", "second")):
        make_reading(entry, cast[name], "3.00", "3.25", "3.00", role=role)
    return {}


def benchmarked(cast: Cast) -> dict[str, Any]:
    """Something to calibrate on, in the weeks of scoring."""
    clock.jump_to(at(2027, 7, 1))
    make_policy()
    make_standard(benchmarks=1)
    return {"pk": make_benchmark().pk}


def reference(cast: Cast) -> dict[str, Any]:
    return {"pk": Reference.objects.get(benchmark=benchmarked(cast)["pk"]).pk}


def reference_file(cast: Cast) -> dict[str, Any]:
    """The document of a benchmark, by the sheet on which its reference was written."""
    found = Reference.objects.get(**reference(cast))
    upload = Upload.objects.get(entry=found.benchmark.entry)
    prepare(upload, at(2027, 5, 10), "clean")
    return {"pk": found.sheet_id, "upload": upload.pk}


def factor_to_calibrate(cast: Cast) -> dict[str, Any]:
    benchmarked(cast)
    return {"number": 1}


def trial(cast: Cast) -> dict[str, Any]:
    """The scorer's sheet of a benchmark, not begun."""
    benchmarked(cast)
    return {"pk": calibration.begin(make_factor(), by=cast["scorer"], at=at(2027, 7, 1)).pk}


def finished_trial(cast: Cast) -> dict[str, Any]:
    sheet = Sheet.objects.get(**trial(cast))
    for criterion in sheet.rubric.criteria.all():
        sheet.ratings.create(criterion=criterion, value="3.00")
    sheets.finalise(sheet.pk, version=0, by=cast["scorer"], at=at(2027, 7, 1))
    return {"pk": sheet.pk}


def final_sheet(cast: Cast) -> dict[str, Any]:
    """The scorer's, in the weeks of scoring."""
    read_twice(cast)
    return {"pk": Sheet.objects.get(assignment__scorer=cast["scorer"]).pk}


def reading_along(cast: Cast) -> dict[str, Any]:
    sheet = final_sheet(cast)["pk"]
    return {"pk": back_reading.open_sheet(sheet, by=cast["lead"], at=at(2027, 7, 1)).pk}


def scorer_and_factor(cast: Cast) -> dict[str, Any]:
    make_factor()
    return {"pk": cast["scorer"].pk, "number": 1}


def year_of_pairs(cast: Cast) -> dict[str, Any]:
    read_twice(cast)
    return {"year": 2027}


def year_of_scoring(cast: Cast) -> dict[str, Any]:
    make_text(PolicyText.Kind.IMPARTIALITY)
    return {"year": make_cycle().year}


def reading_to_move(cast: Cast) -> dict[str, Any]:
    make_policy()
    entry = make_locked(make_registration(cast["owner"]))
    make_reading(entry, cast["scorer"])
    return {"pk": entry.pk, "role": "first"}


def scored(cast: Cast) -> dict[str, Any]:
    """The window has closed, and the owner's seven entries are scored."""
    clock.jump_to(at(2027, 10, 20, 12))
    make_policy()
    owner = make_registration(cast["owner"], code="BCDF2345")
    for number in range(1, 8):
        make_scored_entry(owner, number)
    return {"pk": make_cycle(2027).pk}


def prepared(cast: Cast) -> dict[str, Any]:
    pk = scored(cast)
    make_release(make_cycle(2027), "prepared")
    return pk


SEEN = {"prepared_at": "2027-10-24T09:00:00-05:00"}


def approved(cast: Cast) -> dict[str, Any]:
    pk = scored(cast)
    make_release(make_cycle(2027))
    return pk


def at_the_gate(cast: Cast) -> dict[str, Any]:
    """The owner's code at the gate, with seven scored entries."""
    return {**scored(cast), "code": "BCDF2345"}


def held_back(cast: Cast) -> dict[str, Any]:
    keys = at_the_gate(cast)
    about = {"reason": "A question.", "hear_on": date(2027, 11, 15), "by": cast["staff"], "at": clock.now()}
    holds.hold(keys["pk"], Registration.objects.get(code=keys["code"]).pk, **about)
    return keys


def failing_a_rule(cast: Cast) -> dict[str, Any]:
    """Who read their first entry has stepped back from them since."""
    keys = at_the_gate(cast)
    reading = Assignment.objects.order_by("pk")[0]
    Recusal.objects.create(scorer=reading.scorer, registration=reading.entry.registration, declared_at=clock.now())
    return {**keys, "rule": "conflict"}


def excepted(cast: Cast) -> dict[str, Any]:
    keys = failing_a_rule(cast)
    registration, about = Registration.objects.get(code=keys["code"]), {"by": cast["staff"], "at": clock.now()}
    signed = gate_exceptions.sign(keys["pk"], registration.pk, keys.pop("rule"), reason="Never met.", **about)
    return {**keys, "exception": signed.pk}


def released(cast: Cast) -> dict[str, Any]:
    """The morning after: the owner is certified and has been told."""
    pk = approved(cast)
    clock.jump_to(at(2027, 11, 1, 9))
    release.release_due(at(2027, 10, 31, 9))
    return pk


def released_by_code(cast: Cast) -> dict[str, Any]:
    return {**released(cast), "code": "BCDF2345"}


def before_planning(cast: Cast) -> dict[str, Any]:
    approved(cast)
    return {}


def planning(cast: Cast) -> dict[str, Any]:
    """The planner is everybody's own: its address names nobody."""
    released(cast)
    return {}


def certificate(cast: Cast) -> dict[str, Any]:
    released(cast)
    return {"code": Certificate.objects.get().code}


def badge(cast: Cast) -> dict[str, Any]:
    keys.add()
    return certificate(cast)


def badge_key(cast: Cast) -> dict[str, Any]:
    return {"kid": keys.add()}


def badge_list(cast: Cast) -> dict[str, Any]:
    badge(cast)
    return {"number": 0}


def holder(cast: Cast) -> dict[str, Any]:
    certificate(cast)
    return {}


SHOWN = {"shows_name": "on"}
DUE = {"releases_at": "2027-10-31T09:00"}
HOLD = {"reason": "A question.", "hear_on": "2027-11-15"}
REASON = {"reason": "They never met."}


def verifiable(cast: Cast) -> dict[str, Any]:
    return {**released(cast), "number": 1}


def unreleased_score(cast: Cast) -> dict[str, Any]:
    return {**approved(cast), "number": 1}


def open_appeal(cast: Cast) -> dict[str, Any]:
    released(cast)
    return {"pk": telling.ask(Registration.objects.get(), when=clock.now()).pk}


def read_appeal(cast: Cast) -> dict[str, Any]:
    pk = open_appeal(cast)
    telling.read(Appeal.objects.get(), "3.25", clock.now())
    return pk


def decided_appeal(cast: Cast) -> dict[str, Any]:
    pk = read_appeal(cast)
    appeals.decide(pk["pk"], words="", by=cast["staff"], at=clock.now())
    return pk


def appeals_there(cast: Cast) -> dict[str, Any]:
    open_appeal(cast)
    return {}


def corrections_there(cast: Cast) -> dict[str, Any]:
    proposed_correction(cast)
    return {}


def proposed_correction(cast: Cast) -> dict[str, Any]:
    released(cast)
    told = FactorScore.objects.get(entry__factor__number=1)
    right = {told.entry_id: Fraction(4)}
    other = make_user("Uma Usman", "staff")
    made = corrections.propose(told.result_id, scores=right, reason="Typed wrongly.", by=other, at=clock.now())
    return {"pk": made.pk}


def replaced_result(cast: Cast) -> dict[str, Any]:
    decided_appeal(cast)
    return {"pk": Result.objects.exclude(superseded_at=None).get().pk}


def third_year_ahead(cast: Cast) -> dict[str, Any]:
    make_policy()
    for year in (2027, 2028, 2029):
        make_cycle(year)
    make_registration(cast["owner"])
    clock.jump_to(at(2029, 1, 10, 12))
    return {}


PLEASE = {"reason": "I think more was seen."}
RIGHT = {"reason": "Typed wrongly."}


def unpaid_registration(cast: Cast) -> dict[str, Any]:
    make_programme()
    make_text(PolicyText.Kind.NO_REFUNDS)
    clock.jump_to(at(2026, 12, 10, 12))
    return {"pk": make_registration(cast["owner"], payment_status="unpaid").pk}


def paid_registration(cast: Cast) -> dict[str, Any]:
    registration = make_registration(cast["owner"])
    make_ledger_entry(registration)
    return {"pk": registration.pk}


def returned_attempt(cast: Cast) -> dict[str, Any]:
    """The token is the whole right: the payer may have come back without a session."""
    attempt = make_attempt(make_registration(cast["owner"]), state="paid")
    return {"public_id": attempt.public_id, "token": attempts.return_token(attempt.public_id)}


def provider(cast: Cast) -> dict[str, Any]:
    """Nobody is asked who they are; what is not signed by the provider is refused."""
    return {"provider": "fake"}


def purchase_order(cast: Cast) -> dict[str, Any]:
    order = make_purchase_order(make_registration(cast["owner"], payment_status="po_requested"))
    order.document.save("order.pdf", ContentFile(b"%PDF-1.7"))
    return {"pk": order.pk}


def held_seat(cast: Cast) -> dict[str, Any]:
    """The owner sits on an accepted order, inside the window."""
    clock.jump_to(at(2026, 12, 10, 12))
    registration = make_registration(cast["owner"], payment_status="po_committed")
    make_purchase_order(registration, state="accepted")
    return {"pk": registration.pk}


def cohort_open(cast: Cast) -> dict[str, Any]:
    clock.jump_to(at(2026, 12, 10, 12))
    make_vendor()
    make_cohort()
    return {}


def signed_link(cast: Cast) -> dict[str, Any]:
    """The token is the whole right: its holder has no account."""
    cohort_open(cast)
    quote = make_quote()
    quote.document.save("quote.pdf", ContentFile(b"%PDF-1.7"))
    return quotes.link(quote)


def quote_pdf(cast: Cast) -> dict[str, Any]:
    link = signed_link(cast)
    return {**link, "paper": Quote.objects.get().number}


def forged_link(cast: Cast) -> dict[str, Any]:
    return {**signed_link(cast), "token": "forged"}


def free_seat(cast: Cast) -> dict[str, Any]:
    link = signed_link(cast)
    order = make_accepted_order(quote=Quote.objects.get(), coaches=[None, None])
    return {**link, "seat": order.seats.order_by("pk")[0].pk}


def invoice(cast: Cast) -> dict[str, Any]:
    """Of the owner's own order. Another coach sits on it, too, and is the stranger here."""
    make_vendor()
    coaches = [make_registration(cast["owner"]), make_registration(cast["stranger"])]
    order = make_accepted_order(coaches=coaches, submitted_by=cast["owner"])
    return {"pk": invoices.issue(order, by=None, at=at(2027, 1, 5)).pk}


def credit_note(cast: Cast) -> dict[str, Any]:
    order = Invoice.objects.get(**invoice(cast)).order
    invoices.credit(order, order.seats.all()[:1], reason="Not needed.", by=None, at=at(2027, 1, 5))
    return {"pk": CreditNote.objects.get().pk}


def w9_on_file(cast: Cast) -> dict[str, Any]:
    make_registration(cast["owner"])
    make_vendor().w9.save("w9.pdf", ContentFile(b"%PDF-1.7"))
    return {}


def own_entry(cast: Cast) -> dict[str, Any]:
    return {"pk": make_entry(make_registration(cast["owner"])).pk}


def own_factor(cast: Cast) -> dict[str, Any]:
    make_cycle(2027)
    make_registration(cast["owner"])
    return {"number": make_factor().number}


def own_receipt(cast: Cast) -> dict[str, Any]:
    entry = make_entry(make_registration(cast["owner"]), status=Entry.Status.SUBMITTED)
    return {"code": entry.receipt_code}


def never_sent(cast: Cast) -> dict[str, Any]:
    return {"code": make_entry(make_registration(cast["owner"])).receipt_code}


def own_slot(cast: Cast) -> dict[str, Any]:
    requirement = make_requirement()
    return {"pk": make_entry(make_registration(cast["owner"])).pk, "requirement_id": requirement.pk}


def own_upload(cast: Cast) -> dict[str, Any]:
    return {"pk": make_upload(make_entry(make_registration(cast["owner"]))).pk}


def own_part(cast: Cast) -> dict[str, Any]:
    """Of a file that is here already: it takes no part any more."""
    return {**own_upload(cast), "number": 1}


def own_document(cast: Cast) -> dict[str, Any]:
    upload = make_upload(make_entry(make_registration(cast["owner"])))
    storage.default().put(upload.storage_key, BytesIO(b"%PDF-1.7"), content_type="application/pdf")
    return {"pk": upload.pk}


def own_video(cast: Cast) -> dict[str, Any]:
    make_text(PolicyText.Kind.CONSENT)
    video = make_requirement(key="film", kind=Requirement.Kind.VIDEO)
    upload = make_upload(make_entry(make_registration(cast["owner"])), video, extension=".mp4")
    storage.default().put(upload.storage_key, BytesIO(b"film"), content_type="video/mp4")
    for kind in ("poster", "captions"):
        prepare(upload, at(2027, 5, 10), kind)
    return {"pk": upload.pk}


CONSENT = {"agreed": "on", "releases": "Teacher release, 3 May"}


def to_withdraw(cast: Cast) -> dict[str, Any]:
    return {**own_video(cast), "purpose": "scoring"}


def withdrawn(cast: Cast) -> dict[str, Any]:
    """Hidden at once, while its bytes are still there."""
    pk = own_video(cast)["pk"]
    consents.withdraw(pk, by=cast["owner"], at=at(2027, 5, 10))
    return {"pk": pk}


def withdrawn_sheet(cast: Cast) -> dict[str, Any]:
    file = sheet_file(cast)
    consents.withdraw(file["upload"], by=cast["owner"], at=at(2027, 7, 1))
    return file


def purged_file(cast: Cast) -> dict[str, Any]:
    """Kept long enough. Its pages say that it was deleted; its address is as if it had never been."""
    clock.jump_to(at(2031, 1, 1))
    make_cycle(2029)
    pk = own_document(cast)["pk"]
    assert purging.purge(pk, at=clock.now())
    return {"pk": pk}


def forged(cast: Cast) -> dict[str, Any]:
    return {"token": "forged"}


SIGNED = {"version": 1, "signature": "Sol Sato"}
TIE = {"name": "Somebody Else", "email": "", "relation": "close"}

# fmt: off
TABLE: list[Row] = [
    # address            method  object    anon stra ownr scor othr lead staf fina
    ("healthz",          "GET",  nothing, "200  200  200  200  200  200  200  200"),
    ("healthz",          "POST", nothing, "405  405  405  405  405  405  405  405"),
    ("readyz",           "GET",  nothing, "503  503  503  503  503  503  503  503"),
    ("readyz",           "POST", nothing, "405  405  405  405  405  405  405  405"),
    ("metrics",          "GET",  nothing, "404  404  404  404  404  404  404  404"),
    ("metrics",          "POST", nothing, "405  405  405  405  405  405  405  405"),
    ("operations",       "GET",  nothing, "302  403  403  403  403  403  200  403"),
    ("operations",       "POST", nothing, "302  403  403  403  403  403  405  403"),

    ("candidates:register",              "GET",  registering,  "200  200  302  200  200  200  200  200"),
    ("candidates:register",              "POST", registering,  "302  200  302  200  200  200  200  200"),
    ("candidates:registration-detail",   "GET",  registration, "302  404  200  404  404  404  200  200"),
    ("candidates:registration-detail",   "POST", registration, "302  405  405  405  405  405  405  405"),
    ("candidates:registration-withdraw", "GET",  registration, "302  404  200  404  404  404  404  404"),
    ("candidates:registration-withdraw", "POST", registration, "302  404  302  404  404  404  404  404"),
    ("candidates:evidence-answer",       "GET",  question,     "302  404  200  404  404  404  404  404"),
    ("candidates:evidence-answer",       "POST", question,     "302  404  302  404  404  404  404  404", ANSWER),
    ("candidates:evidence-document",     "GET",  answered,     "302  404  200  404  404  404  200  404"),
    ("candidates:evidence-document",     "POST", answered,     "302  405  405  405  405  405  405  405"),
    ("candidates:profile-change",        "GET",  nothing,      "302  200  200  200  200  200  200  200"),
    ("candidates:profile-change",        "POST", nothing,      "302  302  302  302  302  302  302  302", {"name": "A"}),
    # Portfolios
    ("portfolios:entry-list",      "GET",    nothing,      "302  200  200  200  200  200  200  200"),
    ("portfolios:entry-start",     "GET",    own_factor,   "302  200  200  200  200  200  200  200"),
    ("portfolios:entry-start",     "POST",   own_factor,   "302  404  302  404  404  404  404  404"),
    ("portfolios:entry-detail",    "GET",    own_entry,    "302  404  200  404  404  404  200  404"),
    ("portfolios:entry-detail",    "POST",   own_entry,    "302  405  405  405  405  405  405  405"),
    ("portfolios:entry-submit",    "GET",    own_entry,    "302  404  200  404  404  404  404  404"),
    ("portfolios:entry-submit",    "POST",   own_entry,    "302  404  302  404  404  404  404  404"),
    ("portfolios:entry-reopen",    "GET",    own_entry,    "302  404  200  404  404  404  404  404"),
    ("portfolios:entry-reopen",    "POST",   own_entry,    "302  404  302  404  404  404  404  404"),
    ("portfolios:receipt",         "GET",    own_receipt,  "200  200  200  200  200  200  200  200"),
    ("portfolios:receipt",         "POST",   own_receipt,  "405  405  405  405  405  405  405  405"),
    ("portfolios:receipt",         "GET",    never_sent,   "404  404  200  404  404  404  200  404"),
    ("portfolios:receipt-verify",  "GET",    nothing,      "200  200  200  200  200  200  200  200"),
    ("portfolios:receipt-verify",  "POST",   nothing,      "200  200  200  200  200  200  200  200", {"text": "{}"}),
    ("portfolios:receipt-download", "GET",   own_receipt,  "200  200  200  200  200  200  200  200"),
    ("portfolios:receipt-download", "GET",   never_sent,   "404  404  404  404  404  404  404  404"),
    ("portfolios:file-add",        "GET",    own_slot,     "302  405  405  405  405  405  405  405"),
    ("portfolios:file-add",        "POST",   own_slot,     "302  404  302  404  404  404  404  404"),
    ("portfolios:upload-create",   "POST",   nothing,      "401  400  400  400  400  400  400  400"),
    ("portfolios:upload-create",   "GET",    nothing,      "405  405  405  405  405  405  405  405"),
    ("portfolios:upload-detail",   "GET",    own_upload,   "401  404  200  404  404  404  404  404"),
    ("portfolios:upload-detail",   "DELETE", own_upload,   "401  404  204  404  404  404  404  404"),
    ("portfolios:upload-sign",     "POST",   own_upload,   "401  404  400  404  404  404  404  404"),
    ("portfolios:upload-relay",    "POST",   own_part,     "401  404  404  404  404  404  404  404"),
    ("portfolios:upload-complete", "POST",   own_upload,   "401  404  400  404  404  404  404  404"),
    ("portfolios:upload-part",     "PUT",    forged,       "403  403  403  403  403  403  403  403", ""),
    ("portfolios:upload-part",     "GET",    forged,       "405  405  405  405  405  405  405  405"),
    ("portfolios:upload-remove",   "GET",    own_upload,   "302  404  200  404  404  404  404  404"),
    ("portfolios:upload-remove",   "POST",   own_upload,   "302  404  302  404  404  404  404  404"),
    ("portfolios:upload-consent",  "GET",    own_upload,   "302  404  404  404  404  404  404  404"),
    ("portfolios:upload-consent",  "GET",    own_video,    "302  404  200  404  404  404  404  404"),
    ("portfolios:upload-consent",  "POST",   own_video,    "302  404  302  404  404  404  404  404", CONSENT),
    ("portfolios:upload-withdraw", "GET",    to_withdraw,  "302  404  200  404  404  404  404  404"),
    ("portfolios:upload-withdraw", "POST",   to_withdraw,  "302  404  302  404  404  404  404  404"),
    ("portfolios:upload-confirm",  "POST",   own_upload,   "302  404  302  404  404  404  404  404"),
    ("portfolios:media-document",  "GET",    own_document, "302  404  200  404  404  404  200  404"),
    ("portfolios:media-document",  "GET",    purged_file,  "302  404  404  404  404  404  404  404"),
    ("portfolios:media-video",     "GET",    own_document, "302  404  404  404  404  404  404  404"),
    ("portfolios:media-video",     "GET",    own_video,    "302  404  200  404  404  404  200  404"),
    ("portfolios:media-poster",    "GET",    own_video,    "302  404  200  404  404  404  200  404"),
    ("portfolios:media-captions",  "GET",    own_video,    "302  404  200  404  404  404  200  404"),
    ("portfolios:media-watch",     "GET",    own_video,    "302  404  200  404  404  404  200  404"),
    ("portfolios:media-watch",     "POST",   own_video,    "302  405  405  405  405  405  405  405"),
    ("portfolios:upload-captions", "GET",    own_video,    "302  404  200  404  404  404  200  404"),
    ("portfolios:upload-captions", "POST",   own_video,    "302  404  302  404  404  404  302  404"),
    ("portfolios:media-video",     "GET",    withdrawn,    "302  404  404  404  404  404  404  404"),
    ("portfolios:media-poster",    "GET",    withdrawn,    "302  404  404  404  404  404  404  404"),
    # Scoring
    ("scoring:queue",          "GET",  nothing,         "302  403  403  200  200  200  403  403"),
    ("scoring:sheet",          "GET",  own_sheet,       "302  404  404  200  404  404  404  404"),
    ("scoring:sheet",          "POST", own_sheet,       "302  404  404  302  404  404  404  404", {"version": 0}),
    ("scoring:sheet-finalise", "GET",  own_sheet,       "302  404  404  200  404  404  404  404"),
    ("scoring:sheet-finalise", "POST", own_sheet,       "302  404  404  409  404  404  404  404", {"version": 0}),
    ("scoring:sheet-recuse",   "GET",  own_sheet,       "302  404  404  200  404  404  404  404"),
    ("scoring:sheet-recuse",   "POST", own_sheet,       "302  404  404  302  404  404  404  404", {"reason": ""}),
    ("scoring:sheet-time",     "GET",  own_sheet,       "302  405  405  405  405  405  405  405"),
    ("scoring:sheet-time",     "POST", own_sheet,       "302  404  404  204  404  404  404  404"),
    ("scoring:sheet-media",    "GET",  sheet_file,      "302  404  404  200  404  404  404  404"),
    ("scoring:sheet-poster",   "GET",  sheet_file,      "302  404  404  200  404  404  404  404"),
    ("scoring:sheet-captions", "GET",  sheet_file,      "302  404  404  200  404  404  404  404"),
    ("scoring:sheet-media",    "GET",  unprepared_sheet_file, "302  404  404  404  404  404  404  404"),
    ("scoring:sheet-poster",   "GET",  unprepared_sheet_file, "302  404  404  404  404  404  404  404"),
    ("scoring:sheet-captions", "GET",  unprepared_sheet_file, "302  404  404  404  404  404  404  404"),
    ("scoring:sheet-media",    "GET",  withdrawn_sheet, "302  404  404  404  404  404  404  404"),
    ("scoring:sheet-poster",   "GET",  withdrawn_sheet, "302  404  404  404  404  404  404  404"),
    ("scoring:board",          "GET",  nothing,         "302  403  403  403  403  200  200  403"),
    ("scoring:statement",      "GET",  year_of_scoring, "302  403  403  200  200  200  403  403"),
    ("scoring:statement",      "POST", year_of_scoring, "302  403  403  302  409  409  403  403", SIGNED),
    ("scoring:tie-list",       "GET",  nothing,         "302  200  200  200  200  200  200  200"),
    ("scoring:tie-list",       "POST", nothing,         "302  302  302  302  302  302  302  302", TIE),
    ("scoring:board-assign",   "GET",  cycle_to_assign, "302  403  403  403  403  403  200  403"),
    ("scoring:board-assign",   "POST", cycle_to_assign, "302  403  403  403  403  403  302  403"),
    ("scoring:agreement",       "GET",  read_twice,    "302  403  403  403  403  200  200  403"),
    ("scoring:agreement",       "GET",  nothing,       "302  403  403  403  403  200  200  403"),
    ("scoring:agreement",       "POST", read_twice,    "302  403  403  403  403  405  405  403"),
    ("scoring:agreement-of",    "GET",  year_of_pairs, "302  403  403  403  403  200  200  403"),
    ("scoring:agreement-of",    "POST", year_of_pairs, "302  403  403  403  403  405  405  403"),
    ("scoring:agreement-pairs", "GET",  year_of_pairs, "302  403  403  403  403  200  200  403"),
    ("scoring:agreement-pairs", "POST", year_of_pairs, "302  403  403  403  403  405  405  403"),
    ("scoring:sheet",              "GET",  trial,          "302  404  404  200  404  404  404  404"),
    ("scoring:sheet",              "GET",  finished_trial, "302  404  404  200  404  404  404  404"),
    ("scoring:sheet-media",        "GET",  reference_file, "302  404  404  404  404  200  404  404"),
    ("scoring:calibration-list",   "GET",  nothing,        "302  403  403  200  200  200  403  403"),
    ("scoring:calibration-list",   "POST", nothing,        "302  403  403  405  405  405  403  403"),
    ("scoring:calibration-begin",  "GET",  factor_to_calibrate, "302  403  403  405  405  405  403  403"),
    ("scoring:calibration-begin",  "POST", factor_to_calibrate, "302  403  403  302  302  302  403  403"),
    ("scoring:calibration-feedback", "GET", trial,          "302  404  404  404  404  404  404  404"),
    ("scoring:calibration-feedback", "GET", finished_trial, "302  404  404  200  404  404  404  404"),
    ("scoring:calibration-feedback", "POST", finished_trial, "302  405  405  405  405  405  405  405"),
    ("scoring:benchmark-list",     "GET",  nothing,        "302  403  403  403  403  200  200  403"),
    ("scoring:benchmark-list",     "POST", nothing,        "302  403  403  403  403  405  405  403"),
    ("scoring:benchmark-new",      "GET",  nothing,        "302  403  403  403  403  200  403  403"),
    ("scoring:benchmark-new",      "POST", nothing,        "302  403  403  403  403  409  403  403"),
    ("scoring:benchmark",          "GET",  benchmarked,    "302  403  403  403  403  200  200  403"),
    ("scoring:benchmark",          "POST", benchmarked,    "302  403  403  403  403  405  405  403"),
    ("scoring:benchmark-write",    "GET",  benchmarked,    "302  403  403  403  403  405  403  403"),
    ("scoring:benchmark-write",    "POST", benchmarked,    "302  403  403  403  403  302  403  403"),
    ("scoring:benchmark-retire",   "GET",  benchmarked,    "302  403  403  403  403  200  403  403"),
    ("scoring:benchmark-retire",   "POST", benchmarked,    "302  403  403  403  403  302  403  403", OLD),
    ("scoring:benchmark-sign",     "GET",  reference,      "302  403  403  403  403  405  403  403"),
    ("scoring:benchmark-sign",     "POST", reference,      "302  403  403  403  403  302  403  403"),
    ("scoring:back-reading-list",  "GET",  read_twice,     "302  403  403  403  403  200  403  403"),
    ("scoring:back-reading-list",  "POST", nothing,        "302  403  403  403  403  405  403  403"),
    ("scoring:back-reading-open",  "GET",  final_sheet,    "302  403  403  403  403  405  403  403"),
    ("scoring:back-reading-open",  "POST", final_sheet,    "302  403  403  403  403  302  403  403"),
    ("scoring:back-reading-open",  "POST", finished_trial, "302  403  403  403  403  404  403  403"),
    ("scoring:back-reading",       "GET",  reading_along,  "302  403  403  403  403  200  403  403"),
    ("scoring:back-reading",       "POST", reading_along,  "302  403  403  403  403  302  403  403", SAME),
    ("scoring:qualification-list", "GET",  nothing,        "302  403  403  403  403  200  200  403"),
    ("scoring:qualification-list", "POST", nothing,        "302  403  403  403  403  405  405  403"),
    ("scoring:qualification-of",   "GET",  scorer_and_factor, "302  403  403  403  403  200  200  403"),
    ("scoring:qualification-of",   "POST", scorer_and_factor, "302  403  403  403  403  302  302  403", QUALIFY),
    ("scoring:board-by-hand",  "GET",  reading_to_move, "302  403  403  403  403  403  200  403"),
    ("scoring:board-by-hand",  "POST", reading_to_move, "302  403  403  403  403  403  409  403"),

    ("scoring:release-list",     "GET",  nothing,          "302  403  403  403  403  403  200  403"),
    ("scoring:release-list",     "POST", nothing,          "405  405  405  405  405  405  405  405"),
    ("scoring:release",          "GET",  scored,           "302  403  403  403  403  403  200  403"),
    ("scoring:release",          "POST", scored,           "405  405  405  405  405  405  405  405"),
    ("scoring:release-prepare",  "GET",  scored,           "302  403  403  403  403  403  200  403"),
    ("scoring:release-prepare",  "POST", scored,           "302  403  403  403  403  403  302  403", DUE),
    ("scoring:release-approve",  "GET",  prepared,         "302  403  403  403  403  403  200  403"),
    ("scoring:release-approve",  "POST", prepared,         "302  403  403  403  403  403  302  403", SEEN),
    ("scoring:release-withdraw", "GET",  approved,         "302  403  403  403  403  403  200  403"),
    ("scoring:release-withdraw", "POST", approved,         "302  403  403  403  403  403  302  403"),
    ("scoring:release-check",    "GET",  scored,           "405  405  405  405  405  405  405  405"),
    ("scoring:release-check",    "POST", scored,           "302  403  403  403  403  403  302  403"),
    ("scoring:release-outcomes", "GET",  scored,           "302  403  403  403  403  403  200  403"),
    ("scoring:release-outcomes", "POST", scored,           "405  405  405  405  405  405  405  405"),
    # What a candidate is about to be told: they themselves least of all.
    ("scoring:release-candidate", "GET",  at_the_gate,     "302  403  403  403  403  403  200  403"),
    ("scoring:release-candidate", "POST", at_the_gate,     "405  405  405  405  405  405  405  405"),
    ("scoring:release-preview",  "GET",  at_the_gate,      "302  403  403  403  403  403  200  403"),
    ("scoring:release-preview",  "POST", at_the_gate,      "405  405  405  405  405  405  405  405"),
    ("scoring:release-preview",  "GET",  released_by_code, "302  403  403  403  403  403  302  403"),
    ("scoring:release-hold",     "GET",  at_the_gate,      "302  403  403  403  403  403  200  403"),
    ("scoring:release-hold",     "POST", at_the_gate,      "302  403  403  403  403  403  302  403", HOLD),
    ("scoring:release-lift",     "GET",  held_back,        "302  403  403  403  403  403  200  403"),
    ("scoring:release-lift",     "POST", held_back,        "302  403  403  403  403  403  302  403"),
    ("scoring:release-except",   "GET",  failing_a_rule,   "302  403  403  403  403  403  200  403"),
    ("scoring:release-except",   "POST", failing_a_rule,   "302  403  403  403  403  403  302  403", REASON),
    ("scoring:release-unexcept", "GET",  excepted,         "405  405  405  405  405  405  405  405"),
    ("scoring:release-unexcept", "POST", excepted,         "302  403  403  403  403  403  302  403"),
    ("scoring:result-list",      "GET",  nothing,          "302  200  200  200  200  200  200  200"),
    ("scoring:result-list",      "POST", nothing,          "405  405  405  405  405  405  405  405"),
    ("scoring:result-detail",    "GET",  approved,         "302  404  404  404  404  404  404  404"),
    ("scoring:result-detail",    "GET",  released,         "302  404  200  404  404  404  404  404"),
    ("scoring:result-detail",    "POST", released,         "405  405  405  405  405  405  405  405"),
    ("scoring:result-of",        "GET",  released_by_code, "302  404  200  404  404  404  200  404"),
    ("scoring:result-of",        "POST", released_by_code, "405  405  405  405  405  405  405  405"),
    ("scoring:result-paper",     "GET",  approved,         "302  404  404  404  404  404  404  404"),
    ("scoring:result-paper",     "GET",  released,         "302  404  200  404  404  404  404  404"),
    ("scoring:result-paper",     "POST", released,         "405  405  405  405  405  405  405  405"),
    ("scoring:result-paper-of",  "GET",  released_by_code, "302  404  200  404  404  404  200  404"),
    ("scoring:result-paper-of",  "POST", released_by_code, "405  405  405  405  405  405  405  405"),
    ("scoring:planner",          "GET",  before_planning,  "302  404  404  404  404  404  404  404"),
    ("scoring:planner",          "GET",  planning,         "302  404  200  404  404  404  404  404"),
    ("scoring:planner",          "POST", planning,         "405  405  405  405  405  405  405  405"),
    ("scoring:appeal",          "GET",  verifiable,       "302  404  200  404  404  404  404  404"),
    ("scoring:appeal",          "POST", verifiable,       "302  404  302  404  404  404  404  404", PLEASE),
    ("scoring:appeal",          "GET",  unreleased_score, "302  404  404  404  404  404  404  404"),
    ("scoring:appeal-withdraw", "GET",  open_appeal,      "302  404  200  404  404  404  404  404"),
    ("scoring:appeal-withdraw", "POST", open_appeal,      "302  404  302  404  404  404  404  404"),
    ("scoring:appeal-letter",   "GET",  open_appeal,      "302  404  404  404  404  404  404  404"),
    ("scoring:appeal-letter",   "GET",  decided_appeal,   "302  404  200  404  404  404  200  404"),
    ("scoring:appeal-letter",   "POST", decided_appeal,   "302  405  405  405  405  405  405  405"),
    ("scoring:appeal-list",     "GET",  appeals_there,    "302  403  403  403  403  403  200  403"),
    ("scoring:appeal-list",     "POST", nothing,          "302  403  403  403  403  403  405  403"),
    ("scoring:appeal-detail",   "GET",  open_appeal,      "302  403  403  403  403  403  200  403"),
    ("scoring:appeal-detail",   "POST", open_appeal,      "302  403  403  403  403  403  409  403", {"words": ""}),
    ("scoring:appeal-detail",   "POST", read_appeal,      "302  403  403  403  403  403  302  403", {"words": ""}),
    ("scoring:correction-propose",  "GET",  released_by_code,    "302  403  403  403  403  403  200  403"),
    ("scoring:correction-propose",  "POST", released_by_code,    "302  403  403  403  403  403  409  403", RIGHT),
    ("scoring:correction-list",     "GET",  corrections_there,   "302  403  403  403  403  403  200  403"),
    ("scoring:correction-list",     "POST", nothing,             "302  403  403  403  403  403  405  403"),
    ("scoring:correction",          "GET",  proposed_correction, "302  403  403  403  403  403  200  403"),
    ("scoring:correction",          "POST", proposed_correction, "302  403  403  403  403  403  409  403"),
    ("scoring:correction-withdraw", "GET",  proposed_correction, "302  403  403  403  403  403  200  403"),
    ("scoring:correction-withdraw", "POST", proposed_correction, "302  403  403  403  403  403  302  403"),
    ("scoring:result-version",  "GET",  replaced_result,  "302  404  200  404  404  404  200  404"),
    ("scoring:result-version",  "POST", replaced_result,  "302  405  405  405  405  405  405  405"),
    ("scoring:notice",          "GET",  released,         "302  404  200  404  404  404  404  404"),
    ("scoring:notice",          "GET",  approved,         "302  404  404  404  404  404  404  404"),
    ("scoring:notice",          "POST", released,         "405  405  405  405  405  405  405  405"),
    ("scoring:notice-pdf",      "GET",  released,         "302  404  200  404  404  404  404  404"),
    ("scoring:notice-pdf",      "POST", released,         "405  405  405  405  405  405  405  405"),
    ("scoring:retake-list",     "GET",  third_year_ahead, "302  404  200  404  404  404  404  404"),
    ("scoring:retake-list",     "POST", third_year_ahead, "302  404  302  404  404  404  404  404", {}),
    ("scoring:certificate",      "GET",  certificate,      "302  404  200  404  404  404  200  404"),
    ("scoring:certificate",      "POST", certificate,      "405  405  405  405  405  405  405  405"),
    ("scoring:certificate-list", "GET",  nothing,          "302  200  200  200  200  200  200  200"),
    ("scoring:certificate-list", "POST", holder,           "302  409  302  409  409  409  409  409", SHOWN),
    ("scoring:badge",            "GET",  badge,            "302  404  200  404  404  404  200  404"),
    ("scoring:badge",            "GET",  certificate,      "302  404  404  404  404  404  404  404"),
    ("scoring:badge",            "POST", badge,            "405  405  405  405  405  405  405  405"),
    ("scoring:verify-form",      "GET",  nothing,          "200  200  200  200  200  200  200  200"),
    ("scoring:verify-form",      "POST", nothing,          "405  405  405  405  405  405  405  405"),
    ("scoring:verify",           "GET",  certificate,      "200  200  200  200  200  200  200  200"),
    ("scoring:verify",           "POST", certificate,      "200  200  200  200  200  200  200  200", {"name": "A"}),
    ("scoring:directory",        "GET",  nothing,          "200  200  200  200  200  200  200  200"),
    ("scoring:directory",        "POST", nothing,          "405  405  405  405  405  405  405  405"),
    # What others' software asks of a badge: the same for everybody.
    ("scoring:badge-public",      "GET",  badge,       "200  200  200  200  200  200  200  200"),
    ("scoring:badge-public",      "GET",  certificate, "404  404  404  404  404  404  404  404"),
    ("scoring:badge-public",      "POST", badge,       "405  405  405  405  405  405  405  405"),
    ("scoring:badge-issuer",      "GET",  nothing,     "200  200  200  200  200  200  200  200"),
    ("scoring:badge-issuer",      "POST", nothing,     "405  405  405  405  405  405  405  405"),
    ("scoring:badge-achievement", "GET",  nothing,     "200  200  200  200  200  200  200  200"),
    ("scoring:badge-achievement", "POST", nothing,     "405  405  405  405  405  405  405  405"),
    ("scoring:badge-status",      "GET",  badge_list,  "200  200  200  200  200  200  200  200"),
    ("scoring:badge-status",      "POST", badge_list,  "405  405  405  405  405  405  405  405"),
    ("scoring:badge-key",         "GET",  badge_key,   "200  200  200  200  200  200  200  200"),
    ("scoring:badge-key",         "POST", badge_key,   "405  405  405  405  405  405  405  405"),
    ("scoring:badge-keys",        "GET",  nothing,     "200  200  200  200  200  200  200  200"),
    ("scoring:badge-keys",        "POST", nothing,     "405  405  405  405  405  405  405  405"),
    # Papers of an order: for whoever handed it in, and the office. Its contact has the signed link of their quote.
    ("payments:invoice-document",     "GET",  invoice,       "302  404  200  404  404  404  200  200"),
    ("payments:invoice-document",     "POST", invoice,       "302  405  405  405  405  405  405  405"),
    ("payments:credit-note-document", "GET",  credit_note,   "302  404  200  404  404  404  200  200"),
    ("payments:credit-note-document", "POST", credit_note,   "302  405  405  405  405  405  405  405"),
    ("payments:w9",                   "GET",  w9_on_file,    "302  404  200  404  404  404  200  200"),
    ("payments:w9",                   "GET",  nothing,       "302  404  404  404  404  404  404  404"),
    # Paying: one's own fee only; the office looks at money in the admin.
    ("payments:pay",         "GET",  unpaid_registration, "302  404  200  404  404  404  404  404"),
    ("payments:pay",         "POST", unpaid_registration, "302  404  200  404  404  404  404  404"),
    ("payments:pay-check",   "POST", unpaid_registration, "302  404  302  404  404  404  404  404"),
    ("payments:pay-check",   "GET",  unpaid_registration, "302  405  405  405  405  405  405  405"),
    ("payments:pay-return",  "GET",  returned_attempt,    "200  200  302  200  200  200  200  200"),
    ("payments:webhook",     "GET",  provider,            "405  405  405  405  405  405  405  405"),
    ("payments:webhook",     "POST", provider,            "400  400  400  400  400  400  400  400"),
    ("payments:receipt",     "GET",  paid_registration,   "302  404  200  404  404  404  200  200"),
    ("payments:receipt",     "GET",  unpaid_registration, "302  404  404  404  404  404  404  404"),
    ("payments:receipt-pdf", "GET",  paid_registration,   "302  404  200  404  404  404  200  200"),
    ("payments:purchase-order",          "GET",  unpaid_registration, "302  404  302  404  404  404  404  404"),
    ("payments:purchase-order",          "POST", unpaid_registration, "302  404  302  404  404  404  404  404"),
    ("payments:purchase-order-upload",   "GET",  unpaid_registration, "302  404  302  404  404  404  404  404"),
    ("payments:purchase-order-upload",   "POST", unpaid_registration, "302  404  302  404  404  404  404  404"),
    ("payments:quote-for",               "GET",  unpaid_registration, "302  404  302  404  404  404  404  404"),
    ("payments:quote-for",               "POST", unpaid_registration, "302  404  302  404  404  404  404  404"),
    ("payments:seat-give-up",            "GET",  held_seat,           "302  404  200  404  404  404  404  404"),
    ("payments:seat-give-up",            "POST", held_seat,           "302  404  302  404  404  404  404  404"),
    ("payments:purchase-order-withdraw", "GET",  purchase_order,      "302  404  200  404  404  404  404  404"),
    ("payments:purchase-order-withdraw", "POST", purchase_order,      "302  404  302  404  404  404  404  404"),
    ("payments:purchase-order-document", "GET",  purchase_order,      "302  404  200  404  404  404  200  200"),
    # A district's contact has no account: whoever holds the signed link is let in, nobody without it.
    ("payments:quote-new",          "GET",  cohort_open, "200  200  200  200  200  200  200  200"),
    ("payments:quote-new",          "POST", cohort_open, "200  200  200  200  200  200  200  200"),
    ("payments:quote-sent",         "GET",  nothing,     "200  200  200  200  200  200  200  200"),
    ("payments:quote",              "GET",  signed_link, "200  200  200  200  200  200  200  200"),
    ("payments:quote",              "GET",  forged_link, "404  404  404  404  404  404  404  404"),
    ("payments:quote",              "POST", signed_link, "405  405  405  405  405  405  405  405"),
    ("payments:quote-order",        "GET",  signed_link, "200  200  200  200  200  200  200  200"),
    ("payments:quote-order",        "POST", signed_link, "200  200  200  200  200  200  200  200"),
    ("payments:quote-order",        "POST", forged_link, "404  404  404  404  404  404  404  404"),
    ("payments:quote-withdraw",     "GET",  signed_link, "302  302  302  302  302  302  302  302"),
    ("payments:quote-withdraw",     "POST", forged_link, "404  404  404  404  404  404  404  404"),
    ("payments:quote-paper",        "GET",  quote_pdf,   "200  200  200  200  200  200  200  200"),
    ("payments:quote-seat-release", "GET",  free_seat,   "200  200  200  200  200  200  200  200"),
    ("payments:quote-seat-release", "POST", free_seat,   "302  302  302  302  302  302  302  302"),
    # Public pages and the frame
    ("home",              "GET",  nothing, "200  200  200  200  200  200  200  200"),
    ("home",              "POST", nothing, "405  405  405  405  405  405  405  405"),
    ("process-portfolio", "GET",  nothing, "200  200  200  200  200  200  200  200"),
    ("process-portfolio", "POST", nothing, "405  405  405  405  405  405  405  405"),
    ("process-scoring",   "GET",  nothing, "200  200  200  200  200  200  200  200"),
    ("process-scoring",   "POST", nothing, "405  405  405  405  405  405  405  405"),
    ("process-submit",    "GET",  nothing, "200  200  200  200  200  200  200  200"),
    ("process-submit",    "POST", nothing, "405  405  405  405  405  405  405  405"),
    ("policies",          "GET",  nothing, "200  200  200  200  200  200  200  200"),
    ("policies",          "POST", nothing, "405  405  405  405  405  405  405  405"),
    ("calendar",          "GET",  nothing, "200  200  200  200  200  200  200  200"),
    ("calendar",          "POST", nothing, "405  405  405  405  405  405  405  405"),
    ("dashboard",         "GET",  nothing, "302  200  200  200  200  200  200  200"),
    ("dashboard",         "POST", nothing, "302  405  405  405  405  405  405  405"),
    ("rehearsal-clock",   "GET",  nothing, "405  405  405  405  405  405  405  405"),
    ("rehearsal-clock",   "POST", nothing, "302  302  302  302  302  302  302  302"),
]
# fmt: on


@pytest.fixture
def cast(
    candidate: User, stranger: User, scorer: User, other_scorer: User, lead: User, staff: User, finance: User
) -> Cast:
    return {
        "stranger": stranger,
        "owner": candidate,
        "scorer": scorer,
        "other_scorer": other_scorer,
        "lead": lead,
        "staff": staff,
        "finance": finance,
    }


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}")
def test_every_person_gets_the_status_of_the_table(row: Row, cast: Cast) -> None:
    name, method, make, expected, *data = row
    clock.jump_to(at(2027, 5, 10, 12))
    url = reverse(name, kwargs=make(cast))
    statuses = {person: _status(cast.get(person), method, url, *data) for person in PEOPLE}
    assert statuses == dict(zip(PEOPLE, map(int, expected.split()), strict=True))


def _status(person: User | None, method: str, url: str, data: Any = None) -> int:
    """What the person gets, in a transaction that is undone, so that nobody finds what another has done."""
    with transaction.atomic():
        client = Client()
        if person:
            client.force_login(person)
        response = getattr(client, method.lower())(url, data)
        if response.streaming:
            list(response)  # which closes the file
            list(response)  # a download keeps its file open until it is read
        transaction.set_rollback(True)
    return response.status_code
