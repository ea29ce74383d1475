// fs/inode_kunit.ts — rights by mode, ids and capabilities; set-id bits; what new inodes get; positions.
import { EINVAL, ENXIO, type Errno } from "../include/uapi/errno.ts";
import { SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET } from "../include/uapi/fcntl.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_EMPTY_SET, Caps, Cred } from "../kernel/cred.ts";
import { AnonInode } from "./anon_inodes.ts";
import { File } from "./fs.ts";
import { generic_file_llseek } from "./generic_file.ts";
import { empty_fops } from "./open.ts";
import { generic_permission, inode_init_owner, removed_suid } from "./inode.ts";

function inode(test: KUnitTest, mode: number, uid = 5, gid = 6): AnonInode {
  const i = new AnonInode(test.kernel.vfs.anon.pipefs, mode);
  i.i_uid = uid;
  i.i_gid = gid;
  return i;
}
const cred = (uid: number, gid: number, groups: number[] = [], caps: Caps = CAP_EMPTY_SET): Cred => Object.assign(new Cred(), { fsuid: uid, fsgid: gid, groups, cap_effective: caps });
const OWNER = cred(5, 1);
const GROUP = cred(9, 6);
const MEMBER = cred(9, 1, [3, 6]);
const OTHER = cred(9, 1);
const OVERRIDE = cred(9, 1, [], new Caps().with(CAP_DAC_OVERRIDE));
const SEARCH = cred(9, 1, [], new Caps().with(CAP_DAC_READ_SEARCH));

type Row = readonly [string, number, Cred, number, boolean];
const rows: Row[] = [
  ["owner reads 0400", 0o100400, OWNER, 4, true],
  ["owner is not others: 0077", 0o100077, OWNER, 4, false],
  ["group reads 0040", 0o100040, GROUP, 4, true],
  ["supplementary group reads 0040", 0o100040, MEMBER, 4, true],
  ["group is not others: 0604", 0o100604, GROUP, 4, false],
  ["others write 0002", 0o100002, OTHER, 2, true],
  ["others do not execute 0776", 0o100776, OTHER, 1, false],
  ["all at once 0007", 0o100007, OTHER, 7, true],
  ["override reads and writes 0000", 0o100000, OVERRIDE, 6, true],
  ["override does not execute 0666", 0o100666, OVERRIDE, 1, false],
  ["override executes 0100", 0o100100, OVERRIDE, 1, true],
  ["override searches directory 0000", 0o040000, OVERRIDE, 3, true],
  ["read_search reads 0000", 0o100000, SEARCH, 4, true],
  ["read_search does not write 0000", 0o100000, SEARCH, 2, false],
  ["read_search searches directory 0000", 0o040000, SEARCH, 5, true],
  ["read_search does not write directory 0000", 0o040000, SEARCH, 2, false],
];

const seeks: readonly (readonly [string, number, number, number | Errno])[] = [
  ["set", 10, SEEK_SET, 10], ["current", 5, SEEK_CUR, 55], ["current back", -50, SEEK_CUR, 0], ["end", -1, SEEK_END, 99], ["beyond", 1000, SEEK_END, 1100],
  ["negative", -51, SEEK_CUR, EINVAL], ["no such whence", 0, 7, EINVAL], ["data", 99, SEEK_DATA, 99], ["data at end", 100, SEEK_DATA, ENXIO], ["hole", 0, SEEK_HOLE, 100],
  ["hole behind the end", 100, SEEK_HOLE, ENXIO],
];

export const permissionSuite: KunitSuite = {
  name: "permission",
  module: "fs/inode",
  cases: [
    KUNIT_CASE_PARAM("generic_permission", rows, ([what]) => what, (test, [, mode, who, mask, ok]) => test.KUNIT_EXPECT_EQ(generic_permission(who, inode(test, mode), mask), ok)),
    KUNIT_CASE_PARAM(
      "writes_clear_set_id_bits",
      [
        [0o104755, OTHER, 0o100755], [0o102755, OTHER, 0o100755], [0o102745, MEMBER, 0o102745], [0o102745, OTHER, 0o100745], [0o106755, MEMBER, 0o100755], [0o100755, OTHER, 0o100755],
        [0o042755, OTHER, 0o042755],
      ] as const,
      ([mode, who]) => `${mode.toString(8)} ${who === OTHER ? "by a stranger" : "by a member of the group"}`,
      (test, [mode, who, after]) => test.KUNIT_EXPECT_EQ(removed_suid(inode(test, mode), who) ?? mode, after),
    ),
    KUNIT_CASE("directories_hand_their_group_down", (test) => {
      const plain = inode(test, 0o040755);
      test.KUNIT_EXPECT_EQ(inode_init_owner(plain, 0o100644, { uid: 1, gid: 2 }).gid, 2);
      const setgid = inode(test, 0o042755);
      test.KUNIT_EXPECT_EQ(inode_init_owner(setgid, 0o100644, { uid: 1, gid: 2 }).gid, 6);
      test.KUNIT_EXPECT_EQ(inode_init_owner(setgid, 0o100644, { uid: 1, gid: 2 }).mode, 0o100644);
      test.KUNIT_EXPECT_EQ(inode_init_owner(setgid, 0o040755, { uid: 1, gid: 2 }).mode, 0o042755);
    }),
  ],
};

export const llseekSuite: KunitSuite = {
  name: "llseek",
  module: "fs/generic_file",
  cases: [
    KUNIT_CASE_PARAM("position", seeks, ([what]) => what, (test, [, off, whence, result]) => {
      const file = new File(undefined, undefined, 0, empty_fops);
      file.f_pos = 50;
      if (typeof result === "number") {
        test.KUNIT_EXPECT_EQ(generic_file_llseek(file, off, whence, 100), result);
        test.KUNIT_EXPECT_EQ(file.f_pos, result);
      } else {
        test.KUNIT_EXPECT_ERRNO(result, () => generic_file_llseek(file, off, whence, 100), "lseek");
        test.KUNIT_EXPECT_EQ(file.f_pos, 50, "position after an error");
      }
    }),
  ],
};
