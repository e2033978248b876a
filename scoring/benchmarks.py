"""Benchmarks: released entries that leads chose, what they deserve and why, and when they are no longer to be used.

Films are shown to those who are measured by the consent to training alone; whoever takes it back ends the benchmark.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from candidates.models import Registration, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from portfolios import retention
from portfolios.models import Consent, Entry, Requirement, Upload
from scoring import trials
from scoring.models import Benchmark, Reference, ReferenceSignature, ReferenceValue, Rubric, Scorer, Sheet, Trial

HELD_AS = "Benchmark for scorers"
CONSENT_GONE = "A consent to training was taken back."


def eligible() -> QuerySet[Entry]:
    """Released entries whose every film may be used for training, and that are no benchmark yet."""
    released = Entry.objects.locked().exclude(outcome=Entry.Outcome.NONE).filter(benchmark=None)
    kept = released.filter(pk__in=Upload.objects.current().values("entry"))
    standing = kept.exclude(registration__status__in=Registration.ENDED)
    consented = standing.exclude(pk__in=_not_for_training().values("entry"))
    return consented.select_related("registration__user", "factor", "cycle").defer("manifest")


def _not_for_training() -> QuerySet[Upload]:
    """Films of what was handed in whose newest word on training is not that they may be shown."""
    training = Consent.objects.filter(upload=OuterRef("pk"), purpose=Consent.Purpose.TRAINING)
    newest = training.order_by("-at", "-pk").values("act")[:1]
    handed_in = Upload.objects.filter(state__in=Upload.HANDED_IN) | Upload.objects.taken_back()
    films = handed_in.filter(requirement__kind=Requirement.Kind.VIDEO)
    # Of most films nobody said a word, which is no yes either.
    return films.annotate(training=Subquery(newest)).filter(Q(training=None) | ~Q(training=Consent.Act.GIVEN))


@transaction.atomic
def choose(entry_id: int, *, use: str, permission: str, by: User, at: datetime) -> Benchmark:
    """Make a released entry a benchmark; its files are kept from now on. Chosen again, nothing changes.

    Refused "not-eligible", "tied" (the lead knows the candidate), "no-permission".
    """
    Entry.objects.select_for_update(no_key=True).get(pk=entry_id)
    if found := Benchmark.objects.standing().filter(entry=entry_id).first():
        return found
    entry = eligible().filter(pk=entry_id).first()
    if entry is None:
        raise Refused("not-eligible", "This entry cannot be a benchmark (any more). Choose another one.")
    _refuse_tied(entry, by)
    if not permission.strip():
        words = "Say how the author agreed, and where that is kept."
        raise Refused("no-permission", words, fields={"permission": words})
    of_factor = Benchmark.objects.filter(entry__factor=entry.factor_id)
    position = (of_factor.aggregate(last=Max("position"))["last"] or 0) + 1
    made = Benchmark.objects.create(
        entry=entry, use=use, position=position, permission=permission.strip(), chosen_by=by, chosen_at=at
    )
    retention.hold(entry.registration_id, entry_id=entry.pk, reason=HELD_AS, by=by, at=at)
    trail.record("benchmark.choose", made, by=by, at=at, after={"entry": entry.pk, "use": use})
    return made


def _refuse_tied(entry: Entry, by: User) -> None:
    if not trials.may_meet(entry, Scorer.objects.filter(user=by).select_related("user").first()):
        raise Refused("tied", "You may not judge this entry. Another lead scorer can.")


@transaction.atomic
def write(benchmark_id: int, *, by: User, at: datetime) -> Sheet:
    """A sheet on which a lead values the benchmark; the one they have open, if there is one.

    Refused "retired", "tied", "no-rubric".
    """
    benchmark = _locked(benchmark_id)
    _refuse_tied(benchmark.entry, by)
    if (
        mine := Sheet.objects.filter(trial__benchmark=benchmark, trial__scorer=by, trial__use=Trial.Use.REFERENCE)
        .filter(status=Sheet.Status.DRAFT)
        .first()
    ):
        return mine
    rubric = Rubric.objects.current().filter(factor=benchmark.entry.factor_id).first()
    if rubric is None:
        raise Refused("no-rubric", "This factor has no rubric yet.")
    return trials.give(benchmark, by, rubric, use=Trial.Use.REFERENCE, at=at)


def keep_reference(sheet: Sheet, trial: Trial, *, by: User, at: datetime) -> Reference:
    """What a lead finalised is the next version of the reference, under their name. In the caller's transaction."""
    benchmark = _locked(trial.benchmark_id)
    last = benchmark.references.aggregate(last=Max("version"))["last"] or 0
    made = Reference.objects.create(
        benchmark=benchmark, version=last + 1, rubric=sheet.rubric, sheet=sheet, written_by=by, written_at=at
    )
    ReferenceValue.objects.bulk_create(
        ReferenceValue(reference=made, criterion_id=one.criterion_id, value=one.value, rationale=one.evidence)
        for one in sheet.ratings.all()
        if one.value is not None  # as on every final sheet
    )
    ReferenceSignature.objects.create(reference=made, by=by, at=at)
    trail.record("reference.write", made, by=by, at=at, after={"version": made.version})
    return made


