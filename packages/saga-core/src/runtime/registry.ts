/** The sagas an engine knows, by name and version. */
import type { AnySaga } from "../definition/saga.ts";
import type { SagaDefinition } from "../definition/saga-definition.ts";
import { DefinitionInvalid } from "../errors/definition-invalid.ts";

export class Registry {
  readonly #definitions = new Map<string, SagaDefinition>();

  /** @throws {DefinitionInvalid} when two different sagas share a name and a version. */
  constructor(sagas: readonly AnySaga[]) {
    for (const { "~saga": definition } of sagas) {
      const id = idOf(definition);
      const known = this.#definitions.get(id);
      if (known !== undefined && known !== definition) {
        throw new DefinitionInvalid(
          `saga ${definition.name} version ${definition.version} is registered twice, with different definitions`,
        );
      }
      this.#definitions.set(id, definition);
    }
  }

  get(saga: { readonly name: string; readonly version: number }): SagaDefinition | undefined {
    return this.#definitions.get(idOf(saga));
  }
}

function idOf({ name, version }: { readonly name: string; readonly version: number }): string {
  return `${name} ${version}`;
}
