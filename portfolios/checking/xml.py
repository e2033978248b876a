"""XML from strangers: read without entities, document types, network or remarks."""

from typing import IO, Any

from lxml import etree

# Sizes are limited by who calls, before they read.
_SAFELY = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": True}


class Forbidden(Exception):
    """It declares a document type, which is where entities would be defined. No word processor writes one."""


class Broken(Exception):
    """It is not well-formed."""


class _Reader:
    """Is told of what a parser meets, and keeps nothing of it."""

    def doctype(self, *declared: Any) -> None:
        raise Forbidden

    def close(self) -> None:
        pass


def refuse(stream: IO[bytes]) -> None:
    """Read it to its end without keeping it. Forbidden, Broken."""
    _parsed(stream, etree.XMLParser(target=_Reader(), **_SAFELY))


def tree(stream: IO[bytes]) -> Any:
    """The whole of it, without comments and processing instructions. Broken."""
    return _parsed(stream, etree.XMLParser(remove_comments=True, remove_pis=True, **_SAFELY))


def _parsed(stream: IO[bytes], parser: Any) -> Any:
    try:
        return etree.parse(stream, parser)
    except etree.LxmlError as error:
        raise Broken from error
