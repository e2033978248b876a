"""Going wherever somebody could go: every link, every address of the portal with every key they might guess."""

import re
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

Values = dict[str, Iterable[Any]]
LINKS = ("href", "src", "poster", "action", "data", "data-url", "hx-get")
FOREIGN = ("account_", "mfa_", "javascript-catalog")
MOST = 4_000  # more pages than that are a crawler that goes in circles


def addresses(values: Values) -> list[str]:
    """Every address of the portal's own, filled with every combination of `values` that fit, by the argument's name."""
    found = []
    for name, arguments in _patterns(get_resolver()):
        choices = [
            [value for value in values.get(argument, ()) if re.fullmatch(converter.regex, str(value))]
            for argument, converter in arguments.items()
        ]
        found += [reverse(name, kwargs=dict(zip(arguments, one, strict=True))) for one in product(*choices)]
    return sorted(set(found))


def _patterns(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from _patterns(pattern, namespace + (f"{pattern.namespace}:" if pattern.namespace else ""))
        elif isinstance(pattern, URLPattern) and pattern.name and not pattern.name.startswith(FOREIGN):
            yield namespace + pattern.name, pattern.pattern.converters


def crawl(client: Client, starts: Iterable[str]) -> Iterator[tuple[str, HttpResponse]]:
    """Every page from `starts` that links lead to, each once; what signs people out is left alone."""
    waiting, seen = list(starts), set[str]()
    while waiting:
        url = waiting.pop()
        if url in seen or "logout" in url:
            continue
        seen.add(url)
        assert len(seen) < MOST, "the crawler goes in circles"
        response = client.get(url)
        yield url, response
        waiting += _links(url, response)


def _links(url: str, response: HttpResponse) -> Iterator[str]:
    if "Location" in response.headers:
        yield from _own(url, response["Location"])
    if not response.streaming and response.headers.get("Content-Type", "").startswith("text/html"):
        for tag in BeautifulSoup(response.content, "html.parser").find_all(True):
            for name in LINKS:
                if tag.get(name):
                    yield from _own(url, str(tag[name]))


def _own(url: str, link: str) -> Iterator[str]:
    """Links within the portal, without their anchors."""
    target = urlsplit(urljoin(f"http://testserver{url}", link))
    if target.scheme in ("http", "https") and target.netloc in ("testserver", ""):
        yield target.path + (f"?{target.query}" if target.query else "")


def said(response: HttpResponse) -> str:
    """Everything of an answer: body and headers."""
    body = b"".join(response) if response.streaming else response.content  # type: ignore[call-overload]
    return f"{response.status_code}\n{response.headers}\n{body.decode(errors='replace')}"


def steady(text: str) -> str:
    """What was said, without what differs from one request to the next."""
    text = re.sub(r'(csrfmiddlewaretoken" value="|csrf-token" content=")[^"]+', r"\1", text)
    text = re.sub(r"('X-Request-ID'|'Last-Modified'|'Expires'): '[^']+'|DTSTAMP:\w+", "", text, flags=re.IGNORECASE)
    return re.sub(r"nonce-?[^'\" ]*", "", text)
