/** A part of the contract that accepts less than before. */
export interface Tightened {
  /** Method, message, field or oneof: `orders.v1.OrderService/PlaceOrder`, `orders.v1.OrderLine.quantity`. */
  readonly element: string;
  /** `deadline`, `scopes`, `string.max_len`. */
  readonly rule: string;
  readonly was: string;
  readonly is: string;
}

/** What became tighter in one element, and the path of the rule within the element's options (descriptor.proto). */
export interface TightenedRule extends Omit<Tightened, 'element'> {
  readonly path: readonly number[];
}

/** Returns a tightened part as one line, which names it in the file of accepted changes. */
export function changeText({ element, rule, was, is }: Tightened): string {
  return `${element}: ${rule} ${was} -> ${is}`;
}
