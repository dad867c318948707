"""The ledger's own refusals: each says that a step asked for something that may not happen."""

from tasks.errors import IntegrationError
from tasks.systems.ledger.records import Posting
from tasks.systems.ledger.states import PostingState


class LedgerStateError(IntegrationError):
    """The change is not allowed from where the order, posting, batch or link stands now; nothing was written."""


class PostingExistsError(LedgerStateError):
    """The key has an attempt that is pending, unknown or posted: look at the target, never post again blindly."""

    def __init__(self, posting: Posting) -> None:
        super().__init__(
            f"attempt {posting.attempt} is {posting.state}.",
            system="ledger",
            operation="begin posting",
            reference=posting.key,
        )
        self.posting = posting
        self.state: PostingState = posting.state


class ErasedError(LedgerStateError):
    """What was asked for had personal data in it that was erased, or was kept so long that it expired."""
