// The `place` benchmark with all orders for one SKU.
process.argv.push('--hot');
await import('./place.ts');
