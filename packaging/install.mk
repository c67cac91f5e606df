# SPDX-License-Identifier: GPL-2.0-only
# "make install": what goes where, by the names of the GNU coding standards. All of it is one list, which "make uninstall"
# reads, too. Included by the Makefile.

PREFIX ?= /usr/local
prefix ?= $(PREFIX)
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
libdir ?= $(exec_prefix)/lib
datarootdir ?= $(prefix)/share
datadir ?= $(datarootdir)
mandir ?= $(datarootdir)/man
includedir ?= $(prefix)/include
# Where others look: udev, systemd and the shells know both /usr and /usr/local.
pkgconfigdir ?= $(datarootdir)/pkgconfig
bashcompletiondir ?= $(datarootdir)/bash-completion/completions
zshcompletiondir ?= $(datarootdir)/zsh/site-functions
udevrulesdir ?= $(prefix)/lib/udev/rules.d
sysusersdir ?= $(prefix)/lib/sysusers.d
systemdsystemunitdir ?= $(prefix)/lib/systemd/system
modulesloaddir ?= $(prefix)/lib/modules-load.d
# DKMS looks nowhere else.
usrsrcdir ?= /usr/src
INSTALL ?= install

# Where sudo looks for programs, on Debian and most others
SECURE_PATH := /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin

VERSION := $(shell sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' module/main.c)
DKMS_DIR := $(usrsrcdir)/tinyvmx-$(VERSION)
MADE := $(BUILD)/install

# MODE:SOURCE:DESTINATION
FILES := \
	755:$(BUILD)/hvctl/hvctl:$(bindir)/hvctl \
	644:$(BUILD)/guests/skernel/skernel.bin:$(datadir)/tinyvmx/skernel.bin \
	644:tools/hvctl/hvctl.1:$(mandir)/man1/hvctl.1 \
	644:module/tinyvmx.4:$(mandir)/man4/tinyvmx.4 \
	644:$(MADE)/hvctl.bash:$(bashcompletiondir)/hvctl \
	644:$(MADE)/hvctl.zsh:$(zshcompletiondir)/_hvctl \
	644:uapi/tinyvmx.h:$(includedir)/linux/tinyvmx.h \
	644:$(MADE)/tinyvmx.pc:$(pkgconfigdir)/tinyvmx.pc \
	644:packaging/70-tinyvmx.rules:$(udevrulesdir)/70-tinyvmx.rules \
	644:packaging/sysusers.conf:$(sysusersdir)/tinyvmx.conf \
	644:$(MADE)/tinyvmx@.service:$(systemdsystemunitdir)/tinyvmx@.service
# Only where there is a module to load
MODULE_FILES := 644:packaging/modules-load.conf:$(modulesloaddir)/tinyvmx.conf
DKMS_FILES := $(MODULE_FILES) 644:$(MADE)/dkms.conf:$(DKMS_DIR)/dkms.conf \
	$(foreach f,Kbuild uapi/tinyvmx.h $(sort $(shell find module -name '*.[chS]')),644:$(f):$(DKMS_DIR)/$(f))

part = $(word $1,$(subst :, ,$2))
define install_files
	@$(foreach f,$1,$(INSTALL) -D -m $(call part,1,$f) $(call part,2,$f) '$(DESTDIR)$(call part,3,$f)' &&) :
endef
define uninstall_files
	@rm -f $(foreach f,$1,'$(DESTDIR)$(call part,3,$f)')
endef

.PHONY: install uninstall install-dkms uninstall-dkms install-module deb test-package

install: hvctl
	@$(STEP) "build the example guest" build/logs/guests.log $(SUB) guests $(BUILD)/guests/skernel/skernel.bin
	@mkdir -p $(MADE)
	@$(BUILD)/hvctl/hvctl completion bash >$(MADE)/hvctl.bash
	@$(BUILD)/hvctl/hvctl completion zsh >$(MADE)/hvctl.zsh
	@sed 's|@prefix@|$(prefix)|; s|@includedir@|$(includedir)|; s|@version@|$(VERSION)|' packaging/tinyvmx.pc.in >$(MADE)/tinyvmx.pc
	@sed 's|@bindir@|$(bindir)|' packaging/tinyvmx@.service.in >$(MADE)/tinyvmx@.service
	$(call install_files,$(FILES))
	@[ -n '$(DESTDIR)' ] || echo "hvctl and its files are in $(prefix); for what is left to do once, see docs/install.md"
	@[ -n '$(DESTDIR)$(filter $(bindir),$(SECURE_PATH))' ] || echo "sudo does not look there: sudo $(bindir)/hvctl"

uninstall:
	$(call uninstall_files,$(FILES))
	@-rmdir '$(DESTDIR)$(datadir)/tinyvmx' 2>/dev/null || :

# The module's sources, for DKMS to build it for each kernel that comes.
install-dkms:
	@mkdir -p $(MADE)
	@sed 's|@version@|$(VERSION)|' packaging/dkms.conf.in >$(MADE)/dkms.conf
	$(call install_files,$(DKMS_FILES))
	@[ -n '$(DESTDIR)' ] || echo "now, as root: dkms install tinyvmx/$(VERSION)"

uninstall-dkms:
	$(call uninstall_files,$(DKMS_FILES))
	@-find '$(DESTDIR)$(DKMS_DIR)' -depth -type d -exec rmdir {} + 2>/dev/null || :

# The module alone, for the running kernel alone.
install-module: native
	@$(MAKE) --no-print-directory -C /lib/modules/$$(uname -r)/build M=$(BUILD)/$$(uname -r) \
		$(if $(DESTDIR),INSTALL_MOD_PATH='$(DESTDIR)') modules_install
	$(call install_files,$(MODULE_FILES))

deb: deps-deb
	@packaging/deb

test-package: deps-package
	@$(MAKE) --no-print-directory hvctl guests
	@$(TESTBED)/prepare
	@packaging/test
