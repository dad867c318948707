"""What a reason is."""

from dataclasses import dataclass
from typing import Literal

Owner = Literal["operations", "finance", "ecommerce", "customer service", "integration"]
Severity = Literal["info", "warning", "problem", "critical"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something stopped. `anchor` is its heading in `docs/operations.md`."""

    code: str
    sentence: str
    owner: Owner
    severity: Severity
    next_step: str

    @property
    def anchor(self) -> str:
        """The handbook page and heading that explains it."""
        return f"docs/operations.md#{self.code.lower()}"


Row = tuple[str, str, Owner, Severity, str]
