// drivers/char/random_kunit.ts — ChaCha20 by RFC 8439; one seed, one stream.
import { KUNIT_CASE, type KunitSuite } from "../../kunit/suite.ts";
import { Random, chacha20_block } from "./random.ts";

export const randomSuite: KunitSuite = {
  name: "random",
  module: "drivers/char/random",
  cases: [
    KUNIT_CASE("chacha20_block_of_rfc_8439", (test) => {
      // section 2.3.2: key 00..1f, counter 1, nonce 000000090000004a00000000
      const state = new Uint32Array([
        0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c, 0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c, 1,
        0x09000000, 0x4a000000, 0,
      ]);
      const out = new Uint32Array(16);
      chacha20_block(state, out);
      test.KUNIT_EXPECT_MEMEQ(out, [
        0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3, 0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
        0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2,
      ]);
      test.KUNIT_EXPECT_EQ(state[12]!, 2, "the counter");
    }),
    KUNIT_CASE("the_same_seed_gives_the_same_bytes", (test) => {
      const a = new Random(new Uint8Array([1, 2, 3]));
      const b = new Random(new Uint8Array([1, 2, 3]));
      test.KUNIT_EXPECT_MEMEQ(a.bytes(100), b.bytes(100));
      test.KUNIT_EXPECT_MEMEQ(a.bytes(1), b.bytes(1));
    }),
    KUNIT_CASE("another_seed_gives_others", (test) => {
      const a = new Random(new Uint8Array([1, 2, 3])).bytes(32);
      const b = new Random(new Uint8Array([1, 2, 4])).bytes(32);
      test.KUNIT_EXPECT_TRUE(a.some((v, i) => v !== b[i]), "difference");
    }),
    KUNIT_CASE("what_is_written_changes_the_stream", (test) => {
      const a = new Random(new Uint8Array([7]));
      const b = new Random(new Uint8Array([7]));
      b.add_entropy(new Uint8Array([0, 0, 9]));
      test.KUNIT_EXPECT_TRUE(a.bytes(32).some((v, i) => v !== b.bytes(32)[i]), "difference");
    }),
    KUNIT_CASE("uuids_have_version_and_variant", (test) => {
      const uuid = new Random(new Uint8Array([1])).uuid();
      test.KUNIT_EXPECT_TRUE(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid), uuid);
    }),
  ],
};
