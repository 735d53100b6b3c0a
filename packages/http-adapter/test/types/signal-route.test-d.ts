import type { SignalRouteOptions } from "@backstep/http-adapter/server";
import { expectTypeOf, test } from "vitest";

type Path = SignalRouteOptions<unknown, unknown>["path"];

test("a signal's path says where the saga's id stands in it", () => {
  expectTypeOf<"/desk/sagas/{sagaId}/release">().toExtend<Path>();
  expectTypeOf<"/desk/release">().not.toExtend<Path>();
  expectTypeOf<"/desk/sagas/:sagaId/release">().not.toExtend<Path>();
});
