# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Kernels with instruments, 6.12+debug and the like: made from Debian's source package and kernels/{base,FLAVOUR}.config.
# Part of fetch.

FLAVOURS=$TOP/tools/testbed/kernels

# The name of a build: it changes with its configuration and with how it is built.
flavour_dir()
{
	echo "$CACHE/kernel-$1-$({ declare -f configure_flavour make_flavour
		cat "$FLAVOURS/base.config" "$FLAVOURS/${1#*+}.config"; } | sha256sum | cut -c1-8)"
}

# Unpack Debian's source of Linux $1 as $WORK/linux. The package stays: apt takes it again if it is still the right one.
unpack_linux()
{
	local package=linux-source-$1 suite

	for suite in $KERNEL_SUITES; do
		lists "$suite" || continue
		! apt_in "$suite" apt-cache show "$package" >/dev/null 2>&1 || break
		suite=
	done
	[ -n "$suite" ] || die "no Debian suite among $KERNEL_SUITES has $package"
	mkdir -p "$CACHE/source" "$WORK/linux"
	exec 7>"$CACHE/lock-source"
	flock 7
	(cd "$CACHE/source" && apt_in "$suite" apt-get download "$package") || return
	# Half of it is for machines that are not ours; of that Kconfig wants to see its own files alone.
	dpkg-deb --fsys-tarfile "$CACHE/source/$package"_*.deb | tar xO --wildcards '*/linux-source-*.tar.xz' |
		tar xJ -C "$WORK/linux" --strip-components=1 --wildcards --exclude='linux-source-*/Documentation/[a-z]*/*' \
			--exclude='linux-source-*/arch/[!x]*/*.'{[chS],dts,dtsi} --exclude='linux-source-*/tools/[pt]*/*' \
			--exclude='*/drivers/'{gpu,infiniband,media,net/ethernet,net/wireless,scsi,staging}'/*.[ch]' --exclude='linux-source-*/sound/*.[ch]' ||
		return
	exec 7>&-
}

# Make the configuration of kernel $1 in $WORK/linux; all that it asks for must be there.
configure_flavour()
{
	cat "$FLAVOURS/base.config" "$FLAVOURS/${1#*+}.config" >"$WORK/config"
	make -C "$WORK/linux" CC="$CC" KCONFIG_ALLCONFIG="$WORK/config" allnoconfig || return
	grep '^CONFIG_' "$WORK/config" | sort >"$WORK/asked"
	sort "$WORK/linux/.config" | comm -23 "$WORK/asked" - >"$WORK/lost"
	if [ -s "$WORK/lost" ]; then
		echo "error: the kernel's configuration has lost:"
		cat "$WORK/lost"
		return 1
	fi
}

# Kernel, modules, and what modules of others are built with, in $WORK/out. One instrument need not watch the others.
make_flavour()
{
	local build=("make" "-C" "$WORK/linux" "CC=$CC" "HOSTCC=$CC" "LOCALVERSION=+${1#*+}" "-j$(nproc)"
		KASAN_SANITIZE_{lockdep,debugobjects,unwind_orc}.o=n) out=$WORK/out release

	"${build[@]}" bzImage modules || return
	release=$("${build[@]}" -s kernelrelease)
	"${build[@]}" INSTALL_MOD_PATH="$out" DEPMOD=true modules_install || return
	# shellcheck disable=SC2016 # make expands it
	"${build[@]}" run-command KBUILD_RUN_COMMAND='$(srctree)/scripts/package/install-extmod-build '"$out/build" || return
	rm -f "$out/lib/modules/$release/build"
	mkdir "$out/boot"
	cp "$WORK/linux/arch/x86/boot/bzImage" "$out/boot/vmlinuz-$release"
	cp "$WORK/linux/System.map" "$out/boot/System.map-$release"
	cp "$WORK/linux/.config" "$out/boot/config-$release"
	echo "$release" >"$out/release"
}

fetch_flavour()
{
	local dir tool

	[ -f "$FLAVOURS/${1#*+}.config" ] || die "there is no kernel $1: no tools/testbed/kernels/${1#*+}.config"
	dir=$(flavour_dir "$1")
	if [ ! -e "$dir/release" ]; then
		for tool in flex bison bc; do
			command -v "$tool" >/dev/null || die "$tool is missing, without which Linux cannot be built: apt-get install $tool"
		done
		CC=$(command -v gcc-12 || command -v gcc) || die "there is no gcc"
		mkdir "$WORK/out"
		step "get the source of Linux ${1%+*}" "$LOG" unpack_linux "${1%+*}"
		step "configure Linux $1" "$LOG" configure_flavour "$1"
		step "build Linux $1 (some ten minutes with two CPUs)" "$LOG" make_flavour "$1"
		publish "$WORK/out" "$dir"
	fi
	echo "$dir"
}
