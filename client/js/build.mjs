// Make v1.js: the core and all that it imports in one file, which servers serve as /client/v1.js. `npm run build`, or `make client`.
//
// Its first line has the digest of its sources, by which a test sees that it is theirs.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { minify } from "terser"; // behind esbuild it saves another 200 bytes

// Properties of the core's own objects; no field of a frame and no name of its API is among them.
const OWN =
  /^(outbox|ordinal|behind|leaving|postpones|solver|takes|settled|changed|flush|forget|withdraw|ended|ready|refuse|hold|repeat|begin|hear|emit|read|watch|guard|done|fail|part|answer|resume|line|later|cut|wake|ask|tell|wire|texts)$/;

const { metafile, outputFiles } = await build({
  entryPoints: ["client.js"],
  bundle: true,
  format: "esm",
  minify: true,
  target: "es2022",
  mangleProps: OWN,
  external: ["./album.js", "./call.js", "./node-socket.js", "./polls.js", "./puzzle.js", "./search.js", "./why.js"],
  metafile: true,
  write: false,
});
const digest = createHash("sha256");
for (const name of Object.keys(metafile.inputs).sort()) digest.update(readFileSync(name));
const small = await minify(outputFiles[0].text, { module: true, ecma: 2022, compress: { passes: 4,  pure_getters: true, unsafe_arrows: true } });
writeFileSync("v1.js", `// ${digest.digest("hex").slice(0, 12)}\n${small.code}\n`);
