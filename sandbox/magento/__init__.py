"""A stand-in for Magento 2.4: the routes an integration uses, with the habits recorded from the real one."""

from sandbox.magento.loading import NotSalableError
from sandbox.magento.search import Limits
from sandbox.magento.shop import ShopSettings
from sandbox.magento.standin import MagentoStandIn

__all__ = ["Limits", "MagentoStandIn", "NotSalableError", "ShopSettings"]
