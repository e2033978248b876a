"""Filling an empty portal with the programme: what programme.json says, once.

The file is where a portal starts; from then on the admin is where the programme is kept. So the one rule is: what is
missing is added, what is there is left alone and, where it differs from the file, named. A factor counts as one thing
with its requirements, rubric and feedback statements: staff who delete a requirement do not find it back.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.forms.models import model_to_dict

from candidates.models import PolicyText, Programme, User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from icg_cert.permissions import grant_roles
from payments.models import Vendor
from portfolios.models import Factor, Requirement
from scoring import policies, rubrics, standards
from scoring.models import FeedbackStatement, PublicMailDomain, ReadingTime, ScoringPolicy, Standard
from scoring.rubrics import CriterionWords, LevelWords

FILE = Path(__file__).with_name("programme.json")
REQUIREMENT_DEFAULTS = {"minimum": 1, "maximum": 1, "max_minutes": None, "max_pages": None}
SCORES = ["threshold", "floor", "adjudication_gap", "double_band"]
POINTS = ["farthest", "severity"]


@dataclass
class Loaded:
    """What loading did, in words: what was `added`, and what is `kept` although the file says otherwise."""

    added: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)

    def note(self, name: str, *, is_new: bool, is_same: bool = True) -> None:
        if is_new:
            self.added.append(name)
        elif not is_same:
            self.kept.append(name)


def read(path: Path = FILE) -> dict[str, Any]:
    """The programme file as it stands; ValueError when it is not JSON."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


@transaction.atomic
def load(content: dict[str, Any], *, by: User | None, at: datetime) -> Loaded:
    """Add what is missing of a programme file's content. A second time changes nothing.

    Refused "zone-differs" when the days of the file are meant in another zone than this portal announces them in.
    """
    if content["zone"] != settings.TIME_ZONE:
        raise Refused(
            "zone-differs",
            f"The programme's days are in {content['zone']}, but this portal runs in {settings.TIME_ZONE}. "
            "Make TIME_ZONE and the file agree, or every deadline would be hours off.",
        )
    loaded = Loaded()
    loaded.note("the groups of the roles", is_new=grant_roles() > 0)
    _load_programme(content["programme"], loaded, at)
    _load_vendor(content["vendor"], loaded, at)
    for text in content["texts"]:
        _load_text(text, loaded)
    _load_policy(content["scoring_policy"], loaded, by, at)
    _load_standard(content["standard_of_scorers"], loaded, by, at)
    _load_domains(content["public_mail_domains"], loaded)
    for factor in content["factors"]:
        _load_factor(factor, content, loaded, by, at)
    _load_statements(None, content, loaded)
    return loaded


def _load_programme(fields: dict[str, Any], loaded: Loaded, at: datetime) -> None:
    there = Programme.objects.first()
    if there is None:
        programme = _created(Programme(**fields))
        trail.record("programme.load", programme, by=None, at=at, after=fields)
    loaded.note("the programme", is_new=there is None, is_same=there is None or model_to_dict(there, fields) == fields)


def _load_vendor(fields: dict[str, Any], loaded: Loaded, at: datetime) -> None:
    """A row to begin with. Finance fills in what only they know before the first quote goes out."""
    there = Vendor.objects.first()
    if there is None:
        trail.record("vendor.load", _created(Vendor(**fields)), by=None, at=at, after=fields)
    is_same = there is None or model_to_dict(there, fields) == fields
    loaded.note("the vendor details", is_new=there is None, is_same=is_same)


def _load_text(text: dict[str, Any], loaded: Loaded) -> None:
    there = PolicyText.objects.filter(kind=text["kind"], version=text["version"]).first()
    if there is None:
        _created(PolicyText(**text))
    name = f"the text {text['kind']} v{text['version']}"
    loaded.note(name, is_new=there is None, is_same=there is None or there.body == text["body"])


