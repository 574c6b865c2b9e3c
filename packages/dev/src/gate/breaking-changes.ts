import { type ContractChange, type Edit, edit } from './contract-change.ts';

export interface BreakingChange extends ContractChange {
  /** What breaks: bytes between old and new, their JSON, or only code that was generated from the contract. */
  readonly breaks: 'wire' | 'json' | 'code';
  /** The rule of buf's that has to say so. */
  readonly rule: string;
}

const order = 'orders/v1/order.proto';
const orderService = 'orders/v1/order_service.proto';
const stock = 'inventory/v1/stock.proto';
const inventoryService = 'inventory/v1/inventory_service.proto';

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

/** What old clients, old servers or the code of either do not survive. */
export const breakingChanges: readonly BreakingChange[] = [
  breaking('field removed', 'wire', 'FIELD_NO_DELETE', edit(order, '  string reject_reason = 8;', '')),
  breaking(
    'field removed, its number and name reserved',
    'code',
    'FIELD_NO_DELETE',
    edit(order, '  string reject_reason = 8;', '  reserved 8;\n  reserved "reject_reason";'),
  ),
  breaking(
    'field renumbered',
    'wire',
    'FIELD_NO_DELETE',
    edit(order, 'reject_reason = 8', 'reject_reason = 9'),
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
    edit(stock, 'int64 reserved = 4', 'int32 reserved = 4'),
  ),
  breaking(
    'field renamed',
    'json',
    'FIELD_SAME_NAME',
    edit(stock, 'string title = 2;', 'string description = 2;'),
  ),
  breaking(
    'field given a json_name',
    'json',
    'FIELD_SAME_JSON_NAME',
    edit(stock, 'string title = 2;', 'string title = 2 [json_name = "name"];'),
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
    edit(order, 'string reject_reason = 8', 'optional string reject_reason = 8'),
  ),
  breaking(
    'field moved into a oneof',
    'wire',
    'FIELD_SAME_ONEOF',
    edit(
      order,
      '  string reject_reason = 8;',
      '  oneof outcome {\n    // Why not.\n    string reject_reason = 8;\n  }',
    ),
  ),
  breaking('enum value removed', 'json', 'ENUM_VALUE_NO_DELETE', edit(order, '    STATE_CANCELLED = 4;', '')),
  breaking(
    'enum value renamed',
    'json',
    'ENUM_VALUE_SAME_NAME',
    edit(order, 'STATE_CANCELLED = 4', 'STATE_WITHDRAWN = 4'),
  ),
  breaking(
    'enum value renumbered',
    'wire',
    'ENUM_VALUE_NO_DELETE',
    edit(order, 'STATE_CANCELLED = 4', 'STATE_CANCELLED = 5'),
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
    edit(inventoryService, 'ImportStock(stream ImportStockRequest)', 'ImportStock(ImportStockRequest)'),
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
    edit(order, 'package orders.v1', 'package sales.v1'),
    edit(orderService, 'package orders.v1', 'package sales.v1'),
  ),
  breaking(
    'file split: a message moved to another file of its package',
    'code',
    'MESSAGE_NO_DELETE',
    edit(orderService, getOrderResponse, ''),
    edit(order, '// OrderLine is', `${getOrderResponse}// OrderLine is`),
  ),
];
