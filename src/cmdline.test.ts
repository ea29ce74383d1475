// src/cmdline.test.ts — complaints about command lines.
import { expect, test } from "vitest";
import { checkCommandLine, diskName, withDisk } from "./cmdline.ts";

test("the default line is fine, also with arguments for init", () => {
  expect(checkCommandLine("ubd0=nommu.ext4 rw mem=256m loglevel=8 init=/sbin/init", "nommu.ext4")).toEqual([]);
  expect(checkCommandLine('ubd0=a rw init=/bin/sh -- -c "echo mem=1"', "a")).toEqual([]);
});
test.each([
  ["ubd0=a mem=1m", "mem=1m is out of range"],
  ["ubd0=a mem=lots", "mem=lots is not a size"],
  ["ubd0=a mem=4g", "mem=4g is out of range"],
  ["ubd0=b", "names a disk that is not here"],
  ["rw", "There is no disk"],
  ["ubd0=cow,a", "names a disk that is not here"],
  ["ubd0=a,b", "keeps your changes apart"],
  ["ubd0=a zpoline=2", "it can be 1, lazy or 0"],
  ['ubd0=a init="/bin/sh', "quotation mark"],
  ["ubd0=a hostname=ü", "plain ASCII"],
  ["ubd0=a loglevel=high", "not a number"],
])("%s", (line, sentence) => {
  expect(checkCommandLine(line, "a").join("\n")).toContain(sentence);
});
test("the disk of a line is exchanged, or added", () => {
  expect(withDisk("ubd0=a rw", "b")).toBe("ubd0=b rw");
  expect(withDisk("rw ubd0r=a", "b")).toBe("rw ubd0r=b");
  expect(withDisk("rw", "b")).toBe("ubd0=b rw");
});
test("file names become words", () => {
  expect(diskName("my disk (1).ext4")).toBe("my_disk__1_.ext4");
  expect(diskName("")).toBe("disk");
});
