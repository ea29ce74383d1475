// fs/binprm.ts — a program on its way to being executed.  cf. include/linux/binfmts.h
import type { Cred } from "../kernel/cred.ts";
import type { File } from "./fs.ts";

/** First bytes of the file that the formats look at. */
export const BINPRM_BUF_SIZE = 256;

export interface LinuxBinprm {
  /** what is loaded now: a script's interpreter after the script was read */
  file: File;
  /** path given to execve, for AT_EXECFN */
  filename: string;
  /** path of what is really executed, for comm and messages */
  interp: string;
  argv: string[];
  envp: string[];
  buf: Uint8Array;
  cred: Cred;
  /** set-id: AT_SECURE */
  secureexec: boolean;
}
