// Whether an address lies within a prefix, for both families.

/** Gives an address as a number of so many bits; null where the text is none. */
function bitsOf(text: string): { bits: number; value: bigint } | null {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (four) return { bits: 32, value: four.slice(1).reduce((sum, part) => (sum << 8n) | BigInt(part), 0n) };
  if (!text.includes(":")) return null;
  const [left = "", right] = text.split("::");
  const parts = (side: string): string[] => side.split(":").filter(Boolean);
  const [before, after] = [parts(left), parts(right ?? "")];
  const zeros = right === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const all = [...before, ...Array<string>(zeros).fill("0"), ...after];
  if (all.length !== 8) return null;
  return { bits: 128, value: all.reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n) };
}

export function within(address: string, prefix: string): boolean {
  const [network = "", length] = prefix.split("/");
  const [one, two] = [bitsOf(address), bitsOf(network)];
  if (one === null || two === null || one.bits !== two.bits) return false;
  const rest = BigInt(two.bits - Number(length ?? two.bits));
  return one.value >> rest === two.value >> rest;
}
