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
import { posixAclSuite } from "../fs/posix_acl_kunit.ts";
import { llseekSuite, permissionSuite } from "../fs/inode_kunit.ts";
import { pipeSuite } from "../fs/pipe_kunit.ts";
import { ramfsSuite } from "../fs/ramfs_kunit.ts";
import { randomSuite } from "../drivers/char/random_kunit.ts";
import { checksumSuite } from "../net/ipv4/checksum_kunit.ts";
import { credSuite } from "../kernel/cred_kunit.ts";
import { dcacheSuite } from "../fs/dcache_kunit.ts";
import { eventfdSuite } from "../fs/eventfd_kunit.ts";
import { ext4HashSuite } from "../fs/ext4/hash_kunit.ts";
import { ext4InodeSuite } from "../fs/ext4/inode_kunit.ts";
import { forkSuite } from "../kernel/fork_kunit.ts";
import { futexSuite } from "../kernel/futex_kunit.ts";
import { ipcSuite } from "../ipc/util_kunit.ts";
import { jbd2Suite } from "../fs/jbd2/format_kunit.ts";
import { locksSuite } from "../fs/locks_kunit.ts";
import { mballocSuite } from "../fs/ext4/mballoc_kunit.ts";
import { partitionsSuite } from "../drivers/block/partitions_kunit.ts";
import { siginfoSuite } from "../kernel/siginfo_kunit.ts";
import { signalFrameSuite } from "../arch/um/signal_kunit.ts";
import { signalSuite } from "../kernel/signal_kunit.ts";
import type { KunitSuite } from "./suite.ts";

export const suites: readonly KunitSuite[] = [
  exampleSuite, bitmapSuite, crc32cSuite, cmdlineSuite, printkSuite, sigsetSuite, timerSuite, uaccessSuite, pageAllocSuite, fragmentationSuite, addressSpaceSuite, nommuSuite,
  munmapSuite, mremapSuite, filenameSuite, pathSuite, permissionSuite, posixAclSuite, llseekSuite, pipeSuite, ramfsSuite, randomSuite, scriptSuite, elfSuite, execSuite, nTtySuite, nTtyRawSuite, ubdSuite, trampolineSuite, zpolineSuite,
  credSuite, signalSuite, siginfoSuite, signalFrameSuite, futexSuite, forkSuite, dcacheSuite, locksSuite, eventfdSuite, ipcSuite, partitionsSuite, jbd2Suite, ext4InodeSuite, ext4HashSuite, mballocSuite, checksumSuite,
];
