import {
  type DescExtension,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescOneof,
  getOption,
} from '@bufbuild/protobuf';
import {
  FieldRulesSchema,
  field as fieldRules,
  MessageRulesSchema,
  message as messageRules,
  OneofRulesSchema,
  oneof as oneofRules,
  PredefinedRulesSchema,
  predefined as predefinedRules,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { flattenRules, type Rule } from './rules.ts';

/** A part of a contract with options. */
export type Element = DescMethod | DescMessage | DescField | DescExtension | DescOneof;

/** Returns the name of an element in reports. */
export function elementName(element: Element): string {
  switch (element.kind) {
    case 'rpc':
      return `${element.parent.typeName}/${element.name}`;
    case 'field':
    case 'oneof':
      return `${element.parent.typeName}.${element.name}`;
    default:
      return element.typeName;
  }
}

/** Returns the rules of protovalidate of an element, with their paths from its options. */
export function rulesOf(element: Element): Rule[] {
  switch (element.kind) {
    case 'message':
      return flattenRules(MessageRulesSchema, getOption(element, messageRules), messageRules.number);
    case 'field':
      return flattenRules(FieldRulesSchema, getOption(element, fieldRules), fieldRules.number);
    case 'oneof':
      return flattenRules(OneofRulesSchema, getOption(element, oneofRules), oneofRules.number);
    case 'extension':
      return flattenRules(PredefinedRulesSchema, getOption(element, predefinedRules), predefinedRules.number);
    case 'rpc':
      return [];
  }
}
