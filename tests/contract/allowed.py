"""What an answer of the stand-in may differ in from the recording, and why. There is no other place for exceptions.

Each entry names fields whose *value* may differ; the field must be there, with the same JSON type. ATTRIBUTES and
CATEGORIES alone may be missing or come in addition.
"""

TIMES = {"created_at", "updated_at", "start_time"}  # the clock of the test, not of the recording

NEW_IDS = {"entity_id", "increment_id", "parent_id"}  # other traffic ran on the recorded shop and took numbers

COUNTS = {"total_count"}  # the recorded shop held more orders, products and documents

BULK = {"bulk_uuid", "bulk_id", "data_hash"}  # drawn at random; the hash covers an internal form of the arguments

REPORT = {"message"}  # of a 500: ends in the number of a report

PRODUCT = {  # catalogue data that orders do not carry: only SKU, type, price and stock matter here
    "id",
    "item_id",
    "product_id",
    "name",
    "visibility",
    "weight",
    "qty",
    "website_ids",
    "category_links",
    "value",
}

STOCK = {"quantity", "qty"}  # other traffic changed the recorded stock before

IDS = {"id"}  # product ids, given out in the order of adding

SKUS = {"sku"}  # which SKUs come first on a page depends on what else the shop sells

ECHOED = {"value"}  # a filter on a bulk's uuid is repeated with it

RESULT = {"result_serialized_data"}  # the whole product or the new id, as text

ATTRIBUTES = {"ean13", "fcolour", "fsize"}  # attributes of recorded products that products made from orders lack

CATEGORIES = "category_links"  # every product here is in one category; some recorded ones are in none
