// net/ipv4/checksum_kunit.ts — the Internet checksum and socket addresses.  cf. lib/checksum_kunit.c; RFC 1071
import { EAFNOSUPPORT, EINVAL } from "../../include/uapi/errno.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../../kunit/suite.ts";
import { in_cksum, parse_sockaddr_in, sockaddr_in } from "./af_inet.ts";

export const checksumSuite: KunitSuite = {
  name: "checksum",
  module: "net/ipv4/af_inet",
  cases: [
    KUNIT_CASE_PARAM(
      "known",
      [
        ["nothing", [], 0xffff], ["zeros", [0, 0, 0, 0], 0xffff], ["ones", [0xff, 0xff], 0], ["RFC 1071, section 3", [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7], 0x220d],
        ["an odd byte is a high byte", [0x12], 0xedff], ["a carry that carries again", [0xff, 0xff, 0xff, 0xff, 0x00, 0x01], 0xfffe],
      ] as [string, number[], number][],
      ([what]) => what,
      (test, [, data, want]) => test.KUNIT_EXPECT_EQ(in_cksum(Uint8Array.from(data)), want, "sum"),
    ),
    KUNIT_CASE("a_packet_with_its_checksum_sums_to_zero", (test) => {
      const header = Uint8Array.from({ length: 20 }, (_, i) => (i * 37) & 255);
      header[10] = header[11] = 0;
      const sum = in_cksum(header);
      header[10] = sum >>> 8;
      header[11] = sum & 255;
      test.KUNIT_EXPECT_EQ(in_cksum(header), 0, "sum");
    }),
    KUNIT_CASE("addresses_are_in_network_order", (test) => {
      const b = sockaddr_in(0x7f000001, 8080);
      test.KUNIT_EXPECT_MEMEQ(b.subarray(0, 8), [2, 0, 0x1f, 0x90, 127, 0, 0, 1]);
      const a = parse_sockaddr_in(b);
      test.KUNIT_EXPECT_EQ(a.addr, 0x7f000001, "address");
      test.KUNIT_EXPECT_EQ(a.port, 8080, "port");
      test.KUNIT_EXPECT_ERRNO(EINVAL, () => parse_sockaddr_in(b.subarray(0, 15)), "a short one");
      b[0] = 10;
      test.KUNIT_EXPECT_ERRNO(EAFNOSUPPORT, () => parse_sockaddr_in(b), "another family");
    }),
  ],
};
