/** Returns when a JSON Web Token expires, in Unix ms, by its claim `exp`. */
export function expiryOf(token: string): number {
  const [, claims = ''] = token.split('.');
  const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as { readonly exp: number };
  return exp * 1000;
}
