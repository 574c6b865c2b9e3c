// `place`, with every order of one and the same article.
process.argv.push('--hot');
await import('./place.ts');
