"""A small shop's inventory: load it from CSV, reserve what is ordered, find out what runs low."""

import csv
from collections import defaultdict
from pathlib import Path

DEFAULT_REORDER_LEVEL = 5


class OutOfStock(Exception):
    """Raised when an order asks for more than there is."""

    def __init__(self, sku, wanted, available):
        super().__init__(f"{sku}: wanted {wanted}, only {available} left")
        self.sku = sku
        self.wanted = wanted
        self.available = available


class Item:
    def __init__(self, sku, name, price, quantity=0, tags=None):
        self.sku = sku
        self.name = name
        self.price = price
        self.quantity = quantity
        self.tags = set(tags or ())

    def value(self):
        return self.price * self.quantity

    def runs_low(self, level=DEFAULT_REORDER_LEVEL):
        return self.quantity <= level


class Inventory:
    def __init__(self, items=()):
        self._items = {}
        self._reserved = defaultdict(int)
        for item in items:
            self.add(item)

    def __len__(self):
        return len(self._items)

    def add(self, item):
        known = self._items.get(item.sku)
        if known is None:
            self._items[item.sku] = item
        else:
            known.quantity += item.quantity
            known.tags |= item.tags
        return self._items[item.sku]

    def available(self, sku):
        item = self._items.get(sku)
        return item.quantity - self._reserved[sku] if item else 0

    def reserve(self, order, partial=False):
        """Reserve every line of an order, or none of them unless `partial` is true."""
        granted = {}
        for sku, wanted in order.items():
            free = self.available(sku)
            if wanted > free and not partial:
                raise OutOfStock(sku, wanted, free)
            granted[sku] = min(wanted, free)
        for sku, count in granted.items():
            self._reserved[sku] += count
        return granted

    def find(self, text="", tag=None, limit=20):
        text = text.casefold()
        hits = [
            item
            for item in self._items.values()
            if text in item.name.casefold() and (tag is None or tag in item.tags)
        ]
        return sorted(hits, key=lambda item: item.name)[:limit]


def parse_price(text, currency="€"):
    """Turn a price as people write it, such as "€ 1.299,50" or "12.5", into a number."""
    digits = text.replace(currency, "").strip()
    if "," in digits:
        digits = digits.replace(".", "").replace(",", ".")
    return round(float(digits), 2)


def load_items(path, delimiter=";", encoding="utf-8"):
    with Path(path).open(newline="", encoding=encoding) as file:
        for row in csv.DictReader(file, delimiter=delimiter):
            yield Item(
                sku=row["sku"].strip().upper(),
                name=row["name"].strip(),
                price=parse_price(row["price"]),
                quantity=int(row.get("quantity") or 0),
                tags=filter(None, (row.get("tags") or "").split(",")),
            )


def restock_report(items, level=DEFAULT_REORDER_LEVEL, factor=2.0, skip=()):
    report = {}
    for item in items:
        if item.sku in skip or not item.runs_low(level):
            continue
        missing = int(level * factor) - item.quantity
        report[item.sku] = (item.name, missing, round(missing * item.price, 2))
    return dict(sorted(report.items(), key=lambda entry: -entry[1][2]))
