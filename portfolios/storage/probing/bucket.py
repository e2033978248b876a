"""What a bucket must do beyond that: for browsers, which talk to it themselves, and for its owner."""

from dataclasses import replace

import requests
from botocore.exceptions import BotoCoreError, ClientError

from portfolios.storage.base import BadPart, Unavailable, digest, tree
from portfolios.storage.bucket import lifecycle
from portfolios.storage.probing import alike
from portfolios.storage.probing.bench import OK, REFUSED, SECONDS, Bench, Check, forged
from portfolios.storage.s3 import CHECKSUM

PARTIAL, UNSATISFIABLE = 206, 416
LONGEST_NAME = 200  # what the row of an upload has room for
ELSEWHERE = "https://elsewhere.example"


def _is_there(bench: Bench) -> bool:
    try:
        bench.store.client.head_bucket(Bucket=bench.store.bucket)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(bench.store.bucket) from error
    return True


def _is_as_safe_as_the_portal(bench: Bench) -> bool:
    return bench.origin.startswith("http://") or bool(bench.url().startswith("https://"))


def _names_fit(bench: Bench) -> bool:
    return 0 < len(bench.transfer.upload_id) <= LONGEST_NAME


def _lists_page_by_page(bench: Bench) -> bool:
    """A film of 4 GiB has 512 parts; some servers give fewer at once than they are asked for."""
    upload = {"Bucket": bench.store.bucket, "Key": bench.key, "UploadId": bench.transfer.upload_id}
    pages = bench.store.client.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 1})
    found = [part["PartNumber"] for page in pages for part in page.get("Parts", [])]
    return sorted(set(found)) == [1, 2, 3]


def _refuses_another_digest(bench: Bench) -> bool:
    signed, body = bench.sign(1), b"!" + bench.bodies[0][1:]
    return bench.send(replace(signed, headers={CHECKSUM: digest(body)}), body) in REFUSED


def _refuses_a_part_signed_for_another(bench: Bench) -> bool:
    signed = bench.sign(1)
    moved = replace(signed, url=signed.url.replace("partNumber=1", "partNumber=2"))
    return bench.send(moved, bench.bodies[0]) in REFUSED


def _refuses_to_complete_others(bench: Bench) -> bool:
    bench.send_all(1, 2)
    first, second, third = bench.arrived()
    try:
        bench.store.complete(bench.transfer, [replace(first, sha256=second.sha256), second, third])
    except BadPart:
        return True
    return False


def _names_the_whole(bench: Bench) -> bool:
    asked = {"Bucket": bench.store.bucket, "Key": bench.key, "ChecksumMode": "ENABLED"}
    found = bench.store.client.head_object(**asked).get("ChecksumSHA256")
    return bool(found == tree([part.sha256 for part in bench.parts]))


def _get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=SECONDS)


def _plays(bench: Bench) -> bool:
    """The forms of range that players ask for."""
    size, whole = len(bench.body), bench.body
    wanted = [("0-9", 0, 10), (f"{size - 7}-", size - 7, size), ("-7", size - 7, size), ("5-5", 5, 6)]
    answers = [(_get(bench.url(), Range=f"bytes={asked}"), start, end) for asked, start, end in wanted]
    return all(
        (answer.status_code, answer.headers.get("Content-Range"), answer.content)
        == (PARTIAL, f"bytes {start}-{end - 1}/{size}", whole[start:end])
        for answer, start, end in answers
    )


def _refuses_behind_the_end(bench: Bench) -> bool:
    return _get(bench.url(), Range=f"bytes={len(bench.body)}-").status_code == UNSATISFIABLE


def _sends_whole(bench: Bench) -> bool:
    answer = _get(bench.url())
    told = (answer.headers.get("Content-Type"), answer.headers.get("Content-Disposition"))
    return (answer.status_code, answer.content, *told) == (
        OK,
        bench.body,
        "video/mp4",
        'inline; filename="probe.mp4"',
    )


def _is_private(bench: Bench) -> bool:
    plain = bench.url().split("?")[0]
    urls = [forged(bench.url()), plain, plain.removesuffix(bench.key)]
    return all(_get(url).status_code in REFUSED for url in urls)


def _ends_reading(bench: Bench) -> bool:
    bench.wait_until_it_is_over()
    return _get(bench.old_url).status_code in REFUSED


def _preflight(bench: Bench, origin: str) -> dict[str, str]:
    """What a browser is told that asks on behalf of a page whether it may send a part."""
    asked = {"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": CHECKSUM}
    answer = requests.options(bench.sign(1).url, headers=asked, timeout=SECONDS)
    return {name.lower(): value.lower() for name, value in answer.headers.items()} if answer.ok else {}


