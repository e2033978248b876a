"""What Open Badges 3.0 asks of a credential, written down from its data model: required members, types, fixed values.

Members that the portal does not use are left out, and whatever is not named is refused.
"""

from typing import Any

Schema = dict[str, Any]
URI: Schema = {"type": "string", "pattern": "^[a-z][a-z0-9+.-]*:[^ ]+$"}
TEXT: Schema = {"type": "string", "minLength": 1}
INSTANT: Schema = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}


def thing(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def kind(name: str) -> Schema:
    """A set of types, with this one among them."""
    return {"type": "array", "items": TEXT, "uniqueItems": True, "contains": {"const": name}}


def some(of: Schema) -> Schema:
    """Sets are never empty: then they are left out."""
    return {"type": "array", "items": of, "minItems": 1}


IMAGE = thing({"id": URI, "type": {"const": "Image"}}, {"caption": TEXT})
PROFILE = thing({"id": URI, "type": kind("Profile")}, {"name": TEXT, "url": URI, "email": TEXT})
CRITERIA: Schema = {
    **thing({}, {"id": URI, "narrative": TEXT}),
    "anyOf": [{"required": ["id"]}, {"required": ["narrative"]}],
}
ACHIEVEMENT = thing(
    {"id": URI, "type": kind("Achievement"), "name": TEXT, "description": TEXT, "criteria": CRITERIA},
    {"achievementType": {"enum": ["Achievement", "Award", "Certificate", "Certification"]}, "image": IMAGE},
)
IDENTITY = thing(
    {
        "type": {"const": "IdentityObject"},
        "hashed": {"const": True},
        "identityHash": {"type": "string", "pattern": r"^sha256\$[0-9a-f]{64}$"},
        "identityType": {"enum": ["name", "emailAddress"]},
        "salt": {"type": "string", "minLength": 16},
    }
)
SUBJECT: Schema = {
    **thing(
        {"type": kind("AchievementSubject"), "achievement": ACHIEVEMENT},
        {"id": URI, "identifier": some(IDENTITY), "licenseNumber": TEXT},
    ),
    "anyOf": [{"required": ["id"]}, {"required": ["identifier"]}],
}
STATUS = thing(
    {
        "id": URI,
        "type": {"const": "BitstringStatusListEntry"},
        "statusPurpose": {"const": "revocation"},
        "statusListIndex": {"type": "string", "pattern": r"^(0|[1-9]\d*)$"},
        "statusListCredential": URI,
    }
)
SCHEMA_REF = thing({"id": URI, "type": {"const": "1EdTechJsonSchemaValidator2019"}})
CREDENTIAL = thing(
    {
        "@context": {
            "type": "array",
            "prefixItems": [
                {"const": "https://www.w3.org/ns/credentials/v2"},
                {"pattern": r"^https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)*\.json$"},
            ],
            "minItems": 2,
        },
        "id": URI,
        "type": {
            "allOf": [
                kind("VerifiableCredential"),
                {"contains": {"enum": ["AchievementCredential", "OpenBadgeCredential"]}},
            ]
        },
        "issuer": PROFILE,
        "validFrom": INSTANT,
        "credentialSubject": SUBJECT,
    },
    {"awardedDate": INSTANT, "name": TEXT, "credentialStatus": STATUS, "credentialSchema": some(SCHEMA_REF)},
)
CLAIMS: Schema = {
    "iss": URI,
    "jti": URI,
    "nbf": {"type": "integer"},
    "sub": URI,
}
STATUS_LIST = thing(
    {
        "@context": {"type": "array", "prefixItems": [{"const": "https://www.w3.org/ns/credentials/v2"}]},
        "id": URI,
        "type": {"allOf": [kind("VerifiableCredential"), kind("BitstringStatusListCredential")]},
        "issuer": URI,
        "validFrom": INSTANT,
        "credentialSubject": thing(
            {
                "id": URI,
                "type": {"const": "BitstringStatusList"},
                "statusPurpose": {"const": "revocation"},
                "encodedList": {"type": "string", "pattern": "^u[A-Za-z0-9_-]+$"},
            }
        ),
    }
)
