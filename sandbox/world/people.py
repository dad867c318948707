"""Invented customers. Names are common ones put together at random; no address, e-mail or telephone number is real.

E-mails end in `example.test`; telephone numbers lie in 01632 960000-960999, kept free for drama by Ofcom.
"""

import random
from dataclasses import dataclass

from sandbox.magento.carts import Customer, PostalAddress

FORENAMES = (
    "Amelia", "Beth", "Callum", "Daisy", "Eleri", "Fergus", "Grace", "Hamza", "Isla", "Joshua", "Kiran", "Lowri",
    "Maya", "Niamh", "Oluwaseun", "Priya", "Rhys", "Siân", "Tomasz", "Yasmin", "Zoë", "Anne-Marie",
)  # fmt: skip
SURNAMES = (
    "Ahmed", "Baker", "Campbell", "D'Arcy", "Evans", "Fletcher", "Griffiths", "Hughes", "Ibrahim", "Jones", "Khan",
    "Lewis", "MacDonald", "Nowak", "O'Connor", "Patel", "Robinson", "Smith-Hargreaves", "Taylor", "Walker", "Łukasik",
)  # fmt: skip
STREETS = ("High Street", "Mill Lane", "Station Road", "Church Row", "The Green", "Orchard Close", "Harbour View")
COMPANIES = ("Pebble & Pine Ltd", "Lantern Studio", "Fold Café Ltd")


@dataclass(frozen=True, slots=True)
class Place:
    """A town with the first half of its postcode; the second half is made up."""

    town: str
    county: str
    outcode: str
    country: str = "GB"


HOME = (
    Place("Leicester", "Leicestershire", "LE1"),
    Place("Leeds", "West Yorkshire", "LS1"),
    Place("Bristol", "", "BS1"),
    Place("Cardiff", "", "CF10"),
    Place("Glasgow", "", "G2"),
    Place("Norwich", "Norfolk", "NR2"),
    Place("Exeter", "Devon", "EX1"),
    Place("London", "", "SE15"),
    Place("London", "", "N8"),
    Place("Manchester", "Greater Manchester", "M4"),
    Place("Llanfairpwllgwyngyll", "Ynys Môn", "LL61"),
    Place("Inverness", "", "IV2"),
)
NORTHERN_IRELAND = (Place("Belfast", "County Antrim", "BT1"), Place("Derry", "County Londonderry", "BT48"))
ISLANDS = (Place("Douglas", "", "IM1", "IM"), Place("St Helier", "", "JE2", "JE"))
ABROAD = (Place("Dublin", "Dublin", "D02", "IE"), Place("Cork", "County Cork", "T12", "IE"))


@dataclass(frozen=True, slots=True)
class Person:
    """A customer with the address that the parcel goes to and, where it differs, the one that pays."""

    customer: Customer
    address: PostalAddress
    billing_address: PostalAddress | None = None


def invent_person(dice: random.Random, number: int, *, abroad: float) -> Person:
    """Return the customer of that number. `abroad` is the share that lives outside Great Britain.

    Seven in ten are guests; the others have an account whose id comes with the number.
    """
    forename, surname = dice.choice(FORENAMES), dice.choice(SURNAMES)
    place = _place(dice, abroad)
    company = dice.choice(COMPANIES) if dice.random() < 0.04 else ""
    address = _address(dice, forename, surname, place, company)
    is_gift = dice.random() < 0.08
    billing = None
    if is_gift:
        billing = _address(dice, forename, surname, dice.choice(HOME), "")
        address = _address(dice, dice.choice(FORENAMES), dice.choice(SURNAMES), place, "")
    has_account = dice.random() < 0.3
    customer = Customer(
        forename=forename,
        surname=surname,
        email=f"customer{number}@example.test",
        customer_id=1000 + number if has_account else 0,
        group_id=1 if has_account else 0,
    )
    return Person(customer, address, billing)


def _place(dice: random.Random, abroad: float) -> Place:
    where = dice.random()
    if where >= abroad:
        return dice.choice(HOME)
    return dice.choice((*NORTHERN_IRELAND, *NORTHERN_IRELAND, *ISLANDS, *ABROAD))


def _address(dice: random.Random, forename: str, surname: str, place: Place, company: str) -> PostalAddress:
    street = [f"{dice.randint(1, 180)} {dice.choice(STREETS)}"]
    if dice.random() < 0.2:
        street.append(f"Flat {dice.randint(1, 24)}")
    letters = "".join(dice.choice("ABDEFGHJLNPQRSTUWXYZ") for _ in range(2))
    incode = f"{dice.choice('XF')}{dice.randint(10, 99)}{letters[0]}" if place.country == "IE" else ""
    postcode = f"{place.outcode} {incode or f'{dice.randint(1, 9)}{letters}'}"
    return PostalAddress(
        forename=forename,
        surname=surname,
        street=tuple(street),
        town=place.town,
        postcode=postcode,
        country=place.country,
        county=place.county,
        phone=f"01632 960{dice.randint(0, 999):03d}",
        company=company,
    )
