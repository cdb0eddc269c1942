import type { FastifyReply } from "fastify";
import type { Kysely } from "kysely";
import type { Clock } from "../../evidence/ports/clock.ts";
import type { Tables } from "../database/tables.ts";
import { logAccess, type Access } from "./access-log.ts";

/**
 * Does what strangers set off, and writes their accesses down, once their answer is out, so that the time an answer takes
 * does not tell whether its link exists. What is shown to a session is written down before instead, by {@link logAccess}.
 */
export class LateLog {
  readonly #database: Kysely<Tables>;
  readonly #clock: Clock;
  readonly #onFailure: (error: unknown) => void;
  readonly #underWay = new Set<Promise<void>>();

  constructor(database: Kysely<Tables>, clock: Clock, onFailure: (error: unknown) => void) {
    this.#database = database;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Writes `access` down, with the time that it is now, when `reply` is out or was broken off. */
  after(reply: FastifyReply, access: Access): void {
    const at = this.#clock.now();
    this.do(reply, () => logAccess(this.#database, { now: () => at }, access));
  }

  /** Does `job` when `reply` is out or was broken off. */
  do(reply: FastifyReply, job: () => Promise<void>): void {
    reply.raw.once("close", () => {
      const done = job()
        .catch(this.#onFailure)
        .finally(() => {
          this.#underWay.delete(done);
        });
      this.#underWay.add(done);
    });
  }

  /** Resolves when all that was answered before is done and written down. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
