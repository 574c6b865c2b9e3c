/**
 * The URL for connections whose statements each touch a few rows, which they find by an index. The planner thinks so too
 * only when it knows how large the tables are, and how few rows an array or a record set holds: a plan that was made and
 * kept while a table was empty reads the whole of it for every batch, until somebody analyses it.
 */
export function withIndexWalks(url: string): string {
  const walking = new URL(url);
  const others = ['seqscan', 'bitmapscan', 'hashjoin', 'mergejoin'].map((each) => `-c enable_${each}=off`);
  const options = [walking.searchParams.get('options') ?? '', ...others].join(' ').trim();
  walking.searchParams.set('options', options);
  return walking.href;
}
