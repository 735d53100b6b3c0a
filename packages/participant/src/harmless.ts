/** Wraps an observer so that neither a throw nor a rejection comes out of it: watching cannot harm. */
export function harmless<News>(observe: ((news: News) => void) | undefined): (news: News) => void {
  return (news) => {
    if (observe === undefined) return;
    try {
      // A function that happens to be async is assignable to the type, and its rejection would end the process.
      void Promise.resolve(observe(news)).catch(() => undefined);
    } catch {
      return;
    }
  };
}
