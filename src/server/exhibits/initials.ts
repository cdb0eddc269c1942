/**
 * The initials that an organisation's exhibits get where the producer gives none: first letters of its words
 * ("Northern Bus Depot": `NBD`), the first three letters of a single word, `EX` where there is no Latin letter.
 */
export function initialsOf(organisation: string): string {
  const words = organisation
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toUpperCase()
    .split(/[^A-Z]+/)
    .filter((word) => word !== "");
  const [only] = words;
  if (only === undefined) return "EX";
  if (words.length === 1) return only.slice(0, 3);
  return words
    .map((word) => word.charAt(0))
    .join("")
    .slice(0, 8);
}
