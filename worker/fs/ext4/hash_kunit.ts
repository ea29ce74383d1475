// fs/ext4/hash_kunit.ts — the hashes of directory names, as debugfs (dx_hash) computes them.
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../../kunit/suite.ts";
import { DX_HASH_HALF_MD4, DX_HASH_HALF_MD4_UNSIGNED, DX_HASH_LEGACY, DX_HASH_TEA, DX_HASH_TEA_UNSIGNED, ext4fs_dirhash } from "./hash.ts";

const NONE = new Int32Array(4);
/** of the UUID 7a65726f-0000-4000-8000-6e6f6d6d7565 */
const SEED = new Int32Array([0x6f72657a, 0x00400000, 0x6f6e0080, 0x65756d6d]);
const LONG = "a-name-that-is-longer-than-thirty-two-bytes-to-make-two-rounds";

const KNOWN: readonly (readonly [version: number, name: string, seed: Int32Array, hash: number, minor: number])[] = [
  [DX_HASH_LEGACY, "a", NONE, 0xe74b53e2, 0],
  [DX_HASH_LEGACY, "hello", NONE, 0x32252546, 0],
  [DX_HASH_LEGACY, LONG, NONE, 0x7cb6b76a, 0],
  [DX_HASH_HALF_MD4, "a", NONE, 0xd5fa7d7a, 0xacb48187],
  [DX_HASH_HALF_MD4, "hello", NONE, 0x1746da32, 0x420013b5],
  [DX_HASH_HALF_MD4, "kunit-file", NONE, 0xffaf3544, 0x63ef36f3],
  [DX_HASH_HALF_MD4, LONG, NONE, 0xda0776fe, 0x67844eb2],
  [DX_HASH_HALF_MD4, "hello", SEED, 0x9c39207e, 0xa8bb5cd2],
  [DX_HASH_TEA, "a", NONE, 0x6d0ea4c0, 0xc18922df],
  [DX_HASH_TEA, "hello", NONE, 0x6f5bb1a8, 0x231917c2],
  [DX_HASH_TEA, LONG, NONE, 0xf69fb3c4, 0x69269415],
  [DX_HASH_TEA, "hello", SEED, 0xdc99baf4, 0x58b4bba3],
];

export const ext4HashSuite: KunitSuite = {
  name: "ext4_dirhash",
  module: "fs/ext4/hash",
  cases: [
    KUNIT_CASE_PARAM("known", KNOWN, ([version, name, seed]) => `${version} ${name}${seed === SEED ? " seeded" : ""}`, (test, [version, name, seed, hash, minor]) => {
      const h = test.KUNIT_ASSERT_NOT_NULL(ext4fs_dirhash(name, version, seed), "a hash");
      test.KUNIT_EXPECT_EQ(h.hash >>> 0, hash, "hash");
      test.KUNIT_EXPECT_EQ(h.minor >>> 0, minor, "minor hash");
    }),
    KUNIT_CASE("bytes_above_127_have_a_sign_or_not", (test) => {
      const name = "\xc3\xa9";
      test.KUNIT_EXPECT_NE(ext4fs_dirhash(name, DX_HASH_HALF_MD4, NONE)!.hash, ext4fs_dirhash(name, DX_HASH_HALF_MD4_UNSIGNED, NONE)!.hash, "half md4");
      test.KUNIT_EXPECT_NE(ext4fs_dirhash(name, DX_HASH_TEA, NONE)!.hash, ext4fs_dirhash(name, DX_HASH_TEA_UNSIGNED, NONE)!.hash, "tea");
      test.KUNIT_EXPECT_EQ(ext4fs_dirhash("abc", DX_HASH_TEA, NONE)!.hash, ext4fs_dirhash("abc", DX_HASH_TEA_UNSIGNED, NONE)!.hash, "ASCII");
    }),
    KUNIT_CASE("an_unknown_version_is_told", (test) => test.KUNIT_EXPECT_EQ(ext4fs_dirhash("a", 17, NONE), undefined)),
    KUNIT_CASE("the_lowest_bit_is_free_for_the_index", (test) => {
      for (const name of ["a", "hello", LONG]) test.KUNIT_EXPECT_EQ(ext4fs_dirhash(name, DX_HASH_HALF_MD4, NONE)!.hash & 1, 0, name);
    }),
  ],
};
