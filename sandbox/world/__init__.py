"""A small trading world for rehearsals: a catalogue, customers, a warehouse, all decided by one seed."""

from sandbox.world.catalogue import Catalogue, Variant, make_catalogue
from sandbox.world.trading import Pace, StepReport, TradingWorld

__all__ = ["Catalogue", "Pace", "StepReport", "TradingWorld", "Variant", "make_catalogue"]
