/** How long and from where the laws are searched for a counterexample. fast-check names the seed of one that it finds. */

/** `BACKSTEP_RUNS=20` searches twenty times as long as usual. */
export const RUNS_TIMES = Number(process.env["BACKSTEP_RUNS"] ?? 1);

/** One for all laws, so that they judge the same sagas and each is lived through once. */
export const SEED = Number(process.env["BACKSTEP_SEED"] ?? Date.now() % 2 ** 31);
