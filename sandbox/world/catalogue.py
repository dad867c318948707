"""The invented range of a UK fashion merchant: styles by colour and size, each with its place in Magento and in PRIMA.

Adult sizes carry 20 % VAT, children's sizes none. A SKU is style, colour and size (`HARBOUR-BLK-10`); PRIMA keeps the
same thing as product and matrix codes (product `HARBOUR`, mtrx1 `BLK`, mtrx2 `10`).
"""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sandbox.prima import Item

COLOURS = {
    "BLK": "Black",
    "NVY": "Navy",
    "IVO": "Ivory",
    "RST": "Rust",
    "SGE": "Sage",
    "DNM": "Denim",
    "STR": "Stripe",
    "MUS": "Mustard",
}
ADULT_SIZES = ("8", "10", "12", "14", "16", "18")
LETTER_SIZES = ("XS", "S", "M", "L", "XL")
CHILD_SIZES = ("4Y", "6Y", "8Y", "10Y", "12Y")
ONE_SIZE = ("OS",)

COLOUR_ATTRIBUTE = 137
SIZE_ATTRIBUTE = 138
# Magento numbers the options of an attribute; any numbers do as long as each option keeps its own.
_COLOUR_OPTIONS = {code: number for number, code in enumerate(COLOURS, start=5)}
_SIZE_OPTIONS = {size: n for n, size in enumerate((*ADULT_SIZES, *LETTER_SIZES, *CHILD_SIZES, *ONE_SIZE), start=20)}


@dataclass(frozen=True, slots=True)
class Style:
    """A garment: price with VAT in pence, the sizes it is cut in, kilograms, and how well it sells (1 is ordinary)."""

    code: str
    name: str
    price_pence: int
    sizes: tuple[str, ...]
    colours: int = 3
    weight: Decimal = Decimal("0.4")
    appeal: float = 1.0
    child_price_pence: int = 0
    is_sold_by_option: bool = True


STYLES = (
    Style("HARBOUR", "Harbour wrap dress", 5999, ADULT_SIZES, colours=4, appeal=2.0),
    Style("WILLOW", "Willow midi skirt", 3999, ADULT_SIZES),
    Style("ASHBY", "Ashby waxed jacket", 12950, LETTER_SIZES, weight=Decimal("1.2"), appeal=0.7),
    Style("PENROSE", "Penrose blouse", 3495, ADULT_SIZES, colours=4),
    Style("FENWICK", "Fenwick lambswool jumper", 6500, LETTER_SIZES, weight=Decimal("0.6"), child_price_pence=3200),
    Style("TIDE", "Tide Breton top", 2499, LETTER_SIZES, appeal=2.5, child_price_pence=1499),
    Style("MARLOW", "Marlow tailored trousers", 4995, ADULT_SIZES),
    Style("COPSE", "Copse corduroy dungarees", 5250, LETTER_SIZES, child_price_pence=2799),
    Style("LARK", "Lark jersey pyjamas", 2995, LETTER_SIZES, child_price_pence=1895, appeal=1.4),
    Style("SALCOMBE", "Salcombe linen shirt", 4450, LETTER_SIZES, colours=4),
    Style("THISTLE", "Thistle quilted gilet", 5499, LETTER_SIZES, weight=Decimal("0.7"), child_price_pence=2999),
    Style("PIPER", "Piper puddle suit", 0, (), child_price_pence=2850, weight=Decimal("0.5"), appeal=1.3),
    Style("ACORN", "Acorn school polo, pack of two", 0, (), colours=2, child_price_pence=1199, appeal=1.8),
    Style("ROWAN", "Rowan merino scarf", 2999, ONE_SIZE, weight=Decimal("0.2"), is_sold_by_option=False),
    Style("BRIAR", "Briar leather belt", 2650, ONE_SIZE, colours=2, weight=Decimal("0.3"), is_sold_by_option=False),
    Style("SOCK3", "Cotton socks, three pairs", 1001, ONE_SIZE, weight=Decimal("0.1"), is_sold_by_option=False),
    Style("BUTTON", "Spare buttons, card of six", 99, ONE_SIZE, colours=2, weight=Decimal("0.05"), appeal=0.6,
          is_sold_by_option=False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variant:
    """One sellable thing. `price` is the shop price, VAT included; `weight` is in kilograms."""

    sku: str
    style: Style
    colour: str
    size: str
    price: Decimal
    vat_class: str
    opening_stock: int

    @property
    def parent_name(self) -> str:
        """The name under which the shop shows the style."""
        return self.style.name

    @property
    def name(self) -> str:
        """The name of the variant itself."""
        return f"{self.style.name} {COLOURS[self.colour]} {self.size}"

    @property
    def options(self) -> tuple[tuple[str, int], ...]:
        """Attribute and option ids that a customer chooses on the configurable product."""
        return (
            (str(COLOUR_ATTRIBUTE), _COLOUR_OPTIONS[self.colour]),
            (str(SIZE_ATTRIBUTE), _SIZE_OPTIONS[self.size]),
        )

    @property
    def item(self) -> Item:
        """The same thing in PRIMA, with the opening stock as available units."""
        return Item(
            sku=self.sku,
            product=self.style.code,
            mtrx1=self.colour,
            mtrx2=self.size,
            available=self.opening_stock,
            price=self.price,
            vat_code="Z" if self.vat_class == "zero" else "S",
            description=self.name,
        )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The whole range, in a fixed order."""

    variants: tuple[Variant, ...]

    def __iter__(self) -> Iterator[Variant]:
        return iter(self.variants)

    def __len__(self) -> int:
        return len(self.variants)

    def weights(self) -> list[float]:
        """Return how likely each variant is to be bought, beside the others."""
        return [variant.style.appeal for variant in self.variants]

    def write_mapping(self, path: Path) -> None:
        """Write the SKU mapping as CSV: sku, product, mtrx1, mtrx2, mtrx3, mtrx4."""
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["sku", "product", "mtrx1", "mtrx2", "mtrx3", "mtrx4"])
            rows.writerows([item.sku, *item.codes] for item in (variant.item for variant in self.variants))


def make_catalogue(seed: int, styles: int | None = None) -> Catalogue:
    """Return the range of a season: the same for the same seed. `styles` keeps only the first styles."""
    variants = []
    for style in STYLES[:styles]:
        dice = random.Random(f"{seed}:style:{style.code}")
        for colour in dice.sample(list(COLOURS), style.colours):
            variants += [_variant(style, colour, size, "standard", dice) for size in style.sizes]
            if style.child_price_pence:
                variants += [_variant(style, colour, size, "zero", dice) for size in CHILD_SIZES]
    return Catalogue(tuple(variants))


def _variant(style: Style, colour: str, size: str, vat_class: str, dice: random.Random) -> Variant:
    pence = style.child_price_pence if vat_class == "zero" else style.price_pence
    # One variant in eight starts with hardly any stock, so that running out belongs to every rehearsal.
    stock = dice.randint(0, 3) if dice.random() < 1 / 8 else dice.randint(15, 60)
    sku = f"{style.code}-{colour}-{size}"
    return Variant(sku, style, colour, size, Decimal(pence) / 100, vat_class, stock)
