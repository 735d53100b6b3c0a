/** What is proved of the checkout: single and double faults in full, and two payments at once with three faults at random, in parts that can go beside each other. */
import type { ExploreOptions } from "@backstep/saga-testing";
import { accrue, byCard, byPoints, type CheckoutInput, CONSERVATION, openShop, type ProvedShop } from "./shop.ts";

type Options = ExploreOptions<CheckoutInput, ProvedShop>;

export interface Proof {
  readonly what: string;
  readonly options: Options;
}

const RANDOM_PARTS = 4;

/** @param seed - Of the random schedules; each part has one of its own that follows from it. */
export function proofsOf(randomSchedules: number, seed: number): readonly Proof[] {
  return [
    { what: "a payment by points, all single and double faults", options: optionsFor([byPoints("o1")], {}) },
    { what: "a payment partly by card, all single and double faults", options: optionsFor([byCard("o1")], {}) },
    ...Array.from({ length: RANDOM_PARTS }, (_, part) => ({
      what: `two payments at once on short stock, up to three faults at random, part ${part + 1} of ${RANDOM_PARTS}`,
      options: optionsFor([byPoints("o1"), byCard("o2")], {
        faults: 0,
        random: { schedules: Math.ceil(randomSchedules / RANDOM_PARTS), faults: 3, seed: seed + part },
      }),
    })),
  ];
}

function optionsFor(inputs: readonly CheckoutInput[], more: Partial<Options>): Options {
  return { inputs, participants: (site) => openShop(site, inputs.length), laws: [CONSERVATION], onEvent: accrue, ...more };
}
