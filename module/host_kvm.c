// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM, as far as another hypervisor must know of it.
 */
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kconfig.h>
#include <linux/magic.h>
#include <linux/string.h>
#include <linux/user-return-notifier.h>
#include <asm/hypervisor.h>

#include "host_kvm.h"

/*
 * Not on Hyper-V: with enlightened VMCSs what is current is not what VMPTRST says. And a
 * kernel without notifiers has been built without KVM.
 */
bool tvx_host_can_share_kvm(void)
{
	return IS_ENABLED(CONFIG_USER_RETURN_NOTIFIER) && !hypervisor_is_type(X86_HYPER_MS_HYPERV);
}

/* Only the kernel makes anonymous inodes, and gives them their names. */
static bool is_kvm_vm(struct file *file)
{
	return file_inode(file)->i_sb->s_magic == ANON_INODE_FS_MAGIC &&
	       !strcmp(file->f_path.dentry->d_name.name, "kvm-vm");
}

struct file *tvx_host_get_kvm(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (is_kvm_vm(file))
		return file;
	fput(file);
	return ERR_PTR(-EINVAL);
}

/*
 * Call the notifiers as a return to userspace would. The head of their list is not for
 * modules, but one that registers becomes its first element.
 */
void __tvx_host_return_msrs(void)
{
#ifdef CONFIG_USER_RETURN_NOTIFIER
	struct user_return_notifier ours = {}, *notifier;
	struct hlist_node *node, *next;

	user_return_notifier_register(&ours);
	for (node = ours.link.next; node; node = next) {
		next = node->next;	/* it unregisters itself */
		notifier = hlist_entry(node, struct user_return_notifier, link);
		notifier->on_user_return(notifier);
	}
	user_return_notifier_unregister(&ours);
#endif
}
