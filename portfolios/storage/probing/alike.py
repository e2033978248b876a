"""What every store must do."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

from portfolios.storage.base import Missing
from portfolios.storage.probing.bench import OK, PART, PREFIX, REFUSED, SHORT, Bench, Check, forged

EVER = datetime.max.replace(tzinfo=UTC)


def _takes_parts(bench: Bench) -> bool:
    bench.begin()
    bench.sign_for_a_moment()
    return bench.send_all(3, 1)


def _takes_a_relayed_part(bench: Bench) -> bool:
    second = bench.parts[1]
    return bool(bench.store.receive(bench.transfer, replace(second, sha256=""), bench.bodies[1]) == second)


def _refuses_altered(bench: Bench) -> bool:
    return bench.send(bench.sign(1), b"!" + bench.bodies[0][1:]) in REFUSED


def _refuses_another_part(bench: Bench) -> bool:
    return bench.send(bench.sign(2), bench.bodies[0]) in REFUSED


def _refuses_another_length(bench: Bench) -> bool:
    body = bench.bodies[0]
    return all(bench.send(bench.sign(1), wrong) in REFUSED for wrong in (body[:-1], body + b"!"))


def _refuses_forged(bench: Bench) -> bool:
    signed = bench.sign(1)
    return bench.send(replace(signed, url=forged(signed.url)), bench.bodies[0]) in REFUSED


def _refuses_expired(bench: Bench) -> bool:
    """By the store's own clock, where it has one."""
    if bench.store.is_direct:
        bench.wait_until_it_is_over()
    return bench.send(bench.old_part, bench.bodies[0], at=bench.at + SHORT) in REFUSED


def _takes_parts_again(bench: Bench) -> bool:
    """Also to mend what a store took that should have refused it."""
    return bench.send_all(1, 2) and [part.number for part in bench.arrived()] == [1, 2, 3]


def _completes(bench: Bench) -> bool:
    bench.store.complete(bench.transfer, bench.arrived())
    with bench.store.open(bench.key) as file:
        return bool(file.read() == bench.body)


def _completes_twice(bench: Bench) -> bool:
    bench.store.complete(bench.transfer, bench.arrived())
    return bool(bench.store.size(bench.key) == len(bench.body))


def _takes_nothing_after_the_end(bench: Bench) -> bool:
    return bench.send(bench.sign(1), bench.bodies[0]) != OK


def _unfinished(bench: Bench) -> set[str]:
    return {one.upload_id for one in bench.store.unfinished(PREFIX, before=EVER)}


def _lists_unfinished(bench: Bench) -> bool:
    return bench.begin().upload_id in _unfinished(bench)


def _gives_up(bench: Bench) -> bool:
    for _ in range(2):
        bench.store.abort(bench.begun[-1])
    return bench.begun[-1].upload_id not in _unfinished(bench) and bool(bench.store.size(bench.key) == len(bench.body))


def _reads_pieces(bench: Bench) -> bool:
    start = PART - 5
    return b"".join(bench.store.open_range(bench.key, start, 10)) == bench.body[start : start + 10]


def _keeps_our_own_files(bench: Bench) -> bool:
    for body in (b"first", b"second"):
        bench.store.put(bench.made, BytesIO(body), content_type="image/jpeg")
    with bench.store.open(bench.made) as file:
        return bool(file.read() == b"second")


def _forgets(bench: Bench) -> bool:
    for key in (bench.made, bench.key):
        bench.store.delete(key)
    return all(_is_gone(bench, key) for key in (bench.made, bench.key))


def _is_gone(bench: Bench, key: str) -> bool:
    try:
        bench.store.size(key)
    except Missing:
        return True
    return False


UNSAFE = "Somebody could put bytes into another person's file."
COSTLY = "What was given up stays, and takes room."
DAMAGE = "A file that was damaged on its way could be kept as if it were whole."

ARRIVING = [
    Check("A part is taken at its signed address.", "Nobody can upload a file.", _takes_parts),
    Check("A part is taken through the portal.", "Whoever sits behind a filter cannot upload.", _takes_a_relayed_part),
]
PROOFS = [
    Check("A part with altered bytes is refused.", DAMAGE, _refuses_altered),
    Check("The bytes of one part are refused as another.", DAMAGE, _refuses_another_part),
]
REFUSING = [
    Check("A part of another length is refused.", DAMAGE, _refuses_another_length),
    Check("A forged address is refused.", UNSAFE, _refuses_forged),
    Check("An address is refused once its time is over.", UNSAFE, _refuses_expired),
]
FINISHING = [
    Check("A part may be sent again.", "An upload that was broken off cannot go on.", _takes_parts_again),
    Check("Parts become one file with exactly their bytes.", "No upload can be finished.", _completes),
    Check("Completing twice does no harm.", "An answer lost on its way ends an upload.", _completes_twice),
    Check("Nothing is taken into a file that is complete.", UNSAFE, _takes_nothing_after_the_end),
    Check("Unfinished transfers are listed.", COSTLY, _lists_unfinished, is_needed=False),
    Check("A transfer is given up, and the file stays.", COSTLY, _gives_up),
    Check("A piece of a file can be read.", "Films must be fetched whole to be checked.", _reads_pieces),
    Check("Files that the portal makes are kept, over earlier ones.", "No film can be watched.", _keeps_our_own_files),
]
FORGETTING = Check("A deleted file is gone.", "What must be deleted cannot be.", _forgets)
