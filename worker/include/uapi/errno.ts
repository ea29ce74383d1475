// include/uapi/errno.ts — error numbers, and what a system call throws to return one.  cf. include/uapi/asm-generic/errno.h

/**
 * An errno as a thrown value. All are frozen singletons below, compared by identity; no stack is captured (throwing costs
 * 0.3 µs). They are caught in arch/um/do_syscall_64.ts only. Anything else that is thrown is a bug of ours, never an errno.
 */
export class Errno {
  readonly name: string;
  readonly code: number;
  constructor(name: string, code: number) {
    this.name = name;
    this.code = code;
    Object.freeze(this);
  }
  toString(): string {
    return this.name;
  }
}

/** Every errno by name, filled by the declarations below. */
export const errnoByCode = new Map<number, Errno>();
const e = (name: string, code: number): Errno => {
  const x = new Errno(name, code);
  if (!errnoByCode.has(code)) errnoByCode.set(code, x);
  return x;
};

export const EPERM = e("EPERM", 1);
export const ENOENT = e("ENOENT", 2);
export const ESRCH = e("ESRCH", 3);
export const EINTR = e("EINTR", 4);
export const EIO = e("EIO", 5);
export const ENXIO = e("ENXIO", 6);
export const E2BIG = e("E2BIG", 7);
export const ENOEXEC = e("ENOEXEC", 8);
export const EBADF = e("EBADF", 9);
export const ECHILD = e("ECHILD", 10);
export const EAGAIN = e("EAGAIN", 11);
export const ENOMEM = e("ENOMEM", 12);
export const EACCES = e("EACCES", 13);
export const EFAULT = e("EFAULT", 14);
export const ENOTBLK = e("ENOTBLK", 15);
export const EBUSY = e("EBUSY", 16);
export const EEXIST = e("EEXIST", 17);
export const EXDEV = e("EXDEV", 18);
export const ENODEV = e("ENODEV", 19);
export const ENOTDIR = e("ENOTDIR", 20);
export const EISDIR = e("EISDIR", 21);
export const EINVAL = e("EINVAL", 22);
export const ENFILE = e("ENFILE", 23);
export const EMFILE = e("EMFILE", 24);
export const ENOTTY = e("ENOTTY", 25);
export const ETXTBSY = e("ETXTBSY", 26);
export const EFBIG = e("EFBIG", 27);
export const ENOSPC = e("ENOSPC", 28);
export const ESPIPE = e("ESPIPE", 29);
export const EROFS = e("EROFS", 30);
export const EMLINK = e("EMLINK", 31);
export const EPIPE = e("EPIPE", 32);
export const EDOM = e("EDOM", 33);
export const ERANGE = e("ERANGE", 34);
export const EDEADLK = e("EDEADLK", 35);
export const EDEADLOCK = EDEADLK;
export const ENAMETOOLONG = e("ENAMETOOLONG", 36);
export const ENOLCK = e("ENOLCK", 37);
export const ENOSYS = e("ENOSYS", 38);
export const ENOTEMPTY = e("ENOTEMPTY", 39);
export const ELOOP = e("ELOOP", 40);
export const ENOMSG = e("ENOMSG", 42);
export const EIDRM = e("EIDRM", 43);
export const ECHRNG = e("ECHRNG", 44);
export const EL2NSYNC = e("EL2NSYNC", 45);
export const EL3HLT = e("EL3HLT", 46);
export const EL3RST = e("EL3RST", 47);
export const ELNRNG = e("ELNRNG", 48);
export const EUNATCH = e("EUNATCH", 49);
export const ENOCSI = e("ENOCSI", 50);
export const EL2HLT = e("EL2HLT", 51);
export const EBADE = e("EBADE", 52);
export const EBADR = e("EBADR", 53);
export const EXFULL = e("EXFULL", 54);
export const ENOANO = e("ENOANO", 55);
export const EBADRQC = e("EBADRQC", 56);
export const EBADSLT = e("EBADSLT", 57);
export const EBFONT = e("EBFONT", 59);
export const ENOSTR = e("ENOSTR", 60);
export const ENODATA = e("ENODATA", 61);
export const ETIME = e("ETIME", 62);
export const ENOSR = e("ENOSR", 63);
export const ENONET = e("ENONET", 64);
export const ENOPKG = e("ENOPKG", 65);
export const EREMOTE = e("EREMOTE", 66);
export const ENOLINK = e("ENOLINK", 67);
export const EADV = e("EADV", 68);
export const ESRMNT = e("ESRMNT", 69);
export const ECOMM = e("ECOMM", 70);
export const EPROTO = e("EPROTO", 71);
export const EMULTIHOP = e("EMULTIHOP", 72);
export const EDOTDOT = e("EDOTDOT", 73);
export const EBADMSG = e("EBADMSG", 74);
export const EOVERFLOW = e("EOVERFLOW", 75);
export const ENOTUNIQ = e("ENOTUNIQ", 76);
export const EBADFD = e("EBADFD", 77);
export const EREMCHG = e("EREMCHG", 78);
export const ELIBACC = e("ELIBACC", 79);
export const ELIBBAD = e("ELIBBAD", 80);
export const ELIBSCN = e("ELIBSCN", 81);
export const ELIBMAX = e("ELIBMAX", 82);
export const ELIBEXEC = e("ELIBEXEC", 83);
export const EILSEQ = e("EILSEQ", 84);
export const ERESTART = e("ERESTART", 85);
export const ESTRPIPE = e("ESTRPIPE", 86);
export const EUSERS = e("EUSERS", 87);
export const ENOTSOCK = e("ENOTSOCK", 88);
export const EDESTADDRREQ = e("EDESTADDRREQ", 89);
export const EMSGSIZE = e("EMSGSIZE", 90);
export const EPROTOTYPE = e("EPROTOTYPE", 91);
export const ENOPROTOOPT = e("ENOPROTOOPT", 92);
export const EPROTONOSUPPORT = e("EPROTONOSUPPORT", 93);
export const ESOCKTNOSUPPORT = e("ESOCKTNOSUPPORT", 94);
export const EOPNOTSUPP = e("EOPNOTSUPP", 95);
export const ENOTSUP = EOPNOTSUPP;
export const EPFNOSUPPORT = e("EPFNOSUPPORT", 96);
export const EAFNOSUPPORT = e("EAFNOSUPPORT", 97);
export const EADDRINUSE = e("EADDRINUSE", 98);
export const EADDRNOTAVAIL = e("EADDRNOTAVAIL", 99);
export const ENETDOWN = e("ENETDOWN", 100);
export const ENETUNREACH = e("ENETUNREACH", 101);
export const ENETRESET = e("ENETRESET", 102);
export const ECONNABORTED = e("ECONNABORTED", 103);
export const ECONNRESET = e("ECONNRESET", 104);
export const ENOBUFS = e("ENOBUFS", 105);
export const EISCONN = e("EISCONN", 106);
export const ENOTCONN = e("ENOTCONN", 107);
export const ESHUTDOWN = e("ESHUTDOWN", 108);
export const ETOOMANYREFS = e("ETOOMANYREFS", 109);
export const ETIMEDOUT = e("ETIMEDOUT", 110);
export const ECONNREFUSED = e("ECONNREFUSED", 111);
export const EHOSTDOWN = e("EHOSTDOWN", 112);
export const EHOSTUNREACH = e("EHOSTUNREACH", 113);
export const EALREADY = e("EALREADY", 114);
export const EINPROGRESS = e("EINPROGRESS", 115);
export const ESTALE = e("ESTALE", 116);
export const EUCLEAN = e("EUCLEAN", 117);
export const ENOTNAM = e("ENOTNAM", 118);
export const ENAVAIL = e("ENAVAIL", 119);
export const EISNAM = e("EISNAM", 120);
export const EREMOTEIO = e("EREMOTEIO", 121);
export const EDQUOT = e("EDQUOT", 122);
export const ENOMEDIUM = e("ENOMEDIUM", 123);
export const EMEDIUMTYPE = e("EMEDIUMTYPE", 124);
export const ECANCELED = e("ECANCELED", 125);
export const ENOKEY = e("ENOKEY", 126);
export const EKEYEXPIRED = e("EKEYEXPIRED", 127);
export const EKEYREVOKED = e("EKEYREVOKED", 128);
export const EKEYREJECTED = e("EKEYREJECTED", 129);
export const EOWNERDEAD = e("EOWNERDEAD", 130);
export const ENOTRECOVERABLE = e("ENOTRECOVERABLE", 131);
export const ERFKILL = e("ERFKILL", 132);
export const EWOULDBLOCK = EAGAIN;

// Kernel-internal (include/linux/errno.h): they never reach user space; signal delivery turns them into EINTR or a restart.
export const ERESTARTSYS = e("ERESTARTSYS", 512);
export const ERESTARTNOINTR = e("ERESTARTNOINTR", 513);
export const ERESTARTNOHAND = e("ERESTARTNOHAND", 514);
export const ENOIOCTLCMD = e("ENOIOCTLCMD", 515);
export const ERESTART_RESTARTBLOCK = e("ERESTART_RESTARTBLOCK", 516);
