"""Money as whole minor units ("pence", whatever the currency), and the only conversions to and from text.

Rule 1 of the product: no float ever holds money, and nothing here rounds unless its name says so.
All currencies handled here have two decimals.
"""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation

Amount = str | int | Decimal

# Far above any order, far below what a 64-bit column of sums can hold.
LARGEST_POUNDS = Decimal(10**12)


def to_decimal(amount: Amount) -> Decimal:
    """Return the amount as an exact Decimal; raises ValueError for text that is no finite number, and for floats."""
    if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
        raise ValueError(f"{amount!r} is a {type(amount).__name__}, which cannot hold money")
    try:
        value = Decimal(amount)
    except (InvalidOperation, TypeError) as error:
        raise ValueError(f"{amount!r} is not an amount of money") from error
    if not value.is_finite():
        raise ValueError(f"{amount!r} is not an amount of money")
    return value


def to_pence(amount: Amount) -> int:
    """Return a pounds amount (19.99) as whole pence (1999).

    Raises ValueError when it is not whole pence, or larger than a 64-bit sum of pence could carry.
    """
    value = to_decimal(amount)
    if abs(value) > LARGEST_POUNDS:
        raise ValueError(f"{amount} is too large for an amount of money")
    if value != value.quantize(Decimal("0.01"), rounding=ROUND_DOWN):
        raise ValueError(f"{amount} is not a whole number of pence")
    return int(value.scaleb(2))


def to_pounds(pence: int) -> Decimal:
    """Return whole pence (1999) as a Decimal with two decimals (19.99)."""
    return Decimal(pence).scaleb(-2)


def pounds_text(pence: int) -> str:
    """Return whole pence (199999) as wire text (`1999.99`), always with two decimals."""
    return f"{to_pounds(pence):.2f}"


def show(pence: int, currency: str = "GBP") -> str:
    """Return whole pence as text for a person: `£1,999.99`, `-£0.01`, `€12.00`."""
    symbol = {"GBP": "£", "EUR": "€", "USD": "$"}.get(currency, f"{currency} ")
    sign = "-" if pence < 0 else ""
    return f"{sign}{symbol}{abs(to_pounds(pence)):,.2f}"


def vat_in_gross(gross_pence: int, rate_percent: Decimal) -> int:
    """Return the VAT inside a gross amount at a rate, rounded half up: for checks and explanations only."""
    vat = Decimal(gross_pence) * rate_percent / (100 + rate_percent)
    return int(vat.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def vat_on_net(net_pence: int, rate_percent: Decimal) -> int:
    """Return the VAT to add to a net amount at a rate, rounded half up: for checks and explanations only."""
    vat = Decimal(net_pence) * rate_percent / 100
    return int(vat.quantize(Decimal(1), rounding=ROUND_HALF_UP))
