import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { Stock } from './stock.ts';

export function stockToProto({ sku, title, onHand, reserved, version, updateTime }: Stock) {
  return {
    sku,
    title,
    onHand,
    reserved,
    available: onHand - reserved,
    updateTime: timestampFromDate(updateTime),
    etag: String(version),
  };
}
