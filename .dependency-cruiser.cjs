/** The arrows: which package and which room may import which. Proved by planted violations in scripts/arrows.test.ts. */
"use strict";

const CORE = "^packages/saga-core/src/";
/** Rooms of saga-core in reading order; each may import those before it. */
const ROOMS = ["primitives", "errors", "definition", "journal", "engine", "runtime"];

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Not even of types: a cycle means that two files are one.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    ...ROOMS.slice(0, -1).map((room, index) => ({
      name: `${room}-before-${ROOMS[index + 1]}`,
      severity: "error",
      from: { path: `${CORE}${room}/` },
      to: { path: `${CORE}(${ROOMS.slice(index + 1).join("|")}|conformance)/` },
    })),
    {
      name: "core-depends-on-little",
      comment: "neverthrow, p-retry, ts-pattern, and the types of Standard Schema; no disk, no network.",
      severity: "error",
      from: { path: CORE },
      to: {
        dependencyTypes: ["npm", "npm-dev", "core", "npm-peer", "npm-optional"],
        pathNot: "node_modules/(neverthrow|p-retry|ts-pattern|@standard-schema/spec)/",
      },
    },
    {
      name: "core-imports-no-other-package",
      severity: "error",
      from: { path: CORE },
      to: { path: "^(packages|examples)/", pathNot: CORE },
    },
    {
      name: "stores-use-the-journal-door",
      severity: "error",
      from: { path: "^packages/(sqlite|postgres)-store/src/" },
      to: { path: "^packages/", pathNot: "^packages/($1-store/src/|saga-core/src/(journal|adapter)\\.ts$)" },
    },
    {
      name: "participant-uses-two-doors",
      severity: "error",
      from: { path: "^packages/participant/src/" },
      to: { path: "^packages/", pathNot: "^packages/(participant/src/|saga-core/src/(journal|adapter)\\.ts$)" },
    },
    {
      name: "driver-behind-its-door",
      comment: "Who keeps its state elsewhere needs no pg.",
      severity: "error",
      from: { path: "^packages/participant/src/", pathNot: "^packages/participant/src/(postgres\\.ts$|database/postgres-)" },
      to: { path: "node_modules/(@types/)?pg/|^packages/participant/src/(postgres\\.ts$|database/postgres-)" },
    },
    {
      name: "contract-stands-alone",
      severity: "error",
      from: { path: "^packages/contract/src/" },
      to: { path: "^packages/", pathNot: "^packages/contract/src/" },
    },
    {
      name: "domains-know-contract-and-participant",
      comment: "Never each other, never the engine.",
      severity: "error",
      from: { path: "^packages/domains/([^/]+)/src/" },
      to: { path: "^packages/", pathNot: "^packages/(domains/$1/src/|contract/src/index\\.ts$|participant/src/index\\.ts$)" },
    },
    {
      name: "http-adapter-knows-no-domain",
      severity: "error",
      from: { path: "^packages/http-adapter/src/" },
      to: { path: "^packages/(domains|sqlite-store|postgres-store)/" },
    },
    {
      name: "client-pulls-in-no-server",
      severity: "error",
      from: { path: "^packages/http-adapter/src/client" },
      to: { path: "^packages/http-adapter/src/server|node_modules/hono/" },
    },
    {
      name: "the-kit-is-for-tests",
      comment: "No package is built on it; tests are, and the example's proof.",
      severity: "error",
      from: { path: "^(packages/(?:domains/)?[^/]+|examples/[^/]+)/src/", pathNot: "^packages/saga-testing/" },
      to: { path: "^packages/saga-testing/" },
    },
    {
      name: "kit-serves-nothing",
      comment: "Of the HTTP adapter it knows the types of its client, and no line that runs.",
      severity: "error",
      from: { path: "^packages/saga-testing/src/" },
      to: { path: "^packages/(http-adapter/src/(?!client)|sqlite-store|postgres-store|domains)" },
    },
    {
      name: "nobody-imports-examples",
      severity: "error",
      from: { path: "^packages/" },
      to: { path: "^(examples|bench|docs)/" },
    },
    {
      name: "through-the-door",
      comment: "Another package is imported by its name, never by a path into its source.",
      severity: "error",
      from: { path: "^(packages/(?:domains/)?[^/]+|examples/[^/]+)/" },
      to: {
        path: "^packages/(?:domains/)?[^/]+/src/",
        pathNot: "^$1/|/src/(index|adapter|engine|journal|conformance|sqlite|postgres|client|server|contract|laws)\\.ts$",
      },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    exclude: { path: "(^|/)dist/" },
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["source", "import", "types", "node", "default"],
      extensions: [".ts", ".js", ".cjs", ".mjs", ".json"],
    },
  },
};
