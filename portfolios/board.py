"""The seven factors of one candidate at one instant: what is due in this cycle, what is done, what comes next."""

from dataclasses import dataclass
from datetime import datetime

from candidates import announced, deadlines, history
from candidates.deadlines import Stage
from candidates.models import Cycle, Registration, User
from icg_cert.lib.windows import Phase, Window
from portfolios import catalogue, completeness, entries, submission
from portfolios.allowance import Allowance, allowance
from portfolios.completeness import Gap, Slot, SlotState
from portfolios.models import Entry, Factor

Status = Entry.Status
ANSWERS = {SlotState.UPLOADING, SlotState.CONSENT, SlotState.SOUND}  # what the grace after closing is there for


@dataclass(frozen=True, slots=True)
class Card:
    """One factor: the entry of this cycle if there is one, the last one handed in before, and what is allowed."""

    factor: Factor
    allowance: Allowance
    entry: Entry | None
    earlier: Entry | None
    slots: tuple[Slot, ...]

    @property
    def entry_id(self) -> int | None:
        return self.entry.pk if self.entry else None

    @property
    def gaps(self) -> list[Gap]:
        return completeness.gaps_of(self.slots)

    @property
    def required(self) -> int:
        return sum(1 for slot in self.slots if not slot.requirement.is_optional)

    @property
    def done(self) -> int:
        return sum(1 for slot in self.slots if slot.state == SlotState.DONE and not slot.requirement.is_optional)

    @property
    def is_draft(self) -> bool:
        return self.entry is not None and self.entry.status == Status.DRAFT

    @property
    def is_finishing(self) -> bool:
        """Whether its candidate can still make it complete in the grace after closing."""
        codes = {gap.code for gap in self.gaps}
        return self.is_draft and not codes.isdisjoint(ANSWERS) and codes <= ANSWERS | {SlotState.CHECKING}

    @property
    def is_due(self) -> bool:
        """Whether the candidate can still do something about it in this cycle."""
        return self.is_draft or (self.entry is None and self.allowance.may_begin)


@dataclass(frozen=True, slots=True)
class Board:
    """Everything the entries page says. `window` is this person's own, extensions included."""

    registration: Registration
    cycle: Cycle
    window: Window
    stage: Stage
    cards: tuple[Card, ...]
    at: datetime

    @property
    def phase(self) -> Phase:
        return self.window.phase(self.at)

    @property
    def is_open(self) -> bool:
        return self.phase == Phase.OPEN and self.registration.is_taking_part

    @property
    def finish_by(self) -> datetime:
        return self.window.closes_at + self.cycle.grace

    @property
    def finishing(self) -> list[Card]:
        """In the grace: what can still be completed."""
        is_grace = self.window.closes_at <= self.at < self.finish_by
        return [card for card in self.cards if card.is_finishing] if is_grace else []

    @property
    def drafts(self) -> list[Card]:
        return [card for card in self.cards if card.is_draft]

    @property
    def untouched(self) -> list[Card]:
        return [card for card in self.cards if card.is_due and card.entry is None]

    @property
    def handed_in(self) -> list[Card]:
        return [card for card in self.cards if card.entry and card.entry.status in (Status.SUBMITTED, Status.LOCKED)]

    @property
    def is_something_due(self) -> bool:
        """The rule of the reminders. In the first year nobody must hand in anything, once they handed in something."""
        return bool(self.drafts or (self.untouched and (self.stage != Stage.ANY or not self.handed_in)))


def board(user: User, at: datetime) -> Board | None:
    """The board of the person's registration that is under way, else of the newest; None without one, or its cycles."""
    mine = history.registrations(user)
    return among(mine, entries.of(mine), at)


def among(registrations: list[Registration], rows: list[Entry], at: datetime) -> Board | None:
    """The same, where a person's registrations and all their entries are at hand."""
    standing = [registration for registration in registrations if registration.is_standing]
    boards = [built for registration in standing if (built := _of(registration, rows, at))]
    running = [each for each in boards if at < each.window.closes_at + each.cycle.grace]
    running.sort(key=lambda each: (not each.registration.is_taking_part, each.cycle.opens_at))
    return next(iter(running or boards), None)


def _of(registration: Registration, rows: list[Entry], at: datetime) -> Board | None:
    cycle = cycle_at(registration, at)
    return of_cycle(registration, cycle, rows, at) if cycle else None


def cycle_at(registration: Registration, at: datetime) -> Cycle | None:
    """The cycle the person is in: the first of their three that is not over for them, else the last."""
    cycles = announced.cycles_of(registration.cohort)
    running = (c for c in cycles if at < deadlines.closes_at(registration, c) + c.grace)
    return next(running, cycles[-1] if cycles else None)


def of_cycle(registration: Registration, cycle: Cycle, rows: list[Entry], at: datetime) -> Board:
    """The board of one registration in one cycle, out of its entries among `rows` (portfolios/entries.py)."""
    stage = deadlines.stage(registration.cohort.year, cycle.year)
    own = [row for row in rows if row.registration_id == registration.pk and row.cycle.year <= cycle.year]
    cards = tuple(_card(factor, cycle, stage, own, registration) for factor in catalogue.factors())
    return Board(registration, cycle, deadlines.window_for(registration, cycle), stage, cards, at)


def _card(factor: Factor, cycle: Cycle, stage: Stage, rows: list[Entry], registration: Registration) -> Card:
    own = [entry for entry in rows if entry.factor_id == factor.pk]
    entry = next((entry for entry in own if entry.cycle_id == cycle.pk), None)
    earlier = [entry for entry in own if entry.cycle_id != cycle.pk and entry.status == Status.LOCKED]
    allowed = allowance(stage, submission.outcomes(registration, earlier))
    slots = tuple(completeness.slots(entry)) if entry else ()
    return Card(factor, allowed, entry, earlier[-1] if earlier else None, slots)
