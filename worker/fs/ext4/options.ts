// fs/ext4/options.ts — what mount(2) and remount take as options, and what /proc/mounts shows of them.  cf. fs/ext4/super.c ext4_parse_param(), _ext4_show_options()
import { EINVAL } from "../../include/uapi/errno.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { EXT4_ERRORS_CONTINUE, EXT4_ERRORS_PANIC, EXT4_ERRORS_RO } from "./ext4.ts";

/** commit=, seconds */
const DEFAULT_COMMIT = 5;

export interface Ext4Options {
  /** EXT4_ERRORS_*: what a damaged file system does */
  errors: number;
  /** who may use reserved blocks, beside CAP_SYS_RESOURCE; group 0 is nobody */
  resuid: number;
  resgid: number;
  /** new files have their directory's group, as on BSD */
  grpid: boolean;
  /** statfs counts blocks of metadata, too */
  minixdf: boolean;
  acl: boolean;
  norecovery: boolean;
  /** seconds that changes may stay in memory */
  commit: number;
  /** of the three ways to treat data, the one that was asked for; all of them are done as "ordered" */
  data: string | undefined;
}

const ERRORS: Readonly<Record<string, number>> = { continue: EXT4_ERRORS_CONTINUE, "remount-ro": EXT4_ERRORS_RO, panic: EXT4_ERRORS_PANIC };
const errorsName = (errors: number): string => Object.keys(ERRORS).find((k) => ERRORS[k] === errors)!;

/** Options that change nothing here: speed, checks that are always made, what was removed from Linux. */
const WITHOUT_EFFECT =
  /^(user_xattr|(no)?(block_validity|delalloc|mblk_io_submit|auto_da_alloc|dioread_nolock|discard|init_itable|journal_checksum|warn_on_error|mbcache)|no_mbcache|dioread_lock|journal_async_commit|nouid32|debug|removed|oldalloc|orlov|bh|nobh|i_version|lazytime|nolazytime|abort|prefetch_block_bitmaps|no_prefetch_block_bitmaps)$|^(min_batch_time|max_batch_time|stripe|inode_readahead_blks|journal_ioprio|init_itable|auto_da_alloc|max_dir_size_kb|mb_optimize_scan|debug_want_extra_isize)=\d+$|^data_err=(abort|ignore)$|^dax=never$/;
/** Linux without CONFIG_QUOTA knows them, says so, and goes on. */
const QUOTA = /^(quota|noquota|usrquota|grpquota|prjquota|usrjquota|grpjquota|jqfmt)(=.*)?$/;

/** Takes `data` over what `o` says already. Throws EINVAL, and says why: as the mount API does. */
export function ext4_parse_options(kernel: Kernel, data: string, o: Ext4Options): void {
  const bad = (what: string): never => {
    kernel.printk.err(`ext4: ${what}`);
    throw EINVAL;
  };
  for (const option of data.split(",")) {
    const eq = option.indexOf("=");
    const key = eq < 0 ? option : option.slice(0, eq);
    const value = eq < 0 ? undefined : option.slice(eq + 1);
    const number = (): number => (value !== undefined && /^\d+$/.test(value) ? Number(value) : bad(`Bad value for '${key}'`));
    switch (key) {
      case "":
        break;
      case "errors":
        o.errors = ERRORS[value ?? ""] ?? bad("Bad value for 'errors'");
        break;
      case "resuid":
        o.resuid = number();
        break;
      case "resgid":
        o.resgid = number();
        break;
      case "commit":
        o.commit = number() || DEFAULT_COMMIT;
        break;
      case "data":
        if (value === undefined || !/^(journal|ordered|writeback)$/.test(value)) bad("Bad value for 'data'");
        o.data = value;
        break;
      case "barrier":
      case "nobarrier":
        if (value !== undefined) number();
        break;
      case "grpid":
      case "bsdgroups":
        o.grpid = true;
        break;
      case "nogrpid":
      case "sysvgroups":
        o.grpid = false;
        break;
      case "minixdf":
      case "bsddf":
        o.minixdf = key === "minixdf";
        break;
      case "acl":
      case "noacl":
        o.acl = key === "acl";
        break;
      case "noload":
      case "norecovery":
        o.norecovery = true;
        break;
      default:
        if (QUOTA.test(option)) kernel.printk.err(`EXT4-fs: ${key} option not supported`);
        else if (!WITHOUT_EFFECT.test(option)) bad(`Unknown parameter '${key}'`);
    }
  }
}

/** Only what differs from what the super block says by itself. */
export function ext4_show_options(o: Ext4Options, own: Ext4Options): string {
  const out: string[] = [];
  if (o.minixdf) out.push("minixdf");
  if (o.grpid) out.push("grpid");
  if (!o.acl) out.push("noacl");
  if (o.norecovery) out.push("norecovery");
  if (o.resuid !== own.resuid) out.push(`resuid=${o.resuid}`);
  if (o.resgid !== own.resgid) out.push(`resgid=${o.resgid}`);
  if (o.errors !== own.errors) out.push(`errors=${errorsName(o.errors)}`);
  if (o.commit !== DEFAULT_COMMIT) out.push(`commit=${o.commit}`);
  if (o.data !== undefined) out.push(`data=${o.data}`);
  return out.map((s) => `,${s}`).join("");
}

/** What holds without options. `errors`, `resuid`, `resgid`: of the super block. */
export function ext4_default_options(errors: number, resuid: number, resgid: number): Ext4Options {
  const known = errors >= EXT4_ERRORS_CONTINUE && errors <= EXT4_ERRORS_PANIC;
  return { errors: known ? errors : EXT4_ERRORS_CONTINUE, resuid, resgid, grpid: false, minixdf: false, acl: true, norecovery: false, commit: DEFAULT_COMMIT, data: undefined };
}
