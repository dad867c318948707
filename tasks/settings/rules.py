"""How the product itself works: which orders, how much stock, where its own data lies."""

from datetime import date
from typing import Literal

from pydantic import Field, field_validator

from schemas.order_checks import DEFAULT_ACTIONS, Action
from tasks.settings.order_checks import checked_actions
from tasks.settings.section import Section


class LedgerSettings(Section):
    """`[ledger]`: SQLAlchemy URL; SQLite by default, PostgreSQL (`postgresql+psycopg://`) in production."""

    url: str = Field(
        default="sqlite:///var/ledger.db",
        repr=False,
        pattern=r"^(sqlite|postgresql\+psycopg)://",
        description="SQLAlchemy URL, sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE",
    )
    keep_years: int = Field(
        default=6, ge=1, le=30, description="payloads are kept for the current year and so many before it"
    )


class WarehouseSettings(Section):
    """`[warehouse]`: the folder that receives reconciliation.duckdb, Parquet and reports."""

    folder: str = "var/warehouse"
    url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="where a web server shows the folder, http:// or https://, to link the files; empty = their paths",
    )


class OrderRuleSettings(Section):
    """`[orders]`: which Magento orders are imported."""

    import_states: list[str] = Field(default_factory=lambda: ["new", "processing", "complete"])
    import_statuses: list[str] = Field(default_factory=list, description="narrows the states; empty = every status")
    start_date: date | None = Field(default=None, description="orders placed before this date are left alone")
    minimum_age_minutes: int = Field(
        default=0, ge=0, le=10_080, description="younger orders wait, without an exception"
    )
    expire_unpaid_days: int | None = Field(default=None, ge=1, description="older unpaid orders are left out")
    chunk_size: int = Field(default=250, ge=1, le=500, description="orders posted by one task run")
    shipped_before_posting: Literal["hold", "post_on_hold", "post"] = Field(
        default="hold",
        description="orders shipped in Magento before PRIMA had them: an exception, posted with HoldOrder, or posted",
    )
    amounts: Literal["order", "base"] = Field(default="order", description="which of Magento's currencies is posted")
    look_back_days: int = Field(default=7, ge=1, le=400, description="days whose orders the nightly census counts")
    not_in_prima_hours: int = Field(default=24, ge=1, description="after which PRIMA must show an accepted order")
    number_step: int = Field(
        default=1, ge=1, description="by how much the shop's order numbers grow: 1, or Galera's step"
    )
    silence_orders: int = Field(
        default=12, ge=3, description="silence is reported when this many orders were to be expected in it"
    )
    silence_minutes: int = Field(default=30, ge=1, description="a shorter silence is never reported")
    bundles: Literal["hold", "post"] = Field(
        default="hold",
        description="orders with bundles: held, or posted, dynamic prices by component and fixed prices as one line",
    )
    countries: list[str] = Field(
        default_factory=list,
        description="ISO codes of the countries that PRIMA takes orders for; empty: all. Other spellings of PRIMA: "
        "prima.orders.country_codes",
    )
    duplicate_minutes: int = Field(
        default=5,
        ge=0,
        le=1440,
        description="the same lines for the same customer within so many minutes are a suspected duplicate; 0: never",
    )
    actions: dict[str, Action] = Field(
        default_factory=lambda: dict(DEFAULT_ACTIONS),
        description="by code of a check: hold, hold_in_prima (HoldOrder with a narrative) or warn",
    )
    silence_weeks: int = Field(default=4, ge=2, le=26, description="weeks of history that the watch compares with")

    @field_validator("actions")
    @classmethod
    def _known_codes(cls, actions: dict[str, Action]) -> dict[str, Action]:
        return checked_actions(actions)


class VerificationSettings(Section):
    """`[verification]`: when PRIMA must show an accepted order, and how far back its changes are read again."""

    visible_within_minutes: int = Field(
        default=60,
        ge=0,
        description="an accepted order not shown by PRIMA after this time and prima.reporting.lag_minutes: exception",
    )
    overlap_minutes: int = Field(default=60, ge=0, description="how much of what was read is read again")


class ReconciliationSettings(Section):
    """`[reconciliation]`: tolerance in pence and the lag in which a missing document is only late."""

    tolerance_pence: int = Field(default=0, ge=0)
    lag_hours: int = Field(default=24, ge=0)
