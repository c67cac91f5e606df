// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls of /dev/tinyvmx, without the device. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>

#include "fake_tvx.h"
#include "lib/util.h"

#define RUN_BYTES 4096

struct fake fake;

/* Whoever has assigned an eventfd may take it back while another signals. */
static pthread_mutex_t eventfds_lock = PTHREAD_MUTEX_INITIALIZER;

/* Made beforehand: in a sandbox nobody may make some, as the module does. */
static int spare_fds[32];
static unsigned int spares;

static void make_spares(void)
{
	while (spares < ARRAY_SIZE(spare_fds))
		spare_fds[spares++] = eventfd(0, EFD_CLOEXEC);
}

void fake_reset(fake_guest_fn guest)
{
	make_spares();
	memset(&fake, 0, sizeof(fake));
	fake.guest = guest;
	fake.abi_version = TINYVMX_ABI_VERSION;
	for (unsigned int i = 0; i < FAKE_EVENTFDS; i++)
		fake.ioeventfd[i].fd = fake.irqfd[i].fd = -1;
}

/* Something to close. */
static int new_fd(void)
{
	int fd = spares ? spare_fds[--spares] : eventfd(0, EFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static struct fake_vcpu *find(int fd)
{
	for (unsigned int i = 0; i < FAKE_MAX_VCPUS; i++)
		if (fake.vcpu[i].fd == fd)
			return &fake.vcpu[i];
	return NULL;
}

/* ------------------------------------------------------------------ system */

int tvx_open(void)
{
	return fake.open_error ? fake.open_error : new_fd();
}

int tvx_get_info(int device, struct tinyvmx_info *info)
{
	(void)device;
	*info = (struct tinyvmx_info){
		.size = sizeof(*info),
		.abi_version = fake.abi_version,
		.capabilities = fake.capabilities,
		.run_bytes = RUN_BYTES,
		.max_vcpus = FAKE_MAX_VCPUS,
		.gpa_bits = 39,
		.xsave_bytes = FAKE_XSAVE_BYTES,
		.cr4_mask = ~0ULL,
		.xcr0_mask = 3,
		.max_cpuid_entries = 256,
		.max_msr_entries = 256,
	};
	return 0;
}

int tvx_create_kvm_vm(void)
{
	return fake.kvm_error ? fake.kvm_error : new_fd();
}

int tvx_create_vm(int device, uint32_t flags, int kvm_vm)
{
	(void)device, (void)kvm_vm;
	fake.vm_flags = flags;
	/* Of several the last one's are known. */
	memset(fake.slots, 0, sizeof(fake.slots));
	return fake.create_vm_error ? fake.create_vm_error : new_fd();
}

static bool is_taken(uint32_t slot, uint64_t gpa, uint64_t len)
{
	const struct fake_slot *other = fake.slots;

	if (other[slot].len)
		return true;
	for (; other < fake.slots + FAKE_SLOTS; other++)
		if (other->len && gpa < other->gpa + other->len && other->gpa < gpa + len)
			return true;
	return false;
}

int tvx_set_memory(int vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t len, void *hva)
{
	(void)vm;
	if (fake.set_memory_error || slot >= FAKE_SLOTS)
		return fake.set_memory_error ? fake.set_memory_error : -EINVAL;
	if (!len && !fake.slots[slot].len)
		return -ENOENT;
	if (len && is_taken(slot, gpa, len))
		return -EEXIST;
	fake.slots[slot] = (struct fake_slot){ .gpa = gpa, .len = len, .hva = hva, .flags = flags };
	if (len && !gpa)
		fake.ram = hva;
	return 0;
}

int tvx_get_use(int vm, uint32_t flags, uint64_t gpa, uint64_t len, void *used, void *written)
{
	(void)vm;
	if (!fake.use)
		return -EOPNOTSUPP;
	memset(used, 0, len / 4096 / 8);
	memset(written, 0, len / 4096 / 8);
	for (uint64_t i = 0; i < len / 4096; i++) {
		char use = fake.use(gpa / 4096 + i, flags & TINYVMX_USE_FORGET);

		((uint8_t *)used)[i / 8] |= !!use << i % 8;
		((uint8_t *)written)[i / 8] |= (use == 'w') << i % 8;
	}
	return 0;
}

/* RAM of small pages up to 4 MiB, of which the tables are built as they would be. */
int tvx_get_ept(int vm, uint64_t gpa, struct tinyvmx_get_ept *ept)
{
	bool mapped = gpa < 4 << 20;

	(void)vm;
	*ept = (struct tinyvmx_get_ept){ .size = sizeof(*ept), .gpa = gpa };
	ept->count = mapped ? 4 : 3;
	for (unsigned int i = 0; i < ept->count - 1; i++)
		ept->entries[i] = 0x107;
	ept->entries[ept->count - 1] = mapped ? 0x377 : 0;
	return 0;
}

/* One of the same id takes the old one's place, in the state after RESET. */
int tvx_create_vcpu(int vm, uint32_t id)
{
	struct fake_vcpu *vcpu = &fake.vcpu[id];

	(void)vm;
	if (fake.create_vcpu_error)
		return fake.create_vcpu_error;
	if (fake.creates_vcpu)
		fake.creates_vcpu(id);
	*vcpu = (struct fake_vcpu){ .fd = new_fd(), .id = id, .made = vcpu->made + 1 };
	vcpu->regs.rip = 0xfff0;
	return vcpu->fd;
}

int tvx_msi(int vm, uint64_t address, uint32_t data)
{
	(void)vm;
	fake.msi_address = address;
	fake.msi_data = data;
	fake.msis_of[(uint8_t)data]++;
	fake.msis++;
	return 0;
}

/* ---------------------------------------------------------------- eventfds */

static bool overlaps(const struct fake_ioeventfd *a, const struct fake_ioeventfd *b)
{
	return a->port == b->port && a->width == b->width &&
	       (!(a->flags & b->flags & TINYVMX_IOEVENTFD_DATAMATCH) || a->data == b->data);
}

/* The one of @fd that overlaps @like; @fd -1: of anybody. NULL: none. */
static struct fake_ioeventfd *find_ioeventfd(const struct fake_ioeventfd *like, int fd)
{
	for (unsigned int i = 0; i < FAKE_EVENTFDS; i++) {
		struct fake_ioeventfd *event = &fake.ioeventfd[i];

		if (event->fd >= 0 && (fd < 0 || event->fd == fd) && overlaps(event, like))
			return event;
	}
	return NULL;
}

static struct fake_irqfd *find_irqfd(int fd)
{
	for (unsigned int i = 0; i < FAKE_EVENTFDS; i++)
		if (fake.irqfd[i].fd == fd)
			return &fake.irqfd[i];
	return NULL;
}

static int assign_ioeventfd(const struct fake_ioeventfd *new)
{
	if (find_ioeventfd(new, -1))
		return -EEXIST;
	for (unsigned int i = 0; i < FAKE_EVENTFDS; i++) {
		if (fake.ioeventfd[i].fd >= 0)
			continue;
		fake.ioeventfd[i] = *new;
		return 0;
	}
	return -ENOSPC;
}

static int deassign_ioeventfd(const struct fake_ioeventfd *like)
{
	struct fake_ioeventfd *event = find_ioeventfd(like, like->fd);

	if (!event || event->flags != like->flags)
		return -ENOENT;
	event->fd = -1;
	return 0;
}

int tvx_ioeventfd(int vm, uint32_t flags, int fd, uint16_t port, uint16_t width, uint32_t data)
{
	struct fake_ioeventfd event = { fd, flags & TINYVMX_IOEVENTFD_DATAMATCH, port, width,
					data };
	int error;

	(void)vm;
	if (fake.ioeventfd_error)
		return fake.ioeventfd_error;
	pthread_mutex_lock(&eventfds_lock);
	error = flags & TINYVMX_IOEVENTFD_DEASSIGN ? deassign_ioeventfd(&event) :
						     assign_ioeventfd(&event);
	pthread_mutex_unlock(&eventfds_lock);
	return error;
}

/* Take what it has counted, if anything: whether. */
static bool take_signal(const struct fake_irqfd *irqfd)
{
	struct pollfd look = { .fd = irqfd->fd, .events = POLLIN };
	eventfd_t count;

	if (poll(&look, 1, 0) <= 0 || eventfd_read(irqfd->fd, &count) < 0)
		return false;
	tvx_msi(0, irqfd->address, irqfd->data);
	return true;
}

/* Assigning delivers what was signalled before. */
static int assign_irqfd(const struct fake_irqfd *new)
{
	struct fake_irqfd *irqfd = find_irqfd(-1);

	if (find_irqfd(new->fd))
		return -EEXIST;
	if (!irqfd)
		return -ENOSPC;
	*irqfd = *new;
	take_signal(irqfd);
	return 0;
}

static int deassign_irqfd(int fd)
{
	struct fake_irqfd *irqfd = find_irqfd(fd);

	if (!irqfd)
		return -ENOENT;
	irqfd->fd = -1;
	return 0;
}

int tvx_irqfd(int vm, uint32_t flags, int fd, uint64_t address, uint32_t data)
{
	struct fake_irqfd irqfd = { fd, address, data };
	int error;

	(void)vm;
	if (fake.irqfd_error)
		return fake.irqfd_error;
	pthread_mutex_lock(&eventfds_lock);
	error = flags & TINYVMX_IRQFD_DEASSIGN ? deassign_irqfd(fd) : assign_irqfd(&irqfd);
	pthread_mutex_unlock(&eventfds_lock);
	return error;
}

bool fake_kick(uint16_t port, uint16_t width, uint32_t data)
{
	const struct fake_ioeventfd like = { -1, TINYVMX_IOEVENTFD_DATAMATCH, port, width, data };
	struct fake_ioeventfd *event;

	pthread_mutex_lock(&eventfds_lock);
	event = find_ioeventfd(&like, -1);
	if (event)
		eventfd_write(event->fd, 1);
	pthread_mutex_unlock(&eventfds_lock);
	return event;
}

unsigned int fake_take_signals(void)
{
	unsigned int taken = 0;

	pthread_mutex_lock(&eventfds_lock);
	for (unsigned int i = 0; i < FAKE_EVENTFDS; i++)
		if (fake.irqfd[i].fd >= 0)
			taken += take_signal(&fake.irqfd[i]);
	pthread_mutex_unlock(&eventfds_lock);
	return taken;
}

bool fake_ioeventfd(uint16_t port, struct fake_ioeventfd *found)
{
	bool assigned = false;

	pthread_mutex_lock(&eventfds_lock);
	for (unsigned int i = 0; i < FAKE_EVENTFDS && !assigned; i++) {
		assigned = fake.ioeventfd[i].fd >= 0 && fake.ioeventfd[i].port == port;
		if (assigned)
			*found = fake.ioeventfd[i];
	}
	pthread_mutex_unlock(&eventfds_lock);
	return assigned;
}

bool fake_irqfd(int fd, struct fake_irqfd *found)
{
	const struct fake_irqfd *irqfd;

	pthread_mutex_lock(&eventfds_lock);
	irqfd = find_irqfd(fd);
	if (irqfd)
		*found = *irqfd;
	pthread_mutex_unlock(&eventfds_lock);
	return irqfd;
}

/* -------------------------------------------------------------------- vCPU */

int tvx_map_run(int fd, size_t len, struct tinyvmx_run **run)
{
	void *page = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return -errno;
	*run = page;
	find(fd)->run = page;
	return 0;
}

/* ------------------------------------------------------------------ record */

int tvx_set_record(int fd, uint32_t records)
{
	struct fake_vcpu *vcpu = find(fd);

	if (fake.record_error)
		return fake.record_error;
	if (atomic_load(&vcpu->inside))
		return -EBUSY;
	if (records && vcpu->records && records != vcpu->records)
		return -EEXIST;
	/* As after a stop in the module: one number is left out. */
	vcpu->sequence += vcpu->recording && !records;
	vcpu->recording = records;
	vcpu->records = records ?: vcpu->records;
	return 0;
}

/* One that we can write to, and whoever asked unmaps. */
int tvx_map_record(int fd, uint32_t records, const struct tinyvmx_record **ring)
{
	struct fake_vcpu *vcpu = find(fd);
	void *at;

	if (records != vcpu->records)
		return -EINVAL;
	at = mmap(NULL, records * sizeof(**ring), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return -errno;
	*ring = vcpu->ring = at;
	return 0;
}

void fake_record(struct fake_vcpu *vcpu, const struct tinyvmx_record *record)
{
	struct tinyvmx_record *at;
	uint64_t n;

	if (!vcpu->recording)
		return;
	n = ++vcpu->sequence;
	at = &vcpu->ring[n % vcpu->records];
	__atomic_store_n(&at->sequence, 0, __ATOMIC_SEQ_CST);
	for (size_t i = 1; i < sizeof(*at) / sizeof(n); i++)
		__atomic_store_n((uint64_t *)at + i, ((const uint64_t *)record)[i],
				 __ATOMIC_RELEASE);
	__atomic_store_n(&at->sequence, n, __ATOMIC_RELEASE);
}

/* As the run page tells it. */
static void record_exit(struct fake_vcpu *vcpu)
{
	const struct tinyvmx_run *run = vcpu->run;
	const struct tinyvmx_record record = {
		.entered = 1000 * vcpu->sequence,
		.exited = 1000 * vcpu->sequence + 300,
		.rip = run->rip,
		.qualification = run->exit_qualification,
		.reason = run->exit_reason,
		.handled = TINYVMX_HANDLED_USER,
	};

	fake_record(vcpu, &record);
}

/* ---------------------------------------------------------------------- RUN */

/* Finish what the last exit has left, as the module does. */
static void complete(struct fake_vcpu *vcpu)
{
	struct tinyvmx_run *run = vcpu->run;

	if (run->request & TINYVMX_REQ_SET_REGS)
		vcpu->regs = run->regs;
	vcpu->request = run->request;
	run->request = 0;
}

int tvx_run(int fd)
{
	struct fake_vcpu *vcpu = find(fd);
	int error;

	atomic_fetch_add(&vcpu->runs, 1);
	atomic_store(&vcpu->inside, true);
	complete(vcpu);
	if (__atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_RELAXED))
		error = -EINTR;
	else
		error = fake.guest(vcpu);
	if (!error)
		record_exit(vcpu);
	atomic_store(&vcpu->inside, false);
	return error;
}

int tvx_set_cpuid(int fd, const struct tinyvmx_cpuid *entries, uint32_t count)
{
	(void)fd, (void)entries, (void)count;
	return 0;
}

int tvx_inject(int fd, const struct tinyvmx_inject *inject)
{
	struct fake_vcpu *vcpu = find(fd);

	if (fake.inject_error)
		return fake.inject_error;
	vcpu->injected = *inject;
	vcpu->injections++;
	return 0;
}

int tvx_set_debug(int fd, struct tinyvmx_set_debug *arg)
{
	if (fake.set_debug_error)
		return fake.set_debug_error;
	find(fd)->set_debug = *arg;
	return 0;
}

int tvx_get_vmcs(int fd, struct tinyvmx_vmcs_field *fields, uint32_t *count)
{
	uint32_t room = *count;

	(void)fd;
	*count = fake.vmcs_fields;
	if (fake.get_vmcs_error)
		return fake.get_vmcs_error;
	if (room < fake.vmcs_fields)
		return -ENOSPC;
	if (fake.vmcs_fields)
		memcpy(fields, fake.vmcs, fake.vmcs_fields * sizeof(*fields));
	return 0;
}

/* ------------------------------------------------------------------- state */

/* Where a blob is kept; NULL: those that are not kept in one piece. */
static void *blob_at(struct fake_vcpu *vcpu, uint32_t type, size_t len)
{
	const struct {
		void *at;
		size_t len;
	} blobs[] = {
		[TINYVMX_STATE_REGS] = { &vcpu->regs, sizeof(vcpu->regs) },
		[TINYVMX_STATE_SREGS] = { &vcpu->sregs, sizeof(vcpu->sregs) },
		[TINYVMX_STATE_EVENTS] = { &vcpu->events, sizeof(vcpu->events) },
		[TINYVMX_STATE_DEBUG] = { &vcpu->debug, sizeof(vcpu->debug) },
		[TINYVMX_STATE_LAPIC] = { &vcpu->lapic, sizeof(vcpu->lapic) },
		[TINYVMX_STATE_EXITS] = { &vcpu->exits, sizeof(vcpu->exits) },
	};

	if (type >= ARRAY_SIZE(blobs) || blobs[type].len != len)
		return NULL;
	return blobs[type].at;
}

static struct tinyvmx_msr *msr_at(struct fake_vcpu *vcpu, uint32_t index)
{
	for (unsigned int i = 0; i < vcpu->msrs; i++)
		if (vcpu->msr[i].index == index)
			return &vcpu->msr[i];
	if (vcpu->msrs == FAKE_MSRS)
		return NULL;
	vcpu->msr[vcpu->msrs].index = index;
	return &vcpu->msr[vcpu->msrs++];
}

static int access_msrs(struct fake_vcpu *vcpu, struct tinyvmx_msr *msrs, size_t len, bool set)
{
	for (size_t i = 0; i < len / sizeof(*msrs); i++) {
		struct tinyvmx_msr *msr = msr_at(vcpu, msrs[i].index);

		if (!msr)
			return -EINVAL;
		*(set ? msr : &msrs[i]) = set ? msrs[i] : *msr;
	}
	return 0;
}

/* The MSR is the guest's at the host's 0; the host's goes on by a step each time. */
static int access_tsc(struct fake_vcpu *vcpu, struct tinyvmx_tsc *tsc, bool set)
{
	struct tinyvmx_msr *msr = msr_at(vcpu, 0x10);

	if (!msr)
		return -EINVAL;
	fake.host_tsc += fake.host_step;
	if (set)
		msr->value = tsc->guest - tsc->host;
	else
		*tsc = (struct tinyvmx_tsc){ msr->value + fake.host_tsc, fake.host_tsc };
	return 0;
}

static int access_xsave(struct fake_vcpu *vcpu, void *blob, size_t len, bool set)
{
	struct tinyvmx_xsave *xsave = blob;

	if (len != sizeof(*xsave) + FAKE_XSAVE_BYTES)
		return -EINVAL;
	if (set) {
		vcpu->xcr0 = xsave->xcr0;
		memcpy(vcpu->xsave, xsave->image, FAKE_XSAVE_BYTES);
		return 0;
	}
	*xsave = (struct tinyvmx_xsave){ .xcr0 = vcpu->xcr0 };
	memcpy(xsave->image, vcpu->xsave, FAKE_XSAVE_BYTES);
	return 0;
}

int tvx_get_state(int fd, uint32_t type, void *blob, size_t len)
{
	struct fake_vcpu *vcpu = find(fd);
	const void *at;

	if (!vcpu)
		return -EBADF;
	if (fake.get_state_error)
		return fake.get_state_error;
	if (type == TINYVMX_STATE_MSRS)
		return access_msrs(vcpu, blob, len, false);
	if (type == TINYVMX_STATE_XSAVE)
		return access_xsave(vcpu, blob, len, false);
	if (type == TINYVMX_STATE_TSC)
		return access_tsc(vcpu, blob, false);
	at = blob_at(vcpu, type, len);
	if (!at)
		return -EINVAL;
	memcpy(blob, at, len);
	return 0;
}

int tvx_set_state(int fd, uint32_t type, const void *blob, size_t len)
{
	struct fake_vcpu *vcpu = find(fd);
	void *at;

	if (!vcpu)
		return -EBADF;
	if (fake.set_state_error)
		return fake.set_state_error;
	if (type == TINYVMX_STATE_EXITS)
		return -EOPNOTSUPP;
	if (type == TINYVMX_STATE_MSRS)
		return access_msrs(vcpu, (struct tinyvmx_msr *)blob, len, true);
	if (type == TINYVMX_STATE_XSAVE)
		return access_xsave(vcpu, (void *)blob, len, true);
	if (type == TINYVMX_STATE_TSC)
		return access_tsc(vcpu, (void *)blob, true);
	at = blob_at(vcpu, type, len);
	if (!at)
		return -EINVAL;
	memcpy(at, blob, len);
	return 0;
}

/* ------------------------------------------------------------------ guests */

int fake_exit(struct fake_vcpu *vcpu, uint32_t reason)
{
	vcpu->run->reason = reason;
	vcpu->run->regs = vcpu->regs;
	return 0;
}

static int port_exit(struct fake_vcpu *vcpu, uint16_t port, unsigned int width, uint32_t flags,
		     uint32_t value)
{
	vcpu->run->io = (struct tinyvmx_exit_io){
		.port = port,
		.width = width,
		.flags = flags,
		.data = value,
	};
	return fake_exit(vcpu, TINYVMX_EXIT_IO);
}

int fake_out(struct fake_vcpu *vcpu, uint16_t port, unsigned int width, uint32_t value)
{
	return port_exit(vcpu, port, width, 0, value);
}

int fake_in(struct fake_vcpu *vcpu, uint16_t port, unsigned int width)
{
	return port_exit(vcpu, port, width, TINYVMX_IO_IN, 0);
}

int fake_compute(struct fake_vcpu *vcpu)
{
	const struct timespec moment = { .tv_nsec = 100000 };

	for (unsigned int i = 0; i < 600000; i++) {
		if (__atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_RELAXED))
			return -EINTR;
		nanosleep(&moment, NULL);
	}
	return -EIO;
}
