// drivers/block/partitions.test.ts — a disk that is divided in the guest: its parts appear at once, hold file systems, and are there after the next boot.
import { expect, test } from "vitest";
import { image, TestMachine } from "../../test/boot.ts";

test("fdisk, mke2fs, mount, and the kernel's refusal to read a table anew while a part is in use", async () => {
  const cmdline = "ubd0=disk ubd1=second rw mem=64m loglevel=4 init=/sbin/init";
  const m = await TestMachine.boot({ cmdline, disks: { disk: image(), second: new Uint8Array(16 << 20) } });
  m.run("printf 'o\\nn\\np\\n1\\n\\n+4M\\nn\\np\\n2\\n\\n\\nw\\n' | fdisk /dev/ubdb > /dev/null");
  const lines = "  98       16      16384 ubdb\n  98       17       4096 ubdb1\n  98       18      12272 ubdb2\n";
  expect(m.run("grep ubdb /proc/partitions")).toBe(lines);
  expect(m.run("stat -c '%n %t,%T %a' /dev/ubdb?; cat /sys/block/ubdb/ubdb2/start /sys/class/block/ubdb2/partition; blockdev --getsize64 /dev/ubdb2")).toBe(
    "/dev/ubdb1 62,11 660\n/dev/ubdb2 62,12 660\n8224\n2\n12566528\n",
  );
  expect(m.run("mke2fs -F /dev/ubdb2 > /dev/null && mount /dev/ubdb2 /mnt && echo kept > /mnt/f; blockdev --rereadpt /dev/ubdb; umount /mnt; blockdev --rereadpt /dev/ubdb; echo $?")).toBe(
    "blockdev: /dev/ubdb: Resource busy\n0\n",
  );
  m.type("sync; halt -f\n");
  m.finish();
  const again = await TestMachine.boot({ cmdline: `${cmdline} root=/dev/ubda`, disks: { disk: image(), second: m.disks.get("second")!.bytes } });
  expect(again.run("grep ubdb /proc/partitions; mount -o ro /dev/ubdb2 /mnt; cat /mnt/f; umount /mnt")).toBe(`${lines}kept\n`);
  again.run("printf 'd\\n2\\nw\\n' | fdisk /dev/ubdb > /dev/null");
  expect(again.run("ls /dev/ubdb* | cat; head -c1 /dev/ubdb2")).toBe("/dev/ubdb\n/dev/ubdb1\nhead: /dev/ubdb2: No such file or directory\n");
});
