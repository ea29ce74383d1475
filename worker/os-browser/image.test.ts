// os-browser/image.test.ts — what is no disk image is told in a sentence, from its beginning and its size alone.
import { expect, test } from "vitest";
import { checkImage } from "./image.ts";

/** The beginning of an ext4 file system of so many 1 KiB blocks. */
function ext4(blocks: number): Uint8Array {
  const bytes = new Uint8Array(65536);
  const view = new DataView(bytes.buffer);
  view.setUint16(1024 + 0x38, 0xef53, true);
  view.setUint32(1024 + 4, blocks, true);
  return bytes;
}

test("what is wrong with an image, and what to do", () => {
  expect(checkImage("good.ext4", ext4(64 * 1024), 64 << 20)).toBeUndefined();
  expect(checkImage("cut.ext4", ext4(64 * 1024), 1 << 20)).toBe("cut.ext4 is cut short: its ext4 file system has 67.1 MB, the file 1.0 MB. Copy it again.");
  expect(checkImage("empty", new Uint8Array(0))).toMatch(/^empty is no disk image: it is empty\. Choose an ext4 image/);
  expect(checkImage("note.txt", new Uint8Array(10))).toMatch(/^note.txt is no disk image: it has only 10 bytes\. Choose/);
  expect(checkImage("huge.img", new Uint8Array(65536), 5e9)).toMatch(/^huge.img is not an ext4 image: there is no ext4 superblock in it\. Choose/);
  const xz = new Uint8Array(65536);
  xz.set([0xfd, 0x37, 0x7a, 0x58, 0x5a]);
  expect(checkImage("root.tar.xz", xz, 3e6)).toBe("root.tar.xz is packed with xz, which a browser cannot unpack: unpack it, or pack it with gzip instead.");
});
