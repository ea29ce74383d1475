// mm/mm_types_kunit.ts — a process's list of mappings.
import { KUNIT_CASE, type KunitSuite } from "../kunit/suite.ts";
import { Mm, VmArea, VM_READ } from "./mm_types.ts";
import { VmRegion } from "./nommu_types.ts";

const area = (start: number, end: number): VmArea => new VmArea(start, end, VM_READ, 0, undefined, new VmRegion(VM_READ, start, end, end, 0, undefined, true));

export const addressSpaceSuite: KunitSuite = {
  name: "address_space",
  module: "mm/mm_types",
  cases: [
    KUNIT_CASE("sorted_whatever_the_order", (test) => {
      const mm = new Mm();
      for (const n of [5, 1, 3, 9, 7]) mm.insert_vma(area(n * 0x1000, n * 0x1000 + 0x800));
      test.KUNIT_EXPECT_MEMEQ(mm.vmas.map((v) => v.vm_start / 0x1000), [1, 3, 5, 7, 9]);
    }),
    KUNIT_CASE("find", (test) => {
      const mm = new Mm();
      mm.insert_vma(area(0x1000, 0x3000));
      test.KUNIT_EXPECT_EQ(mm.find_vma(0xfff), undefined);
      test.KUNIT_EXPECT_EQ(mm.find_vma(0x1000)?.vm_end, 0x3000);
      test.KUNIT_EXPECT_EQ(mm.find_vma(0x2fff)?.vm_end, 0x3000);
      test.KUNIT_EXPECT_EQ(mm.find_vma(0x3000), undefined);
      test.KUNIT_EXPECT_EQ(mm.find_vma_exact(0x1000, 0x2000), undefined);
    }),
    KUNIT_CASE("high_water", (test) => {
      const mm = new Mm();
      const v = area(0x1000, 0x5000);
      mm.insert_vma(v);
      mm.delete_vma(v);
      test.KUNIT_EXPECT_EQ(mm.total_vm(), 0);
      test.KUNIT_EXPECT_EQ(mm.maxrss(), 16);
    }),
  ],
};
