// drivers/block/partitions_kunit.ts — partition tables: DOS with logical partitions, and what only looks like one.
import { KUNIT_CASE, type KunitSuite } from "../../kunit/suite.ts";
import { readPartitions, type PartitionSource } from "./partitions.ts";

const SECTOR = 512;
const LINUX = 0x83;
const EXTENDED = 0x05;

class Disk implements PartitionSource {
  readonly bytes: Uint8Array;
  constructor(sectors: number) {
    this.bytes = new Uint8Array(sectors * SECTOR);
  }
  get size(): number {
    return this.bytes.length;
  }
  read(pos: number, buf: Uint8Array): void {
    buf.set(this.bytes.subarray(pos, pos + buf.length));
  }
  /** Writes entry `i` of the table in sector `at`. */
  entry(at: number, i: number, type: number, first: number, sectors: number): void {
    const v = new DataView(this.bytes.buffer, at * SECTOR);
    v.setUint8(446 + 16 * i + 4, type);
    v.setUint32(446 + 16 * i + 8, first, true);
    v.setUint32(446 + 16 * i + 12, sectors, true);
    v.setUint16(510, 0xaa55, true);
  }
  show(): string {
    return readPartitions(this).map((p) => `${p.number}:${p.start / SECTOR}+${p.size / SECTOR}`).join(" ");
  }
}

export const partitionsSuite: KunitSuite = {
  name: "partitions",
  module: "drivers/block/partitions",
  cases: [
    KUNIT_CASE("primary", (test) => {
      const d = new Disk(1000);
      d.entry(0, 0, LINUX, 10, 100);
      d.entry(0, 2, LINUX, 200, 300);
      test.KUNIT_EXPECT_EQ(d.show(), "1:10+100 3:200+300");
    }),
    KUNIT_CASE("logical", (test) => {
      const d = new Disk(1000);
      d.entry(0, 0, LINUX, 10, 50);
      d.entry(0, 1, EXTENDED, 100, 500);
      d.entry(100, 0, LINUX, 2, 40);
      d.entry(100, 1, EXTENDED, 100, 100); // counted from the extended partition's start
      d.entry(200, 0, LINUX, 2, 60);
      test.KUNIT_EXPECT_EQ(d.show(), "1:10+50 2:100+2 5:102+40 6:202+60");
    }),
    KUNIT_CASE("a_chain_that_bites_its_tail_ends", (test) => {
      const d = new Disk(1000);
      d.entry(0, 0, EXTENDED, 100, 500);
      d.entry(100, 0, LINUX, 2, 40);
      d.entry(100, 1, EXTENDED, 0, 100);
      test.KUNIT_EXPECT_TRUE(readPartitions(d).length <= 15, "an end");
    }),
    KUNIT_CASE("no_table", (test) => {
      test.KUNIT_EXPECT_EQ(new Disk(100).show(), "", "zeros");
      const boot = new Disk(100);
      boot.entry(0, 0, LINUX, 10, 20);
      boot.bytes[446] = 0x31; // code of a boot sector, not a status
      test.KUNIT_EXPECT_EQ(boot.show(), "", "a boot sector");
      test.KUNIT_EXPECT_EQ(new Disk(1).show(), "", "a disk of one sector");
    }),
    KUNIT_CASE("past_the_end", (test) => {
      const d = new Disk(100);
      d.entry(0, 0, LINUX, 200, 10);
      test.KUNIT_EXPECT_EQ(d.show(), "", "begins behind the disk");
    }),
  ],
};