def _load_policy(content: dict[str, Any], loaded: Loaded, by: User | None, at: datetime) -> None:
    exact = {name: Decimal(value) if name in SCORES else value for name, value in content.items()}
    there = ScoringPolicy.objects.order_by("-version").first()
    if there is None:
        policies.adopt(by=by, at=at, **{name: exact[name] for name in policies.NUMBERS})
    is_same = there is None or model_to_dict(there, exact) == exact
    loaded.note("the scoring policy", is_new=there is None, is_same=is_same)


def _load_standard(content: dict[str, Any], loaded: Loaded, by: User | None, at: datetime) -> None:
    exact = {name: Decimal(value) if name in POINTS else value for name, value in content.items()}
    there = Standard.objects.filter(factor=None).order_by("-pk").first()
    if there is None:
        standards.adopt(None, by=by, at=at, **{name: exact[name] for name in standards.NUMBERS})
    is_same = there is None or model_to_dict(there, exact) == exact
    loaded.note("the standard of scorers", is_new=there is None, is_same=is_same)


def _load_domains(domains: list[str], loaded: Loaded) -> None:
    """All or none: staff who delete one do not find it back."""
    there = set(PublicMailDomain.objects.values_list("domain", flat=True))
    for domain in domains if not there else []:
        _created(PublicMailDomain(domain=domain))
    loaded.note("the public mail domains", is_new=not there, is_same=there == set(domains))


def _load_factor(content: dict[str, Any], whole: dict[str, Any], loaded: Loaded, by: User | None, at: datetime) -> None:
    name = f"factor {content['number']} {content['name']}"
    there = Factor.objects.filter(number=content["number"]).first()
    levels, criteria = _rubric_words(content, whole["level_names"])
    if there:
        loaded.note(name, is_new=False, is_same=_says_the_same(there, content, rubrics.content_hash(levels, criteria)))
        return
    factor = _created(Factor(number=content["number"], name=content["name"], summary=content["summary"]))
    for position, requirement in enumerate(content["requirements"], start=1):
        _created(Requirement(factor=factor, position=position, **{**REQUIREMENT_DEFAULTS, **requirement}))
    _created(ReadingTime(factor=factor, minutes=content["reading_minutes"]))
    rubrics.publish(factor, levels, criteria, by=by, at=at)
    _load_statements(factor, whole, Loaded())
    loaded.note(name, is_new=True)


def _rubric_words(
    content: dict[str, Any], level_names: dict[str, str]
) -> tuple[list[LevelWords], list[CriterionWords]]:
    levels = [LevelWords(int(number), level_names[number], words) for number, words in content["levels"].items()]
    return levels, [CriterionWords(**criterion) for criterion in content["criteria"]]


def _says_the_same(factor: Factor, content: dict[str, Any], rubric_hash: str) -> bool:
    rubric = factor.rubrics.current().first()
    requirements = [
        model_to_dict(requirement, ["key", "kind", "title", "instructions", *REQUIREMENT_DEFAULTS])
        for requirement in factor.requirements.all()
    ]
    return (
        (factor.name, factor.summary) == (content["name"], content["summary"])
        and requirements == [{**REQUIREMENT_DEFAULTS, **requirement} for requirement in content["requirements"]]
        and rubric is not None
        and rubric.content_hash == rubric_hash
    )


def _load_statements(factor: Factor | None, whole: dict[str, Any], loaded: Loaded) -> None:
    texts = _statements_for(factor.number if factor else None, whole)
    there = list(FeedbackStatement.objects.filter(factor=factor).values_list("text", flat=True))
    if not there:
        for position, text in enumerate(texts, start=1):
            _created(FeedbackStatement(factor=factor, position=position, text=text))
    loaded.note("the general feedback statements", is_new=not there and bool(texts), is_same=there == texts)


def _statements_for(number: int | None, whole: dict[str, Any]) -> list[str]:
    return [text for group in whole["feedback"] if group["factor"] == number for text in group["statements"]]


def _created(row: Any) -> Any:
    """Saved, once the model's own validation has agreed: a mistake in the file must not reach the database."""
    row.full_clean()
    row.save()
    return row
