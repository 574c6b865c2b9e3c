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

/** Returns whether the widget has this content: whether a request with a known request_id is a repeat. */
export function hasContent(widget: Widget, { title }: WidgetContent): boolean {
  return widget.title === title;
}
