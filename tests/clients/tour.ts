// What a frontend does first, with a client made from the document: sign in, add an item, read it,
// and be told why something was refused. Prints what it saw, as JSON.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

declare const process: { env: Record<string, string> };
const { API_URL: baseUrl, EMAIL: email, PASSWORD: password, TENANT: tenant, CODE: code } = process.env;

const api = createClient<paths>({ baseUrl });
const asked = await api.POST("/api/auth/login", { body: { email, password, tenant } });
const signedIn = await api.POST("/api/auth/login", { body: { email, password, tenant, code } });
if (!signedIn.data || !("access_token" in signedIn.data)) throw new Error("not signed in");

const authorization = `Bearer ${signedIn.data.access_token}`;
api.use({ onRequest: ({ request }) => request.headers.set("Authorization", authorization) });

const item = { code: "TS-1", name: "Flour", unit: "kg", par_level: "12.5" };
const added = await api.POST("/api/inventory/add-item", { body: item });
if (!added.data) throw new Error(added.error.detail);
const read = await api.GET("/api/inventory/{item_id}", { params: { path: { item_id: added.data.id } } });
if (!read.data) throw new Error("not read");
const refused = await api.POST("/api/inventory/add-item", { body: item });

const codeOf = (problem: components["schemas"]["Problem"] | undefined) => problem?.code;
console.log(JSON.stringify({ asked: codeOf(asked.error), par_level: read.data.par_level, refused: codeOf(refused.error) }));
