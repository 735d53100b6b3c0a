/** Which methods a path takes, for everything that no route took: a 405 that names them, or a 404. */
import { problemResponse } from "./problem-response.ts";

export interface Route {
  readonly method: string;
  /** With `{name}` for a segment of any text. */
  readonly path: string;
}

export function noRouteResponse(routes: readonly Route[], path: string): Response {
  const methods = routes.filter((route) => patternOf(route.path).test(path)).map(({ method }) => method);
  if (methods.length === 0) return problemResponse("notFound");
  return problemResponse("methodNotAllowed", { headers: { allow: allowOf(methods) } });
}

/** Whoever takes GET takes HEAD: the router answers it without a body. */
export function allowOf(methods: readonly string[]): string {
  return [...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])))].join(", ");
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{[^}]*\}/g, "[^/]+")}$`);
}
