"""Does every parcel that left PRIMA show in Magento, and every shipment in Magento in PRIMA? Counted each night."""

from prefect import flow

from flows.desk import desk_after_run
from flows.passing import whole
from flows.slots import slots_of_both_systems
from tasks.decide import dispatch_census as decide
from tasks.extract import dispatch_census as extract
from tasks.record import dispatch_census as record
from tasks.record.dispatch_census import DispatchCensusSummary
from tasks.settings import Settings
from tasks.settings.fulfilment_rules import dispatch_census_rule


@flow(name="dispatch-census", description="Dispatches without a shipment, and shipments without a dispatch.")
@desk_after_run("dispatch-census")
@slots_of_both_systems()
def take_dispatch_census() -> DispatchCensusSummary:
    """List what PRIMA dispatched and Magento does not show as shipped, and what was shipped in Magento by hand.

    Both with age and value, over `fulfilment.look_back_days`. Nothing is shipped or changed here.
    """
    rule = dispatch_census_rule(Settings.from_env())
    evidence = extract.fetch_dispatch_census()
    return record.close_dispatch_census(whole(evidence), whole(decide.dispatch_census(evidence, rule)))
