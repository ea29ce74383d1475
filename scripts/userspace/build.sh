#!/bin/bash
# scripts/userspace/build.sh — musl for a machine without an MMU, and busybox for it, from Debian's source packages.
#
#   build.sh OUT CACHE
#
# OUT    gets prefix/ (musl), nommu.specs, bin/musl-gcc-nommu, out/{busybox,busybox.links,busybox.config,ld-musl-x86_64.so.1},
#        and busybox/, whose sources carry the test suite
# CACHE  keeps the downloaded sources
#
# Each step is done in a folder that gets its final name when the step is complete, so an interrupted build goes on
# where it stopped. Nothing in the results depends on OUT, on the clock or on the user.
set -euo pipefail
umask 022
export LC_ALL=C SOURCE_DATE_EPOCH=1700000000 KCONFIG_NOTIMESTAMP=1
unset CFLAGS CPPFLAGS LDFLAGS MAKEFLAGS CROSS_COMPILE
OUT=$(mkdir -p "$1" && cd "$1" && pwd)
CACHE=$(mkdir -p "$2" && cd "$2" && pwd)
exec 9>"$OUT/lock" && flock 9 # two clones may want it at once
JOBS=$(nproc)
SUITE=trixie # musl 1.2.5: the first with DT_RELR is 1.2.4, and stock Alpine 3.20 programs need it

say() { echo "setup: $*"; }

# run LOG COMMAND…: quiet unless it fails
run() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    say "failed: $* (whole output: $log)" >&2
    return 1
  }
}

