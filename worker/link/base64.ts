// link/base64.ts — base64url (RFC 4648, section 5) without padding: what links and events write bytes with.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** by character code */
const VALUES: readonly number[] = Array.from({ length: 128 }, (_, c) => ALPHABET.indexOf(String.fromCharCode(c)));

export function toBase64url(bytes: Uint8Array): string {
  let s = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const n = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const left = bytes.length - i;
    s += ALPHABET[n >> 18]! + ALPHABET[(n >> 12) & 63]! + (left > 1 ? ALPHABET[(n >> 6) & 63]! : "") + (left > 2 ? ALPHABET[n & 63]! : "");
  }
  return s;
}

/** undefined when a character does not belong there */
export function fromBase64url(s: string): Uint8Array | undefined {
  if (s.length % 4 === 1) return undefined;
  const out = new Uint8Array(Math.floor((s.length * 3) / 4));
  let bits = 0;
  let n = 0;
  let at = 0;
  for (let i = 0; i < s.length; i++) {
    const v = VALUES[s.charCodeAt(i)] ?? -1;
    if (v < 0) return undefined;
    bits = ((bits << 6) | v) & 0xffff;
    n += 6;
    if (n >= 8) {
      n -= 8;
      out[at++] = bits >> n;
    }
  }
  return out;
}
