// net/sysctl.ts — /proc/sys/net: what holds in this network, for programs that ask before they choose.  cf. net/core/sysctl_net_core.c, net/ipv4/sysctl_net_ipv4.c
import { FixedEntry, proc_create } from "../fs/proc/internal.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { SK_MEM_DEFAULT, SK_MEM_MAX } from "./socket.ts";

const VALUES: Readonly<Record<string, string | number>> = {
  "core/rmem_default": SK_MEM_DEFAULT, "core/rmem_max": SK_MEM_MAX, "core/somaxconn": 4096, "core/wmem_default": SK_MEM_DEFAULT, "core/wmem_max": SK_MEM_MAX,
  "ipv4/icmp_echo_ignore_all": 0, "ipv4/ip_default_ttl": 64, "ipv4/ip_forward": 0, "ipv4/ip_local_port_range": "32768\t60999", "ipv4/ip_local_reserved_ports": "",
  "ipv4/ip_unprivileged_port_start": 1024, "ipv4/ping_group_range": "1\t0", "ipv4/tcp_fin_timeout": 60, "unix/max_dgram_qlen": 10,
};

export function net_sysctl_init(kernel: Kernel): void {
  for (const [name, value] of Object.entries(VALUES)) proc_create(kernel, `sys/net/${name}`, new FixedEntry(value));
}
