"""Moments in notes: what is one, of which film, and that nothing of a note is ever lost or changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.timestamps import Stamp, pieces, stamps


@pytest.mark.parametrize(
    ("note", "film", "second"),
    [
        ("[0:00]", 1, 0),
        ("[2:10]", 1, 130),
        ("[02:10]", 1, 130),
        ("[67:05]", 1, 4025),
        ("[999:59]", 1, 59_999),
        ("[Film 1 2:10]", 1, 130),
        ("[film 1 2:10]", 1, 130),
    ],
)
def test_stamp_of_the_only_film(note: str, film: int, second: int) -> None:
    assert pieces(note, {1: None}) == [Stamp(note, film, second)]


@pytest.mark.parametrize(
    "note",
    [
        "2:10",
        "[2:60]",
        "[2:1]",
        "[:10]",
        "[1000:00]",
        "[1:00:00]",
        "[Film 2 1:00]",
        "[Film 0 1:00]",
        "[٢:10]",
        "[Film1 1:00]",
    ],
)
def test_what_is_no_stamp_stays_words(note: str) -> None:
    assert pieces(note, {1: None}) == [note]


def test_stamps_among_words() -> None:
    assert pieces("At [0:05] she asks,\nat [Film 1 1:10][1:11]", {1: None}) == [
        "At ",
        Stamp("[0:05]", 1, 5),
        " she asks,\nat ",
        Stamp("[Film 1 1:10]", 1, 70),
        Stamp("[1:11]", 1, 71),
    ]


def test_stamp_of_several_films_names_its_film() -> None:
    assert stamps("[0:05] [Film 2 0:06] [Film 3 0:07] [Film 12 0:08]", {1: 0, 2: None, 12: 8}) == [
        Stamp("[Film 2 0:06]", 2, 6),
        Stamp("[Film 12 0:08]", 12, 8),
    ]


def test_stamp_without_a_film_is_of_the_one_that_is_left() -> None:
    assert stamps("[Film 1 0:05] [Film 2 0:06] [0:07]", {2: 7}) == [Stamp("[Film 2 0:06]", 2, 6), Stamp("[0:07]", 2, 7)]


@pytest.mark.parametrize(("note", "count"), [("[1:05]", 1), ("[1:06]", 0), ("[Film 1 12:00]", 0), ("[0:00]", 1)])
def test_moment_behind_the_end_of_its_film_is_none(note: str, count: int) -> None:
    assert len(stamps(note, {1: 65})) == count


def test_no_film_no_stamp() -> None:
    assert (pieces("[0:05]", {}), pieces("", {1: None})) == (["[0:05]"], [])


@given(st.lists(st.sampled_from(["[", "]", "Film ", "1", "2:0", "5 ", "[0:05]", "[Film 2 1:00]", "<b>", "\n"])))
def test_nothing_of_a_note_is_lost(parts: list[str]) -> None:
    note = "".join(parts)
    assert "".join(piece if isinstance(piece, str) else piece.text for piece in pieces(note, {1: None, 2: 59})) == note
