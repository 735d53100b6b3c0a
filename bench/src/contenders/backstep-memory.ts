/** Backstep on memory: no disk at all. Shows what the engine itself costs, and is compared with nothing that is durable. */
import { createMemoryStore } from "@backstep/saga-core";
import type { StartContender } from "../contender.ts";
import { engineOn, runSevenSteps } from "./backstep-saga.ts";

export const start: StartContender = async () => {
  const store = createMemoryStore();
  const engine = engineOn(store);
  return {
    runSaga: (saga, way) => runSevenSteps(engine, saga, way),
    async stop() {
      await engine.close();
      await store.close();
    },
  };
};
