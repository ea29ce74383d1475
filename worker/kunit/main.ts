// kunit/main.ts — KUnit at boot: the kunit.* parameters, the suites, and what comes after.  cf. lib/kunit/executor.c
import type { Kernel } from "../kernel/kernel.ts";
import { kernel_halt, kernel_restart } from "../kernel/reboot.ts";
import { kunit_run_all_tests } from "./executor.ts";
import { suites } from "./suites.ts";

/** Runs the kernel's own tests if kunit.enable=1, in process 1, before it has a program. */
export function kunit_init(kernel: Kernel): void {
  const { params, printk: log } = kernel;
  if (params.get("kunit.enable") !== "1") return;
  kunit_run_all_tests(
    kernel,
    suites,
    {
      filter_glob: params.get("kunit.filter_glob"),
      filter: params.get("kunit.filter"),
      filter_action: params.get("kunit.filter_action"),
      action: params.get("kunit.action"),
      stats_enabled: params.number("kunit.stats_enabled") ?? 1,
    },
    (line) => log.notice(line),
  );
  const shutdown = params.get("kunit_shutdown");
  if (shutdown === "poweroff" || shutdown === "halt") kernel_halt(kernel);
  if (shutdown === "reboot") kernel_restart(kernel, undefined);
}
