/** One small thing that is wrong, with a saga, its participants or the engine, and nothing else. */
import type { AnySaga } from "@backstep/saga-core";
import { explore, type ParticipantLaw, type Site } from "../../src/index.ts";
import { type EngineChange, mutatedEngine } from "./mutated-engine.ts";
import { checkoutOf, ORDER, type Order, openShop, SHOP_LAWS, type Shop, shopSteps } from "./shop.ts";

export interface Mutant {
  readonly name: string;
  /** The law that it must be found to break. */
  readonly breaks: string;
  /** What is wrong, as somebody would say who had found it. */
  readonly says: string;
  /** Default: the right one. */
  readonly saga?: ((shop: Shop) => AnySaga) | undefined;
  readonly shop?: ((site: Site) => Shop) | undefined;
  readonly engine?: readonly EngineChange[] | undefined;
  readonly inputs?: readonly Order[] | undefined;
  /** Default: the shop's. */
  readonly laws?: readonly ParticipantLaw<Shop>[] | undefined;
}

/** Explores a mutant as its author would: with all single and double faults, until a law is broken. */
export async function exploreMutant({ saga = rightSaga, shop = openShop, engine, inputs = [ORDER], laws = SHOP_LAWS }: Mutant) {
  return explore<Order, Shop>(saga, {
    inputs,
    participants: shop,
    laws,
    createEngine: engine === undefined ? undefined : await mutatedEngine(engine),
  });
}

function rightSaga(shop: Shop): AnySaga {
  return checkoutOf(shopSteps(shop));
}
