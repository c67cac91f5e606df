/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control channel of a VM: a Unix socket by which other processes of the user ask how
 * it is, tell it to stop, and have its console. docs/control.md has the protocol.
 *
 * All of it belongs to the loop's thread, which never waits for a client: each has a bounded
 * buffer a direction, and one that does not read what it has asked for is dropped.
 */
#ifndef HV_VMM_CONTROL_H
#define HV_VMM_CONTROL_H

#include <jansson.h>

#include "control/claim.h"
#include "control/listener.h"
#include "control/protocol.h"
#include "end.h"
#include "machine.h"
#include "ring.h"

#define HV_CONTROL_CLIENTS 32
/* What waits for a client to be read: as a rule, and with long replies. */
#define HV_CONTROL_OUT	   (2 * HV_CONTROL_LINE_MAX)
#define HV_CONTROL_OUT_MAX (2 * HV_CONTROL_REPLY_MAX)

struct hv_control;
struct hv_debugger;

struct hv_control_client {
	struct hv_control *control;
	struct hv_control_client *next;
	struct hv_watch watch;
	pid_t pid;
	bool waits;			/* it is told of the end */
	bool dropped;			/* it does not read, or speaks no lines: to be closed */
	bool attached;			/* to the console: no lines any more, ... */
	bool speaks_raw;		/* ... nor ever: it has come by another door */
	bool refused;			/* ... as a debugger, and was told so */
	bool types;			/* ... and what it sends is typed */
	struct hv_debugger *debugger;	/* no lines either: it speaks to that one. NULL: to none */
	int file;			/* that it has sent last; -1: none */
	bool records;			/* wants exits recorded while it is there */
	bool adopted;			/* it was there before the guest */
	uint64_t pos;			/* in control->ring */
	size_t in_len, out_len, out_room;
	char in[HV_CONTROL_LINE_MAX];
	char *out;			/* as large as is wanted; NULL: nothing was yet */
};

/* Where clients come: who speaks lines; of --console unix:PATH; of --gdb. */
enum { HV_DOOR_LINES, HV_DOOR_CONSOLE, HV_DOOR_GDB, HV_CONTROL_DOORS };

struct hv_control_door {
	struct hv_listener listener;
	struct hv_watch watch;
};

struct hv_control {
	struct hv_runtime_dir dir;
	struct hv_claim claim;
	struct hv_control_door door[HV_CONTROL_DOORS];
	char image[1024];		/* its path, for who is in another directory */
	struct hv_machine *machine;	/* NULL: not attached */
	struct hv_control_client *clients;
	unsigned int count;		/* of them */
	uint64_t started_ns;
	uint64_t seen;			/* of the console, by the last who has typed there */
	bool paused;			/* by us */
	struct hv_debugger *debugger;	/* NULL: there is none */
	struct hv_watch stops;		/* an eventfd: the machine was paused for it */
	struct hv_control_client *holder;	/* it stands still for that one, or NULL; ... */
	bool goes_on;			/* ... and goes on when that has gone */
	uint64_t exits;			/* so many, when they were last counted */
	bool recording;			/* a client has switched it on */
	bool stopping;			/* the power button was pressed, ... */
	struct hv_timer power_off;	/* ... and here it has lasted too long */
	unsigned int patience;		/* in seconds */
	bool has_deadline;		/* that stands still, with the guest's time: ... */
	uint64_t left_ns;		/* ... it had so long */
	struct hv_timer patience_over;	/* with those who fetch the last records */
	struct hv_timer deaf;		/* nobody can be let in, until then */
	bool detached;			/* it has a log */
	struct hv_ring ring;
};

/**
 * hv_control_open() - have a name, and a socket of that name
 * @config: with the name; without one, one is made
 * @gdb: debuggers may come there, too; NULL: they may not
 * @err: filled in on failure, with its subject
 *
 * Returns what hv_control_close() takes, or NULL; then errno says why: EBUSY if a VM of that
 * name runs.
 */
struct hv_control *hv_control_open(const struct hv_config *config, const struct hv_address *gdb,
				   struct hv_error *err);

/* Serve clients by @machine's loop from now on, until hv_control_detach(); @control may be NULL. */
void hv_control_attach(struct hv_control *control, struct hv_machine *machine);
void hv_control_detach(struct hv_control *control);

/*
 * One more client, on a socket that was there before the VM; -1: none. It belongs to @control, of
 * which there may be none.
 */
void hv_control_adopt(struct hv_control *control, int fd);

/* It has ended: wait for those who record its exits to fetch the last ones, some seconds. */
void hv_control_finish(struct hv_control *control);

/* Give attached clients what they take at once of the console's last words. */
void hv_control_flush(struct hv_control *control);

/* Give back what others reach it by: its name, and its other sockets. */
void hv_control_release(struct hv_control *control);

/* The machine has gone: give the name back, and tell those who wait; @end may be NULL. */
void hv_control_close(struct hv_control *control, const struct hv_end *end);

/* ---------------------------------------------- how clients come: control_doors.c */

/* That of the claimed name, and those of @config's console and of @gdb. 0 or -errno. */
int hv_control_open_doors(struct hv_control *control, const struct hv_config *config,
			  const struct hv_address *gdb, struct hv_error *err);
void hv_control_attach_doors(struct hv_control *control);
void hv_control_detach_doors(struct hv_control *control);
void hv_control_close_doors(struct hv_control *control);

/* One on that socket, of that process or 0, which is not let in yet; NULL: no memory. */
struct hv_control_client *hv_control_make_client(struct hv_control *control, int fd, pid_t pid);
void hv_control_let_in(struct hv_control_client *client);
/* One that is not let in hears why: a new socket's buffer has room for more than that. */
void hv_control_turn_away(struct hv_control_client *client);
void hv_control_greet(struct hv_control_client *client);

