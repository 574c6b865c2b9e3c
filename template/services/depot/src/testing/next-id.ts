let made = 0;

/** Ids that sort as they were made in. UUIDv7s of one millisecond do not. */
export const nextId = (): string => `00000000-0000-7000-8000-${String(++made).padStart(12, '0')}`;
