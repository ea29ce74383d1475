// fs/posix_acl_kunit.ts — what is a list, what it grants, what a new file and chmod make of it.
import { EINVAL, EOPNOTSUPP } from "../include/uapi/errno.ts";
import { KUNIT_CASE, KUNIT_CASE_PARAM, type KunitSuite } from "../kunit/suite.ts";
import { CAP_EMPTY_SET, Cred } from "../kernel/cred.ts";
import { AnonInode } from "./anon_inodes.ts";
import {
  ACL_GROUP, ACL_GROUP_OBJ, ACL_MASK, ACL_OTHER, ACL_UNDEFINED_ID, ACL_USER, ACL_USER_OBJ, posix_acl_chmod_masq, posix_acl_create_masq, posix_acl_equiv_mode, posix_acl_from_xattr,
  posix_acl_permission, posix_acl_to_xattr, posix_acl_valid, type PosixAcl,
} from "./posix_acl.ts";

/** `u:6 u1000:4 g:4 g50:6 m:6 o:0` */
function parse(text: string): PosixAcl {
  const tags: Record<string, readonly [number, number]> = { u: [ACL_USER_OBJ, ACL_USER], g: [ACL_GROUP_OBJ, ACL_GROUP], m: [ACL_MASK, ACL_MASK], o: [ACL_OTHER, ACL_OTHER] };
  return text.split(" ").map((t) => {
    const [, tag, id, perm] = /^([ugmo])(\d*):(\d+)$/.exec(t)!;
    return { e_tag: tags[tag!]![id === "" ? 0 : 1], e_perm: Number(perm), e_id: id === "" ? ACL_UNDEFINED_ID : Number(id) };
  });
}
const FULL = "u:6 u1000:6 u1001:0 g:4 g50:7 m:6 o:0";
const cred = (uid: number, gid: number, groups: number[] = []): Cred => Object.assign(new Cred(), { fsuid: uid, fsgid: gid, groups, cap_effective: CAP_EMPTY_SET });

const grants: readonly (readonly [string, string, Cred, number, boolean])[] = [
  ["the owner is not masked", "u:7 g:0 m:0 o:0", cred(5, 1), 7, true],
  ["a named user", FULL, cred(1000, 1), 6, true],
  ["a named user is masked", "u:7 u1000:7 g:4 m:4 o:7", cred(1000, 1), 2, false],
  ["a named user's entry decides alone", FULL, cred(1001, 50), 4, false],
  ["the group", FULL, cred(9, 6), 4, true],
  ["the group does not write", FULL, cred(9, 6), 2, false],
  ["one of several groups suffices", FULL, cred(9, 6, [50]), 6, true],
  ["a named group is masked", FULL, cred(9, 50), 1, false],
  ["who is in a group is not others", "u:7 g:0 m:7 o:7", cred(9, 6), 4, false],
  ["others", "u:7 u1000:7 g:7 m:0 o:5", cred(9, 1), 5, true],
];

export const posixAclSuite: KunitSuite = {
  name: "posix_acl",
  module: "fs/posix_acl",
  cases: [
    KUNIT_CASE_PARAM("permission", grants, ([what]) => what, (test, [, acl, who, mask, ok]) => {
      const inode = new AnonInode(test.kernel.vfs.anon.pipefs, 0o100777);
      inode.i_uid = 5;
      inode.i_gid = 6;
      test.KUNIT_EXPECT_EQ(posix_acl_permission(who, inode, parse(acl), mask), ok);
    }),
    KUNIT_CASE_PARAM("valid", ["u:7 g:5 o:5", FULL, "u:7 g:5 m:5 o:5", "u:7 u1:7 u2:7 g:5 g1:5 m:5 o:5"], String, (test, acl) => {
      posix_acl_valid(parse(acl));
      test.KUNIT_EXPECT_MEMEQ(posix_acl_to_xattr(posix_acl_from_xattr(posix_acl_to_xattr(parse(acl)))!), posix_acl_to_xattr(parse(acl)));
    }),
    KUNIT_CASE_PARAM("invalid", ["u:7 g:5", "g:5 u:7 o:5", "u:7 u1:7 g:5 o:5", "u:7 g:5 g1:5 o:5", "u:8 g:5 o:5", "u:7 g:5 o:5 o:5", "u:7 g:5 u1:5 m:7 o:5", "u:7 g:5 o:5 m:7", "u:7 u:7 g:5 o:5"], String, (test, acl) =>
      test.KUNIT_EXPECT_ERRNO(EINVAL, () => posix_acl_valid(parse(acl))),
    ),
    KUNIT_CASE("xattr_versions", (test) => {
      test.KUNIT_EXPECT_ERRNO(EOPNOTSUPP, () => posix_acl_from_xattr(new Uint8Array([1, 0, 0, 0])));
      test.KUNIT_EXPECT_ERRNO(EINVAL, () => posix_acl_from_xattr(new Uint8Array([2, 0, 0])));
      test.KUNIT_EXPECT_EQ(posix_acl_from_xattr(new Uint8Array([2, 0, 0, 0])), null);
    }),
    KUNIT_CASE("equiv_mode", (test) => {
      const plain = posix_acl_equiv_mode(parse("u:7 g:5 o:1"), 0o102000);
      test.KUNIT_EXPECT_EQ(plain.mode, 0o102751);
      test.KUNIT_EXPECT_TRUE(plain.equiv);
      const masked = posix_acl_equiv_mode(parse("u:7 g:5 m:4 o:1"), 0o100000);
      test.KUNIT_EXPECT_EQ(masked.mode, 0o100741);
      test.KUNIT_EXPECT_FALSE(masked.equiv);
    }),
    KUNIT_CASE("create_narrows_list_and_mode", (test) => {
      const made = posix_acl_create_masq(parse("u:7 u1000:6 g:5 m:7 o:5"), 0o100662);
      test.KUNIT_EXPECT_EQ(made.mode, 0o100660);
      test.KUNIT_EXPECT_MEMEQ(posix_acl_to_xattr(made.acl), posix_acl_to_xattr(parse("u:6 u1000:6 g:5 m:6 o:0")));
      test.KUNIT_EXPECT_TRUE(posix_acl_create_masq(parse("u:7 g:7 o:0"), 0o100666).equiv);
    }),
    KUNIT_CASE("chmod_sets_the_mask_if_there_is_one", (test) => {
      test.KUNIT_EXPECT_MEMEQ(posix_acl_to_xattr(posix_acl_chmod_masq(parse(FULL), 0o751)), posix_acl_to_xattr(parse("u:7 u1000:6 u1001:0 g:4 g50:7 m:5 o:1")));
      test.KUNIT_EXPECT_MEMEQ(posix_acl_to_xattr(posix_acl_chmod_masq(parse("u:0 g:0 o:0"), 0o751)), posix_acl_to_xattr(parse("u:7 g:5 o:1")));
    }),
  ],
};
