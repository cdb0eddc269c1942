/** Keeps two requests of this process from working on the same things at once; others go on side by side. */
export class InHand {
  readonly #busy = new Map<string, Promise<unknown>>();

  async alone<T>(names: readonly string[], work: () => Promise<T>): Promise<T> {
    for (let other = this.#other(names); other !== undefined; other = this.#other(names)) {
      await other.catch(() => undefined);
    }
    const mine = work();
    for (const name of names) this.#busy.set(name, mine);
    try {
      return await mine;
    } finally {
      for (const name of names) this.#busy.delete(name);
    }
  }

  #other(names: readonly string[]): Promise<unknown> | undefined {
    const busy = names.find((name) => this.#busy.has(name));
    return busy === undefined ? undefined : this.#busy.get(busy);
  }
}
