// arch/um/drivers/ubd_kunit.ts — the ubd parameter as UML takes it.
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../../../kunit/suite.ts";
import { parse_ubd, type UbdConfig } from "./ubd_kern.ts";

export const ubdSuite: KunitSuite = {
  name: "ubd",
  module: "arch/um/drivers/ubd_kern",
  cases: [
    KUNIT_CASE_PARAM("unit", [["0=f", 0], ["9=f", 9], ["15=f", 15], ["a=f", 0], ["p=f", 15]] as const, ([s]) => s, (test, [s, n]) => test.KUNIT_EXPECT_EQ((parse_ubd(s) as UbdConfig).n, n)),
    KUNIT_CASE("files", (test) => {
      const c = parse_ubd("0rs=cow:base,S") as UbdConfig;
      test.KUNIT_EXPECT_EQ([c.file, c.backing, c.serial, c.readonly, c.sync].join(), "cow,base,S,true,true");
    }),
    KUNIT_CASE_PARAM("mistakes", ["16=f", "0", "0x=f", "=f", "0=", "0d=a,b", "0rrrrrrr=f"], (s) => s, (test, s) => test.KUNIT_EXPECT_EQ(typeof parse_ubd(s), "string")),
  ],
};
