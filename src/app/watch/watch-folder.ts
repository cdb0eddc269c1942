import { ExhibitError, familyOf, hasCode } from "../../evidence/errors.ts";
import type { SourceEntry } from "../../evidence/ports/source.ts";
import type { WatchedFolder } from "../../evidence/ports/watched-folder.ts";
import { pause } from "../../transfer/pause.ts";
import type { RowsAsked, UploadRequest } from "../upload-request.ts";
import type { UploadDeps } from "../upload.ts";
import { failureOf, stopsAll } from "../failure.ts";
import type { SaidByPath } from "./case-from.ts";
import { belowFolder, isTemporaryName } from "./names.ts";
import { Settling } from "./settling.ts";
import { isSidecar, readSidecars, sidecarsOf, type SidecarForm } from "./sidecars.ts";
import { isStillAtRest } from "./still-at-rest.ts";
import { takeFile } from "./take-file.ts";
import type { WatchEvent } from "./watch-event.ts";

export interface WatchRequest {
  /** Absolute. */
  readonly folder: string;
  /** What is asked of every file; it names the folder. */
  readonly asked: UploadRequest;
  readonly sidecar: SidecarForm;
  readonly columns: RowsAsked["columns"];
  readonly timeZone: string;
  readonly saidByPath: SaidByPath;
  readonly settleMs: number;
  /** The folder is looked at so often at least. */
  readonly pollMs: number;
  /** Files are told of that wait for longer. */
  readonly patienceMs: number;
  /** Where files go once their receipts are on the disk; left out, they stay. Absolute, and not in the folder. */
  readonly moveTo: string | undefined;
  /** Takes what is there and settled, and ends. */
  readonly once: boolean;
}

export interface WatchResult {
  readonly taken: number;
  /** What failed and was not taken later. */
  readonly failed: readonly { readonly code: ExhibitError["code"] }[];
}

/** Between looks while something happens. */
const leastMs = 200;
const firstPauseMs = 5000;
const longestPauseMs = 60_000;

/**
 * Takes each file of a folder once, as soon as its writer has let go of it and its sidecar, if there must be one, has come; until
 * the signal says stop, or, with `once`, until what was there has been taken. A store that is gone, a full disk and a folder that has
 * vanished are waited for.
 *
 * @throws ExhibitError `auth.*`, `policy.role`; with `once` also `not-found.source` and `unavailable.*`; the signal's reason
 */
export async function watchFolder(
  deps: UploadDeps,
  watched: WatchedFolder,
  request: WatchRequest,
  signal: AbortSignal,
  tell: (event: WatchEvent) => void,
): Promise<WatchResult> {
  return new Watch(deps, watched, request, signal, tell).run();
}

class Watch {
  readonly #deps: UploadDeps;
  readonly #watched: WatchedFolder;
  readonly #request: WatchRequest;
  readonly #signal: AbortSignal;
  readonly #tell: (event: WatchEvent) => void;
  readonly #settling: Settling;
  /** What was told of files, so that nothing is told, and no mistake made, twice. By location: versions of file and sidecars. */
  readonly #failed = new Map<
    string,
    { readonly versions: string; readonly code: ExhibitError["code"] }
  >();
  readonly #toldOf = new Set<string>();
  /** Since when a settled file waits for its sidecar. */
  readonly #sidecarless = new Map<string, number>();
  #taken = 0;
  #isGone = false;
  #pauseMs = firstPauseMs;
  /** How long the last walk through the folder took: half of the time, at most, is spent on that. */
  #walkMs = 0;

  constructor(
    deps: UploadDeps,
    watched: WatchedFolder,
    request: WatchRequest,
    signal: AbortSignal,
    tell: (event: WatchEvent) => void,
  ) {
    this.#deps = deps;
    this.#watched = watched;
    this.#request = request;
    this.#signal = signal;
    this.#tell = tell;
    this.#settling = new Settling(request.settleMs, request.patienceMs);
  }