def _lets_the_portals_pages_send(bench: Bench) -> bool:
    told = _preflight(bench, bench.origin)
    heads, methods = (told.get(f"access-control-allow-{what}", "") for what in ("headers", "methods"))
    is_allowed = told.get("access-control-allow-origin") in (bench.origin.lower(), "*")
    return is_allowed and "put" in methods and (CHECKSUM in heads or heads == "*")


def _lets_no_other_pages_send(bench: Bench) -> bool:
    return _preflight(bench, ELSEWHERE).get("access-control-allow-origin") not in ("*", ELSEWHERE)


def _tells_pages_why(bench: Bench) -> bool:
    """A refusal without the header is a broken network to a page."""
    signed = bench.sign(1)
    headers = {**signed.headers, "Origin": bench.origin}
    answer = requests.put(forged(signed.url), data=bench.bodies[0], headers=headers, timeout=SECONDS)
    return answer.headers.get("Access-Control-Allow-Origin", "").lower() in (bench.origin.lower(), "*")


def _forgets_by_itself(bench: Bench) -> bool:
    return any("AbortIncompleteMultipartUpload" in rule for rule in lifecycle(bench.store))


def _keeps_no_older_versions(bench: Bench) -> bool:
    try:
        told = bench.store.client.get_bucket_versioning(Bucket=bench.store.bucket)
    except (ClientError, BotoCoreError) as error:
        raise Unavailable(bench.store.bucket) from error
    return told.get("Status") != "Enabled" or any(
        "NoncurrentVersionExpiration" in rule for rule in lifecycle(bench.store)
    )


BY_ITSELF = "`manage.py check_storage --prepare` sets it, where the keys may."
LATER = "With PART_CHECKSUM=none that is so: damage is found by the check, after the file is complete."

BEFORE = [
    Check("The bucket is there, and the keys open it.", "Nothing can be kept.", _is_there, is_ground=True),
    Check(
        "Browsers reach it by https, as they do the portal.",
        "Browsers send nothing from an https page to an http address: set S3_PUBLIC_URL.",
        _is_as_safe_as_the_portal,
    ),
]
ARRIVING = [
    Check(
        f"Its names of transfers have at most {LONGEST_NAME} letters.",
        "No upload can begin: the portal has no room for the name.",
        _names_fit,
    ),
    Check("Parts are listed page by page.", "Long films cannot be finished.", _lists_page_by_page),
]
PROOFS_ARE_LATER = [replace(check, lack=LATER, is_needed=False) for check in alike.PROOFS]
DIGESTS = [
    Check("A digest other than the signed one is refused.", alike.DAMAGE, _refuses_another_digest),
    Check("An address signed for one part is refused for another.", alike.UNSAFE, _refuses_a_part_signed_for_another),
    Check("Completing with other digests is refused.", alike.DAMAGE, _refuses_to_complete_others, is_needed=False),
]
READING = [
    Check(
        "The file's own checksum is the fingerprint on the receipt.",
        "That the file is the one received is proved by reading it, not by asking.",
        _names_the_whole,
        is_needed=False,
    ),
    Check("A film plays and jumps: every form of range is answered.", "Players stop or hang.", _plays),
    Check(
        "A range behind the end is refused.", "Some players hang at the end.", _refuses_behind_the_end, is_needed=False
    ),
    Check("A file comes whole, with the type and name we give it.", "Documents are shown wrongly.", _sends_whole),
    Check("Nothing can be read without a signed address.", "Anybody can read candidates' files.", _is_private),
    Check("An address to read from ends.", "An address that leaks is good for ever.", _ends_reading),
]
SET_UP = [
    Check(
        "Pages of the portal may send parts to it.",
        f"Every part goes through the portal instead. {BY_ITSELF}",
        _lets_the_portals_pages_send,
    ),
    Check(
        "Pages of the portal are told why a part was refused.",
        "They take it for a broken network and try more often than they need.",
        _tells_pages_why,
        is_needed=False,
    ),
    Check(
        "Pages of others may not.",
        "With a signed address that leaked, another page could send.",
        _lets_no_other_pages_send,
        is_needed=False,
    ),
    Check(
        "What is deleted leaves no older version behind.",
        "Films whose consent was withdrawn stay: switch versions off, or set a rule that ends them.",
        _keeps_no_older_versions,
    ),
    Check(
        "It forgets by itself what nobody finished.",
        f"The portal does it hourly; this is the second net. {BY_ITSELF}",
        _forgets_by_itself,
        is_needed=False,
    ),
]
