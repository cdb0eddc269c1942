import { randomBytes } from "node:crypto";
import type { Item } from "../items/items.ts";
import type { World } from "../world.ts";
import type { Token } from "./access.ts";
import type { User } from "./users.ts";

interface RefreshToken {
  readonly text: string;
  readonly user: User;
  readonly expiresAt: Date;
}

export interface Code {
  readonly user: User;
  readonly redirectUri: string | undefined;
  readonly challenge: string | undefined;
  readonly expiresAt: Date;
}

const codeSeconds = 30;
/** Of one user and one application, these many refresh tokens are good at once. */
const refreshTokensAtOnce = 2;

/** All tokens and codes that are good, and the ids of assertions that were used. */
export class Tokens {
  private readonly accesses = new Map<string, Token>();
  /** Of each user, newest last. */
  private readonly refreshes = new Map<User, RefreshToken[]>();
  private readonly codes = new Map<string, Code>();
  readonly usedAssertions = new Set<string>();

  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  access(text: string): Token | undefined {
    const token = this.accesses.get(text);
    return token === undefined || token.expiresAt <= this.world.now() ? undefined : token;
  }

  /** How many refresh tokens of a user are good now. */
  refreshTokensOf(user: User): number {
    return this.refreshes.get(user)?.length ?? 0;
  }

  issue(user: User, limits?: { scopes: readonly string[]; within: Item | undefined }): Token {
    const seconds = this.world.settings.accessTokenSeconds;
    const token: Token = {
      text: randomBytes(24).toString("base64url"),
      user,
      expiresAt: this.later(seconds),
      scopes: limits?.scopes,
      within: limits?.within,
    };
    this.accesses.set(token.text, token);
    return token;
  }

  issueRefresh(user: User): string {
    const text = randomBytes(48).toString("base64url");
    const expiresAt = this.later(this.world.settings.refreshTokenDays * 86_400);
    const good = [...(this.refreshes.get(user) ?? []), { text, user, expiresAt }];
    this.refreshes.set(user, good.slice(-refreshTokensAtOnce));
    return text;
  }

  /** Whose refresh token it is. It is good once. */
  useRefresh(text: string): User | undefined {
    const token = this.takeRefresh(text);
    return token === undefined || token.expiresAt <= this.world.now() ? undefined : token.user;
  }

  issueCode(code: Omit<Code, "expiresAt">): string {
    const text = randomBytes(16).toString("hex");
    this.codes.set(text, { ...code, expiresAt: this.later(codeSeconds) });
    return text;
  }

  /** What a code stands for. It is good once. */
  useCode(text: string): Code | undefined {
    const code = this.codes.get(text);
    this.codes.delete(text);
    return code === undefined || code.expiresAt <= this.world.now() ? undefined : code;
  }

  /** Ends what a token stands for: with either one of a login, all of that user's tokens. */
  revoke(text: string): void {
    const user = this.accesses.get(text)?.user ?? this.takeRefresh(text)?.user;
    if (user === undefined) return;
    const downscoped = this.accesses.get(text)?.scopes !== undefined;
    this.accesses.delete(text);
    if (!downscoped) this.revokeAll(user);
  }

  revokeAll(user: User): void {
    this.refreshes.delete(user);
    for (const [text, token] of this.accesses) if (token.user === user) this.accesses.delete(text);
  }

  private takeRefresh(text: string): RefreshToken | undefined {
    for (const [user, tokens] of this.refreshes) {
      const found = tokens.find((one) => one.text === text);
      if (found === undefined) continue;
      const rest = tokens.filter((one) => one !== found);
      this.refreshes.set(user, rest);
      return found;
    }
    return undefined;
  }

  private later(seconds: number): Date {
    return new Date(this.world.now().getTime() + seconds * 1000);
  }
}
