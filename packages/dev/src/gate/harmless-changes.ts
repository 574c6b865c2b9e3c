import { type ContractChange, type Edit, edit } from './contract-change.ts';

const order = 'orders/v1/order.proto';
const orderService = 'orders/v1/order_service.proto';

function harmless(name: string, ...edits: Edit[]): ContractChange {
  return { name, edits };
}

const reopenOrder = `  // ReopenOrder takes a cancellation back.
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
  // The order's id.
  string id = 1;
}

// ReopenOrderResponse holds the order.
message ReopenOrderResponse {
  // The order, PENDING.
  Order order = 1;
}

`;

/** What everybody survives who was built before it. */
export const harmlessChanges: readonly ContractChange[] = [
  harmless(
    'field added',
    edit(
      order,
      '  string reject_reason = 8;',
      '  string reject_reason = 8;\n\n  // For the driver.\n  string note = 9;',
    ),
  ),
  harmless(
    'method added, with its messages and its policy',
    edit(orderService, '  // ListOrders reads', `${reopenOrder}  // ListOrders reads`),
    edit(orderService, '// PlaceOrderRequest is', `${reopenOrderMessages}// PlaceOrderRequest is`),
  ),
  harmless(
    'message added',
    edit(order, '// OrderLine is', '// Gift is a present.\nmessage Gift {}\n\n// OrderLine is'),
  ),
  harmless(
    'enum value added',
    edit(
      order,
      '    STATE_CANCELLED = 4;',
      '    STATE_CANCELLED = 4;\n    // On its way.\n    STATE_SHIPPED = 5;',
    ),
  ),
  harmless('comment changed', edit(order, '// Whose order it is.', '// The customer.')),
  harmless(
    'field deprecated',
    edit(order, 'string reject_reason = 8;', 'string reject_reason = 8 [deprecated = true];'),
  ),
  harmless(
    'number and name reserved for what was never released',
    edit(order, 'message OrderLine {', 'message OrderLine {\n  reserved 9;\n  reserved "gift";\n'),
  ),
  harmless(
    'fields written in another order',
    edit(order, '  // Whose order it is.\n  string customer_id = 2;\n', ''),
    edit(
      order,
      '  // Where the order stands.\n',
      '  // Whose order it is.\n  string customer_id = 2;\n\n  // Where the order stands.\n',
    ),
  ),
  harmless(
    'oneof added, of new fields',
    edit(
      order,
      '  string reject_reason = 8;',
      '  string reject_reason = 8;\n\n  // How it travels.\n  oneof carrier {\n    // By van.\n    string van = 9;\n    // By bike.\n    string bike = 10;\n  }',
    ),
  ),
  harmless('file added, with a message of its own', {
    file: 'orders/v1/invoice.proto',
    with: 'syntax = "proto3";\n\npackage orders.v1;\n\n// Invoice is what is owed.\nmessage Invoice {\n  // Its id.\n  string id = 1;\n}\n',
  }),
  harmless('next version beside this one', {
    file: 'orders/v2/order.proto',
    with: 'syntax = "proto3";\n\npackage orders.v2;\n\n// Order is another one.\nmessage Order {\n  // Its id.\n  bytes id = 1;\n}\n',
  }),
  // Options are nothing that buf compares. These change what callers see all the same: reviewers have to find them.
  harmless(
    'deadline changed: for reviewers',
    edit(orderService, 'deadline: {seconds: 1}', 'deadline: {seconds: 3}'),
  ),
  harmless(
    'validation rule changed: for reviewers',
    edit(order, '(buf.validate.field).int32.lte = 1000000', '(buf.validate.field).int32.lte = 1000'),
  ),
];
