/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMCSs as others log them, made up: a 64-bit guest, but for one fault in each. What loggers put
 * before lines is there, too.
 */
#ifndef HV_TESTS_VMCS_LOGS_H
#define HV_TESTS_VMCS_LOGS_H

/* Each line of a dump begins with @p_. */
#define KVM_GUEST(p_, efer_, cs_) \
	p_ "*** Guest State ***\n" \
	p_ "CR0: actual=0x0000000080050033, shadow=0x0000000080050033, gh_mask=fffffffffffefff7\n" \
	p_ "CR4: actual=0x00000000003726f0, shadow=0x00000000003706f0, gh_mask=fffffffffffef871\n" \
	p_ "CR3 = 0x0000000102a0e000\n" \
	p_ "PDPTR0 = 0x0000000000000000  PDPTR1 = 0x0000000000000000\n" \
	p_ "PDPTR2 = 0x0000000000000000  PDPTR3 = 0x0000000000000000\n" \
	p_ "RSP = 0xffffc90000013e90  RIP = 0xffffffff81c01d2f\n" \
	p_ "RFLAGS=0x00000046         DR7 = 0x0000000000000400\n" \
	p_ "Sysenter RSP=fffffe0000003000 CS:RIP=0010:ffffffff81e01620\n" \
	p_ "CS:   sel=0x0010, attr=" cs_ ", limit=0xffffffff, base=0x0000000000000000\n" \
	p_ "DS:   sel=0x0000, attr=0x1c001, limit=0xffffffff, base=0x0000000000000000\n" \
	p_ "SS:   sel=0x0018, attr=0x0c093, limit=0xffffffff, base=0x0000000000000000\n" \
	p_ "ES:   sel=0x0000, attr=0x1c001, limit=0xffffffff, base=0x0000000000000000\n" \
	p_ "FS:   sel=0x0000, attr=0x1c001, limit=0xffffffff, base=0x00007f11a0b6c740\n" \
	p_ "GS:   sel=0x0000, attr=0x1c001, limit=0xffffffff, base=0xffff88807dc00000\n" \
	p_ "GDTR:                           limit=0x0000007f, base=0xfffffe0000001000\n" \
	p_ "LDTR: sel=0x0000, attr=0x1c000, limit=0xffffffff, base=0x0000000000000000\n" \
	p_ "IDTR:                           limit=0x00000fff, base=0xfffffe0000000000\n" \
	p_ "TR:   sel=0x0040, attr=0x0008b, limit=0x00004087, base=0xfffffe0000003000\n" \
	p_ efer_ \
	p_ "DebugCtl = 0x0000000000000000  DebugExceptions = 0x0000000000000000\n" \
	p_ "Interruptibility = 00000000  ActivityState = 00000000\n"

#define KVM_HOST(p_) \
	p_ "*** Host State ***\n" \
	p_ "RIP = 0xffffffffc0b4d7a0  RSP = 0xffffb1f3408ffd38\n" \
	p_ "CS=0010 SS=0018 DS=0000 ES=0000 FS=0000 GS=0000 TR=0040\n" \
	p_ "FSBase=00007fb09a7fc6c0 GSBase=ffff9e15ffa80000 TRBase=fffffe5f1f0b7000\n" \
	p_ "GDTBase=fffffe5f1f0b5000 IDTBase=fffffe0000000000\n" \
	p_ "CR0=0000000080050033 CR3=000000010a1b4004 CR4=0000000000772ef0\n" \
	p_ "Sysenter RSP=fffffe5f1f0b7000 CS:RIP=0010:ffffffffb3401860\n" \
	p_ "EFER= 0x0000000000000d01\n" \
	p_ "PAT = 0x0407050600070106\n"

#define KVM_CONTROLS(p_, words_, qualification_) \
	p_ "*** Control State ***\n" \
	words_ \
	p_ "ExceptionBitmap=00060042 PFECmask=00000000 PFECmatch=00000000\n" \
	p_ "VMEntry: intr_info=00000000 errcode=00000000 ilen=00000000\n" \
	p_ "VMExit: intr_info=00000000 errcode=00000000 ilen=00000003\n" \
	p_ "        reason=80000021 qualification=" qualification_ "\n" \
	p_ "IDTVectoring: info=00000000 errcode=00000000\n" \
	p_ "TSC Offset = 0xffffd3b2f1a8c9e0\n" \
	p_ "SVI|RVI = 00|00 TPR Threshold = 0x00\n" \
	p_ "virt-APIC addr = 0x0000000105bcd000\n" \
	p_ "PostedIntrVec = 0xf2\n" \
	p_ "EPT pointer = 0x000000010345c05e\n" \
	p_ "PLE Gap=00000080 Window=00001000\n" \
	p_ "Virtual processor ID = 0x0001\n"

#define DMESG "[  673.850218] kvm_intel: "

