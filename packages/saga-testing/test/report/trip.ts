/** Logs of a small trip, made by hand: a death, a lost answer, a request that is lost, one that comes twice, and the way back. */
import { saga, step } from "@backstep/saga-core";
import { ok } from "neverthrow";
import { z } from "zod";
import type { Happening, LogLine, Violation } from "../../src/laws.ts";
import { Chronicle } from "../oracles/hand-made.ts";

const compensatable = (name: string) => step({ name, run: (nights: number) => ok(nights), compensate: () => ok(undefined) });
const hotel = compensatable("hotel.book");
const flight = compensatable("flight.book");

const trip = saga({
  name: "trip",
  input: z.number(),
  *run(nights) {
    yield* hotel(nights);
    yield* flight(nights);
  },
});

export const HOTEL = "run/hotel.book";
export const FLIGHT = "run/flight.book";

/** When the journals of hand-made histories begin. */
export const START_MS = 1_001;

/** Happenings of one saga at times of their own; those that have none happen with the one before. */
export function logged(
  chronicle: { readonly happenings: readonly Happening[]; readonly sagaId: string },
  times: ReadonlyMap<number, number>,
) {
  let atMs = START_MS;
  return chronicle.happenings.map((happening, index): LogLine => {
    atMs = START_MS + (times.get(index) ?? atMs - START_MS);
    return { atMs, sagaId: happening._tag === "Died" ? undefined : chronicle.sagaId, happening };
  });
}

const strikes = (log: readonly LogLine[], before: number, text: string): readonly LogLine[] => {
  const { atMs = START_MS, sagaId = "s" } = log[before] ?? {};
  return log.toSpliced(before, 0, { atMs, sagaId, happening: { _tag: "Fault", text } });
};

/** The hotel's answer is lost, its process dies, the next one asks again; the flight is full, and the request to undo the hotel is lost once. */
export function troubledTrip(): readonly LogLine[] {
  const chronicle = new Chronicle(trip);
  chronicle.start().call(HOTEL, { told: "Doubt", applies: true });
  chronicle.happenings.push({ _tag: "Died", life: 1 }, { _tag: "Adopted", life: 2 });
  chronicle.call(HOTEL, { life: 2, applies: false });
  chronicle.fact({ _tag: "OperationSettled", path: HOTEL, slot: "action", outcome: { _tag: "Succeeded", output: 1 }, attempts: 1 }, 2);
  chronicle.call(FLIGHT, { life: 2, told: "Refused", body: 'no {"_tag":"Full","left":0}' });
  const cause = { _tag: "RejectedCause", error: { _tag: "Full" } } as const;
  chronicle.fact({ _tag: "OperationSettled", path: FLIGHT, slot: "action", outcome: { _tag: "NoEffect", cause }, attempts: 1 }, 2);
  chronicle.call(HOTEL, { life: 2, slot: "compensation", told: "Doubt", body: "" });
  chronicle.call(HOTEL, { life: 2, slot: "compensation" });
  chronicle.fact(
    { _tag: "OperationSettled", path: HOTEL, slot: "compensation", outcome: { _tag: "Succeeded", output: undefined }, attempts: 2 },
    2,
  );
  chronicle.happenings.push(
    { _tag: "Delivered", call: 1, key: `s/${HOTEL}/action`, slot: "action", body: "Sealed" },
    { _tag: "Died", life: 2 },
  );
  const at = (fits: (one: Happening) => boolean): number => chronicle.happenings.findIndex(fits);
  const adopted = at(({ _tag }) => _tag === "Adopted");
  const log = logged(
    chronicle,
    new Map([
      [3, 3],
      [adopted, 20],
      [at((one) => one._tag === "Called" && one.call === 5), 1_250],
      [chronicle.happenings.length - 2, 200_000],
    ]),
  );
  return strikes(strikes(log, adopted - 1, "die-in-flight"), 3, "lose-answer");
}

export const BROKEN: readonly Violation[] = [
  {
    law: "rooms",
    says: "rooms are conserved",
    message: "it was 3 at the beginning, and is 2 at the end",
    values: { expected: "3", found: "2" },
  },
  {
    law: "truth",
    says: "a saga says truthfully how it ended",
    message: `${HOTEL} stands, though all is said to be taken back`,
    sagaId: "s",
  },
];
