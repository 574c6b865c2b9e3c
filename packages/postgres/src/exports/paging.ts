// Pages of rows.
export { type Page, type PageRow, pageSubquery, toPage } from '../paging/page.ts';
