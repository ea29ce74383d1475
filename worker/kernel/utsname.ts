// kernel/utsname.ts — what uname(2) says.  cf. include/linux/utsname.h

export class Uts {
  sysname = "Linux";
  nodename = "(none)";
  release = "6.12.0";
  version = "#1 pagezero";
  machine = "x86_64";
  domainname = "(none)";
}