/* Linux 5.18 and later, by dmesg; CS is not accessed */
static const char log_kvm[] =
	"[  640.000001] br0: port 2(tap0) entered forwarding state\n"
	DMESG "VMCS 00000000f971be22, last attempted VM-entry on CPU 3\n"
	KVM_GUEST(DMESG, "EFER= 0x0000000000000d01\n" DMESG "PAT = 0x0407050600070106\n", "0x0a09a")
	KVM_HOST(DMESG)
	KVM_CONTROLS(DMESG,
		     DMESG "CPUBased=0xb5a06dfa SecondaryExec=0x021217eb TertiaryExec=0x0000000000000000\n"
		     DMESG "PinBased=0x000000ff EntryControls=0000f3ff ExitControls=002befff\n",
		     "0000000000000000");

#define SYSLOG "Nov 30 17:02:23 host kernel: [ 7058.291757] "

/* Linux before 5.11, from syslog; CS is both 64-bit and 32-bit */
static const char log_kvm_old[] =
	KVM_GUEST(SYSLOG, "EFER =     0x0000000000000d01  PAT = 0x0407050600070106\n", "0x0e09b")
	KVM_HOST(SYSLOG)
	KVM_CONTROLS(SYSLOG,
		     SYSLOG "PinBased=000000ff CPUBased=b5a06dfa SecondaryExec=021217eb\n"
		     SYSLOG "EntryControls=0000f3ff ExitControls=002befff\n",
		     "0000000000000000");

/* A CPU that cannot load IA32_EFER by itself: what is printed of it is no field. */
static const char log_kvm_autoload[] =
	KVM_GUEST("", "EFER= 0x0000000000000000 (autoload)\n", "0x0a09a")
	KVM_HOST("")
	KVM_CONTROLS("",
		     "CPUBased=0xb5a06dfa SecondaryExec=0x021217eb TertiaryExec=0x0000000000000000\n"
		     "PinBased=0x000000ff EntryControls=000073ff ExitControls=002befff\n",
		     "0000000000000000");

/* Xen 4.19, by xl dmesg; blocking by STI without RFLAGS.IF */
static const char log_xen[] =
	"(XEN) d12v0 vmentry failure (reason 0x80000021): Invalid guest state (0)\n"
	"(XEN) ************* VMCS Area **************\n"
	"(XEN) *** Guest State ***\n"
	"(XEN) CR0: actual=0x0000000080050033, shadow=0x0000000080050033, gh_mask=ffffffffffffffff\n"
	"(XEN) CR4: actual=0x0000000000172660, shadow=0x0000000000170660, gh_mask=ffffffffffc8f860\n"
	"(XEN) CR3 = 0x000000001a02f000\n"
	"(XEN) RSP = 0xffff880018cf7f50 (0xffff880018cf7f50)  RIP = 0xffffffff8184f058 (0xffffffff8184f058)\n"
	"(XEN) RFLAGS=0x00000082 (0x00000082)  DR7 = 0x0000000000000400\n"
	"(XEN) Sysenter RSP=0000000000000000 CS:RIP=0010:ffffffff81851f60\n"
	"(XEN)        sel  attr  limit   base\n"
	"(XEN)   CS: 0010 0a09b ffffffff 0000000000000000\n"
	"(XEN)   DS: 0000 1c000 ffffffff 0000000000000000\n"
	"(XEN)   SS: 0018 0c093 ffffffff 0000000000000000\n"
	"(XEN)   ES: 0000 1c000 ffffffff 0000000000000000\n"
	"(XEN)   FS: 0000 1c000 ffffffff 00007fdb9d9c2700\n"
	"(XEN)   GS: 0000 1c000 ffffffff ffff88001f400000\n"
	"(XEN) GDTR:            0000007f ffff88001f40c000\n"
	"(XEN) LDTR: 0000 1c000 ffffffff 0000000000000000\n"
	"(XEN) IDTR:            00000fff ffffffffff57c000\n"
	"(XEN)   TR: 0040 0008b 00002087 ffff88001f406b80\n"
	"(XEN) EFER(VMCS) = 0x0000000000000d01  PAT = 0x0407050600070106\n"
	"(XEN) PreemptionTimer = 0x00000000  SM Base = 0x00000000\n"
	"(XEN) DebugCtl = 0x0000000000000000  DebugExceptions = 0x0000000000000000\n"
	"(XEN) Interruptibility = 00000001  ActivityState = 00000000\n"
	"(XEN) *** Host State ***\n"
	"(XEN) RIP = 0xffff82d0402a8d30 (vmx_asm_vmexit_handler)  RSP = 0xffff830c3c287f70\n"
	"(XEN) CS=e008 SS=0000 DS=0000 ES=0000 FS=0000 GS=0000 TR=e040\n"
	"(XEN) FSBase=0000000000000000 GSBase=0000000000000000 TRBase=ffff830c3c28d000\n"
	"(XEN) GDTBase=ffff830c3c27c000 IDTBase=ffff830c3c289000\n"
	"(XEN) CR0=000000008005003b CR3=0000000c0e11f000 CR4=00000000003526e0\n"
	"(XEN) Sysenter RSP=ffff830c3c287fa0 CS:RIP=e008:ffff82d04030a4d0\n"
	"(XEN) EFER = 0x0000000000000d01  PAT = 0x0000050100070406\n"
	"(XEN) *** Control State ***\n"
	"(XEN) PinBased=0000003f CPUBased=b6a075fe\n"
	"(XEN) SecondaryExec=000054eb TertiaryExec=0000000000000000\n"
	"(XEN) EntryControls=0000d3ff ExitControls=002fefff\n"
	"(XEN) ExceptionBitmap=00060002 PFECmask=00000000 PFECmatch=00000000\n"
	"(XEN) VMEntry: intr_info=00000000 errcode=00000000 ilen=00000000\n"
	"(XEN) VMExit: intr_info=00000000 errcode=00000000 ilen=00000001\n"
	"(XEN)         reason=80000021 qualification=0000000000000000\n"
	"(XEN) IDTVectoring: info=00000000 errcode=00000000\n"
	"(XEN) TSC Offset = 0xffffd6bdcf66ab9a  TSC Multiplier = 0x0000000000000000\n"
	"(XEN) TPR Threshold = 0x00  PostedIntrVec = 0x00\n"
	"(XEN) EPT pointer = 0x0000000c0c5d701e  EPTP index = 0x0000\n"
	"(XEN) PLE Gap=00000080 Window=00001000\n"
	"(XEN) Virtual processor ID = 0x1f74 VMfunc controls = 0000000000000000\n"
	"(XEN) **************************************\n";

