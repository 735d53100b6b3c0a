// Plain CommonJS with old syntax, so that an old Node can still run it and say what is wrong.
"use strict";
var parts = process.versions.node.split(".");
var major = Number(parts[0]);
var minor = Number(parts[1]);
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    "Backstep needs Node 22.18 or newer; this is Node " +
      process.versions.node +
      ".\nThe development dependency `node` brings the right one: run `npm ci` (without --ignore-scripts), then use the npm scripts (`npm test`, `npm run demo`).",
  );
  process.exit(1);
}
