// lib/ctype.ts — Linux's own idea of letters, which is Latin-1.  cf. lib/ctype.c

const islower = (c: number): boolean => (c >= 97 && c <= 122) || (c >= 0xdf && c !== 0xf7);
const isupper = (c: number): boolean => (c >= 65 && c <= 90) || (c >= 0xc0 && c < 0xdf && c !== 0xd7);

export const iscntrl = (c: number): boolean => c < 32 || c === 127;
export const isalnum = (c: number): boolean => (c >= 48 && c <= 57) || islower(c) || isupper(c);
export const tolower = (c: number): number => (isupper(c) ? c + 32 : c);
export const toupper = (c: number): number => (islower(c) ? c - 32 : c);
