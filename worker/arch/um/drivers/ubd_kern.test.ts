// arch/um/drivers/ubd_kern.test.ts — the ubd parameter as UML takes it
import { expect, test } from "vitest";
import { parse_ubd } from "./ubd_kern.ts";

test("unit, flags, file, backing file and serial number", () => {
  expect(parse_ubd("0=a.ext4")).toEqual({ n: 0, file: "a.ext4", backing: undefined, serial: "", readonly: false, sync: false, shared: false });
  expect(parse_ubd("3rs=cow,base,S1")).toEqual({ n: 3, file: "cow", backing: "base", serial: "S1", readonly: true, sync: true, shared: false });
  expect(parse_ubd("b=a:b")).toMatchObject({ n: 1, backing: "b" });
  expect(parse_ubd("0=File,,Serial")).toMatchObject({ backing: undefined, serial: "Serial" });
});

test("mistakes in UML's words", () => {
  expect(parse_ubd("0q=a")).toBe("Expected '=' or flag letter (r, s, c, t or d)");
  expect(parse_ubd("0")).toBe("Missing '='");
  expect(parse_ubd("16=a")).toMatch("out of range");
  expect(parse_ubd("0d=a,b")).toMatch("COW");
  expect(parse_ubd("?=a")).toMatch("device number");
});
