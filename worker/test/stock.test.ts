// worker/test/stock.test.ts — a distribution's own files, unmodified, say here what they say in a chroot on the host.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { tarDisk } from "../machine/tar_disk.ts";
import { TestMachine } from "./boot.ts";
import { e2fsck } from "./ext4.ts";

const ARCHIVE = `${process.env["ALPINE"] ?? "../shared/data"}/alpine-minirootfs-3.20.3-x86_64.tar.gz`;
const folder = mkdtempSync(join(tmpdir(), "pagezero-stock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function disk(): Uint8Array {
  const steps = tarDisk(new Uint8Array(gunzipSync(readFileSync(ARCHIVE))));
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value.bytes;
  }
}

async function guest(image: Uint8Array, script: string): Promise<string> {
  const m = await TestMachine.create({ disks: { disk: image }, cmdline: `ubd0=disk rw mem=64m quiet loglevel=1 nommu.map_fixed=own nommu.fork=shadow init=/bin/sh -- -c "${script}; echo end of it; poweroff -f"` });
  m.machine.boot();
  expect(m.finish()).toBe(0);
  const text = m.text.replaceAll("\r", "");
  return text.slice(0, text.indexOf("end of it\n"));
}

// a chroot needs root
describe.skipIf(!existsSync(ARCHIVE) || process.getuid?.() !== 0)("the archive of Alpine's root directory (ALPINE says where; skipped without it, and when not run by root)", () => {
  test.each([
    ["files and packages", "ls -l /etc | sort | head; apk info 2>/dev/null | wc -l"],
    ["pipelines", "seq 1 500 | sort -rn | awk '{ s += $1 * NR } END { print s }'; find /etc -type f | sort | xargs md5sum | md5sum"],
    ["subshells, nested, that all go on", "f() { if [ $1 -gt 0 ]; then (f $(($1-1)); echo $1) | cat; echo $(f $(($1-1))); fi; }; f 4"],
    ["archives", "cd /tmp; tar czf t.tgz -C / etc; mkdir x; tar xzf t.tgz -C x; find x -type f | sort | xargs cat | sha256sum; rm -r x t.tgz"],
    ["signals", "sh -c 'trap exit\\ 3 TERM; (kill $$); sleep 100; echo no'; echo $?; (sleep 100 & kill $!; wait $!; echo $?) 2>/dev/null"],
  ])("%s: as in a chroot", async (_what, script) => {
    const root = mkdtempSync(join(folder, "root-"));
    execFileSync("tar", ["xzf", ARCHIVE, "-C", root]);
    execFileSync("mknod", [join(root, "dev/null"), "c", "1", "3"]);
    const host = spawnSync("chroot", [root, "/bin/sh", "-c", `(${script})`], { encoding: "utf8", timeout: 30_000, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } });
    expect(host.stderr).toBe("");
    const image = disk();
    expect(await guest(image, `(${script})`)).toBe(host.stdout);
    expect(e2fsck(image)).toBeUndefined();
  });
});
