// scripts/userspace/tree.ts — what is in the guest's root file system: busybox, musl and scripts/userspace/root, laid out like Alpine.

import { readFileSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { globSync } from "../files.ts";
import { compileWith } from "./compile.ts";
import { type Entry } from "./ext4.ts";

const FILES = "scripts/userspace/root";
const DEMO = "scripts/userspace/demo";

const FOLDERS: readonly (readonly [path: string, mode: number])[] = [
  ...["bin", "dev", "etc", "home", "lib", "media", "mnt", "opt", "proc", "run", "sbin", "srv", "sys", "usr", "var"].map((name): [string, number] => [`/${name}`, 0o755]),
  ...["bin", "include", "lib", "local", "local/bin", "sbin", "share"].map((name): [string, number] => [`/usr/${name}`, 0o755]),
  ...["cache", "empty", "lib", "log", "spool"].map((name): [string, number] => [`/var/${name}`, 0o755]),
  ["/mnt/host", 0o755],
  ["/root", 0o700],
  ["/tmp", 0o1777],
  ["/var/tmp", 0o1777],
];

const MODES: Record<string, number> = { "/etc/shadow": 0o600 };

/** nommu-demo's programs and their sources. */
function demonstrations(userspace: string): Entry[] {
  const entries: Entry[] = ["/usr/libexec", "/usr/libexec/nommu", "/usr/share/nommu"].map((path) => ({ path, type: "dir", mode: 0o755 }));
  const programs = "/usr/libexec/nommu";
  const add = (path: string, mode: number, file: string): void => void entries.push({ path, type: "file", mode, content: readFileSync(file) });
  const library = compileWith(userspace, `${DEMO}/parts/libsite.c`, ["-shared", "-fPIC", "-s", "-Wl,-soname,libsite.so"]);
  add(`${programs}/libsite.so`, 0o755, library);
  add(`${programs}/libzpoline.so`, 0o755, compileWith(userspace, `${DEMO}/parts/libzpoline.c`, ["-shared", "-fPIC", "-s"]));
  add(`${programs}/fixed`, 0o755, compileWith(userspace, `${DEMO}/parts/fixed.c`, ["-static", "-no-pie", "-s"]));
  // for the panel Bench
  add(`${programs}/seed`, 0o755, compileWith(userspace, "scripts/bench/guest/seed.c", ["-s"]));
  // for the lesson that pokes it: it waits, so that nommu-demo does not list it
  add(`${programs}/visited`, 0o755, compileWith(userspace, `${DEMO}/parts/visited.c`, ["-s"]));
  for (const source of globSync([DEMO], /demo\/[^/]+\.c$/)) {
    const name = basename(source, ".c");
    add(`/usr/share/nommu/${name}.c`, 0o644, source);
    const libraries = readFileSync(source, "utf8").includes("library_site") ? [library] : [];
    add(`${programs}/${name}`, 0o755, compileWith(userspace, source, ["-s", `-Wl,-rpath,${programs}`], libraries));
  }
  return entries;
}

/** The entries of the default image; `userspace` is where build.sh put its results. */
export function rootTree(userspace: string): Entry[] {
  const busybox = readFileSync(join(userspace, "out/busybox"));
  const entries: Entry[] = FOLDERS.map(([path, mode]) => ({ path, type: "dir", mode }));
  entries.push({ path: "/home/guest", type: "dir", mode: 0o755, uid: 1000, gid: 1000 });
  entries.push({ path: "/bin/busybox", type: "file", mode: 0o755, content: busybox });
  entries.push({ path: "/lib/ld-musl-x86_64.so.1", type: "file", mode: 0o755, content: readFileSync(join(userspace, "out/ld-musl-x86_64.so.1")) });
  entries.push({ path: "/lib/libc.musl-x86_64.so.1", type: "link", target: "ld-musl-x86_64.so.1" });
  entries.push({ path: "/usr/bin/ldd", type: "link", target: "/lib/ld-musl-x86_64.so.1" });
  // the shell as init has no PATH in its environment, and then programs are looked for in /bin and /usr/bin only (execvp(3)): what ends such a session is there
  for (const name of ["halt", "poweroff", "reboot"]) entries.push({ path: `/bin/${name}`, type: "link", target: "/bin/busybox" });
  entries.push({ path: "/etc/mtab", type: "link", target: "/proc/mounts" });
  entries.push({ path: "/var/run", type: "link", target: "/run" });
  for (const link of readFileSync(join(userspace, "out/busybox.links"), "utf8").split("\n"))
    if (link.startsWith("/") && link !== "/bin/busybox") entries.push({ path: link, type: "link", target: "/bin/busybox" });
  for (const file of globSync([FILES], /./)) {
    const path = `/${relative(FILES, file)}`;
    const mode = MODES[path] ?? (statSync(file).mode & 0o100 ? 0o755 : 0o644);
    entries.push({ path, type: "file", mode, content: readFileSync(file) });
  }
  entries.push(...demonstrations(userspace));
  entries.push({ path: "/dev/console", type: "char", mode: 0o600, major: 5, minor: 1 });
  entries.push({ path: "/dev/null", type: "char", mode: 0o666, major: 1, minor: 3 });
  return entries;
}
