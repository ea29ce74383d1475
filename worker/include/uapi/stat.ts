// include/uapi/stat.ts — file types and permissions, statx masks, directory entry types.  cf. include/uapi/linux/stat.h, linux/dirent.h

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_IXGRP = 0o010;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;
export const S_IALLUGO = 0o7777;
export const S_IRWXUGO = 0o777;
export const S_IXUGO = 0o111;

export const S_ISDIR = (mode: number): boolean => (mode & S_IFMT) === S_IFDIR;
export const S_ISREG = (mode: number): boolean => (mode & S_IFMT) === S_IFREG;
export const S_ISLNK = (mode: number): boolean => (mode & S_IFMT) === S_IFLNK;
export const S_ISCHR = (mode: number): boolean => (mode & S_IFMT) === S_IFCHR;
export const S_ISBLK = (mode: number): boolean => (mode & S_IFMT) === S_IFBLK;
export const S_ISFIFO = (mode: number): boolean => (mode & S_IFMT) === S_IFIFO;
export const S_ISSOCK = (mode: number): boolean => (mode & S_IFMT) === S_IFSOCK;

export const DT_UNKNOWN = 0;
export const DT_FIFO = 1;
export const DT_CHR = 2;
export const DT_DIR = 4;
export const DT_BLK = 6;
export const DT_REG = 8;
export const DT_LNK = 10;
export const DT_SOCK = 12;
/** DT_x of a mode */
export const fs_umode_to_dtype = (mode: number): number => (mode & S_IFMT) >>> 12;

export const STATX_BASIC_STATS = 0x7ff;
export const STATX_BTIME = 0x800;
export const STATX_MNT_ID = 0x1000;
export const STATX__RESERVED = 0x80000000;
export const STATX_ATTR_IMMUTABLE = 0x10;
export const STATX_ATTR_APPEND = 0x20;
export const STATX_ATTR_NODUMP = 0x40;
export const STATX_ATTR_MOUNT_ROOT = 0x2000;

/** Device numbers inside the kernel: 12 bits of major, 20 of minor (include/linux/kdev_t.h). */
export const MKDEV = (major: number, minor: number): number => major * 0x100000 + minor;
export const MAJOR = (dev: number): number => dev >>> 20;
export const MINOR = (dev: number): number => dev & 0xfffff;
/** as stat(2) and mknod(2) show it to user space; fits 32 bits */
export const new_encode_dev = (dev: number): number => ((dev & 0xff) | (MAJOR(dev) << 8) | ((dev & 0xfff00) << 12)) >>> 0;
export const new_decode_dev = (v: number): number => MKDEV((v & 0xfff00) >>> 8, (v & 0xff) | ((v >>> 12) & 0xfff00));
