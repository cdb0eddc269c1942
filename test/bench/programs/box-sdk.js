// Box's own client for Node, as its documentation has it upload a large file: box-sdk.js FILE SIZE API UPLOAD FOLDER_ID. The token is
// in BOX_TOKEN.
import { createReadStream } from "node:fs";
import path from "node:path";
import { argv, env } from "node:process";
import { BoxClient, BoxDeveloperTokenAuth } from "box-node-sdk";

const [file = "", size = "", api = "", upload = "", folderId = ""] = argv.slice(2);
const auth = new BoxDeveloperTokenAuth({ token: env["BOX_TOKEN"] ?? "" });
const client = new BoxClient({ auth }).withCustomBaseUrls({
  baseUrl: api,
  uploadUrl: `${upload}/api`,
  oauth2Url: `${api}/api/oauth2`,
});
const name = path.basename(file);
await client.chunkedUploads.uploadBigFile(createReadStream(file), name, Number(size), folderId);
