/** What a fake remembers of its effects. It hears of them with their commit, as the site does. */
import type { Command, Contract, InputOf, OutputOf } from "@backstep/contract";
import type { HostNews } from "./local-host.ts";
import type { SiteEffects } from "./site.ts";

/** One effect of a command, under the key of the action. */
export type EffectOf<Any extends Contract> = {
  [Name in keyof Any["operations"]]: Any["operations"][Name] extends Command
    ? {
        readonly key: string;
        /** The command's name in the contract. */
        readonly operation: Name;
        readonly input: InputOf<Any["operations"][Name]>;
        readonly output: OutputOf<Any["operations"][Name]>;
      }
    : never;
}[keyof Any["operations"]];

export interface FakeEffects<Any extends Contract> {
  /** Those that were not taken back, in the order in which they were made. */
  readonly standing: readonly EffectOf<Any>[];
  readonly everApplied: readonly EffectOf<Any>[];
}

interface Effect {
  readonly key: string;
  readonly operation: string;
  readonly input: unknown;
  readonly output: unknown;
}

export class FakeLedger implements HostNews {
  readonly #standing = new Map<string, Effect>();
  readonly #everApplied: Effect[] = [];
  readonly #site: SiteEffects;

  constructor(site: SiteEffects) {
    this.#site = site;
  }

  get standing(): readonly Effect[] {
    return [...this.#standing.values()];
  }

  get everApplied(): readonly Effect[] {
    return [...this.#everApplied];
  }

  applied(operation: string, key: string, input: unknown, output: unknown): void {
    const effect = { key, operation, input, output };
    this.#standing.set(key, effect);
    this.#everApplied.push(effect);
    this.#site.applied(key);
  }

  takenBack(key: string): void {
    this.#standing.delete(key);
    this.#site.takenBack(key);
  }
}
