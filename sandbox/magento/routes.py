"""The routes of the stand-in: verb, path, permission, handler."""

from sandbox.magento import attributes, bulk, creditmemos, inventory, invoices, orders, prices, products, shipments
from sandbox.magento.routing import Route
from sandbox.magento.shop import Handler
from sandbox.magento.structure import country, modules, nothing, searched, served

_SALES, _STOCK, _CATALOGUE = "Magento_Sales::", "Magento_InventoryApi::", "Magento_Catalog::"
_STORE, _TAX = "Magento_Backend::store", "Magento_Tax::manage_tax"
_BULK = "Magento_Logging::system_magento_logging_bulk_operations"

_TABLE: list[tuple[str, str, str, Handler]] = [
    ("GET", "/V1/orders", _SALES + "actions_view", orders.search),
    ("POST", "/V1/orders", _SALES + "create", orders.save),
    ("PUT", "/V1/orders/create", _SALES + "create", orders.save),
    ("GET", "/V1/orders/items", _SALES + "actions_view", orders.search_lines),
    ("GET", "/V1/orders/:id", _SALES + "actions_view", orders.read),
    ("GET", "/V1/orders/:id/statuses", _SALES + "actions_view", orders.status),
    ("GET", "/V1/orders/:id/comments", _SALES + "actions_view", orders.comments),
    ("POST", "/V1/orders/:id/comments", _SALES + "comment", orders.comment),
    ("POST", "/V1/orders/:id/cancel", _SALES + "cancel", orders.cancel),
    ("POST", "/V1/orders/:id/hold", _SALES + "hold", orders.hold),
    ("POST", "/V1/orders/:id/unhold", _SALES + "unhold", orders.unhold),
    ("GET", "/V1/shipments", _SALES + "shipment", shipments.search),
    ("POST", "/V1/shipment/track", _SALES + "shipment", shipments.add_track),
    ("GET", "/V1/shipment/:id", _SALES + "shipment", shipments.read),
    ("POST", "/V1/shipment/:id/comments", _SALES + "shipment", shipments.comment),
    ("POST", "/V1/shipment/:id/emails", _SALES + "shipment", shipments.email),
    ("POST", "/V1/order/:id/ship", _SALES + "ship", shipments.ship),
    ("GET", "/V1/invoices", _SALES + "sales_invoice", invoices.search),
    ("GET", "/V1/invoices/:id", _SALES + "sales_invoice", invoices.read),
    ("POST", "/V1/order/:id/invoice", _SALES + "invoice", invoices.invoice),
    ("POST", "/V1/invoice/:id/refund", _SALES + "sales_invoice", creditmemos.refund_invoice),
    ("GET", "/V1/creditmemos", _SALES + "sales_creditmemo", creditmemos.search),
    ("GET", "/V1/creditmemo/:id", _SALES + "sales_creditmemo", creditmemos.read),
    ("POST", "/V1/order/:id/refund", _SALES + "creditmemo", creditmemos.refund),
    ("GET", "/V1/transactions", _SALES + "transactions_fetch", nothing),
    ("GET", "/V1/inventory/source-items", _STOCK + "source", inventory.search_source_items),
    ("POST", "/V1/inventory/source-items", _STOCK + "stock_source_item_assign", inventory.save_source_items),
    ("POST", "/V1/inventory/source-items-delete", _STOCK + "stock_source_item_assign", inventory.delete_source_items),
    ("GET", "/V1/inventory/sources", _STOCK + "source", searched("sources", needed=False)),
    ("GET", "/V1/inventory/stocks", _STOCK + "stock", searched("stocks", needed=False)),
    (
        "GET",
        "/V1/inventory/stock-source-links",
        _STOCK + "stock_source_link",
        searched("stock-source-links", needed=True),
    ),
    (
        "GET",
        "/V1/inventory/get-product-salable-quantity/:sku/:stockId",
        "Magento_InventorySalesApi::stock",
        inventory.salable_quantity,
    ),
    (
        "GET",
        "/V1/inventory/is-product-salable/:sku/:stockId",
        "Magento_InventorySalesApi::stock",
        inventory.is_salable,
    ),
    ("GET", "/V1/inventory/are-products-salable", "Magento_InventorySalesApi::stock", inventory.are_salable),
    ("GET", "/V1/inventory/stock-resolver/:type/:code", "Magento_InventorySalesApi::stock", inventory.stock_of_website),
    ("GET", "/V1/stockItems/lowStock", "Magento_CatalogInventory::cataloginventory", inventory.low_stock),
    ("GET", "/V1/stockItems/:sku", "Magento_CatalogInventory::cataloginventory", inventory.legacy_stock_item),
    (
        "PUT",
        "/V1/products/:sku/stockItems/:itemId",
        "Magento_CatalogInventory::cataloginventory",
        inventory.save_legacy_stock_item,
    ),
    ("GET", "/V1/products", _CATALOGUE + "products", products.search),
    ("POST", "/V1/products", _CATALOGUE + "products", products.post),
    ("POST", "/V1/products/base-prices", _CATALOGUE + "catalog", prices.save_base_prices),
    ("POST", "/V1/products/base-prices-information", _CATALOGUE + "catalog", prices.base_prices),
    ("POST", "/V1/products/special-price", _CATALOGUE + "catalog", prices.save_special_prices),
    ("POST", "/V1/products/special-price-information", _CATALOGUE + "catalog", prices.special_prices),
    ("POST", "/V1/products/special-price-delete", _CATALOGUE + "catalog", prices.delete_special_prices),
    ("POST", "/V1/products/tier-prices", _CATALOGUE + "catalog", prices.save_tier_prices),
    ("POST", "/V1/products/tier-prices-information", _CATALOGUE + "catalog", prices.tier_prices),
    ("POST", "/V1/products/cost", _CATALOGUE + "catalog", prices.save_costs),
    ("POST", "/V1/products/cost-information", _CATALOGUE + "catalog", prices.costs),
    ("GET", "/V1/products/attributes/:code/options", _CATALOGUE + "attributes_attributes", attributes.options),
    ("POST", "/V1/products/attributes/:code/options", _CATALOGUE + "attributes_attributes", attributes.add_option),
    ("GET", "/V1/products/:sku", _CATALOGUE + "products", products.read),
    ("PUT", "/V1/products/:sku", _CATALOGUE + "products", products.put),
    ("DELETE", "/V1/products/:sku", _CATALOGUE + "products", products.delete),
    ("GET", "/V1/store/websites", _STORE, served("websites")),
    ("GET", "/V1/store/storeViews", _STORE, served("store-views")),
    ("GET", "/V1/store/storeGroups", _STORE, served("store-groups")),
    ("GET", "/V1/store/storeConfigs", _STORE, served("store-configs")),
    ("GET", "/V1/taxRates/search", _TAX, searched("tax-rates", needed=True)),
    ("GET", "/V1/taxRules/search", _TAX, searched("tax-rules", needed=True)),
    ("GET", "/V1/taxClasses/search", _TAX, searched("tax-classes", needed=True)),
    ("GET", "/V1/customerGroups/search", "Magento_Customer::group", searched("customer-groups", needed=True)),
    ("GET", "/V1/directory/currency", "anonymous", served("currency")),
    ("GET", "/V1/directory/countries/:id", "anonymous", country),
    ("GET", "/V1/modules", "Magento_Backend::admin", modules),
    ("GET", "/V1/bulk", _BULK, bulk.search),
    ("GET", "/V1/bulk/:uuid/status", _BULK, bulk.status),
    ("GET", "/V1/bulk/:uuid/detailed-status", _BULK, bulk.detailed_status),
    ("GET", "/V1/bulk/:uuid/operation-status/:status", _BULK, bulk.count),
]

ROUTES = [
    Route(method, tuple(path.strip("/").split("/")), resource, handler) for method, path, resource, handler in _TABLE
]
