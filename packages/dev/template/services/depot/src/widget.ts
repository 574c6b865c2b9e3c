/** A widget. It does not change. */
export interface Widget {
  /** A UUIDv7: widgets sort by the time they were created in. */
  readonly id: string;
  readonly ownerId: string;
  readonly title: string;
  readonly createTime: Date;
}

/** What a caller says of a widget; the rest is the server's. */
export type WidgetContent = Pick<Widget, 'title'>;

/** Everything that depot refuses, each with what its caller needs to know. */
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

/** Whether a request that comes again asks for what it asked for the first time. */
export function hasContent(widget: Widget, { title }: WidgetContent): boolean {
  return widget.title === title;
}
