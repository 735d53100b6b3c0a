/** What a part of this package was configured with cannot work. Thrown where the part is made, so that a wrong program does not start. */
export class OptionInvalid extends Error {
  readonly _tag = "OptionInvalid";

  constructor(message: string) {
    super(message);
    this.name = "OptionInvalid";
  }
}

/** The longest that a timer of the host can wait; it would fire at once for more. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** @param unit - What is counted, e.g. `milliseconds`. @throws {OptionInvalid} */
export function assertCount(name: string, value: number, unit: string, min: number, max: number = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  throw new OptionInvalid(`\`${name}\` is a whole number of ${unit} from ${min} to ${max}, not ${String(value)}`);
}
