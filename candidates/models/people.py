"""Who has an account."""

import secrets
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

# No vowels (no words), nothing that is misread over the telephone.
CODE_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXZ"


def new_code(length: int = 8) -> str:
    """A random code for people to read and type: unguessable enough to be public, never derived from anybody."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))


def normalised_code(typed: str) -> str:
    """A code as people type it, in capitals and without anything between: " k7pq-m3xz" is "K7PQM3XZ".

    The whole address of the verification page, pasted, is its last part.
    """
    last = typed.strip().rstrip("/").rpartition("/")[2]
    return "".join(letter for letter in last.upper() if letter in CODE_ALPHABET)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account, known by e-mail address. Roles are groups (candidates/permissions.py)."""

    email = models.EmailField(unique=True)
    name = models.CharField("full name", max_length=150)
    time_zone = models.CharField(max_length=60, blank=True, help_text="IANA name; empty means the browser's own")
    is_staff = models.BooleanField("may open the admin", default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email
