"""What a reconciliation shows in the Prefect UI: the headline with the control totals, and the first breaks."""

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from tasks.reconcile.report import ReportFiles, break_rows, markdown
from tasks.reconcile.run import Reconciliation


def show_reconciliation(found: Reconciliation, files: ReportFiles, url: str) -> None:
    """Publish the artifacts `reconciliation` and `reconciliation-breaks`; no name or address is in either.

    `url` is where the warehouse folder is served, to link its files; empty names them by their paths.
    """
    create_markdown_artifact(
        key="reconciliation", markdown=markdown(found, files, url), description="Magento and PRIMA"
    )
    rows = break_rows(found)
    shown = f"the first {len(rows)} of {len(found.breaks)} breaks" if rows else "no breaks"
    create_table_artifact(key="reconciliation-breaks", table=rows, description=f"Reconciliation: {shown}")
