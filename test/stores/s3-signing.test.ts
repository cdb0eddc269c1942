import { expect, it } from "@jest/globals";
import { amzDate, canonicalQuery, encoded, Signer } from "../../src/stores/s3/signing.ts";

const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** "Examples: Signature Calculations in AWS Signature Version 4", in Amazon's reference of the S3 API. */
const s3Examples = [
  [
    "an object's first bytes",
    "GET",
    "/test.txt",
    {},
    { range: "bytes=0-9" },
    empty,
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  ],
  [
    "storing an object",
    "PUT",
    `/${encoded("test$file.text")}`,
    {},
    { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  ],
  [
    "a bucket's lifecycle",
    "GET",
    "/",
    { lifecycle: "" },
    {},
    empty,
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  ],
  [
    "a list",
    "GET",
    "/",
    { prefix: "J", "max-keys": "2" },
    {},
    empty,
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  ],
] as const;

it.each(s3Examples)(
  "signs as Amazon's example does: %s",
  (_, method, path, query, more, payload, signature) => {
    const headers = {
      ...more,
      host: "examplebucket.s3.amazonaws.com",
      "x-amz-content-sha256": payload,
      "x-amz-date": "20130524T000000Z",
    };
    const request = { method, path, query: canonicalQuery(query), headers, payload };
    const keys = {
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    };
    const names = Object.keys(headers).sort().join(";");
    expect(new Signer("us-east-1", "s3").authorization(request, keys)).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
    );
  },
);

/** The test suite of Signature Version 4 that Amazon publishes; the names are its own. */
const suite = [
  [
    "get-vanilla",
    "GET",
    {},
    {},
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  ],
  [
    "get-vanilla-query-order-key-case",
    "GET",
    { Param2: "value2", Param1: "value1" },
    {},
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  ],
  [
    "get-header-value-trim",
    "GET",
    {},
    { "my-header1": " value1", "my-header2": ' "a   b   c"' },
    "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
  ],
  [
    "post-vanilla",
    "POST",
    {},
    {},
    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  ],
] as const;

it.each(suite)("signs as Amazon's suite does: %s", (_, method, query, more, signature) => {
  const signer = new Signer("us-east-1", "service");
  const keys = {
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  };
  const headers = { ...more, host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z" };
  const request = { method, path: "/", query: canonicalQuery(query), headers, payload: empty };
  for (let time = 1; time <= 2; time += 1) {
    expect(signer.authorization(request, keys)).toMatch(new RegExp(`Signature=${signature}$`));
  }
  // The kept key is that of another day, and must not be used for it.
  const tomorrow = { ...request, headers: { ...headers, "x-amz-date": "20150831T123600Z" } };
  expect(signer.authorization(tomorrow, keys)).toBe(
    new Signer("us-east-1", "service").authorization(tomorrow, keys),
  );
});

it("signs an address as Amazon's example does", () => {
  const signer = new Signer("us-east-1", "s3");
  const keys = {
    accessKeyId: "AKIAIOSFODNN7EXAMPLE",
    secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  };
  const request = {
    method: "GET",
    path: "/test.txt",
    query: {},
    headers: { host: "examplebucket.s3.amazonaws.com" },
    payload: "UNSIGNED-PAYLOAD",
  };
  expect(signer.presignedQuery(request, keys, "20130524T000000Z", 86_400)).toBe(
    [
      "X-Amz-Algorithm=AWS4-HMAC-SHA256",
      "X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request",
      "X-Amz-Date=20130524T000000Z",
      "X-Amz-Expires=86400",
      "X-Amz-SignedHeaders=host",
      "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    ].join("&"),
  );
});

it.each([
  ["the part", { query: { partNumber: "2", uploadId: "u" } }],
  ["the upload", { query: { partNumber: "1", uploadId: "v" } }],
  ["the digest", { payload: "0".repeat(64) }],
  ["the length", { headers: { host: "h", "content-length": "2" } }],
  ["how long it is good", {}, 901],
  ["the session", {}, 900, "other"],
] as readonly (readonly [string, object, number?, string?])[])(
  "gives another signature to an address when %s is another",
  (_, more, life = 900, sessionToken = "token") => {
    const signature = (changed: object, seconds: number, token: string): string | undefined =>
      new Signer("us-east-1", "s3")
        .presignedQuery(
          {
            method: "PUT",
            path: "/b/k",
            query: { partNumber: "1", uploadId: "u" },
            headers: { host: "h", "content-length": "1" },
            payload: empty,
            ...changed,
          },
          { accessKeyId: "A", secretAccessKey: "S", sessionToken: token },
          "20130524T000000Z",
          seconds,
        )
        .split("X-Amz-Signature=")[1];
    expect(signature({}, 900, "token")).toMatch(/^[0-9a-f]{64}$/);
    expect(signature(more, life, sessionToken)).not.toBe(signature({}, 900, "token"));
  },
);

it("writes times and names as signatures have them", () => {
  expect(amzDate(new Date("2013-05-24T00:00:00.123Z"))).toBe("20130524T000000Z");
  expect(encoded("a b/ü'(!)*~")).toBe("a%20b%2F%C3%BC%27%28%21%29%2A~");
});
