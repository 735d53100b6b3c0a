/** Bodies within a bound, for both ends of the gateway's API. */

/** Room for a page of a hundred authorisations. */
const BODY_BYTES_MAX = 256 * 1024;

/** `undefined`: it is longer than the bound, and none of it counts. Rejects when the connection breaks. */
export async function readText({ body }: Request | Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** `undefined`: it is no JSON. */
export function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
