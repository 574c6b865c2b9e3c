import { capitalised } from './word-forms.ts';

/** Plurals that follow no rule. */
const irregular: Readonly<Record<string, string>> = {
  child: 'children',
  criterion: 'criteria',
  foot: 'feet',
  half: 'halves',
  index: 'indices',
  knife: 'knives',
  leaf: 'leaves',
  life: 'lives',
  loaf: 'loaves',
  man: 'men',
  matrix: 'matrices',
  mouse: 'mice',
  person: 'people',
  quiz: 'quizzes',
  shelf: 'shelves',
  thief: 'thieves',
  tooth: 'teeth',
  vertex: 'vertices',
  wife: 'wives',
  wolf: 'wolves',
  woman: 'women',
  // Singulars that end as plurals do, and the other way round.
  alias: 'aliases',
  atlas: 'atlases',
  bias: 'biases',
  cache: 'caches',
  calorie: 'calories',
  canvas: 'canvases',
  cookie: 'cookies',
  echo: 'echoes',
  excuse: 'excuses',
  gas: 'gases',
  headache: 'headaches',
  hero: 'heroes',
  lie: 'lies',
  menu: 'menus',
  movie: 'movies',
  niche: 'niches',
  pie: 'pies',
  potato: 'potatoes',
  tie: 'ties',
  tomato: 'tomatoes',
  use: 'uses',
  veto: 'vetoes',
};
const irregularSingulars = new Map(Object.entries(irregular).map(([one, many]) => [many, one]));

/** Words whose plural is the same. */
const invariant = /(?:^(?:equipment|fish|news|series|sheep|species|swine)|ics)$/;

/** Returns the singular of a lower-case English word, and a word that is no plural as it is. */
export function singularOf(word: string): string {
  if (invariant.test(word) || Object.hasOwn(irregular, word)) return word;
  const one = irregularSingulars.get(word);
  if (one !== undefined) return one;
  if (/[^aeiou]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(?:the|aly|cri)ses$/.test(word)) return `${word.slice(0, -2)}is`;
  // classes, statuses, boxes, buzzes, batches, dishes; but causes and houses
  if (/(?:ss|[^ao]us|x|zz|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return /[^isu]s$/.test(word) ? word.slice(0, -1) : word;
}

/** Returns the plural of a lower-case English word in the singular. */
export function pluralOf(word: string): string {
  if (invariant.test(word)) return word;
  const many = irregular[word];
  if (many !== undefined) return many;
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  if (/(?:the|aly|cri)sis$/.test(word)) return `${word.slice(0, -2)}es`;
  return /(?:s|x|z|ch|sh)$/.test(word) ? `${word}es` : `${word}s`;
}

/** Applies a form to the last word of a name in PascalCase: `GiftCards` is the plural of `GiftCard`. */
export function ofLastWord(name: string, form: (word: string) => string): string {
  const [last = ''] = /[A-Z]?[a-z]*$/.exec(name) ?? [];
  return name.slice(0, name.length - last.length) + capitalised(form(last.toLowerCase()));
}