  async run(): Promise<WatchResult> {
    const { folder, once, settleMs, pollMs } = this.#request;
    this.#tell({ type: "watching", folder });
    for (let looks = 1; ; looks += 1) {
      this.#signal.throwIfAborted();
      const wait = await this.#look(once && looks > 1);
      this.#signal.throwIfAborted();
      if (once && (looks > 1 || wait === "nothing")) break;
      const ms = once || wait === "settling" ? Math.max(settleMs, leastMs) : pollMs;
      await this.#pause(Math.min(ms, once ? Infinity : pollMs));
    }
    return { taken: this.#taken, failed: [...this.#failed.values()] };
  }

  async #pause(ms: number): Promise<void> {
    const { once, pollMs } = this.#request;
    // The files of one run are looked at again when all of them have had their time.
    if (once) return pause(ms + leastMs, this.#signal);
    const limit = await this.#watched.change(ms, this.#signal);
    if (limit !== undefined) {
      this.#tellOnce(`\n${limit}`, { type: "limited", limit, seconds: pollMs / 1000 });
    }
    await pause(Math.max(leastMs, this.#walkMs), this.#signal);
  }

  /** Looks once, and takes what is ready. @returns whether there is anything that may be ready soon */
  async #look(isLast: boolean): Promise<"settling" | "nothing"> {
    const began = performance.now();
    const there = await this.#there();
    this.#walkMs = performance.now() - began;
    if (there === undefined) return "nothing";
    this.#settling.begin(there);
    const { sidecar } = this.#request;
    const open = there.filter((entry) => this.#isNew(entry));
    const busy = await this.#watched.beingWritten(open);
    const now = performance.now();
    const settled = new Set<SourceEntry>();
    for (const entry of open) {
      const state = this.#settling.look(entry, busy.has(entry.location), now);
      if (state === "settled") settled.add(entry);
      else if (state === "never" || isLast) this.#tellWaiting(entry, "being-written");
    }
    const files = open.filter((entry) => !isSidecar(sidecar, entry.location));
    for (const file of files.filter((entry) => settled.has(entry))) {
      this.#signal.throwIfAborted();
      const sidecars = sidecarsOf(sidecar, file, there);
      if (!sidecars.every((entry) => settled.has(entry))) continue;
      if (
        performance.now() - now > 1000 &&
        !(await isStillAtRest([file, ...sidecars], this.#deps.source, this.#watched))
      ) {
        if (isLast) this.#tellWaiting(file, "being-written");
        continue;
      }
      await this.#take(file, sidecars, isLast);
    }
    return settled.size < open.length || files.some((entry) => !this.#isSettledWith(entry))
      ? "settling"
      : "nothing";
  }

  /** Nothing will come of it unless something changes. */
  #isSettledWith({ location }: SourceEntry): boolean {
    return this.#failed.has(location) || this.#sidecarless.has(location);
  }

  /** The files that are there; undefined while the folder is not. */
  async #there(): Promise<readonly SourceEntry[] | undefined> {
    const { folder, once } = this.#request;
    const there: SourceEntry[] = [];
    try {
      const watcher = {
        skipped: ({ path, reason }: { path: string; reason: string }) => {
          this.#tellOnce(path, { type: "left-out", file: belowFolder(path), reason });
        },
        unlisted: ({ path, error }: { path: string; error: ExhibitError }) => {
          if (error.code === "not-found.source") return;
          this.#tellOnce(path, {
            type: "left-out",
            file: belowFolder(path),
            reason: error.message,
          });
        },
      };
      for await (const entry of this.#deps.source.list(folder, watcher)) {
        this.#signal.throwIfAborted();
        if (!isTemporaryName(belowFolder(entry.path))) there.push(entry);
      }
    } catch (error) {
      if (!(error instanceof ExhibitError) || once) throw error;
      const { message } = error;
      if (!this.#isGone) this.#tell({ type: "folder-gone", folder, message });
      this.#isGone = true;
      return undefined;
    }
    if (this.#isGone) this.#tell({ type: "folder-back", folder });
    this.#isGone = false;
    return there;
  }

  /** Sidecars always are: they may be read again. */
  #isNew(entry: SourceEntry): boolean {
    if (isSidecar(this.#request.sidecar, entry.location)) return true;
    return this.#watched.taken.find(belowFolder(entry.path))?.version !== entry.version;
  }

  async #take(file: SourceEntry, sidecars: readonly SourceEntry[], isLast: boolean): Promise<void> {
    const { folder, asked, sidecar, columns, timeZone, saidByPath, once } = this.#request;
    const { location } = file;
    const name = belowFolder(file.path);
    const versions = [file, ...sidecars].map(({ version }) => version).join();
    if (this.#failed.get(location)?.versions === versions) return;
    this.#failed.delete(location);
    const fail = (error: ExhibitError): void => {
      this.#failed.set(location, { versions, code: error.code });
      this.#tell({ type: "failed", file: name, ...failureOf(name, error) });
    };
    try {
      const said = saidByPath(name) ?? {};
      const rules = { case: said.case ?? asked.case, mayLackCase: true, timeZone };
      const says =
        sidecar === "none"
          ? undefined
          : await readSidecars(
              { source: this.#deps.source, form: sidecar, columns, rules },
              file,
              sidecars,
            );
      if (sidecar !== "none" && says === undefined) {
        this.#waitForSidecar(file, isLast);
        return;
      }
      this.#sidecarless.delete(location);
      const all = { said: { ...said, ...says?.said }, sourceId: says?.sourceId };
      const result = await takeFile(this.#deps, folder, asked, file, all, this.#signal);
      if ("code" in result) throw new ExhibitError(result.code, result.message, result);
      const { id: exhibit, receiptPath } = result;
      this.#watched.taken.save(name, { version: file.version, exhibit, receiptPath });
      this.#taken += 1;
      this.#pauseMs = firstPauseMs;
      this.#tell({ type: "taken", file: name, ...result });
      await this.#moveAway([file, ...(sidecar === "json" ? sidecars : [])]);
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof ExhibitError)) throw error;
      if (familyOf(error.code) === "auth" || error.code === "policy.role") throw error;
      if (!isTrouble(error)) {
        // What is being written again will settle again.
        if (!hasCode(error, "integrity.source-changed")) fail(error);
        return;
      }
      if (once && hasCode(error, "unavailable.source")) {
        // Of this file alone: those behind it have their turn.
        fail(error);
        return;
      }
      if (once) throw error;
      const { code, message } = error;
      this.#tell({ type: "trouble", code, message, seconds: this.#pauseMs / 1000 });
      await pause(this.#pauseMs, this.#signal);
      this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
    }
  }

  async #moveAway(files: readonly SourceEntry[]): Promise<void> {
    const { moveTo } = this.#request;
    if (moveTo === undefined) return;
    for (const file of files) {
      const name = belowFolder(file.path);
      try {
        const to = await this.#watched.move(file, { folder: moveTo, path: name });
        this.#tell({ type: "moved", file: name, to });
      } catch (error) {
        if (!(error instanceof ExhibitError)) throw error;
        this.#tell({ type: "failed", file: name, ...failureOf(name, error) });
      }
    }
  }

  #waitForSidecar(file: SourceEntry, isLast: boolean): void {
    const now = performance.now();
    const since = this.#sidecarless.get(file.location) ?? now;
    this.#sidecarless.set(file.location, since);
    if (isLast || now - since >= this.#request.patienceMs) this.#tellWaiting(file, "sidecar");
  }

  #tellWaiting({ path }: SourceEntry, reason: "sidecar" | "being-written"): void {
    this.#tellOnce(`${path}\n${reason}`, { type: "waiting", file: belowFolder(path), reason });
  }

  #tellOnce(what: string, event: WatchEvent): void {
    if (this.#toldOf.has(what)) return;
    this.#toldOf.add(what);
    this.#tell(event);
  }
}

/** The store or this computer is at fault, and not the file. */
function isTrouble(error: ExhibitError): boolean {
  return (
    stopsAll(error) ||
    ["unavailable.no-space", "unavailable.source", "policy.quota", "conflict.locked"].includes(
      error.code,
    )
  );
}
