"""Control totals: counts and pence of each step, and which of them must agree."""

from collections.abc import Sequence

from schemas.documents import ControlTotals, ExceptionNote
from schemas.money import pounds_text
from tasks.errors import UnexpectedResponseError
from tasks.systems.ledger import Ledger


class CheckedTotals:
    """The control totals of one batch, by step name, in the order in which they were noted."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._totals: dict[str, ControlTotals] = {}
        self._rules: list[tuple[str, Sequence[str]]] = []

    def note(self, step: str, totals: ControlTotals) -> None:
        """Keep what a step counted and added up."""
        self._totals[step] = totals

    def must_agree(self, whole: str, parts: Sequence[str]) -> None:
        """Demand that the parts make the whole, in count, net, VAT and gross."""
        self._rules.append((whole, parts))

    def counts(self) -> dict[str, int]:
        """Return the count of each step."""
        return {step: totals.count for step, totals in self._totals.items()}

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Return counts and pence of each step, for the ledger."""
        return {
            step: {
                "count": totals.count,
                "net_pence": totals.net_pence,
                "vat_pence": totals.vat_pence,
                "gross_pence": totals.gross_pence,
            }
            for step, totals in self._totals.items()
        }

    def disagreements(self) -> list[str]:
        """Return a sentence for each rule that does not hold."""
        found = []
        for whole, parts in self._rules:
            made = sum((self._totals[part] for part in parts), start=ControlTotals())
            if made != self._totals[whole]:
                found.append(f"{whole} is {_text(self._totals[whole])}, but {' + '.join(parts)} make {_text(made)}")
        return found

    def check(self, ledger: Ledger, batch_id: str) -> None:
        """Raise an exception and UnexpectedResponseError when something was lost between two steps."""
        found = self.disagreements()
        if not found:
            return
        detail = "; ".join(found)
        ledger.raise_exceptions(batch_id, [ExceptionNote("CONTROL_TOTALS_DISAGREE", f"batch {batch_id}", detail)])
        ledger.close_batch(batch_id, "failed", self.as_dict())
        raise UnexpectedResponseError(
            f"control totals disagree: {detail}.", system="magento-prima", operation=self._stream, reference=batch_id
        )


def _text(totals: ControlTotals) -> str:
    return f"{totals.count} for {pounds_text(totals.gross_pence)} with {pounds_text(totals.vat_pence)} VAT"
