/** A widget. It never changes. */
export interface Widget {
  /** UUIDv7, so ids sort by the time of creation. */
  readonly id: string;
  readonly ownerId: string;
  readonly title: string;
  readonly createTime: Date;
}

/** Fields that the caller sets. The server sets the others. */
export type WidgetContent = Pick<Widget, 'title'>;

/** Every error of the domain, with the data for its status. */
export type WidgetProblem =
  | { readonly kind: 'WIDGET_NOT_FOUND'; readonly id: string }
  | { readonly kind: 'REQUEST_ID_REUSED'; readonly requestId: string; readonly widgetId: string };

export class WidgetError extends Error {
  override readonly name = 'WidgetError';
  readonly problem: WidgetProblem;

  constructor(problem: WidgetProblem) {
    super(problem.kind);
    this.problem = problem;
  }
}

/** Returns the content by which a repeated request is distinguished from a request_id that is reused for another widget. */
export function contentOf({ title }: WidgetContent): unknown {
  return { title };
}