/* ------------------------------------------------------------- requests */

/* What a line says: a reply goes into the client's buffer. */
void hv_control_handle(struct hv_control_client *client, const char *line, size_t len);

/* How long who asks waits for others that have the machine paused, in ms. */
#define HV_CONTROL_PATIENCE  2000
#define HV_CONTROL_ARGUMENTS 6

struct hv_control_request {
	const char *name;
	const char *argument[HV_CONTROL_ARGUMENTS];	/* it may have; NULL: no more */
	bool to_the_dead;		/* also to one that has ended and waits for readers */
	/* Fill @reply. 0 or -errno, which becomes a code. */
	int (*run)(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err);
};

/* Rows there: control_memory.c */
int hv_control_walk(struct hv_control_client *client, const json_t *line, json_t *reply,
		    struct hv_error *err);
/* What it does while the vCPUs stand still. */
int hv_control_look_at_walk(struct hv_machine *machine, struct hv_vcpu *vcpu, const json_t *line,
			    json_t *reply, struct hv_error *err);
int hv_control_memory(struct hv_control_client *client, const json_t *line, json_t *reply,
		      struct hv_error *err);

/* control_use.c */
int hv_control_use(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err);

/* ... and control_why.c */
int hv_control_why(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err);

/* ... control_record.c, where a client that goes is to be told, too. */
int hv_control_record(struct hv_control_client *client, const json_t *line, json_t *reply,
		      struct hv_error *err);
void hv_control_stop_record(struct hv_control *control);

/* The vCPU that "vcpu" names, or the first; NULL, with @err: there is none of that number. */
struct hv_vcpu *hv_control_find_vcpu(struct hv_machine *machine, const json_t *line,
				     struct hv_error *err);

/* "running", "paused", "stopping", "ending" */
const char *hv_control_state(const struct hv_control *control);

/* Those that look at a VM: control_examine.c */
extern const struct hv_control_request hv_control_examinations[];
extern const size_t hv_control_nr_examinations;

/*
 * A look at a machine whose vCPUs stand still; @vcpu is the one that the argument "vcpu" names, or
 * the first. Fills @reply; 0 or -errno, with @err.
 */
typedef int (*hv_control_look_fn)(struct hv_machine *machine, struct hv_vcpu *vcpu,
				  const json_t *line, json_t *reply, struct hv_error *err);

/*
 * The vCPUs stand still from now on, paused for it if they are not already, until
 * hv_control_end_look(). False: others have it paused for more than @ms. It may have become the
 * debugger's meanwhile.
 */
bool hv_control_begin_look(struct hv_control *control, unsigned int ms);
void hv_control_end_look(struct hv_control *control);

/* Take that look, with the vCPUs paused for it if they are not already. 0 or -errno. */
int hv_control_examine(struct hv_control *control, const json_t *line, json_t *reply,
		       hv_control_look_fn look, struct hv_error *err);

/*
 * The "symbol" of each object's address @key in @array, "" without one. Symbol tables are searched
 * from end to end, some ms each: when the vCPUs go on.
 */
void hv_control_add_symbols(const struct hv_control *control, json_t *array, const char *key);

/* The request "balloon". */
int hv_control_balloon(struct hv_control_client *client, const json_t *line, json_t *reply,
		       struct hv_error *err);

/*
 * The machine is paused, and is ours from now on: guest time stands still. Returns 0 or -errno:
 * then it is resumed, and not ours.
 */
int hv_control_keep_paused(struct hv_control *control);
/* It goes on. */
void hv_control_let_go(struct hv_control *control);

/* The request "gdb". */
int hv_control_gdb(struct hv_control_client *client, const json_t *line, json_t *reply,
		   struct hv_error *err);

/* More for a client that speaks no lines; what waits of what it has sent is taken. */
void hv_control_send_raw(struct hv_control_client *client, const void *data, size_t len);
void hv_control_take(struct hv_control_client *client);

/* Pause it, and keep it so. 0 or -errno. */
int hv_control_stand_still(struct hv_control *control, struct hv_error *err);

/* The requests "hold" and "copy": control_copy.c */
int hv_control_hold(struct hv_control_client *client, const json_t *line, json_t *reply,
		    struct hv_error *err);
int hv_control_copy(struct hv_control_client *client, const json_t *line, json_t *reply,
		    struct hv_error *err);

/* It goes: what stands still for it goes on. */
void hv_control_end_hold(struct hv_control_client *client);

/* How long a guest has to obey its power button stands still, and goes on. */
void hv_control_hold_deadline(struct hv_control *control);
void hv_control_continue_deadline(struct hv_control *control);

/* Have it at the console: what was said and not seen yet, and what it sends is typed, or not. */
void hv_control_join(struct hv_control_client *client, bool types);

/* Who types at the console, or NULL. */
const struct hv_control_client *hv_control_typist(const struct hv_control *control);

/* So much in @client->out, at the least. False: it may not grow so far, or cannot. */
bool hv_control_make_room(struct hv_control_client *client, size_t size);
/* Nothing waits there: what a long reply has taken is given back. */
void hv_control_give_room_back(struct hv_control_client *client);

/* One more line for it; @line goes. */
void hv_control_send(struct hv_control_client *client, json_t *line);

/* An answer of no: to @request if it is known, with its @id if there is one; neither goes. */
void hv_control_refuse(struct hv_control_client *client, const char *request, json_t *id,
		       const char *code, const char *text);

#endif
