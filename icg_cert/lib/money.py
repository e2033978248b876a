"""Money as integer minor units with a currency. Decimal appears only at the edges; floats nowhere."""

from dataclasses import dataclass
from decimal import Decimal

# Minor units per major unit, as a power of ten (ISO 4217). Fees are in dollars; the others are here because a provider
# can report money in a currency nobody asked for, and that money has to be written down, too.
EXPONENT = {"USD": 2, "CAD": 2, "EUR": 2, "GBP": 2, "AUD": 2, "NZD": 2, "MXN": 2, "CHF": 2, "JPY": 0}


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An exact amount: `minor` units (cents) of `currency` (three letters). May be negative."""

    minor: int
    currency: str = "USD"

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"Money counts whole minor units, got {type(self.minor).__name__}")
        if self.currency not in EXPONENT:
            raise ValueError(f"Unknown currency {self.currency!r}")

    @classmethod
    def of(cls, amount: Decimal, currency: str = "USD") -> "Money":
        """From a decimal of major units ("400.00"). ValueError when it has a remainder below the minor unit."""
        minor = amount.scaleb(EXPONENT[currency])
        if minor != minor.to_integral_value():
            raise ValueError(f"{amount} {currency} is not a whole number of minor units")
        return cls(int(minor), currency)

    @property
    def amount(self) -> Decimal:
        """In major units, with exactly the currency's digits: Decimal("400.00")."""
        return Decimal(self.minor).scaleb(-EXPONENT[self.currency])

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"Cannot combine {self.currency} and {other.currency}")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __mul__(self, count: int) -> "Money":
        return Money(self.minor * count, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.minor < other.minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        sign = "-" if self.minor < 0 else ""
        symbol = "$" if self.currency == "USD" else ""
        return f"{sign}{symbol}{abs(self.amount):,} {self.currency}"
