// Schemas as trees to read, and as examples to copy.

import { element, inline } from "./dom.js";
import { words } from "./text.js";

const DEPTH_MAX = 6; // Schemas may contain themselves.

export class Schemas {
  constructor(root) {
    this.root = root;
  }

  // Follow a reference (#/components/…) to what it names.
  resolve(node) {
    for (let hops = 0; node?.$ref && hops < 10; hops++) {
      const steps = node.$ref.slice(2).split("/").map((step) => step.replace(/~1/g, "/").replace(/~0/g, "~"));
      const found = steps.reduce((place, step) => place?.[step], this.root);
      const { $ref, ...beside } = node;
      node = found ? { title: steps.at(-1), ...found, ...beside } : {};
    }
    return node || {};
  }

  // What a value may be, in a few words: "string (uuid)", "array of Item", "string or null".
  type(given) {
    const schema = this.resolve(given);
    const choices = schema.anyOf || schema.oneOf;
    if (choices) return [...new Set(choices.map((choice) => this.type(choice)))].join(" | ");
    if (schema.allOf?.length === 1) return this.type(schema.allOf[0]);
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    if (schema.type === "array") return `[${this.type(schema.items || {})}]`;
    if (schema.type === "object" || schema.properties) return schema.properties ? schema.title || "object" : "object";
    const type = [schema.type || "any"].flat().join(" | ");
    return schema.format ? `${type} (${schema.format})` : type;
  }

  limits(given) {
    const schema = this.resolve(given);
    const said = [];
    const add = (name, sign) => schema[name] !== undefined && said.push(`${sign} ${schema[name]}`);
    add("minimum", "≥");
    add("exclusiveMinimum", ">");
    add("maximum", "≤");
    add("exclusiveMaximum", "<");
    add("minLength", "length ≥");
    add("maxLength", "length ≤");
    add("minItems", "items ≥");
    add("maxItems", "items ≤");
    add("pattern", "like");
    if (schema.default !== undefined && schema.default !== null) said.push(`${words.default} ${JSON.stringify(schema.default)}`);
    for (const choice of schema.anyOf || schema.oneOf || []) said.push(...this.limits(choice));
    return said;
  }

  // The properties of an object, those of its parts below them.
  tree(given, depth = 0) {
    const schema = this.inner(given);
    if (!schema.properties || depth > DEPTH_MAX) return null;
    const required = new Set(schema.required || []);
    const rows = Object.entries(schema.properties).map(([name, property]) =>
      element(
        "li",
        {},
        element("code", { class: "name" }, name),
        " ",
        element("span", { class: "type" }, this.type(property)),
        required.has(name) ? element("span", { class: "required" }, words.required) : null,
        this.limits(property).map((limit) => element("span", { class: "limit" }, limit)),
        this.describe(property),
        this.tree(property, depth + 1),
      ),
    );
    return element("ul", { class: "tree" }, rows);
  }

  describe(given) {
    const { description } = this.resolve(given);
    return description ? element("div", { class: "note" }, inline(description)) : null;
  }

  // The object behind arrays, nullable choices and the like.
  inner(given) {
    let schema = this.resolve(given);
    for (let hops = 0; hops < 5 && !schema.properties; hops++) {
      const choices = (schema.anyOf || schema.oneOf || schema.allOf || []).map((choice) => this.resolve(choice));
      const next = schema.items || choices.find((choice) => choice.properties || choice.items);
      if (!next) break;
      schema = this.resolve(next);
    }
    return schema;
  }

  // An example: the one given, else one made of what is known.
  example(given, depth = 0) {
    const schema = this.resolve(given);
    if (schema.example !== undefined) return schema.example;
    if (schema.examples?.length) return schema.examples[0];
    if (schema.default !== undefined && schema.default !== null) return schema.default;
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return schema.enum[0];
    const choices = schema.anyOf || schema.oneOf || schema.allOf;
    if (choices) return this.example(choices.find((choice) => choice.type !== "null") || choices[0], depth);
    if (schema.properties && depth <= DEPTH_MAX) {
      return Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, this.example(property, depth + 1)]));
    }
    if (schema.type === "array") return depth > DEPTH_MAX ? [] : [this.example(schema.items || {}, depth + 1)];
    return simpleExample(schema);
  }
}

function simpleExample(schema) {
  const formats = { uuid: "0198c7a2-6f3e-7c41-9d7f-5a0b3e2c1d4f", "date-time": "2026-01-31T09:30:00Z", date: "2026-01-31", email: "you@example.com" };
  switch ([schema.type].flat()[0]) {
    case "integer": return schema.minimum ?? 1;
    case "number": return schema.minimum ?? 1.5;
    case "boolean": return true;
    case "null": return null;
    case "object": return {};
    default: return formats[schema.format] || "text";
  }
}
