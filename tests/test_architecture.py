"""The house keeps its shape: who imports whom, no migration forgotten, no address unguarded, no float near money."""

import ast
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from importlinter.cli import lint_imports

from tests.test_permissions import TABLE

ROOT = Path(__file__).parent.parent
OURS = ["icg_cert", "candidates", "portfolios", "scoring", "payments"]
FORBIDDEN_NAMES = {"utils", "helpers", "services", "managers", "constants", "common"}
# The floors inside an app, from the roof down. A module that is not named is a concept and stands on their floor.
FLOORS = [
    {"urls"},
    {"views", "order_views", "quote_views", "webhooks", "admin", "tasks", "management"},
    {"forms"},
    {"concepts"},
    {"storage", "gateways"},
    {"models"},
    {"permissions"},
]
# Rules that compute and know no framework.
PURE = [
    "candidates.eligibility",
    "icg_cert.lib.money",
    "icg_cert.lib.refusal",
    "icg_cert.lib.windows",
    "payments.gateways.base",
    "payments.gateways.names",
    "payments.gateways.paypal_answers",
    "payments.gateways.paypal_events",
    "payments.gateways.paypal_movements",
    "payments.gateways.stripe_answers",
    "portfolios.checking.containers",
    "portfolios.checking.finding",
    "portfolios.checking.malware",
    "portfolios.checking.naming",
    "portfolios.checking.pictures",
    "portfolios.checking.tracked_changes",
    "portfolios.checking.videos",
    "portfolios.confined",
    "portfolios.filenames",
    "portfolios.ranges",
    "portfolios.storage.base",
    "portfolios.storage.remote_file",
    "portfolios.transcoding",
    "scoring.agreement",
    "scoring.badges.status",
    "scoring.coverage",
    "scoring.drift",
    "scoring.planner",
    "scoring.qualifying",
    "scoring.rescore",
    "scoring.retakes",
    "scoring.scores",
    "scoring.solver",
    "scoring.states",
    "scoring.ties",
    "scoring.timestamps",
]
THIRD_PARTY_ADDRESSES = ("account_", "mfa_", "javascript-catalog")


def test_apps_import_only_what_stands_below_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    # As it configures logging, it would switch off every logger that is there, for all tests that come after.
    monkeypatch.setattr("importlinter.cli._configure_logging", lambda verbose: None)
    assert lint_imports(no_cache=True) == 0


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph(*OURS, include_external_packages=True, cache_dir=None)


def test_modules_of_an_app_import_only_lower_floors(imports: grimp.ImportGraph) -> None:
    upwards = [
        f"{importer} imports {imported}"
        for app in OURS[1:]
        for importer in sorted(imports.find_descendants(app))
        for imported in sorted(imports.find_modules_directly_imported_by(importer))
        if imported.startswith(f"{app}.") and _floor(imported) < _floor(importer)
    ]
    assert upwards == []


def _floor(module: str) -> int:
    if module in PURE:
        return len(FLOORS)
    names = set(module.split(".")[1:2])
    return next((number for number, floor in enumerate(FLOORS) if names & floor), 3)


@pytest.mark.parametrize("module", PURE)
def test_pure_rules_know_no_framework(imports: grimp.ImportGraph, module: str) -> None:
    below = imports.find_upstream_modules(module)
    assert below & {"django", "celery", "stripe", "paypalrestsdk", "boto3", "requests"} == set()


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_every_address_is_in_the_permission_table() -> None:
    addresses = {name for name in _names(get_resolver()) if not name.startswith(THIRD_PARTY_ADDRESSES)}
    assert addresses == {row[0] for row in TABLE}


def _names(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    """Every address's name, an address without one by its pattern. The admin brings its own and guards them."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield namespace + (pattern.name or str(pattern.pattern))
        elif pattern.namespace != "admin":
            yield from _names(pattern, namespace + (f"{pattern.namespace}:" if pattern.namespace else ""))


def _sources() -> Iterator[Path]:
    for app in OURS:
        yield from (path for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts)


def test_no_float_in_money_or_scores() -> None:
    exact = [
        path for path in _sources() if path.parts[-2] in ("payments", "scoring", "gateways") or "money" in path.stem
    ]
    assert exact
    assert [found for path in exact for found in _floats(path)] == []


def _floats(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        is_conversion = isinstance(node, ast.Name) and node.id in ("float", "FloatField")
        is_field = isinstance(node, ast.Attribute) and node.attr == "FloatField"
        if is_literal or is_conversion or is_field:
            yield f"{path.relative_to(ROOT)}:{node.lineno}"


def test_no_module_is_called_after_nothing() -> None:
    assert [str(path) for path in _sources() if FORBIDDEN_NAMES & {path.stem, *path.parts[len(ROOT.parts) : -1]}] == []


def test_no_signals_and_no_save_overrides() -> None:
    assert [found for path in _sources() for found in _signals_and_saves(path)] == []


def _signals_and_saves(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        is_save = isinstance(node, ast.FunctionDef) and node.name == "save" and path.name.startswith("models")
        is_signal = isinstance(node, ast.ImportFrom) and "signals" in (node.module or "").split(".")
        if is_save or is_signal:
            yield f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize("path", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_templates_carry_no_inline_style_or_script(path: Path) -> None:
    """The content security policy would ignore them in silence. E-mails are read elsewhere."""
    if {"email", "emails"} & set(path.parts):
        return
    html = path.read_text()
    assert " style=" not in html
    assert "<style" not in html
    assert " onclick=" not in html
    scripts = [part.split(">")[0] for part in html.split("<script")[1:]]
    assert [script for script in scripts if " src=" not in script and 'type="application/json"' not in script] == []
