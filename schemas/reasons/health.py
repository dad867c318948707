"""What is wrong with the machinery itself: runs, streams, and those who should be told."""

from schemas.reasons.reason import Row

ROWS: tuple[Row, ...] = (
    (
        "ALERT_NOT_SENT",
        "A channel did not take an alert; the people behind it have not been told.",
        "integration",
        "problem",
        "See whether the channel answers: `magento-prima alerts test`. Every run tries again.",
        "none",
    ),
)
