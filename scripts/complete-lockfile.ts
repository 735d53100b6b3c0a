/**
 * Adds to the lockfile what `npm install` leaves out of it: the optional packages of platforms other than this one, which npm drops when it cannot fetch
 * them (or finds them missing in `node_modules`), and without which `npm ci` then refuses the lockfile. What a package is for is read off its name.
 */
import { readFileSync, writeFileSync } from "node:fs";

interface Locked {
  readonly version?: string | undefined;
  readonly dev?: boolean | undefined;
  readonly engines?: Readonly<Record<string, string>> | undefined;
  readonly optionalDependencies?: Readonly<Record<string, string>> | undefined;
}

interface Lockfile {
  readonly packages: Readonly<Record<string, Locked | undefined>>;
}

const SYSTEMS = ["android", "darwin", "freebsd", "linux", "openbsd", "openharmony", "win32"];
const PROCESSORS = ["arm", "arm64", "ia32", "loong64", "ppc64", "riscv64", "s390x", "x64"];

const path = process.argv[2] ?? "package-lock.json";
const lockfile = JSON.parse(readFileSync(path, "utf8")) as Lockfile;

function missingOf([place, locked]: readonly [string, Locked | undefined]): readonly (readonly [string, object])[] {
  return Object.entries(locked?.optionalDependencies ?? {}).flatMap(([name, version]) => {
    const found = lockfile.packages[`${place}/node_modules/${name}`] ?? lockfile.packages[`node_modules/${name}`];
    return found === undefined ? [[`node_modules/${name}`, entry(name, version, locked?.dev)] as const] : [];
  });
}

function entry(name: string, version: string, dev: boolean | undefined): object {
  const words = name.split(/[-/]/);
  const os = SYSTEMS.filter((system) => words.includes(system));
  const cpu = PROCESSORS.filter((processor) => words.includes(processor));
  if (os.length !== 1 || cpu.length !== 1 || !/^\d+\.\d+\.\d+$/.test(version)) {
    throw new TypeError(`${name}@${version} is optional, is not in ${path}, and its name tells no platform: add it by hand`);
  }
  const libc = words.some((word) => word.startsWith("musl")) ? ["musl"] : undefined;
  return { version, cpu, ...(dev === true && { dev }), ...(libc !== undefined && { libc }), optional: true, os };
}

const missing = Object.entries(lockfile.packages).flatMap(missingOf);
const packages = Object.fromEntries([...Object.entries(lockfile.packages), ...missing].sort(([a], [b]) => (a === b ? 0 : a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify({ ...lockfile, packages }, undefined, 2)}\n`);
console.log(`${missing.length} packages of other platforms added to ${path}`);