@transaction.atomic
def sign(reference_id: int, *, by: User, at: datetime) -> Reference:
    """One more lead stands behind it; with the second it is in force. Signed again, nothing changes.

    Refused "retired", "tied", "overtaken" where a newer version is written, "took-it" of who was measured by it.
    """
    found = Reference.objects.get(pk=reference_id)
    benchmark = _locked(found.benchmark_id)
    if benchmark.references.filter(version__gt=found.version).exists():
        raise Refused("overtaken", "A newer version was written meanwhile. Look at that one.")
    _refuse_tied(benchmark.entry, by)
    if benchmark.trials.filter(scorer=by).exclude(use=Trial.Use.REFERENCE).exists():
        raise Refused("took-it", "You were measured by this benchmark yourself, so somebody else signs.")
    if ReferenceSignature.objects.get_or_create(reference=found, by=by, defaults={"at": at})[1]:
        trail.record("reference.sign", found, by=by, at=at)
    return found


@transaction.atomic
def retire(benchmark_id: int, *, reason: str, by: User | None, at: datetime) -> bool:
    """Give it to nobody any more, and take back unfinished sheets on it. Whether anything changed.

    What was finalised stands: it was measured fairly then. Refused "no-reason".
    """
    if not reason.strip():
        raise Refused("no-reason", "Say why it is no longer used.", fields={"reason": "Say why."})
    benchmark = Benchmark.objects.select_for_update(of=("self",), no_key=True).get(pk=benchmark_id)
    if benchmark.retired_at:
        return False
    benchmark.retired_at, benchmark.retired_reason = at, reason.strip()
    benchmark.save(update_fields=["retired_at", "retired_reason"])
    trail.record("benchmark.retire", benchmark, by=by, at=at, reason=benchmark.retired_reason)
    trials.take_away(benchmark.trials.all(), by=by, at=at)
    for hold in benchmark.entry.holds.standing().filter(reason=HELD_AS):
        retention.lift(hold.pk, reason=benchmark.retired_reason, by=by, at=at)
    return True


def retire_without_consent(benchmark_id: int, *, at: datetime) -> bool:
    return retire(benchmark_id, reason=CONSENT_GONE, by=None, at=at)


def without_consent() -> list[int]:
    """The keys of benchmarks that somebody's film in them may no longer be."""
    gone = Benchmark.objects.standing().filter(entry__in=_not_for_training().values("entry"))
    return list(gone.order_by("pk").values_list("pk", flat=True))


def _locked(benchmark_id: int) -> Benchmark:
    rows = Benchmark.objects.select_for_update(of=("self",), no_key=True)
    benchmark = rows.select_related("entry__registration__user").get(pk=benchmark_id)
    if benchmark.retired_at:
        raise Refused("retired", "This benchmark is no longer used.")
    return benchmark
