/** How long a store is left alone after it failed, in milliseconds. */
export const STORE_RETRY_MS = 500;
