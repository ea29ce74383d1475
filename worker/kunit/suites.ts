// kunit/suites.ts — all suites, in the order in which they run.
import { addressSpaceSuite } from "../mm/mm_types_kunit.ts";
import { bitmapSuite } from "../lib/bitmap_kunit.ts";
import { crc32cSuite } from "../lib/crc32c_kunit.ts";
import { cmdlineSuite } from "../kernel/params_kunit.ts";
import { elfSuite } from "../fs/binfmt_elf_fdpic_kunit.ts";
import { exampleSuite } from "./example_kunit.ts";
import { execSuite } from "../fs/exec_kunit.ts";
import { filenameSuite } from "../fs/names_kunit.ts";
import { nommuSuite, munmapSuite, mremapSuite } from "../mm/nommu_kunit.ts";
import { nTtySuite, nTtyRawSuite } from "../drivers/tty/n_tty_kunit.ts";
import { pageAllocSuite, fragmentationSuite } from "../mm/page_alloc_kunit.ts";
import { pathSuite } from "../fs/namei_kunit.ts";
import { printkSuite } from "../kernel/printk_kunit.ts";
import { scriptSuite } from "../fs/binfmt_script_kunit.ts";
import { sigsetSuite } from "../kernel/signal_types_kunit.ts";
import { timerSuite } from "../kernel/time/timer_kunit.ts";
import { trampolineSuite } from "../arch/um/trampoline_kunit.ts";
import { uaccessSuite } from "../kernel/uaccess_kunit.ts";
import { ubdSuite } from "../arch/um/drivers/ubd_kunit.ts";
import { zpolineSuite } from "../arch/um/zpoline_kunit.ts";
import { llseekSuite, permissionSuite } from "../fs/inode_kunit.ts";
import { pipeSuite } from "../fs/pipe_kunit.ts";
import { ramfsSuite } from "../fs/ramfs_kunit.ts";
import { randomSuite } from "../drivers/char/random_kunit.ts";
import type { KunitSuite } from "./suite.ts";

export const suites: readonly KunitSuite[] = [
  exampleSuite, bitmapSuite, crc32cSuite, cmdlineSuite, printkSuite, sigsetSuite, timerSuite, uaccessSuite, pageAllocSuite, fragmentationSuite, addressSpaceSuite, nommuSuite,
  munmapSuite, mremapSuite, filenameSuite, pathSuite, permissionSuite, llseekSuite, pipeSuite, ramfsSuite, randomSuite, scriptSuite, elfSuite, execSuite, nTtySuite, nTtyRawSuite, ubdSuite, trampolineSuite, zpolineSuite,
];
