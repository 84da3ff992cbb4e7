// Builds the pages into the Python package: one script, one style sheet, the shell.
import { build } from "esbuild";
import { copyFile, mkdir, rm } from "node:fs/promises";

const OUT = new URL("../src/anycastle/web/static/", import.meta.url).pathname;

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
await build({
  entryPoints: { app: "src/main.tsx", style: "src/style.css" },
  outdir: OUT,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
});
for (const name of ["index.html", "mark.svg"]) await copyFile(name, OUT + name);
// The coast lines of the map of catchments: loaded by that page alone.
await copyFile("node_modules/world-atlas/land-110m.json", OUT + "land.json");
