// A shopping cart that knows about discounts. Shown in the README next to inventory.py.

const VAT = 0.19;

export class Cart {
  #lines = new Map();

  constructor(currency = "EUR") {
    this.currency = currency;
  }

  add(product, quantity = 1) {
    const line = this.#lines.get(product.id) ?? { product, quantity: 0 };
    line.quantity += quantity;
    this.#lines.set(product.id, line);
    return this;
  }

  remove(id, quantity = Infinity) {
    const line = this.#lines.get(id);
    if (!line) return false;
    line.quantity -= quantity;
    if (line.quantity <= 0) this.#lines.delete(id);
    return true;
  }

  *[Symbol.iterator]() {
    yield* this.#lines.values();
  }
}

export function subtotal(cart) {
  let sum = 0;
  for (const { product, quantity } of cart) sum += product.price * quantity;
  return sum;
}

export function applyDiscounts(cart, discounts = [], { stack = false } = {}) {
  const offers = discounts
    .filter((discount) => subtotal(cart) >= (discount.minimum ?? 0))
    .map((discount) => (discount.percent ? (subtotal(cart) * discount.percent) / 100 : discount.amount));
  return stack ? offers.reduce((sum, offer) => sum + offer, 0) : Math.max(0, ...offers);
}

export function formatTotal(cart, discounts, locale = "de-DE") {
  const net = Math.max(0, subtotal(cart) - applyDiscounts(cart, discounts));
  return new Intl.NumberFormat(locale, { style: "currency", currency: cart.currency }).format(net * (1 + VAT));
}
