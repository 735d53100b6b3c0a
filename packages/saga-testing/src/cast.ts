/** What is proved: a saga, or how one is made from its participants. */
import type { AnySaga } from "@backstep/saga-core";
import type { Site } from "./participants/site.ts";
import type { Cast } from "./simulation/simulation.ts";

export type SagaOf<Input> = AnySaga & { readonly "~input"?: (input: Input) => void };
export type Subject<Input, Participants> = SagaOf<Input> | ((participants: Participants) => SagaOf<Input>);

/** Makes participants. May be asynchronous, as long as it waits for nothing but what it does itself: no timer, no input or output. */
export type ParticipantsMaker<Participants> = (site: Site) => Participants | PromiseLike<Participants>;

export async function assembleCast<Input, Participants>(
  subject: Subject<Input, Participants>,
  make: ParticipantsMaker<Participants> | undefined,
  site: Site,
): Promise<Cast<Participants>> {
  // Without a maker there are none, and `undefined` is what `Participants` stands for.
  const participants = (await make?.(site)) as Participants;
  return { participants, saga: isSaga(subject) ? subject : subject(participants) };
}

/** A saga that can be nested is a function, too. */
function isSaga<Input, Participants>(subject: Subject<Input, Participants>): subject is SagaOf<Input> {
  return "~saga" in subject;
}
