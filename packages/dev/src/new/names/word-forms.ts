/** The words of a name in PascalCase, in lower case: `gift` and `card` of `GiftCard`. */
function wordsOf(name: string): string[] {
  return (name.match(/[A-Z][a-z]*/g) ?? []).map((word) => word.toLowerCase());
}

/** `GiftCard` in a form of its own for each place that has one. */
export interface WordForms {
  /** `GiftCard`: types and messages. */
  readonly pascal: string;
  /** `giftCard`: variables and functions. */
  readonly camel: string;
  /** `gift_card`: files and fields of the contract, tables and columns. */
  readonly snake: string;
  /** `gift-card`: files of code. */
  readonly kebab: string;
  /** `gift card`: comments and messages. */
  readonly prose: string;
}

/** Returns the forms of a name in PascalCase. */
export function wordForms(name: string): WordForms {
  const words = wordsOf(name);
  return {
    pascal: name,
    camel: localNameOf(name),
    snake: words.join('_'),
    kebab: words.join('-'),
    prose: words.join(' '),
  };
}

/** Returns a name with a lower-case first letter, as protobuf-es names methods. */
export function localNameOf(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
