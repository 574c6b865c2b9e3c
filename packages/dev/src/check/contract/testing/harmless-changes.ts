import { type ContractChange, type Edit, edit } from './contract-copy.ts';

const order = 'shop/v1/order.proto';
const orderService = 'shop/v1/order_service.proto';

function harmless(name: string, ...edits: Edit[]): ContractChange {
  return { name, edits };
}

const reopenOrder = `  // ReopenOrder reverts a cancellation.
  rpc ReopenOrder(ReopenOrderRequest) returns (ReopenOrderResponse) {
    option idempotency_level = IDEMPOTENT;
    option (policy.v1.method) = {
      deadline: {seconds: 2}
      scopes: ["orders:write"]
    };
  }

`;

const reopenOrderMessages = `// ReopenOrderRequest names a cancelled order.
message ReopenOrderRequest {
  // Id of the order.
  string id = 1;
}

// ReopenOrderResponse holds the order.
message ReopenOrderResponse {
  // The order, PENDING.
  Order order = 1;
}

`;

/** Changes that every older client and server survives. */
export const harmlessChanges: readonly ContractChange[] = [
  harmless(
    'field added',
    edit(
      order,
      '  string reject_reason = 6;',
      '  string reject_reason = 6;\n\n  // For the driver.\n  string note = 7;',
    ),
  ),
  harmless(
    'method added, with its messages and its policy',
    edit(orderService, '  // ListOrders returns', `${reopenOrder}  // ListOrders returns`),
    edit(orderService, '// GetOrderRequest names', `${reopenOrderMessages}// GetOrderRequest names`),
  ),
  harmless(
    'message added',
    edit(order, '// OrderLine is', '// Gift is a present.\nmessage Gift {}\n\n// OrderLine is'),
  ),
  harmless(
    'enum value added',
    edit(
      order,
      '    STATE_CANCELLED = 2;',
      '    STATE_CANCELLED = 2;\n    // On its way.\n    STATE_SHIPPED = 3;',
    ),
  ),
  harmless('comment changed', edit(order, '// Customer who placed the order.', '// The customer.')),
  harmless(
    'field deprecated',
    edit(order, 'string reject_reason = 6;', 'string reject_reason = 6 [deprecated = true];'),
  ),
  harmless(
    'number and name reserved for what was never released',
    edit(order, 'message OrderLine {', 'message OrderLine {\n  reserved 9;\n  reserved "gift";\n'),
  ),
  harmless(
    'fields written in another order',
    edit(order, '  // Customer who placed the order.\n  string customer_id = 2;\n', ''),
    edit(
      order,
      '  // State of the order.\n',
      '  // Customer who placed the order.\n  string customer_id = 2;\n\n  // State of the order.\n',
    ),
  ),
  harmless(
    'oneof added, of new fields',
    edit(
      order,
      '  string reject_reason = 6;',
      '  string reject_reason = 6;\n\n  // How it travels.\n  oneof carrier {\n    // By van.\n    string van = 7;\n    // By bike.\n    string bike = 8;\n  }',
    ),
  ),
  harmless('file added, with a message of its own', {
    file: 'shop/v1/invoice.proto',
    with: 'syntax = "proto3";\n\npackage shop.v1;\n\n// Invoice is a bill.\nmessage Invoice {\n  // Id.\n  string id = 1;\n}\n',
  }),
  harmless('next version beside this one', {
    file: 'shop/v2/order.proto',
    with: 'syntax = "proto3";\n\npackage shop.v2;\n\n// Order is another one.\nmessage Order {\n  // Id.\n  bytes id = 1;\n}\n',
  }),
  // Buf does not compare options. The policy gate does.
  harmless(
    'deadline changed: for the policy gate',
    edit(orderService, 'deadline: {seconds: 1}', 'deadline: {seconds: 3}'),
  ),
  harmless(
    'validation rule changed: for the policy gate',
    edit(order, '(buf.validate.field).int32.lte = 1000000', '(buf.validate.field).int32.lte = 1000'),
  ),
];
