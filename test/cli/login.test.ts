import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "@jest/globals";
import { newMachine } from "../support/cli.ts";
import { startServer } from "../support/server.ts";

it("keeps an enrolment whose server falls silent right behind it, and says that it stands", async () => {
  let isSilent = true;
  const front = createServer((asked, answer) => {
    if (isSilent && asked.url === "/v1/identities/me") {
      answer.writeHead(500).end();
      return;
    }
    const { method, headers, url } = asked;
    const onward = request(new URL(url ?? "/", server.url), { method, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    asked.pipe(onward);
  }).listen(0, "127.0.0.1");
  await once(front, "listening");
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  const server = await startServer({ settings: { publicUrl: url } });
  const machine = await newMachine();

  const input = await server.invite("partner");
  const ran = await machine.exhibit(["login", url, "--invite-stdin"], { input });
  expect([ran.code, ran.out]).toEqual([0, `local  ${url}\n`]);
  expect(ran.err).toContain("warning: This machine is enrolled, but as whom is not known yet");
  expect(ran.err).toContain("✔ This machine is enrolled.");

  isSilent = false;
  const who = await machine.exhibit(["whoami", "--json"]);
  expect(who.json()).toMatchObject({ store: "local", identity: { role: "partner" } });
  const checked = await machine.exhibit(["store", "check", "local", "--json"]);
  expect([checked.code, checked.err]).toEqual([0, ""]);
  expect(checked.json()).toMatchObject({ schema: "exhibit.store-check/1", proof: "whole" });
  front.close();
  front.closeAllConnections();
  await server.stop();
  await rm(machine.folder, { recursive: true });
});
