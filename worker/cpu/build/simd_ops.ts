// worker/cpu/build/simd_ops.ts — the 128-bit operations a definition may use: WebAssembly SIMD's own, by its names.

/** Shapes: x: X→X; xx: X,X→X; xxx: X,X,X→X; shift: X,i32→X (count taken modulo the lane width!); test: X→i32 */
export type SimdShape = "x" | "xx" | "xxx" | "shift" | "test";

export const SIMD_OPS = {
  "i8x16.swizzle": [14, "xx"],
  "i8x16.eq": [35, "xx"], "i8x16.ne": [36, "xx"], "i8x16.lt_s": [37, "xx"], "i8x16.lt_u": [38, "xx"], "i8x16.gt_s": [39, "xx"], "i8x16.gt_u": [40, "xx"], "i8x16.le_s": [41, "xx"], "i8x16.le_u": [42, "xx"], "i8x16.ge_s": [43, "xx"], "i8x16.ge_u": [44, "xx"],
  "i16x8.eq": [45, "xx"], "i16x8.ne": [46, "xx"], "i16x8.lt_s": [47, "xx"], "i16x8.lt_u": [48, "xx"], "i16x8.gt_s": [49, "xx"], "i16x8.gt_u": [50, "xx"], "i16x8.le_s": [51, "xx"], "i16x8.le_u": [52, "xx"], "i16x8.ge_s": [53, "xx"], "i16x8.ge_u": [54, "xx"],
  "i32x4.eq": [55, "xx"], "i32x4.ne": [56, "xx"], "i32x4.lt_s": [57, "xx"], "i32x4.lt_u": [58, "xx"], "i32x4.gt_s": [59, "xx"], "i32x4.gt_u": [60, "xx"], "i32x4.le_s": [61, "xx"], "i32x4.le_u": [62, "xx"], "i32x4.ge_s": [63, "xx"], "i32x4.ge_u": [64, "xx"],
  "f32x4.eq": [65, "xx"], "f32x4.ne": [66, "xx"], "f32x4.lt": [67, "xx"], "f32x4.gt": [68, "xx"], "f32x4.le": [69, "xx"], "f32x4.ge": [70, "xx"],
  "f64x2.eq": [71, "xx"], "f64x2.ne": [72, "xx"], "f64x2.lt": [73, "xx"], "f64x2.gt": [74, "xx"], "f64x2.le": [75, "xx"], "f64x2.ge": [76, "xx"],
  "v128.not": [77, "x"], "v128.and": [78, "xx"], "v128.andnot": [79, "xx"], "v128.or": [80, "xx"], "v128.xor": [81, "xx"], "v128.bitselect": [82, "xxx"], "v128.any_true": [83, "test"],
  "f32x4.demote_f64x2_zero": [94, "x"], "f64x2.promote_low_f32x4": [95, "x"],
  "i8x16.abs": [96, "x"], "i8x16.neg": [97, "x"], "i8x16.popcnt": [98, "x"], "i8x16.all_true": [99, "test"], "i8x16.bitmask": [100, "test"], "i8x16.narrow_i16x8_s": [101, "xx"], "i8x16.narrow_i16x8_u": [102, "xx"],
  "f32x4.ceil": [103, "x"], "f32x4.floor": [104, "x"], "f32x4.trunc": [105, "x"], "f32x4.nearest": [106, "x"],
  "i8x16.shl": [107, "shift"], "i8x16.shr_s": [108, "shift"], "i8x16.shr_u": [109, "shift"], "i8x16.add": [110, "xx"], "i8x16.add_sat_s": [111, "xx"], "i8x16.add_sat_u": [112, "xx"], "i8x16.sub": [113, "xx"], "i8x16.sub_sat_s": [114, "xx"], "i8x16.sub_sat_u": [115, "xx"],
  "f64x2.ceil": [116, "x"], "f64x2.floor": [117, "x"], "i8x16.min_s": [118, "xx"], "i8x16.min_u": [119, "xx"], "i8x16.max_s": [120, "xx"], "i8x16.max_u": [121, "xx"], "f64x2.trunc": [122, "x"], "i8x16.avgr_u": [123, "xx"],
  "i16x8.abs": [128, "x"], "i16x8.neg": [129, "x"], "i16x8.q15mulr_sat_s": [130, "xx"], "i16x8.all_true": [131, "test"], "i16x8.bitmask": [132, "test"], "i16x8.narrow_i32x4_s": [133, "xx"], "i16x8.narrow_i32x4_u": [134, "xx"],
  "i16x8.extend_low_i8x16_s": [135, "x"], "i16x8.extend_high_i8x16_s": [136, "x"], "i16x8.extend_low_i8x16_u": [137, "x"], "i16x8.extend_high_i8x16_u": [138, "x"],
  "i16x8.shl": [139, "shift"], "i16x8.shr_s": [140, "shift"], "i16x8.shr_u": [141, "shift"], "i16x8.add": [142, "xx"], "i16x8.add_sat_s": [143, "xx"], "i16x8.add_sat_u": [144, "xx"], "i16x8.sub": [145, "xx"], "i16x8.sub_sat_s": [146, "xx"], "i16x8.sub_sat_u": [147, "xx"],
  "f64x2.nearest": [148, "x"], "i16x8.mul": [149, "xx"], "i16x8.min_s": [150, "xx"], "i16x8.min_u": [151, "xx"], "i16x8.max_s": [152, "xx"], "i16x8.max_u": [153, "xx"], "i16x8.avgr_u": [155, "xx"],
  "i32x4.abs": [160, "x"], "i32x4.neg": [161, "x"], "i32x4.all_true": [163, "test"], "i32x4.bitmask": [164, "test"],
  "i32x4.extend_low_i16x8_s": [167, "x"], "i32x4.extend_high_i16x8_s": [168, "x"], "i32x4.extend_low_i16x8_u": [169, "x"], "i32x4.extend_high_i16x8_u": [170, "x"],
  "i32x4.shl": [171, "shift"], "i32x4.shr_s": [172, "shift"], "i32x4.shr_u": [173, "shift"], "i32x4.add": [174, "xx"], "i32x4.sub": [177, "xx"], "i32x4.mul": [181, "xx"], "i32x4.min_s": [182, "xx"], "i32x4.min_u": [183, "xx"], "i32x4.max_s": [184, "xx"], "i32x4.max_u": [185, "xx"], "i32x4.dot_i16x8_s": [186, "xx"],
  "i64x2.abs": [192, "x"], "i64x2.neg": [193, "x"], "i64x2.all_true": [195, "test"], "i64x2.bitmask": [196, "test"],
  "i64x2.extend_low_i32x4_s": [199, "x"], "i64x2.extend_high_i32x4_s": [200, "x"], "i64x2.extend_low_i32x4_u": [201, "x"], "i64x2.extend_high_i32x4_u": [202, "x"],
  "i64x2.shl": [203, "shift"], "i64x2.shr_s": [204, "shift"], "i64x2.shr_u": [205, "shift"], "i64x2.add": [206, "xx"], "i64x2.sub": [209, "xx"], "i64x2.mul": [213, "xx"],
  "i64x2.eq": [214, "xx"], "i64x2.ne": [215, "xx"], "i64x2.lt_s": [216, "xx"], "i64x2.gt_s": [217, "xx"], "i64x2.le_s": [218, "xx"], "i64x2.ge_s": [219, "xx"],
  "i64x2.extmul_low_i32x4_s": [220, "xx"], "i64x2.extmul_high_i32x4_s": [221, "xx"], "i64x2.extmul_low_i32x4_u": [222, "xx"], "i64x2.extmul_high_i32x4_u": [223, "xx"],
  "f32x4.abs": [224, "x"], "f32x4.neg": [225, "x"], "f32x4.sqrt": [227, "x"], "f32x4.add": [228, "xx"], "f32x4.sub": [229, "xx"], "f32x4.mul": [230, "xx"], "f32x4.div": [231, "xx"], "f32x4.min": [232, "xx"], "f32x4.max": [233, "xx"], "f32x4.pmin": [234, "xx"], "f32x4.pmax": [235, "xx"],
  "f64x2.abs": [236, "x"], "f64x2.neg": [237, "x"], "f64x2.sqrt": [239, "x"], "f64x2.add": [240, "xx"], "f64x2.sub": [241, "xx"], "f64x2.mul": [242, "xx"], "f64x2.div": [243, "xx"], "f64x2.min": [244, "xx"], "f64x2.max": [245, "xx"], "f64x2.pmin": [246, "xx"], "f64x2.pmax": [247, "xx"],
  "i32x4.trunc_sat_f32x4_s": [248, "x"], "i32x4.trunc_sat_f32x4_u": [249, "x"], "f32x4.convert_i32x4_s": [250, "x"], "f32x4.convert_i32x4_u": [251, "x"], "i32x4.trunc_sat_f64x2_s_zero": [252, "x"], "f64x2.convert_low_i32x4_s": [254, "x"],
  "i16x8.extadd_pairwise_i8x16_s": [124, "x"], "i16x8.extadd_pairwise_i8x16_u": [125, "x"], "i32x4.extadd_pairwise_i16x8_s": [126, "x"], "i32x4.extadd_pairwise_i16x8_u": [127, "x"],
  "i16x8.extmul_low_i8x16_s": [156, "xx"], "i16x8.extmul_high_i8x16_s": [157, "xx"], "i16x8.extmul_low_i8x16_u": [158, "xx"], "i16x8.extmul_high_i8x16_u": [159, "xx"],
  "i32x4.extmul_low_i16x8_s": [188, "xx"], "i32x4.extmul_high_i16x8_s": [189, "xx"], "i32x4.extmul_low_i16x8_u": [190, "xx"], "i32x4.extmul_high_i16x8_u": [191, "xx"],
} as const satisfies Record<string, readonly [number, SimdShape]>;

export type SimdOp = keyof typeof SIMD_OPS;
type OfShape<S extends SimdShape> = { [K in SimdOp]: (typeof SIMD_OPS)[K][1] extends S ? K : never }[SimdOp];
export type SimdUnary = OfShape<"x">;
export type SimdBinary = OfShape<"xx">;
export type SimdShift = OfShape<"shift">;
export type SimdTest = OfShape<"test">;

/** Lane shapes for splat, extract and replace: name: [splat, extract, replace, lanes, type] ; extract of i8 and i16 is unsigned. */
export const LANES = {
  i8x16: [15, 22, 23, 16, "i32"], i16x8: [16, 25, 26, 8, "i32"], i32x4: [17, 27, 28, 4, "i32"],
  i64x2: [18, 29, 30, 2, "i64"], f32x4: [19, 31, 32, 4, "f32"], f64x2: [20, 33, 34, 2, "f64"],
} as const;
export type Lane = keyof typeof LANES;
