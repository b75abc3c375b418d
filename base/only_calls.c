/* The filter that only_calls() asks the kernel for, in the kernel's own words. */
#include "base/only_calls.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "base/alloc.h"

#if defined __x86_64__
#define MACHINE AUDIT_ARCH_X86_64 /* its x32 has a bit in its numbers that no other has */
#elif defined __aarch64__
#define MACHINE AUDIT_ARCH_AARCH64
#else
#define MACHINE 0
#endif

/* Before and after the calls; and what each of them takes. */
#define AROUND   5
#define PER_CALL 2

#define LOAD(field)          \
	(struct sock_filter) \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_ONE_UNLESS(value) \
	(struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1)
#define SKIP_ONE_IF(value) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 1, 0)
#define END(action)        (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (action))

static size_t write_program(const int *numbers, size_t count, struct sock_filter *program)
{
	size_t len = 0;

	program[len++] = LOAD(arch);
	program[len++] = SKIP_ONE_IF(MACHINE);
	program[len++] = END(SECCOMP_RET_KILL_PROCESS);
	program[len++] = LOAD(nr);
	for (size_t i = 0; i < count; i++) {
		program[len++] = SKIP_ONE_UNLESS((unsigned)numbers[i]);
		program[len++] = END(SECCOMP_RET_ALLOW);
	}
	program[len++] = END(SECCOMP_RET_KILL_PROCESS);
	return len;
}

int only_calls(const int *numbers, size_t count, rkt_error **err)
{
	struct sock_filter program[AROUND + PER_CALL * ONLY_CALLS_MAX];
	struct sock_fprog head = { .filter = program };

	if (!ONLY_CALLS_KNOWS_MACHINE)
		return 1;
	if (count > ONLY_CALLS_MAX)
		abort();
	head.len = (unsigned short)write_program(numbers, count, program);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &head, 0, 0) == 0)
		return 0;
	/* seccomp(2): the kernel was built without */
	return errno == EINVAL ? 1 : rkt_fail_errno(err, "seccomp");
}
