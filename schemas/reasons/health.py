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
    (
        "FLOW_LATE",
        "A flow that should have begun has not, for longer than is usual at this hour of the week.",
        "operations",
        "problem",
        "See in the Prefect UI whether a worker of the pool magento-prima is online and has a free slot.",
        "none",
    ),
    (
        "FLOW_STALLED",
        "A flow runs for longer than is usual at this hour of the week.",
        "operations",
        "problem",
        "See the log of the run: what it waits for. Cancel it if that will not come; the next run goes on from there.",
        "none",
    ),
    (
        "FLOW_CRASHED",
        "The process of a flow died; the flow comes back by itself.",
        "operations",
        "warning",
        "Nothing, if it closes itself within minutes. If it comes again, see the machine: memory, restarts.",
        "none",
    ),
    (
        "FLOW_DOWN",
        "A flow failed or crashed again and again, and does not come back by itself.",
        "operations",
        "critical",
        "See the log of its last run, remove the cause, and run the deployment again: nothing is done twice.",
        "none",
    ),
    (
        "FLOW_INTERRUPTED",
        "The process died under something that a person had started, which is not done again by itself.",
        "operations",
        "problem",
        "See in the Prefect UI what the run was to do and whether it took effect; if not, fill in its form again.",
        "none",
    ),
    (
        "DISPATCHES_SILENT",
        "No dispatch came from PRIMA for longer than earlier weeks make likely.",
        "operations",
        "problem",
        "Ask the warehouse whether it works; see whether PRIMA's extract or files of dispatches still come.",
        "none",
    ),
    (
        "SNAPSHOT_OLD",
        "No stock was read from PRIMA for longer than is usual: the shop sells by old figures.",
        "operations",
        "critical",
        "See the last run of inventory; `magento-prima check` tells whether PRIMA answers.",
        "none",
    ),
    (
        "STREAM_STANDS_STILL",
        "Nothing of a stream was recorded for longer than is usual; its watermark stands still.",
        "operations",
        "problem",
        "See the last runs of the flow that reads it, and `magento-prima check`.",
        "none",
    ),
)
