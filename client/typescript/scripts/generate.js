// Prints the types of the service's interface and of its events, from the documents that define them.
import { readdir, readFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const docs = new URL("../../../docs/", import.meta.url);
const document = JSON.parse(await readFile(new URL("openapi.json", docs), "utf8"));
const schemas = document.components.schemas;

for (const file of (await readdir(new URL("events", docs))).sort()) {
  const text = await readFile(new URL(`events/${file}`, docs), "utf8");
  const { title, $defs, ...schema } = JSON.parse(
    text.replaceAll("#/$defs/", "#/components/schemas/"),
  );
  const name = title.replaceAll(/ ?\b(\w)/g, (_, initial) => initial.toUpperCase());
  Object.assign(schemas, $defs, { [`${name}Event`]: schema });
}

console.log("// Made by `npm run generate` of docs/openapi.json and docs/events.\n");
console.log(
  astToString(await openapiTS(document, { immutable: true, emptyObjectsUnknown: true })).trimEnd(),
);