/* VBox.log of VirtualBox 6.0; "save VMX-preemption timer value" without the timer */
static const char log_virtualbox[] =
	"00:00:01.100001 VMM: Thread-context hooks unavailable\n"
	"00:00:05.485400 HM: VERR_VMX_UNABLE_TO_START_VM:\n"
	"00:00:05.485401 HM: CPU[0] Instruction error    0x7\n"
	"00:00:05.485402 HM: CPU[0] Exit reason          0x30\n"
	"00:00:05.485403 HM: CPU[0] PinCtls              0x3f\n"
	"00:00:05.485404 HM:     VMX_PIN_CTLS_EXT_INT_EXIT\n"
	"00:00:05.485405 HM: CPU[0] ProcCtls             0xb6a065fa\n"
	"00:00:05.485406 HM: CPU[0] ProcCtls2            0x10ea\n"
	"00:00:05.485407 HM: CPU[0] EntryCtls            0xd3ff\n"
	"00:00:05.485408 HM: CPU[0] ExitCtls             0x7befff\n"
	"00:00:05.485409 HM: CPU[0] HCPhysMsrBitmap      0x0000000412a3d000\n"
	"00:00:05.485410 HM: CPU[0] HCPhysGuestMsrLoad   0x0000000412a3f000\n"
	"00:00:05.485411 HM: CPU[0] HCPhysGuestMsrStore  0x0000000412a3f000\n"
	"00:00:05.485412 HM: CPU[0] HCPhysHostMsrLoad    0x0000000412a40000\n"
	"00:00:05.485413 HM: CPU[0] cEntryMsrLoad        10\n"
	"00:00:05.485414 HM: CPU[0] cExitMsrStore        10\n"
	"00:00:05.485415 HM: CPU[0] cExitMsrLoad         10\n"
	"00:00:05.485416 HM: CPU[1] Instruction error    0\n"
	"00:00:05.485417 HM: CPU[1] Exit reason          0\n"
	"00:00:05.485418 HM: VERR_VMX_UNABLE_TO_START_VM: VM-entry allowed-1  0xffff\n";

/* The log of a build for debugging; a host CS selector with RPL 3 */
static const char log_virtualbox_debug[] =
	"01:02:03.000001 uExitReason        0x0 (VmxTransient 0x0)\n"
	"01:02:03.000002 InstrError         0x8\n"
	"01:02:03.000003 VMX_VMCS32_CTRL_PIN_EXEC                 = 0x3f\n"
	"01:02:03.000004 VMX_VMCS32_CTRL_PROC_EXEC                = 0xb6a065fa\n"
	"01:02:03.000005 VMX_VMCS32_CTRL_PROC_EXEC2               = 0x10ea\n"
	"01:02:03.000006 VMX_VMCS32_CTRL_ENTRY                    = 0xd3ff\n"
	"01:02:03.000007 VMX_VMCS32_CTRL_EXIT                     = 0x3befff\n"
	"01:02:03.000008 VMX_VMCS_GUEST_RIP                       = 0xfff0\n"
	"01:02:03.000009 VMX_VMCS_HOST_CR0                        = 0x80050033\n"
	"01:02:03.000010 VMX_VMCS16_HOST_CS_SEL                   = 0x13\n"
	"01:02:03.000011 MSR_K6_EFER            = 0xd01\n";

#endif
