/**
 * What stands behind the question mark of a store's address: parameters of these names, each once and none empty.
 *
 * @throws what `invalid` makes of the reason, for anything else
 */
export function addressParameters<Name extends string>(
  names: readonly Name[],
  search: string,
  invalid: (why: string) => Error,
): Partial<Record<Name, string>> {
  const given: Partial<Record<Name, string>> = {};
  for (const [name, value] of new URLSearchParams(search)) {
    const known = names.find((one) => one === name);
    if (known === undefined || value === "" || given[known] !== undefined) {
      throw invalid(`It cannot have "${name}" there. It takes ${names.join(", ")}, each once.`);
    }
    given[known] = value;
  }
  return given;
}
