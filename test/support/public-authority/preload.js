// Loaded before the program with --import: to it the authority in NODE_EXTRA_CA_CERTS is one of those that Node itself brings
// along. Nobody gets a certificate of such an authority for a test, and Node's own list cannot be changed.
import { register } from "node:module";

register("./hooks.js", import.meta.url);
