"""How a parcel is told: title and page by carrier and service, whatever stands in the tracking number."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.documents import Track
from schemas.rules import CarrierRule, NumberRule, ServiceRule
from tasks.decide import carriers

DPD = CarrierRule(
    "DPD",
    "custom",
    "https://tracking.example/dpd/{tracking_number}",
    {"SAT": ServiceRule("DPD Saturday"), "INT": ServiceRule("", "https://tracking.example/int?n={tracking_number}")},
)
KNOWN = {"DPD": DPD, "RM": CarrierRule("Royal Mail", "custom"), "EVRI": CarrierRule("Evri", "custom")}


def row(service: str = "NEXTDAY", tracking: str = "1550") -> dict[str, str]:
    return {"service": service, "tracking_numbers": tracking}


def test_a_parcel_is_told_with_the_carriers_title_and_page() -> None:
    assert carriers.tracks(row(), DPD) == (Track("1550", "custom", "DPD", "https://tracking.example/dpd/1550"),)


def test_a_service_has_a_title_or_a_page_of_its_own_and_the_rest_from_its_carrier() -> None:
    (saturday,) = carriers.tracks(row("SAT"), DPD)
    (abroad,) = carriers.tracks(row("INT"), DPD)
    assert (saturday.title, saturday.url) == ("DPD Saturday", "https://tracking.example/dpd/1550")
    assert (abroad.title, abroad.url) == ("DPD", "https://tracking.example/int?n=1550")


def test_a_carrier_without_a_template_has_no_page() -> None:
    (track,) = carriers.tracks(row(), KNOWN["RM"])
    assert track.url == ""


@settings(deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_no_tracking_number_breaks_out_of_its_page(number: str) -> None:
    page = carriers.page_of(DPD.tracking_url, number)
    rest = page.removeprefix("https://tracking.example/dpd/")
    assert all(sign.isalnum() or sign in "%._~-" for sign in rest)
    assert rest.isascii()


def test_suggestions_are_ranked_by_code_and_by_title() -> None:
    assert carriers.suggestions("DPDX", KNOWN)[0] == "DPD"
    assert carriers.suggestions("ROYALMAIL", KNOWN)[0] == "RM"
    assert carriers.suggestions("ZZZZ", KNOWN) == ()


def test_the_prefix_and_length_of_an_order_number_say_whose_it_is() -> None:
    rule = NumberRule("30", "entity_id", 8)
    assert rule.is_ours("30000042")
    assert not rule.is_ours("20000042")
    assert not rule.is_ours("3000042")
    assert NumberRule("", "entity_id", 8).is_ours("20000042")
