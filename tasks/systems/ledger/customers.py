"""Customers of PRIMA by Magento account: two numbers, nothing personal."""

from collections.abc import Collection, Mapping

from sqlalchemy import select

from tasks.systems.ledger.database import Database
from tasks.systems.ledger.models import customers


class Customers(Database):
    """The code that PRIMA gave the last accepted order of an account."""

    def customer_codes(self, customer_ids_magento: Collection[int]) -> dict[int, str]:
        """Return PRIMA's codes of these accounts; an account without an accepted order is left out."""
        wanted = sorted(set(customer_ids_magento))
        if not wanted:
            return {}
        query = select(customers).where(customers.c.customer_id_magento.in_(wanted))
        with self._reading("customer codes") as connection:
            return {row.customer_id_magento: row.customer_code for row in connection.execute(query)}

    def remember_customers(self, codes: Mapping[int, str]) -> None:
        """Keep PRIMA's codes of accounts; an earlier code of an account is replaced."""
        if not codes:
            return
        rows = [
            {"customer_id_magento": account, "customer_code": code, "updated_at": self._now()}
            for account, code in sorted(codes.items())
        ]
        with self._writing("remember customers") as connection:
            insert = self._insert(customers).values(rows)
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["customer_id_magento"],
                    set_={name: insert.excluded[name] for name in ("customer_code", "updated_at")},
                )
            )
