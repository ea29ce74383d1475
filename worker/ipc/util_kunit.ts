// ipc/util_kunit.ts — ids of SysV objects: never the same twice in a row, told apart from those that are gone.
import { EEXIST, EIDRM, EINVAL, ENOENT, ENOSPC } from "../include/uapi/errno.ts";
import { KUNIT_CASE, type KunitSuite } from "../kunit/suite.ts";
import type { KUnitTest } from "../kunit/test.ts";
import { IPC_CREAT, IPC_EXCL, IPC_PRIVATE, IpcIds, IpcObject } from "./util.ts";

const IPCMNI = 32768;
class Thing extends IpcObject {}
const thing = (test: KUnitTest, key = 1): Thing => new Thing(test.kernel.current!, key, 0o600);

export const ipcSuite: KunitSuite = {
  name: "ipc_ids",
  module: "ipc/util",
  cases: [
    KUNIT_CASE("an_id_is_found_until_its_object_is_gone", (test) => {
      const ids = new IpcIds<Thing>();
      const t = thing(test);
      const id = ids.add(t, 10);
      test.KUNIT_EXPECT_TRUE(ids.get(id) === t, "the object");
      ids.remove(t);
      test.KUNIT_EXPECT_TRUE(t.deleted, "marked as gone");
      test.KUNIT_EXPECT_ERRNO(EINVAL, () => ids.get(id), "the id of an empty place");
      test.KUNIT_EXPECT_ERRNO(EINVAL, () => ids.get(-1), "a negative id");
    }),
    KUNIT_CASE("a_place_that_is_used_again_has_another_id", (test) => {
      const ids = new IpcIds<Thing>();
      const first = ids.add(thing(test), IPCMNI);
      ids.remove(ids.get(first));
      let id = first;
      for (let i = 0; i < IPCMNI && (i === 0 || id % IPCMNI !== first % IPCMNI); i++) {
        if (i > 0) ids.remove(ids.get(id));
        id = ids.add(thing(test), IPCMNI);
      }
      test.KUNIT_EXPECT_EQ(id % IPCMNI, first % IPCMNI, "place");
      test.KUNIT_EXPECT_NE(id, first, "id");
      test.KUNIT_EXPECT_ERRNO(EIDRM, () => ids.get(first), "the old id");
    }),
    KUNIT_CASE("the_limit", (test) => {
      const ids = new IpcIds<Thing>();
      for (let i = 0; i < 3; i++) ids.add(thing(test, i + 1), 3);
      test.KUNIT_EXPECT_ERRNO(ENOSPC, () => ids.add(thing(test, 9), 3), "a fourth of three");
      test.KUNIT_EXPECT_EQ(ids.max(), 2, "the highest place");
    }),
    KUNIT_CASE("get_by_key", (test) => {
      const ids = new IpcIds<Thing>();
      const task = test.kernel.current!;
      const get = (key: number, flags: number): number => ids.ipcget(task, key, flags | 0o600, () => thing(test, key), 10, () => {});
      test.KUNIT_EXPECT_ERRNO(ENOENT, () => get(7, 0), "a key nobody made");
      const id = get(7, IPC_CREAT);
      test.KUNIT_EXPECT_EQ(get(7, 0), id, "the same object");
      test.KUNIT_EXPECT_EQ(get(7, IPC_CREAT), id, "the same object");
      test.KUNIT_EXPECT_ERRNO(EEXIST, () => get(7, IPC_CREAT | IPC_EXCL), "made by somebody else");
      test.KUNIT_EXPECT_NE(get(IPC_PRIVATE, 0), get(IPC_PRIVATE, 0), "private ones");
    }),
  ],
};
