"""The stand-in of PRIMA. Web service, stock, orders, warehouse, accounts and reporting views, with faults on demand."""

from sandbox.prima.items import Item
from sandbox.prima.settings import StandInSettings
from sandbox.prima.standin import PrimaStandIn

__all__ = ["Item", "PrimaStandIn", "StandInSettings"]
