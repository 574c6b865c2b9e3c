import { expect, test } from 'vitest';
import { applyEdit } from './apply-edit.ts';

test('an edit replaces its text across line breaks', () => {
  const edit = { file: 'file.ts', replace: 'x = y(', with: 'z(' };
  expect(applyEdit('a;\nx\n  = y(1);', edit)).toBe('a;\nz(1);');
});

test.for([
  ['is missing', 'a = 1;'],
  ['occurs twice', 'x y; x y;'],
])('an edit whose text %s is rejected', ([, text]) => {
  const edit = { file: 'file.ts', replace: 'x y', with: 'z' };
  expect(() => applyEdit(text ?? '', edit)).toThrow('an edit is outdated: file.ts contains');
});
