/**
 * Waits for it, but no longer than `ms`. The process stays alive meanwhile: a socket that nobody reads from at the moment does not keep it,
 * and what was to be done when that closes would never be done.
 */
export async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, ms);
  try {
    await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
