import { create } from '@bufbuild/protobuf';
import { AnySchema, anyPack } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { ErrorInfoSchema, RetryInfoSchema } from '../gen/google/rpc/error_details_pb.ts';
import { EchoSchema } from '../testing/gen/testing/v1/echo_pb.ts';
import { Code, codeName, RpcError, toRpcError } from './rpc-error.ts';

const unforeseen = () => undefined;
const answered = (code: Code) => new RpcError(code, 'why', { calledMethod: 'other.v1.OtherService/Get' });

test('an RpcError that the service throws is sent unchanged, whatever the map returns', () => {
  const error = new RpcError(Code.NOT_FOUND, 'none');
  expect(toRpcError(error, () => new RpcError(Code.DATA_LOSS, 'no'))).toBe(error);
});

test('a domain error becomes the status from the map', () => {
  const mapped = new RpcError(Code.FAILED_PRECONDITION, 'sold out');
  expect(
    toRpcError(new RangeError('too few'), (error) => (error instanceof RangeError ? mapped : undefined)),
  ).toBe(mapped);
});

test('the map is called with an error of another service', () => {
  const mapped = new RpcError(Code.FAILED_PRECONDITION, 'sold out');
  expect(toRpcError(answered(Code.NOT_FOUND), () => mapped)).toBe(mapped);
});

test.each([Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED])(
  'code %i of another service is forwarded, with the name of its method',
  (code) => {
    const below = answered(code);
    const passed = toRpcError(below, unforeseen);
    expect(passed).toMatchObject({ code, message: 'other.v1.OtherService/Get: why', cause: below });
    expect(passed.calledMethod).toBe(undefined);
  },
);

const forwarded = [Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED];
const others = Object.values(Code).filter(
  (code) => typeof code === 'number' && !forwarded.includes(code),
) as Code[];

test.each(others)('code %i of another service becomes INTERNAL without its message (gRFC A54)', (code) => {
  const below = answered(code);
  expect(toRpcError(below, unforeseen)).toMatchObject({
    code: Code.INTERNAL,
    message: 'internal error',
    details: [],
    cause: below,
  });
});

test('a detail is found by its type', () => {
  const reason = create(ErrorInfoSchema, { reason: 'SOLD_OUT' });
  const error = new RpcError(Code.FAILED_PRECONDITION, 'sold out', { details: [reason] });
  expect(error.findDetail(ErrorInfoSchema)).toBe(reason);
  expect(error.findDetail(RetryInfoSchema)).toBe(undefined);
});

test('a detail in an Any is found by its type, and not if it cannot be decoded', () => {
  const echo = create(EchoSchema, { key: 'A', text: 'hallo' });
  const undecodable = create(AnySchema, {
    typeUrl: 'type.googleapis.com/testing.v1.Echo',
    value: Buffer.from('ffff', 'hex'),
  });
  const details = [undecodable, anyPack(EchoSchema, echo), anyPack(RetryInfoSchema, create(RetryInfoSchema))];
  const error = new RpcError(Code.ABORTED, 'changed', { details });
  expect(error.findDetails(EchoSchema)).toEqual([echo]);
  expect(error.findDetail(RetryInfoSchema)).toEqual(create(RetryInfoSchema));
  expect(error.findDetails(AnySchema)).toEqual(details);
  expect(error.findDetail(ErrorInfoSchema)).toBe(undefined);
});

test('a code has a name, even one that gRPC does not know', () => {
  expect(codeName(Code.NOT_FOUND)).toBe('NOT_FOUND');
  expect(codeName(99 as Code)).toBe('CODE_99');
});
