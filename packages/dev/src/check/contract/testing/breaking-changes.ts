import { type ContractChange, type Edit, edit } from './contract-copy.ts';

export interface BreakingChange extends ContractChange {
  /** The wire format, its JSON, or only the code that is generated from the contract. */
  readonly breaks: 'wire' | 'json' | 'code';
  /** Rule of buf's that must report the change. */
  readonly rule: string;
}

const order = 'shop/v1/order.proto';
const orderService = 'shop/v1/order_service.proto';

function breaking(
  name: string,
  breaks: BreakingChange['breaks'],
  rule: string,
  ...edits: Edit[]
): BreakingChange {
  return { name, breaks, rule, edits };
}

const getOrder = `  rpc GetOrder(GetOrderRequest) returns (GetOrderResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (policy.v1.method) = {
      deadline: {seconds: 1}
      scopes: ["orders:read"]
    };
  }
`;

const getOrderResponse = `// GetOrderResponse holds the order.
message GetOrderResponse {
  // The order.
  Order order = 1;
}

`;

/** Changes that break old clients, old servers or the code of either. */
export const breakingChanges: readonly BreakingChange[] = [
  breaking('field removed', 'wire', 'FIELD_NO_DELETE', edit(order, '  string reject_reason = 6;', '')),
  breaking(
    'field removed, its number and name reserved',
    'code',
    'FIELD_NO_DELETE',
    edit(order, '  string reject_reason = 6;', '  reserved 6;\n  reserved "reject_reason";'),
  ),
  breaking(
    'field renumbered',
    'wire',
    'FIELD_NO_DELETE',
    edit(order, 'reject_reason = 6', 'reject_reason = 9'),
  ),
  breaking(
    'field type changed, string to int64',
    'wire',
    'FIELD_SAME_TYPE',
    edit(order, 'string customer_id = 2', 'int64 customer_id = 2'),
  ),
  breaking(
    'field type changed, int64 to int32: JSON has it as a number',
    'json',
    'FIELD_SAME_TYPE',
    edit(order, 'int64 price_cents = 5', 'int32 price_cents = 5'),
  ),
  breaking(
    'field renamed',
    'json',
    'FIELD_SAME_NAME',
    edit(order, 'string title = 1;', 'string description = 1;'),
  ),
  breaking(
    'field given a json_name',
    'json',
    'FIELD_SAME_JSON_NAME',
    edit(order, 'string title = 1;', 'string title = 1 [json_name = "name"];'),
  ),
  breaking(
    'repeated field made single',
    'wire',
    'FIELD_SAME_CARDINALITY',
    edit(orderService, 'repeated Order orders = 1', 'Order orders = 1'),
  ),
  breaking(
    'field given presence',
    'code',
    'FIELD_SAME_CARDINALITY',
    edit(order, 'string reject_reason = 6', 'optional string reject_reason = 6'),
  ),
  breaking(
    'field moved into a oneof',
    'wire',
    'FIELD_SAME_ONEOF',
    edit(
      order,
      '  string reject_reason = 6;',
      '  oneof outcome {\n    // Why not.\n    string reject_reason = 6;\n  }',
    ),
  ),
  breaking('enum value removed', 'json', 'ENUM_VALUE_NO_DELETE', edit(order, '    STATE_CANCELLED = 2;', '')),
  breaking(
    'enum value renamed',
    'json',
    'ENUM_VALUE_SAME_NAME',
    edit(order, 'STATE_CANCELLED = 2', 'STATE_WITHDRAWN = 2'),
  ),
  breaking(
    'enum value renumbered',
    'wire',
    'ENUM_VALUE_NO_DELETE',
    edit(order, 'STATE_CANCELLED = 2', 'STATE_CANCELLED = 5'),
  ),
  breaking('method removed', 'wire', 'RPC_NO_DELETE', edit(orderService, getOrder, '')),
  breaking('method renamed', 'wire', 'RPC_NO_DELETE', edit(orderService, 'rpc GetOrder(', 'rpc ReadOrder(')),
  breaking(
    'request type changed',
    'wire',
    'RPC_SAME_REQUEST_TYPE',
    edit(orderService, 'rpc GetOrder(GetOrderRequest)', 'rpc GetOrder(CancelOrderRequest)'),
  ),
  breaking(
    'response made a stream',
    'wire',
    'RPC_SAME_SERVER_STREAMING',
    edit(orderService, 'returns (ListOrdersResponse)', 'returns (stream ListOrdersResponse)'),
  ),
  breaking(
    'request stream made a single message',
    'wire',
    'RPC_SAME_CLIENT_STREAMING',
    edit(orderService, 'ImportOrders(stream ImportOrdersRequest)', 'ImportOrders(ImportOrdersRequest)'),
  ),
  breaking(
    'method no longer safe to repeat: old clients still retry it',
    'wire',
    'RPC_SAME_IDEMPOTENCY_LEVEL',
    edit(
      orderService,
      'CancelOrderResponse) {\n    option idempotency_level = IDEMPOTENT;',
      'CancelOrderResponse) {',
    ),
  ),
  breaking(
    'package moved',
    'wire',
    'FILE_SAME_PACKAGE',
    edit(order, 'package shop.v1', 'package sales.v1'),
    edit(orderService, 'package shop.v1', 'package sales.v1'),
  ),
  breaking(
    'file split: a message moved to another file of its package',
    'code',
    'MESSAGE_NO_DELETE',
    edit(orderService, getOrderResponse, ''),
    edit(order, '// OrderLine is', `${getOrderResponse}// OrderLine is`),
  ),
];
