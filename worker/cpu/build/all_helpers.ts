// worker/cpu/build/all_helpers.ts — every helper, by name.

import type { Helpers } from "./helpers.ts";
import { FLOAT_HELPERS } from "./helpers_float.ts";
import { integerHelpers } from "./helpers_int.ts";

export const helpers: Helpers = { ...integerHelpers, ...FLOAT_HELPERS };
