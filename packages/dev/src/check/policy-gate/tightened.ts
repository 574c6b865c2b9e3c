/** A part of the contract that accepts less than before. */
export interface Tightened {
  /** Method, message, field or oneof: `orders.v1.OrderService/PlaceOrder`, `orders.v1.OrderLine.quantity`. */
  readonly element: string;
  /** `deadline`, `scopes`, `string.max_len`. */
  readonly rule: string;
  readonly was: string;
  readonly is: string;
}

/** A tightened part of one element, and the path of its rule in the element's options (descriptor.proto). */
export interface TightenedRule extends Omit<Tightened, 'element'> {
  readonly path: readonly number[];
}

/** Returns a tightened part as one line, which is its key in the file of accepted changes. */
export function changeText({ element, rule, was, is }: Tightened): string {
  return `${element}: ${rule} ${was} -> ${is}`;
}