# The machine's own mirror, asked for the sources of $SUITE through an apt state that is ours alone.
download() {
  local state=$OUT/apt uri attempt
  uri=$(cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs:[[:space:]]*\([^[:space:]]*\).*/\1/p' | grep -v security | head -n 1)
  [ -n "$uri" ] || uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb[[:space:]]\(\[[^]]*\][[:space:]]*\)\?\([^[:space:]]*\).*/\2/p' | grep -v security | head -n 1)
  [ -n "$uri" ] || { say "no Debian mirror is configured in /etc/apt" >&2; return 1; }
  mkdir -p "$state"/{parts,lists/partial,cache/archives/partial}
  printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' "$uri" "$SUITE" >"$state/parts/source.sources"
  local options=(-q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$state/parts" -o "Dir::State::lists=$state/lists"
    -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
  for attempt in 1 2 3; do
    say "downloading the sources of musl and busybox ($SUITE) — attempt $attempt of 3"
    rm -rf "$CACHE/part"
    mkdir -p "$CACHE/part"
    if (cd "$CACHE/part" && run "$OUT/apt.log" apt-get "${options[@]}" update && run "$OUT/apt.log" apt-get "${options[@]}" source --download-only musl busybox); then
      rm -rf "$CACHE/$SUITE"
      mv "$CACHE/part" "$CACHE/$SUITE"
      return 0
    fi
    sleep $((attempt * 2))
  done
  return 1
}

# Unpacks NAME from the downloaded package into OUT/NAME.
unpack() {
  [ -d "$OUT/$1" ] && return 0
  rm -rf "$OUT/$1.part"
  run "$OUT/unpack.log" dpkg-source --no-check -x "$CACHE/$SUITE/$1"_*.dsc "$OUT/$1.part"
  mv "$OUT/$1.part" "$OUT/$1"
}

build_musl() {
  [ -e "$OUT/prefix.done" ] && return 0
  say "building musl (half a minute)"
  unpack musl
  rm -rf "$OUT/musl-obj" "$OUT/prefix"
  mkdir "$OUT/musl-obj"
  cd "$OUT/musl-obj"
  # DL_NOMMU_SUPPORT: the loader reads libraries where MAP_FIXED is refused. The soname is Alpine's.
  run "$OUT/musl.log" ../musl/configure --prefix="$OUT/prefix" --syslibdir=/lib \
    CFLAGS="-O2 -DDL_NOMMU_SUPPORT=1 -ffile-prefix-map=$OUT/=" LDFLAGS="-Wl,-soname,libc.musl-x86_64.so.1"
  run "$OUT/musl.log" make -j"$JOBS"
  run "$OUT/musl.log" make syslibdir="$OUT/prefix/lib" install
  local d
  for d in linux asm-generic mtd; do ln -sfn "/usr/include/$d" "$OUT/prefix/include/$d"; done
  ln -sfn /usr/include/x86_64-linux-gnu/asm "$OUT/prefix/include/asm"
  # A no-MMU loader takes nothing but PIEs: -static-pie is the only static there is.
  sed -e 's#%{static-pie:-static -pie --no-dynamic-linker}#%{static-pie:-static -pie --no-dynamic-linker -z text}#' \
    "$OUT/prefix/lib/musl-gcc.specs" >"$OUT/nommu.specs"
  grep -q 'static-pie:.*rcrt1.o' "$OUT/nommu.specs" || { say "musl-gcc.specs has changed: build.sh must follow" >&2; return 1; }
  mkdir -p "$OUT/bin"
  printf '#!/bin/sh\n# gcc for the guest: dynamic PIE, or static with -static-pie.\nexec gcc -specs "%s" "$@"\n' "$OUT/nommu.specs" >"$OUT/bin/musl-gcc-nommu"
  chmod +x "$OUT/bin/musl-gcc-nommu"
  touch "$OUT/prefix.done"
}

# set OPTION VALUE in a .config; VALUE n unsets it
config() {
  sed -i -e "/^CONFIG_$1=/d" -e "/^# CONFIG_$1 is not set/d" .config
  if [ "$2" = n ]; then echo "# CONFIG_$1 is not set" >>.config; else echo "CONFIG_$1=$2" >>.config; fi
}

build_busybox() {
  [ -e "$OUT/out/busybox.links" ] && return 0
  say "building busybox (a minute)"
  unpack busybox
  rm -rf "$OUT/busybox-obj" "$OUT/out.part"
  mkdir "$OUT/busybox-obj" "$OUT/out.part"
  run "$OUT/busybox.log" make -C "$OUT/busybox" O="$OUT/busybox-obj" defconfig
  cd "$OUT/busybox-obj"
  local option
  for option in NOMMU PIE SHELL_HUSH HUSH SH_IS_HUSH BASH_IS_NONE; do config $option y; done
  for option in ASH SHELL_ASH SH_IS_ASH BASH_IS_ASH BASH_IS_HUSH SH_IS_NONE STATIC TC; do config $option n; done
  (yes "" || true) | run "$OUT/busybox.log" make oldconfig
  for option in NOMMU PIE SH_IS_HUSH; do
    grep -q "^CONFIG_$option=y" .config || { say "busybox refused CONFIG_$option" >&2; return 1; }
  done
  local cc="$OUT/bin/musl-gcc-nommu -ffile-prefix-map=$OUT/="
  run "$OUT/busybox.log" make -j"$JOBS" CC="$cc" BB_EXTRA_VERSION=nommu
  run "$OUT/busybox.log" make busybox.links CC="$cc"
  sort -u busybox.links >"$OUT/out.part/busybox.links"
  cp .config "$OUT/out.part/busybox.config" # busybox's own tests ask it what was built
  strip -s -o "$OUT/out.part/busybox" busybox
  strip --strip-unneeded -o "$OUT/out.part/ld-musl-x86_64.so.1" "$OUT/prefix/lib/libc.so"
  rm -rf "$OUT/out"
  mv "$OUT/out.part" "$OUT/out"
}

ls "$CACHE/$SUITE"/musl_*.dsc "$CACHE/$SUITE"/busybox_*.dsc >/dev/null 2>&1 || download
build_musl
build_busybox
rm -rf "$OUT/musl-obj" "$OUT/busybox-obj" "$OUT"/*.orig.tar.*
say "user space built: $(ls "$CACHE/$SUITE" | sed -n 's/\.dsc$//p' | tr '\n' ' ')"
