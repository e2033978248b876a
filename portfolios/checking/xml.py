"""XML from strangers: read without entities, document types, network or remarks."""

from typing import IO, Any

from lxml import etree

# Elements and attributes of one part. A document of a hundred pages has some hundred thousand; each takes a few hundred
# bytes once it is a tree, so that many more, which pack into next to nothing, would take all the memory there is.
MOST_NODES = 2_000_000
CHUNK = 64 * 1024
# Sizes are limited by who calls, before they read.
_SAFELY = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": True}


class Forbidden(Exception):
    """It declares a document type, which is where entities would be defined. No word processor writes one."""


class Broken(Exception):
    """It is not well-formed."""


class TooMuch(Exception):
    """It has more nodes than any document needs."""


class _Reader:
    """Is told of what a parser meets, and keeps nothing of it but how much it was."""

    def __init__(self) -> None:
        self.nodes = 0

    def start(self, tag: str, attributes: Any) -> None:
        self.nodes += 1 + len(attributes)
        if self.nodes > MOST_NODES:
            raise TooMuch

    def doctype(self, *declared: Any) -> None:
        raise Forbidden

    def close(self) -> None:
        pass


def refuse(stream: IO[bytes]) -> None:
    """Read it to its end without keeping it. Forbidden, Broken, TooMuch."""
    _parsed(stream, etree.XMLParser(target=_Reader(), **_SAFELY))


def tree(stream: IO[bytes]) -> Any:
    """The whole of it, without comments and processing instructions. Broken."""
    return _parsed(stream, etree.XMLParser(remove_comments=True, remove_pis=True, **_SAFELY)).getroottree()


def _parsed(stream: IO[bytes], parser: Any) -> Any:
    """Fed by hand: an error of reading is not one of the XML, and lxml tells them apart no other way."""
    try:
        while chunk := stream.read(CHUNK):
            parser.feed(chunk)
        return parser.close()
    except etree.LxmlError as error:
        raise Broken from error
